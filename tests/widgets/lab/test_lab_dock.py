"""The dock of the lab, opened through the manifest in a real viewer."""

import csv
import gc
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from napari.components import Dims
from napari.layers import Image, Shapes
from PIL import Image as Picture
from qtpy.QtCore import QCoreApplication, QEvent, Qt
from qtpy.QtWidgets import QApplication, QLabel
from scipy import ndimage

import cases
import napari_usm as usm
from harness import (
    assert_shows,
    button,
    live_layers,
    results,
    status,
    switch_live,
    wait_for,
    wait_for_rest,
)
from napari_usm._widgets.lab import saving
from napari_usm._widgets.lab.dock import LabWidget
from napari_usm._widgets.lab.layer_planes import LARGEST, displayed, drawn_line, source
from napari_usm._widgets.lab.measuring import Measuring, Request
from napari_usm._widgets.layers.functions import layer_function
from napari_usm._widgets.live.pair import pair_of
from napari_usm.lab.findings import Findings, Source
from napari_usm.lab.planes import Plane
from napari_usm.lab.profile import line_profile

SHARP = cases.picture((3, 64, 70), "uint8")
SOFT = ndimage.gaussian_filter(SHARP, (0, 1, 1))


@pytest.fixture
def lab(open_dock, make_napari_viewer):
    """A function: the lab beside a soft and a sharp stack, in a window that is shown."""

    def opened(soft=SOFT, sharp=SHARP):
        viewer = make_napari_viewer()
        image = viewer.add_image(soft, name="soft")
        reference = viewer.add_image(sharp, name="sharp")
        viewer.layers.selection.active = image
        viewer.window._qt_window.resize(800, 500)
        viewer.window._qt_window.show()
        _, widget = open_dock("Sharpness lab", viewer)
        return SimpleNamespace(
            viewer=viewer, widget=widget, image=image, reference=reference
        )

    return opened


def wait_for_numbers(qtbot, widget):
    """Wait until all that was asked for is shown."""
    assert wait_for(qtbot, lambda: not widget.is_measuring)


def page(widget, title=None):
    if title is not None:
        widget.turn_to(title)
    return widget._pages[title or "Metrics"]


def line(widget):
    return widget._parts._line.text().replace("\xa0", " ")


def cells(widget):
    """The table as it is seen: lines of texts by their first."""
    table = page(widget).table
    texts = [
        [table.item(row, column).text() for column in range(4)]
        for row in range(table.rowCount())
    ]
    return {name: values for name, *values in texts}


def found(part, *planes):
    sources = [
        None if each is None else Source(number, lambda each=each: Plane(each))
        for number, each in enumerate(planes)
    ]
    return Findings().find(part, *sources)


def as_said(row):
    return ["–" if v is None else f"{v:.4g}".replace("-", "−") for v in row[2:]]


def test_numbers_of_what_is_displayed(lab, qtbot):
    """Image, result and reference on the plane that is displayed, plane by plane."""
    opened = lab()
    viewer, widget = opened.viewer, opened.widget
    assert widget.image.value is opened.image
    after = usm.unsharp_mask(SOFT, 1.0, 2.0, axes=(1, 2))
    result = viewer.add_image(after, name="after")
    widget.result.value, widget.reference.value = result, opened.reference
    for plane in (2, 0):
        viewer.dims.current_step = (plane, 0, 0)
        wait_for_numbers(qtbot, widget)
        expected = found("metrics", SOFT[plane], after[plane], SHARP[plane])
        told = {name.split(" (")[0]: values for name, values in cells(widget).items()}
        assert told == {row.name: as_said(row) for row in expected.rows}
        assert line(widget) == f"soft · axis -3 = {plane} · 64 × 70 pixels"
    page(widget).table.selectRow(2)
    qtbot.keyClick(page(widget).table, "c", Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().text().splitlines()
    assert copied[0].split("\t") == ["", "Image", "Result", "Reference"]
    assert copied[1].split("\t") == ["FOM", *as_said(expected.rows[2])]
    result.data = SHARP
    wait_for_numbers(qtbot, widget)
    assert cells(widget)["SSIM"][1] == "1"


def test_the_plots_show_what_was_found(lab, qtbot):
    """The lines that are drawn are the numbers, on the ground of the theme."""
    opened = lab()
    widget = opened.widget
    widget.result.value = opened.reference
    plane = opened.viewer.dims.current_step[0]
    drawn = {}
    for title in ("Gain", "Spectrum", "Profile"):
        widget.turn_to(title)
        wait_for_numbers(qtbot, widget)
        drawn[title] = page(widget, title).figure
    curve = found("gain", SOFT[plane])
    upper, lower = drawn["Gain"].axes
    np.testing.assert_allclose(upper.lines[0].get_ydata(), curve.curve)
    np.testing.assert_allclose(lower.lines[0].get_ydata(), curve.gradient)
    assert widget._gain_page.gain == curve.chosen
    spectrum = found("spectrum", SOFT[plane])
    points, fit, noise = drawn["Spectrum"].axes[0].lines
    np.testing.assert_allclose(points.get_ydata(), spectrum.power)
    np.testing.assert_allclose(fit.get_ydata(), spectrum.fitted)
    np.testing.assert_allclose(noise.get_ydata(), spectrum.noise**2)
    profile = found("profile", SOFT[plane], SHARP[plane])
    for theme in ("light", "dark"):
        opened.viewer.theme = theme
        before, after = drawn["Profile"].axes[0].lines
        np.testing.assert_allclose(before.get_ydata(), profile.image)
        np.testing.assert_allclose(after.get_ydata(), profile.result)
        paper = np.array(drawn["Profile"].get_facecolor()[:3])
        ink = np.array(to_rgb(drawn["Profile"].axes[0].xaxis.label.get_color()))
        assert ((paper > ink) == (theme == "light")).all()


def test_a_line_of_shapes(lab, qtbot):
    """A selected layer of shapes says where the profile runs."""
    opened = lab()
    viewer, widget = opened.viewer, opened.widget
    opened.image.translate = (0, 5, 0)
    widget.turn_to("Profile")
    plane = viewer.dims.current_step[0]
    ends = [[plane, 15, 3], [plane, 15, 43]]
    viewer.add_shapes([ends], shape_type="line")
    wait_for_numbers(qtbot, widget)
    drawn = page(widget, "Profile").figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, SOFT[plane, 10, 3:44])
    assert line(widget).endswith("from (10, 3) to (10, 43)")
    viewer.layers.selection.active = opened.image
    wait_for_numbers(qtbot, widget)
    assert not line(widget).endswith("from (10, 3) to (10, 43)")


def test_a_line_on_the_middle_of_a_large_plane():
    """Its ends are counted from the part that is measured, and said from the whole."""
    rng = np.random.default_rng(0)
    pixels = rng.random((2, LARGEST + 100, 40))
    image = Image(pixels, scale=(1, 2, 2))
    shapes = Shapes([[[160.0, 20.0], [160.0, 60.0]]], shape_type="line")
    dims = Dims(ndim=3, range=((0, 1, 1), (0, 2246, 2), (0, 78, 2)))
    dims.point = (1, 0, 0)
    place = displayed(image, dims)
    assert place.shape == (LARGEST + 100, 40)
    plane = source(image, place, "pixels").read()
    np.testing.assert_array_equal(plane.grey, pixels[1, 50 : LARGEST + 50])
    drawn = drawn_line(shapes, image, place)
    _, values = line_profile(plane.grey, drawn)
    np.testing.assert_allclose(values, pixels[1, 80, 10:31])
    assert place.said_line(drawn) == "from (80, 10) to (80, 30)"


def test_what_is_offered(lab, open_dock):
    """As image no results; as result those of the image first, and no edge maps."""
    opened = lab()
    viewer, widget = opened.viewer, opened.widget
    _, sharpen = open_dock("Unsharp mask", viewer)
    for source_layer in (opened.reference, opened.image):
        sharpen.layer.value = source_layer
        sharpen()
    made = {layer.name: layer for layer in results(viewer)}
    own, others = made["soft sharpened"], made["sharp sharpened"]
    assert widget.image.choices == (opened.image, opened.reference)
    assert widget.result.choices[:2] == (None, own)
    assert widget.result.native.itemText(0) == "none"
    assert set(widget.result.choices) == {None, own, others, opened.reference}
    assert widget.reference.choices == (None, opened.reference)
    assert widget.result.value is own
    viewer.layers.remove(own)
    assert widget.result.value is None
    widget.image.value = opened.reference
    assert widget.result.value is others
    widget.image.value = opened.image
    assert widget.result.value is None


def press(canvas, qtbot, axes, gains):
    """Press on one gain, and drag through the others."""
    ratio = canvas.device_pixel_ratio
    height = canvas.figure.bbox.height

    def place(gain):
        across, up = axes.transData.transform((gain, np.mean(axes.get_ylim())))
        return canvas.rect().topLeft() + type(canvas.rect().topLeft())(
            round(across / ratio), round((height - up) / ratio)
        )

    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place(gains[0]))
    for gain in gains[1:]:
        qtbot.mouseMove(canvas, place(gain))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place(gains[-1]))


def drawn_mark(gain_page):
    """The gain at which the mark is seen."""
    pixels = np.asarray(gain_page.canvas.buffer_rgba())[..., :3] / 255
    colour = to_rgb(gain_page._colours.mark)
    across = np.nonzero(np.abs(pixels - colour).max(axis=2) < 0.02)[1]
    to_data = gain_page.figure.axes[0].transData.inverted()
    return to_data.transform((across.mean() + 0.5, 0))[0] if across.size else np.inf


def test_the_live_result_follows_the_mark(lab, qtbot):
    """Its pixels are the mask of that gain, by mouse, by keys, and back at the estimate."""
    opened = lab()
    viewer, widget = opened.viewer, opened.widget
    gain_page = page(widget, "Gain")
    wait_for_numbers(qtbot, widget)
    chosen = gain_page.gain
    gain_page.live.click()
    result, _ = results(viewer)
    assert widget.result.value is result
    plane = viewer.dims.current_step[0]

    def mask():
        return usm.unsharp_mask(
            SOFT[plane], amount=1 / gain_page.gain, kernel="box", mode="mirror"
        )

    assert_shows(qtbot, result, mask())
    press(gain_page.canvas, qtbot, gain_page.figure.axes[0], [0.4, 1.0, 1.7, 2.2])
    assert gain_page.gain == pytest.approx(2.2, abs=0.03)
    assert wait_for(qtbot, lambda: abs(drawn_mark(gain_page) - gain_page.gain) < 0.03)
    assert_shows(qtbot, result, mask())
    marked = gain_page.gain
    qtbot.keyClick(gain_page.canvas, Qt.Key.Key_Left)
    qtbot.keyClick(
        gain_page.canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier
    )
    assert gain_page.gain == pytest.approx(marked - 0.09)
    assert_shows(qtbot, result, mask())
    viewer.dims.current_step = (0, 0, 0)
    plane = 0
    assert_shows(qtbot, result, mask())
    gain_page.back.click()
    curve = found("gain", SOFT[0])
    wait_for_numbers(qtbot, widget)
    assert gain_page.gain in (chosen, curve.chosen)
    assert_shows(qtbot, result, mask())
    widget.turn_to("Metrics")
    wait_for_numbers(qtbot, widget)
    report = result.metadata["napari_usm"]["report"]
    assert cells(widget)["Noise factor (×)"][1] == f"{report.noise_factor:.4g}"
    gain_page.live.click()
    assert results(viewer) == []


def untab(qtbot, viewer, lab_widget, other):
    """Put docks one below the other, so that all of them are seen."""
    window = viewer.window._qt_window
    assert wait_for(qtbot, lambda: window.tabifiedDockWidgets(dock_of(lab_widget)))
    for widget in (lab_widget, other):
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock_of(widget))
    assert wait_for(qtbot, lambda: lab_widget._watch.in_view)


def dock_of(widget):
    return widget.native.parent()


def test_another_docks_live_result_is_measured(lab, open_dock, qtbot):
    """It is chosen as it comes, and measured anew when that dock's sliders move."""
    opened = lab()
    viewer, widget = opened.viewer, opened.widget
    wait_for_numbers(qtbot, widget)
    _, sharpen = open_dock("Unsharp mask", viewer)
    untab(qtbot, viewer, widget, sharpen)
    sharpen.layer.value = opened.image
    switch_live(sharpen)
    assert widget.result.value is live_layers(sharpen)[0]
    wait_for_rest(qtbot, widget.result.value)
    wait_for_numbers(qtbot, widget)
    plane = viewer.dims.current_step[0]
    for amount in (1.0, 2.5):
        sharpen.amount.value = amount
        after = usm.unsharp_mask(SOFT[plane], 1.0, amount)
        expected = found("metrics", SOFT[plane], after).change.overshoot
        told = f"{expected:.4g}"
        assert wait_for(
            qtbot, lambda told=told: told in cells(widget).get("Overshoot", ())
        )


def test_the_noise_is_that_of_the_dock(lab, open_dock, qtbot):
    """One number for the same pixels: live, of another method, and when it is kept."""
    opened = lab(cases.picture((64, 70), "uint8"))
    viewer, widget = opened.viewer, opened.widget
    _, sharpen = open_dock("Unsharp mask", viewer)
    untab(qtbot, viewer, widget, sharpen)
    sharpen.layer.value = opened.image
    switch_live(sharpen)
    said = []

    def agrees():
        # The status line is read once: it may change at any turn.
        parts = [p for p in status(sharpen).split(" · ") if p.startswith("noise ×")]
        if not parts:
            return False
        said.append(float(parts[0].split()[-1]))
        factor = cells(widget).get("Noise factor (×)", ("", "–"))[1]
        return factor != "–" and float(factor) == pytest.approx(said[-1], rel=5e-3)

    for method, amount in (
        ("unsharp_mask", 2.5),
        ("laplacian_sharpen", 1.0),
        ("auto_unsharp_mask", None),
    ):
        sharpen.method.value = method
        if amount is not None:
            sharpen.amount.value = amount
        assert wait_for(qtbot, agrees)
    assert len(set(said)) >= 3
    assert "Noise growth (×)" not in cells(widget)
    button(sharpen, "Keep").click()
    assert wait_for(qtbot, lambda: pair_of(widget.result.value) is None)
    assert wait_for(qtbot, agrees)
    widget.result.value = opened.reference
    wait_for_numbers(qtbot, widget)
    assert "Noise factor (×)" not in cells(widget)


def test_a_reference_of_another_type(lab, qtbot):
    """Real numbers in the units of an image of integers are compared with it."""
    opened = lab()
    widget = opened.widget
    true = SHARP.astype(np.float32)
    widget.reference.value = opened.viewer.add_image(true)
    wait_for_numbers(qtbot, widget)
    plane = opened.viewer.dims.current_step[0]
    expected = found("metrics", SOFT[plane], None, true[plane])
    told = {name.split(" (")[0]: values for name, values in cells(widget).items()}
    assert told == {row.name: as_said(row) for row in expected.rows}
    assert told["PSNR"][0] != "–"


def test_docks_without_room_have_tabs(lab, open_dock, qtbot):
    """The last one is in front; where there is room they stand one below the other."""
    opened = lab()
    viewer, widget = opened.viewer, opened.widget
    window = viewer.window._qt_window
    _, sharpen = open_dock("Unsharp mask", viewer)
    assert wait_for(qtbot, lambda: window.tabifiedDockWidgets(dock_of(widget)) != [])
    assert window.tabifiedDockWidgets(dock_of(widget)) == [dock_of(sharpen)]
    assert wait_for(qtbot, lambda: not widget._watch.in_view)
    switch_live(sharpen)
    sharpen.amount.value = 2.5
    wait_for_rest(qtbot, live_layers(sharpen)[0])
    dock_of(widget).raise_()
    wait_for_numbers(qtbot, widget)
    plane = viewer.dims.current_step[0]
    after = usm.unsharp_mask(SOFT[plane], 1.0, 2.5)
    expected = found("metrics", SOFT[plane], after).change.overshoot
    assert cells(widget)["Overshoot"][1] == f"{expected:.4g}"
    viewer.window.remove_dock_widget(sharpen.native)
    window.resize(800, 1600)
    qtbot.wait(50)
    _, sharpen = open_dock("Laplacian sharpen", viewer)
    qtbot.wait(50)
    assert window.tabifiedDockWidgets(dock_of(sharpen)) == []
    assert widget._watch.in_view


def test_layers_that_do_not_go_together(lab, qtbot, monkeypatch):
    """It is said, and nothing is measured until they do."""
    opened = lab()
    widget = opened.widget
    wait_for_numbers(qtbot, widget)
    for role, other, said in (
        ("reference", SHARP[:, :32], "shape (3, 64, 70); got (3, 32, 70)"),
        ("result", SHARP[0], "shape (3, 64, 70); got (64, 70)"),
    ):
        assert cells(widget)
        widget[role].value = opened.viewer.add_image(other)
        qtbot.wait(80)
        assert line(widget) == f"`{role}` must have the image's {said}"
        assert (cells(widget), widget.is_measuring) == ({}, False)
        assert not widget._parts.save.isEnabled()
        widget.turn_to("Spectrum")  # of the image alone
        wait_for_numbers(qtbot, widget)
        assert line(widget).startswith("soft")
        assert widget._parts.save.isEnabled()
        widget.turn_to("Metrics")
        widget[role].value = None
        wait_for_numbers(qtbot, widget)
    assert cells(widget)
    # An answer that comes while it is about to ask anew is of what was there before.
    told, before = line(widget), cells(widget)
    monkeypatch.setattr(widget, "_measure_soon", lambda: None)
    opened.viewer.layers.clear()
    request = Request("metrics", Source(0, lambda: Plane(SHARP[0])))
    widget._measuring.measured.emit(request, found("metrics", SHARP[0]))
    assert (line(widget), cells(widget)) == (told, before)


def test_large_planes_colours_and_pyramids(lab, qtbot):
    """The middle of level 0, by its luminance, and the line says so."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (90, LARGEST + 60, 3)).astype(np.uint8)
    opened = lab()
    widget = opened.widget
    layer = opened.viewer.add_image([image, image[::2, ::2]], rgb=True, name="wide")
    widget.image.value = layer
    wait_for_numbers(qtbot, widget)
    assert line(widget) == (
        f"wide · the middle 90 × {LARGEST} of 90 × {LARGEST + 60} pixels"
    )
    expected = found("metrics", image[:, 30:-30])
    told = {name.split(" (")[0]: values for name, values in cells(widget).items()}
    assert told == {row.name: as_said(row) for row in expected.rows}


def test_files(lab, qtbot, tmp_path, monkeypatch):
    """PNG, SVG and CSV of what is shown; what fails is said and leaves nothing."""
    opened = lab()
    widget = opened.widget
    widget.result.value = opened.reference
    plane = opened.viewer.dims.current_step[0]
    asked = iter(
        tmp_path / name for name in ("p.png", "p.svg", "p.csv", "m.csv", "m.png")
    )
    monkeypatch.setattr(saving, "ask_path", lambda parent, page: next(asked))
    widget.turn_to("Profile")
    wait_for_numbers(qtbot, widget)
    for _ in range(3):
        widget._parts.save.click()
    with Picture.open(tmp_path / "p.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert (pixels[0, 0] == 255).all()
    assert pixels.std() > 5
    assert "<svg" in (tmp_path / "p.svg").read_text()
    read = np.genfromtxt(tmp_path / "p.csv", delimiter=",", names=True)
    profile = found("profile", SOFT[plane], SHARP[plane])
    np.testing.assert_allclose(read["distance"], profile.distances)
    np.testing.assert_allclose(read["result"], profile.result)
    widget.turn_to("Metrics")
    wait_for_numbers(qtbot, widget)
    widget._parts.save.click()
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    expected = found("metrics", SOFT[plane], SHARP[plane])
    assert rows[0] == ["metric", "unit", "image", "result", "reference"]
    assert [row[0] for row in rows[1:]] == [row.name for row in expected.rows]
    assert float(rows[1][3]) == expected.rows[0].result
    assert line(widget) == "Saved: m.csv"
    widget._parts.save.click()
    assert line(widget) == ("Not saved: the file's name must end in .csv; got 'm.png'")
    before = sorted(path.name for path in tmp_path.iterdir())
    kept = (tmp_path / "m.csv").read_bytes()

    def fails(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(saving, "ask_path", lambda parent, page: tmp_path / "m.csv")
    monkeypatch.setattr(saving.csv, "writer", fails)
    widget._parts.save.click()
    assert line(widget) == "Not saved: the disk is full"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "m.csv").read_bytes() == kept


def test_the_newest_request_wins(qtbot):
    """Of many requests the last is answered, and those before are not reported."""
    began, go = threading.Event(), threading.Event()
    measuring, told, read = Measuring(), [], []

    def request(number):
        def slowly():
            began.set()
            go.wait(10)
            read.append(number)
            return Plane(SOFT[0])

        return Request("gain", Source(number, slowly))

    measuring.measured.connect(lambda request, found: told.append(request.image.key))
    measuring.request(request(0))
    assert began.wait(10)
    for number in range(1, 20):
        measuring.request(request(number))
    go.set()
    assert wait_for(qtbot, lambda: not measuring.is_behind)
    assert told == [19]
    assert read == [0, 19]
    measuring.request(request(20))
    measuring.drop()
    qtbot.wait(100)
    assert told == [19]


def test_numbers_come_while_a_result_changes(qtbot):
    """Of one plane also older answers are shown; of another plane or part none."""
    began, go = threading.Semaphore(0), threading.Semaphore(0)
    measuring, seen = Measuring(), []

    def request(number, plane=0, part="metrics"):
        def slowly():
            began.release()
            go.acquire(timeout=10)
            return Plane(SOFT[0])

        image = Source(plane, lambda: Plane(SOFT[0]))
        return Request(part, image, Source(number, slowly))

    measuring.measured.connect(lambda request, found: seen.append(request.result.key))
    measuring.request(request("1"))
    for number in "234":
        assert began.acquire(timeout=10)
        measuring.request(request(number))  # before the last one is measured
        go.release()
        assert wait_for(
            qtbot, lambda number=number: seen[-1:] == [str(int(number) - 1)]
        )
        assert measuring.is_behind
    assert began.acquire(timeout=10)
    measuring.request(request("other plane", plane=1))
    go.release()
    assert began.acquire(timeout=10)
    measuring.request(request("other part", 1, "profile"))
    go.release(2)
    assert wait_for(qtbot, lambda: not measuring.is_behind)
    assert seen == ["1", "2", "3", "other part"]


def test_numbers_come_while_the_dock_waits_to_measure(lab, qtbot, monkeypatch):
    """A slider that moves all the time leaves no moment without a change."""
    opened = lab()
    widget = opened.widget
    wait_for_numbers(qtbot, widget)
    widget.result.value = opened.reference
    wait_for_numbers(qtbot, widget)
    plane = opened.viewer.dims.current_step[0]
    monkeypatch.setattr(widget, "_measure_soon", lambda: None)
    request = widget._request("metrics")
    widget._on_change()
    assert widget.is_measuring
    after = usm.unsharp_mask(SOFT[plane], 1.0, 2.5)
    expected = found("metrics", SOFT[plane], after)
    widget._measuring.measured.emit(request, expected)
    assert cells(widget)["Overshoot"][1] == f"{expected.change.overshoot:.4g}"
    opened.viewer.dims.set_current_step(0, (plane + 1) % len(SOFT))
    widget._measuring.measured.emit(request, found("metrics", SOFT[plane]))
    assert "Overshoot" in cells(widget)


def test_a_hidden_dock_measures_nothing(lab, qtbot, monkeypatch):
    """Nor does one that waits behind another; as soon as it is seen it does."""
    asked = []
    ask = Measuring.request
    monkeypatch.setattr(
        Measuring,
        "request",
        lambda self, request: (asked.append(1), ask(self, request)),
    )
    opened = lab()
    wait_for_numbers(qtbot, opened.widget)
    count = len(asked)
    assert count > 0
    opened.widget.native.parent().hide()
    opened.image.data = SHARP
    opened.viewer.dims.current_step = (2, 0, 0)
    qtbot.wait(80)
    assert len(asked) == count
    opened.widget.native.parent().show()
    wait_for_numbers(qtbot, opened.widget)
    assert len(asked) > count
    expected = found("metrics", SHARP[2]).rows[0]
    assert cells(opened.widget)["Acutance (/px²)"] == as_said(expected)


def test_closing_leaves_nothing(lab, open_dock, qtbot):
    """No callback, no dock; a live result stays as it is, for the next lab to take."""
    opened = lab()
    viewer = opened.viewer
    groups = {
        "layers": viewer.layers.events,
        "selection": viewer.layers.selection.events,
        "dims": viewer.dims.events,
        "viewer": viewer.events,
        "image": opened.image.events,
    }

    def callbacks():
        return {
            f"{name}.{event}": len(group.emitters[event].callbacks)
            for name, group in groups.items()
            for event in group.emitters
        }

    def close(widget):
        viewer.window.remove_dock_widget(widget.native)
        qtbot.wait(20)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    close(opened.widget)
    before = callbacks()
    _, widget = open_dock("Sharpness lab", viewer)
    widget.turn_to("Gain")
    wait_for_numbers(qtbot, widget)
    widget._gain_page.live.click()
    qtbot.wait(30)
    close(widget)
    (result, edges) = results(viewer)
    plane = viewer.dims.current_step[0]
    gain = result.metadata["napari_usm"]["gain"]
    expected = usm.unsharp_mask(
        SOFT[plane], amount=1 / gain, kernel="box", mode="mirror"
    )
    assert_shows(qtbot, result, expected)
    assert pair_of(result).owner is None
    _, widget = open_dock("Sharpness lab", viewer)
    widget.turn_to("Gain")
    wait_for_numbers(qtbot, widget)
    widget._gain_page.live.click()
    assert results(viewer) == [result, edges]
    close(widget)
    viewer.layers.remove(result)
    viewer.layers.remove(edges)
    qtbot.wait(20)  # what ends after the turn in which layers went
    assert callbacks() == before
    del widget, opened.widget
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, LabWidget)]


def test_all_of_it_fits_a_small_screen(lab, qtbot):
    """380 pixels beside the picture, on a screen of 1366 x 768."""
    opened = lab()
    dock = opened.widget.native.parent()
    opened.image.name = "a_name_that_nobody_can_wrap" * 5
    wait_for_numbers(qtbot, opened.widget)
    assert line(opened.widget).startswith("a_name_that_no…")
    # It breaks at every space, so that no part of it is wider than the dock.
    text = opened.widget._parts._line.text()
    assert "\xa0" not in text
    room = opened.widget._parts._line.fontMetrics()
    assert max(map(room.horizontalAdvance, text.split())) < 240
    opened.widget._parts.show_status("word" * 50)
    hint = opened.widget.native.minimumSizeHint()
    assert hint.width() <= 380
    assert hint.height() <= 600
    assert dock.minimumSizeHint().width() <= 380
    assert opened.widget.native.sizeHint().width() <= 380
    labels = opened.widget.native.findChildren(QLabel)
    assert {"Image", "Result", "Reference"} <= {label.text() for label in labels}


def test_a_reference_in_other_units(lab, qtbot):
    """Its values are compared as they are, and the line says what that is worth."""
    opened = lab(sharp=(SHARP / np.ptp(SHARP)).astype(np.float32))
    opened.widget.reference.value = opened.reference
    told = "the reference has other units: SSIM and PSNR mean nothing"
    assert wait_for(qtbot, lambda: told in line(opened.widget))
    opened.widget.reference.value = None
    assert wait_for(qtbot, lambda: told not in line(opened.widget))


def test_the_mean_of_several_noise_factors_is_said(lab, qtbot):
    """A gain for each plane has a noise factor for each."""
    opened = lab()
    function = layer_function("adaptive_unsharp_mask")
    data, keywords, _ = function(opened.image, gain_per="item")[0]
    result = opened.viewer.add_image(data, **keywords)
    opened.widget.image.value = opened.image
    opened.widget.result.value = result
    count = len(SOFT)
    assert wait_for(
        qtbot, lambda: f"noise factor: mean of {count}" in line(opened.widget)
    )
