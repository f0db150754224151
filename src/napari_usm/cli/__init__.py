"""The command line `napari-usm`: a module for each command, imported when it runs."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

from napari_usm.cli.parser import NAME, Parser, WrongUse

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Name of each command, and its line of help. A module of the name has `DESCRIPTION`,
#: `add_arguments(parser)` and `run(options)`, which returns the exit status.
COMMANDS = {
    "sharpen": "sharpen images, folders and plates from file to file",
    "info": "print what is known of the images in files",
    "measure": "print metrics of an image, alone or beside a reference",
    "methods": "list the methods and their parameters",
    "script": "print a recipe as a Python program",
    "cite": "print a recipe as a sentence for a Methods section",
    "table1": "repeat the experiment of the paper on your pictures",
    "demo": "sharpen a sample in napari",
}

# Exit statuses beside 0, all done, and 1, some failed.
_WRONG_USE, _INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    It is 0 if all is done, 1 if some of it failed, 2 after wrong use, and 130 if it was
    interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and isinstance(sys.stdout, TextIOWrapper):
        # A minus or a µ that an old code page lacks is no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options = _parser(given).parse_args(given)
        status: int = import_module(f"{__name__}.{options.command}").run(options)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # of argparse: help, or wrong use
        return stop.code if isinstance(stop.code, int) else _WRONG_USE
    except WrongUse as error:
        print(f"{NAME}: error: {error}", file=sys.stderr)
        return _WRONG_USE
    except KeyboardInterrupt:
        print(f"{NAME}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # `napari-usm methods | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser(given: Sequence[str]) -> Parser:
    """Return the parser; only the command that is given knows its arguments."""
    parser = Parser(
        prog=NAME,
        description="Sharpen images by unsharp masking, from the command line.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in given if not word.startswith("-")), None)
    for name, line in COMMANDS.items():
        command = commands.add_parser(name, help=line)
        if name == chosen:
            module = import_module(f"{__name__}.{name}")
            command.description = module.DESCRIPTION
            module.add_arguments(command)
    return parser
