"""A method made ready for an image of one shape and type."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_usm import arguments
from napari_usm._engine.blocks import Block, Halo, cut
from napari_usm._engine.colours import Colours
from napari_usm._estimate.detail_noise import detail_noise
from napari_usm._estimate.windows import side
from napari_usm._filters.attribute import cached_attribute
from napari_usm._filters.dtypes import Array, type_limits, working_type
from napari_usm._filters.fused.base import Finish, OnePass, stored_type
from napari_usm._filters.threshold import NO_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_usm._estimate.row_sample import RowSample
    from napari_usm._filters.threshold import DetailNoise, Threshold
    from napari_usm._methods.base import Constants, Method

Limits = tuple[float, float]
Slices = tuple[slice, ...]

# Blocks that are kept with a plan: cutting more takes no time next to their pixels.
_FEW = 64


class Public(NamedTuple):
    """Constants as users get them."""

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
        Whether the noise of the image is estimated, though the method may do without.
    """

    method: Method
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    working: np.dtype[Any]
    result: np.dtype[Any]
    axes: tuple[int, ...]
    channel_axis: int | None
    wants_noise: bool = False

    @cached_attribute
    def colours(self) -> Colours:
        """Return the part of the colours that is filtered."""
        return Colours(
            self.channel_axis,
            "channels" if self.channel_axis is None else self.method.color,
            self.method.alpha,
            len(self.shape),
            self.dtype,
            self.working,
            self.result,
        )

    @property
    def color(self) -> str:
        """Return "channels", "luminance" or "value"."""
        return self.colours.color

    @property
    def whole_axes(self) -> tuple[int, ...]:
        """Return axes that are never cut: channels may make up one signal."""
        return () if self.channel_axis is None else (self.channel_axis,)

    @cached_attribute
    def halo(self) -> dict[int, int | None]:
        """Neighbours that a block needs on each side; None: the whole axis.

        One at least: the report compares with the 3-wide local range.
        """
        reach = zip(self.axes, self.method.halo(self.axes), strict=True)
        return {axis: None if n is None else max(1, n) for axis, n in reach}

    @cached_attribute
    def estimate_halo(self) -> dict[int, int | None]:
        """Neighbours that a block needs in the first stage: windows for the noise."""
        if not self.finds_noise:
            return self.halo
        least = side(len(self.axes)) - 1
        return {a: None if n is None else max(n, least) for a, n in self.halo.items()}

    @property
    def finds_noise(self) -> bool:
        """Return whether blur and noise are estimated from the whole image."""
        return self.wants_noise or self.method.thresholding.in_noise

    @property
    def estimates(self) -> bool:
        """Return whether there are estimates, which a sample of the image gives too."""
        return self.method.estimates or self.finds_noise

    @cached_attribute
    def needs_estimate(self) -> bool:
        """Return whether the whole image is needed before any block can be done."""
        return self.estimates or self.method.limits == "data"

    @cached_attribute
    def pixels(self) -> int:
        """Number of pixels, channels included."""
        return math.prod(self.shape)

    def blocks(self, size: int) -> list[Block]:
        """Return blocks of about `size` pixels, from a cache if they are few."""
        blocks = self._blocks.get(size)
        if blocks is None:
            blocks = self._cut(self.halo, size)
            if len(blocks) <= _FEW:
                self._blocks[size] = blocks
        return blocks

    def estimate_blocks(self, size: int) -> list[Block]:
        """Return blocks of about `size` pixels for the first stage."""
        return self._cut(self.estimate_halo, size)

    def _cut(self, halo: Halo, size: int) -> list[Block]:
        return cut(self.shape, halo, self.grid, self.whole_axes, size)

    @cached_attribute
    def _blocks(self) -> dict[int, list[Block]]:
        return {}

    @cached_attribute
    def known(self) -> FittedPlan:
        """The plan with all that is known without the image."""
        constants = self.method.constants(None, self.axes)
        return FittedPlan(self, constants, self.limits)

    @cached_attribute
    def border(self) -> tuple[str, float, str]:
        """Mode and value of the border; a text tells 0.0 from -0.0 in keys."""
        cval = float(self.method.cval)
        return self.method.mode, cval, str(cval)

    @cached_attribute
    def grid(self) -> dict[int, int]:
        """Multiples at which a block with its neighbours begins."""
        return dict(zip(self.axes, self.method.grid(self.axes), strict=True))

    @cached_attribute
    def unfinished(self) -> Plan:
        """The plan whose edge map is the detail, whatever will be done with it."""
        # What is left of the parameters has been checked.
        method = self.method.unfinished()
        return replace(self, method=method, result=self.dtype, wants_noise=False)

    @property
    def estimate_axes(self) -> tuple[int, ...]:
        """Return the axes along which each index has an estimate, if there are any."""
        items = self.method.per_item
        channels = self.color == "channels" and self.method.per_channel
        return tuple(
            axis
            for axis in range(len(self.shape))
            if axis not in self.axes
            and (channels if axis == self.channel_axis else items)
        )

    def estimate_slices(self, per_axis: Slices) -> Slices:
        """Return the slices of the constants for a block."""
        return tuple(
            per_axis[axis]
            if axis in self.estimate_axes and axis != self.channel_axis
            else slice(None)
            for axis in range(len(self.shape))
        )

    @cached_attribute
    def row_sample(self) -> RowSample | None:
        """Rows that the sums of the method are taken from, or None for all of them."""
        lengths = self.colours.signal_shape(self.shape)
        return self.method.row_sample(self.axes, self.estimate_axes, lengths)

    @property
    def constants_shape(self) -> tuple[int, ...]:
        """Return the shape of the constants: 1 along all but the estimate axes."""
        colours = [
            n - (self.method.alpha and axis == self.channel_axis)
            for axis, n in enumerate(self.shape)
        ]
        return tuple(
            n if axis in self.estimate_axes else 1 for axis, n in enumerate(colours)
        )

    @property
    def estimate_shape(self) -> tuple[int, ...]:
        """Return the shape of the constants along the estimate axes."""
        return tuple(self.constants_shape[axis] for axis in self.estimate_axes)

    @property
    def limits(self) -> Limits:
        """Return the limits of the result, unless they are those of the data."""
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
        """Return the shape of the edge map."""
        return self.colours.edge_slices(self.shape)

    @property
    def has_significance(self) -> bool:
        """Return whether the noise of the detail follows from that of the image."""
        return self.method.response(self.axes) is not None

    def threshold(self, noise: Array | None) -> Threshold:
        """Return the threshold of a block, given the noise of its indices."""
        threshold = self.method.thresholding
        if not threshold.in_noise:
            return threshold
        assert noise is not None
        return replace(threshold, noise=self.detail_noise(noise))

    def detail_noise(self, noise: Array) -> DetailNoise:
        """Return the noise of the detail, given that of the image."""
        response = self.method.response(self.axes)
        assert response is not None
        return detail_noise(noise, response)

    @cached_attribute
    def stored(self) -> np.dtype[Any] | None:
        """Type in which kernels read and write the pixels themselves, if they can."""
        if self.color != "channels" or self.method.alpha:
            return None
        return stored_type(self.dtype, self.result)

    def one_pass(self, estimate: Array | None = None) -> OnePass | None:
        """Return the filter that goes to the result in one pass, if there is one here.

        `estimate` is that for the indices of a block, if there is one.
        """
        if self.stored is None:
            return None
        fused = self.method.one_pass(self.axes, estimate)
        if fused is None:
            return None
        mode, cval, _ = self.border
        return fused if fused.fits(self.stored, mode, cval) else None

    def finish(
        self, amount: float, limits: Limits, threshold: Threshold = NO_THRESHOLD
    ) -> Finish:
        """Return the parameters of the last steps in one pass."""
        return Finish(amount, limits, threshold)

    def __getstate__(self) -> dict[str, Any]:
        return _fields(self)


@dataclass(frozen=True)
class FittedPlan:
    """A plan with all that has to be known of the whole image.

    Attributes
    ----------
    plan : Plan
        The method, made ready for the image.
    constants : Constants
        Amount and estimates.
    limits : tuple of float
        Where the result saturates.
    sample : tuple of int, optional
        Shape of the part that was used for the estimates, if it was not all.
    """

    plan: Plan
    constants: Constants
    limits: Limits
    sample: tuple[int, ...] | None = None

    @cached_attribute
    def unfinished(self) -> FittedPlan:
        """The plan whose edge map is the detail, whatever will be done with it."""
        plan = self.plan.unfinished
        return FittedPlan(plan, replace(self.constants, amount=0.0), plan.limits)

    @cached_attribute
    def threshold(self) -> Threshold:
        """Return the threshold for all of the image."""
        return self.plan.threshold(self.constants.noise)

    @cached_attribute
    def numbers(self) -> Array | None:
        """Numbers of the last steps in one pass; None if they differ within the image.

        They do too where kernels do not take the pixels.
        """
        amount, stored = self.constants.amount, self.plan.stored
        if stored is None or not isinstance(amount, float) or not self.threshold.is_one:
            return None
        finish = self.plan.finish(amount, self.limits, self.threshold)
        return finish.numbers(stored)

    @cached_attribute
    def one_pass(self) -> OnePass | None:
        """The filter that goes to the result in one pass, if there is one."""
        if self.numbers is None:
            return None
        return self.plan.one_pass(self.constants.estimate)

    @cached_attribute
    def behind(self) -> int:
        """The first axis behind those that `one_pass` cuts blocks along."""
        assert self.one_pass is not None
        return self.one_pass.last_axis(len(self.plan.shape)) + 1

    @cached_attribute
    def kernels(self) -> Hashable:
        """A key that plans filtered by the same kernels share: all but numbers."""
        fitted, plan = self.unfinished, self.plan.unfinished
        values = (getattr(plan.method, each.name) for each in fields(plan.method))
        # Whole numbers choose kernels, such as those of medians.
        kinds = [v if isinstance(v, str | int) else type(v) for v in values]
        return type(plan.method), plan.dtype, type(fitted.one_pass), *kinds

    @property
    def public(self) -> Public:
        """Return amount, gain and curve along the estimate axes."""
        constants, plan = self.constants, self.plan
        if constants.gain is None:
            return Public(constants.amount, None, None)
        gain, curve = constants.gain, constants.curve
        if curve is None:
            gain = np.full(plan.estimate_shape, gain)
        else:
            gone = tuple(
                a for a in range(len(plan.shape)) if a not in plan.estimate_axes
            )
            gain, curve = np.squeeze(gain, gone), np.squeeze(curve, gone)
        if gain.ndim == 0:
            return Public(1 / float(gain), float(gain), curve)
        return Public(1 / gain, gain, curve)

    def amount_of(self, core: Slices) -> Array | float:
        """Return the amounts for a box of the image."""
        amount = self.constants.amount
        if isinstance(amount, float):
            return amount
        local: Array = amount[self.plan.estimate_slices(core)]
        return local

    def noise_of(self, core: Slices) -> Array | None:
        """Return the estimates of noise for a box, if there are any."""
        return self._local(self.constants.noise, core)

    def estimate_of(self, core: Slices) -> Array | None:
        """Return the estimates for the detail of a box, if there are any."""
        return self._local(self.constants.estimate, core)

    def at(self, where: Slices) -> FittedPlan:
        """Return the plan for the image that consists of these indices."""
        amount = self.amount_of(where)
        noise, estimate = self.noise_of(where), self.estimate_of(where)
        if isinstance(amount, float) and noise is None and estimate is None:
            return self
        constants = replace(
            self.constants, amount=amount, noise=noise, estimate=estimate
        )
        return replace(self, constants=constants)

    def __getstate__(self) -> dict[str, Any]:
        return _fields(self)

    def _local(self, values: Array | None, core: Slices) -> Array | None:
        return None if values is None else values[self.plan.estimate_slices(core)]


def _fields(fitted: Plan | FittedPlan) -> dict[str, Any]:
    """Return what is pickled: attributes are computed again."""
    return {field.name: getattr(fitted, field.name) for field in fields(fitted)}


def make_plan(shape: tuple[int, ...], dtype: np.dtype[Any], method: Method) -> Plan:
    """Check everything that can be wrong, and settle everything that can be known.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    """
    source = arguments.real_type("image", np.dtype(dtype))
    if 0 in shape:
        raise ValueError(f"`image` must not be empty; got shape {shape}")
    channel_axis = method.channel_axis
    if channel_axis is not None:
        channel_axis = arguments.axis("channel_axis", channel_axis, len(shape))
    axes = arguments.filtered_axes(method.axes, len(shape), channel_axis)
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
    return arguments.real_type("dtype", given)
