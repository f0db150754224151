"""Unsharp masking of images: classic, Laplacian, adaptive and automatic.

The names below load on first use, so that importing the package costs next to
nothing and brings in neither Qt nor napari nor dask.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_usm import lab, metrics, optics
    from napari_usm._engine.threads import threads
    from napari_usm._methods import METHODS
    from napari_usm.api import Report, Sharpened, edge_map, sharpen, significance
    from napari_usm.functions import (
        adaptive_unsharp_mask,
        auto_unsharp_mask,
        gaussian_sharpen,
        laplacian_sharpen,
        unsharp_mask,
    )

    __version__: str

    def layer_function(name: str) -> Any:
        """Return a method as a function of napari's layers; the core has no napari."""


__all__ = [
    "METHODS",
    "Report",
    "Sharpened",
    "adaptive_unsharp_mask",
    "auto_unsharp_mask",
    "edge_map",
    "gaussian_sharpen",
    "lab",
    "laplacian_sharpen",
    "layer_function",
    "metrics",
    "optics",
    "sharpen",
    "significance",
    "threads",
    "unsharp_mask",
]


_HOMES = {
    "METHODS": "_methods",
    "layer_function": "_widgets.layers.functions",  # needs napari
    "threads": "_engine.threads",
    **dict.fromkeys(
        ("Report", "Sharpened", "edge_map", "sharpen", "significance"), "api"
    ),
}


def _load(name: str) -> Any:
    """Return a public name, and keep it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("napari-usm")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("lab", "metrics", "optics"):
        return import_module(f"{__name__}.{name}")
    home = _HOMES.get(name, "functions")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


if not TYPE_CHECKING:  # a type checker then knows which names there are
    __getattr__ = _load


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
