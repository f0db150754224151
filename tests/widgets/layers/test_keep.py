"""Keep: plain layers, made in the background, whatever happens meanwhile."""

import gc
import sys
import threading
import weakref
from contextlib import suppress
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt, QThreadPool

import cases
import napari_usm as usm
from harness import (
    PIXELS,
    buttons,
    go_live,
    press,
    results,
    says,
    texts,
    wait_for_layer,
    wait_to_see,
)
from napari_usm import warm_up
from napari_usm._engine import memory
from napari_usm._widgets.dock import widget as dock
from napari_usm._widgets.layers import room

STACK = cases.picture((50, 20, 24), "uint16")


def sharpened(pixels=STACK, **parameters):
    return usm.sharpen(pixels, axes=(pixels.ndim - 2, pixels.ndim - 1), **parameters)


def assert_kept(layer, expected):
    """A layer's data are numpy arrays, in memory, of exactly these pixels."""
    assert type(layer.data) is np.ndarray
    assert layer.data.dtype == expected.dtype
    np.testing.assert_array_equal(layer.data, expected)


def is_kept(layer):
    return type(layer.data) is np.ndarray


def has_kept(viewer):
    return any(is_kept(layer) for layer in results(viewer))


@pytest.fixture
def slow_blocks(monkeypatch):
    """Blocks of one plane that wait in a worker: to be let go, or for a moment each.

    Returns the event that lets them go, and the blocks that were done.
    """
    go, done = threading.Event(), []

    def slowly(function, blocks, count):
        if threading.current_thread() is threading.main_thread():
            return in_order(function, blocks, count)

        def work(block):
            go.wait(0.05)
            done.append(block)
            return function(block)

        return in_order(work, blocks, count)

    in_order, blocks_of = memory.in_order, memory._threads_and_blocks
    monkeypatch.setattr(memory, "in_order", slowly)

    def small(plan, _):
        return blocks_of(plan, STACK[0].size)

    monkeypatch.setattr(memory, "_threads_and_blocks", small)
    yield go, done
    go.set()


@pytest.fixture
def keep(open_dock, qtbot, slow_blocks):
    """A dock whose Keep is under way, live or not; the source is a stack."""

    def begun(live=False, viewer=None):
        viewer, widget = open_dock("Unsharp mask", viewer)
        layer = viewer.add_image(STACK, name="cells")
        if live:
            plane = viewer.dims.current_step[0]
            go_live(qtbot, widget, sharpened().image[plane])
        press(widget, "Keep")
        qtbot.waitUntil(lambda: len(slow_blocks[1]) > 1)
        return viewer, widget, layer

    return begun


def assert_stopped(qtbot, blocks):
    """No block is done any more, once the one under way has ended."""
    qtbot.wait(150)
    done = len(blocks)
    qtbot.wait(250)
    assert len(blocks) == done < len(STACK)


# --- in the background ---


def test_keep_works_in_the_background(open_dock, qtbot):
    """A click leaves the same layers as a call; the line says what was done."""
    viewer, widget = open_dock("Adaptive unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    press(widget, "Keep")
    assert len(viewer.layers) == 1
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=60000)
    expected = usm.sharpen(PIXELS, "adaptive_unsharp_mask")
    assert_kept(viewer.layers[1], expected.image)
    assert_kept(viewer.layers[2], expected.edge_map)
    (line,) = (text for text in texts(widget) if text.startswith("Kept"))
    gain, amount = expected.gain, expected.amount
    made = f"Kept as 'cells sharpened' · λ {gain:.3g} → amount {amount:.3g} · clipped "
    assert line.startswith(made)
    assert "noise × " in line
    assert "Keep" in buttons(widget)


def test_every_keep_makes_layers_of_its_own(open_dock, qtbot):
    """What was kept is the user's: no later Keep, and no call, touches it."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    for amount in (1.0, 2.0):
        widget.amount.value = amount
        count = len(viewer.layers)
        press(widget, "Keep")
        qtbot.waitUntil(lambda n=count: len(viewer.layers) == n + 2)
    widget.amount.value = 3.0
    for _ in range(2):
        widget()
        assert len(viewer.layers) == 7
    made = [layer for layer in results(viewer) if "sharpened" in layer.name]
    # The newest covers the others: it is what the user wants to see.
    for layer, amount in zip(made, (1.0, 2.0, 3.0), strict=True):
        assert_kept(layer, usm.unsharp_mask(PIXELS, amount=amount))


def test_the_window_responds_during_a_keep(keep, qtbot, slow_blocks):
    """The event loop turns and the progress moves, one step for each block."""
    go, _ = slow_blocks
    viewer, widget, _ = keep()
    bar = widget._dock._progress
    qtbot.waitUntil(lambda: bar.value() > 2)
    assert not bar.isHidden()
    assert bar.maximum() == len(STACK)
    go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    assert (bar.value(), bar.isHidden()) == (len(STACK), True)


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
    return says(widget, "Preparing")


def test_keep_waits_for_its_kernels(open_dock, qtbot, go):
    """While kernels are compiled elsewhere that is said, and no longer; then it runs."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    press(widget, "Keep")
    assert not is_preparing(widget)
    clicked = widget._keeping.since
    qtbot.waitUntil(lambda: is_preparing(widget))
    qtbot.wait(500)
    assert widget._keeping.since > clicked  # the seconds told are those of the run
    assert widget._dock._progress.value() == 0
    assert len(viewer.layers) == 1
    go.touch()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    assert says(widget, "Kept as 'PIXELS sharpened'")
    assert not is_preparing(widget)


def test_preparing_is_said_no_longer_than_it_lasts(open_dock, qtbot, go, monkeypatch):
    """When the first step begins the line is gone, before anything is done."""
    begun, done = threading.Event(), threading.Event()

    def run(*arguments, **keywords):
        begun.set()
        done.wait(10)
        return (yield from original(*arguments, **keywords))

    original = memory.run
    monkeypatch.setattr(memory, "run", run)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: is_preparing(widget))
    assert not begun.is_set()
    go.touch()
    qtbot.waitUntil(begun.is_set)
    qtbot.waitUntil(lambda: not is_preparing(widget))
    assert len(viewer.layers) == 1
    done.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)


def test_cancel_while_it_prepares(open_dock, qtbot, go):
    """The button ends the waiting too, and the next Keep waits anew."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: is_preparing(widget))
    assert QThreadPool.globalInstance().activeThreadCount() == 1
    press(widget, "Cancel")
    assert "Keep" in buttons(widget)
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    qtbot.wait(50)
    assert "Cancelled: nothing was changed." in texts(widget)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: is_preparing(widget))
    go.touch()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)


def test_calling_the_widget_waits_for_nothing(open_dock, go):
    """A call from Python compiles what is missing itself."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    widget()
    assert len(viewer.layers) == 3


@pytest.mark.parametrize("end", ["Keep", "Cancel"])
def test_nothing_is_held_after_a_keep(keep, qtbot, slow_blocks, end):
    """Neither of one that has ended nor of one that was cancelled: it may be large."""
    go, _ = slow_blocks
    viewer, widget, _ = keep()
    held = weakref.ref(widget._keeping.run)
    if end == "Cancel":
        press(widget, "Cancel")
        qtbot.wait(150)
    else:
        go.set()
        qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    gc.collect()
    assert held() is None


# --- a live pair ---


def test_keep_of_a_live_pair(open_dock, qtbot):
    """The same two layers become plain and the user's; Live is off, and makes new ones."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    widget.amount.value = 2.0
    expected = usm.sharpen(PIXELS, amount=2.0)
    result, edges = go_live(qtbot, widget, expected.image)
    assert not is_kept(result)
    result.name, edges.name = "favourite", "its edges"
    result.colormap, result.gamma = "viridis", 0.7
    result.contrast_limits, edges.contrast_limits = (5, 10), (-7, 7)
    edges.visible = True
    before = [*viewer.layers]
    press(widget, "Keep")
    qtbot.waitUntil(lambda: is_kept(result), timeout=60000)

    assert [*viewer.layers] == before
    assert_kept(result, expected.image)
    assert_kept(edges, expected.edge_map)
    assert (result.name, edges.name) == ("favourite", "its edges")
    assert (result.colormap.name, result.gamma) == ("viridis", 0.7)
    assert result.contrast_limits == [5, 10]
    assert edges.contrast_limits == [-7, 7]
    assert edges.visible
    assert result.metadata["napari_usm"]["report"].amount == 2.0
    assert "Live" in buttons(widget)
    assert says(widget, "Kept as 'favourite' · clipped")

    widget.amount.value = 4.0
    qtbot.wait(50)
    assert_kept(result, expected.image)
    other, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS, amount=4.0))
    assert len(viewer.layers) == 5
    assert other not in before
    assert_kept(result, expected.image)
    press(widget, "● Live")
    assert [*viewer.layers] == before


def test_a_kept_pair_is_not_live_when_it_is_selected(open_dock, qtbot):
    """Its parameters come back, it stays plain, and a new dock does not adopt it."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    widget.amount.value = 2.0
    expected = usm.sharpen(PIXELS, amount=2.0)
    result, edges = go_live(qtbot, widget, expected.image)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: is_kept(result), timeout=60000)
    widget.amount.value = 5.0
    viewer.layers.selection.active = result
    assert widget.amount.value == 2.0
    assert "Live" in buttons(widget)
    widget.amount.value = 3.0
    qtbot.wait(50)
    viewer.layers.selection.active = edges
    assert widget.amount.value == 2.0
    assert_kept(result, expected.image)
    assert_kept(edges, expected.edge_map)


def test_keep_of_edges_that_were_deleted(open_dock, qtbot):
    """What the user deleted of a live pair comes back: Keep makes two layers."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    expected = usm.sharpen(PIXELS)
    result, edges = go_live(qtbot, widget, expected.image)
    viewer.layers.remove(edges)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: is_kept(result), timeout=60000)
    assert [layer.name for layer in viewer.layers] == [
        "cells",
        "cells sharpened",
        "cells edge map",
    ]
    assert viewer.layers[1] is result
    assert_kept(viewer.layers[2], expected.edge_map)


def test_a_call_while_live(open_dock, qtbot):
    """The live layers get what the call made; the next call updates them too."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    pair = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    widget.amount.value = 2.0
    widget()
    assert [*viewer.layers] == [source, *pair]
    assert "Live" in buttons(widget)
    assert_kept(pair[0], usm.unsharp_mask(PIXELS, amount=2.0))
    viewer.layers.selection.active = pair[0]
    assert "Live" in buttons(widget)
    go_live(qtbot, widget, usm.unsharp_mask(PIXELS, amount=2.0))
    widget.amount.value = 3.0
    widget()
    assert [*viewer.layers] == [source, *pair]
    assert_kept(pair[0], usm.unsharp_mask(PIXELS, amount=3.0))


def test_keep_of_dask(open_dock, qtbot):
    """A lazy source is kept in memory, whatever its chunks."""
    pixels = cases.picture((3, 40, 44), "uint16")
    lazy = da.from_array(pixels, chunks=(2, 16, 20))
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(lazy, name="cells", contrast_limits=(0, 65535))
    for method in ("unsharp_mask", "adaptive_unsharp_mask"):
        widget.method.value = method
        expected = usm.sharpen(pixels, method, axes=(1, 2))
        for live in (False, True):
            if live:
                plane = viewer.dims.current_step[0]
                go_live(qtbot, widget, expected.image[plane])
            press(widget, "Keep")
            qtbot.waitUntil(lambda: has_kept(viewer))
            result, edges = results(viewer)
            assert_kept(result, expected.image)
            assert_kept(edges, expected.edge_map)
            viewer.layers.remove(result)
            viewer.layers.remove(edges)


@pytest.mark.parametrize("live", [False, True])
def test_keep_of_a_pyramid(open_dock, qtbot, live):
    """Every level is in memory: the finest as always, the next with half the sigma."""
    pixels = cases.picture((128, 96), "uint16")
    half = pixels.reshape(64, 2, 48, 2).mean((1, 3)).astype("uint16")
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image([pixels, half], multiscale=True, name="slide")
    widget.sigma.value = 3.0
    if live:
        press(widget, "Live")
        qtbot.waitUntil(lambda: says(widget, "Live · "))
    press(widget, "Keep")
    qtbot.waitUntil(
        lambda: len(viewer.layers) == 3 and type(viewer.layers[1].data[0]) is np.ndarray
    )
    result, edges = results(viewer)
    for level, sigma in ((0, 3.0), (1, 1.5)):
        source = (pixels, half)[level]
        expected = usm.sharpen(source, sigma=sigma)
        for layer, wanted in ((result, expected.image), (edges, expected.edge_map)):
            assert type(layer.data[level]) is np.ndarray
            np.testing.assert_array_equal(layer.data[level], wanted)
    assert "Live" in buttons(widget)


# --- refused ---


@pytest.mark.parametrize("live", [False, True])
def test_what_memory_cannot_hold_is_refused(
    open_dock, qtbot, monkeypatch, notifications, live
):
    """The sizes are said, and a file is offered; nothing has changed, Live goes on."""
    monkeypatch.setattr(dock, "ask_new", lambda *arguments: None)
    free = SimpleNamespace(available=2000)
    monkeypatch.setattr(room.psutil, "virtual_memory", lambda: free)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    if live:
        result, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    before = [*viewer.layers]
    press(widget, "Keep")
    said = notifications()[-1]
    # 20 × 24 pixels of 2 bytes, and 4 for their edge map.
    assert "result and edge map of 'cells' (20 × 24 uint16) need 0.0 MB" in said
    assert "0.0 MB are free" in said
    assert "crop the layer first" in said
    assert said in texts(widget)
    assert "Keep" in buttons(widget)
    qtbot.wait(50)
    assert [*viewer.layers] == before
    if live:
        assert "● Live" in buttons(widget)
        widget.amount.value = 3.0
        wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS, amount=3.0))
        assert not is_kept(result)


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
        press(widget, "Keep")
        qtbot.waitUntil(lambda: "Keep" in buttons(widget))
    assert any("the disk is gone" in text for text in texts(widget))
    assert "the disk is gone" in str(raised) + str(notifications())
    assert not results(viewer)


# --- meanwhile ---


@pytest.mark.parametrize("live", [False, True])
def test_cancel_leaves_nothing(keep, qtbot, slow_blocks, live):
    """No layer, no further block, and Keep again; what was live goes on."""
    go, blocks = slow_blocks
    viewer, widget, _ = keep(live)
    before = [*viewer.layers]
    press(widget, "Cancel")
    assert "Keep" in buttons(widget)
    assert widget._dock._progress.isHidden()
    assert "Cancelled: nothing was changed." in texts(widget)
    assert_stopped(qtbot, blocks)
    assert [*viewer.layers] == before
    assert not has_kept(viewer)
    go.set()
    press(widget, "Keep")
    qtbot.waitUntil(lambda: has_kept(viewer))
    assert_kept(results(viewer)[0], sharpened().image)
    assert len(viewer.layers) == 3


@pytest.mark.parametrize("live", [False, True])
def test_parameters_changed_during_a_keep(keep, qtbot, slow_blocks, live):
    """What was asked for is kept; the line does not speak of what is asked for now."""
    go, _ = slow_blocks
    viewer, widget, _ = keep(live)
    before = results(viewer)
    widget.amount.value = 5.0
    if live:
        plane = viewer.dims.current_step[0]
        expected = sharpened(amount=5.0).image[plane]
        wait_to_see(qtbot, before[0], expected)
    go.set()
    qtbot.waitUntil(lambda: has_kept(viewer))
    result, edges = results(viewer)
    assert before in ([], [result, edges])
    assert_kept(result, sharpened().image)
    assert_kept(edges, sharpened().edge_map)
    assert result.metadata["napari_usm"]["parameters"]["amount"] == 1.0
    assert says(
        widget, "Kept as 'cells sharpened', with the values that it was started with."
    )
    assert "Live" in buttons(widget)


def test_live_switched_off_during_its_keep(keep, qtbot, slow_blocks):
    """The pair goes, and with it the reason to keep it."""
    _, blocks = slow_blocks
    viewer, widget, layer = keep(live=True)
    press(widget, "● Live")
    assert "Keep" in buttons(widget)
    assert_stopped(qtbot, blocks)
    assert [*viewer.layers] == [layer]


def test_live_switched_on_during_a_keep(keep, qtbot, slow_blocks):
    """The kept layers are others than the live ones, which stay live."""
    go, _ = slow_blocks
    viewer, widget, _ = keep()
    widget.amount.value = 3.0
    plane = viewer.dims.current_step[0]
    expected = sharpened(amount=3.0).image
    live = go_live(qtbot, widget, expected[plane])
    go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 5)
    kept = [layer for layer in results(viewer) if layer not in live]
    assert_kept(kept[0], sharpened().image)
    assert "● Live" in buttons(widget)
    assert not is_kept(live[0])
    np.testing.assert_array_equal(np.asarray(live[0].data), expected)


def test_another_image_is_chosen_during_a_keep(keep, qtbot, slow_blocks):
    """Its line is not about that one."""
    go, _ = slow_blocks
    viewer, widget, _ = keep()
    widget.layer.value = viewer.add_image(PIXELS, name="other")
    go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 4)
    assert says(widget, "Kept as 'cells sharpened'")
    assert not says(widget, "clipped")


def test_live_goes_on_with_another_image_during_a_keep(keep, qtbot, slow_blocks):
    """The pair that was live when Keep was pressed is kept, the new one is live."""
    go, _ = slow_blocks
    viewer, widget, _ = keep(live=True)
    first = results(viewer)
    other = viewer.add_image(PIXELS[::-1], name="other")
    widget.layer.value = other
    qtbot.waitUntil(lambda: len(viewer.layers) == 6)
    go.set()
    qtbot.waitUntil(lambda: is_kept(first[0]))
    assert_kept(first[0], sharpened().image)
    assert_kept(first[1], sharpened().edge_map)
    assert len(viewer.layers) == 6
    second = [made for made in results(viewer) if made not in first]
    assert "● Live" in buttons(widget)
    widget.amount.value = 2.0
    wait_for_layer(qtbot, second[0], usm.unsharp_mask(PIXELS[::-1], amount=2.0))


@pytest.mark.parametrize("live", [False, True])
def test_pixels_replaced_during_a_keep(keep, qtbot, slow_blocks, notifications, live):
    """The result of the old ones is dropped; what is live follows the new ones."""
    go, _ = slow_blocks
    viewer, widget, layer = keep(live)
    before = [*viewer.layers]
    layer.data = STACK[:, ::-1]
    go.set()
    qtbot.waitUntil(lambda: "Keep" in buttons(widget))
    assert "'cells' was changed while it was sharpened" in notifications()[-1]
    assert [*viewer.layers] == before
    if live:
        expected = sharpened(STACK[:, ::-1]).image
        plane = viewer.dims.current_step[0]
        result = results(viewer)[0]
        wait_to_see(qtbot, result, expected[plane])
        assert "● Live" in buttons(widget)
        assert not is_kept(result)


@pytest.mark.parametrize("live", [False, True])
def test_a_layer_deleted_during_its_keep(keep, qtbot, slow_blocks, notifications, live):
    """Its run is cancelled and said so; everything else stays."""
    _, blocks = slow_blocks
    viewer, widget, doomed = keep(live)
    other = viewer.add_image(PIXELS, name="other")
    made = results(viewer)
    viewer.layers.remove(doomed)
    assert "'cells' was removed" in notifications()[-1]
    assert "Keep" in buttons(widget)
    assert_stopped(qtbot, blocks)
    assert {*viewer.layers} == {other, *made}
    assert not has_kept(viewer)
    assert "Live" in buttons(widget)


@pytest.mark.parametrize("which", [0, 1])
def test_a_live_layer_deleted_during_its_keep(keep, qtbot, slow_blocks, which):
    """Two plain layers are made all the same."""
    go, _ = slow_blocks
    viewer, _, _ = keep(live=True)
    pair = results(viewer)
    viewer.layers.remove(pair[which])
    go.set()
    qtbot.waitUntil(lambda: len(made := results(viewer)) == 2 and is_kept(made[1]))
    result, edges = results(viewer)
    # An edge map goes with its result, a result does not go with its edge map.
    assert (result is pair[0], edges is pair[1]) == (which == 1, False)
    assert_kept(result, sharpened().image)
    assert_kept(edges, sharpened().edge_map)


@pytest.mark.parametrize("live", [False, True])
def test_the_dock_closed_during_a_keep(
    make_napari_viewer, keep, qtbot, slow_blocks, live
):
    """The run ends with its dock, no layer is made; the live pair stays as it is."""
    _, blocks = slow_blocks
    viewer = make_napari_viewer()
    _, widget, _ = keep(live, viewer)
    before = [*viewer.layers]
    viewer.window.remove_dock_widget(widget.native)
    assert_stopped(qtbot, blocks)
    assert [*viewer.layers] == before
    if live:
        result, _ = results(viewer)
        np.testing.assert_array_equal(np.asarray(result.data), sharpened().image)
        assert not is_kept(result)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("by", ["script", "user"])
def test_the_viewer_closed_during_a_keep(
    make_napari_viewer, keep, qtbot, slow_blocks, live, by
):
    """Closing the window raises nothing and ends the run."""
    _, blocks = slow_blocks
    viewer = make_napari_viewer()
    window = viewer.window._qt_window
    # The fixture closes it once more.
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    keep(live, viewer)
    if by == "script":
        viewer.close()
    else:
        window.close()
    assert_stopped(qtbot, blocks)
