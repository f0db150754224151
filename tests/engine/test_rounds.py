"""A method may go over the image several times before it knows what it needs."""

from dataclasses import dataclass, replace

import dask
import dask.array as da
import numpy as np
import pytest

import cases
from cases import prepare
from napari_usm._engine import lazy, memory
from napari_usm._engine.fitting import estimate_key, fitting_steps, settle
from napari_usm._engine.plan import make_plan
from napari_usm._methods.base import LEAST, TOTAL, Constants
from napari_usm._methods.unsharp_mask import UnsharpMask


@dataclass(frozen=True)
class ByBrightShare(UnsharpMask):
    """The amount is the share of pixels above the middle of the range, and 1."""

    items: bool = False

    estimates = True
    rounds = (LEAST, TOTAL, LEAST)

    @property
    def per_item(self):
        return self.items

    def sums(self, block, axes, kept, core, begins, lengths, *found, weight=None):
        values = block[core].astype(float)
        over = tuple(axis for axis in range(block.ndim) if axis not in kept)
        if not found:
            ends = [np.min(each, over, keepdims=True) for each in (values, -values)]
            return np.stack(ends, -1)
        middle = (found[0][..., 0] - found[0][..., 1]) / 2
        above = values > middle
        if len(found) == 1:
            counts = [np.sum(each, over, keepdims=True) for each in (above, ~above)]
            return np.stack(counts, -1)
        return np.min(np.where(above, values, np.inf), over, keepdims=True)

    def constants(self, sums, axes, *found):
        ends, counts = found
        gain = 1 / (1 + counts[..., 0] / counts.sum(axis=-1))
        estimate = np.stack([ends[..., 0], sums], -1)
        return Constants(1 / gain, gain, np.ones(1), gain[..., np.newaxis], estimate)


def expected(image, over):
    """Amount, smallest value and smallest value above the middle."""
    middle = (image.min(over, keepdims=True) + image.max(over, keepdims=True)) / 2
    above = image > middle
    least = np.where(above, image, np.inf).min(over, keepdims=True)
    return 1 + above.mean(over, keepdims=True), image.min(over, keepdims=True), least


@pytest.mark.parametrize("limits", [None, "data"])
@pytest.mark.parametrize(
    ("parameters", "over"),
    [
        ({"axes": (1, 3)}, (0, 1, 2, 3)),
        ({"axes": (1, 3), "items": True}, (1, 3)),
        ({"axes": (1, 3), "channel_axis": 2}, (0, 1, 3)),
    ],
)
def test_each_round_knows_those_before(parameters, over, limits):
    """Blocks, dask and what is settled for live results find the same."""
    image = cases.picture((4, 30, 3, 25))
    method = ByBrightShare(limits=limits, **parameters)
    plan = make_plan(image.shape, image.dtype, method)
    amount, low, least = expected(image, over)
    ends = (image.min(), image.max()) if limits else (-np.inf, np.inf)
    chunked = da.from_array(image, chunks=(3, 11, 2, 9))
    with dask.config.set(scheduler="synchronous"):
        found = [
            memory.result_of(memory.estimate(plan, image)),
            memory.result_of(memory.estimate(plan, image, 300)),
            memory.result_of(lazy.estimate(plan, chunked)),
        ]
        alone = lazy.run(plan, chunked).amount.compute()
    np.testing.assert_allclose(alone, amount.reshape(plan.estimate_shape), rtol=1e-12)
    settled = memory.result_of(settle(plan, image))
    for fitted in [*found, settled]:
        constants = fitted.constants
        np.testing.assert_allclose(constants.amount, amount, rtol=1e-12)
        np.testing.assert_array_equal(constants.estimate[..., 0], low)
        np.testing.assert_array_equal(constants.estimate[..., 1], least)
        assert fitted.limits == ends


def test_pauses_in_every_round():
    """There are as many pauses as are told beforehand."""
    image = cases.picture((40, 50))
    plan = make_plan(image.shape, image.dtype, ByBrightShare())
    pauses = sum(1 for _ in memory.estimate(plan, image, 300))
    assert (
        pauses == memory.estimate_steps(plan, 300) == 3 * len(memory.blocks(plan, 300))
    )
    chunked = da.from_array(image, chunks=4)
    pauses = sum(1 for _ in lazy.estimate(plan, chunked))
    assert pauses == fitting_steps(plan, chunked) > 3


def test_items_ask_for_noise_of_their_own():
    """What was settled for all items together is no answer for each."""
    asked = {
        estimate_key(replace(prepare(image, method, **call)[0], wants_noise=True))
        for image in [cases.picture((3, 20, 24))]
        for method in ("adaptive_unsharp_mask", "entropy_unsharp_mask")
        for call in [
            {"gains": [1], "gain_per": "image", "axes": (1, 2)},
            {"gains": [1], "gain_per": "item", "axes": (1, 2)},
        ]
    }
    assert len(asked) == 2


def test_a_sample_goes_through_all_rounds():
    """An image too large to be looked at as a whole is estimated from its middle."""
    image = cases.picture((40, 50))
    plan = make_plan(image.shape, image.dtype, ByBrightShare())
    settled = memory.result_of(settle(plan, image, whole=100))
    assert settled.sample == image.shape
    np.testing.assert_allclose(settled.constants.amount, expected(image, (0, 1))[0])
