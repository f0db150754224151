"""The figures of the paper, made of other pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_usm as usm
from napari_usm.lab.contestants import contestants
from napari_usm.lab.degrade import Reference, degraded
from napari_usm.lab.drawing import new_figure, save, style
from napari_usm.lab.scores import Judge
from napari_usm.lab.summary import PAPER, SETS
from napari_usm.lab.table_figures import draw_levels, draw_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from napari_usm.lab.summary import Cell

# Blur of the pictures that the figures are made of, and the gains of figure 1.
_SIGMA = 1.0
_GAINS = (0.1, 3.0, 0.6)

# Pictures that there are panels of, as in figures 5 to 7.
_PANELS = 3

# What there is a panel of beside what the paper compares.
_OURS = "auto_unsharp_mask"

_INK, _MARK = "#1f4e79", "#be1428"


def save_figures(
    cells: Sequence[Cell], references: Sequence[Reference], out: Path
) -> None:
    """Write every figure as PNG and SVG.

    Parameters
    ----------
    cells : sequence of Cell
        What was measured.
    references : sequence of Reference
        Figures 1 to 3 are of the first, panels as in figures 5 to 7 of the first three.
    out : Path
        Folder to write into.
    """
    with style():
        save(draw_levels(cells), out / "levels")
        if any(cell.levels in SETS for cell in cells):
            save(draw_table(cells), out / "table1")
        save(draw_gains(references[0]), out / "figure1")
        save(draw_gradient(references[0]), out / "figure2")
        save(draw_choice(references[0]), out / "figure3")
        for number, reference in enumerate(references[:_PANELS], 5):
            save(draw_panels(reference), out / f"figure{number}")


def draw_gains(reference: Reference) -> Figure:
    """Figure 1: a blurred picture, and the classic mask with three gains."""
    image = degraded(reference, _SIGMA, 0)
    shown = [("blurred", image)]
    for gain in _GAINS:
        made = usm.unsharp_mask(image, amount=1 / gain, kernel="box", mode="mirror")
        shown.append((f"λ = {gain:g}", made))
    figure, places = _pictures(2, 2, image.shape)
    for axes, (label, pixels) in zip(places, shown, strict=True):
        _show(axes, pixels, label)
    return figure


def draw_gradient(reference: Reference) -> Figure:
    """Figure 2: the 1-norm of the horizontal gradient over the gain."""
    image = degraded(reference, _SIGMA, 0)
    found = usm.sharpen(image, "adaptive_unsharp_mask")
    gains = found.report.gains
    detail = found.edge_map.astype(np.float64)
    norms = [np.abs(np.diff(image + detail / gain, axis=1)).sum() for gain in gains]
    before = np.abs(np.diff(image.astype(float), axis=1)).sum()
    figure = new_figure(4, 3)
    axes = figure.add_subplot()
    axes.plot(gains, np.array(norms) / 1e6, "o-", color=_INK, markersize=3)
    axes.axhline(before / 1e6, color="0.6", label="blurred picture")
    axes.set(xlabel="gain λ", ylabel="1-norm of the horizontal gradient (10⁶)")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def draw_choice(reference: Reference) -> Figure:
    """Figure 3: S over the gain, and its gradient, with the gain that is taken."""
    report = usm.sharpen(degraded(reference, _SIGMA, 0), "adaptive_unsharp_mask").report
    figure = new_figure(8, 3)
    curves = {"S": report.curve, "gradient of S": np.gradient(report.curve)}
    for place, (label, curve) in enumerate(curves.items(), 1):
        axes = figure.add_subplot(1, 2, place)
        axes.plot(report.gains, curve, "o-", color=_INK, markersize=3)
        axes.axvline(report.gain, color=_MARK, label=f"λ = {report.gain:g}")
        axes.set(xlabel="gain λ", ylabel=label)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
    return figure


def draw_panels(reference: Reference) -> Figure:
    """Figures 5 to 7: what the paper compares, and auto; FOM and SSIM under each."""
    image = degraded(reference, _SIGMA, 0)
    judge = Judge(reference)
    known = contestants()
    compared = [known[name] for name in (*PAPER, _OURS) if name in known]
    figure, places = _pictures(1 + len(compared) // 3, 3, image.shape)
    _show(places[0], reference.pixels, "reference")
    for axes, method in zip(places[1:], compared, strict=False):
        made = method.sharpened(image)
        found = judge.scores(made)
        _show(axes, made, f"{method.label}\nFOM {found.fom:.4f}, SSIM {found.ssim:.4f}")
    return figure


def _pictures(
    rows: int, columns: int, shape: tuple[int, ...]
) -> tuple[Figure, list[Axes]]:
    """A figure with room for pictures of this shape, nothing drawn yet."""
    width = 2.9
    height = width * shape[0] / shape[1] + 0.4
    figure = new_figure(columns * width, rows * height)
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in places:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return figure, places


def _show(axes: Axes, pixels: NDArray[Any], label: str) -> None:
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_xlabel(label)
