"""``napari-usm methods``: the methods and their parameters."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from napari_usm._methods.entry import Entry
    from napari_usm._methods.parameter import Parameter

DESCRIPTION = (
    "List the methods and their parameters, with defaults, usual ranges, and what they "
    "do. Methods take numbers beyond the usual ranges, which are those of sliders."
)

_WIDEST = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from napari_usm._methods import METHODS

    if options.json:
        rows = [_described(name, entry) for name, entry in METHODS.items()]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for name, entry in METHODS.items():
        print(f"{name}: {entry.label}")
        for line in _lines(entry, width):
            sys.stdout.write(f"{line}\n")
        print()
    return 0


def _described(name: str, entry: Entry) -> dict[str, Any]:
    from napari_usm.cli.options import option_of, parameters_of

    parameters = [
        {
            "name": parameter,
            "option": option_of(parameter),
            "label": known.label,
            "unit": known.unit,
            "tip": known.tip,
            "default": known.default,
            "minimum": known.minimum,
            "maximum": known.maximum,
            "choices": list(known.choices),
        }
        for parameter, known in parameters_of(name).items()
    ]
    return {
        "name": name,
        "label": entry.label,
        "audience": entry.audience,
        "parameters": parameters,
    }


def _lines(entry: Entry, width: int) -> Iterator[str]:
    from napari_usm.cli.options import option_of, parameters_of

    for parameter, known in parameters_of(entry.method().name).items():
        yield f"  {option_of(parameter)}: {', '.join(_facts(known))}"
        yield from textwrap.wrap(
            known.tip, width, initial_indent=" " * 6, subsequent_indent=" " * 6
        )


def _facts(known: Parameter) -> Iterator[str]:
    """Yield default, range and choices."""
    unit = f" {known.unit}" if known.unit else ""
    default = "none" if known.default is None else known.default
    if isinstance(default, bool):
        default, unit = ("on" if default else "off"), ""
    yield f"default {default}{unit if known.default is not None else ''}"
    if known.choices:
        yield f"one of {', '.join(map(str, known.choices))}"
    elif known.minimum is not None:
        yield f"usually {known.minimum:g} to {known.maximum:g}"
