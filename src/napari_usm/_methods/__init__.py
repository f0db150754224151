"""The methods, one file each, and the table of them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from napari_usm._methods.adaptive_unsharp_mask import AdaptiveUnsharpMask
from napari_usm._methods.auto_unsharp_mask import AutoUnsharpMask
from napari_usm._methods.entry import Entry
from napari_usm._methods.gaussian_sharpen import GaussianSharpen
from napari_usm._methods.laplacian_sharpen import LaplacianSharpen
from napari_usm._methods.unsharp_mask import UnsharpMask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: In the order of the menus; tests add to it.
TABLE = {
    "unsharp_mask": Entry(UnsharpMask, "Unsharp mask", technique="unsharp masking"),
    "laplacian_sharpen": Entry(
        LaplacianSharpen, "Laplacian sharpen", technique="Laplacian sharpening"
    ),
    "adaptive_unsharp_mask": Entry(
        AdaptiveUnsharpMask,
        "Adaptive unsharp mask",
        technique="adaptive unsharp masking",
    ),
    "auto_unsharp_mask": Entry(
        AutoUnsharpMask, "Auto unsharp mask", technique="automatic unsharp masking"
    ),
    "gaussian_sharpen": Entry(
        GaussianSharpen,
        "Gaussian sharpen",
        "python",
        "Gaussian sharpening, as by ImageMagick's -sharpen,",
    ),
}
METHODS: Mapping[str, Entry] = MappingProxyType(TABLE)


def check_known(method: str, parameters: Iterable[str]) -> None:
    """Raise if there is no such method, or if it has no such parameters."""
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"`method` must be one of {tuple(METHODS)}; got {method!r}")
    known = METHODS[method].parameters
    if unknown := [name for name in parameters if name not in known]:
        raise TypeError(
            f"`{unknown[0]}` must be a parameter of {method}: {', '.join(known)}"
        )
