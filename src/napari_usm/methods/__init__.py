"""The methods, one file each, and the table of them all."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING

from napari_usm.filters.attribute import cached_attribute
from napari_usm.methods.adaptive_unsharp_mask import AdaptiveUnsharpMask
from napari_usm.methods.auto_unsharp_mask import AutoUnsharpMask
from napari_usm.methods.dark_region_unsharp_mask import DarkRegionUnsharpMask
from napari_usm.methods.entropy_unsharp_mask import EntropyUnsharpMask
from napari_usm.methods.gaussian_sharpen import GaussianSharpen
from napari_usm.methods.laplacian_sharpen import LaplacianSharpen
from napari_usm.methods.lin_unsharp_mask import LinUnsharpMask
from napari_usm.methods.method import Method
from napari_usm.methods.one_band_unsharp_mask import OneBandUnsharpMask
from napari_usm.methods.polesel_unsharp_mask import PoleselUnsharpMask
from napari_usm.methods.two_band_unsharp_mask import TwoBandUnsharpMask
from napari_usm.methods.unsharp_mask import UnsharpMask
from napari_usm.methods.wavelet_unsharp_mask import WaveletUnsharpMask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_usm.methods.parameter import Parameter


@dataclass(frozen=True)
class Entry:
    """A row of the table of methods.

    Attributes
    ----------
    method : type
        Its parameters and its two stages.
    label : str
        Name in menus.
    audience : {"menu", "python", "lab"}
        Whether it stands in napari's menus, only in Python, or in `napari_usm.lab`:
        a method that others are compared with.
    """

    method: type[Method]
    label: str
    audience: str

    @cached_attribute
    def parameters(self) -> Mapping[str, Parameter]:
        """Name to description of every parameter, in the order of the signature.

        By position first, then the method's own, then those of every method.
        """
        common = {field.name for field in fields(Method)}
        ordered = sorted(
            fields(self.method), key=lambda field: (field.kw_only, field.name in common)
        )
        return MappingProxyType(
            {field.name: field.metadata["parameter"] for field in ordered}
        )


METHODS: Mapping[str, Entry] = MappingProxyType(
    {
        "unsharp_mask": Entry(UnsharpMask, "Unsharp mask", "menu"),
        "laplacian_sharpen": Entry(LaplacianSharpen, "Laplacian sharpen", "menu"),
        "adaptive_unsharp_mask": Entry(
            AdaptiveUnsharpMask, "Adaptive unsharp mask", "menu"
        ),
        "auto_unsharp_mask": Entry(AutoUnsharpMask, "Auto unsharp mask", "menu"),
        "gaussian_sharpen": Entry(GaussianSharpen, "Gaussian sharpen", "python"),
        "one_band_unsharp_mask": Entry(
            OneBandUnsharpMask, "One-band unsharp mask", "lab"
        ),
        "two_band_unsharp_mask": Entry(
            TwoBandUnsharpMask, "Two-band unsharp mask", "lab"
        ),
        "polesel_unsharp_mask": Entry(
            PoleselUnsharpMask, "Polesel's adaptive unsharp mask", "lab"
        ),
        "dark_region_unsharp_mask": Entry(
            DarkRegionUnsharpMask, "Dark-region unsharp mask", "lab"
        ),
        "wavelet_unsharp_mask": Entry(
            WaveletUnsharpMask, "Wavelet unsharp mask", "lab"
        ),
        "lin_unsharp_mask": Entry(LinUnsharpMask, "Unsharp mask of Lin et al.", "lab"),
        "entropy_unsharp_mask": Entry(
            EntropyUnsharpMask, "Entropy unsharp mask", "lab"
        ),
    }
)


def check_known(method: str, parameters: Iterable[str]) -> None:
    """Raise if there is no such method, or if it has no parameter of such a name."""
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"`method` must be one of {tuple(METHODS)}; got {method!r}")
    known = METHODS[method].parameters
    if unknown := [name for name in parameters if name not in known]:
        raise TypeError(
            f"`{unknown[0]}` must be a parameter of {method}: {', '.join(known)}"
        )
