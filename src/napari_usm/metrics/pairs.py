"""The images that a metric looks at: the rules that all metrics share."""

from __future__ import annotations

from numbers import Real
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
    true = checked_image(image_true, "image_true")
    test = checked_image(image_test, "image_test")
    check_shapes(true, test, "image_true", "image_test")
    for name, array in (("image_true", true), ("image_test", test)):
        finite = np.isfinite(array)
        if not finite.all():
            raise ValueError(f"`{name}` must be finite; got {array[~finite][0]}")
    return true, test


def before_and_after(
    image: ArrayLike, sharpened: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return an image and its result, of one shape; not all pixels need be valid."""
    before = checked_image(image, "image")
    after = checked_image(sharpened, "sharpened")
    check_shapes(before, after, "image", "sharpened")
    return before, after


def checked_image(image: ArrayLike, name: str) -> NDArray[Any]:
    """Return an image as an array: real, and not empty."""
    from napari_usm.arguments import unmasked

    unmasked(name, image)
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"`{name}` must be boolean, integer or real; got dtype {array.dtype}"
        )
    if array.size == 0:
        raise ValueError(f"`{name}` must not be empty; got shape {array.shape}")
    return array


def check_shapes(
    first: NDArray[Any], second: NDArray[Any], first_name: str, second_name: str
) -> None:
    """Raise if the two differ in shape."""
    if first.shape != second.shape:
        raise ValueError(
            f"`{first_name}` and `{second_name}` must have the same shape; "
            f"got {first.shape} and {second.shape}"
        )


def range_of(
    data_range: float | None, dtype_true: np.dtype[Any], dtype_test: np.dtype[Any]
) -> float:
    """Return the range of the values: as it is given, or that of the images' type."""
    if data_range is not None:
        check_range(data_range)
        return float(data_range)
    if "f" in (dtype_true.kind, dtype_test.kind):
        raise ValueError(
            "`data_range` must be given for floats, whose type has no range; "
            f"got None for {dtype_true} and {dtype_test}"
        )
    if dtype_true != dtype_test:
        raise ValueError(
            "`data_range` must be given for images of different types; "
            f"got None for {dtype_true} and {dtype_test}"
        )
    low, high = ends_of(dtype_true)
    return float(high - low)


def check_range(data_range: float) -> None:
    """Raise if the range is no positive number."""
    if not isinstance(data_range, Real):
        raise TypeError(f"`data_range` must be a number; got {data_range!r}")
    if not 0 < data_range < np.inf:
        rule = "finite" if data_range == np.inf else "positive"
        raise ValueError(f"`data_range` must be {rule}; got {data_range}")


def ends_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the lowest and highest value of a type that is boolean or integer."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)
