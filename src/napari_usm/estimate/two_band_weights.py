"""Amounts of two bands that undo a blur: least squares, with a little noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm.estimate.frequencies import frequencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.estimate.windows import Floats

# Power of the noise over that of the image at a frequency of 1: it keeps the two
# amounts apart.
_NOISE = 3e-4

# The first band alone never adds more of itself than this.
_MOST = 8.0


class TwoBandWeights(NamedTuple):
    """How much is added of two bands.

    Attributes
    ----------
    alone : float
        Of the first, without the second.
    both : tuple of float
        Of the first and of the second, together.
    """

    alone: float
    both: tuple[float, float]


def two_band_weights(blurs: Sequence[float], taps: Sequence[Floats]) -> TwoBandWeights:
    """Amounts for an image that was blurred by these sigmas.

    Parameters
    ----------
    blurs : sequence of float
        Sigma of the image's blur along each axis.
    taps : sequence of array
        Those of the mask's blur: the first band is the image less it, the second the
        first less its own blur.
    """
    grid = frequencies(len(blurs))
    passed = grid.passed(np.asarray(blurs))
    band = 1 - grid.transfer(taps)
    image = grid.weight * grid.spectrum
    bands = np.stack([band, band**2])
    wanted = 1 - passed
    in_first = band * passed
    power = max(float(np.sum(image * in_first**2)), 1e-12)
    alone = float(np.sum(image * in_first * wanted)) / power
    noisy = _NOISE * grid.weight * bands
    blurred = bands * passed
    matrix = (image * blurred) @ blurred.T + noisy @ bands.T + 1e-12 * np.eye(2)
    target = (image * blurred) @ wanted - noisy.sum(axis=1)
    first, second = np.linalg.solve(matrix, target).tolist()
    return TwoBandWeights(min(alone, _MOST), (first, second))
