"""Values of controls, remembered for each image and from dock to dock of a viewer."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_usm._widgets.layers.results import unwrapped

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Image

_memories: weakref.WeakKeyDictionary[LayerList, DockMemory] = (
    weakref.WeakKeyDictionary()
)


@dataclass(frozen=True)
class Tuned:
    """Values of all controls for one image.

    Attributes
    ----------
    method : str
        Method that was chosen.
    pages : dict
        Values of the controls of each method.
    dimensions : dict
        Values of the controls for the axes.
    """

    method: str
    pages: dict[str, dict[str, Any]]
    dimensions: dict[str, Any]


@dataclass(frozen=True)
class Left:
    """State of a dock that was closed.

    Attributes
    ----------
    method : str
        Method that was chosen.
    layer, active : weakref.ref
        Image that was chosen, and the active layer.
    """

    method: str
    layer: weakref.ref[Image]
    active: weakref.ref[Any]


@dataclass
class DockMemory:
    """Memory of the docks of one viewer, as long as that is open.

    Attributes
    ----------
    tuned : mapping
        Image layer to what it was tuned to last.
    left : dict
        Kind of dock to the state that the last one was left in.
    """

    tuned: weakref.WeakKeyDictionary[Image, Tuned] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    left: dict[str, Left] = field(default_factory=dict)


def memory_of(layers: LayerList) -> DockMemory:
    """Return the memory of a viewer, by its layers."""
    return _memories.setdefault(unwrapped(layers), DockMemory())
