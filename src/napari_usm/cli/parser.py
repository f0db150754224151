"""Parser of arguments, and the error of wrong use."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "napari-usm"


class WrongUse(Exception):
    """Arguments that cannot be used: nothing was done."""


@contextmanager
def wrong_use() -> Iterator[None]:
    """Take errors in values and files within for wrong use of the command."""
    try:
        yield
    except (TypeError, ValueError, OSError) as error:
        raise WrongUse(str(error)) from error


def report(path: str, message: str) -> None:
    """Print the error of a file, with its path if the message has none."""
    text = message if path in message else f"{path}: {message}"
    print(f"{NAME}: error: {text}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    """A parser whose errors begin as all errors of the command line do."""

    def __init__(self, **words: Any) -> None:
        # An abbreviation would change its meaning with the next option that is added.
        super().__init__(**{"allow_abbrev": False, **words})

    def error(self, message: str) -> NoReturn:
        """Print usage and error, and exit with status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{NAME}: error: {message}\n")
