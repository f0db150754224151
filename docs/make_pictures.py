"""Make every picture of the documentation and of the README.

The windows are those of the real plugin, so there must be a screen::

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_pictures.py
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import TYPE_CHECKING

# No settings of the user's: a picture is the same on every machine.
os.environ["NAPARI_CONFIG"] = ""

import dask.array as da
import napari
import numpy as np
import tifffile
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtCore import QBuffer, QPoint, QRect
from qtpy.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton, QScrollArea
from scipy import ndimage
from skimage import data

import napari_usm as usm
from napari_usm._filters.colour import LUMINANCE
from napari_usm._widgets.layers.data import DIVERGING, edge_limit
from napari_usm._widgets.live.array import LiveArray
from napari_usm._widgets.samples import filaments
from napari_usm.lab import figures
from napari_usm.lab.degrade import Reference
from napari_usm.lab.drawing import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "pictures"
LARGEST = 250_000  # bytes of a picture
SMALL = 80_000  # bytes of one of a method for the lab
ALL = 4_000_000  # bytes of all pictures
PLUGIN = "napari-usm"

INK, PALE, PAPER, MARK = (40, 40, 40), (190, 190, 190), (255, 255, 255), (190, 20, 40)
GAP = 8
# Pillow's own font, so that no machine lacks it; it has little more than ASCII.
FONT = ImageFont.load_default(16)
LINE = 22


def main() -> None:
    """Make all pictures, and check their sizes."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    draw_overview()
    draw_methods()
    draw_lab_methods()
    draw_entropy()
    draw_contrast()
    draw_experiment()
    draw_noise()
    take_docks()
    take_noise()
    take_windows()
    take_lab()
    take_batch()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{total:8} bytes in all")
    assert total <= ALL


def save(picture: Image.Image, name: str, largest: int = LARGEST) -> None:
    """Write a picture, with 256 colours where it would be too large otherwise."""
    path = FOLDER / f"{name}.png"
    picture = picture if picture.mode == "L" else picture.convert("RGB")
    picture.save(path, optimize=True)
    palette = picture.quantize(256, Image.Quantize.MEDIANCUT)
    for dither in (Image.Dither.FLOYDSTEINBERG, Image.Dither.NONE):
        if path.stat().st_size > largest:
            few = picture.quantize(palette=palette, dither=dither)
            few.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{size:8} {path.name}")
    assert size <= largest, path


# --- Drawn pictures ---


def draw_overview() -> None:
    """Before, after and edge map, of a picture that gains by it."""
    tissue = data.immunohistochemistry()
    found = usm.sharpen(
        tissue, sigma=1.5, amount=1.5, channel_axis=-1, color="luminance"
    )
    tiles = before_after(tissue, found, square(300, 230, 162), 2)
    captions = ["before", "after: sigma 1.5, amount 1.5", "edge map (x1)"]
    save(grid([tiles], [captions]), "overview")


def draw_methods() -> None:
    """For each method before, after and edge map; how the adaptive one decides."""
    retina, camera, moon = data.retina(), data.camera(), data.moon()

    found = usm.sharpen(retina, sigma=4, amount=2, channel_axis=-1, color="luminance")
    tiles = before_after(retina, found, square(560, 160, 162), 2)
    captions = ["before", "after: sigma 4, amount 2", "edge map (x1)"]
    save(grid([tiles], [captions]), "unsharp_mask")

    crop = square(70, 190, 162)
    found = usm.sharpen(camera, "laplacian_sharpen", amount=0.7)
    calm = usm.sharpen(camera, "laplacian_sharpen", amount=0.7, median_size=3)
    rows = [before_after(camera, found, crop, 2), before_after(camera, calm, crop, 2)]
    captions = [
        ["before", "after: amount 0.7", "edge map (x1)"],
        ["before", "after: amount 0.7, median 3", "edge map (x1)"],
    ]
    save(grid(rows, captions), "laplacian_sharpen")

    # As in the paper, something to repair.
    soft = ndimage.gaussian_filter(camera, 1)
    found = usm.sharpen(soft, "adaptive_unsharp_mask")
    tiles = before_after(soft, found, crop, 2)
    captions = ["before", f"after: gain {found.gain:.1f} found", "edge map (x1)"]
    shown = grid([tiles], [captions])
    gains, curve = found.report.gains, found.report.curve
    plots = [
        plot(gains, curve, found.gain, "S for each gain"),
        plot(gains, np.gradient(curve), found.gain, "gradient of S"),
    ]
    save(stacked([shown, beside(plots)]), "adaptive_unsharp_mask")

    noise = np.random.default_rng(0).normal(0, 6, soft.shape)
    noisy = np.clip(soft + noise, 0, 255).astype(np.uint8)
    found = usm.sharpen(noisy, "auto_unsharp_mask")
    tiles = before_after(noisy, found, crop, 2)
    blur, level = found.report.blur[0], float(found.report.noise)
    captions = [
        "before",
        f"after: blur {blur:.1f} px, noise {level:.1f} found",
        "edge map (x1)",
    ]
    save(grid([tiles], [captions]), "auto_unsharp_mask")

    found = usm.sharpen(moon, "gaussian_sharpen", sigma=2)
    tiles = before_after(moon, found, square(20, 40, 162), 2)
    captions = [
        "before",
        f"after: sigma 2 (amount {found.amount:.2f})",
        "edge map (x1)",
    ]
    save(grid([tiles], [captions]), "gaussian_sharpen")


def draw_lab_methods() -> None:
    """For each method for the lab the same picture, as others would sharpen it."""
    soft = ndimage.gaussian_filter(data.camera(), 1)
    crop = square(60, 190, 108)
    for name, options, captions in (
        (
            "polesel_unsharp_mask",
            [{}, {"areas": "improved"}],
            ["Polesel's areas", "improved areas"],
        ),
        (
            "dark_region_unsharp_mask",
            [{"amount": 3}],
            ["after: amount 3"],
        ),
        (
            "wavelet_unsharp_mask",
            [{}, {"areas": "polesel"}],
            ["2 levels of haar", "Polesel's areas"],
        ),
    ):
        found = [sharpen_by_lab(soft, name, **option) for option in options]
        rows = [before_after(soft, each, crop, 2) for each in found]
        words = [["before", caption, "edge map (x1)"] for caption in captions]
        save(grid(rows, words), name, SMALL)


def sharpen_by_lab(image, name: str, **parameters) -> usm.Sharpened:
    """Image, edge map and report of a method of the lab."""
    return usm.sharpen(image, usm.lab.METHODS[name].method(**parameters))


def draw_entropy() -> None:
    """The methods whose gain is chosen by entropy, and how they choose."""
    crop = square(70, 190, 108)
    soft = ndimage.gaussian_filter(data.camera(), 1)

    found = sharpen_by_lab(soft, "lin_unsharp_mask")
    captions = ["before", f"after: {found.amount:.2f} found", "edge map (x1)"]
    shown = grid([before_after(soft, found, crop, 2)], [captions])
    curve = entropy_plot(found, "bits of entropy, with penalty, for each k")
    save(stacked([shown, curve]), "lin_unsharp_mask", SMALL)

    tiles, captions, curves = [tile(soft[crop], 2)], ["before"], []
    for penalty, word in ((True, "with penalty"), (False, "without it")):
        found = sharpen_by_lab(soft, "entropy_unsharp_mask", penalty=penalty)
        tiles.append(tile(found.image[crop], 2))
        captions.append(f"{word}: {found.amount:.1f} found")
        curves.append(entropy_plot(found, f"bits of entropy, {word}, for each amount"))
    shown = grid([tiles], [captions])
    save(stacked([shown, *curves]), "entropy_unsharp_mask", SMALL)


def entropy_plot(found: usm.Sharpened, caption: str) -> Image.Image:
    """Entropy for each amount that was tried."""
    amounts, curve = 1 / found.report.gains[::-1], found.report.curve[::-1]
    start = np.floor(10 * curve.min()) / 10
    return plot(amounts, curve, found.amount, caption, start)


def draw_contrast() -> None:
    """What contrast limits, limits and types do to one and the same result."""
    crop = square(70, 200, 120)
    grey = data.camera()
    kept = usm.laplacian_sharpen(grey, 0.7, dtype="float32")
    low, high = kept.min(), kept.max()
    grey_row = [
        grey,
        255 * (kept - low) / (high - low),
        np.clip(kept, 0, 255),
        usm.laplacian_sharpen(grey, 0.7),
    ]
    grey_captions = [
        "before",
        f"auto-scaled to {low:.0f} .. {high:.0f}",
        "fixed at 0 .. 255",
        "saturated (uint8)",
    ]

    colour = data.immunohistochemistry()
    options = {"amount": 0.8, "channel_axis": -1}
    kept = np.trunc(usm.laplacian_sharpen(colour, **options, dtype="float32"))
    outside = ((kept < 0) | (kept > 255)).any(axis=-1)
    colour_row = [
        colour,
        kept % 256,
        np.where(outside[..., None], MARK, 235),
        usm.laplacian_sharpen(colour, **options),
    ]
    colour_captions = [
        "before",
        "wrapped round",
        "red: outside 0 .. 255",
        "saturated (uint8)",
    ]
    part = square(300, 230, 120)
    rows = [
        [tile(shown[crop], 2) for shown in grey_row],
        [tile(shown[part], 2) for shown in colour_row],
    ]
    save(grid(rows, [grey_captions, colour_captions]), "contrast")


def draw_experiment() -> None:
    """The figures of the paper, of a picture that may be shown."""
    middle = data.camera()[square(70, 130, 200)]
    camera = Reference("camera", np.ascontiguousarray(middle))
    with style():
        save(drawn(figures.draw_gains(camera)).convert("L"), "experiment_gains")
        curves = [figures.draw_gradient(camera), figures.draw_choice(camera)]
        save(beside([drawn(figure) for figure in curves]), "experiment_choice")
        save(drawn(figures.draw_panels(camera)).convert("L"), "experiment_panels")


def drawn(figure: Figure) -> Image.Image:
    """A figure of matplotlib's as a picture."""
    file = io.BytesIO()
    figure.savefig(file, dpi=100)
    return Image.open(file)


def draw_noise() -> None:
    """Few photons: what a plain mask makes of them, and one that knows their noise."""
    light = 4 + data.camera() / 255 * 120
    photons = np.random.default_rng(0).poisson(light).astype(np.uint8)
    crop = square(90, 220, 110)
    call = {"sigma": 1.5, "amount": 3}
    plain = usm.unsharp_mask(photons, **call)
    true = usm.unsharp_mask(photons, threshold="3 noise", **call)
    significance = usm.significance(photons, sigma=1.5)
    brighter = [np.minimum(image[crop] * 1.7, 255) for image in (photons, plain, true)]
    tiles = [tile(image, 3) for image in brighter]
    tiles.append(tile(np.minimum(significance[crop] * 255 / 6, 255), 3))
    captions = [
        ["few photons", "plain mask"],
        ['threshold="3 noise"', "significance, 0 to 6"],
    ]
    save(grid([tiles[:2], tiles[2:]], captions), "noise_threshold")


def square(top: int, left: int, side: int) -> tuple[slice, slice]:
    """Where a crop lies."""
    return slice(top, top + side), slice(left, left + side)


def before_after(
    image: np.ndarray, found: usm.Sharpened, crop: tuple[slice, slice], zoom: int
) -> list[Image.Image]:
    """The three tiles that say what a method does."""
    edge_map = found.edge_map
    if edge_map.ndim == 3:
        edge_map = edge_map @ LUMINANCE
    return [
        tile(image[crop], zoom),
        tile(found.image[crop], zoom),
        tile(edge_colours(edge_map)[crop], zoom),
    ]


def edge_colours(edge_map: np.ndarray) -> np.ndarray:
    """The edge map as its layer shows it."""
    limit = edge_limit(edge_map)
    shares = (np.clip(edge_map / limit, -1, 1) + 1) / 2
    return 255 * DIVERGING.map(shares.ravel())[:, :3].reshape(*edge_map.shape, 3)


def tile(values: np.ndarray, zoom: int) -> Image.Image:
    """Values of 0 to 255 as a picture, every pixel a square of `zoom` pixels."""
    picture = Image.fromarray(np.asarray(values).astype(np.uint8)).convert("RGB")
    size = (picture.width * zoom, picture.height * zoom)
    return picture.resize(size, Image.Resampling.NEAREST)


def grid(rows: list[list[Image.Image]], captions: list[list[str]]) -> Image.Image:
    """Rows of tiles, a caption under each."""
    return stacked(
        [
            beside([captioned(*pair) for pair in zip(*row, strict=True)])
            for row in zip(rows, captions, strict=True)
        ]
    )


def captioned(picture: Image.Image, caption: str) -> Image.Image:
    """A picture with a line of text below."""
    assert FONT.getlength(caption) < picture.width - 2, caption
    paper = Image.new("RGB", (picture.width, picture.height + LINE + 4), PAPER)
    paper.paste(picture)
    ImageDraw.Draw(paper).text((2, picture.height + 3), caption, INK, FONT)
    return paper


def beside(pictures: list[Image.Image]) -> Image.Image:
    """Pictures from left to right."""
    width = sum(picture.width + GAP for picture in pictures) - GAP
    paper = Image.new("RGB", (width, max(p.height for p in pictures)), PAPER)
    left = 0
    for picture in pictures:
        paper.paste(picture, (left, 0))
        left += picture.width + GAP
    return paper


def stacked(pictures: list[Image.Image]) -> Image.Image:
    """Pictures from top to bottom."""
    height = sum(picture.height + GAP for picture in pictures) - GAP
    paper = Image.new("RGB", (max(p.width for p in pictures), height), PAPER)
    top = 0
    for picture in pictures:
        paper.paste(picture, (0, top))
        top += picture.height + GAP
    return paper


def plot(
    x: np.ndarray, y: np.ndarray, marked: float, caption: str, start: float = 0.0
) -> Image.Image:
    """A curve over `x`, from `start` up, with one place marked."""
    fine, width, height = 3, 490, 170  # drawn larger, for smooth lines
    left, right, top, bottom = 44, width - 10, 12, height - 26
    largest = y.max()

    def place(at: float, value: float, scale: int = 1) -> tuple[float, float]:
        across = left + (right - left) * at / x[-1]
        down = bottom - (bottom - top) * (value - start) / (largest - start)
        return scale * across, scale * down

    paper = Image.new("RGB", (fine * width, fine * height), PAPER)
    draw = ImageDraw.Draw(paper)
    axes = [place(0, largest, fine), place(0, start, fine), place(x[-1], start, fine)]
    draw.line(axes, PALE, fine)
    foot, head = place(marked, start, fine), place(marked, largest, fine)
    draw.line([foot, head], MARK, fine)
    points = [place(*pair, fine) for pair in zip(x, y, strict=True)]
    draw.line(points, INK, 2 * fine, joint="curve")
    for across, down in points:
        ring = (across - 7, down - 7, across + 7, down + 7)
        draw.ellipse(ring, INK)
    paper = paper.resize((width, height), Image.Resampling.LANCZOS)

    draw = ImageDraw.Draw(paper)
    known = [at for at in (0.0, 1.0, 2.0, 3.0, 10.0) if at <= x[-1]]
    for at in (*(at for at in known if abs(at - marked) > x[-1] / 20), marked):
        middle, _ = place(at, start)
        colour = MARK if at == marked else INK
        draw.text((middle, bottom + 4), f"{at:.3g}", colour, FONT, anchor="ma")
    for value in (start, largest):
        _, down = place(0, value)
        draw.text((left - 6, down), f"{value:.2g}", INK, FONT, anchor="rm")
    return captioned(paper, caption)


# --- Windows ---


def take_docks() -> None:
    """The dock of each method, and one with its fold open."""
    for name, title in (
        ("unsharp_mask", "Unsharp mask"),
        ("laplacian_sharpen", "Laplacian sharpen"),
        ("adaptive_unsharp_mask", "Adaptive unsharp mask"),
        ("auto_unsharp_mask", "Auto unsharp mask"),
    ):
        viewer, dock, widget = new_viewer("cell", title)
        go_live(widget)
        take_dock(dock, widget, 360, f"dock_{name}")
        viewer.close()

    viewer, dock, widget = new_viewer("cell", "Unsharp mask")
    go_live(widget)
    click(dock, "Advanced")
    take_dock(dock, widget, 590, "dock_advanced")
    viewer.close()


def take_noise() -> None:
    """The edge map in units of noise, beside its dock."""
    viewer, dock, widget = new_viewer(None, "Unsharp mask")
    viewer.add_image(data.cell()[square(304, 360, 140)], name="cell")
    widget.threshold_unit.value = "× noise"
    widget.edge_map_unit.value = "× noise"
    go_live(widget)
    result, significance = live_layers(viewer)
    result.visible, significance.visible = False, True
    click(dock, "Advanced")
    take_window(viewer, dock, widget, "dock_noise")
    viewer.close()


def take_windows() -> None:
    """The whole window in every state that it can be in."""
    viewer, dock, widget = new_viewer("moon", "Unsharp mask")
    take_window(viewer, dock, widget, "dock_opened")
    widget.sigma.value = 2.0
    widget.amount.value = 2.0
    go_live(widget)
    take_window(viewer, dock, widget, "window")
    click(dock, "Wipe")
    settle(1.0)
    take_window(viewer, dock, widget, "window_wipe")
    click(dock, "Wipe")
    click(dock, "Keep")
    wait_until(lambda: not live_layers(viewer))
    take_dock(dock, widget, 330, "dock_kept")
    viewer.close()

    viewer, dock, widget = new_viewer("filaments", "Unsharp mask")
    widget.dimensions.value = "volumes"
    widget.sigma_unit.value = "µm"
    widget.sigma.value = 0.35
    widget.amount.value = 3.0
    go_live(widget)
    viewer.layers[-1].visible = True
    take_window(viewer, dock, widget, "dock_volumes")
    viewer.close()

    viewer, dock, widget = new_viewer("retina", "Unsharp mask")
    widget.sigma.value = 4.0
    widget.amount.value = 2.0
    widget.color.value = "luminance"
    go_live(widget)
    take_window(viewer, dock, widget, "dock_rgb")
    viewer.close()

    viewer, dock, widget = new_viewer(None, "Unsharp mask")
    stack, _, _ = filaments()[-1]
    viewer.add_image(np.stack([stack, stack]), name="series without axis labels")
    viewer.dims.set_point(1, 12)
    settle()
    widget.dimensions.value = "volumes"
    click(dock, "Live")
    take_window(viewer, dock, widget, "dock_error")
    viewer.close()
    take_slow_windows()
    take_pyramids()


def take_slow_windows() -> None:
    """While pixels are computed, and while layers are made."""
    viewer, dock, widget = new_viewer(None, "Unsharp mask")
    camera = data.camera()

    def slowly(block: np.ndarray) -> np.ndarray:
        sleep(0.4)
        return np.resize(camera, block.shape)

    lazy = da.zeros((60, 512, 512), np.uint8, chunks=(1, 512, 512))
    slow = lazy.map_blocks(slowly, meta=np.empty((0, 0, 0), np.uint8))
    viewer.add_image(slow, name="slow series", contrast_limits=(0, 255))
    settle(1)
    go_live(widget)
    widget.sigma.value = 3.0
    click(dock, "Keep")
    wait_until(lambda: dock.findChild(QProgressBar).value() > 1)
    take_window(viewer, dock, widget, "dock_keeping")
    click(dock, "Cancel")
    viewer.layers[0].visible = False  # or napari itself computes the plane first
    viewer.dims.set_point(0, 50)
    widget.sigma.value = 4.0
    take_window(viewer, dock, widget, "dock_updating", 0)
    viewer.close()


def take_pyramids() -> None:
    """Near and far, by a method with a blur and by one without."""
    retina = data.retina()
    levels = [retina, *(retina[::k, ::k] for k in (2, 4, 8))]
    viewer, dock, widget = new_viewer(None, "Laplacian sharpen")
    viewer.add_image(levels, name="retina, four levels", multiscale=True, rgb=True)
    widget.amount.value = 2.0
    go_live(widget)
    take_window(viewer, dock, widget, "dock_pyramid")
    viewer.close()


def take_lab() -> None:
    """Every page of the lab, of a picture whose sharp original is known."""
    sharp = data.camera()
    soft = ndimage.gaussian_filter(sharp, 1.0)
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1160, 660)
    image = viewer.add_image(soft, name="camera, blurred")
    reference = viewer.add_image(sharp, name="camera", visible=False)
    viewer.layers.selection.active = image
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Sharpness lab")
    widget.reference.value = reference
    widget.turn_to("Gain")
    settle()
    wait_until(lambda: not widget.is_measuring)
    click(dock, "Live")
    settle(1)
    for page in ("Metrics", "Gain", "Spectrum", "Profile"):
        widget.turn_to(page)
        settle()
        wait_until(lambda: not widget.is_measuring)
        take_dock(dock, widget, 500, f"lab_{page.lower()}")
    viewer.close()


def take_batch() -> None:
    """A batch under way: some images are done, a large one is not, one is broken."""
    viewer, _, widget = new_viewer(None, "Unsharp mask")
    planes = data.cell()[square(304, 360, 140)]
    viewer.add_image(planes, name="cell")
    widget.sigma.value = 1.5
    batch_dock, batch = viewer.window.add_plugin_dock_widget(PLUGIN, "Batch sharpening")
    with TemporaryDirectory() as name:
        folder = Path(name) / "plate 7"
        folder.mkdir()
        for number in range(5):
            tifffile.imwrite(folder / f"cell_{number}.tif", planes)
        tifffile.imwrite(
            folder / "overview.tif", np.tile(planes, (60, 36, 36)), ome=True
        )
        (folder / "thumbs.tif").write_text("no image")
        batch.add([str(folder)])
        wait_until(lambda: batch.is_planned and batch.table.rows)
        click(batch_dock, "Start")
        (large,) = (r for r in batch.table.rows if "overview" in r.input)
        wait_until(lambda: large.done > 0.3 * large.total > 0)
        take_dock(batch_dock, (), 520, "dock_batch")  # its controls are Qt's
        click(batch_dock, "Cancel")
        wait_until(lambda: not batch.is_running)
    viewer.close()


def live_layers(viewer: napari.Viewer) -> list:
    """Layers whose pixels are made when they are shown."""
    return [layer for layer in viewer.layers if isinstance(layer.data, LiveArray)]


def go_live(widget) -> None:
    """Press Live, and wait until the pixels and their numbers are there."""
    widget.set_live(True)
    settle(0.2)
    wait_until(lambda: not widget.is_updating)
    settle(0.6)


def wait_until(done) -> None:
    """Let Qt work until something is so."""
    end = monotonic() + 300
    while not done():
        settle(0.02)
        assert monotonic() < end


def new_viewer(sample: str | None, title: str) -> tuple:
    """A viewer of known size, with a sample if wanted; its dock; the widget there."""
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1160, 660)
    if sample:
        viewer.open_sample(PLUGIN, sample)
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, title)
    settle()
    return viewer, dock, widget


def take_dock(dock, widget, height: int, name: str) -> None:
    """A picture of the dock alone, out of its window to be of any height."""
    dock.setFloating(True)
    dock.resize(dock.width(), height)
    settle()
    check_controls(dock, widget)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    dock.grab().save(buffer, "PNG")
    save(Image.open(io.BytesIO(buffer.data().data())), name)


def take_window(
    viewer: napari.Viewer, dock, widget, name: str, seconds: float = 1.5
) -> None:
    """A picture of the whole window, after any notification has faded in."""
    viewer.reset_view()
    settle(seconds)
    check_controls(dock, widget)
    assert dock.window().rect().contains(dock.geometry()), dock.geometry()
    picture = viewer.screenshot(canvas_only=False, flash=False)
    save(Image.fromarray(picture), name)


def click(dock, text: str) -> None:
    """Click on a button, by the end of what it says."""
    (button,) = (b for b in dock.findChildren(QPushButton) if b.text().endswith(text))
    button.click()


def settle(seconds: float = 0.3) -> None:
    """Let Qt finish what it has begun."""
    end = monotonic() + seconds
    while monotonic() < end:
        QApplication.processEvents()


def check_controls(dock, widget) -> None:
    """Every control that shows, and every text, lies inside the dock's window."""
    scroll = dock.findChild(QScrollArea)
    # Of the lab all controls are in view, and none belongs to a method.
    parts = [control.native for control in getattr(widget, "controls", widget)]
    parts += dock.findChildren(QLabel) + dock.findChildren(QPushButton)
    for part in parts:
        if not part.isVisible():
            continue
        if scroll is not None and scroll.isAncestorOf(part):
            scroll.ensureWidgetVisible(part)
        place = QRect(part.mapTo(dock, QPoint(0, 0)), part.size())
        assert dock.rect().contains(place), (part, place, dock.rect())
        seen = part.visibleRegion().boundingRect()
        assert seen == part.rect(), (part, seen, part.rect())
    if scroll is not None:
        scroll.verticalScrollBar().setValue(0)
        settle()


if __name__ == "__main__":
    main()
