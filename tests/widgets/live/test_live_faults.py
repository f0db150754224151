"""What happens to live results when images go, change or fail, and that nothing stays."""

import gc
import threading
from contextlib import suppress

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QCoreApplication, QEvent
from scipy.ndimage import gaussian_filter

import cases
import napari_usm as usm
from harness import (
    Counted,
    assert_shows,
    live_button,
    live_layers,
    on_screen,
    results,
    status,
    switch_live,
    wait_for,
    wait_for_rest,
)
from napari_usm._widgets.dock.widget import SharpenWidget
from napari_usm._widgets.live.pair import LivePair, pair_of
from napari_usm._widgets.live.result import LiveResult

PIXELS = cases.picture((3, 40, 50), "uint16")


@pytest.fixture
def live(open_dock):
    """A function: an image in a viewer with a dock, live; viewer, dock, source, layers."""

    def opened(pixels=PIXELS, title="Unsharp mask", **keywords):
        viewer, widget = open_dock(title)
        source = viewer.add_image(pixels, name="cells", **keywords)
        widget.layer.value = source
        switch_live(widget)
        result, edges = live_layers(widget)
        edges.visible = True
        return viewer, widget, source, result, edges

    return opened


def step_to(viewer, plane):
    viewer.dims.current_step = (plane, 0, 0)


def assert_live(qtbot, viewer, result, edges, pixels, **call):
    """Both layers are right on the first and the last plane."""
    for plane in (0, len(pixels) - 1):
        step_to(viewer, plane)
        expected = usm.sharpen(pixels[plane], **call)
        assert_shows(qtbot, result, expected.image)
        assert_shows(qtbot, edges, expected.edge_map)


# --- the source goes or gets other pixels ---


@pytest.mark.parametrize("later", [False, True])
def test_the_source_is_deleted(live, qtbot, notifications, later):
    """That is said; the layers stay, right on every plane, and Live is off."""
    viewer, widget, source, result, edges = live()
    other = viewer.add_image(PIXELS[::-1], name="other")
    if later:
        qtbot.wait(100)  # the next change is then followed at once
    viewer.layers.remove(source)
    assert wait_for(qtbot, lambda: notifications())
    assert notifications() == ["'cells' was removed: its live result stays as it is."]
    assert not live_button(widget).isChecked()
    assert [*viewer.layers] == [result, edges, other]
    assert status(widget) == ""
    widget.sigma.value = 3.0
    assert_live(qtbot, viewer, result, edges, PIXELS)
    assert widget.layer.value is other
    switch_live(widget)
    live_layers(widget)[1].visible = True
    assert_live(qtbot, viewer, *live_layers(widget), PIXELS[::-1], sigma=3.0)
    viewer.layers.selection.active = result
    assert len(results(viewer)) == 4
    viewer.layers.remove(edges)
    viewer.layers.remove(result)
    assert live_button(widget).isChecked()


def test_a_source_that_comes_back(live, qtbot):
    """A layer that a script adds again is the same layer, with its old result."""
    viewer, widget, source, result, _ = live()
    viewer.layers.remove(source)
    assert wait_for(qtbot, lambda: not live_button(widget).isChecked())
    viewer.add_layer(source)
    widget.layer.value = source
    widget.sigma.value = 2.0
    switch_live(widget)
    assert live_layers(widget)[0] is result
    step_to(viewer, 1)
    assert_shows(qtbot, result, usm.unsharp_mask(PIXELS[1], 2.0))


def test_the_source_gets_other_pixels(live, qtbot, notifications):
    """The pair follows: shape, type and pixels; the layers are the same two."""
    viewer, widget, source, result, edges = live()
    for shape, dtype in (
        ((3, 40, 50), "uint16"),
        ((5, 60, 30), "uint16"),
        ((3, 40, 50), "float32"),
        ((2, 40, 50), "uint8"),
    ):
        pixels = cases.picture(shape, dtype, seed=5)
        source.data = pixels
        for sigma in (widget.sigma.value, 5 - widget.sigma.value):
            widget.sigma.value = sigma
            assert_live(qtbot, viewer, result, edges, pixels, sigma=sigma)
        assert live_layers(widget) == [result, edges]
        assert result.data.dtype == pixels.dtype
        assert len(viewer.layers) == 3
    assert notifications() == []


def test_a_gain_for_other_pixels(live, qtbot):
    """It is found anew, and only once, although dock and pair hear of them both."""
    first, second = (
        Counted(cases.picture((3, 40, 50), "uint16", n), 0.3) for n in (0, 9)
    )
    viewer, widget, source, result, _ = live(
        first, "Adaptive unsharp mask", visible=False, contrast_limits=(0, 65535)
    )
    qtbot.wait(20)
    source.data = second
    qtbot.wait(60)
    widget.changed.emit(widget)  # nothing is other than it was
    expected = usm.sharpen(second.pixels, "adaptive_unsharp_mask", axes=(1, 2))
    assert_shows(qtbot, result, expected.image[viewer.dims.current_step[0]])
    assert wait_for(qtbot, lambda: f"λ {expected.gain:.3g} " in status(widget))
    assert len(second.read) <= 5


@pytest.mark.parametrize("shape", [(40, 50), (2, 3, 40, 50)])
def test_the_source_gets_other_axes(live, qtbot, notifications, shape):
    """Layers of another number of axes take the places of the two."""
    viewer, widget, source, result, _ = live()
    pixels = cases.picture(shape, "uint16", seed=5)
    source.data = pixels
    result, edges = live_layers(widget)
    assert [*viewer.layers] == [source, result, edges]
    edges.visible = True
    plane = (1,) * (pixels.ndim - 2)
    viewer.dims.current_step = (*plane, 0, 0)
    for sigma in (1.0, 3.0):
        widget.sigma.value = sigma
        expected = usm.sharpen(pixels[plane], sigma=sigma)
        assert_shows(qtbot, result, expected.image)
        assert_shows(qtbot, edges, expected.edge_map)
    assert live_button(widget).isChecked()
    assert notifications() == []


def test_the_source_gets_pixels_of_another_kind(live, qtbot, notifications):
    """What cannot be sharpened is said and has no result; the next pixels may."""
    viewer, widget, source, _, _ = live(visible=False)
    source.data = PIXELS.astype(complex)
    assert len(notifications()) == 1
    assert "'cells' was changed, its live result ends" in notifications()[0]
    assert "must be bool, integer or real; got complex128" in notifications()[0]
    assert not live_button(widget).isChecked()
    assert [*viewer.layers] == [source]
    source.data = PIXELS[:2]
    switch_live(widget)
    result, edges = live_layers(widget)
    edges.visible = True
    assert_live(qtbot, viewer, result, edges, PIXELS[:2])


def test_pixels_that_napari_cannot_draw(live, qtbot):
    """If it refuses them itself, the dock says why nothing follows the controls."""
    viewer, widget, source, _, _ = live()
    with pytest.raises((TypeError, RuntimeError)):  # of napari's own
        source.data = PIXELS.astype(complex)
    widget.sigma.value = 2.0
    assert wait_for(qtbot, lambda: "Live · not yet: `image` must be" in status(widget))
    with suppress(Exception):
        source.data = PIXELS
    widget.sigma.value = 3.0
    step_to(viewer, 1)
    expected = usm.unsharp_mask(PIXELS[1], 3.0)
    assert_shows(qtbot, live_layers(widget)[0], expected)


def test_volumes_without_a_third_axis(live, qtbot):
    """Volumes that become planes are filtered as planes."""
    viewer, widget, source, _, _ = live()
    widget.dimensions.value = "volumes"
    wait_for_rest(qtbot, live_layers(widget)[0])
    source.data = PIXELS[0]
    assert "Filters Y and X of the plane" in widget._dock._sentence.text()
    switch_live(widget)
    assert_shows(qtbot, live_layers(widget)[0], usm.unsharp_mask(PIXELS[0]))
    assert len(viewer.layers) == 3


@pytest.mark.parametrize("by_reset", [False, True])
def test_pixels_edited_in_place(live, qtbot, by_reset):
    """A refresh of the source, or Reset, reads them again, with other gains too."""
    pixels = PIXELS.copy()
    viewer, widget, source, result, edges = live(pixels, "Adaptive unsharp mask")
    gain = usm.sharpen(pixels, "adaptive_unsharp_mask", axes=(1, 2)).gain
    wait_for_rest(qtbot, result)
    assert wait_for(qtbot, lambda: f"λ {gain:.3g} " in status(widget))
    pixels[:] = gaussian_filter(pixels[:, ::-1], (0, 1, 1))
    if by_reset:
        widget._dock.reset.click()
    else:
        source.refresh()
    expected = usm.sharpen(pixels, "adaptive_unsharp_mask", axes=(1, 2))
    assert expected.gain != gain
    plane = viewer.dims.current_step[0]
    assert_shows(qtbot, result, expected.image[plane])
    assert_shows(qtbot, edges, expected.edge_map[plane])
    assert wait_for(qtbot, lambda: f"λ {expected.gain:.3g} " in status(widget))


def test_a_source_that_moves_is_not_read_again(live, qtbot, monkeypatch):
    """What is known of its pixels stays; a screenshot sees a refresh at once."""
    pixels = PIXELS.copy()
    viewer, _, source, result, _ = live(pixels)
    forgotten = []
    pair = pair_of(result)
    forget = pair.forget
    monkeypatch.setattr(pair, "forget", lambda: (forgotten.append(1), forget()))
    source.scale = (2, 3, 3)
    source.visible = False
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2
    step_to(viewer, 2)
    source.visible = True
    step_to(viewer, 1)
    qtbot.wait(20)
    assert not forgotten
    pixels[1] = pixels[1, ::-1]
    source.refresh()
    viewer.screenshot(flash=False)
    np.testing.assert_array_equal(on_screen(result), usm.unsharp_mask(pixels[1]))


# --- the layers go ---


def test_the_edge_map_is_deleted(live, qtbot):
    """The result goes on; when that is deleted, Live is off until it is pressed."""
    viewer, widget, _, result, edges = live()
    viewer.layers.remove(edges)
    widget.sigma.value = 3.0
    step_to(viewer, 2)
    expected = usm.unsharp_mask(PIXELS[2], 3.0)
    assert_shows(qtbot, result, expected)
    assert live_button(widget).isChecked()
    assert len(viewer.layers) == 2
    viewer.layers.remove(result)
    assert not live_button(widget).isChecked()
    assert status(widget) == "Live is off: its result was deleted."
    switch_live(widget)
    assert_shows(qtbot, live_layers(widget)[0], expected)
    assert len(viewer.layers) == 3


def test_a_layer_is_deleted_while_it_is_made(live, qtbot):
    """Whatever was under way for it, the viewer goes on."""
    source = Counted(PIXELS, 0.1)
    viewer, widget, _, result, edges = live(
        source, visible=False, contrast_limits=(0, 65535)
    )
    widget.sigma.value = 2.0
    viewer.layers.remove(result)
    viewer.layers.remove(edges)
    widget.sigma.value = 3.0
    qtbot.wait(300)
    switch_live(widget)
    plane = viewer.dims.current_step[0]
    assert_shows(qtbot, live_layers(widget)[0], usm.unsharp_mask(PIXELS[plane], 3.0))


# --- pixels that cannot be read ---


class Broken(Counted):
    """An array that fails where a plane of it is read that is broken."""

    def __init__(self, pixels, planes, error):
        super().__init__(pixels)
        self.broken, self.error = set(planes), error

    def __getitem__(self, key):
        pixels = super().__getitem__(key)
        keys = key if isinstance(key, tuple) else (key,)
        whole = np.arange(len(self.pixels))
        asked = whole[keys[0]] if keys[0] is not Ellipsis else whole
        if self.broken & {*np.atleast_1d(asked).tolist()}:
            raise self.error("the disk is gone")
        return pixels


@pytest.mark.parametrize(("error", "lazy"), [(OSError, False), (RuntimeError, True)])
def test_a_plane_that_fails(live, qtbot, notifications, error, lazy):
    """It is said once; it is not tried again and again; all other planes are right."""
    source = Broken(PIXELS, [1], error)
    given = source if not lazy else lazily(source)
    viewer, widget, _, result, edges = live(
        given, visible=False, contrast_limits=(0, 65535)
    )
    last = viewer.add_image(PIXELS[::-1].copy(), name="last")
    viewer.layers.selection.active = None
    step_to(viewer, 1)
    assert wait_for(qtbot, lambda: "failed: the disk is gone" in status(widget))
    assert wait_for(qtbot, notifications)
    assert notifications() == ["the disk is gone"]
    np.testing.assert_array_equal(on_screen(last), PIXELS[1])
    wait_for_rest(qtbot, result)
    count = len(source.read)
    for _ in range(5):
        result.refresh()
        edges.refresh()
        qtbot.wait(5)
    assert len(source.read) == count
    assert_live(qtbot, viewer, result, edges, PIXELS)
    np.testing.assert_array_equal(on_screen(last), PIXELS[0])
    assert "failed" not in status(widget)
    step_to(viewer, 1)
    assert status(widget) == "Live · failed: the disk is gone"
    np.testing.assert_array_equal(on_screen(last), PIXELS[1])
    source.broken.clear()
    widget._dock.reset.click()
    assert_shows(qtbot, result, usm.unsharp_mask(PIXELS[1]))
    assert_shows(qtbot, edges, usm.edge_map(PIXELS[1]))
    assert wait_for(qtbot, lambda: "failed" not in status(widget))


def lazily(source):
    """A dask array whose planes are read when they are computed."""
    import dask.array as da

    return da.from_array(
        source, chunks=(1, 40, 50), meta=np.empty((0, 0, 0), np.uint16)
    )


def test_an_image_that_fails(live, qtbot, notifications):
    """An estimate needs all of the image: it fails once, and other methods go on."""
    source = Broken(PIXELS, [1], OSError)
    viewer, widget, _, result, _ = live(
        source, visible=False, contrast_limits=(0, 65535)
    )
    step_to(viewer, 2)
    assert_shows(qtbot, result, usm.unsharp_mask(PIXELS[2]))
    widget.method.value = "adaptive_unsharp_mask"
    assert wait_for(qtbot, lambda: "failed: the disk is gone" in status(widget))
    count = len(source.read)
    step_to(viewer, 0)
    qtbot.wait(50)
    assert notifications() == ["the disk is gone"]
    assert status(widget) == "Live · failed: the disk is gone"
    widget.method.value = "laplacian_sharpen"
    expected = usm.laplacian_sharpen(PIXELS[0], spacing=(1, 1))
    assert_shows(qtbot, result, expected)
    assert len(source.read) <= count + 3
    source.broken.clear()
    widget.method.value = "adaptive_unsharp_mask"
    expected = usm.adaptive_unsharp_mask(PIXELS, axes=(1, 2))
    assert_shows(qtbot, result, expected[0])


def test_a_drag_over_pixels_that_fail(live, qtbot, notifications):
    """However often they are asked for, the same error is told once."""
    source = Broken(PIXELS, [0, 1, 2], OSError)
    _, widget, _, result, _ = live(source, visible=False, contrast_limits=(0, 65535))
    for step in range(10):
        widget.sigma.value = 1 + step / 10
        qtbot.wait(20)
    wait_for_rest(qtbot, result)
    assert notifications() == ["the disk is gone"]
    assert status(widget) == "Live · failed: the disk is gone"
    assert len(source.read) <= 40


# --- in a hurry ---


def test_quick_steps(live, qtbot):
    """After fifty quick steps through planes and methods, what is shown is right."""
    pixels = cases.picture((50, 40, 50), "uint16")
    pixels_nan = pixels.astype(np.float32)
    pixels_nan[7] = np.nan
    viewer, widget, _, result, edges = live(pixels_nan, contrast_limits=(0, 1))
    for plane in range(50):
        step_to(viewer, plane)
    step_to(viewer, 7)
    assert_shows(qtbot, result, pixels_nan[7])
    for step in range(50):
        step_to(viewer, step)
        names = "laplacian_sharpen", "adaptive_unsharp_mask", "unsharp_mask"
        widget.method.value = names[step % 3]
        if step % 3 == 2:
            widget.sigma.value = 0.5 + step / 20
        if step % 7 == 0:
            qtbot.wait(10)
    widget.method.value = "unsharp_mask"
    expected = usm.sharpen(pixels_nan[49], sigma=widget.sigma.value)
    assert_shows(qtbot, result, expected.image)
    assert_shows(qtbot, edges, expected.edge_map)


def test_live_on_and_off(live, qtbot):
    """Live pressed again and again leaves one pair, or none."""
    viewer, widget, source, _, _ = live()
    for _ in range(4):
        switch_live(widget, False)
        widget.sigma.value += 0.1
        switch_live(widget)
    assert len(viewer.layers) == 3
    plane = viewer.dims.current_step[0]
    expected = usm.unsharp_mask(PIXELS[plane], widget.sigma.value)
    assert_shows(qtbot, live_layers(widget)[0], expected)
    switch_live(widget, False)
    assert [*viewer.layers] == [source]


def test_the_viewer_is_closed(make_napari_viewer, open_dock, qtbot, notifications):
    """In the middle of an update that raises nothing, and the work ends."""
    source = Counted(PIXELS, 0.1)
    viewer, widget = open_dock("Unsharp mask", make_napari_viewer())
    viewer.add_image(source, visible=False, contrast_limits=(0, 65535))
    switch_live(widget)
    qtbot.wait(30)
    for sigma in (2.0, 3.0, 4.0):
        widget.sigma.value = sigma
        qtbot.wait(10)
    viewer.close()
    qtbot.wait(300)
    count = len(source.read)
    qtbot.wait(200)
    assert len(source.read) == count <= 6
    assert notifications() == []


# --- nothing stays ---

CYCLES = 8


def all_callbacks(viewer, source):
    """How many callbacks everything has that a dock listens to."""
    layers = viewer.layers
    groups = {
        "layers": layers.events,
        "selection": layers.selection.events,
        "dims": viewer.dims.events,
        "source": source.events,
    }
    return {
        f"{name}.{event}": len(group.emitters[event].callbacks)
        for name, group in groups.items()
        for event in group.emitters
    }


def threads_but_of_the_pool():
    """The pool for blocks stays, with as many threads as the machine has."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if not name.startswith("napari-usm_")]


def used_memory():
    gc.collect()
    return psutil.Process().memory_info().rss


def ours_in_memory():
    gc.collect()
    kinds = SharpenWidget, LivePair, LiveResult
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


def open_and_close(viewer, open_dock, source, qtbot, step):
    """Open a dock, sharpen live, tune, close the dock, and delete the layers."""
    _, widget = open_dock(("Unsharp mask", "Laplacian sharpen")[step % 2], viewer)
    widget.layer.value = source
    switch_live(widget)
    for layer in live_layers(widget):
        layer.visible = True
    widget.amount.value = 0.5 + step % 10 / 10
    qtbot.wait(5)
    if step % 3 == 0:
        switch_live(widget, False)
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(5)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for layer in results(viewer):
        viewer.layers.remove(layer)


def test_open_and_close_again_and_again(make_napari_viewer, open_dock, qtbot):
    """Callbacks, threads, objects and memory are what they were before."""
    viewer = make_napari_viewer()
    source = viewer.add_image(cases.picture((3, 512, 512), "uint16"))
    for step in range(3):  # what is made once
        open_and_close(viewer, open_dock, source, qtbot, step)
    before, threads = all_callbacks(viewer, source), len(threads_but_of_the_pool())
    others = ours_in_memory()  # what errors of other tests still hold
    numbers = {id(each) for each in others}
    for step in range(CYCLES):
        if step == CYCLES // 2:
            before_half = used_memory()
        open_and_close(viewer, open_dock, source, qtbot, step)
    assert all_callbacks(viewer, source) == before
    assert wait_for(qtbot, lambda: "napari-usm live" not in threads_but_of_the_pool())
    assert len(threads_but_of_the_pool()) <= threads
    assert [each for each in ours_in_memory() if id(each) not in numbers] == []
    assert used_memory() - before_half < 1e7
    assert [*viewer.layers] == [source]
