"""Recipes: a method and its parameters as data, resolved for one image.

Dock, live results, layer functions, programs and `napari_usm.sharpen` all reach a
method through `resolve`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm import arguments, axes
from napari_usm._methods import METHODS, check_known

if TYPE_CHECKING:
    from napari_usm._methods.base import Method
    from napari_usm._methods.parameter import Parameter
    from napari_usm.geometry import Geometry

#: Units of a threshold and of an edge map. Detail in units of its noise is its
#: significance.
INTENSITY, NOISE = "intensity", "× noise"
UNITS = INTENSITY, NOISE


@dataclass(frozen=True)
class ImageInfo:
    """Shape, type, axes and colours of an image, without its pixels.

    Attributes
    ----------
    shape : tuple of int
        Shape, channels included.
    dtype : dtype
        Type of the pixels.
    geometry : Geometry, optional
        Axes, without the colours of `rgb`, and the steps along them.
    rgb : bool
        Whether the last axis holds red, green and blue, and alpha if there is a fourth.
    displayed : tuple of float, optional
        Range of the intensities that are displayed.
    channel_axis : int, optional
        Axis of the fluorescence channels of an image that is not `rgb`. It is one of
        the axes of `geometry`, labelled "c".
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    geometry: Geometry | None = None
    rgb: bool = False
    displayed: tuple[float, float] | None = None
    channel_axis: int | None = None


@dataclass(frozen=True)
class Recipe:
    """A method with its parameters, as a user gave them.

    Attributes
    ----------
    method : str
        Name in `METHODS`.
    parameters : mapping
        Parameters of the method. A sigma may be a length, such as ``'0.35 µm'``, or one
        for each filtered axis; a threshold a multiple of the noise, such as
        ``'3 noise'``.
    dimensions : str or sequence of str, optional
        Filter "planes" or "volumes" of an image whose axes have names, or the axes of
        these names: "YX", "ZYX", ("depth", "row", "col"). A sigma for each axis is in
        the order of the names. None: filter the axes that `parameters` name.
    z_axis : int, optional
        The third axis of volumes, where the labels do not say.
    significance : bool
        Whether the edge map is the detail in units of its noise.
    edge_map : bool
        Whether the edge map is wanted as a file of its own.
    estimate : mapping, optional
        Constants of a whole image or series, by the names of `Constants`, and "limits":
        numbers and nested sequences of them. None: they are estimated in every image.
    """

    method: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dimensions: str | Sequence[str] | None = None
    z_axis: int | None = None
    significance: bool = False
    edge_map: bool = False
    estimate: Mapping[str, Any] | None = None

    @classmethod
    def from_controls(
        cls,
        method: str,
        *,
        dimensions: str = axes.PLANES,
        z_axis: int | None = None,
        sigma_unit: str = axes.PIXELS,
        threshold_unit: str = INTENSITY,
        edge_map_unit: str = INTENSITY,
        **parameters: Any,
    ) -> Recipe:
        """Return the recipe that the values of controls describe.

        A number and its unit are two controls, and presets have names there.

        Raises
        ------
        TypeError, ValueError
            If the method has no such parameter, or none that takes such a unit.
        """
        check_known(method, parameters)
        known = METHODS[method].parameters
        given = {
            name: dict(known[name].presets).get(value, value)
            if isinstance(value, str)
            else value
            for name, value in parameters.items()
        }
        if not isinstance(sigma_unit, str) or not sigma_unit.strip():
            error = ValueError if isinstance(sigma_unit, str) else TypeError
            raise error(
                f"`sigma_unit` must be '{axes.PIXELS}' or the name of a unit of "
                f"length; got {sigma_unit!r}"
            )
        if sigma_unit != axes.PIXELS:
            if not takes_length(method):
                raise ValueError(
                    f"`sigma_unit` must be '{axes.PIXELS}' for {method}, which has no "
                    f"sigma per axis; got {sigma_unit!r}"
                )
            sigma = given.get("sigma", known["sigma"].default)
            given["sigma"] = _with_unit(sigma, sigma_unit)
        arguments.choice("threshold_unit", threshold_unit, UNITS)
        arguments.choice("edge_map_unit", edge_map_unit, UNITS)
        if threshold_unit == NOISE:
            if "threshold" not in known:
                raise ValueError(
                    f"`threshold_unit` must be '{INTENSITY}' for {method}, which has "
                    f"no threshold; got '{NOISE}'"
                )
            multiple = arguments.real("threshold", given.get("threshold", 0.0))
            given["threshold"] = f"{multiple:.12g} noise"
        return cls(method, given, dimensions, z_axis, edge_map_unit == NOISE)

    def as_controls(self) -> tuple[dict[str, Any], list[str]]:
        """Return the values of controls that give this recipe: see `from_controls`.

        Returns
        -------
        controls : dict
            Only what the recipe says; all else has its default.
        hidden : list of str
            What no control can show, such as "axes XZ".
        """
        known = METHODS[self.method].parameters
        controls: dict[str, Any] = {}
        hidden: list[str] = []
        dimensions = _named_dimensions(self.dimensions)
        if dimensions is None:
            names = self.dimensions or self.parameters.get("axes")
            hidden.append(f"axes {_listed(names)}")
        else:
            controls["dimensions"] = dimensions
        if self.z_axis is not None:
            controls["z_axis"] = self.z_axis
        if self.significance:
            controls["edge_map_unit"] = NOISE
        if self.estimate:
            hidden.append("constants estimated before")
        for name, value in self.parameters.items():
            shown = _as_control(known[name], value)
            length = _quantity(shown) if name == "sigma" else None
            if name == "threshold" and (multiple := _quantity(shown)):
                shown, controls["threshold_unit"] = multiple[0], NOISE
            elif length and takes_length(self.method):
                shown, controls["sigma_unit"] = length[0], _short_unit(length[1])
            if shown is not None:
                controls[name] = shown
            elif value != known[name].default:
                hidden.append(f"{known[name].label.lower()} {_listed(value)}")
        return controls, hidden


@dataclass(frozen=True)
class Resolved:
    """A recipe made ready for one image.

    Attributes
    ----------
    method : Method
        The method with all its parameters.
    parameters : dict
        Those that were given or follow from the image, as the method's function takes
        them.
    """

    method: Method
    parameters: dict[str, Any]


def resolve(recipe: Recipe, info: ImageInfo) -> Resolved:
    """Return the method of a recipe for one image.

    Raises
    ------
    TypeError, ValueError
        If the recipe does not fit the image: the argument, the rule and the value.

    Examples
    --------
    >>> info = ImageInfo((64, 64), np.dtype("uint8"))
    >>> resolve(Recipe("unsharp_mask", {"sigma": 2.0}), info).method.sigma
    2.0
    """
    check_known(recipe.method, recipe.parameters)
    parameters = dict(recipe.parameters)
    known = METHODS[recipe.method].parameters
    geometry = info.geometry
    if recipe.dimensions is not None:
        if geometry is None:
            raise ValueError(
                "`dimensions` must be None for an image whose axes have no names; got "
                f"{recipe.dimensions!r}"
            )
        named = geometry.axes.filtered(recipe.dimensions, recipe.z_axis)
        # One order, that of the image: another would round differently.
        filtered = tuple(sorted(named))
        parameters["axes"] = filtered
        for name in (*lengths_of(recipe.method), "spacing"):
            if name in parameters:
                parameters[name] = _reordered(parameters[name], named, filtered)
        if "spacing" in known and parameters.get("spacing") is None:  # not by hand
            parameters["spacing"] = geometry.spacing(filtered)
    if info.rgb:
        parameters["channel_axis"] = len(info.shape) - 1
        parameters["alpha"] = info.shape[-1] == 4
        result = np.dtype(parameters.get("dtype") or info.dtype)
        if result.kind == "f" and parameters.get("limits") is None:
            # Colours beyond the range that is shown would be drawn as if at its end.
            parameters["limits"] = info.displayed
    elif info.channel_axis is not None:
        parameters["channel_axis"] = info.channel_axis
        # Stains are no colours: they are never mixed, and none of them is alpha.
        parameters["color"] = "channels"
        parameters.pop("alpha", None)
    for name in lengths_of(recipe.method):
        if name in parameters:
            parameters[name] = _in_pixels(name, parameters, geometry)
    return Resolved(METHODS[recipe.method].method(**parameters), parameters)


def plain_python(value: Any) -> Any:
    """Return a value in plain Python, equal to it, which can be written down.

    Numbers, words, truth values, None and tuples of them; anything else as it is, for
    the checks of the method to refuse.
    """
    if isinstance(value, np.ndarray | np.bool_):
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "".join(value)  # of numpy or of an enumeration, too
    if isinstance(value, Integral):
        return operator.index(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Iterable) and not isinstance(value, np.dtype | Mapping):
        return tuple(plain_python(item) for item in value)
    return value


def takes_length(method: str) -> bool:
    """Return whether a method has a sigma for each axis: pixels need not be square."""
    return "sigma" in lengths_of(method)


def lengths_of(method: str) -> tuple[str, ...]:
    """Return the parameters of a method that are lengths along the filtered axes."""
    return tuple(
        name
        for name, known in METHODS[method].parameters.items()
        if known.per_axis and known.unit == axes.PIXELS
    )


def has_significance(method: str) -> bool:
    """Return whether the noise of a method's detail is known."""
    return METHODS[method].method().response((0, 1)) is not None


def _named_dimensions(dimensions: Any) -> str | None:
    """Return "planes" or "volumes" for names of axes, if they are one of these."""
    if dimensions in (axes.PLANES, axes.VOLUMES):
        return str(dimensions)
    letters = sorted(axes.letter_of(str(name)) for name in dimensions or ())
    return {"xy": axes.PLANES, "xyz": axes.VOLUMES}.get("".join(letters))


def _as_control(word: Parameter, value: Any) -> Any:
    """Return a value as the control of a parameter has it; None if it has none."""
    value = plain_python(value)
    if word.control == "none":
        return None
    if word.presets:
        if isinstance(value, np.dtype | type):
            value = np.dtype(value).name
        return next((name for name, preset in word.presets if preset == value), None)
    if isinstance(value, tuple):
        return value[0] if value and len({*value}) == 1 else None
    if word.choices and value not in word.choices:
        return None
    return value


def _short_unit(unit: str) -> str:
    """Return a unit as menus have it: "µm" for "micrometer"."""
    from napari_usm.geometry import parse_unit  # late: it loads pint

    try:
        return f"{parse_unit(unit):~}"
    except Exception:  # pint raises what its parser happens to raise
        return unit


def _listed(values: Any) -> str:
    several = isinstance(values, Sequence) and not isinstance(values, str)
    return f"({', '.join(map(str, values))})" if several else str(values)


def _reordered(values: Any, named: tuple[int, ...], ordered: tuple[int, ...]) -> Any:
    """Return values for each of the named axes in the order of the image."""
    several = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
    if named == ordered or not several or len(values) != len(named):
        return values  # checked by the method
    by_axis = dict(zip(named, values, strict=True))
    return tuple(by_axis[axis] for axis in ordered)


def _with_unit(value: Any, unit: str) -> Any:
    """Return a length, or one for each axis; no numbers are left to be refused."""
    value = arguments.plain(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_with_unit(each, unit) for each in value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"{float(value)!r} {unit}"
    return value


def _in_pixels(
    name: str, parameters: Mapping[str, Any], geometry: Geometry | None
) -> Any:
    """Return a parameter in pixels along each axis, if it holds lengths."""
    sigma = parameters[name]
    several = isinstance(sigma, Sequence) and not isinstance(sigma, str)
    quantities = [_quantity(each) for each in (sigma if several else [sigma])]
    if not any(quantities):
        return sigma  # checked by the method
    if not all(quantities):
        raise TypeError(
            f"`{name}` must be a number or a length along all axes; got {sigma!r}"
        )
    filtered = parameters.get("axes")
    if geometry is None or filtered is None:
        raise ValueError(
            f"`{name}` must be in '{axes.PIXELS}' for an image without a scale; got "
            f"{sigma!r}"
        )
    numbers = [number for number, _ in filter(None, quantities)]
    units = [unit for _, unit in filter(None, quantities)]
    per_axis = arguments.per_axis(
        name, numbers if several else numbers[0], len(filtered), minimum=0
    )
    if not several:
        units *= len(filtered)
    steps = {unit: geometry.pixel_steps(filtered, unit) for unit in set(units)}
    return tuple(
        length / steps[unit][place]
        for place, (length, unit) in enumerate(zip(per_axis, units, strict=True))
    )


def _quantity(text: Any) -> tuple[float, str] | None:
    """Return the number and the unit of a length such as '0.35 µm'."""
    if not isinstance(text, str):
        return None
    number, _, unit = text.strip().partition(" ")
    try:
        return (float(number), unit.strip()) if unit else None
    except ValueError:
        return None
