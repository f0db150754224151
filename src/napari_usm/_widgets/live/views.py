"""Views of a layer's pixels: what napari shows while the layer's data stay as they are.

A view changes slices for the screen only. Whoever else reads the data gets the pixels
of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_usm._engine.virtual import Index


@dataclass(frozen=True)
class Part:
    """A slice that napari asks for.

    Attributes
    ----------
    pixels : array
        What the layer's data are there; read-only.
    index : Index
        Where, in pixels of the level.
    factors : tuple of float
        Pixels of level 0 in a pixel of the level, along each axis.
    source : callable
        Returns the pixels of the source there, of the type of the result, or None as
        long as they are read.
    amount : float or array
        By which the edge map is multiplied in the result; an array where it is not the
        same for all of it.
    """

    pixels: np.ndarray
    index: Index
    factors: tuple[float, ...]
    source: Callable[[], np.ndarray | None]
    amount: Any = 1.0


class View(Protocol):
    """Return what is shown instead of a part's pixels; or those, unchanged."""

    def __call__(self, part: Part) -> np.ndarray: ...


def source_view(part: Part) -> np.ndarray:
    """Return the source instead of the result."""
    source = part.source()
    return part.pixels if source is None else source


def added_view(part: Part) -> np.ndarray:
    """Return what was added, instead of the edge map."""
    if np.ndim(part.amount) > 0:
        return part.pixels  # whoever chose this view ends it
    return part.pixels * np.float32(part.amount)
