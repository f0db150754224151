"""Layout of the lab: choices, pages, a line of text, and a button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QTabWidget

from napari_usm._widgets.dock.layout import button, narrow, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magicgui.widgets import Widget
    from qtpy.QtWidgets import QWidget

    from napari_usm._widgets.lab.pages import Page

# Tabs and a plot that can be read.
_WIDTH = 330


class LabLayout:
    """Arranges choices, and pages below them, inside the widget of a container.

    Parameters
    ----------
    root : QWidget
        The container's widget, with a box layout.
    choices : sequence of magicgui widgets
        What is measured.
    pages : dict of str to Page
        By their titles.
    """

    def __init__(
        self, root: QWidget, choices: Sequence[Widget], pages: dict[str, Page]
    ) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for choice in choices:
            narrow(choice.native)
            form.addRow(choice.label, choice.native)
        self.tabs = QTabWidget()
        for title, page in pages.items():
            self.tabs.addTab(page, title)
        self.save = button("Save…", "Save the plot as PNG or SVG, its numbers as CSV.")
        self._line = paragraph()
        row = QHBoxLayout()
        row.addWidget(self._line, 1)
        row.addWidget(self.save)
        root.setMinimumWidth(_WIDTH)
        column = root.layout()
        column.addLayout(form)
        column.addWidget(self.tabs)
        column.setStretchFactor(self.tabs, 1)
        column.addLayout(row)
        self.allow_saving()

    @property
    def page(self) -> Page:
        """Return the page in view."""
        page: Any = self.tabs.currentWidget()
        return page

    def show_status(self, text: str) -> None:
        """Show what was measured, or why it was not."""
        self._line.setText(text)

    def allow_saving(self) -> None:
        """Enable the button if there are findings."""
        self.save.setEnabled(self.page.findings is not None)
