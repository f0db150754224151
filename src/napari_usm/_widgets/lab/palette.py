"""Colours of the plots, that suit the viewer's theme or white paper."""

from __future__ import annotations

from typing import NamedTuple

from napari.utils.theme import get_theme


class Palette(NamedTuple):
    """Colours, as matplotlib takes them.

    Attributes
    ----------
    paper, ink, faint : str
        Behind everything, texts and axes, and thin lines.
    image, result, reference, mark : str
        What is drawn.
    """

    paper: str
    ink: str
    faint: str
    image: str
    result: str
    reference: str
    mark: str


# Of M. Okabe and K. Ito, "Color universal design" (2008): also those who see less red
# or green can tell them apart. On a dark ground the lighter ones.
_ON_LIGHT = ("#0072b2", "#d55e00", "#007a58", "#b0003a")
_ON_DARK = ("#56b4e9", "#e69f00", "#2fc79a", "#ff6f91")

#: What is saved is for papers.
PRINTED = Palette("#ffffff", "#202020", "#b0b0b0", *_ON_LIGHT)


def palette_of(theme: str) -> Palette:
    """Colours for one of napari's themes."""
    chosen = get_theme(theme)
    paper = chosen.background
    red, green, blue = paper.as_rgb_tuple(alpha=False)
    is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128
    colours = _ON_DARK if is_dark else _ON_LIGHT
    shown = paper, chosen.text, chosen.highlight
    # mypy counts each starred part as a whole palette.
    hexes = [colour.as_hex() for colour in shown]
    return Palette(*hexes, *colours)  # type: ignore[call-arg]
