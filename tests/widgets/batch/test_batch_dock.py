"""The dock "Batch sharpening", opened through the manifest in a real viewer."""

import time

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

import cases
import napari_usm as usm
from harness import wait_for
from napari_usm import io, recipe_file
from napari_usm._widgets.batch import dock as dock_module
from napari_usm._widgets.batch import opening
from napari_usm._widgets.batch.recipes import recipe_line
from napari_usm.batch import Batch
from napari_usm.io.image import Metadata
from napari_usm.recipe import Recipe

STACK = cases.picture((3, 40, 50), "uint16")
PLANE = cases.picture((20, 30), "uint8")
LARGE = cases.picture((4, 600, 1100), "uint16")
IN_UM = Metadata(("z", "y", "x"), (0.5, 0.2, 0.2), ("micrometer",) * 3)


@pytest.fixture
def folder(tmp_path):
    """An ImageJ TIFF and an OME-Zarr image in µm, a plain TIFF, and one that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    ome_zarr = io.find_format("b.ome.zarr")
    ome_zarr.write(folder / "b.ome.zarr", STACK, IN_UM, {})
    tifffile.imwrite(
        folder / "a.tif",
        STACK,
        imagej=True,
        resolution=(5.0, 5.0),
        metadata={"axes": "ZYX", "spacing": 0.5, "unit": "um"},
    )
    tifffile.imwrite(folder / "c.tif", PLANE)
    (folder / "d.tif").write_text("no image")
    return folder


@pytest.fixture
def docks(open_dock, make_napari_viewer):
    """A function: a viewer with an image, the sharpening dock and the batch dock."""

    def opened(show=False):
        viewer = make_napari_viewer(show=show)
        viewer.add_image(PLANE, name="tuned")
        _, sharpening = open_dock("Unsharp mask", viewer)
        sharpening.sigma.value = 1.5
        _, batch = open_dock("Batch sharpening", viewer)
        return viewer, sharpening, batch

    return opened


def drop(widget, *paths):
    """Drop files and folders onto a widget, or onto what it lies in."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    entered = QDragEnterEvent(QPoint(5, 5), copy, data, *buttons)
    QApplication.sendEvent(widget, entered)
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), copy, data, *buttons))
    return entered.isAccepted()


def plan(qtbot, batch, *paths):
    """Drop these, and wait until the table shows the plan."""
    if paths:
        assert drop(batch._parts.view.viewport(), *paths)
    assert wait_for(qtbot, lambda: batch.is_planned and not batch._is_due)
    return batch.table.rows


def start(qtbot, batch):
    """Press Start, and wait for the end."""
    batch._parts.start.click()
    assert wait_for(qtbot, lambda: not batch.is_running)


def states(batch):
    return [row.state for row in batch.table.rows]


def cells(batch):
    model = batch._parts.model
    columns = range(model.columnCount())
    return [
        [model.data(model.index(row, column)) for column in columns]
        for row in range(model.rowCount())
    ]


def test_drop_run_and_open(docks, folder, qtbot):
    """A folder is planned in rows, sharpened by the dock's recipe, and opened."""
    viewer, sharpening, batch = docks()
    assert wait_for(qtbot, batch._parts.recipe.currentText)
    assert batch._parts.recipe.currentText() == "Unsharp mask (dock)"
    plan(qtbot, batch, folder)
    assert [line[:3] for line in cells(batch)[:3]] == [
        ["a.tif", "ready", "12 kB"],
        ["b.ome.zarr", "ready", "12 kB"],
        ["c.tif", "ready", "600 B"],
    ]
    assert cells(batch)[0][3] == "Y and X of each of 3 planes"
    assert cells(batch)[0][4] == str(folder / "sharpened" / "a.tif")
    name, problem, *_ = cells(batch)[3]
    assert name == "d.tif"
    assert problem.startswith("problem: is no TIFF")
    start(qtbot, batch)
    assert states(batch) == ["done", "done", "done", "problem"]
    assert batch._parts.line.text().startswith("3 of 3 images done")
    assert not batch._parts.start.isEnabled()
    expected = usm.unsharp_mask(STACK, 1.5, axes=(1, 2))
    for name in ("a.tif", "b.ome.zarr"):
        with io.open_image(folder / "sharpened" / name) as result:
            np.testing.assert_array_equal(np.asarray(result.pixels), expected)
            assert result.metadata.scale == pytest.approx((0.5, 0.2, 0.2))
    np.testing.assert_array_equal(
        tifffile.imread(folder / "sharpened" / "c.tif"), usm.unsharp_mask(PLANE, 1.5)
    )
    # Opening changes neither the selection nor, with it, the recipe.
    tuned = viewer.layers["tuned"]
    batch._parts.view.select([0, 1])
    batch._parts.open.click()
    assert [layer.name for layer in viewer.layers] == [
        "tuned",
        "a",
        "a sharpened",
        "b",
        "b sharpened",
    ]
    for source, result in (("a", "a sharpened"), ("b", "b sharpened")):
        source, result = viewer.layers[source], viewer.layers[result]
        np.testing.assert_array_equal(source.data, STACK)
        np.testing.assert_array_equal(result.data, expected)
        assert tuple(source.scale) == pytest.approx((0.5, 0.2, 0.2))
        for attribute in ("scale", "translate", "units", "axis_labels"):
            assert tuple(getattr(source, attribute)) == tuple(
                getattr(result, attribute)
            )
        assert [str(unit) for unit in source.units] == ["micrometer"] * 3
        assert source.contrast_limits == result.contrast_limits
    assert viewer.layers.selection == {tuned}
    assert sharpening.layer.value is tuned
    batch._parts.open.click()
    assert len(viewer.layers) == 5
    plan(qtbot, batch)
    assert states(batch) == ["done", "done", "done", "problem"]


def test_a_large_result_is_read_plane_by_plane(docks, folder, qtbot, monkeypatch):
    """Its layer reads from the file, with the same pixels."""
    monkeypatch.setattr(opening, "_AT_ONCE", 1000)
    viewer, _, batch = docks()
    plan(qtbot, batch, folder / "b.ome.zarr", folder / "a.tif")
    start(qtbot, batch)
    for row in (0, 1):
        below, above = batch._opening.open(batch.table.rows[row].job)
        assert not isinstance(above.data, np.ndarray)
        np.testing.assert_array_equal(np.asarray(below.data), STACK)
        np.testing.assert_array_equal(
            np.asarray(above.data), usm.unsharp_mask(STACK, 1.5, axes=(1, 2))
        )
        assert viewer.layers.index(above) == viewer.layers.index(below) + 1


def test_cancel_and_resume(docks, tmp_path, qtbot, monkeypatch):
    """A run that is cancelled leaves no output, and goes on with another Start."""
    tifffile.imwrite(
        tmp_path / "large.tif", LARGE, imagej=True, metadata={"axes": "ZYX"}
    )
    monkeypatch.setattr(dock_module, "_memory", lambda: 2**20)
    _, _, batch = docks()
    batch._parts.format.setCurrentText("OME-Zarr")
    (row,) = plan(qtbot, batch, tmp_path / "large.tif")
    output = tmp_path / "sharpened" / "large.ome.zarr"
    assert row.job.output == str(output)
    seen = slow_down(monkeypatch, batch)
    batch._parts.start.click()
    assert wait_for(qtbot, lambda: len(seen) > 1)
    assert not batch._parts.files.isEnabled()
    assert drop(batch, tmp_path)
    assert len(batch.table.rows) == 1  # nothing is added while it runs
    batch._parts.start.click()
    assert wait_for(qtbot, lambda: not batch.is_running)
    assert states(batch) == ["cancelled"]
    assert batch._parts.line.text().startswith("0 of 1 image done · 1 cancelled")
    assert row.job.work_folder.exists()
    assert not output.exists()
    assert batch._parts.start.isEnabled()
    start(qtbot, batch)
    assert states(batch) == ["done"]
    with io.open_image(output) as result:
        np.testing.assert_array_equal(
            np.asarray(result.pixels), usm.unsharp_mask(LARGE, 1.5, axes=(1, 2))
        )


def slow_down(monkeypatch, batch):
    """Let a run wait after each unit; the numbers of units that are done."""
    seen, listen = [], batch._running._listen

    def listen_slowly(event):
        listen(event)
        if event.stage == "sharpen":
            seen.append(event.done)
            time.sleep(0.2)

    monkeypatch.setattr(batch._running, "_listen", listen_slowly)
    return seen


@pytest.mark.parametrize("closed", ["dock", "viewer"])
def test_closing_cancels(docks, tmp_path, qtbot, monkeypatch, closed):
    """Without its dock, or its viewer, a batch stops and leaves what it has done."""
    tifffile.imwrite(
        tmp_path / "large.tif", LARGE, imagej=True, metadata={"axes": "ZYX"}
    )
    monkeypatch.setattr(dock_module, "_memory", lambda: 2**20)
    ends, run = [], Batch.run

    def run_and_note(self):
        ends.append(run(self))
        return ends[-1]

    monkeypatch.setattr(Batch, "run", run_and_note)
    viewer, sharpening, batch = docks()
    plan(qtbot, batch, tmp_path / "large.tif")
    seen = slow_down(monkeypatch, batch)
    job = batch.table.rows[0].job
    batch._parts.start.click()
    assert wait_for(qtbot, lambda: bool(seen))
    if closed == "dock":
        viewer.window.remove_dock_widget(batch)
    else:
        viewer.close()
    assert wait_for(qtbot, lambda: bool(ends))
    assert [result.status for result in ends[0]] == ["cancelled"]
    assert job.work_folder.exists()
    if closed == "dock":
        sharpening.sigma.value = 2.0  # nobody follows it any more
        qtbot.wait(50)


def test_recipes_follow_docks_and_files(open_dock, make_napari_viewer, folder, qtbot):
    """Docks that open, change and close, and a file that is dropped."""
    viewer = make_napari_viewer()
    _, batch = open_dock("Batch sharpening", viewer)
    qtbot.wait(0)
    parts = batch._parts
    assert parts.said.text().startswith("Open a sharpening dock")
    plan(qtbot, batch, folder / "c.tif")
    assert batch.table.rows == []
    assert not parts.start.isEnabled()
    viewer.add_image(PLANE)
    _, sharpening = open_dock("Unsharp mask", viewer)
    assert wait_for(qtbot, lambda: parts.said.text().startswith("Unsharp mask"))
    assert [row.state for row in plan(qtbot, batch)] == ["ready"]
    sharpening.sigma.value = 2.5
    assert parts.said.text() == (
        "Unsharp mask · sigma 2.5 · amount 1 · threshold 0 · planes"
    )
    assert not parts.start.isEnabled()  # until it is planned again
    (row,) = plan(qtbot, batch)
    assert row.job.recipe.parameters["sigma"] == 2.5
    recipe = Recipe("laplacian_sharpen", {"amount": 0.5}, "planes", edge_map=True)
    recipe_file.save(recipe, folder / "mine.json")
    drop(batch, folder / "mine.json")
    assert parts.recipe.currentText() == "mine.json"
    (row,) = plan(qtbot, batch)
    assert row.job.recipe == recipe
    assert (
        recipe_line(recipe) == "Laplacian sharpen · amount 0.5 · planes · with edge map"
    )
    start(qtbot, batch)
    expected = usm.sharpen(PLANE, "laplacian_sharpen", amount=0.5)
    sharpened = folder / "sharpened"
    np.testing.assert_array_equal(tifffile.imread(sharpened / "c.tif"), expected.image)
    np.testing.assert_array_equal(
        tifffile.imread(sharpened / "c-edge-map.tif"), expected.edge_map
    )
    viewer.window.remove_dock_widget(sharpening.native)
    assert wait_for(qtbot, lambda: parts.recipe.count() == 1)
    assert parts.recipe.currentText() == "mine.json"


def test_a_wrong_recipe_is_refused(docks, tmp_path, notifications):
    """With its reason, and the recipe that was chosen stays."""
    _, _, batch = docks()
    (tmp_path / "wrong.json").write_text('{"version": 7}')
    drop(batch, tmp_path / "wrong.json")
    assert "`version` must be 1" in notifications()[-1]
    assert "wrong.json" not in batch._recipes.names


@pytest.mark.parametrize("answer", [None, False, True])
def test_outputs_that_exist(docks, folder, qtbot, monkeypatch, answer):
    """They are asked about: cancel, leave them out, or replace them."""
    _, sharpening, batch = docks()
    plan(qtbot, batch, folder / "c.tif")
    start(qtbot, batch)
    before = (folder / "sharpened" / "c.tif").read_bytes()
    sharpening.sigma.value = 3.0
    plan(qtbot, batch, folder / "a.tif")
    assert states(batch) == ["ready", "output exists"]
    questions = []

    def ask(parent, *counts):
        questions.append(counts)
        return answer

    monkeypatch.setattr(dock_module, "ask_replace", ask)
    start(qtbot, batch)
    assert questions == [(1, 2)]
    assert (
        states(batch)
        == {
            None: ["ready", "output exists"],
            False: ["done", "output exists"],
            True: ["done", "done"],
        }[answer]
    )
    after = (folder / "sharpened" / "c.tif").read_bytes()
    assert (after == before) == (answer is not True)
    if answer:
        np.testing.assert_array_equal(
            tifffile.imread(folder / "sharpened" / "c.tif"),
            usm.unsharp_mask(PLANE, 3.0),
        )


@pytest.mark.parametrize(
    ("text", "answer"),
    [("Replace", True), ("Leave out", False), ("Cancel", None), ("Enter", None)],
)
def test_the_question(qtbot, text, answer):
    """Enter replaces nothing."""
    parent = QWidget()
    qtbot.addWidget(parent)

    def reply():
        box = QApplication.activeModalWidget()
        found = {button.text().replace("&", ""): button for button in box.buttons()}
        if text == "Enter":
            QTest.keyClick(box, Qt.Key.Key_Return)
        else:
            found[text].click()

    QTimer.singleShot(50, reply)
    assert dock_module.ask_replace(parent, 1, 2) is answer


def test_an_error_stands_in_its_row(docks, folder, qtbot):
    """The others are done; the next Start tries it again."""
    _, _, batch = docks()
    plan(qtbot, batch, folder / "a.tif", folder / "c.tif")
    pixels = (folder / "a.tif").read_bytes()
    (folder / "a.tif").write_bytes(pixels[:3000])
    start(qtbot, batch)
    assert states(batch) == ["failed", "done"]
    row = batch.table.rows[0]
    assert row.error
    assert cells(batch)[0][1] == f"failed: {row.error}"
    batch._parts.view.select([0])
    assert f"Failed: {row.error}" in batch._parts.details.text()
    assert batch._parts.line.text().startswith("1 of 2 images done · 1 failed")
    (folder / "a.tif").write_bytes(pixels)
    start(qtbot, batch)
    assert states(batch) == ["done", "done"]


def test_keys(docks, folder, qtbot):
    """Delete removes rows; Enter starts and opens nothing; Tab goes on."""
    viewer, _, batch = docks(show=True)
    parts = batch._parts
    plan(qtbot, batch, folder)
    parts.view.setFocus()
    parts.view.select([0, 3])
    QTest.keyClick(parts.view, Qt.Key.Key_Delete)
    assert [row.input for row in batch.table.rows] == [
        str(folder / "b.ome.zarr"),
        str(folder / "c.tif"),
    ]
    assert len(plan(qtbot, batch)) == 2
    parts.view.select([0])
    for widget in (parts.view, parts.output, parts.format):
        QTest.keyClick(widget, Qt.Key.Key_Return)
    assert not batch.is_running
    assert len(viewer.layers) == 1
    # What was removed comes back if it is added again.
    assert len(plan(qtbot, batch, folder / "a.tif")) == 3
    parts.view.select([0, 1, 2])
    QTest.keyClick(parts.view, Qt.Key.Key_Delete)
    assert plan(qtbot, batch) == []
    order, widget = [], parts.recipe
    while len(order) < 40:
        widget = widget.nextInFocusChain()
        order.append(widget)
    places = [
        order.index(each)
        for each in (parts.load, parts.files, parts.view, parts.output, parts.start)
    ]
    assert places == sorted(places)


def test_it_fits_beside_a_canvas(docks):
    """It needs no more width than other docks."""
    _, _, batch = docks()
    assert batch.minimumSizeHint().width() <= 330
    assert batch.minimumWidth() == 330
    assert batch.minimumSizeHint().height() <= 500
