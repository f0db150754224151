"""Report on what a method did to an image, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.block import edge_map_of_signal
from napari_usm._engine.tally import Tally
from napari_usm._estimate.blur_and_noise import blur_and_noise_of
from napari_usm._estimate.noise import noise_level, white_noise
from napari_usm._methods.base import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.plan import FittedPlan, Plan
    from napari_usm._filters.dtypes import Array
    from napari_usm._methods.base import Constants

# Pixels that are enough for the share of those that are lifted.
_LIFTED = 2**16

# Stands for no noise at all: every threshold is above it, and in float32 neither it
# nor its square is 0.
_FAINTEST = 1e-18


@dataclass(frozen=True)
class Report:
    """Statistics of a sharpened image.

    Attributes
    ----------
    method : str
        Its name.
    amount : float or array
        Strength that was applied.
    gain : float or array, optional
        1 / amount, for a method that finds it.
    gains, curve : array, optional
        The gains tried, and for each (last axis) the measure that chose among them.
    clipped_low, clipped_high : array
        Fraction of the pixels that the limits of the result cut off, of each
        channel; of HSV's value alone if that is what was sharpened.
    overshoot, undershoot : float
        How far the result goes above (below) the values of the 3-wide neighbourhood
        of a pixel in the image: the largest, in intensity units.
    mean_overshoot, mean_undershoot : float
        The same, as the mean over all pixels.
    noise_factor : float or array
        Factor by which white noise grows: the root of the sum of squares of the whole
        kernel, or measured on seeded noise as strong as the image's own, for a
        method without a kernel.
    mean_change : float
        Mean of the result less that of the image.
    inverts_detail : bool
        Whether the amount is so negative that the finest detail is inverted.
    blur : array, optional
        Standard deviation of the image's own blur along each filtered axis, in pixels
        (last axis), for a method that estimates it.
    noise : array, optional
        Standard deviation of the image's noise at its mean intensity, likewise.
    smooths_noise : bool
        Whether the method smooths where there is nothing but noise.
    sampled_rows : int, optional
        Number of rows that a gain was estimated from, if it was not all of them.
    ground : array, optional
        How far the image is a specimen, for `auto_unsharp_mask`: 1 on dark ground, -1
        on bright ground, 0 for a photograph.
    lens : array, optional
        How far its blur is that of a lens, from 0 (a Gaussian) to 1, likewise.
    lifted : float, optional
        Share of the pixels in the middle of the image that would have been darker
        than the dark ground around them, and were lifted to it; or brighter than the
        bright ground.
    is_beyond_reach : bool
        Whether the image is blurred as widely as the method can undo, or more. Haze of
        a thick specimen is: deconvolve it with the point spread function.
    """

    method: str
    amount: Any
    gain: Any
    gains: Array | None
    curve: Array | None
    clipped_low: NDArray[np.float64]
    clipped_high: NDArray[np.float64]
    overshoot: float
    undershoot: float
    mean_overshoot: float
    mean_undershoot: float
    noise_factor: Any
    mean_change: float
    inverts_detail: bool
    blur: Array | None = None
    noise: Array | None = None
    smooths_noise: bool = False
    sampled_rows: int | None = None
    ground: Array | None = None
    lens: Array | None = None
    lifted: float | None = None
    is_beyond_reach: bool = False


def finish(fitted: FittedPlan, tallies: Iterable[Tally], sample: Array) -> Report:
    """Return the report from the tallies of all blocks and a `sample` of the image."""
    plan, constants = fitted.plan, fitted.constants
    total = reduce(Tally.__add__, tallies)
    amount, gain, curve = fitted.public
    pixels = max(total.pixels, 1)
    said = _said(plan, constants)
    return Report(
        method=plan.method.name,
        amount=amount,
        gain=gain,
        gains=constants.gains,
        curve=curve,
        clipped_low=total.below / total.limited,
        clipped_high=total.above / total.limited,
        overshoot=total.over,
        undershoot=total.under,
        mean_overshoot=total.over_sum / pixels,
        mean_undershoot=total.under_sum / pixels,
        noise_factor=_noise_factor(plan, amount, constants, sample),
        mean_change=total.change_sum / pixels,
        inverts_detail=bool(np.any(amount < plan.method.least_amount(plan.axes))),
        sampled_rows=_sampled_rows(fitted),
        lifted=_lifted(plan, constants, sample),
        **said,
    )


def _sampled_rows(fitted: FittedPlan) -> int | None:
    """Return the number of rows that the gain was estimated from, None for all."""
    plan = fitted.plan
    used = plan if fitted.sample is None else replace(plan, shape=fitted.sample)
    rows = used.row_sample if plan.method.estimates else None
    return None if rows is None else rows.count


def _said(plan: Plan, constants: Constants) -> dict[str, Any]:
    """Return the fields of the report that come from an estimate."""
    findings = _findings(plan, constants)
    if findings is None:
        return {}
    gone = tuple(
        axis for axis in range(len(plan.shape)) if axis not in plan.estimate_axes
    )
    arrays = {
        name: None if values is None else np.squeeze(values, gone)
        for name, values in (
            ("blur", findings.blur),
            ("noise", findings.noise),
            ("ground", findings.ground),
            ("lens", findings.lens),
        )
    }
    return {
        **arrays,
        "smooths_noise": findings.smooths,
        "is_beyond_reach": findings.is_beyond_reach,
    }


@np.errstate(over="ignore", invalid="ignore")
def _lifted(plan: Plan, constants: Constants, sample: Array) -> float | None:
    """Return the share of a sample that is lifted to the ground."""
    typical = _typical(plan, constants)
    if typical.estimate is None:
        return None
    signal = plan.colours.visible_signal(sample)
    middle = [slice(None)] * signal.ndim
    for axis in plan.axes:
        spare = max(0, signal.shape[axis] - int(_LIFTED ** (1 / len(plan.axes)))) // 2
        middle[axis] = slice(spare, signal.shape[axis] - spare)
    return plan.method.lifted(signal[tuple(middle)], plan.axes, typical.estimate)


def _findings(plan: Plan, constants: Constants) -> Findings | None:
    """Return blur and noise, if they were estimated."""
    if constants.estimate is not None:
        return plan.method.findings(constants.estimate)
    if constants.noise is not None:
        return Findings(*blur_and_noise_of(constants.noise), smooths=False)
    return None


@np.errstate(over="ignore", invalid="ignore")
def _noise_factor(plan: Plan, amount: Any, constants: Constants, sample: Array) -> Any:
    known = plan.method.noise_factor(plan.axes, amount)
    if known is not None:
        return known if np.ndim(known) else float(known)
    signal = plan.colours.visible_signal(sample)
    typical = _typical(plan, constants)
    findings, valid = _findings(plan, typical), np.isfinite(signal)
    level = 0.0 if findings is None else float(findings.noise.item())
    if findings is None and typical.estimate is not None:
        level = noise_level(signal, plan.axes)
    if level == 0 or not valid.any():
        if typical.estimate is not None:
            return 1.0
        level = max(noise_level(signal, plan.axes), _FAINTEST)
        return _measured_noise_factor(plan, amount, level, 0.0, typical)
    # Noise on the intensity that it is known at.
    middle = float(np.mean(signal, where=valid, dtype=np.float64))
    strength = float(np.median(amount))
    return _measured_noise_factor(plan, strength, level, middle, typical)


def _typical(plan: Plan, constants: Constants) -> Constants:
    """Return the constants of a typical item."""
    every = tuple(range(len(plan.shape)))
    estimate, noise = (
        None if each is None else np.median(each, axis=every, keepdims=True)
        for each in (constants.estimate, constants.noise)
    )
    return replace(constants, estimate=estimate, noise=noise)


def _measured_noise_factor(
    plan: Plan, amount: Any, level: float, middle: float, typical: Constants
) -> float:
    noise = middle + level * white_noise(len(plan.axes))
    others = [axis for axis in range(len(plan.shape)) if axis not in plan.axes]
    noise = np.expand_dims(noise, others).astype(plan.working)
    # Noise that goes on for ever: a border is no noise.
    endless = replace(plan, method=replace(plan.method, mode="wrap"))
    edges = edge_map_of_signal(endless, noise, typical.estimate, typical.noise)
    noisy = noise + amount * edges
    # Next to the largest number that there is, some is beyond it.
    valid = np.isfinite(noisy)
    after, before = (
        np.std(each[valid].astype(np.float64) / level) if valid.any() else 0.0
        for each in (noisy, noise)
    )
    # Noise too faint for its intensity is none.
    return float(after / before) if 0 < before < np.inf else 1.0


def sample_slices(plan: Plan) -> Slices:
    """Return the middle of an image, at most a million pixels of each channel."""
    side = int(1e6 ** (1 / len(plan.axes)))
    window = []
    for axis, length in enumerate(plan.shape):
        span = side if axis in plan.axes else 1
        if axis == plan.channel_axis:
            span = length
        start = max(0, (length - span) // 2)
        window.append(slice(start, start + span))
    return tuple(window)
