"""Methods for the lab as their papers have them, where ours differ: scan order, loops.

Plain numpy, as in `reference`, and PyWavelets.
"""

import numpy as np
import pywt

import reference


def polesel_weights(image, mu=0.1, beta=0.5, ridge=1.0):
    """Weights of Polesel et al. along both axes of a grey image of 8 bits.

    Each row is scanned from left to right: the weights of the next pixel are those of
    this one and a Gauss-Newton step towards the wanted activity. The last axis of the
    result holds the weights across and down.
    """
    mode, axes = "mirror", (0, 1)
    parameters = {**reference.polesel_unsharp_mask.defaults, "mode": mode}
    growth = reference.area_growth(image, axes, parameters, 0.0)
    activities = [
        reference.activity(
            -reference.laplacian(image, (axis,), (1.0,), mode, 0.0), axes, mode, 0.0
        )
        for axis in (1, 0)
    ]
    wanted = growth * reference.activity(image, axes, mode, 0.0)
    found = np.zeros((*image.shape, 2))
    for row in range(image.shape[0]):
        weights, correlation = np.zeros(2), np.zeros((2, 2))
        for column in range(image.shape[1]):
            found[row, column] = weights
            here = np.array([activity[row, column] for activity in activities])
            error = wanted[row, column] - weights @ here
            correlation = (1 - beta) * correlation + beta * np.outer(here, here)
            step = np.linalg.solve(correlation + ridge * np.eye(2), here)
            weights = weights + 2 * mu * error * step
    return found


def decimated_detail(image, wavelet, levels, limit):
    """Detail of the decimated transform of a grey image that goes on periodically.

    Every coefficient beyond the limit is trimmed to it, and the approximation is left
    out. On each level coefficients of an orthonormal transform are twice as large.
    """
    planes = pywt.wavedec2(image, wavelet, mode="periodization", level=levels)
    trimmed = [np.zeros_like(planes[0])]
    for level, bands in zip(range(levels, 0, -1), planes[1:], strict=True):
        most = limit * 2**level
        trimmed.append(tuple(np.clip(band, -most, most) for band in bands))
    return pywt.waverec2(trimmed, wavelet, mode="periodization")
