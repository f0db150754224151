"""Options of a recipe, made from the table of methods."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_usm import axes
from napari_usm._methods import METHODS
from napari_usm.recipe import Recipe
from napari_usm.recipe_file import OF_IMAGES, check, save

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_usm._methods.parameter import Parameter

METHOD = "unsharp_mask"

# Where the value of a parameter's option stands among the options.
_PLACE = "parameter_"

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d_].*)?")


def parameters_of(method: str) -> dict[str, Parameter]:
    """Return the parameters of a method that have an option, by name."""
    known = METHODS[method].parameters
    return {name: known[name] for name in known if name not in OF_IMAGES}


def option_of(parameter: str) -> str:
    """Return the option of a parameter.

    Examples
    --------
    >>> option_of("median_size")
    '--median-size'
    """
    return f"--{parameter.replace('_', '-')}"


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each parameter of a method, and those of a recipe."""
    group = parser.add_argument_group("recipe")
    group.add_argument(
        "--recipe",
        metavar="FILE",
        help="begin with the recipe in this file: JSON, or an output of napari-usm, or "
        "its record; options override it",
    )
    group.add_argument(
        "--save-recipe", metavar="FILE", help="write the recipe to this file"
    )
    group.add_argument(
        "--method", choices=list(METHODS), help=f"method (default: {METHOD})"
    )
    group.add_argument(
        "--axes",
        type=_axes,
        metavar="AXES",
        help="filtered axes: planes, volumes, letters such as YX or ZYX, or names with "
        "commas, such as depth,row,col (default: planes)",
    )
    group.add_argument(
        "--z-axis",
        type=int,
        metavar="NUMBER",
        help="which axis is Z, counted from 0, where axes have no names",
    )
    flag = argparse.BooleanOptionalAction
    group.add_argument("--edge-map", action=flag, help="write the edge map too")
    group.add_argument(
        "--significance",
        action=flag,
        help="let the edge map be the detail in units of its noise",
    )
    group = parser.add_argument_group(
        "parameters of the methods",
        "A sigma is in pixels (1.5), in a unit of length (0.35um), or has a value for "
        "each filtered axis (1,2,2); a threshold is an intensity (12) or a multiple of "
        "the noise (3noise). Values that begin with a minus and have a comma are "
        "joined to the option: --limits=-5,10.",
    )
    for name in dict.fromkeys(
        each for method in METHODS for each in parameters_of(method)
    ):
        _add_option(group, name)


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Return the recipe that the options describe.

    Raises
    ------
    OSError, TypeError, ValueError
        If the file of a recipe cannot be read, if the method has no such option, or if
        a value breaks its rule.
    """
    base = Recipe(options.method or METHOD, {}, axes.PLANES)
    if options.recipe is not None:
        from napari_usm.batch.recipes import read_recipe  # late: it loads dask

        base = read_recipe(options.recipe)
        if options.method not in (None, base.method):
            raise ValueError(
                f"`--method` must be that of the recipe, {base.method}; got "
                f"{options.method}"
            )
    given = {
        place.removeprefix(_PLACE): value
        for place, value in vars(options).items()
        if place.startswith(_PLACE)
    }
    known = parameters_of(base.method)
    for name, value in given.items():
        if name not in known:
            raise ValueError(
                f"`{option_of(name)}` must be an option of {base.method}: "
                f"{', '.join(map(option_of, known))}; got {value}"
            )
    changes = {
        "dimensions": options.axes,
        "z_axis": options.z_axis,
        "edge_map": options.edge_map,
        "significance": options.significance,
    }
    recipe = replace(
        base,
        parameters={**base.parameters, **given},
        **{name: value for name, value in changes.items() if value is not None},
    )
    _check_estimate(base, recipe, known)
    check(recipe)
    return recipe


def save_recipe(
    options: argparse.Namespace, recipe: Recipe, *, overwrite: bool = False
) -> None:
    """Write the recipe where ``--save-recipe`` says, if it was given."""
    if options.save_recipe is not None:
        save(recipe, options.save_recipe, overwrite=overwrite)


def _check_estimate(
    base: Recipe, recipe: Recipe, known: Mapping[str, Parameter]
) -> None:
    """Raise if an option changes what the estimate of a recipe was made with."""
    if not base.estimate:
        return
    for name, value in recipe.parameters.items():
        former = base.parameters.get(name, known[name].default)
        if value != former:
            raise ValueError(
                f"`{option_of(name)}` must be {former}, as in the recipe, which holds "
                f"an estimate that was made with it; got {value}"
            )
    if recipe.dimensions != base.dimensions:
        raise ValueError(
            f"`--axes` must be {base.dimensions}, as in the recipe, which holds an "
            f"estimate that was made with them; got {recipe.dimensions}"
        )


def _add_option(group: argparse._ArgumentGroup, name: str) -> None:
    """Add the option of a parameter, for all methods that have it."""
    methods = [method for method in METHODS if name in parameters_of(method)]
    known = [METHODS[method].parameters[name] for method in methods]
    kinds = {kind for method in methods for kind in METHODS[method].kinds[name]}
    words: dict[str, Any] = {
        "dest": f"{_PLACE}{name}",
        "default": argparse.SUPPRESS,  # absent unless it was given
        "help": _help(known, methods).replace("%", "%%"),
    }
    if kinds == {"bool"}:
        group.add_argument(
            option_of(name), action=argparse.BooleanOptionalAction, **words
        )
        return
    words["type"] = partial(value_of, kinds=kinds)
    if kinds == {"str"}:
        choices = dict.fromkeys(each for one in known for each in one.choices)
        words["choices"] = [str(choice) for choice in choices] or None
    else:
        words["metavar"] = "VALUE"
    group.add_argument(option_of(name), **words)


def _help(known: Sequence[Parameter], methods: Sequence[str]) -> str:
    tip = known[0].tip or f"{known[0].label}."
    defaults = {one.default for one in known}
    notes = [] if len(methods) == len(METHODS) else [", ".join(methods)]
    if len(defaults) > 1:
        notes.append("default: by method")
    elif known[0].default is not None:
        notes.append(f"default: {known[0].default}")
    return f"{tip} ({'; '.join(notes)})" if notes else tip


def _axes(text: str) -> str | tuple[str, ...]:
    """Return planes, volumes, letters, or names that commas separate."""
    if "," in text:
        return tuple(name.strip() for name in text.split(","))
    return text.lower() if text.lower() in (axes.PLANES, axes.VOLUMES) else text


def value_of(text: str, kinds: set[str]) -> Any:
    """Return the value that a text stands for, if it may be of these kinds.

    What is none of them is left as it is, for the checks of the method.

    Examples
    --------
    >>> value_of("1,2.5", {"float", "Sequence[float]"})
    (1, 2.5)
    >>> value_of("0.35um", {"float"}), value_of("none", {"float", "None"})
    ('0.35 um', None)
    """
    text = text.strip()
    several = any(kind.startswith(("Sequence", "tuple")) for kind in kinds)
    if "None" in kinds and text.lower() == "none":
        return None
    if several and ("," in text or kinds <= {"Sequence[float]", "None"}):
        return tuple(_quantity(part.strip()) for part in text.split(","))
    return text if kinds == {"str"} else _quantity(text)


def _quantity(text: str) -> Any:
    """Return a number, a number and its unit, or the text."""
    matched = _QUANTITY.fullmatch(text)
    if matched and matched[2]:
        return f"{matched[1]} {matched[2]}"
    if re.fullmatch(r"[+-]?\d{1,300}", text):
        return int(text)
    try:
        return text if "_" in text else float(text)
    except ValueError:
        return text
