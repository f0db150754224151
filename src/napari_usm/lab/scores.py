"""Scores of a result against its reference, and the file that holds them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_usm import metrics
from napari_usm.metrics.detectors import DETECTORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_usm.lab.degrade import Reference


class Case(NamedTuple):
    """Image and degradation of a row; with the settings they decide its scores."""

    key: str
    sigma: float
    noise: float
    settings: str


class Scores(NamedTuple):
    """Values of the metrics.

    Attributes
    ----------
    fom, fom_reference : float
        Figure of merit of Canny's edges, with thresholds of the result's own, as in
        the paper, and with those of the reference.
    ssim : float
        Structural similarity.
    psnr : float
        Peak signal-to-noise ratio in dB.
    """

    fom: float
    fom_reference: float
    ssim: float
    psnr: float


class Row(NamedTuple):
    """A line of the file."""

    image: str
    method: str
    case: Case
    scores: Scores


class Judge:
    """Compares results with one reference, whose edges are found once."""

    def __init__(self, reference: Reference) -> None:
        self._pixels = reference.pixels
        self._find = DETECTORS["canny"]
        values = reference.pixels.astype(float)
        self._thresholds = self._find.thresholds(values)
        self._edges = self._find.find(values, self._thresholds)

    def scores(self, result: NDArray[Any]) -> Scores:
        """Return the metrics of a result."""
        edges = self._find.find(result.astype(float), self._thresholds)
        return Scores(
            metrics.figure_of_merit(self._edges, result),
            metrics.figure_of_merit(self._edges, edges),
            metrics.structural_similarity(self._pixels, result),
            metrics.peak_signal_to_noise_ratio(self._pixels, result),
        )


_COLUMNS = ["image", "method", *Case._fields, *Scores._fields]
_HEADER = ",".join(_COLUMNS).encode()

# A name of a file may be of bytes that are no UTF-8: they are written as they are.
_CODEC: Any = {"encoding": "utf-8", "errors": "surrogateescape"}


class RowFile:
    """Rows on disk: each is written at once, so that a run can be taken up again.

    Parameters
    ----------
    path : Path
        Made with the first row. A last line that was written in part is dropped.

    Raises
    ------
    ValueError
        If there is a file that is not of this kind.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[Case, Row] = {}
        if path.exists():
            self._read()

    def __contains__(self, case: Case) -> bool:
        return case in self._rows

    def __getitem__(self, case: Case) -> Row:
        return self._rows[case]

    def add(self, rows: Iterable[Row]) -> None:
        """Write rows at the end."""
        new = list(rows)
        begun = self._path.exists() and self._path.stat().st_size > 0
        # One write for all, whole lines only.
        lines: list[Sequence[str | float]] = [] if begun else [_COLUMNS]
        lines += [(row.image, row.method, *row.case, *row.scores) for row in new]
        with self._path.open("a", newline="", **_CODEC) as file:
            csv.writer(file, lineterminator="\n").writerows(lines)
        self._rows.update((row.case, row) for row in new)

    def _read(self) -> None:
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        lines = _lines(whole.decode(**_CODEC))
        ours = lines[0] == _COLUMNS if lines else _HEADER.startswith(content)
        if not ours:
            raise ValueError(
                f"`out` must be a folder of this command; its {self._path.name} "
                f"is another's: {self._path}"
            )
        if len(whole) < len(content):
            with self._path.open("r+b") as file:
                file.truncate(len(whole))
        for number, line in enumerate(lines[1:], 2):
            try:
                row = _row_of(line)
            except (TypeError, ValueError):
                raise ValueError(
                    f"`out` must hold rows of this command only; {line!r} is none, "
                    f"row {number} of {self._path}"
                ) from None
            self._rows[row.case] = row


def _lines(content: str) -> list[list[str]]:
    """The fields of each line; a line without any for what is no table."""
    try:
        return list(csv.reader(StringIO(content, newline="")))
    except csv.Error:
        return [[]]


def _row_of(line: Sequence[str]) -> Row:
    """A row from what is written of it; raises if it is none."""
    image, method, key, sigma, noise, settings, *scores = line
    case = Case(key, float(sigma), float(noise), settings)
    return Row(image, method, case, Scores(*map(float, scores)))
