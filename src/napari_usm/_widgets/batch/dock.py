"""The dock "Batch sharpening": many files by one recipe."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import psutil
from napari.utils.notifications import show_error
from qtpy.compat import isalive
from qtpy.QtCore import QMimeData
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget
from superqt.utils import qdebounced, qthrottled

from napari_usm import io, warm_up
from napari_usm._widgets.batch.layout import FORMATS, BatchLayout
from napari_usm._widgets.batch.opening import Opening
from napari_usm._widgets.batch.recipes import Recipes, recipe_line
from napari_usm._widgets.batch.table_view import row_line
from napari_usm._widgets.batch.worker import Planning, Running
from napari_usm._widgets.dock.watch import DockWatch
from napari_usm._widgets.kernels import kernels_of
from napari_usm.batch.executors import Threads
from napari_usm.batch.rows import Request, Row
from napari_usm.batch.run import message_of
from napari_usm.batch.table import Table, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari.viewer

    from napari_usm.recipe import Recipe

# Milliseconds without a change until it is planned again, and between two times that
# the progress is drawn.
_REST, _PAUSE = 300, 60

_NO_RECIPE = "Open a sharpening dock and tune it, or load a recipe."
_NO_INPUTS = "Drop images, folders or a recipe here."


class BatchWidget(QWidget):
    """Sharpens files by the recipe of a sharpening dock, or of a file.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer whose docks have recipes, and that shows results.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._inputs: list[str] = []
        self._excluded: set[str] = set()
        self._chosen = ""
        self._request: Request | None = None
        self._is_due = False
        self._since = 0.0
        self._recipes = Recipes(self)
        self._opening = Opening(napari_viewer)
        self._planning, self._running = Planning(), Running()
        self._parts = BatchLayout(self)
        self._watch = DockWatch(self)
        self._plan_soon = qdebounced(self._plan, timeout=_REST)
        self._follow_soon = qthrottled(self._follow, timeout=_PAUSE)
        self.setAcceptDrops(True)
        self._connect()
        self._on_recipes()
        self._show_plan()
        warm_up.session.start("unsharp_mask", "")

    # --- what is to be done ---

    @property
    def table(self) -> Table:
        """Return the rows that are shown."""
        return self._parts.model.table

    @property
    def is_planned(self) -> bool:
        """Return whether the table shows what the controls say."""
        return not (self._is_due or self._planning.is_running)

    @property
    def is_running(self) -> bool:
        """Return whether the batch is at work."""
        return self._running.is_running

    def add(self, paths: Sequence[str]) -> None:
        """Add files and folders; a recipe among them is loaded."""
        if self.is_running:
            self._parts.tell("Nothing was added: the batch is at work.")
            return
        for path in paths:
            if path.lower().endswith(".json") and io.find_format(path) is None:
                self._load(path)
            elif path not in self._inputs:
                self._inputs.append(path)
            # What was removed once may be added again.
            self._excluded = {p for p in self._excluded if not p.startswith(path)}
        self._on_change()

    def remove_selected(self) -> None:
        """Take the selected rows out of the list."""
        rows = self.table.rows
        if self.is_running or not self._parts.view.selected:
            return
        gone = {rows[index].input for index in self._parts.view.selected}
        if len(gone) == len(rows):
            self._inputs.clear()
            self._excluded.clear()
        self._inputs = [path for path in self._inputs if path not in gone]
        self._excluded |= gone if self._inputs else set()
        self._parts.model.show(Table(r for r in rows if r.input not in gone))
        self._on_change()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if _paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        event.acceptProposedAction()
        self.add(_paths(event.mimeData()))

    def _connect(self) -> None:
        parts = self._parts
        self._recipes.changed.connect(self._on_recipes)
        parts.recipe.currentTextChanged.connect(self._on_chosen)
        parts.load.clicked.connect(self._on_load)
        parts.files.clicked.connect(self._on_files)
        parts.folder.clicked.connect(self._on_folder)
        parts.remove.clicked.connect(self.remove_selected)
        parts.view.removed.connect(self.remove_selected)
        parts.view.doubleClicked.connect(lambda _: self._on_open())
        parts.view.selectionModel().selectionChanged.connect(self._show_details)
        parts.output.textChanged.connect(self._on_change)
        parts.choose.clicked.connect(self._on_choose)
        parts.format.currentTextChanged.connect(self._on_change)
        parts.open.clicked.connect(self._on_open)
        parts.start.clicked.connect(self._on_start)
        self._planning.planned.connect(self._on_planned)
        self._planning.failed.connect(self._on_not_planned)
        self._running.came.connect(self._follow_soon)
        self._running.ended.connect(self._on_ended)
        self._watch.orphaned.connect(self._let_go)
        # The window may go without the dock having been closed.
        self.destroyed.connect(self._running.cancel)

    def _on_recipes(self) -> None:
        """Offer the recipes that there are now; what is chosen stays chosen."""
        if not isalive(self):
            return
        names = self._recipes.names
        if self._chosen not in names:
            self._chosen = names[0] if names else ""
        self._parts.offer(names, self._chosen)
        if self.is_running:
            self._parts.recipe.setEnabled(False)
        self._on_change()

    def _on_chosen(self, name: str) -> None:
        self._chosen = name
        self._on_change()

    def _load(self, path: str) -> None:
        try:
            self._chosen = self._recipes.load(path)
        except (OSError, ValueError) as error:
            self._refuse(error)
            return
        self._on_recipes()

    def _on_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Load a recipe", "", "Recipes (*.json)"
        )
        if path:
            self._load(path)

    def _on_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add images")
        if paths:
            self.add(paths)

    def _on_folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Add a folder of images"):
            self.add([path])

    def _on_choose(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Folder of the results"):
            self._parts.output.setText(path)

    def _refuse(self, error: Exception) -> None:
        message = message_of(error)
        self._parts.tell(message)
        show_error(message)

    # --- the plan ---

    def _on_change(self, *_: Any) -> None:
        """Plan soon, if anything has changed."""
        if self.is_running or not isalive(self):
            return
        request = self._read_request()
        if request is not None and request == self._request:
            return
        self._is_due = True
        self._request = request
        self._parts.start.setEnabled(False)
        self._plan_soon()

    def _read_request(self) -> Request | None:
        """Return what the controls say; None if something is missing."""
        recipe = self._recipe()
        if recipe is None or not self._inputs:
            return None
        return Request(
            tuple(self._inputs),
            recipe,
            self._parts.output.text().strip(),
            FORMATS[self._parts.format.currentText()],
            frozenset(self._excluded),
            _memory(),
        )

    def _recipe(self) -> Recipe | None:
        """Return the chosen recipe, and say what it is."""
        try:
            recipe = self._recipes[self._chosen] if self._chosen else None
        except (TypeError, ValueError) as error:
            self._parts.said.setText(message_of(error))
            return None
        self._parts.said.setText(recipe_line(recipe) if recipe else _NO_RECIPE)
        return recipe

    def _plan(self) -> None:
        self._is_due = False
        if not isalive(self) or self.is_running:
            return
        if self._request is None:
            self._planning.cancel()
            self._parts.model.show(Table())
            self._show_plan()
            return
        self._parts.tell("Planning…")
        self._parts.view.invite("Planning…")
        self._planning.ask(self._request)

    def _on_planned(self, rows: list[Row]) -> None:
        if isalive(self) and not self._is_due:
            self._parts.model.show(Table(rows))
            self._show_plan()

    def _on_not_planned(self, reason: str) -> None:
        if isalive(self) and not self._is_due:
            self._parts.model.show(Table())
            self._parts.tell(reason)

    def _show_plan(self) -> None:
        self._parts.tell(self.table.plan_line())
        count = counted(len(self._inputs), "input")
        self._parts.view.invite(
            f"{count}, and no recipe yet." if self._inputs else _NO_INPUTS
        )
        can_start = self._request is not None and bool(self.table.open_rows)
        self._parts.start.setEnabled(can_start)
        self._show_details()

    def _show_details(self, *_: Any) -> None:
        """Show all that is known of the selected row, and what can be done with it."""
        selected = [self.table.rows[index] for index in self._parts.view.selected]
        details = self._parts.details
        details.setText(row_line(selected[0]) if len(selected) == 1 else "")
        details.setVisible(bool(details.text()))
        self._parts.open.setEnabled(any(map(_is_done, selected)))
        self._parts.remove.setEnabled(bool(selected) and not self.is_running)

    # --- the run ---

    def _on_start(self) -> None:
        if self.is_running:
            self._running.cancel()
            self._parts.start.setEnabled(False)
            self._parts.tell("Cancelling…")
            return
        table = self.table
        for index in table.open_rows:
            table.rows[index].look()
        indices = table.open_rows
        occupied = [index for index in indices if table.rows[index].replaces]
        replace = bool(occupied) and ask_replace(self, len(occupied), len(indices))
        if replace is None:
            return
        if not replace:
            indices = [index for index in indices if index not in occupied]
        if not indices:
            self._parts.model.refresh()
            self._show_plan()
            return
        left = [i for i in indices if table.rows[i].earlier == "other"]
        self._since = monotonic()
        jobs = table.start(indices, self._since, overwrite=bool(replace))
        discarded = [
            job for index, job in zip(indices, jobs, strict=True) if index in left
        ]
        kernels = {
            kernels_of(row.plan, row.job.recipe.method)
            for row in (table.rows[index] for index in indices)
            if row.plan is not None and row.job is not None
        }
        self._running.start(jobs, kernels, discarded)
        self._parts.run()
        self._parts.model.refresh()
        self._parts.tell("Preparing…")
        self._show_details()

    def _follow(self) -> None:
        """Show the newest events."""
        if not isalive(self) or not self.is_running:
            return
        rows = [self.table.apply(event) for event in self._running.take()]
        if not rows:
            return
        self._parts.model.refresh(rows)
        self._parts.advance(self.table.fraction)
        if self._parts.start.isEnabled():  # else it is being cancelled
            self._parts.tell(self.table.progress_line(monotonic()))
        self._show_details()

    def _on_ended(self, results: Any) -> None:
        if not isalive(self):
            return
        self._parts.stop()
        if isinstance(results, str):
            self.table.finish([])
            line = f"Failed: {results}"
        else:
            self.table.finish(results)
            line = self.table.end_line(results, monotonic() - self._since)
        self._parts.model.refresh()
        self._show_plan()
        self._parts.tell(line)
        self._on_recipes()  # they may have changed meanwhile

    def _on_open(self) -> None:
        for index in self._parts.view.selected:
            row = self.table.rows[index]
            if not _is_done(row) or row.job is None:
                continue
            try:
                self._opening.open(row.job)
            except Exception as error:  # readers raise what they like
                self._refuse(error)

    def _let_go(self) -> None:
        """The dock was closed: stop, and leave no callback behind."""
        self._plan_soon.cancel()
        self._follow_soon.cancel()
        self._planning.cancel()
        self._running.cancel()
        self._recipes.let_go()


def _memory() -> int:
    """Return the bytes that a job may use: a part of a quarter of the machine's."""
    return int(psutil.virtual_memory().total // 4 // Threads().workers)


def ask_replace(parent: QWidget, occupied: int, count: int) -> bool | None:
    """Ask whether outputs that exist are replaced; None if the user cancels."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Batch sharpening")
    box.setText(f"{counted(occupied, 'output')} of {count} would be replaced.")
    box.setInformativeText("They were made otherwise, or by another recipe.")
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    leave = box.addButton("Leave out", QMessageBox.ButtonRole.AcceptRole)
    leave.setEnabled(count > occupied)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    chosen = box.clickedButton()
    box.deleteLater()
    if chosen is replace:
        return True
    return False if chosen is leave else None


def _paths(data: QMimeData | None) -> list[str]:
    """Return the files and folders that are dragged, and addresses on the web."""
    return [
        url.toLocalFile() if url.isLocalFile() else url.toString()
        for url in ([] if data is None else data.urls())
    ]


def _is_done(row: Row) -> bool:
    return row.status in ("done", "before")
