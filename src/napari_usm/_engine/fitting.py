"""Estimates of a whole image, or a sample, for sharpening its parts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine import memory

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_usm._engine.memory import Steps
    from napari_usm._engine.plan import FittedPlan, Plan

# Pixels of an image that is looked at as a whole: a third of a second in memory.
WHOLE = 2**26

# Pixels of the sample that stands for a larger one, and of one item in it: an item is
# worth more whole than in pieces, gradients being much alike all over an image.
_SAMPLE = 2**25
_ITEM = 2**22


def settle(plan: Plan, pixels: Any, *, whole: int = WHOLE) -> Steps[FittedPlan]:
    """Estimate the constants and limits of a plan, with a pause after every block.

    A gain for an image of more than `whole` pixels is estimated from a sample: the
    middle of some planes, evenly spaced; unless limits by the data need all of it.

    Yields
    ------
    None
        Where the caller may stop for good.

    Returns
    -------
    FittedPlan
        By the generator's ``StopIteration``.
    """
    if not is_sampled(plan, whole=whole):
        return (yield from _first_stage(plan, pixels))
    sample = np.asarray(pixels[_sample(plan)])
    small = replace(plan, shape=sample.shape)
    fitted = yield from memory.estimate(small, sample)
    return replace(fitted, plan=plan, sample=sample.shape)


def is_sampled(plan: Plan, *, whole: int = WHOLE) -> bool:
    """Return whether `settle` uses a sample of the image."""
    exact = not plan.estimates or plan.method.limits == "data"
    return not exact and math.prod(plan.shape) > whole


def fitting_steps(plan: Plan, pixels: Any, *, whole: int = WHOLE) -> int:
    """Return how often `settle` pauses."""
    if is_sampled(plan, whole=whole):
        spans = zip(_sample(plan), plan.shape, strict=True)
        shape = tuple(len(range(n)[span]) for span, n in spans)
        return memory.estimate_steps(replace(plan, shape=shape))
    if _is_dask(pixels):
        from napari_usm._engine import lazy

        return lazy.estimate_steps(plan, pixels)
    return memory.estimate_steps(plan)


def estimate_key(plan: Plan) -> Hashable:
    """Return the cache key of the estimates: plans with equal keys share them.

    No blur or threshold is part of what the noise depends on.
    """
    method = plan.method
    if method.estimates:
        return repr(method), plan.finds_noise
    filtered = plan.axes, plan.channel_axis, plan.color, method.alpha
    return (
        *filtered,
        plan.estimate_axes,
        plan.finds_noise,
        repr(method.limits),
        plan.result.name,
    )


def with_estimates(plan: Plan, settled: FittedPlan) -> FittedPlan:
    """Return a plan with the estimates of another with an equal cache key."""
    constants = settled.constants
    if not plan.method.estimates:
        given = plan.method.constants(None, plan.axes)
        constants = replace(given, noise=constants.noise)
    return replace(settled, plan=plan, constants=constants)


def _is_dask(pixels: Any) -> bool:
    # By its protocol: `api.is_dask` is in an outer layer.
    return hasattr(pixels, "__dask_graph__")


def _first_stage(plan: Plan, pixels: Any) -> Steps[FittedPlan]:
    if plan.needs_estimate and _is_dask(pixels):
        from napari_usm._engine import lazy

        return lazy.estimate(plan, pixels)
    return memory.estimate(plan, pixels)


def _sample(plan: Plan) -> tuple[slice, ...]:
    """Return the middle of some items; of all, where each has constants of its own."""
    side = int(_ITEM ** (1 / len(plan.axes)))
    sizes = {axis: min(plan.shape[axis], side) for axis in plan.axes}
    items = _SAMPLE // math.prod(sizes.values())
    spans = []
    for axis, length in enumerate(plan.shape):
        if axis in sizes:
            start = (length - sizes[axis]) // 2
            spans.append(slice(start, start + sizes[axis]))
        elif axis in plan.estimate_axes or axis == plan.channel_axis:
            spans.append(slice(0, length))
        else:
            step = -(-length // max(items, 1))
            spans.append(slice(length % step // 2, length, step))
            items //= -(-length // step)
    return tuple(spans)
