"""A method and its parameters as a Python program that makes a result again.

The program needs no napari. It gives the same pixels, bit for bit, or stops and says
that what it has read is not what was sharpened.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.plan import Plan, make_plan
from napari_usm._filters.attribute import cached_attribute
from napari_usm._methods import METHODS, check_known
from napari_usm.recipe import plain_python
from napari_usm.sources import Reading, reading_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import DTypeLike

#: The line of a program whose pixels have to be filled in.
TO_FILL = "image = ..."

# Columns of a line, those that Ruff and Black fill.
_WIDTH = 88


@dataclass(frozen=True)
class Source:
    """The pixels that were sharpened.

    Attributes
    ----------
    name : str
        Name of their layer.
    shape : tuple of int
        Their shape; of a pyramid, that of its largest level.
    dtype : dtype
        Their type.
    path : str, optional
        Where they were read from: a file, an array in a Zarr hierarchy, or whatever
        else a reader took.
    reading : Reading, optional
        How the program reads them, and their checksum, if more is known than the path.
    """

    name: str
    shape: Sequence[int]
    dtype: DTypeLike
    path: str | None = None
    reading: Reading | None = None


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
        shape, dtype = _written(plain_python(self.source.shape)), self._plan.dtype.name
        lines = [
            _versions(),
            *imports,
            "",
            *(
                self._reading(reading)
                if reading.function
                else self._place_to_fill(reading, shape, dtype)
            ),
            *_checking(shape, dtype, reading.checksum),
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
        return make_plan(tuple(self.source.shape), np.dtype(self.source.dtype), method)

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
            f"# The layer {self.source.name!r} was read from this file.",
            _call(f"image = {reading.function}", arguments),
            *([f"image = image{reading.view}"] if reading.view else []),
        ]

    def _place_to_fill(self, reading: Reading, shape: str, dtype: str) -> list[str]:
        """Lines that say which image belongs there, and why it is not read."""
        remarks = [f"The pixels of the layer {self.source.name!r} belong here:"]
        remarks[0] += f" {shape} {dtype}."
        if reading.path:
            remarks.append(f"They came from {reading.path!r}.")
        if reading.problem:
            remarks.append(f"That is not read: {ascii(reading.problem)[1:-1]}.")
        return [
            *(f"# {remark}" for remark in remarks),
            TO_FILL,
            "if image is ...:",
            '    raise ValueError("`image` must hold the pixels of the layer")',
        ]

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


def _checking(shape: str, dtype: str, checksum: str | None) -> list[str]:
    """Lines that stop the program at any other pixels."""
    rule = 'f"`image` must be {shape} {dtype}; got {image.shape} {image.dtype}"'
    lines = [
        "# Stop if these are other pixels than those of the layer.",
        f"shape, dtype = {shape}, {_quoted(dtype)}",
        "if image.shape != shape or image.dtype.name != dtype:",
        "    raise ValueError(",
        f"        {rule}",
        "    )",
    ]
    if checksum is not None:
        lines += [
            f"if checksum(image) != {_quoted(checksum)}:",
            '    raise ValueError("`image` must hold the pixels of the layer")',
        ]
    return lines


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
