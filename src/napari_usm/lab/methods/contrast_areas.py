"""Parameters of the methods that tell areas of low, medium and high contrast apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_usm import arguments
from napari_usm._methods.parameter import choice, parameter
from napari_usm.lab.filters.areas import Areas

if TYPE_CHECKING:
    from collections.abc import Sequence

AREAS = ("polesel", "improved")


def areas_parameter(default: str, choices: tuple[str, ...] = AREAS) -> Any:
    """Field for how areas are told apart."""
    return choice(default, choices, "Areas", control="basic")


def contrasts_parameter() -> Any:
    """Field for the bounds between areas."""
    return parameter((7.75, 14.14), "Contrasts", control="none")


def activities_parameter() -> Any:
    """Field for what is wanted of areas."""
    return parameter((4.0, 3.0), "Activities", control="none")


def check_areas(contrasts: Any, activities: Any) -> None:
    """Raise if a parameter of the areas breaks its rule."""
    low, high = arguments.pair("contrasts", contrasts, minimum=0)
    if low > high:
        raise ValueError(
            f"`contrasts` must be (medium, high) in order; got {contrasts!r}"
        )
    arguments.pair("activities", activities, minimum=1)


def contrast_areas(
    areas: str, contrasts: Sequence[float], activities: Sequence[float]
) -> Areas:
    """The areas of an image in levels of 8 bits."""
    low, high = contrasts
    medium, much = (activity - 1 for activity in activities)
    return Areas(low, high, medium, much, areas == "improved")
