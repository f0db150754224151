"""The two images that a metric compares: the rules that all metrics share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def checked_pair(
    image_true: ArrayLike, image_test: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both images as arrays, or raise the error that says what is wrong.

    They are real, finite, of one shape and not empty.
    """
    true = _checked(image_true, "image_true")
    test = _checked(image_test, "image_test")
    if true.shape != test.shape:
        raise ValueError(
            "`image_true` and `image_test` must have the same shape; "
            f"got {true.shape} and {test.shape}"
        )
    return true, test


def _checked(image: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"`{name}` must be boolean, integer or real; got dtype {array.dtype}"
        )
    if array.size == 0:
        raise ValueError(f"`{name}` must not be empty; got shape {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"`{name}` must be finite; got {array[~finite][0]}")
    return array
