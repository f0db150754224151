"""The pages of the lab: a table, and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_usm._widgets.dock.layout import paragraph
from napari_usm.lab.drawing import new_figure, style

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from napari_usm._widgets.lab.palette import Palette

_HEADINGS = ("", "Image", "Result", "Reference")

# What a plot needs at least to be read, and inches that it prefers: with those of
# matplotlib the dock would be half of a small screen.
_LEAST = QSize(240, 170)
_ASKED = (3.4, 2.6)

# Height of a line of the table: all of them are in view in a dock of 500 pixels.
_ROW = 23


class Page(QWidget):
    """Shows findings, or the reason why there are none.

    Parameters
    ----------
    part : str
        What it shows, as `Findings.find` names it.
    content : QWidget
        What shows it.
    """

    def __init__(self, part: str, content: QWidget) -> None:
        super().__init__()
        self.part = part
        self.findings: Any = None
        self._why = paragraph()
        self._why.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._why)
        self._stack.addWidget(content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(self._stack, 1)

    def show_findings(self, findings: Any) -> None:
        """Show this."""
        self.findings = findings
        self._stack.setCurrentIndex(0 if findings is None else 1)

    def empty(self, why: str) -> None:
        """Show nothing, and say why."""
        self._why.setText(why)
        self.show_findings(None)

    def dress(self, colours: Palette) -> None:
        """Take these colours."""


class PlotPage(Page):
    """A plot.

    Parameters
    ----------
    part : str
        What it shows.
    draw : callable
        Draws the findings into a figure, in the colours of a palette.
    """

    def __init__(self, part: str, draw: Callable[..., Any]) -> None:
        self.figure = new_figure(*_ASKED)
        self.canvas = FigureCanvasQTAgg(self.figure)
        self.canvas.setMinimumSize(_LEAST)
        self._draw = draw
        self._colours: Palette | None = None
        super().__init__(part, self.canvas)

    def show_findings(self, findings: Any) -> None:
        """Draw this."""
        super().show_findings(findings)
        self.figure.clear()
        if findings is not None:
            self._draw_into(self.figure, self._colours)
        self.canvas.draw_idle()

    def dress(self, colours: Palette) -> None:
        """Draw in these colours."""
        self._colours = colours
        self.figure.set_facecolor(colours.paper)
        self.show_findings(self.findings)

    def print_into(self, figure: Figure, colours: Palette) -> None:
        """Draw all that is seen into another figure."""
        self._draw_into(figure, colours)

    def _draw_into(self, figure: Figure, colours: Palette) -> None:
        with style():
            self._draw(figure, self.findings, colours)


class TablePage(Page):
    """The table of the metrics; what is selected of it can be copied."""

    def __init__(self) -> None:
        self.table = _Table(0, len(_HEADINGS))
        super().__init__("metrics", self.table)

    def show_findings(self, findings: Any) -> None:
        """Fill the table."""
        super().show_findings(findings)
        rows = [] if findings is None else findings.rows
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            name = f"{row.name} ({row.unit})" if row.unit else row.name
            cells = (name, *map(_said, row[2:]))
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(number, column, item)


class _Table(QTableWidget):
    """Read only; copied as lines of columns with tabs between, with the headings."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(rows, columns)
        self.setHorizontalHeaderLabels(_HEADINGS)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)

    def keyPressEvent(self, event: Any) -> None:
        """Copy what is selected."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)

    def selected_text(self) -> str:
        """Return the selected cells as text; all, if none is selected."""
        selected = sorted({index.row() for index in self.selectedIndexes()})
        rows = selected or range(self.rowCount())
        lines = [_HEADINGS]
        for row in rows:
            lines.append([self.item(row, k).text() for k in range(self.columnCount())])
        return "\n".join("\t".join(line) for line in lines)


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")
