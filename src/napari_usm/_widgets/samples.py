"""File > Open Sample: real pictures, and one stack whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from napari.types import LayerData

_SPACING = (0.4, 0.1, 0.1)
_BLUR = (0.5, 0.2, 0.2)  # µm
_PHOTONS = 300


def moon() -> list[LayerData]:
    """The moon's surface, soft, 512 x 512 uint8."""
    return _picture("moon")


def camera() -> list[LayerData]:
    """A cameraman, 512 x 512 uint8."""
    return _picture("camera")


def cell() -> list[LayerData]:
    """A cell in a bright-field microscope, 660 x 550 uint8."""
    return _picture("cell")


def retina() -> list[LayerData]:
    """A fundus photograph, 1411 x 1411 RGB."""
    return _picture("retina")


def immunohistochemistry() -> list[LayerData]:
    """Stained colon tissue, 512 x 512 RGB."""
    return _picture("immunohistochemistry")


def filaments() -> list[LayerData]:
    """A stack of filaments and beads in µm, blurred and with photon noise.

    The layer below it, hidden, is what it was made from: 24 x 256 x 256 voxels of
    0.4 x 0.1 x 0.1 µm.
    """
    truth = _filaments((24, 256, 256))
    sigma = np.divide(_BLUR, _SPACING)
    blurred = ndimage.gaussian_filter(truth, sigma)
    photons = _PHOTONS * blurred / blurred.max() + 10
    noisy = np.random.default_rng(1).poisson(photons).astype(np.uint16)
    brightness = np.float32(_PHOTONS * truth / np.quantile(truth[truth > 0], 0.99))
    look: dict[str, Any] = {
        "scale": _SPACING,
        "units": ("µm", "µm", "µm"),
        "axis_labels": ("z", "y", "x"),
    }
    known = {**look, "name": "filaments, ground truth", "visible": False}
    return [
        (brightness, {**known, "contrast_limits": (0, _PHOTONS)}, "image"),
        (noisy, {**look, "name": "filaments"}, "image"),
    ]


def _picture(name: str) -> list[LayerData]:
    from skimage import data

    picture = getattr(data, name)()
    return [(picture, {"name": name, "rgb": picture.ndim == 3}, "image")]


def _filaments(shape: tuple[int, int, int]) -> np.ndarray:
    """Curves that wander through the stack, and a few beads."""
    rng = np.random.default_rng(0)
    size = np.array(shape) * _SPACING
    truth = np.zeros(shape)
    for _ in range(30):
        steps = rng.normal(0, 0.03, (2000, 3)).cumsum(axis=0)
        heading = rng.normal(size=3) * (0.3, 1, 1)
        direction = heading / np.linalg.norm(heading) + steps * (0.3, 1, 1)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        points = rng.uniform(0, size) + 0.04 * direction.cumsum(axis=0)
        _add(truth, points, 1.0)
    _add(truth, rng.uniform(0, size, (40, 3)), 30.0)
    return truth


def _add(truth: np.ndarray, points: np.ndarray, brightness: float) -> None:
    voxels = np.round(points / _SPACING).astype(int)
    inside = np.all((voxels >= 0) & (voxels < truth.shape), axis=1)
    np.add.at(truth, tuple(voxels[inside].T), brightness)
