"""Sharpening as others do it, to compare with: methods that stand in no menu.

Each name is the function of a method, called as those of `napari_usm` itself. `METHODS`
is the table of them; `napari_usm.sharpen` takes an instance of their classes, such as
``METHODS["polesel_unsharp_mask"].method(amount=2.0)``. They load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_usm.lab.functions import (
        dark_region_unsharp_mask,
        entropy_unsharp_mask,
        lin_unsharp_mask,
        polesel_unsharp_mask,
        wavelet_unsharp_mask,
    )
    from napari_usm.lab.methods import METHODS

__all__ = [
    "METHODS",
    "dark_region_unsharp_mask",
    "entropy_unsharp_mask",
    "lin_unsharp_mask",
    "polesel_unsharp_mask",
    "wavelet_unsharp_mask",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "methods" if name == "METHODS" else "functions"
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
