"""Sharpening as others do it, to compare with: methods that stand in no menu.

Every name is the function of a method, called as those of `napari_usm` itself;
`napari_usm.sharpen(image, "name", ...)` takes the names too. They load on first use.
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

__all__ = [
    "dark_region_unsharp_mask",
    "entropy_unsharp_mask",
    "lin_unsharp_mask",
    "polesel_unsharp_mask",
    "wavelet_unsharp_mask",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.functions"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
