"""``napari-usm cite``: a recipe as a sentence for a Methods section."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from napari_usm.cli.parser import wrong_use

if TYPE_CHECKING:
    import argparse

DESCRIPTION = (
    "Print a sentence for the Methods section of a paper, with the formula, the "
    "parameters and the version, and the references that it cites."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("recipe", metavar="RECIPE", help="file of a recipe (JSON)")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from napari_usm.batch.recipes import read_recipe
    from napari_usm.scripts import sentence

    with wrong_use():
        text = sentence(read_recipe(options.recipe))
    sys.stdout.write(text)
    return 0
