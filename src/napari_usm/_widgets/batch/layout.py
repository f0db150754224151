"""Layout of the dock: recipe, table, place of the results, progress and buttons."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from napari_usm._widgets.batch.table_view import TableModel, TableView
from napari_usm._widgets.dock.layout import button, narrow, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

# What there is room for next to a canvas.
_WIDTH = 330

# Steps of the bar for all images.
_STEPS = 1000

#: Formats that are offered, by the names in `io.FORMATS`; none is that of the input.
FORMATS = {"as the input": None, "OME-Zarr": "ome-zarr", "OME-TIFF": "ome-tiff"}


class BatchLayout:
    """Arranges the controls of the batch inside a widget.

    Parameters
    ----------
    root : QWidget
        The widget that napari docks.
    """

    def __init__(self, root: QWidget) -> None:
        self.recipe = QComboBox()
        self.recipe.setToolTip(
            "Take the recipe of an open sharpening dock, whose controls it follows, or "
            "of a file."
        )
        self.load = button("Load…", "Read a recipe from a file.")
        self.said = paragraph()
        self.files = button("Add files…", "Add images to the list.")
        self.folder = button(
            "Add folder…", "Add all images of a folder, or an OME-Zarr image."
        )
        self.remove = button("Remove", "Take the selected rows out of the list.")
        self.model = TableModel()
        self.view = TableView(self.model)
        self.details = paragraph()
        self.output = QLineEdit()
        self.output.setPlaceholderText('folder "sharpened" next to the inputs')
        self.output.setToolTip(
            "Folder of the results. Empty: a folder named sharpened in the folder of "
            "the inputs."
        )
        self.output.setAcceptDrops(False)  # what is dropped is an input
        self.choose = button("…", "Choose the folder of the results.")
        self.choose.setFixedWidth(32)
        self.format = QComboBox()
        self.format.addItems(list(FORMATS))
        self.format.setToolTip("Format of the results.")
        self.line = paragraph()
        self.progress = QProgressBar()
        self.progress.setRange(0, _STEPS)
        self.open = button(
            "Open", "Open the selected result in the viewer, above its input."
        )
        self.start = button("", "")
        for box in (self.recipe, self.format):
            narrow(box)
        self._arrange(root)
        self.stop()

    def _arrange(self, root: QWidget) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Recipe", _row(self.recipe, self.load))
        results = QFormLayout()
        results.setFieldGrowthPolicy(form.fieldGrowthPolicy())
        results.addRow("Save to", _row(self.output, self.choose))
        results.addRow("Format", self.format)
        adding, actions = QHBoxLayout(), QHBoxLayout()
        for each in (self.files, self.folder, self.remove):
            adding.addWidget(each)
        for each in (self.start, self.open):
            actions.addWidget(each)
        column = QVBoxLayout(root)
        column.addLayout(form)
        column.addWidget(self.said)
        column.addLayout(adding)
        column.addWidget(self.view, 1)
        column.addWidget(self.details)
        column.addLayout(results)
        column.addWidget(self.line)
        column.addWidget(self.progress)
        column.addLayout(actions)
        root.setMinimumWidth(_WIDTH)
        stops = (
            *(self.recipe, self.load, self.files, self.folder, self.remove, self.view),
            *(self.output, self.choose, self.format, self.start, self.open),
        )
        for stop, following in pairwise(stops):
            QWidget.setTabOrder(stop, following)

    def offer(self, names: Sequence[str], chosen: str) -> None:
        """Offer recipes of these names, with one of them chosen."""
        with QSignalBlocker(self.recipe):
            self.recipe.clear()
            self.recipe.addItems(names)
            self.recipe.setCurrentText(chosen)
        self.recipe.setEnabled(bool(names))

    def tell(self, text: str) -> None:
        """Show a line on the whole batch."""
        self.line.setText(text)
        self.line.setVisible(bool(text))

    def run(self) -> None:
        """Show progress, and a button that cancels; the plan cannot be changed."""
        self.start.setText("Cancel")
        self.start.setToolTip(
            "Stop after what is under way; Start goes on from there later."
        )
        self.advance(0.0)
        self.progress.show()
        self._allow(False)

    def advance(self, fraction: float) -> None:
        """Show which part is done."""
        self.progress.setValue(int(_STEPS * fraction))

    def stop(self) -> None:
        """Ready for another run."""
        self.start.setText("Start")
        self.start.setToolTip("Sharpen the images of the list that are not done yet.")
        self.progress.hide()
        self._allow(True)

    def _allow(self, on: bool) -> None:
        changing = (
            *(self.recipe, self.load, self.files, self.folder, self.remove),
            *(self.output, self.choose, self.format),
        )
        for each in changing:
            each.setEnabled(on)


def _row(wide: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(wide, 1)
    for each in others:
        row.addWidget(each)
    return row
