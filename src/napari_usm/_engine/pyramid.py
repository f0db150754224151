"""The levels of a pyramid, each sharpened so that all look the same.

Level 0 is exact. On the others a blur is as much narrower as their pixels are larger;
a method that has no blur shows the mean of the pixels of level 0 where these are few,
and the source elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_usm._engine.block import Output
from napari_usm._engine.plan import FittedPlan, make_plan
from napari_usm._engine.region import LiveImage, report_of, slices
from napari_usm._engine.virtual import Index, Window, window
from napari_usm._filters.dtypes import cast
from napari_usm._filters.means import block_means

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_usm._engine.plan import Plan
    from napari_usm._engine.report import Report
    from napari_usm._filters.dtypes import Array
    from napari_usm._methods.base import Constants

# Pixels of level 0 that one of another level may be the mean of.
_FEW = 4


class Level(Protocol):
    """One level of a result, any part of which can be had."""

    @property
    def plan(self) -> Plan:
        """Return the method, made ready for this level."""

    @property
    def shows(self) -> str:
        """Return a few words on what its pixels are."""

    def part(self, output: Output, index: Index) -> Array:
        """Return an output at an index; only an image may be written to."""

    def is_cached(self, index: Index) -> bool:
        """Return whether nothing has to be read or filtered for an index."""

    def is_at_hand(self, index: Index) -> bool:
        """Return whether nothing has to be read for an index."""

    @property
    def kernels(self) -> Hashable:
        """Return a key of the kernels that filter it."""


@dataclass(frozen=True)
class SharpenedLevel:
    """Sharpened itself.

    Attributes
    ----------
    pixels : LiveImage
        What is sharpened.
    fitted : FittedPlan
        By what.
    """

    pixels: LiveImage
    fitted: FittedPlan

    shows = "sharpened"

    @property
    def plan(self) -> Plan:
        """Return the method, made ready for this level."""
        return self.fitted.plan

    def part(self, output: Output, index: Index) -> Array:
        """Return an output at an index; only an image may be written to."""
        if output is Output.IMAGE:
            place = self._window(index)
            return self.pixels.image(self.fitted, place.box)[place.cut]
        place = self._window(_with_channels(self.plan, index))
        edges = self.pixels.edges(self.fitted, place.box, output)
        part: Array = edges[self.plan.colours.edge_slices(place.cut)]
        return part

    def is_cached(self, index: Index) -> bool:
        """Return whether nothing has to be read or filtered for an index."""
        place = self._window(_with_channels(self.plan, index))
        return self.pixels.is_cached(self.fitted, place.box)

    def is_at_hand(self, index: Index) -> bool:
        """Return whether nothing has to be read for an index."""
        place = self._window(_with_channels(self.plan, index))
        return self.pixels.is_at_hand(self.fitted, place.box)

    @property
    def kernels(self) -> Hashable:
        """Return a key of the kernels that filter it."""
        return self.fitted.kernels

    def report(self, index: Index) -> Report:
        """Return the report on the pixels at an index."""
        place = self._window(index)
        region = self.pixels.region(self.fitted, place.box)
        weight = self.pixels.weight(self.plan, place.box)
        return report_of(self.fitted, region, place.box, weight)

    def _window(self, index: Index) -> Window:
        endless = [axis for axis, reach in self.plan.halo.items() if reach is None]
        whole = (*endless, *self.plan.whole_axes)
        return window(index, self.plan.shape, self.plan.axes, whole)


@dataclass(frozen=True)
class AveragedLevel:
    """Means of the pixels of level 0.

    Attributes
    ----------
    plan : Plan
        What a level of this size would be sharpened by.
    base : SharpenedLevel
        Level 0.
    factors : tuple of int
        How many pixels of it a mean is of, along each axis.
    """

    plan: Plan
    base: SharpenedLevel
    factors: tuple[int, ...]

    shows = "means of the full resolution"

    def part(self, output: Output, index: Index) -> Array:
        """Return the means of an output at an index."""
        if output is Output.IMAGE:
            place = self._window(index)
            pixels = self.base.part(output, self._below(place.box))
            means = self._means(pixels, pixels.ndim, place.box)
            return cast(means.astype(self.plan.working), self.plan.result)[place.cut]
        edge_slices = self.plan.colours.edge_slices
        place = self._window(_with_channels(self.plan, index))
        pixels = self.base.part(output, edge_slices(self._below(place.box)))
        means = self._means(pixels, pixels.ndim, place.box).astype(np.float32)
        part: Array = means[edge_slices(place.cut)]
        return part

    def is_cached(self, index: Index) -> bool:
        """Return whether nothing needs to be read or filtered for that."""
        return self.base.is_cached(self._base_index(index))

    def is_at_hand(self, index: Index) -> bool:
        """Return whether nothing has to be read for that."""
        return self.base.is_at_hand(self._base_index(index))

    @property
    def kernels(self) -> Hashable:
        """Return a key of the kernels that filter level 0."""
        return self.base.kernels

    def _base_index(self, index: Index) -> Index:
        """Return the index of the edge map of level 0 that an index needs."""
        place = self._window(_with_channels(self.plan, index))
        return self.plan.colours.edge_slices(self._below(place.box))

    def _window(self, index: Index) -> Window:
        return window(index, self.plan.shape, self.plan.axes, self.plan.whole_axes)

    def _below(self, box: tuple[range, ...]) -> Index:
        lengths = zip(self.base.plan.shape, self.plan.shape, strict=True)
        return tuple(
            span
            if factor == 1
            else range(
                span.start * factor,
                # The last pixel stands for all that is left.
                finest if span.stop == length else span.stop * factor,
            )
            for span, factor, (finest, length) in zip(
                box, self.factors, lengths, strict=True
            )
        )

    def _means(self, pixels: Array, ndim: int, box: tuple[range, ...]) -> Array:
        factors, lengths = self.factors, tuple(len(span) for span in box)
        if ndim < len(factors):
            factors = self.plan.colours.edge_slices(factors)
            lengths = self.plan.colours.edge_slices(lengths)
        return block_means(pixels, factors, lengths)


@dataclass(frozen=True)
class SourceLevel:
    """Not sharpened at all."""

    plan: Plan
    pixels: LiveImage

    shows = "not sharpened"

    def part(self, output: Output, index: Index) -> Array:
        """Return the source at an index, and no edges."""
        if output is not Output.IMAGE:
            shape = [len(span) for span in index if isinstance(span, range)]
            return np.zeros(shape, np.float32)
        place = self._window(index)
        pixels = np.asarray(self.pixels.pixels[slices(place.box)])[place.cut]
        return cast(pixels.astype(self.plan.working), self.plan.result)

    def is_cached(self, index: Index) -> bool:
        """Nothing is ever filtered."""
        return False

    def is_at_hand(self, index: Index) -> bool:
        """Return False: the source is not kept."""
        return False

    @property
    def kernels(self) -> Hashable:
        """Return None: no kernel filters it."""
        return None

    def _window(self, index: Index) -> Window:
        return window(index, self.plan.shape, (), ())


def levels_of(pixels: Sequence[LiveImage], fitted: FittedPlan) -> tuple[Level, ...]:
    """Return all levels of a result, from what was fitted for level 0."""
    finest = SharpenedLevel(pixels[0], fitted)
    levels: list[Level] = [finest]
    plan = fitted.plan
    for each in pixels[1:]:
        shape = tuple(each.pixels.shape)
        factors = tuple(a / b for a, b in zip(plan.shape, shape, strict=True))
        method = plan.method.at_level([factors[axis] for axis in plan.axes])
        scaled = make_plan(shape, plan.dtype, method or plan.method)
        scaled = replace(scaled, wants_noise=plan.wants_noise)
        if method is not None:
            constants = _constants_at(fitted, scaled)
            levels.append(
                SharpenedLevel(each, FittedPlan(scaled, constants, fitted.limits))
            )
            continue
        whole = tuple(round(factor) for factor in factors)
        fits = all(
            n // factor <= length <= -(-n // factor)
            for n, factor, length in zip(plan.shape, whole, shape, strict=True)
        )
        if fits and math.prod(whole) <= _FEW:
            levels.append(AveragedLevel(scaled, finest, whole))
        else:
            levels.append(SourceLevel(scaled, each))
    return tuple(levels)


def _constants_at(fitted: FittedPlan, plan: Plan) -> Constants:
    """Return the constants for the indices of a level."""
    constants = fitted.constants
    return replace(
        constants,
        amount=_nearest(constants.amount, plan),
        noise=_nearest(constants.noise, plan),
    )


def _nearest(constants: Any, plan: Plan) -> Any:
    if constants is None or isinstance(constants, float):
        return constants
    for axis in plan.estimate_axes:
        length, finest = plan.constants_shape[axis], constants.shape[axis]
        nearest = (np.arange(length) * 2 + 1) * finest // (2 * length)
        constants = np.take(constants, nearest, axis)
    return constants


def _with_channels(plan: Plan, index: Index) -> Index:
    """Return an index of the edge map as one of the image."""
    if len(index) == len(plan.shape):
        return index
    axis = plan.channel_axis
    assert axis is not None
    return (*index[:axis], range(plan.shape[axis]), *index[axis:])
