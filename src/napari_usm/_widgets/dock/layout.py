"""Layout of the dock: a form that scrolls, and a row of buttons always in view."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_usm._widgets.dock.live_button import LiveButton
from napari_usm._widgets.dock.title import DockTitle
from napari_usm._widgets.dock.watch import DockWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magicgui.widgets import Widget


# Below this width of the controls, the dock's title with the longest name is cut.
_WIDTH = 318

# Width of the button next to Keep: it holds one sign.
_NARROW = 24

_KEEP = "Keep"

# Milliseconds for which a message stays that is read only once.
_READING = 8000

# Controls that Tab goes to; a number has a slider too, but its keys work in the box.
_STOPS = (QCheckBox, QComboBox, QLineEdit)

# A row of a form: a control with a label, and what stands beside it.
Row = tuple["Widget", ...]


class DockLayout(QObject):
    """Arranges controls inside the widget of a container.

    Parameters
    ----------
    root : QWidget
        The container's widget, with a box layout.
    above, below : sequence of rows
        Controls in the form, before and after those of a method.
    """

    #: A file was dropped onto the dock: its path.
    dropped = Signal(str)

    def __init__(
        self, root: QWidget, above: Sequence[Row], below: Sequence[Row]
    ) -> None:
        super().__init__(root)
        self._rows: dict[int, tuple[QWidget, ...]] = {}
        self._shown: dict[int, bool] = {}
        self._pages: dict[str, tuple[QWidget, QWidget]] = {}
        self._page = ""
        self._sentence = paragraph()
        self._status = _StatusLine()
        self._line = ""
        self._announced = QTimer(self)
        self._announced.setSingleShot(True)
        self._announced.timeout.connect(self._show_line)
        self._progress = QProgressBar()
        self._steps = 0
        self.live = LiveButton(
            "Show every change at once, in two layers that follow the controls."
        )
        self.keep = button(
            _KEEP, "Compute in the background and keep as ordinary layers."
        )
        self.keep_menu = QMenu(root)
        self.keep_in_memory = self.keep_menu.addAction("Keep in memory")
        self.keep_on_disk = self.keep_menu.addAction("Keep on disk…")
        self._keep_choice = _MenuButton(
            self.keep_menu, "Choose where to keep: in memory, or as OME-Zarr files."
        )
        self.reset = button(
            "Reset", "Restore the default values and read the pixels again."
        )
        self.source = button(
            "Source", "Show the source instead of the result, while pressed."
        )
        self.wipe = button(
            "Wipe", "Show the source on one side of a line that can be dragged."
        )
        self.wipe.setCheckable(True)
        ways = QMenu(root)
        self.wipe_ways = [
            ways.addAction("Wipe from left to right"),
            ways.addAction("Wipe from top to bottom"),
        ]
        self.difference = ways.addAction("Difference: edge map × amount")
        self.difference.setCheckable(True)
        self._compare_choice = _MenuButton(ways, "Choose how to compare.")
        self.overshoot = button(
            "Overshoot",
            "Fit the contrast limits of the result to its range, and back.",
        )
        self.overshoot.setCheckable(True)
        self.copy = button(
            "Copy as Python", "Copy a program that makes the same pixels."
        )
        self.save_recipe = button(
            "Save recipe…",
            "Save method and values as a file, for the command line and other images.",
        )
        self.load_recipe = button(
            "Load recipe…",
            "Take method and values from a recipe, a record or a sharpened image. A "
            "file can be dropped here too.",
        )

        self._basic, self._advanced = _Column(), _Column()
        rest = QWidget()
        rows = QVBoxLayout(rest)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self._advanced)
        rows.addWidget(self.copy)
        recipes = QHBoxLayout()
        recipes.addWidget(self.save_recipe)
        recipes.addWidget(self.load_recipe)
        rows.addLayout(recipes)
        self.advanced = _Fold("Advanced", rest)

        page = QWidget()
        rows = QVBoxLayout(page)
        rows.setContentsMargins(0, 0, 6, 0)
        self._around = self._form(above), self._form(below)
        rows.addWidget(self._around[0])
        rows.addWidget(self._basic)
        rows.addWidget(self._around[1])
        rows.addWidget(self._sentence)
        rows.addWidget(self.advanced)
        rows.addStretch(1)
        scroll = _VerticalScrollArea(page)

        actions = QHBoxLayout()
        keeping = QHBoxLayout()
        keeping.setSpacing(1)
        keeping.addWidget(self.keep)
        keeping.addWidget(self._keep_choice)
        actions.addWidget(self.live)
        actions.addLayout(keeping)
        actions.addWidget(self.reset)
        comparing = QHBoxLayout()
        comparing.addWidget(self.source)
        wiping = QHBoxLayout()
        wiping.setSpacing(1)
        wiping.addWidget(self.wipe)
        wiping.addWidget(self._compare_choice)
        comparing.addLayout(wiping)
        comparing.addWidget(self.overshoot)
        column = root.layout()
        column.addWidget(scroll)
        column.addWidget(self._status)
        column.addWidget(self._progress)
        column.addLayout(comparing)
        column.addLayout(actions)
        column.setStretchFactor(scroll, 1)
        self._progress.hide()
        self._status.hide()
        root.setAcceptDrops(True)
        root.installEventFilter(self)
        watch = DockWatch(root)
        self.orphaned, self.shown = watch.orphaned, watch.shown
        self.title = DockTitle(root)
        watch.shown.connect(self.title.show)

    def add_page(
        self, name: str, in_view: Sequence[Row], advanced: Sequence[Row]
    ) -> None:
        """Add the controls of a method, in the form and in the fold."""
        forms = self._form(in_view), self._form(advanced)
        self._pages[name] = forms
        self._basic.add(forms[0])
        self._advanced.add(forms[1])

    def turn_to(self, name: str) -> None:
        """Show the controls of this method and no other's."""
        for other, forms in self._pages.items():
            for form in forms:
                form.setVisible(other == name)
        self._page = name
        self._align()
        self._order_tabs()

    def show_row(self, control: Widget, visible: bool) -> None:
        """Show or hide a control with its label."""
        if self._shown.get(id(control)) != visible:
            self._shown[id(control)] = visible
            control.visible = visible
            for part in self._rows.get(id(control), ()):
                part.setVisible(visible)

    def show_keys(self, hint: Callable[[str], str]) -> None:
        """Say in the tooltips which keys do the same as the buttons."""
        for name in ("live", "keep", "source", "wipe", "copy"):
            control = getattr(self, name)
            tip = control.toolTip().split("\n")[0]
            control.setToolTip(f"{tip}\n{hint(name)}")

    def say(self, sentence: str) -> None:
        """Say what is filtered."""
        self._sentence.setText(sentence)

    def show_status(self, status: str) -> None:
        """Show a status, after an announcement if there is one."""
        self._line = status
        if not self._announced.isActive():
            self._show_line()

    def announce(self, message: str) -> None:
        """Show a message for as long as it takes to read it, or until `dismiss`."""
        self._announced.start(_READING)
        self._show(message)

    def dismiss(self) -> None:
        """End an announcement: the user has done something else."""
        if self._announced.isActive():
            self._announced.stop()
            self._show_line()

    def _show_line(self) -> None:
        self._show(self._line)

    def _show(self, text: str) -> None:
        self._status.setText(text)
        self._status.setVisible(bool(text))

    def start(self, steps: int) -> None:
        """Show progress of that many steps, and a button that cancels."""
        self._steps = steps
        self.keep.setText("Cancel")
        self._keep_choice.setEnabled(False)
        self.dismiss()
        self.show_status("")
        self.advance(0)

    def advance(self, steps: int) -> None:
        """Show that so many steps are done."""
        self.show_progress(steps, self._steps)

    def stop(self) -> None:
        """Ready for another run."""
        self._steps = 0
        self._progress.hide()
        self.keep.setText(_KEEP)
        self._keep_choice.setEnabled(True)

    def end_preparing(self) -> None:
        """Show no progress, unless there is that of a run."""
        self._progress.setVisible(self._steps > 0)

    def show_progress(self, done: int, total: int) -> None:
        """Show how much is done; of a total of 0, that it is unknown."""
        self._progress.setRange(0, total)
        self._progress.setValue(done)
        self._progress.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Labels are as wide as their style makes them; one file may be dropped."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.StyleChange):
            self._align()
        # An event of a drag that enters or moves is one of a drop, too.
        if isinstance(event, QDropEvent) and (path := _dropped_file(event)):
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                # Whoever dragged it waits for the end of this event.
                QTimer.singleShot(0, lambda: self.dropped.emit(path))
            return True
        return super().eventFilter(watched, event)

    def _align(self) -> None:
        """One column of labels in view, though they are in several forms."""
        if self._page not in self._pages:
            return
        forms = (*self._around, self._pages[self._page][0])
        labels = [each for form in forms for each in form.findChildren(_Label)]
        width = max(label.sizeHint().width() for label in labels)
        for label in labels:
            label.setMinimumWidth(width)

    def _order_tabs(self) -> None:
        """Let the Tab key go through the controls as they stand, and then the buttons.

        The pages of the methods are created later than the buttons.
        """
        basic, advanced = self._pages[self._page]
        above, below = self._around
        stops = [
            *(stop for form in (above, basic, below) for stop in _tab_stops(form)),
            self.advanced.heading,
            *_tab_stops(advanced),
            *(self.copy, self.save_recipe, self.load_recipe),
            *(self.source, self.wipe, self._compare_choice, self.overshoot),
            *(self.live, self.keep, self._keep_choice, self.reset),
        ]
        for stop, following in pairwise(stops):
            QWidget.setTabOrder(stop, following)

    def _form(self, rows: Sequence[Row]) -> QWidget:
        form = QWidget()
        lines = QFormLayout(form)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for row in rows:
            control = row[0]
            label = _Label(control.label)
            label.setToolTip(control.tooltip)
            control.label_changed.connect(label.setText, check_nargs=False)
            if isinstance(control.native, QCheckBox):
                control.native.setText("")  # it stands in front, like all others
            narrow(control.native)
            for line in control.native.findChildren(QLineEdit):
                line.setAcceptDrops(False)  # files are for the dock
            field = control.native if len(row) == 1 else _beside(row)
            self._rows[id(control)] = label, field
            lines.addRow(label, field)
        return form


def _dropped_file(event: QDropEvent) -> str:
    """Return the only file of a drag, or an empty text."""
    urls = event.mimeData().urls()
    return urls[0].toLocalFile() if len(urls) == 1 else ""


def _tab_stops(form: QWidget) -> list[QWidget]:
    """Return where the Tab key stops in a form, from top to bottom."""
    children = form.findChildren(QWidget)
    return [each for each in children if isinstance(each, _STOPS)]


class _Label(QLabel):
    """In front of a control."""


class _Column(QWidget):
    """Widgets one below the other."""

    def __init__(self) -> None:
        super().__init__()
        QVBoxLayout(self).setContentsMargins(0, 0, 0, 0)

    def add(self, widget: QWidget) -> None:
        """Add one at the end."""
        self.layout().addWidget(widget)


class _Fold(QWidget):
    """A heading that shows and hides what belongs to it."""

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self._title = title
        self._content = content
        self.heading = QPushButton()
        self.heading.setFlat(True)
        self.heading.setCheckable(True)
        self.heading.setStyleSheet("text-align: left; background: transparent")
        self.heading.toggled.connect(self._show)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.heading)
        rows.addWidget(content)
        self._show(False)

    def _show(self, opened: bool) -> None:
        self.heading.setText(f"{'▾' if opened else '▸'} {self._title}")
        self._content.setVisible(opened)


class _MenuButton(QPushButton):
    """A narrow button next to another that opens a menu."""

    def __init__(self, menu: QMenu, tooltip: str) -> None:
        super().__init__("▾")
        self.setToolTip(tooltip)
        self.setFixedWidth(_NARROW)
        self.clicked.connect(
            lambda: menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        )


class _StatusLine(QWidget):
    """A paragraph whose text changes with every frame of a drag.

    It has no layout: a label in one lays out the whole dock for each text. This does
    so only when the number of lines changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._label = paragraph()
        self._label.setParent(self)
        self.setText = self._label.setText
        self.text = self._label.text

    def event(self, event: QEvent) -> bool:
        """Follow the width, and the text by the request that it posts."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            height = max(self._label.heightForWidth(self.width()), 1)
            self._label.setGeometry(0, 0, self.width(), height)
            if height != self.minimumHeight():
                self.setFixedHeight(height)
        return super().event(event)


class _VerticalScrollArea(QScrollArea):
    """Scrolls up and down only: it is always as wide as what it holds."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        page.installEventFilter(self)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(page)

    def minimumSizeHint(self) -> QSize:
        """Return room for the page, the frame and the scroll bar."""
        width = max(self.widget().minimumSizeHint().width(), _WIDTH)
        bar = self.verticalScrollBar().sizeHint().width()
        frame = 2 * self.frameWidth()
        return QSize(width + bar + frame, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass on that the page may have become wider: layouts keep the old width."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class _WheelGuard(QObject):
    """Leaves the wheel to what a menu lies in: turning it shall not choose."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Wheel:
            return super().eventFilter(watched, event)
        event.ignore()
        return True


def _beside(row: Row) -> QWidget:
    """Return controls side by side, the first as wide as it can be."""
    field = QWidget()
    line = QHBoxLayout(field)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(2)
    for control in row:
        line.addWidget(control.native, control is row[0])
        if control is not row[0]:
            # napari's style has wide margins in menus.
            control.native.setStyleSheet("padding-left: 5px; padding-right: 0px")
            guard(control.native)
    return field


def narrow(widget: QWidget) -> None:
    """Keep long names in menus from taking the room, and the wheel from choosing."""
    for box in (widget, *widget.findChildren(QComboBox)):
        if isinstance(box, QComboBox):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(8)
            guard(box)


def guard(box: QComboBox) -> None:
    """Let the wheel scroll the dock instead of choosing something else."""
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.installEventFilter(_WheelGuard(box))


def button(text: str, tooltip: str) -> QPushButton:
    """A button that says what it does."""
    result = QPushButton(text)
    result.setToolTip(tooltip)
    return result


def paragraph() -> QLabel:
    """Return a text of several lines, that makes no dock wider for a long word."""
    label = QLabel()
    label.setWordWrap(True)
    label.setMinimumWidth(1)
    return label
