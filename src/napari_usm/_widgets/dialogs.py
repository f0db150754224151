"""Dialogs that ask for a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtpy.QtWidgets import QWidget


def ask_new(
    parent: QWidget, title: str, name: str, kinds: Mapping[str, str]
) -> Path | None:
    """Ask for the name of a file to write; one that is there already is asked about.

    Parameters
    ----------
    parent, title
        Of the dialog.
    name : str
        What it proposes.
    kinds : mapping
        Kinds of files with the ends of their names, such as ``{"PNG": "png"}``.
    """
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    filters = {f"{kind} (*.{end})": end for kind, end in kinds.items()}
    dialog.setNameFilters([*filters])
    # With the ending, or the question would be about another file.
    dialog.setDefaultSuffix(next(iter(filters.values())))
    dialog.filterSelected.connect(
        lambda chosen: dialog.setDefaultSuffix(filters[chosen])
    )
    dialog.selectFile(name)
    chosen = dialog.selectedFiles() if dialog.exec() else []
    dialog.deleteLater()
    return Path(chosen[0]) if chosen else None


def ask_existing(parent: QWidget, title: str, kind: str) -> Path | None:
    """Ask for a file to read; `kind` is a filter, such as ``"Recipe (*.json)"``."""
    chosen, _ = QFileDialog.getOpenFileName(parent, title, "", kind)
    return Path(chosen) if chosen else None
