"""The table of the lab: an image, its result and a reference by all metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_usm import metrics
from napari_usm.lab.profile import line_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_usm.lab.planes import Plane
    from napari_usm.lab.profile import Line


# The row of what a method does to noise, which is known of our results.
_FACTOR = "Noise factor"


class Row(NamedTuple):
    """One metric; None where it says nothing.

    Attributes
    ----------
    name, unit : str
        As they are shown.
    image, result, reference : float or None
        The value of each.
    """

    name: str
    unit: str
    image: float | None
    result: float | None
    reference: float | None


class Own(NamedTuple):
    """Metrics of a plane alone."""

    blur: float | None
    noise: float | None
    clipped: float | None
    acutance: float | None


class Closeness(NamedTuple):
    """Metrics of a plane and its reference."""

    similarity: float | None
    global_similarity: float | None
    merit: float | None
    peak_ratio: float | None


class Change(NamedTuple):
    """Change of the image, measured on its pixels."""

    overshoot: float | None
    undershoot: float | None
    noise_factor: float | None


@dataclass(frozen=True)
class Measures:
    """All that is in the table.

    Attributes
    ----------
    image, result, reference : Own, optional
        What each says by itself.
    image_to_reference, result_to_reference : Closeness, optional
        If there is a reference.
    change : Change, optional
        If there is a result.
    noise_factor : float, optional
        By which its method makes white noise grow, as the method's report has it, in
        place of what the pixels show; NaN as long as it is being found.
    """

    image: Own
    result: Own | None = None
    reference: Own | None = None
    image_to_reference: Closeness | None = None
    result_to_reference: Closeness | None = None
    change: Change | None = None
    noise_factor: float | None = None

    @property
    def rows(self) -> list[Row]:
        """Line by line, without those that say nothing at all."""
        near, after = self.image_to_reference, self.result_to_reference
        rows = []
        for name, unit, place in (
            ("SSIM", "", "similarity"),
            ("SSIM, global", "", "global_similarity"),
            ("FOM", "", "merit"),
            ("PSNR", "dB", "peak_ratio"),
        ):
            rows.append(Row(name, unit, _part(near, place), _part(after, place), None))
        for name, unit, place in (
            ("Overshoot", "", "overshoot"),
            ("Undershoot", "", "undershoot"),
            ("Noise growth", "×", "noise_factor"),
        ):
            rows.append(Row(name, unit, None, _part(self.change, place), None))
        factor = self.noise_factor
        known = None if factor is None or np.isnan(factor) else factor
        rows.append(Row(_FACTOR, "×", None, known, None))
        for name, unit, place in (
            ("Acutance", "/px²", "acutance"),
            ("Clipped", "%", "clipped"),
            ("Blur σ", "px", "blur"),
            ("Noise σ", "", "noise"),
        ):
            first, second, third = (
                _part(each, place) for each in (self.image, self.result, self.reference)
            )
            rows.append(Row(name, unit, first, second, third))
        return [
            row
            for row in rows
            if any(value is not None for value in row[2:])
            or (row.name == _FACTOR and factor is not None)
        ]

    @property
    def columns(self) -> dict[str, list[Any]]:
        """As a table."""
        rows = self.rows
        return {
            "metric": [row.name for row in rows],
            **{each: [getattr(row, each) for row in rows] for each in Row._fields[1:]},
        }


def own(plane: Plane, line: Line | None) -> Own:
    """Return the metrics of a plane alone.

    Parameters
    ----------
    plane : Plane
        Of colours the luminance is measured; clipped are pixels of all of them.
    line : Line, optional
        Across the edge whose acutance is measured.
    """
    blur = _known(lambda: float(metrics.estimate_blur(plane.grey)[0]))
    noise = _known(lambda: metrics.estimate_noise(plane.grey))
    share = None
    if plane.pixels.dtype.kind in "iu":
        share = 100 * sum(metrics.clipped(plane.colours))
    sharpness = None
    if line is not None:
        _, values = line_profile(plane.grey, line)
        sharpness = _known(lambda: metrics.acutance(values))
    return Own(blur, noise, share, sharpness)


def closeness(plane: Plane, reference: Plane) -> Closeness:
    """Return the metrics of a plane and a reference of the same shape.

    The data range is that of the reference's type, or for real numbers that of its
    pixels. Where there are invalid pixels, or too few for a window, nothing is said.
    """
    data_range = reference.data_range
    true, test = reference.grey, plane.grey
    if data_range <= 0:
        return Closeness(None, None, None, None)

    def similarity(window: Any) -> float:
        return metrics.structural_similarity(
            true, test, data_range=data_range, window=window
        )

    ratio = _known(
        lambda: metrics.peak_signal_to_noise_ratio(true, test, data_range=data_range)
    )
    return Closeness(
        _known(lambda: similarity("gaussian")),
        _known(lambda: similarity(None)) if true.size > 1 else None,
        _known(lambda: metrics.figure_of_merit(true, test)),
        ratio,
    )


def change(image: Plane, result: Plane, *, measures_noise: bool) -> Change:
    """Return the change of an image, with the noise growth only if it is wanted."""
    before, after = image.grey, result.grey
    beyond = _known(lambda: metrics.overshoot(before, after))
    return Change(
        None if beyond is None else beyond.overshoot,
        None if beyond is None else beyond.undershoot,
        _known(lambda: metrics.noise_factor(before, after)) if measures_noise else None,
    )


def _known(metric: Callable[[], Any]) -> Any:
    """Return a metric, or None where it is not defined for the image."""
    try:
        return metric()
    except ValueError:
        return None


def _part(whole: NamedTuple | None, name: str) -> float | None:
    value = None if whole is None else getattr(whole, name)
    return None if value is None or np.isnan(value) else float(value)
