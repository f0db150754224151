"""Status line: what was done, and what is shown."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.block import Output
from napari_usm._estimate.blur_and_noise import blur_and_noise_of
from napari_usm._methods import METHODS
from napari_usm._widgets.layers.info import axes_of
from napari_usm._widgets.live.state import Failed, Shown
from napari_usm.axes import figures

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_usm._engine.report import Report
    from napari_usm._widgets.live.state import State
    from napari_usm.warm_up import Progress

# Characters of a part that may not fit into a line.
_LONG = 30

# Share of clipped pixels from which on something should be done.
_MUCH = 0.01

# A change of the mean that is small beside the overshoot, or beside the range of the
# result, where a threshold leaves next to no overshoot; and a blur that is none.
_NEGLIGIBLE, _INVISIBLE, _SHARP = 0.01, 1e-4, 0.05

# Share from which on a blur is called that of a lens.
_MOSTLY = 0.5

# Part of the values by which float32 may round them.
_ROUNDING = 1e-6

# Sizes of numbers that can be read without an exponent.
_TINY, _HUGE = 1e-4, 1e6

#: What the buttons do, as long as there is nothing else to say.
HINT = "Live shows every change at once; Keep makes layers."

#: What is said once a program is in the clipboard.
COPIED = "Copied as Python: paste it into a script."
COPIED_WITHOUT_PIXELS = "Copied as Python: fill in the pixels where the script says so."

#: What is said while something is waited for.
WAITING = {
    "preparing": "Preparing…",
    "estimating": "Live · estimating…",
    "updating": "Live · updating…",
    "hidden": "Live · its layers are hidden",
}


def status_line(metadata: dict[str, Any], seconds: float, kept_as: str = "") -> str:
    """Gain, clipped pixels, noise and time of a run, by its layers' metadata."""
    parts = [f"Kept as '{kept_as}'"] if kept_as else []
    parts += _gain(metadata["amount"], metadata["gain"])
    report = metadata["report"]
    if report is None:
        parts.append("computed as it is shown")
    else:
        limits = metadata["parameters"].get("limits")
        parts += _report(report, metadata["range"], limits)
    parts.append(f"{seconds:.2f} s")
    return joined(parts)


def preparing_line(progress: Progress | None) -> str:
    """Return how far the kernels are that are compiled, and how long it will take."""
    if progress is None:
        return WAITING["preparing"]
    # In steps: an estimate that changes all the time cannot be read.
    step = 1 if progress.seconds < 10 else 5
    seconds = step * ceil(progress.seconds / step)
    kernels = f"{progress.done} of {progress.total} kernels"
    return f"Preparing, once on this machine: {kernels}, about {seconds} s left"


def live_line(state: State, layer: Image) -> str:
    """Return place, time, and the report on the pixels once it is known."""
    if isinstance(state, Failed):
        return f"Live · failed: {state.reason}"
    return WAITING[state] if isinstance(state, str) else _shown_line(state, layer)


def _shown_line(shown: Shown, layer: Image) -> str:
    settled = shown.settled
    parts = ["Live", *_place(shown, layer), f"{1000 * shown.seconds:.1f} ms"]
    public = settled.public
    if settled.sample is not None:
        size = " × ".join(str(length) for length in settled.sample)
        parts += [*_gain(public.amount, public.gain), f"from a sample of {size}"]
    else:
        parts += _gain(public.amount, public.gain)
    if shown.report is not None:
        limits = settled.plan.method.limits
        parts += _report(shown.report, shown.values, limits)
    elif shown.is_too_large:
        parts.append("too large for statistics of its pixels")
    elif settled.constants.noise is not None:
        _, noise = blur_and_noise_of(settled.constants.noise)
        parts.append(f"noise σ {_span(noise)}")
    return joined(parts)


def _place(shown: Shown, layer: Image) -> list[str]:
    """Return the plane that is shown, and its level if that is not the finest."""
    names = axes_of(layer).names
    named = {Output.EDGE_MAP: ["edge map"], Output.SIGNIFICANCE: ["significance"]}
    parts = named.get(shown.which, [])
    for axis, span in enumerate(shown.index[: layer.ndim]):
        one = span if isinstance(span, int) else span[0] if len(span) == 1 else None
        if one is not None and layer.data.shape[axis] > 1:
            parts.append(f"{names[axis]} = {one}")
    if layer.multiscale and (shown.level or shown.shows != "sharpened"):
        parts.append(f"level {shown.level}: {shown.shows}")
        if shown.settled.plan.finds_noise:
            parts.append("by the noise of the full resolution")
    return parts


def _gain(amount: Any, gain: Any) -> list[str]:
    return [] if gain is None else [f"λ {_span(gain)} → amount {_span(amount)}"]


def _report(
    report: Report, values: tuple[float, float] | None, limits: Any
) -> list[str]:
    clipped = float(np.mean(report.clipped_low + report.clipped_high))
    advice = f": {_advice(report.method, limits)}" if clipped >= _MUCH else ""
    parts = [
        f"clipped {_percent(100 * clipped)}{advice}",
        f"noise × {_span(report.noise_factor)}",
    ]
    overshoot = report.mean_overshoot + report.mean_undershoot
    low, high = values or (0.0, 0.0)
    rounding = _ROUNDING * max(abs(low), abs(high))
    least = max(_NEGLIGIBLE * overshoot, _INVISIBLE * (high - low), rounding)
    if abs(report.mean_change) > least:
        sign = "−" if report.mean_change < 0 else "+"
        parts.append(f"mean {sign}{_figures(abs(report.mean_change), 2)}")
    if report.blur is not None and np.max(report.blur) >= _SHARP:
        lens = report.lens is not None and np.median(report.lens) >= _MOSTLY
        parts.append(f"blur σ {_span(report.blur)} px{' of a lens' if lens else ''}")
    if report.is_beyond_reach:
        parts.append("too wide to undo: deconvolve with a point spread function")
    if report.noise is not None and np.max(report.noise) > 0:
        parts.append(f"noise σ {_span(report.noise)}")
    if report.sampled_rows is not None:
        parts.append(f"λ from {report.sampled_rows} rows")
    if report.lifted:
        parts.append(f"{_percent(100 * report.lifted)} lifted to the ground")
    if report.smooths_noise:
        parts.append("smooths noise")
    if report.inverts_detail:
        parts.append("inverts detail")
    return parts


def _advice(method: str, limits: Any) -> str:
    """Return what to do against clipping, by the limits that were chosen, if any."""
    strengths = [n for n in ("amount", "strength") if n in METHODS[method].parameters]
    steps = [f"lower the {name}" for name in strengths]
    # Limits that were chosen hold for every type.
    steps.append(
        "take float32 as result type" if limits is None else "take wider limits"
    )
    return " or ".join(steps)


def span(limits: Any) -> str:
    """Return limits in words."""
    low, high = (_figures(each, 3).replace("-", "−") for each in limits)
    return f"{low} to {high}"


def joined(parts: list[str]) -> str:
    """Lines break between the parts, and not inside those that are short."""
    return " · ".join(
        part if len(part) > _LONG else part.replace(" ", "\N{NO-BREAK SPACE}")
        for part in parts
    )


def _span(values: Any) -> str:
    low, high = _figures(np.min(values), 3), _figures(np.max(values), 3)
    return low if low == high else f"{low} to {high}"


def _figures(value: float, count: int) -> str:
    """Return a number in so many figures, with an exponent only if it is extreme."""
    value = float(value)
    if value == 0 or _TINY <= abs(value) < _HUGE:
        return figures(value, count)
    return f"{value:.{count}g}"


def _percent(value: float) -> str:
    if value >= 99.5:
        return "100 %"  # two figures of it would be 1e+02
    return f"{value:.2g} %" if value == 0 or value >= 0.01 else "< 0.01 %"
