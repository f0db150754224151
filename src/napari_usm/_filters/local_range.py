"""Overshoot of a result beyond the values around each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


class Beyond(NamedTuple):
    """Largest and added up over- and undershoot, change, and how many pixels count."""

    over: float
    under: float
    over_sum: float
    under_sum: float
    change_sum: float
    pixels: int


@np.errstate(over="ignore", invalid="ignore")
def beyond_range(before: Array, after: Array, lowest: Array, highest: Array) -> Beyond:
    """Return the overshoot of `after`, where it and `before` are valid."""
    over = np.maximum(after - highest, 0)
    under = np.maximum(lowest - after, 0)
    counted = np.isfinite(before) & np.isfinite(after)
    return Beyond(
        float(np.max(over, where=counted, initial=0)),
        float(np.max(under, where=counted, initial=0)),
        float(np.sum(over, where=counted)),
        float(np.sum(under, where=counted)),
        float(np.sum(after - before, where=counted)),
        int(np.count_nonzero(counted)),
    )


def local_range(
    values: Array,
    axes: Sequence[int],
    mode: str,
    cval: float,
    all_valid: bool = False,
) -> tuple[Array, Array]:
    """Smallest and largest valid value of the 3-wide neighbourhood along `axes`.

    If `all_valid`, the values are known to be finite and are not looked through.
    """
    lowest = highest = values
    all_valid = all_valid or values.dtype.kind != "f"
    if not all_valid and not (valid := np.isfinite(values)).all():
        lowest = np.where(valid, values, np.inf)
        highest = np.where(valid, values, -np.inf)
    for axis in axes:
        lowest = _spread(lowest, np.minimum, axis, mode, cval)
        highest = _spread(highest, np.maximum, axis, mode, cval)
    return lowest, highest


def _spread(values: Array, extreme: Any, axis: int, mode: str, cval: float) -> Array:
    """The extreme of each pixel and its two neighbours along an axis.

    The other borders repeat a pixel that is a neighbour already.
    """
    first, last, all_but_first, all_but_last = (
        (*(slice(None),) * axis, span)
        for span in (slice(1), slice(-1, None), slice(1, None), slice(-1))
    )
    result = values.copy()
    pairs: list[tuple[tuple[slice, ...], Any]] = [
        (all_but_first, values[all_but_last]),
        (all_but_last, values[all_but_first]),
    ]
    if mode == "wrap":
        pairs += [(first, values[last]), (last, values[first])]
    elif mode == "constant":
        pairs += [(first, cval), (last, cval)]
    for here, neighbour in pairs:
        extreme(result[here], neighbour, out=result[here])
    return result
