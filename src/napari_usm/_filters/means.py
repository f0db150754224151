"""Means of blocks of pixels, for the levels of a pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array


def block_means(
    values: Array, factors: Sequence[int], lengths: Sequence[int]
) -> NDArray[np.float64]:
    """Return the means of blocks of `factors` pixels.

    Parameters
    ----------
    values : array
        Pixels.
    factors : sequence of int
        Pixels of a block along each axis.
    lengths : sequence of int
        Shape of the result; the last block along an axis has all that is left.

    Examples
    --------
    >>> block_means(np.array([1, 3, 5, 7, 12]), (2,), (2,))
    array([2., 8.])
    """
    means = values.astype(np.float64)
    for axis, (factor, length) in enumerate(zip(factors, lengths, strict=True)):
        if factor == 1:
            continue
        begins = np.arange(length) * factor
        counts = np.diff([*begins, means.shape[axis]])
        shape = [-1 if a == axis else 1 for a in range(means.ndim)]
        means = np.add.reduceat(means, begins, axis) / counts.reshape(shape)
    return means
