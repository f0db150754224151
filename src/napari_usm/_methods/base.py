"""Base of all methods: the parameters of every function, and two stages.

A method is a frozen set of parameters. It runs in two stages: `constants` from a
whole image (most methods need none), then `detail` on any block that has at
least `halo` neighbours on each side, or the image's border. So a block never
changes a pixel, and arrays that are lazy, in pyramids or spread over a cluster
come out exact.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm import arguments
from napari_usm._filters.threshold import NO_THRESHOLD, Threshold
from napari_usm._methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from napari_usm._estimate.detail_noise import Response
    from napari_usm._estimate.row_sample import RowSample
    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import OnePass

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
COLORS = ("channels", "luminance", "value")


def border(default: str) -> Any:
    """Field for the border mode."""
    return choice(
        default,
        MODES,
        "Border",
        tip="Choose how the image goes on beyond its border: reflected (mirror does "
        "not repeat the last pixel), with its nearest pixel, from its other side "
        "(wrap), or with one intensity (constant).",
    )


def colour(default: str) -> Any:
    """Field for what of a colour image is filtered."""
    return choice(
        default,
        COLORS,
        "Colour",
        tip="Choose what of the colours is sharpened: red, green and blue separately "
        "(channels), their luminance, or only their value (HSV).",
        control="basic",
    )


@dataclass(frozen=True)
class Constants:
    """Estimates from the whole image.

    Attributes
    ----------
    amount : float or array
        Strength. An array has the image's dimensions, with length 1 along every
        axis over which there is only one.
    gain : array, optional
        The paper's 1 / amount, of the same shape, where the method finds one.
    gains, curve : array, optional
        The gains tried, and for each (last axis) the measure that chose among them.
    estimate : array, optional
        What the detail itself depends on, where it does: shape of `amount` as an
        array, then one axis of numbers that the method knows the meaning of.
    noise : array, optional
        Blur and noise of the image, where the plan asks for them: as `estimate`, the
        numbers being those of an `Estimate`.
    """

    amount: float | Array
    gain: Array | None = None
    gains: Array | None = None
    curve: Array | None = None
    estimate: Array | None = None
    noise: Array | None = None


@dataclass(frozen=True)
class Join:
    """Reduction of the statistics of blocks, in any order.

    Attributes
    ----------
    operation : ufunc
        Of two arrays; commutative and associative.
    start : float
        What it leaves everything else as it is with.
    """

    operation: np.ufunc
    start: float


TOTAL = Join(np.add, 0.0)
LEAST = Join(np.minimum, np.inf)


@dataclass(frozen=True)
class Findings:
    """Blur and noise of an image, by the estimate of a method.

    Attributes
    ----------
    blur : array
        Standard deviation of the image's blur along each filtered axis (last axis).
    noise : array
        Standard deviation of its noise, at its mean intensity.
    smooths : bool
        Whether the method smooths where there is nothing but noise.
    ground : array, optional
        How far the image is a specimen: 1 on dark ground, -1 on bright ground.
    lens : array, optional
        How far its blur is that of a lens, from 0 to 1.
    is_beyond_reach : bool
        Whether the blur is as wide as any that is undone, or wider.
    """

    blur: Array
    noise: Array
    smooths: bool
    ground: Array | None = None
    lens: Array | None = None
    is_beyond_reach: bool = False


@dataclass(frozen=True)
class Method(ABC):
    """Base of all methods: the parameters that every function takes."""

    _: KW_ONLY
    axes: Sequence[int] | None = parameter(None, "Axes", control="none")
    channel_axis: int | None = parameter(None, "Channel axis", control="none")
    color: str = colour("channels")
    alpha: bool = parameter(False, "Alpha", control="none")
    mode: str = border("reflect")
    cval: float = parameter(
        0.0,
        "Border value",
        tip="Set the intensity of all pixels outside the image.",
        unit="intensity",
        minimum=-1e9,
        maximum=1e9,
        step=1.0,
        needs=("mode", "constant"),
    )
    limits: str | tuple[float, float] | None = parameter(
        None,
        "Limits",
        tip="Clip the result to the range of its type (floats are not clipped), to the "
        "range of the image, or to two intensities.",
        presets=(
            ("range of the type", None),
            ("range of the image", "data"),
            ("0 to 1", (0, 1)),
            ("0 to 4095 (12 bit)", (0, 4095)),
            ("0 to 16383 (14 bit)", (0, 16383)),
        ),
        finishing=True,
    )
    dtype: DTypeLike | None = parameter(
        None,
        "Result type",
        tip="Choose the data type of the result. Integers are rounded and clipped to "
        "their range; float32 keeps all values.",
        presets=(
            ("as the image", None),
            ("float32", "float32"),
            ("uint8", "uint8"),
            ("uint16", "uint16"),
        ),
        finishing=True,
    )

    def __post_init__(self) -> None:
        """Convert NumPy scalars and arrays to plain Python values."""
        # Its type would count too: a threshold of float64 makes float32 detail wider,
        # and a radius of uint8 has no negative. Nor is the text of a long array whole.
        for field in fields(self):
            value = getattr(self, field.name)
            object.__setattr__(self, field.name, arguments.plain(value))

    @property
    def name(self) -> str:
        """Return the name of the function of the method."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def in_words(self) -> str:
        """Return the edge map, and the amount unless it is given, in words.

        They complete "sharpened = image + amount · edge map" in a Methods section.
        """
        return f"edge map = the detail of {self.name}"

    @property
    def estimates(self) -> bool:
        """Return whether `constants` needs sums over the image."""
        return False

    @property
    def rounds(self) -> tuple[Join, ...]:
        """Return the reduction of the `sums` of the blocks, for each round."""
        return (TOTAL,) if self.estimates else ()

    @property
    def fits_detail(self) -> bool:
        """Return whether `detail` needs what was estimated."""
        return False

    @property
    def finds_amount(self) -> bool:
        """Return whether the amount is estimated from the image."""
        return self.estimates and not self.fits_detail

    @property
    def per_item(self) -> bool:
        """Return whether each index of the axes that are not filtered has constants."""
        return False

    @property
    def per_channel(self) -> bool:
        """Return whether channels that are filtered alone have constants each."""
        return True

    @property
    def thresholding(self) -> Threshold:
        """Return the threshold, which is not part of `detail`."""
        return NO_THRESHOLD

    def for_type(self, dtype: np.dtype[Any]) -> Method:
        """The method with all that follows from the type of the image."""
        return self

    def unfinished(self) -> Method:
        """The method that leaves detail as it is, whatever will be done with it."""
        defaults: dict[str, Any] = {
            each.name: each.default
            for each in fields(self)
            if each.metadata["parameter"].finishing
        }
        return replace(self, **defaults)

    def at_level(self, factors: Sequence[float]) -> Method | None:
        """The method that does the same to an image of fewer pixels, if there is one.

        Parameters
        ----------
        factors : sequence of float
            For each filtered axis, by how much its pixels are larger.
        """
        return None

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule, for an image filtered along `axes`."""
        arguments.choice("color", self.color, COLORS)
        arguments.flag("alpha", self.alpha)
        arguments.choice("mode", self.mode, MODES)
        arguments.real("cval", self.cval)
        arguments.limits(self.limits)

    def halo(self, axes: Sequence[int]) -> tuple[int | None, ...]:
        """Neighbours that a pixel's detail needs along each filtered axis.

        None: the whole axis. A wrapped border is at home on the far side.
        """
        if self.mode == "wrap":
            return (None,) * len(axes)
        return self.reach(axes)

    @abstractmethod
    def reach(self, axes: Sequence[int]) -> tuple[int | None, ...]:
        """Return how far the method's filters reach along each filtered axis."""

    def reach_of(self, estimate: Array, axes: Sequence[int]) -> tuple[int | None, ...]:
        """Return the reach of the filters, given the estimate."""
        return self.reach(axes)

    def grid(self, axes: Sequence[int]) -> tuple[int, ...]:
        """Along each filtered axis, what the first pixel of a block is a multiple of.

        It is 1 unless a filter works on a coarser grid, which begins at pixel 0 of
        the image.
        """
        return (1,) * len(axes)

    @abstractmethod
    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        """The detail times its weight, 0 at invalid pixels; type of `block`.

        The edge map is what the threshold leaves of it.

        Parameters
        ----------
        block : array
            Block with neighbours.
        axes : sequence of int
            Filtered axes.
        estimate : array, optional
            That of `Constants`, for the indices of the block, if `fits_detail`.
        weight : array, optional
            Weight of each pixel in blurs, as for `filters.blur.blur`.
        """

    def sums(
        self,
        block: Array,
        axes: Sequence[int],
        kept: Sequence[int],
        core: tuple[slice, ...],
        begins: Sequence[int],
        lengths: Sequence[int],
        *earlier: Array,
        weight: Array | None = None,
    ) -> Array | None:
        """Return the statistics of a block in one of the `rounds`.

        Parameters
        ----------
        block : array
            Block with neighbours, in the type of the image where it can be.
        axes, kept : sequence of int
            Filtered axes, and those along which each index has an estimate.
        core : tuple of slice
            The part of the block that is charged to it.
        begins : sequence of int
            Where that part begins in the whole image.
        lengths : sequence of int
            Shape of the whole image.
        *earlier : array
            Totals of the earlier rounds, for the indices of the block.
        weight : array, optional
            As for `detail`; pixels of weight 0 are invalid.

        Returns
        -------
        array or None
            Length 1 along every axis that is not kept; any further axes follow. None
            if it adds nothing.
        """
        raise TypeError(f"{type(self).__name__} estimates nothing")

    def needs_block(
        self,
        axes: Sequence[int],
        kept: Sequence[int],
        core: tuple[slice, ...],
        lengths: Sequence[int],
        *earlier: Array,
    ) -> bool:
        """Return whether a block has statistics in a round after the first.

        `core` is its place in the image; the others are those of `sums`. A block that
        has none is not read again.
        """
        return True

    def row_sample(
        self, axes: Sequence[int], kept: Sequence[int], lengths: Sequence[int]
    ) -> RowSample | None:
        """Return the rows that `sums` are taken from, or None for all of them.

        The arguments are those of `sums`; a length is 1 for channels of which one
        signal is made.
        """
        return None

    @abstractmethod
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        """Return the constants, from the totals of the last and the earlier rounds."""

    def one_pass(
        self, axes: Sequence[int], estimate: Array | None = None
    ) -> OnePass | None:
        """The method as a filter that goes to the result in one pass, if it is one.

        `estimate` is that of `Constants`, for the indices of a block, if `fits_detail`.
        """
        return None

    def response(self, axes: Sequence[int]) -> Response | None:
        """Return the response of the detail to noise, if it is known."""
        return None

    def findings(self, estimate: Array) -> Findings | None:
        """Return blur and noise of the image by the estimate, if it has them."""
        return None

    def lifted(
        self, block: Array, axes: Sequence[int], estimate: Array
    ) -> float | None:
        """Return the share of the pixels that are lifted to the ground, if any may be.

        The arguments are those of `detail`.
        """
        return None

    @abstractmethod
    def least_amount(self, axes: Sequence[int]) -> float:
        """Amount below which some frequencies are inverted instead of weakened."""

    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """Return the factor by which white noise grows; None if it is not linear."""
        return None
