"""Laplacian sharpening: the detail is the negative second derivative."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._estimate.detail_noise import Response
from napari_usm._estimate.noise import white_noise
from napari_usm._filters.laplacian import LaplacianPass, negative_laplacian
from napari_usm._filters.median import median
from napari_usm._methods.amount import ThresholdMethod, amount_parameter, soft_threshold
from napari_usm._methods.base import border
from napari_usm._methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class LaplacianSharpen(ThresholdMethod):
    """Parameters and steps of `napari_usm.laplacian_sharpen`."""

    amount: float = amount_parameter(0.7, -0.125, 5.0)
    _: KW_ONLY
    median_size: int = parameter(
        1,
        "Median size",
        tip="Reduce noise first by a median filter of this width. 1 turns it off.",
        unit="px",
        choices=(1, 3, 5, 7, 9, 11, 13, 15),
        control="basic",
    )
    spacing: Sequence[float] | float | None = parameter(None, "Spacing", control="none")
    threshold: float | str = soft_threshold()[0]
    hard: bool = soft_threshold()[1]
    mode: str = border("mirror")

    @property
    @override
    def in_words(self) -> str:
        calm = "median-filtered " if self.median_size > 1 else ""
        return f"edge map = −Laplacian of the {calm}image, in the spacing of the pixels"

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        if arguments.integer("median_size", self.median_size, minimum=1) % 2 == 0:
            raise ValueError(f"`median_size` must be odd; got {self.median_size!r}")
        if self.spacing is not None and 0 in arguments.per_axis(
            "spacing", self.spacing, len(axes), minimum=0
        ):
            raise ValueError(f"`spacing` must be above 0; got {self.spacing!r}")

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """One pixel, and half the window of the median."""
        return (1 + self.median_size // 2,) * len(axes)

    @override
    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        """``-Laplacian`` of the median-filtered image."""
        calm = median(block, self.median_size, axes)
        return negative_laplacian(calm, self._weights(axes), self.mode, self.cval)

    @override
    def one_pass(
        self, axes: Sequence[int], estimate: Array | None = None
    ) -> LaplacianPass:
        """Median, Laplacian and the rest in one go."""
        return _one_pass(tuple(self._weights(axes).items()), self.median_size)

    @override
    def response(self, axes: Sequence[int]) -> Response:
        """From the kernel, or measured behind a median; the neighbours' mean."""
        weights = tuple(self._weights(axes).values())
        return Response(_gain(weights, self.median_size), 0.5 / sum(weights))

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Return the amount that removes the finest checkerboard."""
        return -0.25 / sum(self._weights(axes).values())

    @override
    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """From the kernel, where there is no threshold and no median."""
        if self.thresholding or self.median_size > 1:
            return None
        weights = np.array(list(self._weights(axes).values()))
        with np.errstate(over="ignore"):
            amount = np.asarray(amount, np.float64)
            centre = 1 + 2 * amount * weights.sum()
            return np.sqrt(centre**2 + 2 * amount**2 * np.sum(weights**2))

    def _weights(self, axes: Sequence[int]) -> dict[int, float]:
        if self.spacing is None:
            return dict.fromkeys(axes, 1.0)
        spacing = arguments.per_axis("spacing", self.spacing, len(axes))
        return {
            axis: (min(spacing) / step) ** 2
            for axis, step in zip(axes, spacing, strict=True)
        }


@lru_cache(64)
def _one_pass(
    weights: tuple[tuple[int, float], ...], median_size: int
) -> LaplacianPass:
    # The same object for the same filter, as for masks.
    return LaplacianPass(dict(weights), median_size)


@lru_cache(64)
def _gain(weights: tuple[float, ...], median_size: int) -> float:
    """Variance of the Laplacian of white noise of variance 1, behind a median."""
    if median_size == 1:
        return 4 * sum(weights) ** 2 + 2 * sum(w**2 for w in weights)
    axes = range(len(weights))
    # At the border a median is of fewer pixels; what is measured is a window wide.
    reach = 1 + median_size // 2
    # The type that the kernels are compiled for.
    noise = white_noise(len(weights), 4 * reach).astype(np.float32)
    calm = median(noise, median_size, axes)
    along = dict(zip(axes, weights, strict=True))
    detail = negative_laplacian(calm, along, "mirror", 0.0)
    return float(np.var(detail[(slice(reach, -reach),) * len(weights)], dtype=float))
