"""Leave weak detail alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_usm.filters.dtypes import Array


def threshold(detail: Array, limit: float, hard: bool) -> Array:
    """``sign(d) * max(|d| - limit, 0)``; hard: `d` where ``|d| >= limit``, else 0."""
    if limit == 0:
        return detail
    if hard:
        return np.where(np.abs(detail) >= limit, detail, 0)
    # d minus its clipped self: one rounding, and odd in d.
    soft: Array = detail - np.clip(detail, -limit, limit)
    return soft
