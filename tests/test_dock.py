"""The docks, opened through the manifest in a real viewer and driven as by a user."""

import gc
import sys
import threading
from contextlib import suppress

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QPushButton

import cases
import napari_usm as usm
from napari_usm import warm_up
from napari_usm.widgets import layer_run
from napari_usm.widgets.layer_data import is_result

TITLES = {
    "unsharp_mask": "Unsharp mask",
    "laplacian_sharpen": "Laplacian sharpen",
    "adaptive_unsharp_mask": "Adaptive unsharp mask",
    "auto_unsharp_mask": "Auto unsharp mask",
}
PIXELS = cases.picture((20, 24), "uint16")


def run_button(widget):
    (button,) = (
        b
        for b in widget.native.findChildren(QPushButton)
        if b.text() in ("Run", "Cancel")
    )
    return button


def texts(widget):
    from qtpy.QtWidgets import QLabel

    return [
        label.text().replace("\xa0", " ")
        for label in widget.native.findChildren(QLabel)
    ]


def results(viewer):
    return [layer for layer in viewer.layers if is_result(layer)]


@pytest.mark.parametrize("method", TITLES)
def test_a_run_leaves_two_layers_with_the_right_pixels(open_dock, method):
    """Calling the widget runs once: result and edge map, bit for bit as in Python."""
    viewer, widget = open_dock(TITLES[method])
    source = viewer.add_image(cases.picture((3, 20, 24), "uint16"), name="cells")
    tuples = widget()
    assert [keywords["name"] for _, keywords, _ in tuples] == [
        "cells [sharpened]",
        "cells [edge map ×1]",
    ]
    assert len(viewer.layers) == 3
    _, result, edges = viewer.layers
    expected = usm.sharpen(source.data, method, axes=(1, 2))
    for plane in range(3):
        np.testing.assert_array_equal(result.data[plane], expected.image[plane])
        np.testing.assert_array_equal(edges.data[plane], expected.edge_map[plane])
    assert (result.visible, edges.visible) == (True, False)


def test_edge_map_is_positive_where_it_brightens(open_dock):
    """At a step, the edge map is below 0 on the dark side and above on the bright."""
    viewer, widget = open_dock("Laplacian sharpen")
    step = np.zeros((8, 8), np.uint8) + 50
    step[:, 4:] = 90
    viewer.add_image(step, name="step")
    widget()
    edges = viewer.layers["step [edge map ×1]"]
    np.testing.assert_array_equal(edges.data[4], [0, 0, 0, -40, 40, 0, 0, 0])
    assert edges.contrast_limits == [-40, 40]


def test_the_button_runs_in_the_background(open_dock, qtbot):
    """A click runs in a worker and leaves the same layers; the line says what was done."""
    viewer, widget = open_dock("Adaptive unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    run_button(widget).click()
    assert len(viewer.layers) == 1
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=10000)
    expected = usm.sharpen(PIXELS, "adaptive_unsharp_mask")
    np.testing.assert_array_equal(viewer.layers[1].data, expected.image)
    (line,) = (text for text in texts(widget) if text.startswith("λ"))
    gain, amount = expected.gain, expected.amount
    assert line.startswith(f"λ {gain:.3g} → amount {amount:.3g} · clipped ")
    assert "noise × " in line
    assert run_button(widget).text() == "Run"


def test_the_status_line_is_never_stale(open_dock):
    """As soon as a control or the image changes, the old line is gone."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    other = viewer.add_image(PIXELS[::-1], name="other")
    for change in (
        lambda: setattr(widget.sigma, "value", 3.0),
        lambda: setattr(widget.layer, "value", other),
    ):
        widget()
        assert any(text.startswith("clipped") for text in texts(widget))
        change()
        assert not any(text.startswith("clipped") for text in texts(widget))


def test_running_again_updates_the_same_layers(open_dock):
    """Results are found as objects: renamed, moved and restyled ones are updated."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    widget()
    _, result, edges = viewer.layers
    result.name = "my favourite"
    result.colormap = "viridis"
    result.contrast_limits = (5, 10)
    edges.contrast_limits = (-7, 7)
    viewer.layers.move(1, 3)
    widget.amount.value = 3.0
    widget()
    assert len(viewer.layers) == 3
    assert {*results(viewer)} == {result, edges}
    np.testing.assert_array_equal(result.data, usm.unsharp_mask(PIXELS, amount=3.0))
    assert (result.name, result.colormap.name) == ("my favourite", "viridis")
    assert result.contrast_limits == [5, 10]
    assert edges.contrast_limits == [-7, 7]
    assert result.metadata["napari_usm"]["parameters"]["amount"] == 3.0


def test_a_deleted_result_comes_back(open_dock):
    """A result that the user deleted is added anew, beside the edge map that is left."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    widget()
    _, result, edges = viewer.layers
    viewer.layers.remove(result)
    widget()
    assert [*viewer.layers] == [source, viewer.layers["cells [sharpened]"], edges]
    assert viewer.layers[1] is not result


def test_no_layer_of_the_user_is_overwritten(open_dock):
    """Layers that have the results' names by chance survive, pixels and all."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    mine = viewer.add_image(np.ones((5, 5)), name="cells [sharpened]")
    labels = viewer.add_labels(np.ones((5, 5), int), name="cells [edge map ×1]")
    widget.layer.value = source
    for _ in range(2):
        widget()
        assert len(viewer.layers) == 5
        np.testing.assert_array_equal(mine.data, np.ones((5, 5)))
        np.testing.assert_array_equal(labels.data, np.ones((5, 5)))
        assert (mine.name, labels.name) == ("cells [sharpened]", "cells [edge map ×1]")


def test_order_and_selection(open_dock):
    """Results stand right above their source, and the selection stays where it was."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    top = viewer.add_image(PIXELS, name="top")
    widget.layer.value = source
    viewer.layers.selection = {source, top}
    widget()
    names = [layer.name for layer in viewer.layers]
    assert names == ["cells", "cells [sharpened]", "cells [edge map ×1]", "top"]
    assert viewer.layers.selection == {source, top}
    assert widget.layer.value is source
    viewer.layers.remove(viewer.layers[1])
    viewer.layers.selection = {top}
    widget()
    assert viewer.layers.selection == {top}
    assert viewer.layers.selection.active is top


@pytest.mark.parametrize("blending", ["additive", "minimum"])
def test_a_source_that_would_shine_through_is_hidden(open_dock, blending):
    """An additive source is hidden while its result is there, and comes back after."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, blending=blending)
    widget()
    result = viewer.layers[1]
    assert (source.visible, result.visible) == (False, True)
    widget()
    assert source.visible is False
    viewer.layers.remove(result)
    assert source.visible is True


def test_results_outlive_their_dock(make_napari_viewer, open_dock, qtbot):
    """A dock that is opened again finds its layers; a hidden source still comes back."""
    viewer = make_napari_viewer()
    _, widget = open_dock("Unsharp mask", viewer)
    source = viewer.add_image(PIXELS, blending="additive")
    widget()
    _, result, edges = viewer.layers
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(20)
    _, widget = open_dock("Unsharp mask", viewer)
    widget()
    assert [*viewer.layers] == [source, result, edges]
    viewer.layers.remove(result)
    assert source.visible is True


def test_results_that_add_up_are_shown_one_at_a_time(open_dock):
    """Of two additive results the newer is shown; the source waits for both."""
    viewer, first = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, blending="additive")
    first()
    one = viewer.layers[1]
    _, second = open_dock("Laplacian sharpen", viewer)
    second()
    other = viewer.layers[1]
    assert (source.visible, one.visible, other.visible) == (False, False, True)
    one.visible = True
    viewer.layers.remove(other)
    assert source.visible is False
    viewer.layers.remove(one)
    assert source.visible is True


def test_a_source_that_is_shown_again_stays(open_dock):
    """What the user shows by hand is not hidden at the next run."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, blending="additive")
    widget()
    source.visible = True
    widget()
    assert source.visible is True


def test_an_opaque_source_stays_visible(open_dock):
    """A source that the result covers is left alone, hidden or not."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS)
    widget()
    assert source.visible is True


def test_a_result_comes_back_below_its_edge_map(open_dock):
    """However layers were moved, a new result is above its image, its edge map above."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    widget()
    _, result, edges = viewer.layers
    viewer.layers.remove(result)
    viewer.layers.move(1, 0)
    widget()
    assert [*viewer.layers] == [source, viewer.layers[1], edges]


@pytest.mark.parametrize("failure", [OSError, RuntimeError])
def test_a_source_that_fails(open_dock, qtbot, notifications, failure):
    """If the pixels cannot be read, that is said, and the dock is ready again."""

    def load(block):
        if block.any():
            raise failure("the disk is gone")
        return block

    pixels = da.ones((20, 20), chunks=20).map_blocks(load, meta=np.empty((0, 0)))
    viewer, widget = open_dock("Adaptive unsharp mask")
    layer = Image(np.zeros((20, 20)), name="lost")
    viewer.add_layer(layer)
    with suppress(failure):  # napari cannot draw it either
        layer.data = pixels
    with qtbot.captureExceptions() as raised:
        run_button(widget).click()
        qtbot.waitUntil(lambda: run_button(widget).text() == "Run")
    assert any("the disk is gone" in text for text in texts(widget))
    assert "the disk is gone" in str(raised) + str(notifications())
    assert not results(viewer)


def test_the_line_speaks_of_what_is_chosen(open_dock, qtbot, slow_run):
    """If another image was chosen during a run, its line is not about that one."""
    go, steps = slow_run
    viewer, widget = open_dock("Unsharp mask")
    other = viewer.add_image(PIXELS, name="other")
    widget.layer.value = viewer.add_image(PIXELS, name="first")
    run_button(widget).click()
    qtbot.waitUntil(lambda: len(steps) > 1)
    widget.layer.value = other
    go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 4)
    assert any(text.startswith("Done: 'first'") for text in texts(widget))
    assert not any(text.startswith("clipped") for text in texts(widget))


def test_pixels_replaced_during_a_run(open_dock, qtbot, slow_run, notifications):
    """If the image gets other pixels meanwhile, the result of the old ones is dropped."""
    go, steps = slow_run
    viewer, widget = open_dock("Unsharp mask")
    layer = viewer.add_image(PIXELS, name="cells")
    run_button(widget).click()
    qtbot.waitUntil(lambda: len(steps) > 1)
    layer.data = PIXELS[:10]
    go.set()
    qtbot.waitUntil(lambda: run_button(widget).text() == "Run")
    assert "'cells' got other pixels meanwhile" in notifications()[-1]
    assert len(viewer.layers) == 1


def test_results_are_not_offered(open_dock):
    """Only images of the user's can be chosen: no results, no labels."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    viewer.add_labels(np.ones((5, 5), int))
    widget()
    assert widget.layer.choices == (source,)


def test_the_active_image_is_chosen(make_napari_viewer, open_dock):
    """The dock opens with the image that is selected."""
    viewer = make_napari_viewer()
    first = viewer.add_image(PIXELS)
    viewer.add_image(PIXELS)
    viewer.layers.selection.active = first
    _, widget = open_dock("Unsharp mask", viewer)
    assert widget.layer.value is first


def test_another_number_of_dimensions_replaces_the_results(open_dock):
    """If the source's pixels got another shape, the results follow."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    widget()
    source.data = cases.picture((3, 20, 24), "uint16")
    widget()
    assert len(viewer.layers) == 3
    assert viewer.layers["cells [sharpened]"].data.shape == (3, 20, 24)


def test_controls_that_matter_are_shown(open_dock):
    """Colour for RGB, dimensions for stacks, Z where nobody said which axis it is."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.window._qt_window.show()

    def shown():
        return {
            name for name in ("color", "dimensions", "z_axis") if widget[name].visible
        }

    def sentence():
        (text,) = (t for t in texts(widget) if t.startswith(("Filters", "Say", "Add")))
        return text

    assert sentence() == "Add an image to sharpen it."
    widget.layer.value = viewer.add_image(PIXELS)
    assert (shown(), sentence()) == (set(), "Filters Y and X of the plane")
    widget.layer.value = viewer.add_image(cases.picture((9, 8, 3), "uint8"), rgb=True)
    assert (shown(), sentence()) == ({"color"}, "Filters Y and X of the plane")
    widget.layer.value = viewer.add_image(np.zeros((4, 9, 8)))
    assert (shown(), sentence()) == (
        {"dimensions"},
        "Filters Y and X of each of 4 planes",
    )
    widget.dimensions.value = "volumes"
    assert sentence() == "Filters axis 0, Y and X of the volume"
    widget.layer.value = viewer.add_image(np.zeros((2, 4, 9, 8)))
    assert (shown(), sentence()) == ({"dimensions", "z_axis"}, "Say which axis is Z.")
    widget.z_axis.value = 1
    assert sentence() == "Filters axis 1, Y and X of each of 2 volumes"
    widget()
    np.testing.assert_array_equal(results(viewer)[0].data, 0)
    widget.layer.value = viewer.add_image(
        np.zeros((4, 9, 8)), axis_labels=("t", "y", "x")
    )
    assert (shown(), sentence()) == (set(), "Filters Y and X of each of 4 planes")


def test_ranges_follow_the_image(open_dock):
    """Amounts end where detail inverts, thresholds at the range of intensities."""
    viewer, widget = open_dock("Laplacian sharpen")
    viewer.add_image(np.zeros((4, 9, 8)), scale=(2, 1, 1), contrast_limits=(0, 1))
    assert widget.amount.min == -1 / 8
    assert widget.threshold.max == 1
    widget.dimensions.value = "volumes"
    assert widget.amount.min == pytest.approx(-1 / (4 * 2.25))


def test_least_amount_of_the_box(open_dock):
    """The amount ends where the chosen kernel inverts detail."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    widget.kernel.value = "box"
    assert widget.amount.min == -0.75
    assert widget.sigma.visible is False


def test_a_threshold_belongs_to_a_range(open_dock):
    """A threshold in intensities is forgotten when the intensities are others."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, contrast_limits=(0, 65535))
    widget.threshold.value = 200
    widget.layer.value = viewer.add_image(np.ones((9, 9)), contrast_limits=(0, 1))
    assert (widget.threshold.value, widget.threshold.max) == (0, 1)


def test_an_rgb_stack(open_dock):
    """A stack of colour planes is a stack: its channels are no axis of it."""
    viewer, widget = open_dock("Adaptive unsharp mask")
    pixels = cases.picture((3, 12, 14, 3), "uint8")
    viewer.add_image(pixels, rgb=True)
    widget()
    expected = usm.sharpen(pixels, "adaptive_unsharp_mask", axes=(1, 2), channel_axis=3)
    result, edges = results(viewer)
    np.testing.assert_array_equal(result.data, expected.image)
    np.testing.assert_array_equal(edges.data, expected.edge_map)
    assert result.rgb
    assert not edges.rgb


@pytest.mark.parametrize("fill", [7, np.nan])
@pytest.mark.parametrize("method", TITLES)
def test_degenerate_images(open_dock, method, fill):
    """Flat, all-NaN and one-pixel images give layers, no errors and no warnings."""
    viewer, widget = open_dock(TITLES[method])
    for shape in ((9, 9), (1, 9), (1, 1)):
        widget.layer.value = viewer.add_image(
            np.full(shape, fill, np.float32), contrast_limits=(0, 10)
        )
        widget()
        np.testing.assert_allclose(
            results(viewer)[0].data, np.full(shape, fill), rtol=1e-6
        )
        viewer.layers.clear()


# --- bad input and interruptions ---


def test_no_image_is_said(open_dock, notifications):
    """Without an image there is a notification, and nothing else."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_labels(np.ones((5, 5), int))
    assert widget() == []
    run_button(widget).click()
    assert notifications() == [notifications()[0]] * 2
    assert "`layer` must be an image layer; got none" in notifications()[0]
    assert len(viewer.layers) == 1


def test_a_pyramid_is_said(open_dock, notifications):
    """A multiscale layer is not sharpened yet, and the notification says so."""
    viewer, widget = open_dock("Unsharp mask")
    levels = [np.ones((64, 64)), np.ones((32, 32))]
    viewer.add_image(levels, multiscale=True, name="slide")
    assert widget() == []
    assert "pyramids cannot be sharpened yet" in notifications()[0]
    assert any("Pyramids" in text for text in texts(widget))


@pytest.mark.parametrize("dtype", [complex, object])
def test_pixels_of_another_kind_are_said(open_dock, notifications, dtype):
    """Pixels that are no real numbers are refused before any is touched."""
    viewer, widget = open_dock("Unsharp mask")
    layer = viewer.add_image(PIXELS)
    with suppress(TypeError, RuntimeError):  # napari cannot draw them either
        layer.data = np.ones((8, 8), dtype)
    assert widget() == []
    expected = f"must be bool, integer or real; got {np.dtype(dtype)}"
    assert expected in notifications()[0]


@pytest.fixture
def slow_run(monkeypatch):
    """Runs of 50 steps that wait at each: when it is let go, or for ever."""
    go = threading.Event()
    steps = []

    def run(plan, pixels, name=""):
        for step in range(50):
            go.wait(0.05)
            steps.append(step)
            yield
        return (yield from original(plan, pixels, name=name))

    original, steps_of = layer_run.eager.run, layer_run.eager.steps
    monkeypatch.setattr(layer_run.eager, "run", run)
    monkeypatch.setattr(layer_run.eager, "steps", lambda plan: 50 + steps_of(plan))
    yield go, steps
    go.set()


@pytest.fixture
def go(monkeypatch, tmp_path):
    """A file: when it is there, a process says that the kernels of a mask are ready."""
    path = tmp_path / "go"
    code = (
        "import os, time\n"
        f"while not os.path.exists({str(path)!r}): time.sleep(0.01)\n"
        "print('unsharp_mask planes uint16', flush=True); time.sleep(60)"
    )
    session = warm_up.WarmUp([sys.executable, "-c", code])
    monkeypatch.setattr(warm_up, "session", session)
    yield path
    session.stop()
    assert session.wait("unsharp_mask", "planes", "uint16", 10)


def is_preparing(widget):
    return "Preparing, once on this machine…" in texts(widget)


def test_a_run_waits_for_its_kernels(open_dock, qtbot, go):
    """While kernels are compiled elsewhere that is said, and no longer; then it runs."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    run_button(widget).click()
    assert not is_preparing(widget)
    clicked = widget._worker.since
    qtbot.waitUntil(lambda: is_preparing(widget))
    qtbot.wait(500)
    assert widget._worker.since > clicked  # the seconds told are those of the run
    assert widget._dock._progress.value() == 0
    assert len(viewer.layers) == 1
    go.touch()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    assert any(text.startswith("clipped") for text in texts(widget))
    assert not is_preparing(widget)


def test_preparing_is_said_no_longer_than_it_lasts(open_dock, qtbot, go, monkeypatch):
    """When the first step begins the line is gone, before anything is done."""
    begun, done = threading.Event(), threading.Event()

    def run(plan, pixels, name=""):
        begun.set()
        done.wait(10)
        return (yield from original(plan, pixels, name=name))

    original = layer_run.eager.run
    monkeypatch.setattr(layer_run.eager, "run", run)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    run_button(widget).click()
    qtbot.waitUntil(lambda: is_preparing(widget))
    assert not begun.is_set()
    go.touch()
    qtbot.waitUntil(begun.is_set)
    qtbot.waitUntil(lambda: not is_preparing(widget))
    assert len(viewer.layers) == 1
    done.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)


def test_cancel_while_it_prepares(open_dock, qtbot, go):
    """The button ends the waiting too, and the next run waits anew."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    run_button(widget).click()
    qtbot.waitUntil(lambda: is_preparing(widget))
    worker = widget._worker
    run_button(widget).click()
    assert run_button(widget).text() == "Run"
    qtbot.waitUntil(lambda: not worker.is_running, timeout=1000)
    qtbot.wait(50)
    assert "Cancelled: nothing was changed." in texts(widget)
    run_button(widget).click()
    qtbot.waitUntil(lambda: is_preparing(widget))
    go.touch()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)


def test_calling_the_widget_waits_for_nothing(open_dock, go):
    """A call from Python compiles what is missing itself."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    widget()
    assert len(viewer.layers) == 3


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_dock_starts_with_what_it_shows(
    make_napari_viewer, open_dock, monkeypatch, dtype
):
    """The kernels for a dock's method and the chosen image come first."""
    asked = []
    monkeypatch.setattr(
        warm_up.session, "start", lambda *kernels: asked.append(kernels)
    )
    viewer = make_napari_viewer()
    viewer.add_image(PIXELS.astype(dtype))
    open_dock("Laplacian sharpen", viewer)
    assert asked == [("laplacian_sharpen", dtype)]


def test_cancel_leaves_nothing(open_dock, qtbot, slow_run):
    """The button cancels a run under way: no layer, no further step, and Run again."""
    _, steps = slow_run
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    run_button(widget).click()
    qtbot.waitUntil(lambda: len(steps) > 1)
    assert run_button(widget).text() == "Cancel"
    run_button(widget).click()
    assert run_button(widget).text() == "Run"
    qtbot.wait(300)
    done = len(steps)
    qtbot.wait(200)
    assert len(steps) == done < 50
    assert len(viewer.layers) == 1


def test_a_layer_deleted_during_its_run(open_dock, qtbot, slow_run, notifications):
    """If the image goes, its run is cancelled and said so; everything else stays."""
    _, steps = slow_run
    viewer, widget = open_dock("Unsharp mask")
    other = viewer.add_image(PIXELS, name="other")
    doomed = viewer.add_image(PIXELS, name="doomed")
    widget.layer.value = doomed
    run_button(widget).click()
    qtbot.waitUntil(lambda: len(steps) > 1)
    viewer.layers.remove(doomed)
    assert "'doomed' was removed" in notifications()[-1]
    assert run_button(widget).text() == "Run"
    qtbot.wait(200)
    assert [*viewer.layers] == [other]


def test_the_window_responds_during_a_run(open_dock, qtbot, slow_run):
    """While a run is under way the event loop turns and the progress moves."""
    go, _ = slow_run
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    run_button(widget).click()
    bar = widget._dock._progress
    qtbot.waitUntil(lambda: bar.value() > 2)
    assert bar.maximum() == 51
    go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    assert (bar.value(), bar.isHidden()) == (51, True)


def test_the_viewer_closed_during_a_run(make_napari_viewer, qtbot, slow_run, open_dock):
    """Closing the window in the middle of a run raises nothing and ends the run."""
    _, steps = slow_run
    viewer = make_napari_viewer()
    _, widget = open_dock("Unsharp mask", viewer)
    viewer.add_image(PIXELS)
    run_button(widget).click()
    qtbot.waitUntil(lambda: len(steps) > 1)
    viewer.close()
    qtbot.wait(300)
    done = len(steps)
    qtbot.wait(200)
    assert len(steps) == done < 50


def test_closing_the_dock_leaves_no_callback(make_napari_viewer, qtbot, open_dock):
    """A closed dock lets go of the viewer; its layers stay."""
    viewer = make_napari_viewer()
    removed = viewer.layers.events.removed
    before = len(removed.callbacks)
    for _ in range(3):
        _, widget = open_dock("Unsharp mask", viewer)
        viewer.add_image(PIXELS)
        widget()
        viewer.window.remove_dock_widget(widget.native)
        qtbot.wait(20)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        viewer.layers.clear()
    del widget
    gc.collect()
    assert len(removed.callbacks) == before, removed.callbacks


def test_two_docks_have_their_own_results(open_dock):
    """Two methods on one image leave four layers, each dock its own two."""
    viewer, first = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    first()
    _, second = open_dock("Laplacian sharpen", viewer)
    second.layer.value = source
    second()
    first()
    second()
    assert len(viewer.layers) == 5
    methods = sorted(
        layer.metadata["napari_usm"]["method"] for layer in results(viewer)
    )
    assert methods == ["laplacian_sharpen"] * 2 + ["unsharp_mask"] * 2
    assert isinstance(source, Image)
