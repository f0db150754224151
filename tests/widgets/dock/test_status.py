"""The status line: figures that can be read, and none that say nothing."""

import numpy as np
import pytest

import napari_usm as usm
from napari_usm._widgets.dock.status import status_line


def line(image, **parameters):
    """The status line of a run, without the time."""
    found = usm.sharpen(image, **parameters)
    metadata = {
        "amount": found.amount,
        "gain": found.gain,
        "parameters": parameters,
        "report": found.report,
        "range": (float(np.nanmin(found.image)), float(np.nanmax(found.image))),
    }
    text = status_line(metadata, 0.0)
    return text.replace("\N{NO-BREAK SPACE}", " ").removesuffix(" · 0.00 s")


@pytest.mark.parametrize("width", [2, 200])
def test_all_pixels_clipped(width):
    """All pixels, or nearly all, are 100 %, and not 1e+02 %."""
    image = np.resize(np.array([99, 100], np.uint16), (width, width))
    image[:, 1::2] += 3
    assert line(image, amount=1e30).startswith("clipped 100 %: lower the amount or")


def test_limits_that_clip():
    """Against limits that were chosen, another type of the result does not help."""
    image = np.resize(np.array([4000, 5000], np.uint16), (20, 20))
    image[:, 1::2] += 300
    for dtype in ("uint16", "float32"):
        said = line(image, limits=(0, 4095), dtype=dtype)
        assert ": lower the amount or take wider limits · " in said


def test_large_figures():
    """They are read without an exponent."""
    image = np.zeros((20, 20), np.uint16)
    image[::2, ::2] = 40000
    report = usm.sharpen(image, amount=1000.0).report
    assert report.mean_change > 1000
    said = line(image, amount=1000.0)
    assert f"noise × {report.noise_factor:.0f} · mean +{report.mean_change:.0f}" in said


def test_a_mean_that_hardly_changes():
    """A threshold may leave one pixel of overshoot, and no mean worth telling.

    The change is all of the overshoot, and less than 0.01 % of the range of the image.
    """
    image = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (100, 1))
    image[50, 50] += 0.1
    report = usm.sharpen(image, sigma=1.0, threshold=0.08).report
    assert 0 < report.mean_change < 1e-6
    assert report.mean_change >= 0.9 * report.mean_overshoot
    assert "mean" not in line(image, sigma=1.0, threshold=0.08)


def test_a_mean_that_is_rounded():
    """A constant image has no mean that changes, though its last bit may."""
    image = np.full((40, 50), 7, np.float32)
    assert usm.sharpen(image).report.mean_change != 0
    assert "mean" not in line(image)


def test_a_mean_that_changes():
    """Clipping at 0 makes a dark image brighter, and that is said."""
    image = np.zeros((20, 20), np.uint16)
    image[::2, ::2] = 100
    report = usm.sharpen(image, amount=2.0).report
    said = f"mean {report.mean_change:+.2g}"
    assert report.mean_change > 1
    assert said in line(image, amount=2.0)


def test_no_noise_is_not_said():
    """A constant image has noise σ 0, which says nothing."""
    image = np.full((32, 32), 7, np.uint8)
    assert "σ" not in line(image, method="auto_unsharp_mask")
