"""Sharpening as others do it, to compare with: methods that stand in no menu.

The functions are called as those of `napari_usm` itself. The class of a method has the
parameters of its function; `napari_usm.sharpen` and its like take an instance, such as
``PoleselUnsharpMask(amount=2.0)``. `METHODS` is the table of them. All load on first
use.
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
    from napari_usm.lab.methods.dark_region_unsharp_mask import DarkRegionUnsharpMask
    from napari_usm.lab.methods.entropy_unsharp_mask import EntropyUnsharpMask
    from napari_usm.lab.methods.lin_unsharp_mask import LinUnsharpMask
    from napari_usm.lab.methods.polesel_unsharp_mask import PoleselUnsharpMask
    from napari_usm.lab.methods.wavelet_unsharp_mask import WaveletUnsharpMask

__all__ = [
    "METHODS",
    "DarkRegionUnsharpMask",
    "EntropyUnsharpMask",
    "LinUnsharpMask",
    "PoleselUnsharpMask",
    "WaveletUnsharpMask",
    "dark_region_unsharp_mask",
    "entropy_unsharp_mask",
    "lin_unsharp_mask",
    "polesel_unsharp_mask",
    "wavelet_unsharp_mask",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "functions" if name.islower() else "methods"
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
