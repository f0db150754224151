"""Figures of the table, and of each level of blur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.lab.drawing import new_figure
from napari_usm.lab.summary import PAPER, SETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_usm.lab.summary import Cell

_METRICS = ("fom", "ssim")
_MARKERS = "o^sv<>"
_LINES = ("-", "--", ":")
_COLOURS = 10  # that matplotlib draws with before it begins anew


def draw_table(cells: Sequence[Cell]) -> Figure:
    """Means of FOM and SSIM over the sets of levels, beside the paper's."""
    chosen = [cell for cell in cells if cell.levels in SETS]
    sets = list(dict.fromkeys(cell.levels for cell in chosen))
    labels = list(dict.fromkeys(cell.method.label for cell in chosen))
    figure = new_figure(8, (0.9 + 0.24 * len(labels)) * len(sets))
    places = figure.subplots(len(sets), 2, sharey=True, squeeze=False)
    for row, levels in zip(places, sets, strict=True):
        for axes, metric in zip(row, _METRICS, strict=True):
            _dots(axes, [cell for cell in chosen if cell.levels == levels], metric)
            axes.set_xlabel(f"mean {metric.upper()}, {levels.label}")
    _add_legend(figure, places[0, 0], "outside upper center", ncols=9)
    return figure


def _dots(axes: Axes, cells: Sequence[Cell], metric: str) -> None:
    labels = list(dict.fromkeys(cell.method.label for cell in cells))
    places = range(len(labels))
    for noise, marker in zip(
        dict.fromkeys(c.noise for c in cells), _MARKERS, strict=False
    ):
        means = [getattr(c.mean, metric) for c in cells if c.noise == noise]
        axes.plot(means, places, marker, label=f"noise {noise:g}", alpha=0.8)
    known = [(c.method.label, PAPER.get(c.method.name)) for c in cells]
    there = {label: getattr(p, f"{metric}_mean") for label, p in known if p}
    axes.plot(
        list(there.values()),
        [labels.index(label) for label in there],
        "D",
        label="paper",
        markerfacecolor="none",
        markeredgecolor="black",
    )
    axes.set_yticks(places, labels)
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.yaxis.set_inverted(True)


def draw_levels(cells: Sequence[Cell]) -> Figure:
    """Means of FOM and SSIM of each level, over the blur."""
    chosen = [cell for cell in cells if len(cell.levels.sigmas) == 1]
    noises = list(dict.fromkeys(cell.noise for cell in chosen))
    labels = list(dict.fromkeys(cell.method.label for cell in chosen))
    figure = new_figure(2.5 + 2.8 * len(noises), 5.5)
    places = figure.subplots(2, len(noises), sharex=True, sharey="row", squeeze=False)
    for row, metric in zip(places, _METRICS, strict=True):
        for axes, noise in zip(row, noises, strict=True):
            for number, label in enumerate(labels):
                points = sorted(
                    (cell.levels.sigmas[0], getattr(cell.mean, metric))
                    for cell in chosen
                    if (cell.noise, cell.method.label) == (noise, label)
                )
                style = _LINES[number // _COLOURS % len(_LINES)]
                axes.plot(*np.array(points).T, style, marker=".", label=label)
            axes.set_title(f"noise {noise:g}")
        row[0].set_ylabel(f"mean {metric.upper()}")
    for axes in places[1]:
        axes.set_xlabel("blur sigma (pixels)")
    _add_legend(figure, places[0, 0], "outside right center", ncols=1)
    return figure


def _add_legend(figure: Figure, axes: Axes, place: Any, ncols: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc=place, ncols=ncols, frameon=False)
