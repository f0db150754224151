"""Methods of other papers, one file each, and the table of them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from napari_usm._methods.entry import Entry
from napari_usm.lab.methods.dark_region_unsharp_mask import DarkRegionUnsharpMask
from napari_usm.lab.methods.entropy_unsharp_mask import EntropyUnsharpMask
from napari_usm.lab.methods.lin_unsharp_mask import LinUnsharpMask
from napari_usm.lab.methods.polesel_unsharp_mask import PoleselUnsharpMask
from napari_usm.lab.methods.wavelet_unsharp_mask import WaveletUnsharpMask

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS: Mapping[str, Entry] = MappingProxyType(
    {
        name: Entry(method, label, "python")
        for name, method, label in (
            (
                "polesel_unsharp_mask",
                PoleselUnsharpMask,
                "Polesel's adaptive unsharp mask",
            ),
            (
                "dark_region_unsharp_mask",
                DarkRegionUnsharpMask,
                "Dark-region unsharp mask",
            ),
            ("wavelet_unsharp_mask", WaveletUnsharpMask, "Wavelet unsharp mask"),
            ("lin_unsharp_mask", LinUnsharpMask, "Unsharp mask of Lin et al."),
            ("entropy_unsharp_mask", EntropyUnsharpMask, "Entropy unsharp mask"),
        )
    }
)
