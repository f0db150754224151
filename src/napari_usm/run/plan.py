"""A method made ready for an image of one shape and type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_usm.estimate.detail_noise import detail_noise
from napari_usm.estimate.windows import side
from napari_usm.filters.attribute import cached_attribute
from napari_usm.filters.colour import filtered_part, scaled_to_value
from napari_usm.filters.combine import add_detail, limited
from napari_usm.filters.dtypes import (
    Array,
    cast,
    is_wide,
    type_limits,
    working_type,
)
from napari_usm.filters.one_pass import Finish, OnePass, stored_type
from napari_usm.filters.opacity import opacity, visible
from napari_usm.filters.overflow import is_flat_and_large, saturated
from napari_usm.filters.threshold import NO_THRESHOLD, significance
from napari_usm.methods import checks

if TYPE_CHECKING:
    from napari_usm.filters.threshold import DetailNoise, Threshold
    from napari_usm.methods.method import Constants, Method

Limits = tuple[float, float]
Slices = tuple[slice, ...]

# Pixels near the end of a type's range, and invalid ones, are no one's mistake.
_QUIET = np.errstate(over="ignore", invalid="ignore")


class Found(NamedTuple):
    """Constants as they are given back."""

    amount: Any
    gain: Any
    curve: Array | None


@dataclass(frozen=True)
class Plan:
    """All that can be known before a pixel is touched.

    Attributes
    ----------
    method : Method
        Parameters, checked.
    shape : tuple of int
        Shape of the image.
    dtype, working, result : dtype
        Types of the image, of the computation and of the result.
    axes : tuple of int
        Filtered axes, in order.
    channel_axis : int or None
        Axis of the channels, counted from 0.
    wants_noise : bool
        Whether the noise of the image is to be found, though the method may do without.
    """

    method: Method
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    working: np.dtype[Any]
    result: np.dtype[Any]
    axes: tuple[int, ...]
    channel_axis: int | None
    wants_noise: bool = False

    @property
    def color(self) -> str:
        """What of the image is filtered: the channels if it has no channel axis."""
        return "channels" if self.channel_axis is None else self.method.color

    @cached_attribute
    def halo(self) -> dict[int, int | None]:
        """Neighbours that a block needs on each side; None: the whole axis.

        One at least: the report compares with the 3-wide local range.
        """
        reach = zip(self.axes, self.method.halo(self.axes), strict=True)
        return {axis: None if n is None else max(1, n) for axis, n in reach}

    @cached_attribute
    def first_halo(self) -> dict[int, int | None]:
        """The same in the first stage: windows that tell the noise are longer."""
        if not self.finds_noise:
            return self.halo
        least = side(len(self.axes)) - 1
        return {a: None if n is None else max(n, least) for a, n in self.halo.items()}

    @property
    def finds_noise(self) -> bool:
        """Whether blur and noise are found in the whole image."""
        return self.wants_noise or self.method.thresholding.in_noise

    @property
    def estimates(self) -> bool:
        """Whether anything is that a sample of the image tells, too."""
        return self.method.estimates or self.finds_noise

    @property
    def needs_first_stage(self) -> bool:
        """Whether the whole image is needed before any block can be done."""
        return self.estimates or self.method.limits == "data"

    @cached_attribute
    def grid(self) -> dict[int, int]:
        """What the first pixel of a block with its neighbours is a multiple of."""
        return dict(zip(self.axes, self.method.grid(self.axes), strict=True))

    @cached_attribute
    def unfinished(self) -> Plan:
        """The plan whose edge map is the detail, whatever will be done with it."""
        return make_plan(self.shape, self.dtype, self.method.unfinished())

    @property
    def kept(self) -> tuple[int, ...]:
        """Axes along which a method that estimates finds a number for each index."""
        items = self.method.per_item
        channels = self.color == "channels" and self.method.per_channel
        return tuple(
            axis
            for axis in range(len(self.shape))
            if axis not in self.axes
            and (channels if axis == self.channel_axis else items)
        )

    def kept_slices(self, per_axis: Slices) -> Slices:
        """Slices of constants for a block: one index along axes that are not kept."""
        return tuple(
            per_axis[axis]
            if axis in self.kept and axis != self.channel_axis
            else slice(None)
            for axis in range(len(self.shape))
        )

    def whole_channels(self, per_axis: Slices) -> Slices:
        """Slices of a signal for a block: channels are never cut.

        A signal has no alpha channel, or is the only one made of all colours.
        """
        return tuple(
            slice(None) if axis == self.channel_axis else span
            for axis, span in enumerate(per_axis)
        )

    @property
    def constants_shape(self) -> tuple[int, ...]:
        """Shape of what is found: length 1 along every axis that is not kept."""
        colours = [
            n - (self.method.alpha and axis == self.channel_axis)
            for axis, n in enumerate(self.shape)
        ]
        return tuple(n if axis in self.kept else 1 for axis, n in enumerate(colours))

    @property
    def kept_shape(self) -> tuple[int, ...]:
        """The same without the axes that are not kept."""
        return tuple(self.constants_shape[axis] for axis in self.kept)

    @property
    def limits(self) -> Limits:
        """Where the result saturates, unless its limits are those of the data."""
        if self.method.limits is None or isinstance(self.method.limits, str):
            return self.within_type(-np.inf, np.inf)
        return self.within_type(*self.method.limits)

    def within_type(self, low: float, high: float) -> Limits:
        """Limits, no wider than the range of the result's type.

        HSV's value, if that is what is limited, is at least 0.
        """
        least, largest = type_limits(self.result)
        if self.color == "value":
            least = max(least, 0.0)
        # Limits that lie wholly beyond the range are its end.
        low = min(max(float(low), least), largest)
        return low, max(min(float(high), largest), least)

    @property
    def edge_shape(self) -> tuple[int, ...]:
        """Shape of the edge map."""
        return self.edge_slices(self.shape)

    def edge_slices(self, per_axis: tuple[Any, ...]) -> tuple[Any, ...]:
        """Of something given for each axis of the image, what the edge map has."""
        if self.color == "channels" or self.channel_axis is None:
            return per_axis
        return (*per_axis[: self.channel_axis], *per_axis[self.channel_axis + 1 :])

    def split(self, block: Array) -> tuple[Array, Array | None]:
        """The colours of a block in the working type, and its alpha channel."""
        colours, alpha = self._parts(block)
        return colours.astype(self.working, order="C"), alpha

    def _parts(self, block: Array) -> tuple[Array, Array | None]:
        """The same two, as they are stored."""
        if not self.method.alpha:
            return block, None
        axis = self.channel_axis
        assert axis is not None
        colours, alpha = np.split(block, [block.shape[axis] - 1], axis)
        return colours, alpha

    def opacity(self, block: Array) -> Array | None:
        """Return weights of pixels by their alpha; None if all are opaque."""
        _, alpha = self._parts(block)
        return None if alpha is None else opacity(alpha)

    def visible_colours(self, block: Array) -> Array:
        """Return the colours of a block in the working type, NaN where alpha is 0."""
        return visible(self.split(block)[0], self.opacity(block))

    @_QUIET
    def signal(self, colours: Array) -> Array:
        """What is filtered: the channels, or one signal on an axis of length 1."""
        if self.channel_axis is None:
            return colours
        return filtered_part(colours, self.channel_axis, self.color)

    def stored_signal(self, block: Array) -> Array:
        """A block's signal, in the type of the image unless colours are mixed."""
        split = self.split if self.color == "luminance" else self._parts
        return self.signal(split(block)[0])

    @_QUIET
    def edge_map(
        self, block: Array, estimate: Array | None = None, noise: Array | None = None
    ) -> Array:
        """Edge map of a block's signal, which has no alpha; axes as they are.

        `estimate` and `noise` are what was found for the indices of the block, if
        anything.
        """
        signal = self.signal(self.visible_colours(block))
        return self.signal_edge_map(signal, estimate, noise, self.opacity(block))

    @_QUIET
    def signal_edge_map(
        self,
        signal: Array,
        estimate: Array | None,
        noise: Array | None,
        weight: Array | None = None,
    ) -> Array:
        """The same from the signal itself."""
        detail = self.method.detail(signal, self.axes, estimate, weight)
        return self.threshold(noise).of(self._held(detail, signal, estimate), signal)

    def _held(self, detail: Array, signal: Array, estimate: Array | None) -> Array:
        """Return detail within the range of floats, 0 where flat pixels are large."""
        method = self.method
        if not np.isfinite(detail).all():
            detail = saturated(detail, detail.dtype)
        reach = (
            method.reach(self.axes)
            if estimate is None
            else method.reach_of(estimate, self.axes)
        )
        around = {
            axis: signal.shape[axis] if distance is None else distance
            for axis, distance in zip(self.axes, reach, strict=True)
        }
        flat = is_flat_and_large(signal, around, method.mode, float(method.cval))
        return detail if flat is None else np.where(flat, 0, detail)

    @_QUIET
    def thresholded(self, detail: Array, block: Array, noise: Array | None) -> Array:
        """Edge map of a block from its detail, likewise."""
        threshold = self.threshold(noise)
        # Only noise follows the intensity.
        signal = self.signal(self.split(block)[0]) if threshold.in_noise else detail
        return threshold.of(detail, signal)

    @_QUIET
    def significance(self, detail: Array, block: Array, noise: Array) -> Array:
        """Size of the detail of a block in units of its own noise, as it is public."""
        signal = self.signal(self.split(block)[0])
        found = significance(detail, signal, self.detail_noise(noise))
        return self.public_edge_map(found)

    def threshold(self, noise: Array | None) -> Threshold:
        """What is done to weak detail, where this was found for a block."""
        asked = self.method.thresholding
        if not asked.in_noise:
            return asked
        assert noise is not None
        return replace(asked, noise=self.detail_noise(noise))

    @property
    def has_significance(self) -> bool:
        """Whether the noise of the detail follows from that of the image."""
        return self.method.response(self.axes) is not None

    def detail_noise(self, noise: Array) -> DetailNoise:
        """Noise of the detail, where this was found for a block."""
        response = self.method.response(self.axes)
        assert response is not None
        return detail_noise(noise, response)

    @_QUIET
    def public_edge_map(self, edge_map: Array) -> Array:
        """The edge map as float32, with 0 for alpha, or without the channel axis."""
        result = cast(edge_map, np.dtype(np.float32))
        if self.channel_axis is None:
            return result
        if self.color != "channels":
            return result.squeeze(self.channel_axis)
        if self.method.alpha:
            margin = [(0, int(a == self.channel_axis)) for a in range(len(self.shape))]
            result = np.pad(result, margin)
        return result

    @cached_attribute
    def stored(self) -> np.dtype[Any] | None:
        """Type in which kernels read and write the pixels themselves, if they can."""
        if self.color != "channels" or self.method.alpha:
            return None
        return stored_type(self.dtype, self.result)

    def one_pass(self, estimate: Array | None = None) -> OnePass | None:
        """The filter that goes to the result in one pass, if there is one here.

        `estimate` is what was found for the indices of a block, if anything.
        """
        if self.stored is None:
            return None
        found = self.method.one_pass(self.axes, estimate)
        if found is None:
            return None
        cval = float(self.method.cval)
        return found if found.fits(self.stored, self.method.mode, cval) else None

    def finish(
        self, amount: float, limits: Limits, threshold: Threshold = NO_THRESHOLD
    ) -> Finish:
        """What turns detail into a result in one pass."""
        mode, cval = self.method.mode, float(self.method.cval)
        return Finish(amount, limits, mode, cval, threshold)

    @_QUIET
    def unlimited(
        self, colours: Array, edge_map: Array, amount: Array | float
    ) -> Array:
        """``base + amount * edge_map``, the base being what `limits` are applied to.

        That is HSV's value with ``color="value"``, else the colours themselves.
        """
        base = self.signal(colours) if self.color == "value" else colours
        return add_detail(base, edge_map, amount)

    @_QUIET
    def combine(
        self, block: Array, edge_map: Array, amount: Array | float, limits: Limits
    ) -> Array:
        """The result of a block from its edge map."""
        low, high = limits
        stored, alpha = self._parts(block)
        colours = stored.astype(self.working, order="C")
        raw = self.unlimited(colours, edge_map, amount)
        if self.color == "value":
            new_value = np.clip(raw, low, high)
            raw = scaled_to_value(colours, self.signal(colours), new_value)
            # The value was limited; colours darker than `low` keep their hue.
            low, high = type_limits(self.result)
        result = limited(raw, low, high, self.result)
        passes = np.can_cast(self.dtype, self.result)
        if passes and is_wide(self.dtype):
            # A pixel that the working type does not see change has all its digits.
            same = (raw == colours) & (raw >= low) & (raw <= high)
            result = np.where(same, stored.astype(self.result), result)
        if alpha is None:
            return result
        weight = opacity(alpha)
        if weight is not None:
            kept = stored.astype(self.result) if passes else cast(colours, self.result)
            result = np.where(weight > 0, result, kept)
        assert self.channel_axis is not None
        passed = (
            alpha.astype(self.result)
            if passes
            else cast(alpha.astype(self.working), self.result)
        )
        return np.concatenate([result, passed], self.channel_axis)

    def found(self, constants: Constants) -> Found:
        """Amount, gain and curve with the axes that were kept; numbers if none was."""
        if constants.gain is None:
            return Found(constants.amount, None, None)
        gain, curve = constants.gain, constants.curve
        if curve is None:
            gain = np.full(self.kept_shape, gain)
        else:
            gone = tuple(a for a in range(len(self.shape)) if a not in self.kept)
            gain, curve = np.squeeze(gain, gone), np.squeeze(curve, gone)
        if gain.ndim == 0:
            return Found(1 / float(gain), float(gain), curve)
        return Found(1 / gain, gain, curve)


def make_plan(shape: tuple[int, ...], dtype: np.dtype[Any], method: Method) -> Plan:
    """Check everything that can be wrong, and settle everything that can be known.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    """
    source = checks.real_type("image", np.dtype(dtype))
    if 0 in shape:
        raise ValueError(f"`image` must not be empty; got shape {shape}")
    channel_axis = method.channel_axis
    if channel_axis is not None:
        channel_axis = checks.axis("channel_axis", channel_axis, len(shape))
    axes = checks.filtered_axes(method.axes, len(shape), channel_axis)
    method.check(axes)
    method = method.for_type(source)
    _check_channels(method, shape, channel_axis)
    result = source if method.dtype is None else _result_type(method.dtype)
    return Plan(method, shape, source, working_type(source), result, axes, channel_axis)


def _check_channels(
    method: Method, shape: tuple[int, ...], channel_axis: int | None
) -> None:
    if channel_axis is None:
        if method.alpha:
            raise ValueError("`alpha` must be False without a `channel_axis`; got True")
        return
    channels = shape[channel_axis] - method.alpha
    if channels < 1:
        raise ValueError(
            "`alpha` must be False for an image with a single channel; got True"
        )
    if method.color != "channels" and channels != 3:
        raise ValueError(
            f'`color` "{method.color}" must have exactly 3 colour channels; got '
            f'{channels} on axis {channel_axis}: use color="channels"'
        )


def _result_type(dtype: Any) -> np.dtype[Any]:
    try:
        given = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"`dtype` must be bool, integer or real; got {dtype!r}"
        ) from None
    return checks.real_type("dtype", given)
