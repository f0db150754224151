"""Recipes as JSON: written, read, checked, and described by a schema.

A file holds what a user typed, such as ``"0.35 µm"``: no code, and no path that is
opened. Whatever is wrong with it is a `ValueError` that names the key, the rule and the
value.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypeAliasType

from napari_usm import axes
from napari_usm._engine.plan import make_plan
from napari_usm._methods import METHODS
from napari_usm.axes import Axes, letter_of
from napari_usm.geometry import Geometry, parse_unit
from napari_usm.recipe import ImageInfo, Recipe, plain_python, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_usm._methods.parameter import Parameter

#: The version of the form of recipes that is written and read.
VERSION = 1

# Characters of a recipe, and bytes of its file: those of thousands of estimates.
_LONGEST = 2**20

# Lists within lists: as many as arrays have axes.
_DEEPEST = 32

# Digits of a number that every float is smaller than.
_DIGITS = 310

# Characters of a wrong value that are shown.
_SHOWN = 80

# What an image says, and no recipe for many images.
_OF_IMAGES = "channel_axis", "alpha"

_Number = int | float
_Value = bool | _Number | str | None | list[_Number | str]
# A recursive type has a name, for the schema.
_Numbers = TypeAliasType("_Numbers", "_Number | list[_Numbers]")


class _Estimate(BaseModel):
    """Constants that were estimated once, to be shared by images."""

    model_config = ConfigDict(extra="forbid", strict=True)

    amount: _Numbers | None = None
    gain: _Numbers | None = None
    estimate: _Numbers | None = None
    noise: _Numbers | None = None
    limits: _Numbers | None = None


class _Document(BaseModel):
    """A recipe of napari-usm: what to do with images.

    The descriptions are the rules of error messages too: "`key` must be ...".
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1] = Field(description="1, the version of this form")
    method: str = Field(description="the name of a method")
    parameters: dict[str, _Value] = Field(
        default={},
        description="an object of numbers, strings, true, false, null, or lists of "
        "numbers or strings",
    )
    axes: str | list[str] = Field(
        default=axes.PLANES,
        description='"planes", "volumes", letters such as "ZYX", or a list of names',
    )
    z_axis: int | None = Field(
        default=None,
        ge=0,
        description="the number of the axis that is Z, counted from 0, where axes have "
        "no names, or null",
    )
    edge_map: bool = Field(
        default=False, description="true to write the edge map too, or false"
    )
    significance: bool = Field(
        default=False,
        description="true if the edge map is the detail in units of its noise, or "
        "false",
    )
    estimate: _Estimate | None = Field(
        default=None,
        description="an object of numbers and nested lists of numbers, with the keys "
        f"{', '.join(_Estimate.model_fields)}, or null",
    )


def dumps(recipe: Recipe) -> str:
    """Return a recipe as JSON: keys sorted, indented by two spaces, a line's end.

    Raises
    ------
    TypeError, ValueError
        If the recipe breaks a rule, or holds what JSON cannot: infinite numbers, or
        axes by their numbers.

    Examples
    --------
    >>> recipe = Recipe("unsharp_mask", {"sigma": "0.35 µm"}, "ZYX")
    >>> print(dumps(recipe), end="")
    {
      "axes": "ZYX",
      "edge_map": false,
      "method": "unsharp_mask",
      "parameters": {
        "sigma": "0.35 µm"
      },
      "significance": false,
      "version": 1
    }
    """
    if recipe.dimensions is None:
        raise ValueError(
            f"`dimensions` must be '{axes.PLANES}', '{axes.VOLUMES}' or names of axes "
            "in a recipe that is written; got None"
        )
    document = {
        "version": VERSION,
        "method": recipe.method,
        "parameters": {
            name: _written(name, value) for name, value in recipe.parameters.items()
        },
        "axes": _as_lists(recipe.dimensions),
        "z_axis": plain_python(recipe.z_axis),
        "edge_map": plain_python(recipe.edge_map),
        "significance": plain_python(recipe.significance),
        "estimate": None
        if recipe.estimate is None
        else {
            name: _as_lists(value)
            for name, value in recipe.estimate.items()
            if value is not None
        },
    }
    _recipe_of(document)
    short = {key: value for key, value in document.items() if value is not None}
    text = json.dumps(short, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n"


def loads(text: str) -> Recipe:
    """Return the recipe that a text or the record of an output holds.

    Lists become tuples.

    Raises
    ------
    ValueError
        If the text is no JSON, or breaks a rule of recipes.

    Examples
    --------
    >>> loads('{"version": 1, "method": "laplacian_sharpen"}').dimensions
    'planes'
    """
    if not isinstance(text, str):
        raise TypeError(f"`text` must be a string; got {type(text).__name__}")
    if len(text) > _LONGEST:
        raise ValueError(
            f"`text` must have at most {_LONGEST:,} characters; got {len(text):,}"
        )
    try:
        document = json.loads(
            text, object_pairs_hook=_without_repeats, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"`text` must be JSON; got {error}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if isinstance(document, dict) and isinstance(document.get("recipe"), dict):
        document = document["recipe"]  # of the record of an output
    try:
        return _recipe_of(document)
    except TypeError as error:  # a wrong kind of value is a wrong text
        raise ValueError(str(error)) from None


def save(
    recipe: Recipe, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a recipe to a file, which appears when it is complete.

    Raises
    ------
    FileExistsError
        If there is such a file, and `overwrite` is false.
    TypeError, ValueError
        As for `dumps`.
    """
    text, path = dumps(recipe), Path(path)
    # In a folder beside it: replacing a file is atomic within one file system.
    with TemporaryDirectory(prefix=".recipe-", dir=path.parent) as folder:
        complete = Path(folder, "recipe.json")
        with complete.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not overwrite:
            # It fails if the file exists, whoever makes it at this moment.
            with suppress(FileExistsError):
                _link(complete, path)
                return
            raise FileExistsError(
                f"`path` must be that of no file, unless `overwrite` is true; got "
                f"{str(path)!r}"
            )
        complete.replace(path)


def load(path: str | os.PathLike[str]) -> Recipe:
    """Return the recipe that a file holds.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no recipe: the path, the key, the rule and the value.
    """
    with Path(path).open("rb") as file:
        data = file.read(_LONGEST + 1)
    try:
        if len(data) > _LONGEST:
            raise ValueError(f"`text` must have at most {_LONGEST:,} bytes; got more")
        return loads(data.decode("utf-8-sig"))  # as editors of Windows write it, too
    except ValueError as error:
        coded = isinstance(error, UnicodeDecodeError)
        reason = f"`text` must be UTF-8; got {error}" if coded else str(error)
        raise ValueError(f"recipe {str(path)!r}: {reason}") from None


def schema() -> dict[str, Any]:
    """Return the JSON schema of recipes, with the parameters of every method.

    Examples
    --------
    >>> sorted(schema()["properties"])[:3]
    ['axes', 'edge_map', 'estimate']
    """
    described = _Document.model_json_schema()
    described |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Recipe of napari-usm",
        "description": "What to do with images: a method, its parameters, and the axes "
        "that are filtered.",
        "oneOf": [_method_schema(method) for method in METHODS],
    }
    described["properties"]["method"]["enum"] = list(METHODS)
    return described


def _recipe_of(document: Any) -> Recipe:
    """Return the recipe of a document in Python, when all of it was checked."""
    if not isinstance(document, dict):
        raise ValueError(
            f"`text` must be a JSON object, with a method; got {_shown(document)}"
        )
    _check_version(document)
    for path, value in _leaves(document):
        _check_leaf(path, value)
    try:
        _Document.model_validate(document)
    except ValidationError as error:
        raise ValueError(_in_our_words(error, document)) from None
    given = {key: value for key, value in document.items() if key != "version"}
    dimensions = given.pop("axes", axes.PLANES)
    estimate = given.pop("estimate", None)
    recipe = Recipe(
        **given
        | {
            "parameters": {
                name: plain_python(value)
                for name, value in given.get("parameters", {}).items()
            },
            "dimensions": plain_python(dimensions),
            "estimate": None
            if estimate is None
            else {name: plain_python(value) for name, value in estimate.items()},
        }
    )
    _check(recipe)
    return recipe


def _check_version(document: Mapping[str, Any]) -> None:
    ours = f"{VERSION}, which napari-usm {version('napari-usm')} reads"
    if "version" not in document:
        raise ValueError(f"`version` must be given: {ours}")
    given = document["version"]
    if type(given) is not int or given != VERSION:
        later = type(given) is int and given > VERSION
        hint = ": a later napari-usm reads it" if later else ""
        raise ValueError(f"`version` must be {ours}; got {_shown(given)}{hint}")


def _check(recipe: Recipe) -> None:
    """Check all that can be checked without an image, on an image that fits."""
    for name in recipe.parameters:
        if name in _OF_IMAGES:
            raise ValueError(
                f"`parameters` must not hold `{name}`, which the image says; got "
                f"{_shown(recipe.parameters[name])}"
            )
        if name == "axes":
            raise ValueError(
                "`parameters` must not hold `axes`, which is a key of the recipe; got "
                f"{_shown(recipe.parameters[name])}"
            )
    for name, value in (recipe.estimate or {}).items():
        try:
            np.array(value, np.float64)
        except ValueError:
            raise ValueError(
                f"`estimate.{name}` must be numbers or nested lists of one shape; got "
                f"{_shown(value)}"
            ) from None
    labels = _labels(recipe.dimensions)
    matrix = partial(np.eye, len(labels))
    units = [parse_unit("µm")] * len(labels)
    geometry = Geometry("any image", labels, matrix, units)
    info = ImageInfo((64,) * len(labels), np.dtype(np.float32), geometry)
    example = Recipe(recipe.method, recipe.parameters, labels)
    plan = make_plan(info.shape, info.dtype, resolve(example, info).method)
    if recipe.significance and not plan.has_significance:
        raise ValueError(
            f"`significance` must be false for {recipe.method}, whose detail has no "
            "known noise; got true"
        )


def _labels(dimensions: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return labels of an image that has the axes of a recipe and no others."""
    if dimensions == axes.PLANES:
        return ("y", "x")
    if dimensions == axes.VOLUMES:
        return ("z", "y", "x")
    names = dimensions or ()
    labels = tuple(letter_of(name) or name for name in names)
    unique = {label.casefold() for label in labels}
    in_space = all(Axes((name,)).plane for name in names)
    if not labels or len(unique) < len(labels) or not in_space or not all(names):
        raise ValueError(
            f"`axes` must be '{axes.PLANES}', '{axes.VOLUMES}' or names of axes in "
            f"space, without repeats, such as 'ZYX'; got {_shown(dimensions)}"
        )
    return labels


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield all that is neither object nor list, each with its name; keys too."""
    todo = [(path, value, 0)]
    while todo:
        path, value, depth = todo.pop()
        if depth > _DEEPEST:
            raise ValueError(_TOO_DEEP)
        if isinstance(value, dict):
            yield from ((".".join(path) or "text", key) for key in value)
            todo += [((*path, str(k)), each, depth + 1) for k, each in value.items()]
        elif isinstance(value, list | tuple):
            todo += [(path, each, depth + 1) for each in value]
        else:
            yield ".".join(path), value


def _check_leaf(name: str, value: Any) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"`{name}` must be text without lone surrogates; got {value!a}"
            ) from None
    elif isinstance(value, int | float):
        try:
            finite = np.isfinite(float(value))
        except OverflowError:
            finite = False
        if not finite:
            raise ValueError(f"`{name}` must be finite; got {_shown(value)}")


def _in_our_words(error: ValidationError, document: dict[str, Any]) -> str:
    """Return the first error: the key, the rule and the value."""
    first = error.errors()[0]
    key = str(first["loc"][0])
    if key not in _Document.model_fields:
        keys = ", ".join(sorted(_Document.model_fields))
        return f"`{key}` must be a key of a recipe: {keys}"
    rule = _Document.model_fields[key].description
    if key not in document:
        return f"`{key}` must be given: {rule}"
    value, name = document[key], key
    if key in ("parameters", "estimate") and isinstance(value, dict):
        inner = str(first["loc"][1])
        if first["type"] == "extra_forbidden":
            keys = ", ".join(_Estimate.model_fields)
            return f"`{inner}` must be a key of `{key}`: {keys}"
        name, value = f"{key}.{inner}", value.get(inner)
        rule = (
            "a number, a string, true, false, null, or a list of numbers or strings"
            if key == "parameters"
            else "a number or nested lists of numbers"
        )
    return f"`{name}` must be {rule}; got {_shown(value)}"


def _written(name: str, value: Any) -> Any:
    """Return a parameter as JSON has it; a type by its name."""
    if name == "dtype" and value is not None and not isinstance(value, str):
        with suppress(TypeError):  # refused with the rest
            value = np.dtype(value).name
    return _as_lists(value)


def _as_lists(value: Any) -> Any:
    value = plain_python(value)
    return list(map(_as_lists, value)) if isinstance(value, tuple) else value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"`{twice}` must be given once; got {keys.count(twice)} of it")
    return document


def _integer(text: str) -> float:
    """Return a whole number; one that is too long for Python is infinite."""
    return int(text) if len(text) <= _DIGITS else float(text)


def _link(source: Path, path: Path) -> None:
    """Give a file a name that must be free."""
    try:
        os.link(source, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with path.open("xb"):
            source.replace(path)


def _shown(value: Any) -> str:
    """Return a value for a message, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _method_schema(method: str) -> dict[str, Any]:
    entry = METHODS[method]
    known = {
        name: _parameter_schema(entry.parameters[name], entry.kinds[name])
        for name in entry.parameters
        if name not in (*_OF_IMAGES, "axes")
    }
    return {
        "title": entry.label,
        "properties": {
            "method": {"const": method},
            "parameters": {"properties": known, "additionalProperties": False},
        },
    }


_KINDS = {
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "DTypeLike": {"type": "string"},
    "None": {"type": "null"},
    "Sequence[float]": {"type": "array", "items": {"type": "number"}},
    "tuple[float, float]": {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
    },
}
_LENGTHS = [
    {"type": "string", "description": "a length, such as 0.35 µm"},
    {"type": "array", "items": {"type": "string"}},
]
_TOO_DEEP = f"`text` must have lists within at most {_DEEPEST} others; got more"


def _parameter_schema(known: Parameter, kinds: Sequence[str]) -> dict[str, Any]:
    described = {"title": known.label, "default": plain_python(known.default)}
    if known.tip:
        described["description"] = known.tip
    if known.choices and kinds == ("str",):
        return described | {"enum": list(known.choices)}
    alternatives = [_KINDS[kind] for kind in kinds] + _LENGTHS * known.per_axis
    return described | {"anyOf": alternatives}
