"""A recipe as a Python program that makes a result again, and as a sentence about it.

The program needs no napari. It gives the same pixels, bit for bit, or stops and says
that what it has read is not what was sharpened.
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import metadata, version
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm import axes, functions
from napari_usm._engine.plan import Plan, make_plan
from napari_usm._filters.attribute import cached_attribute
from napari_usm._methods import METHODS, check_known
from napari_usm.axes import Axes, letter_of
from napari_usm.recipe import ImageInfo, Recipe, plain_python, resolve
from napari_usm.sources import Reading, reading_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import DTypeLike

    from napari_usm._methods.base import Method
    from napari_usm._methods.parameter import Parameter

#: The line of a program whose pixels have to be filled in.
TO_FILL = "image = ..."

# Parameters that an image says, and those that other words of the sentence say.
_SAID = "axes", "channel_axis", "alpha", "kernel", "hard"

# Length of the axes of an image that stands for any.
_SIDE = 64

# Columns of a line, those that Ruff and Black fill.
_WIDTH = 88


@dataclass(frozen=True)
class Source:
    """The pixels that were sharpened.

    Attributes
    ----------
    name : str
        Name of their layer or file; of any image, its last axes.
    shape : tuple of int, optional
        Their shape; of a pyramid, that of its largest level. None: the program takes
        any image.
    dtype : dtype
        Their type.
    path : str, optional
        Where they were read from: a file, an array in a Zarr hierarchy, or whatever
        else a reader took.
    reading : Reading, optional
        How the program reads them, and their checksum, if more is known than the path.
    kind : str
        Noun for what has the name.
    """

    name: str
    shape: Sequence[int] | None
    dtype: DTypeLike
    path: str | None = None
    reading: Reading | None = None
    kind: str = "layer"

    @property
    def description(self) -> str:
        """Return kind and name, or what is known of any image."""
        if self.shape is None:
            return f"an image whose last axes are {self.name}"
        return f"the {self.kind} {self.name!r}"


@dataclass(frozen=True)
class Script:
    """A method, its parameters, and what it was applied to.

    Attributes
    ----------
    method : str
        Name in `METHODS`.
    parameters : mapping
        Those of the method that were given, in any order. They are kept as plain
        Python: numbers, words, tuples of them, and a dtype by its name.
    source : Source
        The pixels.
    significance : bool
        Whether the program also makes the detail in units of its noise.

    Raises
    ------
    TypeError, ValueError
        If the method could not have sharpened such pixels: the argument, the rule and
        the value.

    Examples
    --------
    >>> source = Source("cells", (512, 512), "uint16", "cells.tif")
    >>> script = Script("unsharp_mask", {"sigma": np.float32(2), "amount": 1}, source)
    >>> print(script.as_python())  # doctest: +ELLIPSIS
    # napari-usm ..., numpy ..., Python ...
    import napari_usm as usm
    import tifffile
    <BLANKLINE>
    # The layer 'cells' was read from this file.
    image = tifffile.imread("cells.tif")
    # Stop if these are other pixels than those of the layer.
    shape, dtype = (512, 512), "uint16"
    if image.shape != shape or image.dtype.name != dtype:
        raise ValueError(
            f"`image` must be {shape} {dtype}; got {image.shape} {image.dtype}"
        )
    <BLANKLINE>
    found = usm.sharpen(image, "unsharp_mask", sigma=2.0)
    result, edge_map = found.image, found.edge_map
    <BLANKLINE>
    """

    method: str
    parameters: Mapping[str, Any]
    source: Source
    significance: bool = False

    def __post_init__(self) -> None:
        """Check, and keep a copy in plain Python."""
        check_known(self.method, self.parameters)
        kept = {name: plain_python(value) for name, value in self.parameters.items()}
        object.__setattr__(self, "parameters", kept)
        plan = self._plan
        if kept.get("dtype") is not None:
            kept["dtype"] = plan.result.name

    def as_python(self, gain: Any = None, gain_from: str = "the whole image") -> str:
        """The program that makes the result again.

        Parameters
        ----------
        gain : float or array, optional
            The gain that a method found for the result, which the program then takes
            as it is: it may have been found in a part of the image. Where the method
            finds several, one for each item or channel, or none, this is ignored: the
            program estimates them again, in the whole image.
        gain_from : str
            Words for what `gain` is that of.

        Returns
        -------
        str
            Formatted as Ruff and Black would. Sharpened image and edge map are its
            variables `result` and `edge_map`.

        Raises
        ------
        ValueError
            If `gain` holds several numbers where the method finds one.
        """
        reading = self.source.reading or reading_of(self.source.path)
        modules = ["napari_usm as usm", *([reading.module] if reading.module else [])]
        imports = [f"import {module}" for module in modules]
        if reading.checksum is not None:
            imports.append("from napari_usm.sources import checksum")
        remarks, call = [], self
        if gain is not None and self._finds_one_gain:
            found_in = " ".join(gain_from.split())
            remarks = [
                f"# The gain of {found_in}; without `gains` it is estimated again."
            ]
            call = self._with_gain(gain)
        shape = dtype = ""
        if self.source.shape is not None:
            shape = _written(plain_python(self.source.shape))
            dtype = self._plan.dtype.name
        lines = [
            _versions(),
            *imports,
            "",
            *(
                self._reading(reading)
                if reading.function
                else self._place_to_fill(reading, shape, dtype)
            ),
            *(self._checking(shape, dtype, reading.checksum) if shape else []),
            "",
            *remarks,
            _call("found = usm.sharpen", call._arguments()),
            "result, edge_map = found.image, found.edge_map",
            *self._significance(call),
        ]
        return "\n".join(lines) + "\n"

    @cached_attribute
    def _plan(self) -> Plan:
        """The method, made ready for such pixels."""
        method = METHODS[self.method].method(**self.parameters)
        shape = self.source.shape
        if shape is None:
            shape = (_SIDE,) * len(method.axes or (0, 1))
        return make_plan(tuple(shape), np.dtype(self.source.dtype), method)

    @property
    def _finds_one_gain(self) -> bool:
        known = METHODS[self.method].parameters
        several = prod(self._plan.constants_shape) > 1
        return "gains" in known and self._plan.method.finds_amount and not several

    def _with_gain(self, gain: Any) -> Script:
        if np.size(gain) != 1:
            raise ValueError(f"`gain` must be one number; got {gain!r}")
        only = np.asarray(gain).reshape(1)
        return replace(self, parameters={**self.parameters, "gains": only})

    def _reading(self, reading: Reading) -> list[str]:
        """Lines that read the image."""
        arguments = [_quoted(reading.path), *reading.options]
        return [
            f"# {_capital(self.source.description)} was read from this file.",
            _call(f"image = {reading.function}", arguments),
            *([f"image = image{reading.view}"] if reading.view else []),
        ]

    def _place_to_fill(self, reading: Reading, shape: str, dtype: str) -> list[str]:
        """Lines that say which image belongs there, and why it is not read."""
        remarks = [f"The pixels of {self.source.description} belong here"]
        remarks[0] += f": {shape} {dtype}." if shape else "."
        if reading.path:
            remarks.append(f"They came from {reading.path!r}.")
        if reading.problem:
            remarks.append(f"That is not read: {ascii(reading.problem)[1:-1]}.")
        return [
            *(f"# {remark}" for remark in remarks),
            TO_FILL,
            "if image is ...:",
            f"    raise ValueError({_quoted(self._rule)})",
        ]

    @property
    def _rule(self) -> str:
        return f"`image` must hold the pixels of the {self.source.kind}"

    def _checking(self, shape: str, dtype: str, checksum: str | None) -> list[str]:
        """Lines that stop the program at any other pixels."""
        rule = 'f"`image` must be {shape} {dtype}; got {image.shape} {image.dtype}"'
        lines = [
            f"# Stop if these are other pixels than those of the {self.source.kind}.",
            f"shape, dtype = {shape}, {_quoted(dtype)}",
            "if image.shape != shape or image.dtype.name != dtype:",
            "    raise ValueError(",
            f"        {rule}",
            "    )",
        ]
        if checksum is not None:
            lines += [
                f"if checksum(image) != {_quoted(checksum)}:",
                f"    raise ValueError({_quoted(self._rule)})",
            ]
        return lines

    def _significance(self, call: Script) -> list[str]:
        if not self.significance:
            return []
        return [_call("significance = usm.significance", call._arguments())]

    def _arguments(self) -> list[str]:
        """Return the arguments of `sharpen`, in the order of the signature."""
        written = ["image", _quoted(self.method)]
        for name, parameter in METHODS[self.method].parameters.items():
            value = self.parameters.get(name, parameter.default)
            if value != parameter.default:
                written.append(_argument(name, value))
        return written


def program(
    recipe: Recipe, info: ImageInfo | None = None, source: Source | None = None
) -> str:
    """Return the program that does what a recipe says.

    Parameters
    ----------
    recipe : Recipe
        What to do.
    info : ImageInfo, optional
        Axes of the image and the steps along them. Without it the program takes any
        image whose last axes are those of the recipe.
    source : Source, optional
        The pixels of that image.

    Returns
    -------
    str
        As of `Script.as_python`.

    Raises
    ------
    TypeError, ValueError
        If the recipe does not fit the image; if its sigma is a length and no image says
        how long a pixel is; if it holds an estimate that no parameter takes.

    Examples
    --------
    >>> recipe = Recipe("unsharp_mask", {"sigma": 2.0}, "planes")
    >>> print(program(recipe))  # doctest: +ELLIPSIS
    # napari-usm ..., numpy ..., Python ...
    import napari_usm as usm
    <BLANKLINE>
    # The pixels of an image whose last axes are Y and X belong here.
    image = ...
    if image is ...:
        raise ValueError("`image` must hold the pixels of the image")
    <BLANKLINE>
    found = usm.sharpen(image, "unsharp_mask", sigma=2.0, axes=(-2, -1))
    result, edge_map = found.image, found.edge_map
    <BLANKLINE>
    """
    gain, others = None, []
    for name, value in (recipe.estimate or {}).items():
        if name == "gain":
            gain = value
        elif name != "amount" and value is not None:
            others.append(name)
    if others or (recipe.estimate and gain is None):
        raise ValueError(
            "`estimate` must hold a gain, and nothing that is no parameter of the "
            f"method, in a program; got {', '.join(recipe.estimate or ())}"
        )
    if info is None or source is None:
        parameters, source = _for_any_image(recipe)
    else:
        parameters = resolve(recipe, info).parameters
    script = Script(recipe.method, parameters, source, recipe.significance)
    return script.as_python(gain, "the recipe")


def _for_any_image(recipe: Recipe) -> tuple[dict[str, Any], Source]:
    """Return the parameters for an image that ends with the axes of the recipe."""
    import pint  # late: it loads dask

    from napari_usm.geometry import Geometry

    names = _filtered_names(recipe)
    if not names:
        raise ValueError(
            "`dimensions` must name the filtered axes in a program for any image; got "
            "None"
        )
    count = len(names)
    pixel = pint.get_application_registry().Unit("pixel")  # type: ignore[no-untyped-call]
    step = partial(np.eye, count)
    geometry = Geometry("a program for any image", names, step, [pixel] * count)
    info = ImageInfo((_SIDE,) * count, np.dtype(np.float32), geometry)
    parameters = resolve(replace(recipe, dimensions=names), info).parameters
    parameters["axes"] = tuple(range(-count, 0))
    if recipe.parameters.get("spacing") is None:
        parameters.pop("spacing", None)
    listed = Axes(names).listed(range(count))
    return parameters, Source(listed, None, np.float32, kind="image")


def sentence(recipe: Recipe) -> str:
    """Return a sentence for a Methods section, and the references that it cites.

    Raises
    ------
    TypeError, ValueError
        If there is no such method, or if it has no such parameter.

    Examples
    --------
    >>> recipe = Recipe("laplacian_sharpen", {"median_size": 3}, "volumes")
    >>> first, _, *references = sentence(recipe).splitlines()
    >>> print(first)  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    Images were sharpened by Laplacian sharpening [1] (napari-usm ... [2]; sharpened =
    image + amount · edge map, edge map = −Laplacian of the median-filtered image, in
    the spacing of the pixels, amount = 0.7, median size = 3 px), filtered in Z, Y and X
    of each volume.
    >>> len(references)
    2
    """
    check_known(recipe.method, recipe.parameters)
    entry = METHODS[recipe.method]
    given = {name: plain_python(value) for name, value in recipe.parameters.items()}
    method = entry.method(**given)
    references = _references(recipe.method)
    technique = entry.technique or f"the method {entry.label!r}"
    software = f"napari-usm {version('napari-usm')}"
    numbers = ", ".join(str(number + 1) for number in range(len(references)))
    cited = f" [{numbers}]" if references else ""
    terms = [
        "sharpened = image + amount · edge map",
        _edge_map_in_words(method),
        *_given_in_words(method, entry.parameters),
        *_estimates_in_words(recipe.estimate),
    ]
    line = (
        f"Images were sharpened by {technique}{cited} ({software} "
        f"[{len(references) + 1}]; {', '.join(terms)}), {_axes_in_words(recipe)}."
    )
    references.append(f"{_authors()}, {software}, {_homepage()}.")
    rows = [f"[{number + 1}] {text}" for number, text in enumerate(references)]
    return "\n".join([line, "", *rows]) + "\n"


def _edge_map_in_words(method: Method) -> str:
    words = method.in_words
    threshold = method.thresholding
    if not threshold:
        return words
    how = (
        "detail where it reaches the threshold, else 0"
        if threshold.hard
        else "detail reduced by the threshold, 0 below it"
    )
    return words.replace("edge map = ", f"edge map = {how}, detail = ", 1)


def _given_in_words(method: Method, known: Mapping[str, Parameter]) -> list[str]:
    """Return the parameters that matter: the main ones, and any that was changed."""
    terms = []
    for name, described in known.items():
        value = plain_python(getattr(method, name))
        other, needed = described.needs or ("name", method.name)
        if name in _SAID or getattr(method, other) != needed:
            continue  # it changes nothing
        is_off = not value or described.choices or described.control != "basic"
        if value == described.default and is_off:
            continue
        if name == "gains" and len(value) == 1:
            continue  # it is the gain
        words = _value_in_words(value, described)
        terms.append(f"{described.label.lower()} = {words}")
    return terms


def _value_in_words(value: Any, described: Parameter) -> str:
    for words, preset in described.presets:
        if value == preset:
            return words
    if isinstance(value, str):
        return re.sub(r" +noise$", " × noise of the detail", value.strip())
    if isinstance(value, tuple):
        text = f"({', '.join(map(_number, value))})"
        if any(isinstance(item, str) for item in value):
            return text
    else:
        text = _number(value)
    unit = described.unit if described.unit != "intensity" else ""
    return f"{text} {unit}".rstrip()


def _number(value: Any) -> str:
    if isinstance(value, type | np.dtype):
        return str(np.dtype(value).name)
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def _estimates_in_words(estimate: Mapping[str, Any] | None) -> list[str]:
    if not estimate:
        return []
    single = [
        f"{name} = {_number(value)}"
        for name, value in estimate.items()
        if isinstance(value, int | float)
    ]
    more = f": {', '.join(single)}" if single else ""
    return [f"with constants that were estimated once for all images{more}"]


def _axes_in_words(recipe: Recipe) -> str:
    names = _filtered_names(recipe)
    if names:
        part = {1: "line", 2: "plane"}.get(len(names), "volume")
        return f"filtered in {Axes(names).listed(range(len(names)))} of each {part}"
    chosen = recipe.parameters.get("axes")
    if chosen is None:
        return "filtered along all axes in space"
    return f"filtered along the axes {', '.join(map(str, chosen))}, counted from 0"


def _references(method: str) -> list[str]:
    """Return the first reference of a method, and if it has no DOI one that has."""
    text = inspect.getdoc(getattr(functions, method, None)) or ""
    _, _, text = text.partition("References\n----------\n")
    text, _, _ = text.partition("\n\n")
    texts = [" ".join(each.split()) for each in re.split(r"\.\. \[\d+\] ", text)[1:]]
    plain = [
        re.sub(r":doi:`([^`]+)`", r"https://doi.org/\1", each).replace("``", "")
        for each in texts
    ]
    if not plain or "doi.org" in plain[0]:
        return plain[:1]
    return plain[:1] + [each for each in plain if "doi.org" in each][:1]


def _authors() -> str:
    return str(metadata("napari-usm")["Author"])


def _homepage() -> str:
    urls = metadata("napari-usm").get_all("Project-URL") or [", "]
    by_name: dict[str, str] = dict(url.split(", ", 1) for url in urls)
    return by_name.get("Homepage", "")


def _filtered_names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the filtered axes, as shown; none if they have numbers."""
    if recipe.dimensions is None:
        return ()
    letters = {axes.PLANES: "YX", axes.VOLUMES: "ZYX"}
    chosen = recipe.dimensions
    labels = letters.get(chosen, chosen) if isinstance(chosen, str) else chosen
    return Axes([letter_of(label) or label for label in labels]).names


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _versions() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    ours = version("napari-usm")
    return f"# napari-usm {ours}, numpy {np.__version__}, Python {python}"


def _written(value: Any) -> str:
    """A plain value as Python, with Ruff's quotes and exponents."""
    if isinstance(value, tuple):
        items = ", ".join(map(_written, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    return repr(value).replace("e+", "e")


def _quoted(text: str) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    quotes = {"'": "'", '"': '"', quote: "\\" + quote}
    # Letter by letter: of a text, `repr` would choose the quotes.
    inner = "".join(quotes.get(letter) or repr(letter)[1:-1] for letter in text)
    return f"{quote}{inner}{quote}"


def _argument(name: str, value: Any) -> str:
    """An argument of a call; a tuple too long for its line has a line for each item."""
    line = f"{name}={_written(value)}"
    if not isinstance(value, tuple) or len(f"    {line},") <= _WIDTH:
        return line
    items = "".join(f"        {_written(item)},\n" for item in value)
    return f"{name}=(\n{items}    )"


def _call(function: str, arguments: Sequence[str]) -> str:
    """A call on one line, with its arguments on the next, or with a line for each."""
    together = ", ".join(arguments)
    if len(line := f"{function}({together})") <= _WIDTH:
        return line
    if len(line := f"    {together}") <= _WIDTH:
        return f"{function}(\n{line}\n)"
    rows = "".join(f"    {argument},\n" for argument in arguments)
    return f"{function}(\n{rows})"
