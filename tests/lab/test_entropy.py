"""The gains that entropy chooses: as good as those that the papers' searches find."""

import warnings

import numpy as np
import pytest

import cases
import reference
from test_auto import degenerate, photograph

LIN = "lin_unsharp_mask"
ENTROPY = "entropy_unsharp_mask"

# Entropy as a function of the gain is not smooth: pixels go from level to level.
ROUGHNESS = 1e-3


def grey(sigma, noise):
    """A blurred photograph of 8 bits."""
    return np.clip(photograph(sigma, noise), 0, 255).astype(np.uint8)


def swarm(objective, low, high, particles=20, steps=15):
    """The best that particles find: each is drawn to its own best and to that of all."""
    rng = np.random.default_rng(0)
    at = rng.uniform(low, high, particles)
    speed = np.zeros(particles)
    own, best = at.copy(), np.array([objective(each) for each in at])
    for _ in range(steps):
        to_own, to_all = rng.random((2, particles))
        leader = own[np.argmax(best)]
        speed = 0.7 * speed + 1.5 * (to_own * (own - at) + to_all * (leader - at))
        at = np.clip(at + speed, low, high)
        found = np.array([objective(each) for each in at])
        better = found > best
        own[better], best[better] = at[better], found[better]
    return best.max()


def lin_terms(image):
    """I and w M of an image, whatever leaves the range."""
    values = image.astype(float)
    laplacian = 9 * cases.edge_map(values, kernel="box", mode="mirror").astype(float)
    stretched = (values - values.min()) / np.ptp(values)
    weighted = laplacian / np.ptp(values)
    return stretched, weighted * reference.lin_weight(stretched, weighted)


def golden_section(objective, low, high):
    """The best that is found by leaving out a part of the interval again and again."""
    ratio = (np.sqrt(5) - 1) / 2
    while high - low > 0.01:
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        if objective(first) > objective(second):
            high = second
        else:
            low = first
    return objective((low + high) / 2)


@pytest.mark.parametrize("penalty", [False, True])
@pytest.mark.parametrize("image", [grey(1, 1), grey(0.5, 3), grey(2, 0.5)])
def test_a_swarm_finds_no_more_entropy(image, penalty):
    """Of all amounts from 0.1 to 10, none that a swarm finds is better."""
    found = cases.sharpen(image, ENTROPY, penalty=penalty)
    values = image.astype(float)
    low, span = values.min(), np.ptp(values)
    detail = found.edge_map.astype(float) / span

    def objective(amount):
        how = ([1 / amount], False, penalty)
        return reference.entropy_curve((values - low) / span, detail, *how)[0]

    assert objective(found.amount) >= swarm(objective, 0.1, 10) - ROUGHNESS


def test_a_swarm_finds_no_more_entropy_in_colour():
    """All channels have one gain; a value beyond the range counts in each of them."""
    colours = np.stack([grey(1, 1), grey(0.7, 2), grey(1.5, 1)], axis=-1)[:128, :160]
    call = {"channel_axis": 2, "color": "channels"}
    found = cases.sharpen(colours, ENTROPY, **call)
    values = colours.astype(float)
    low, span = values.min(), np.ptp(values)
    detail = found.edge_map.astype(float) / span

    def objective(amount):
        how = ([1 / amount], False, True)
        return reference.entropy_curve((values - low) / span, detail, *how)[0]

    assert objective(found.amount) >= swarm(objective, 0.1, 10) - ROUGHNESS


@pytest.mark.parametrize("image", [grey(1, 1), grey(0.5, 3), grey(2, 0.5)])
def test_the_golden_section_finds_no_more_entropy(image):
    """Of all k from 0 to 2, that of the source's search is no better."""
    found = cases.sharpen(image, LIN)
    stretched, weighted = lin_terms(image)

    def objective(k):
        return reference.entropy_curve(stretched, weighted, [1 / k], True, True)[0]

    assert objective(found.amount) >= golden_section(objective, 0, 2) - ROUGHNESS


def test_the_curve_leads_to_the_gain():
    """The report holds the gains tried first; the one taken is between neighbours."""
    for method in (LIN, ENTROPY):
        found = cases.sharpen(grey(1, 1), method)
        gains, curve = found.report.gains, found.report.curve
        best = np.argmax(curve)
        assert gains[max(best - 1, 0)] <= found.gain * (1 + 1e-12)
        assert found.gain <= gains[min(best + 1, gains.size - 1)] * (1 + 1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_lin_never_leaves_the_range(dtype):
    """A pixel that would be darker or brighter than all is left as it is."""
    image = cases.picture((30, 41), dtype)
    # Many that are darkest or brightest: next to others they would go beyond.
    image = np.clip(image, *np.quantile(image, [0.2, 0.8], method="nearest"))
    found = cases.sharpen(image, LIN)
    assert found.image.min() == image.min()
    assert found.image.max() == image.max()
    stretched, weighted = lin_terms(image)
    made = stretched + found.amount * weighted
    out = (made < -1e-6) | (made > 1 + 1e-6)
    assert np.mean(out) > 0.1
    np.testing.assert_array_equal(found.edge_map[out], 0)
    inside = (made >= 0) & (made <= 1)
    edge_map = found.edge_map[inside] / np.ptp(image.astype(float))
    np.testing.assert_allclose(edge_map, weighted[inside], atol=1e-5)


def test_weights_are_those_of_the_source():
    """Middle grey and weak edges weigh most: some values to look at."""
    weight = reference.lin_weight
    assert weight(0.5, 0.0) == pytest.approx(0.9966, abs=1e-4)
    assert weight(0.25, 0.0) == pytest.approx(0.4995, abs=1e-4)
    assert weight(0.5, 7 / 12) == pytest.approx(0.4988, abs=1e-4)
    assert weight(0.0, 0.0) == weight(1.0, 0.0) < 0.0025


def can_be_added(image):
    """Whether a blur of the image is a number of the image's type."""
    if image.dtype.kind != "f":
        return True
    valid = image[np.isfinite(image)].astype(float)
    return np.abs(valid).max(initial=0) < np.finfo(image.dtype).max / 4


def test_a_range_beyond_any_number():
    """There is no gain that is better than another: least is added."""
    image = np.where(np.indices((20, 20)).sum(axis=0) % 3, 1.7e308, -1.7e308)
    found = cases.sharpen(image, ENTROPY).report
    assert found.gain == found.gains[-1]
    assert not found.curve.any()


@pytest.mark.parametrize("method", [LIN, ENTROPY])
def test_a_border_far_beyond_the_range(method):
    """Detail that is no number in units of the range adds nothing."""
    image = 1e-310 * np.random.default_rng(0).random((20, 20))
    found = cases.sharpen(image, method, mode="constant", cval=-3e4)
    assert np.isfinite(found.amount)
    assert np.isfinite(found.image).all()


@pytest.mark.parametrize(("method", "stays_in_range"), [(LIN, True), (ENTROPY, False)])
@pytest.mark.parametrize("image", [each for each in degenerate() if can_be_added(each)])
def test_degenerate_images(image, method, stays_in_range):
    """Every image gives finite, sensible numbers, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cases.sharpen(image, method)
    valid = np.isfinite(image)
    assert np.isfinite(found.edge_map).all()
    assert np.isfinite(found.image[valid]).all()
    np.testing.assert_array_equal(found.image[~valid], image[~valid])
    assert np.isfinite(found.amount)
    assert np.isfinite(found.report.noise_factor)
    assert np.isfinite(found.report.curve).all()
    if stays_in_range and valid.any():
        # As far as float64 tells integers of 64 bits apart.
        after, before = (
            each[valid].astype(np.float64) for each in (found.image, image)
        )
        assert before.min() <= after.min()
        assert after.max() <= before.max()
    if not valid.any() or np.ptp(image[valid].astype(float)) == 0:
        np.testing.assert_array_equal(found.image, image)
        # Nothing is to be gained: of all gains the one that adds least.
        assert found.gain == found.report.gains[-1]
