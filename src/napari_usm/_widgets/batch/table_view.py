"""The table of a batch in Qt: a model, and a view with progress in its cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from napari_usm.batch.rows import PROBLEM
from napari_usm.batch.table import Table, size

if TYPE_CHECKING:
    from napari_usm.batch.rows import Row

_COLUMNS = "Image", "State", "Size", "Filtered", "Output"
_STATE = _COLUMNS.index("State")

# Widths at first: image and state are in view in the narrowest dock.
_WIDTHS = 155, 130, 70, 190, 200

# Readable on a dark and on a light ground.
_WRONG, _RIGHT, _BAR = QColor("#e0604f"), QColor("#3da35d"), QColor(90, 140, 220, 110)

_FRACTION = Qt.ItemDataRole.UserRole
_NOWHERE = QModelIndex()


class TableModel(QAbstractTableModel):
    """Rows of a `Table`."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table()

    def show(self, table: Table) -> None:
        """Show another table; what is selected stays if the images are the same."""
        names = [row.input for row in self.table.rows]
        if names == [row.input for row in table.rows]:
            self.table = table
            self.refresh()
            return
        self.beginResetModel()
        self.table = table
        self.endResetModel()

    def refresh(self, rows: Sequence[int] | None = None) -> None:
        """Show what has changed in these rows; in all of them, if none are given."""
        count = len(self.table.rows)
        first, last = (0, count - 1) if rows is None else (min(rows), max(rows))
        if count:
            self.dataChanged.emit(
                self.index(first, 0), self.index(last, len(_COLUMNS) - 1)
            )

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Return the number of images."""
        return 0 if parent.isValid() else len(self.table.rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the name of a column."""
        if role == Qt.ItemDataRole.DisplayRole:
            is_column = orientation == Qt.Orientation.Horizontal
            return _COLUMNS[section] if is_column else section + 1
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row = self.table.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(row)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return row_line(row)
        if index.column() == _STATE:
            if role == Qt.ItemDataRole.ForegroundRole:
                return _colour(row)
            if role == _FRACTION and row.status == "running" and row.total:
                return row.done / row.total
        return None


class TableView(QTableView):
    """Shows the rows; Delete removes those that are selected.

    Parameters
    ----------
    model : TableModel
        The rows.
    """

    #: The selected rows shall go.
    removed = Signal()

    def __init__(self, model: TableModel) -> None:
        super().__init__()
        self._invitation = ""
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)  # Tab goes on to the next control
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegateForColumn(_STATE, _Bar(self))
        self.setMinimumHeight(70)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(
            self.fontMetrics().lineSpacing() + 6
        )
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)

    def sizeHint(self) -> QSize:
        """Return room for a dozen rows, though there may be less."""
        return QSize(super().sizeHint().width(), 270)

    def invite(self, text: str) -> None:
        """Show a text where there are no rows."""
        self._invitation = text
        self.viewport().update()

    @property
    def selected(self) -> list[int]:
        """Return the numbers of the selected rows."""
        chosen = self.selectionModel().selectedRows()
        return sorted(index.row() for index in chosen)

    def select(self, rows: Sequence[int]) -> None:
        """Select these rows."""
        selection = self.selectionModel()
        selection.clearSelection()
        kinds = QItemSelectionModel.SelectionFlag
        for row in rows:
            selection.select(self.model().index(row, 0), kinds.Select | kinds.Rows)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows, or what to do."""
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            with QPainter(self.viewport()) as painter:
                painter.setPen(self.palette().text().color())
                margins = self.viewport().rect().adjusted(12, 12, -12, -12)
                centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(margins, centred, self._invitation)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove rows by Delete, or Backspace as on a Mac; Enter does nothing."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)


class _Bar(QStyledItemDelegate):
    """Paints a bar behind the state of a row that runs."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideRight

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        fraction = index.data(_FRACTION)
        if fraction is not None:
            bar = option.rect.adjusted(0, 1, 0, -1)
            bar.setWidth(round(bar.width() * fraction))
            painter.fillRect(bar, _BAR)
        super().paint(painter, option, index)


def row_line(row: Row) -> str:
    """Return all that is known of a row."""
    if row.status == PROBLEM or row.job is None:
        return row.error if row.input in row.error else f"{row.input}: {row.error}"
    lines = [f"{row.input} → {row.job.output}", f"{row.filtered} · {size(row.nbytes)}"]
    if row.error:
        lines.append(f"Failed: {row.error}")
    elif row.status == "waiting" and row.earlier == "part":
        lines.append("An interrupted run goes on where it was.")
    elif row.status == "waiting" and row.replaces:
        lines.append("There is another result: Start asks before it is replaced.")
    elif row.status == "before":
        lines.append("An earlier run with this recipe did it.")
    return "\n".join(lines)


def _texts(row: Row) -> tuple[str, ...]:
    name = Path(row.input).name
    if row.job is None:
        # The image has its column.
        reason = row.error.replace(row.input, name).removeprefix(f"{name} ")
        return name, f"{row.state}: {reason}", "", "", ""
    if row.job.source.inner:
        name = f"{Path(row.job.source.path).name}/{row.job.source.inner}"
    filtered = row.filtered.removeprefix("Filters ")
    state = f"{row.state}: {row.error}" if row.error else row.state
    return name, state, size(row.nbytes), filtered, row.job.output


def _colour(row: Row) -> QColor | None:
    if row.status in ("failed", PROBLEM):
        return _WRONG
    return _RIGHT if row.status in ("done", "before") else None
