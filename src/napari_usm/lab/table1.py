"""The paper's experiment: ``python -m napari_usm.lab.table1 FOLDER``.

Pictures are blurred, sharpened by every method and compared with what they were.
What is measured is kept row by row, so that a run that was stopped goes on where it
was.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from napari_usm.lab.contestants import chosen_contestants
from napari_usm.lab.degrade import SMALLEST, degraded, read_references
from napari_usm.lab.progress import Progress
from napari_usm.lab.scores import Case, Judge, Row, RowFile
from napari_usm.lab.summary import SETS, as_text, summarise, write_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.lab.contestants import Contestant
    from napari_usm.lab.degrade import Reference

SIGMAS = tuple(sorted({sigma for levels in SETS for sigma in levels.sigmas}))
NOISES = (0.0, 2.0, 5.0)
OUT = Path("napari-usm-table1")

_ROWS = "rows.csv"


DESCRIPTION = (
    "Blur sharp pictures, sharpen them by every method and compare: means and "
    "variances of FOM and SSIM beside those of the paper, and its figures. A run that "
    "was stopped goes on where it was."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("folder", type=Path, help="folder of sharp pictures of 8 bit")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        default=OUT,
        help="for rows, tables and figures; one that holds rows is gone on with "
        f"(default: {OUT})",
    )
    parser.add_argument(
        "--levels",
        metavar="SIGMA",
        type=float,
        nargs="+",
        default=SIGMAS,
        help="blur (default: both sets of levels, "
        f"{' '.join(f'{sigma:g}' for sigma in SIGMAS)})",
    )
    parser.add_argument(
        "--noise",
        metavar="SIGMA",
        type=float,
        nargs="+",
        default=NOISES,
        help="noise added after the blur, of 255 (default: 0 2 5)",
    )
    parser.add_argument(
        "--methods", metavar="NAME", nargs="+", help="only these (default: all)"
    )
    parser.add_argument(
        "--size",
        metavar="PIXELS",
        type=int,
        help="only the middle of each picture (default: all of it)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_usm.lab.table1", description=DESCRIPTION
    )
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run what the arguments ask for; the exit status."""
    try:
        left_out = table1(
            options.folder,
            options.out,
            sigmas=options.levels,
            noises=options.noise,
            methods=options.methods,
            size=options.size,
        )
    except (ValueError, OSError) as error:
        print(f"napari-usm: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    for name, reason in left_out.items():
        print(f"left out: {name} ({reason})", file=sys.stderr)
    return 0


def table1(
    folder: Path,
    out: Path,
    *,
    sigmas: Sequence[float] = SIGMAS,
    noises: Sequence[float] = NOISES,
    methods: Sequence[str] | None = None,
    size: int | None = None,
) -> dict[str, str]:
    """Measure, print and save everything.

    Parameters
    ----------
    folder, out : Path
        Pictures, and where the results go.
    sigmas, noises : sequence of float
        Levels of blur and of noise.
    methods : sequence of str, optional
        Names of `contestants`; all by default.
    size : int, optional
        Pixels along each side to take from the middle of a picture.

    Returns
    -------
    dict of str
        For each file that was left out the reason.

    Raises
    ------
    ValueError
        If there is no picture, if an argument breaks its rule, or if there is
        something in `out` that is not of this command.
    """
    levels, noises = _levels("levels", sigmas), _levels("noise", noises)
    if size is not None and size < SMALLEST:
        raise ValueError(f"`size` must be at least {SMALLEST}; got {size}")
    chosen = chosen_contestants(methods)
    references, left_out = _pictures(folder, size)
    rows = _opened(out)
    _measure(rows, references, levels, noises, chosen)

    from napari_usm.lab.figures import save_figures  # late: it draws

    cells = summarise(rows, references, levels, noises, chosen)
    write_cells(cells, out / "table1.csv")
    text = as_text(cells)
    (out / "table1.txt").write_text(text, encoding="utf-8")
    print(text, end="")
    save_figures(cells, references, out)
    return left_out


def _levels(name: str, values: Sequence[float]) -> list[float]:
    if not values:
        raise ValueError(f"`{name}` must be one or more; got {values!r}")
    for value in values:
        if not 0 <= value < float("inf"):
            raise ValueError(f"`{name}` must be at least 0 and finite; got {value}")
    return sorted(set(values))


def _pictures(folder: Path, size: int | None) -> tuple[list[Reference], dict[str, str]]:
    if not folder.is_dir():
        raise ValueError(f"`folder` must be a folder; got {folder}")
    references, left_out = read_references(folder, size)
    if not references:
        others = ", ".join(f"{name} ({why})" for name, why in left_out.items())
        raise ValueError(
            f"`folder` must hold a picture; {folder} has {others or 'nothing'}"
        )
    return references, left_out


def _opened(out: Path) -> RowFile:
    """Rows of a folder that is new, empty or of this command."""
    path = out / _ROWS
    if out.exists() and not path.exists() and any(out.iterdir()):
        raise ValueError(
            f"`out` must be new, empty or a folder of this command; got {out}"
        )
    out.mkdir(parents=True, exist_ok=True)
    return RowFile(path)


def _measure(
    rows: RowFile,
    references: Sequence[Reference],
    sigmas: Sequence[float],
    noises: Sequence[float],
    methods: Sequence[Contestant],
) -> None:
    """Add every row that is not there yet."""
    todo = [
        (reference, sigma, noise, lacking)
        for reference, sigma, noise in itertools.product(references, sigmas, noises)
        if (lacking := _lacking(rows, reference, sigma, noise, methods))
    ]
    progress = Progress(sum(len(lacking) for *_, lacking in todo))
    for reference, cases in itertools.groupby(todo, key=itemgetter(0)):
        judge = Judge(reference)
        for _, sigma, noise, lacking in cases:
            image = degraded(reference, sigma, noise)
            rows.add(
                Row(
                    reference.name,
                    method.name,
                    Case(reference.key, sigma, noise, method.settings),
                    judge.scores(method.sharpened(image)),
                )
                for method in lacking
            )
            progress.advance(len(lacking), reference.name)


def _lacking(
    rows: RowFile,
    reference: Reference,
    sigma: float,
    noise: float,
    methods: Sequence[Contestant],
) -> list[Contestant]:
    """Methods without a row for a picture, a level and a noise."""
    return [
        method
        for method in methods
        if Case(reference.key, sigma, noise, method.settings) not in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
