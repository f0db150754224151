"""A row of a table of methods."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING

from napari_usm._filters.attribute import cached_attribute
from napari_usm._methods.base import Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._methods.parameter import Parameter


@dataclass(frozen=True)
class Entry:
    """A row of a table of methods.

    Attributes
    ----------
    method : type
        Its parameters and its two stages.
    label : str
        Name in menus.
    audience : {"menu", "python"}
        Whether it stands in napari's menus, or is for Python only.
    technique : str
        What it does, as a noun in a sentence; by default the label is.
    """

    method: type[Method]
    label: str
    audience: str = "menu"
    technique: str = ""

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

    @cached_attribute
    def kinds(self) -> Mapping[str, tuple[str, ...]]:
        """Name to the kinds of value of every parameter, by its annotation.

        Examples
        --------
        >>> from napari_usm import METHODS
        >>> METHODS["unsharp_mask"].kinds["sigma"]
        ('float', 'Sequence[float]')
        """
        kinds = {}
        for field in fields(self.method):
            text = field.type if isinstance(field.type, str) else field.type.__name__
            kinds[field.name] = tuple(text.split(" | "))
        return MappingProxyType(kinds)
