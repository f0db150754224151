"""``napari-usm script``: a recipe as a Python program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_usm.cli.parser import wrong_use

if TYPE_CHECKING:
    import argparse

    from napari_usm.recipe import Recipe

DESCRIPTION = (
    "Print the Python program that does what a recipe says. With INPUT it reads that "
    "file and stops at other pixels; without, it is for any image that ends with the "
    "axes of the recipe, and its sigma must be in pixels."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("recipe", metavar="RECIPE", help="file of a recipe (JSON)")
    parser.add_argument(
        "input", metavar="INPUT", nargs="?", help="image that the program reads"
    )
    parser.add_argument(
        "--input-axes",
        metavar="AXES",
        help="names of the axes of INPUT, such as TCYX, instead of those in the file",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from napari_usm.batch.recipes import read_recipe
    from napari_usm.scripts import program

    with wrong_use():
        recipe = read_recipe(options.recipe)
        if options.input is None:
            text = program(recipe)
        else:
            text = _program_for(recipe, options.input, options.input_axes)
    sys.stdout.write(text)
    return 0


def _program_for(recipe: Recipe, path: str, input_axes: str | None) -> str:
    from napari_usm.io import open_image
    from napari_usm.scripts import Source, program
    from napari_usm.sources import find_reading

    with open_image(path, input_axes) as image:
        reading = find_reading(path, image.pixels)
        source = Source(
            Path(path).name, image.shape, image.dtype, path, reading, "image"
        )
        return program(recipe, image.info, source)
