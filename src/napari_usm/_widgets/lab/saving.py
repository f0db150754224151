"""Files of what the lab shows, written whole or not at all."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from napari_usm._widgets.dialogs import ask_new
from napari_usm._widgets.lab.pages import PlotPage
from napari_usm._widgets.lab.palette import PRINTED
from napari_usm.lab.drawing import new_figure, style

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_usm._widgets.lab.pages import Page

# Of a saved plot: inches, and dots of a PNG per inch.
_SIZE = (5.0, 3.6)
_DOTS = 200


def kinds_of(page: Page) -> list[str]:
    """Return the kinds of files that a page can be saved as."""
    return ["png", "svg", "csv"] if isinstance(page, PlotPage) else ["csv"]


def ask_path(parent: QWidget, page: Page) -> Path | None:
    """Return the path that the user chooses; replacing a file has to be confirmed."""
    kinds = {kind.upper(): kind for kind in kinds_of(page)}
    return ask_new(parent, f"Save {page.part}", page.part, kinds)


def save(page: Page, path: Path) -> None:
    """Write what a page shows, as the ending of the name says.

    Raises
    ------
    ValueError
        For another ending.
    OSError
        If it cannot be written; a file of that name is then unchanged.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in kinds_of(page):
        endings = ", ".join(f".{each}" for each in kinds_of(page))
        raise ValueError(f"the file's name must end in {endings}; got '{path.name}'")
    beside = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        if kind == "csv":
            _write_columns(beside, page)
        else:
            _write_plot(beside, cast("PlotPage", page), kind)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _write_columns(path: Path, page: Page) -> None:
    columns = page.findings.columns
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _write_plot(path: Path, page: PlotPage, kind: str) -> None:
    """On white paper, of one size, whatever the dock's."""
    figure = new_figure(*_SIZE)
    figure.set_facecolor(PRINTED.paper)
    page.print_into(figure, PRINTED)
    # Without a date: the same plot is the same file.
    metadata = {"Date": None} if kind == "svg" else None
    with style():
        figure.savefig(path, format=kind, dpi=_DOTS, metadata=metadata)
