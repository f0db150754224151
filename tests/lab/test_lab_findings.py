"""The table of the lab holds what the metrics say, and nothing is found twice."""

import numpy as np
import pytest
from scipy import ndimage

import cases
import napari_usm as usm
from napari_usm import metrics
from napari_usm.lab.findings import Findings, Source
from napari_usm.lab.planes import Plane
from napari_usm.lab.profile import Line, line_profile

SHARP = cases.picture((64, 70), "uint8")
SOFT = ndimage.gaussian_filter(SHARP, 1.0)
AFTER = usm.unsharp_mask(SOFT, 1.0, 2.0)
LINE = Line((10.0, 12.0), (40.0, 52.0))


class Counted(Source):
    """A source that counts how often it is read."""

    def __new__(cls, key, pixels):
        times = []
        made = super().__new__(cls, key, lambda: times.append(key) or Plane(pixels))
        made.times = times
        return made


def sources(*images):
    return [Counted(number, image) for number, image in enumerate(images)]


def test_the_table_is_what_the_metrics_say():
    """Row by row, with a reference and along a given line."""
    found = Findings().find("metrics", *sources(SOFT, AFTER, SHARP), line=LINE)
    told = {row.name: row[2:] for row in found.rows}
    pair = SOFT, AFTER
    beyond = metrics.overshoot(SOFT, AFTER)

    def near(metric, **options):
        return (*(metric(SHARP, each, **options) for each in pair), None)

    def own(metric):
        return tuple(metric(each) for each in (SOFT, AFTER, SHARP))

    assert told == {
        "SSIM": near(metrics.structural_similarity),
        "SSIM, global": near(metrics.structural_similarity, window=None),
        "FOM": near(metrics.figure_of_merit),
        "PSNR": near(metrics.peak_signal_to_noise_ratio),
        "Overshoot": (None, beyond.overshoot, None),
        "Undershoot": (None, beyond.undershoot, None),
        "Noise growth": (None, metrics.noise_factor(SOFT, AFTER), None),
        "Acutance": own(lambda x: metrics.acutance(line_profile(x, LINE)[1])),
        "Clipped": own(lambda x: 100 * sum(metrics.clipped(x))),
        "Blur σ": own(lambda x: metrics.estimate_blur(x)[0]),
        "Noise σ": own(metrics.estimate_noise),
    }


def test_colours_are_measured_by_their_luminance():
    """Rec. 709, and the range of the type of the colours; alpha does not count."""
    rng = np.random.default_rng(0)
    true, test = rng.integers(0, 256, (2, 40, 40, 4)).astype(np.uint8)
    found = Findings().find("metrics", *sources(test, test, true), line=LINE)
    told = {row.name: row[2:] for row in found.rows}
    weights = np.array([0.2126, 0.7152, 0.0722])
    grey = [each[..., :3] @ weights for each in (true, test)]
    expected = metrics.structural_similarity(*grey, data_range=255)
    assert told["SSIM"][0] == pytest.approx(expected, rel=1e-9)
    share = np.mean((test[..., :3] == 0) | (test[..., :3] == 255))
    assert told["Clipped"][0] == pytest.approx(100 * share)


def test_the_range_of_real_numbers():
    """Their type does not tell it: the reference's own range does."""
    true, test = SHARP / 100 - 1, SOFT / 100 - 1
    found = Findings().find("metrics", *sources(test, test, true), line=LINE)
    told = {row.name: row[2:] for row in found.rows}
    expected = metrics.peak_signal_to_noise_ratio(true, test, data_range=np.ptp(true))
    assert told["PSNR"][0] == pytest.approx(expected)
    assert "Clipped" not in told


@pytest.mark.parametrize("kinds", [("uint16", "float32"), ("float64", "uint8")])
def test_images_of_different_types(kinds):
    """Their values are compared, as they are, in the range of the reference."""
    image, true = (
        each.astype(kind) for each, kind in zip((SOFT, SHARP), kinds, strict=True)
    )
    found = Findings().find("metrics", *sources(image, image, true), line=LINE)
    told = {row.name: row[2] for row in found.rows}
    real = SOFT.astype(float), SHARP.astype(float)
    data_range = np.ptp(real[1]) if kinds[1] == "float32" else 255
    for name, metric in (
        ("SSIM", metrics.structural_similarity),
        ("PSNR", metrics.peak_signal_to_noise_ratio),
    ):
        expected = metric(real[1], real[0], data_range=data_range)
        assert told[name] == pytest.approx(expected, rel=1e-6)
    merit = metrics.figure_of_merit(real[1], real[0])
    assert told["FOM"] == pytest.approx(merit)


def test_the_noise_factor_of_a_method():
    """What its report says stands for what the pixels show; a row while it is found."""
    findings = Findings()

    def told(noise_factor):
        found = findings.find(
            "metrics", *sources(SOFT, AFTER), None, LINE, noise_factor
        )
        return {row.name: row[2:] for row in found.rows if "Noise " in row.name}

    own = {"Noise σ": told(None)["Noise σ"]}
    growth = {"Noise growth": (None, metrics.noise_factor(SOFT, AFTER), None)}
    assert told(None) == growth | own
    assert told(1.25) == {"Noise factor": (None, 1.25, None)} | own
    assert told(float("nan")) == {"Noise factor": (None, None, None)} | own
    assert told(None) == growth | own


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((1, 1)),
        np.full((20, 20), np.nan),
        np.where(SHARP > 100, np.inf, SHARP),
        np.ones((5, 6), bool),
    ],
)
def test_what_cannot_be_measured_is_left_out(image):
    """Flat, tiny and invalid images: numbers that are finite, or none."""
    for part in ("metrics", "gain", "spectrum", "profile"):
        found = Findings().find(part, *sources(image, image, image))
        if part == "metrics":
            values = [value for row in found.rows for value in row[2:]]
            assert not any(np.isnan(v) for v in values if v is not None)
            assert all(any(v is not None for v in row[2:]) for row in found.rows)


def test_a_profile_runs_through_all_three():
    """Along the same line, by default across the strongest edge of the image."""
    found = Findings().find("profile", *sources(SOFT, AFTER, SHARP), line=LINE)
    for name, image in (("image", SOFT), ("result", AFTER), ("reference", SHARP)):
        np.testing.assert_array_equal(
            getattr(found, name), line_profile(image, LINE)[1]
        )
    image, result, _ = sources(SOFT, AFTER, SHARP)
    found = Findings().find("profile", image, result)
    assert found.reference is None
    assert np.nanargmin(found.image) < np.nanargmax(found.image)


def test_nothing_is_found_twice(monkeypatch):
    """The same planes are read once; of another result only that is found anew."""
    from napari_usm.lab import measures

    said = []
    similarity = metrics.structural_similarity

    def counted(*args, **options):
        said.append(options["window"])
        return similarity(*args, **options)

    monkeypatch.setattr(measures.metrics, "structural_similarity", counted)
    findings = Findings()
    image, result, reference = sources(SOFT, AFTER, SHARP)
    first = findings.find("metrics", image, result, reference)
    for part in ("gain", "spectrum", "profile"):
        findings.find(part, image, result, reference)
    assert findings.find("metrics", image, result, reference) == first
    assert [each.times for each in (image, result, reference)] == [[0], [1], [2]]
    assert len(said) == 4
    other = Counted("other", SHARP)
    found = findings.find("metrics", image, other, reference)
    assert found.result_to_reference.similarity == 1
    assert (len(said), image.times, reference.times) == (6, [0], [2])
    assert found.image_to_reference == first.image_to_reference


def test_planes_that_are_gone_are_forgotten():
    """Nothing keeps the pixels of what is no longer chosen."""
    findings = Findings()
    image, result, _ = sources(SOFT, AFTER, SHARP)
    findings.find("metrics", image, result)
    findings.find("metrics", image)
    findings.find("metrics", image, result)
    assert (image.times, result.times) == ([0], [1, 1])
    findings.forget()
    findings.find("gain", image)
    assert image.times == [0, 0]
