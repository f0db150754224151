"""The methods that are compared: the paper's, and all others by their defaults."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import napari_usm as usm
from napari_usm._filters.attribute import cached_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_usm._methods.entry import Entry

# What is measured and how: another number means that older rows are not comparable.
_PROTOCOL = 1

# What the paper calls classic: its box mask with a constant gain, at the border of
# its adaptive one.
_CLASSIC = {"kernel": "box", "mode": "mirror"}


@dataclass(frozen=True)
class Contestant:
    """One method with its parameters.

    Attributes
    ----------
    name, label : str
        On the command line and in the rows, and in the table.
    method : str or None
        A name in `napari_usm.METHODS` or `napari_usm.lab.METHODS`; None leaves the
        picture as it is.
    parameters : dict
        Those that are not the defaults.
    """

    name: str
    label: str
    method: str | None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @cached_attribute
    def settings(self) -> str:
        """Short name of the method with all its parameters, in this version."""
        known: dict[str, Any] = {}
        if self.method is not None:
            rows = _entry(self.method).parameters
            known = {name: row.default for name, row in rows.items()}
        told = [_PROTOCOL, usm.__version__, self.method, {**known, **self.parameters}]
        return hashlib.sha256(json.dumps(told, default=repr).encode()).hexdigest()[:12]

    def sharpened(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the sharpened image."""
        if self.method is None:
            return image
        method = _entry(self.method).method(**self.parameters)
        sharpened: NDArray[Any] = usm.sharpen(image, method).image
        return sharpened


def contestants() -> dict[str, Contestant]:
    """All of them by name, in the order of the table.

    Methods for the lab are those of the table of methods, and what its papers do in
    two ways is there in both.
    """
    chosen = [
        Contestant("blurred", "blurred", None),
        Contestant("proposed", "proposed (adaptive)", "adaptive_unsharp_mask"),
        Contestant(
            "classic_9",
            "classic, gain 1/9",
            "unsharp_mask",
            {**_CLASSIC, "amount": 9.0},
        ),
        Contestant(
            "classic_1", "classic, gain 1", "unsharp_mask", {**_CLASSIC, "amount": 1.0}
        ),
    ]
    chosen += [
        Contestant(name, entry.label, name) for name, entry in usm.lab.METHODS.items()
    ]
    chosen += [
        Contestant(
            "improved_areas",
            "Polesel, improved areas",
            "polesel_unsharp_mask",
            {"areas": "improved"},
        ),
        Contestant(
            "wavelet_areas",
            "Wavelet, Polesel's areas",
            "wavelet_unsharp_mask",
            {"areas": "polesel"},
        ),
        Contestant(
            "entropy_alone",
            "Entropy without penalty",
            "entropy_unsharp_mask",
            {"penalty": False},
        ),
        Contestant("unsharp_mask", "Gaussian mask", "unsharp_mask"),
        Contestant("laplacian_sharpen", "Laplacian", "laplacian_sharpen"),
        Contestant("auto_unsharp_mask", "auto", "auto_unsharp_mask"),
    ]
    return {each.name: each for each in chosen}


def chosen_contestants(names: Sequence[str] | None) -> list[Contestant]:
    """Return the contestants of these names, or all."""
    known = contestants()
    if unknown := [name for name in names or () if name not in known]:
        raise ValueError(f"`methods` must be of {', '.join(known)}; got {unknown[0]!r}")
    return [each for name, each in known.items() if not names or name in names]


def _entry(method: str) -> Entry:
    # Late: the tables load the filters.
    tables = usm.METHODS, usm.lab.METHODS
    return next(table[method] for table in tables if method in table)
