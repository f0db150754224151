"""The jobs of a batch: which files are read, and which are written."""

from __future__ import annotations

import glob
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_usm import io
from napari_usm.batch.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_usm.io import Address, Format
    from napari_usm.recipe import Recipe

_MAGIC = "*?["


@dataclass(frozen=True)
class Problem:
    """An input that gives no job.

    Attributes
    ----------
    path : str
        The input.
    message : str
        The rule and the value.
    """

    path: str
    message: str


def plan_jobs(
    inputs: Sequence[str],
    output: str,
    recipe: Recipe,
    *,
    format: str | None = None,
    input_axes: str | None = None,
    memory: int = 2**30,
    version: str = "0.5",
    overwrite: bool = False,
) -> tuple[list[Job], list[Problem]]:
    """Return a job for each image of some files and folders.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders (of which all images are taken, but for those in links) and
        patterns such as ``*.tif``.
    output : str
        A folder, or for one image a file whose name says its format.
    recipe : Recipe
        What to do.
    format : str, optional
        Name of a format in `io.FORMATS`. Default: that of the input.
    input_axes, memory, version, overwrite
        As for `Job`.

    Returns
    -------
    jobs, problems
        Sorted by input. Problems are inputs that cannot be read, and outputs that
        would not be alone at their place.

    Raises
    ------
    ValueError
        If the output cannot be what it should, or if there are no inputs at all.
    """
    chosen = _format(format)
    files, problems = _files(inputs, Path(output))
    images: list[tuple[Address, str]] = []
    plates: set[str] = set()
    for path, below in files:
        try:
            found = io.list_images(path)
            if chosen in (None, io.FORMATS[0]) and io.is_plate(path):
                plates.add(path)
        except Exception as error:  # readers raise what they like
            problems.append(Problem(path, str(error)))
        else:
            images += [(address, below) for address in found]
    if not images and not problems:
        raise ValueError(f"`inputs` must name at least one image; got {list(inputs)}")
    is_file = io.find_format(output) is not None
    targets = len({path for path, _ in files}) if plates else len(images)
    if is_file and targets > 1:
        raise ValueError(
            f"`output` must be a folder for {len(images)} images; got {output!r}"
        )
    jobs: list[Job] = []
    taken: dict[str, str] = {}
    for address, below in images:
        try:
            whole = address.path in plates
            named = replace(address, inner="") if whole else address
            target = output if is_file else _target(named, below, output, chosen)
            plate = target if whole else ""
            if whole:
                target = f"{target}/{address.inner}"
            job = Job(
                address, target, recipe, plate, input_axes, memory, version, overwrite
            )
            _check_place(job, taken)
        except ValueError as error:
            problems.append(Problem(str(address), str(error)))
        else:
            jobs.append(job)
    return jobs, problems


def free_bytes(path: str) -> int:
    """Return the free bytes of the disk that a file or folder is, or will be, on."""
    folder = Path(path).absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _format(name: str | None) -> Format | None:
    if name is None:
        return None
    for each in io.FORMATS:
        if each.name == name and each.writer:
            return each
    names = [each.name for each in io.FORMATS if each.writer]
    raise ValueError(f"`format` must be one of {names}; got {name!r}")


def _files(
    inputs: Iterable[str], output: Path
) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Return files, each with its folder below the one that was named, and problems."""
    found: dict[str, str] = {}
    problems = []
    for given in inputs:
        if "://" in given:
            found.setdefault(given, "")
            continue
        matches = [given]
        if not os.path.lexists(given) and any(letter in given for letter in _MAGIC):
            matches = sorted(glob.glob(given, recursive=True))
            if not matches:
                problems.append(Problem(given, f"{given} matches no file"))
        for match in matches:
            if Path(match).is_dir() and io.find_format(match) is None:
                inside = list(images_in(Path(match), output))
                if not inside:
                    problems.append(Problem(match, f"{match} holds no image"))
                for path in inside:
                    below = os.path.relpath(path.parent, match)
                    found.setdefault(str(path), "" if below == "." else below)
            else:
                found.setdefault(match, "")
    return list(found.items()), problems


def images_in(folder: Path, output: Path) -> Iterator[Path]:
    """Yield the images in a folder and those below, but for links and outputs."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.absolute() == output.absolute():
            continue
        if io.find_format(entry) is not None:
            yield entry
        elif entry.is_dir() and not entry.is_symlink():
            yield from images_in(entry, output)


def _target(address: Address, below: str, output: str, chosen: Format | None) -> str:
    """Return the file of a result in a folder."""
    source = io.find_format(address.path)
    assert source is not None
    name = Path(address.path).name
    stem, suffix = source.split(name)
    if chosen is not None or not source.writer or not suffix:
        suffix = (chosen or (source if source.writer else io.FORMATS[0])).suffixes[0]
    inner = f"_{address.inner.replace('/', '_')}" if address.inner else ""
    return str(Path(output, below, f"{stem}{inner}{suffix}"))


def _check_place(job: Job, taken: dict[str, str]) -> None:
    """Raise if an output would be written over the input or another output."""
    if "://" in job.output:
        raise ValueError(f"`output` must be on a disk; got {job.output!r}")
    source = Path(job.source.path).resolve()
    for each in job.outputs:
        output = Path(each).resolve()
        if output == source:
            raise ValueError(f"`output` must not be the input; got {each!r}")
        if source in output.parents:
            raise ValueError(
                f"`output` must not be inside the input {job.source.path!r}; got "
                f"{each!r}"
            )
        if output in source.parents:
            raise ValueError(
                f"`output` must not hold the input {job.source.path!r}; got {each!r}"
            )
        key = os.path.normcase(str(output))
        if key in taken:
            raise ValueError(
                f"`output` must be another for each image; {taken[key]} and "
                f"{job.source} both give {each!r}"
            )
        taken[key] = str(job.source)
