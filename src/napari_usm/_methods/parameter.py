"""Description of a parameter of a method, for functions and controls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method.

    Attributes
    ----------
    default : object
        What the signature says.
    label, unit : str
        Words for controls and documents.
    tip : str
        What a control for it does, as an imperative to the person at the control.
    minimum, maximum, step : float, optional
        Range and step of a control; functions take more. Without a step, that of
        a logarithmic slider is a tenth of the number's size.
    logarithmic : bool
        Whether equal distances on a slider are equal ratios. A minimum of 0 then
        stands below four decades.
    choices : tuple of str or int
        The values that a control offers, if they are few.
    presets : tuple of (str, object)
        Values that a control offers, by name, where functions take more kinds.
    control : {"basic", "advanced", "none"}
        Where a control for it stands: in view, in the fold, or nowhere.
    needs : (str, object), optional
        Another parameter and the value that it must have for this one to matter.
    finishing : bool
        Whether it only says what is done with the detail: if it changes, nothing is
        filtered again.
    per_axis : bool
        Whether there may be a number for each filtered axis.
    """

    default: Any
    label: str
    unit: str = ""
    tip: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    logarithmic: bool = False
    choices: tuple[str, ...] | tuple[int, ...] = ()
    presets: tuple[tuple[str, Any], ...] = ()
    control: str = "advanced"
    needs: tuple[str, Any] | None = None
    finishing: bool = False
    per_axis: bool = False


def parameter(default: Any, label: str, **words: Any) -> Any:
    """Dataclass field of a method, described by a `Parameter`."""
    description = Parameter(default, label, **words)
    return field(default=default, metadata={"parameter": description})


def choice(default: str, choices: tuple[str, ...], label: str, **words: Any) -> Any:
    """Field that takes one of a few words."""
    return parameter(default, label, choices=choices, **words)
