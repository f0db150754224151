"""Scores of a sharpened specimen against a sharper reference.

A result is first fitted to the reference in brightness and contrast. Of a stack every
score but the PSNR is a mean over planes, with one fit, one range and one threshold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_usm.metrics import structural_similarity

MARGIN = 8  # pixels at the borders of planes that do not count
RANGE = (0.1, 99.9)  # percentiles of the reference, whose distance is its range

# Pixels beside bright structures, by their distance; and those far from them.
BESIDE = (2, 6)
FAR = 10
FEWEST = 50, 300  # pixels that are enough to judge the one and the other

# Rings of the spectrum that are compared, in 40ths of a cycle per pixel.
RINGS = slice(3, 19)


class Scores(NamedTuple):
    """Scores of a result.

    Attributes
    ----------
    ssim : float
        Mean structural similarity, in a Gaussian window of sigma 1.5.
    psnr : float
        Peak signal-to-noise ratio, in dB.
    spectrum : float
        Power of the error over that of the reference, at most 2; mean over rings of the
        spectrum from .07 to .45 cycles per pixel.
    ring : float
        Mean error beside bright structures less that far from them, in % of the range:
        above 0 haze is left, below 0 there is a dark ring.
    undershoot : float
        Mean distance below the local minimum of the reference beside bright structures,
        in % of the range.
    false_structure : float
        Standard deviation of the error in flat parts, between Gaussians of sigma 1 and
        3, in % of the range.
    """

    ssim: float
    psnr: float
    spectrum: float
    ring: float
    undershoot: float
    false_structure: float


class Reference:
    """A reference, and what is derived from it once.

    Parameters
    ----------
    reference : (M, N) or (planes, M, N) array
        What the results should have become.
    """

    def __init__(self, reference):
        planes = np.atleast_3d(reference.T).T.astype(np.float64)
        self.planes = _inner(planes)
        low, high = np.percentile(self.planes, RANGE)
        self.range = high - low
        calm = ndimage.gaussian_filter(planes, (0, 0.7, 0.7))
        threshold = threshold_otsu(np.minimum(calm, high))
        self._parts = [
            _Parts(plane, bright)
            for plane, bright in zip(planes, calm > threshold, strict=True)
        ]

    def scores(self, result):
        """Return the `Scores` of a result."""
        fitted = self.fitted(result)
        error = fitted - self.planes
        rows = [
            (
                self._similarity(plane, own),
                parts.spectrum(wrong),
                *(100 / self.range * score for score in parts.beside(own, wrong)),
                100 / self.range * parts.false_structure(wrong),
            )
            for plane, own, wrong, parts in zip(
                self.planes, fitted, error, self._parts, strict=True
            )
        ]
        ssim, *others = _means(rows)
        psnr = float(10 * np.log10(self.range**2 / np.mean(error**2)))
        return Scores(ssim, psnr, *others)

    def similarity_across(self, result):
        """Return the structural similarity of the X-Z planes of a stack."""
        fitted = self.fitted(result)
        return float(
            np.mean(
                [
                    self._similarity(self.planes[:, row], fitted[:, row])
                    for row in range(fitted.shape[1])
                ]
            )
        )

    def fitted(self, result):
        """Return a result in the brightness and contrast of the reference."""
        values = _inner(np.atleast_3d(result.T).T.astype(np.float64))
        covariance = np.cov(values.ravel(), self.planes.ravel())
        contrast = covariance[0, 1] / max(covariance[0, 0], 1e-30)
        return self.planes.mean() + contrast * (values - values.mean())

    def _similarity(self, plane, result):
        return structural_similarity(plane, result, data_range=self.range)


class _Parts:
    """Parts of a plane of the reference that are judged on their own."""

    def __init__(self, plane, bright):
        distance = ndimage.distance_transform_edt(~bright)
        near, end = BESIDE
        self.zone = _inner((distance > near) & (distance <= end))
        low = ndimage.minimum_filter(ndimage.gaussian_filter(plane, 1), 7)
        self.low = _inner(low)
        mean = ndimage.uniform_filter(plane, 11)
        variance = _inner(ndimage.uniform_filter(plane**2, 11) - mean * mean)
        self.flat = variance <= np.quantile(variance, 0.3)
        far = _inner(distance > FAR)
        self.far = far if far.sum() > FEWEST[1] else self.flat
        shape = self.flat.shape
        length = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"))
        self.rings = np.round(length * 40).astype(int).ravel()
        self.taper = np.outer(*map(np.hanning, shape))
        self.power = self._power(_inner(plane))

    def spectrum(self, error):
        """Return the error by ring of the spectrum."""
        ratio = self._power(error)[RINGS] / np.maximum(self.power[RINGS], 1e-30)
        return np.mean(np.minimum(ratio, 2))

    def beside(self, result, error):
        """Return the ring and the undershoot; NaN where nothing bright is near."""
        if self.zone.sum() <= FEWEST[0]:
            return np.nan, np.nan
        ring = error[self.zone].mean() - error[self.far].mean()
        return ring, np.maximum(self.low - result, 0)[self.zone].mean()

    def false_structure(self, error):
        """Return the standard deviation of middle frequencies in flat parts."""
        blurred = (ndimage.gaussian_filter(error, sigma) for sigma in (1, 3))
        return np.subtract(*blurred)[self.flat].std()

    def _power(self, plane):
        spectrum = np.fft.fft2((plane - plane.mean()) * self.taper)
        return np.bincount(self.rings, (np.abs(spectrum) ** 2).ravel())


def mean_scores(scores):
    """Return the means of several `Scores`."""
    return Scores(*_means(scores))


def _means(rows):
    """Return the mean of every column, without NaN."""
    columns = np.array(rows, dtype=float).T
    return [
        float(np.nanmean(column)) if np.isfinite(column).any() else np.nan
        for column in columns
    ]


def _inner(planes):
    return planes[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
