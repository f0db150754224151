"""Base of the masks: the blur, its parameters, and the noise of its kernel."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._estimate.detail_noise import Response
from napari_usm._filters.attribute import cached_attribute
from napari_usm._filters.blur import blur
from napari_usm._filters.fused.coarse_mask import CoarseMaskPass
from napari_usm._filters.fused.mask import MaskPass
from napari_usm._filters.mask import Mask
from napari_usm._filters.taps import BOX, AxisBlur, gaussian
from napari_usm._methods.base import Method
from napari_usm._methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import OnePass

KERNELS = ("gaussian", "box")

# Standard deviation of the mean of three pixels.
_BOX_SIGMA = math.sqrt(2 / 3)


def sigma_parameter() -> Any:
    """Field for the width of the Gaussian."""
    return parameter(
        1.0,
        "Sigma",
        tip="Set the size of the detail to enhance: the standard deviation of the "
        "blur.",
        unit="px",
        minimum=0.1,
        maximum=20.0,
        logarithmic=True,
        control="basic",
        needs=("kernel", "gaussian"),
        per_axis=True,
    )


def truncate_parameter() -> Any:
    """Field for where a Gaussian kernel is cut."""
    return parameter(
        4.0,
        "Truncate",
        tip="Cut off the Gaussian at this many sigmas. 4 is enough for nearly all "
        "images.",
        unit="sigma",
        minimum=1.0,
        maximum=10.0,
        step=0.5,
        needs=("kernel", "gaussian"),
    )


def kernel_parameter(default: str) -> Any:
    """Field for the shape of the blur."""
    return choice(
        default,
        KERNELS,
        "Kernel",
        tip="Choose the blur: a Gaussian as wide as sigma, or the mean of three pixels "
        "along every axis (box).",
    )


class MaskMethod(Method):
    """A method whose detail is the image less its blur."""

    @abstractmethod
    def make_mask(self, axes: Sequence[int]) -> Mask:
        """The blur."""

    def mask(self, axes: Sequence[int]) -> Mask:
        """Return the blur from a cache: a call needs it several times."""
        axes = tuple(axes)
        if axes not in self._masks:
            self._masks[axes] = self.make_mask(axes)
        return self._masks[axes]

    @cached_attribute
    def _masks(self) -> dict[tuple[int, ...], Mask]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        # Another process makes its masks itself, and shares them among methods.
        return {name: v for name, v in vars(self).items() if name != "_masks"}

    @override
    def one_pass(
        self, axes: Sequence[int], estimate: Array | None = None
    ) -> OnePass | None:
        """The mask, on every pixel or by way of a coarser grid."""
        return _one_pass(self.mask(axes))

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        return tuple(blur.reach for blur in self.mask(axes).blurs.values())

    @override
    def grid(self, axes: Sequence[int]) -> tuple[int, ...]:
        """Pixels between the grid points that the image is blurred at."""
        return tuple(blur.factor for blur in self.mask(axes).blurs.values())

    @override
    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        """``weight * (image - blurred)``."""
        mask = self.mask(axes)
        blurred = blur(block, mask.blurs, self.mode, self.cval, weight)
        detail: Array = np.subtract(
            block, blurred, out=np.zeros_like(block), where=np.isfinite(block)
        )
        return self.weighted(detail, blurred)

    def weighted(self, detail: Array, blurred: Array) -> Array:
        """The detail times its weight, which is 1 unless a method has another."""
        return detail

    @override
    def response(self, axes: Sequence[int]) -> Response | None:
        """Sum of squares of the kernel ``1 - blur``; the mean around is the blur."""
        centre, squares = self.mask(axes).energy
        return Response(max(0.0, 1 - 2 * centre + squares), 1.0)

    @override
    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """Root of the sum of squares of the kernel ``(1 + amount) - amount * blur``."""
        if self.thresholding:
            return None
        centre, squares = self.mask(axes).energy
        with np.errstate(over="ignore", invalid="ignore"):
            amount = np.asarray(amount, np.float64)
            own, both = 1 + amount, amount * (1 + amount)
            return np.sqrt(own**2 - 2 * both * centre + amount**2 * squares)


# The same objects for the same blur: what is bound to an image is cached by them, and
# serves again when a slider changes the amount.
@lru_cache(64)
def mask_of(axes: tuple[int, ...], blurs: tuple[AxisBlur, ...]) -> Mask:
    """Return the mask with these blurs along the axes, the same one every time."""
    return Mask(dict(zip(axes, blurs, strict=True)))


@lru_cache(64)
def _one_pass(mask: Mask) -> OnePass:
    coarse = any(blur.factor > 1 for blur in mask.blurs.values())
    return CoarseMaskPass(mask) if coarse else MaskPass(mask)


class KernelMethod(MaskMethod):
    """A mask whose blur is a Gaussian or a box."""

    kernel: str
    sigma: float | Sequence[float]
    truncate: float

    @property
    @override
    def in_words(self) -> str:
        if self.kernel == "box":
            return "edge map = image − mean of three pixels along each filtered axis"
        return "edge map = image − Gaussian-blurred image"

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.choice("kernel", self.kernel, KERNELS)
        arguments.per_axis("sigma", self.sigma, len(axes), minimum=0)
        arguments.real("truncate", self.truncate, minimum=0)

    @override
    def make_mask(self, axes: Sequence[int]) -> Mask:
        if self.kernel == "box":
            return mask_of(tuple(axes), (BOX,) * len(axes))
        sigmas = arguments.per_axis("sigma", self.sigma, len(axes))
        blurs = tuple(gaussian(sigma, self.truncate) for sigma in sigmas)
        return mask_of(tuple(axes), blurs)

    @override
    def at_level(self, factors: Sequence[float]) -> Method:
        if all(factor == 1 for factor in factors):
            return self
        sigmas = (
            [_BOX_SIGMA] * len(factors)
            if self.kernel == "box"
            else arguments.per_axis("sigma", self.sigma, len(factors))
        )
        smaller = tuple(s / f for s, f in zip(sigmas, factors, strict=True))
        parameters: dict[str, Any] = {"kernel": "gaussian", "sigma": smaller}
        return replace(self, **parameters)

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Return -1 for the Gaussian, -3/4 for the box: its transform has negatives."""
        return -0.75 if self.kernel == "box" else -1.0
