"""Means and variances of what was measured, beside those that the paper prints."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm.lab.scores import Case, Scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_usm.lab.contestants import Contestant
    from napari_usm.lab.degrade import Reference
    from napari_usm.lab.scores import RowFile


class Levels(NamedTuple):
    """Levels of blur whose pictures are taken together."""

    label: str
    sigmas: tuple[float, ...]


# Table 1 is over levels 1 to 3 of CSIQ, whose blur the paper does not give. The second
# set was measured on a picture of it; the first are round numbers around it.
SETS = (
    Levels("sigma 0.5, 0.7, 1", (0.5, 0.7, 1.0)),
    Levels("sigma 0.45, 0.575, 0.857 (CSIQ)", (0.45, 0.575, 0.857)),
)


class Printed(NamedTuple):
    """A column of the paper's Table 1."""

    fom_mean: float
    fom_variance: float
    ssim_mean: float
    ssim_variance: float


# Z. Mortezaie, H. Hassanpour, S. Asadi Amiri (2017), doi:10.5829/ije.2017.30.08b.02
PAPER = {
    "blurred": Printed(0.8742, 0.0139, 0.9346, 0.00076),
    "proposed": Printed(0.9356, 0.0163, 0.9533, 0.0012),
    "classic_9": Printed(0.8631, 0.0104, 0.7058, 0.0120),
    "lin_unsharp_mask": Printed(0.8469, 0.0103, 0.7357, 0.0186),
}


class Cell(NamedTuple):
    """One method over the pictures of some levels, at one noise."""

    levels: Levels
    noise: float
    method: Contestant
    pictures: int
    mean: Scores
    variance: Scores


class Standing(NamedTuple):
    """Methods of the paper by one metric, the best first: there, and here."""

    metric: str
    paper: tuple[str, ...]
    here: tuple[str, ...]


def summarise(
    rows: RowFile,
    references: Sequence[Reference],
    sigmas: Sequence[float],
    noises: Sequence[float],
    methods: Sequence[Contestant],
) -> list[Cell]:
    """Means and variances over each set of levels that is complete, and each level.

    Variances are those of a sample, divided by one less than the count.
    """
    groups = [each for each in SETS if set(each.sigmas) <= set(sigmas)]
    groups += [Levels(f"sigma {sigma:g}", (sigma,)) for sigma in sigmas]
    cells = []
    for levels in groups:
        for noise in noises:
            for method in methods:
                found = [
                    rows[Case(each.key, sigma, noise, method.settings)].scores
                    for each in references
                    for sigma in levels.sigmas
                ]
                mean, variance = _mean_and_variance(found)
                cells.append(Cell(levels, noise, method, len(found), mean, variance))
    return cells


def _mean_and_variance(scores: Sequence[Scores]) -> tuple[Scores, Scores]:
    values = np.array(scores)
    mean = values.mean(axis=0)
    # The ratio of equal pictures is infinite, and has no variance.
    with np.errstate(invalid="ignore"):
        variance = ((values - mean) ** 2).sum(axis=0) / max(1, len(values) - 1)
    return Scores(*mean.tolist()), Scores(*variance.tolist())


def standings(cells: Iterable[Cell]) -> list[Standing]:
    """Return the ranking of the paper's methods by each of its metrics."""
    found = [cell for cell in cells if cell.method.name in PAPER]
    labels = {cell.method.name: cell.method.label for cell in found}

    def ranked(means: dict[str, float]) -> tuple[str, ...]:
        return tuple(labels[name] for name in sorted(means, key=lambda n: -means[n]))

    return [
        Standing(
            metric.upper(),
            ranked({name: getattr(PAPER[name], f"{metric}_mean") for name in labels}),
            ranked({c.method.name: getattr(c.mean, metric) for c in found}),
        )
        for metric in ("fom", "ssim")
    ]


def write_cells(cells: Sequence[Cell], path: Path) -> None:
    """Write all cells as CSV, with the paper's numbers where it has some."""
    header = ["levels", "noise", "method", "blurred_pictures"]
    header += [f"{name}_mean" for name in Scores._fields]
    header += [f"{name}_variance" for name in Scores._fields]
    header += [f"paper_{name}" for name in Printed._fields]
    lines = []
    for cell in cells:
        paper = PAPER.get(cell.method.name) if cell.levels in SETS else None
        line = [cell.levels.label, cell.noise, cell.method.name, cell.pictures]
        lines.append([*line, *cell.mean, *cell.variance, *(paper or [""] * 4)])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *lines])


def as_text(cells: Sequence[Cell]) -> str:
    """The tables as they are printed."""
    parts = []
    for levels, noise in dict.fromkeys((c.levels, c.noise) for c in cells):
        chosen = [c for c in cells if (c.levels, c.noise) == (levels, noise)]
        if levels in SETS:
            parts.append(_table(levels, noise, chosen))
    single = [cell for cell in cells if cell.levels not in SETS]
    for noise in dict.fromkeys(cell.noise for cell in single):
        chosen = [cell for cell in single if cell.noise == noise]
        parts += [_by_level(noise, chosen, metric) for metric in ("fom", "ssim")]
    return "\n\n".join(parts) + "\n"


def _table(levels: Levels, noise: float, cells: Sequence[Cell]) -> str:
    """One table as the paper's, its numbers in brackets."""
    wide = _width(cells)
    lines = [
        f"Blur {levels.label}; noise {noise:g}; {cells[0].pictures} blurred pictures"
        + ("" if noise else " (the paper's numbers in brackets)"),
        f"{'':{wide}}{'FOM':9}{'':10}{'variance':9}{'':12}"
        f"{'SSIM':9}{'':10}{'variance':9}{'':12}{'FOM, ref.':11}PSNR",
    ]
    for cell in cells:
        # The paper has no noise.
        paper = None if noise else PAPER.get(cell.method.name)
        numbers = (cell.mean.fom, cell.variance.fom, cell.mean.ssim, cell.variance.ssim)
        line = f"{cell.method.label:{wide}}"
        for number, known, digits in zip(
            numbers, paper or (None,) * 4, (4, 5, 4, 5), strict=True
        ):
            text = f"{number:.{digits}f}"
            if known is not None:
                text += f" ({known:.{digits}f})"
            line += f"{text:{11 + 2 * digits}}"
        lines.append(f"{line}{cell.mean.fom_reference:.4f}     {cell.mean.psnr:5.2f}")
    for metric, paper_order, here in standings(cells):
        agrees = "as in the paper" if here == paper_order else "the paper has "
        if here != paper_order:
            agrees += " > ".join(paper_order)
        lines.append(f"{metric}: {' > '.join(here)}: {agrees}")
    return "\n".join(lines)


def _by_level(noise: float, cells: Sequence[Cell], metric: str) -> str:
    """Means of one metric, a column for each level."""
    wide = _width(cells)
    sigmas = sorted({cell.levels.sigmas[0] for cell in cells})
    means = {
        (cell.method.label, cell.levels.sigmas[0]): getattr(cell.mean, metric)
        for cell in cells
    }
    lines = [
        f"Mean {metric.upper()} by level; noise {noise:g}",
        f"{'sigma':{wide}}" + "".join(f"{sigma:8g}" for sigma in sigmas),
    ]
    for label in dict.fromkeys(cell.method.label for cell in cells):
        numbers = "".join(f"{means[label, sigma]:8.4f}" for sigma in sigmas)
        lines.append(f"{label:{wide}}{numbers}")
    return "\n".join(lines)


def _width(cells: Iterable[Cell]) -> int:
    """Of the column of names."""
    return 2 + max(len(cell.method.label) for cell in cells)
