"""``napari-usm sharpen``: images, folders and plates from file to file."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_usm.cli.options import add_recipe_options, recipe_of, save_recipe
from napari_usm.cli.parser import NAME, WrongUse, report, wrong_use

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from napari_usm.batch import Job, Problem, Result
    from napari_usm.batch.executors import Executor
    from napari_usm.recipe import Recipe

DESCRIPTION = (
    "Sharpen images from file to file: TIFF, OME-TIFF, ImageJ, OME-Zarr and plates of "
    "it, NPY, PNG, JPEG. Folders are searched for images. Axes, scale, units and "
    "channels come along; a record of what was done is in each output and beside it. "
    "An output appears when it is complete, and replaces nothing without --overwrite."
)

_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="file, folder or pattern"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="folder of the results, or for one image a file, whose name says the "
        "format: .ome.zarr, .ome.tif, .tif, .npy, .png, .jpg",
    )
    parser.add_argument(
        "--format",
        choices=["ome-zarr", "ome-tiff", "tiff", "npy", "png", "jpeg"],
        help="format of results in a folder (default: that of the input)",
    )
    parser.add_argument(
        "--zarr-version",
        choices=["0.5", "0.4"],
        default="0.5",
        help="version of OME-Zarr that is written (default: 0.5)",
    )
    parser.add_argument(
        "--input-axes",
        metavar="AXES",
        help="names of the axes of the inputs, such as TCYX, instead of those in the "
        "files",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace outputs")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out what is done, and go on where a run was interrupted",
    )
    parser.add_argument(
        "--same-estimate",
        action="store_true",
        help="estimate gain, blur and noise in the first image, for all of them",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the plan, and do nothing"
    )
    parser.add_argument(
        "--json", action="store_true", help="print a line of JSON for each image"
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="go on with new files in the folders as they become complete, until "
        "interrupted",
    )
    group = parser.add_argument_group("where it runs")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="threads of this process (default: one for each core)",
    )
    where.add_argument(
        "--processes", type=_count, metavar="N", help="processes on this machine"
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="scheduler of a running Dask cluster"
    )
    group.add_argument(
        "--memory",
        type=_bytes,
        metavar="SIZE",
        help="memory for all workers of this machine, such as 4GB (default: a quarter "
        "of what the machine has)",
    )
    group.add_argument(
        "--part",
        type=_part,
        metavar="I/N",
        help="only part I of N of the work, as a task of an array job; the last part "
        "that ends completes the outputs",
    )
    group.add_argument(
        "--finalize",
        action="store_true",
        help="only complete the outputs of which all parts are done",
    )
    add_recipe_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from napari_usm.batch import plan_jobs

    # After an error of a disk, asyncio complains of zarr's tasks that were given up.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    with wrong_use():
        recipe = recipe_of(options)
        words = {
            "format": options.format,
            "input_axes": options.input_axes,
            "memory": _memory_of_worker(options),
            "version": options.zarr_version,
            "overwrite": options.overwrite,
        }
        jobs, problems = plan_jobs(options.inputs, options.output, recipe, **words)
        save_recipe(options, recipe, overwrite=options.overwrite)
    if options.dry_run:
        return _print_plan(jobs, problems, options)
    try:
        with _executor(options) as executor:
            failed = _run(jobs, problems, executor, options)
            if options.watch:
                _watch(jobs, executor, options, recipe, words)
    except KeyboardInterrupt:
        if options.processes or options.scheduler:
            raise
        print(
            f"{NAME}: interrupted; --resume goes on from here",
            file=sys.stderr,
            flush=True,
        )
        sys.stdout.flush()
        # Threads in the middle of a unit are not waited for: nothing of theirs is
        # under its final name, and the journal does not list it.
        os._exit(_INTERRUPTED)
    return 1 if failed else 0


def _run(
    jobs: Sequence[Job],
    problems: Sequence[Problem],
    executor: Executor,
    options: argparse.Namespace,
) -> int:
    """Run jobs, print their ends, and return the number of those that failed."""
    from napari_usm.batch import Batch
    from napari_usm.cli.progress import Reporter

    part = (0, 2) if options.finalize else options.part
    reporter = Reporter(jobs, quiet=options.json)
    with wrong_use():
        batch = Batch(
            jobs,
            executor,
            command=shlex.join([NAME, *sys.argv[1:]]),
            resume=options.resume or options.watch,
            same_estimate=options.same_estimate,
            part=part,
            listener=reporter.listen,
        )
    with reporter:
        results = batch.run()
    for result in results if options.json else ():
        print(json.dumps(_described(result), ensure_ascii=False), flush=True)
    failed = [each for each in results if each.status == "failed"]
    errors = [(str(each.job.source), each.error) for each in failed]
    errors += [(each.path, each.message) for each in problems]
    for path, message in errors:
        report(path, message)
        if options.json and (path, message) in errors[len(failed) :]:
            said = {"input": path, "status": "failed", "error": message}
            print(json.dumps(said, ensure_ascii=False), flush=True)
    if not options.json:
        done = sum(each.status in ("done", "before") for each in results)
        print(f"{done} of {len(results) + len(problems)} images done", flush=True)
    return len(errors)


def _watch(
    jobs: Sequence[Job],
    executor: Executor,
    options: argparse.Namespace,
    recipe: Recipe,
    words: dict[str, Any],
) -> None:
    """Run jobs for files that become complete, until the user interrupts."""
    from napari_usm.batch.watch import new_jobs

    folders = [each for each in options.inputs if Path(each).is_dir()]
    known = {job.source.path for job in jobs}
    for more, problems in new_jobs(folders, options.output, recipe, known, **words):
        _run(more, problems, executor, options)


def _described(result: Result) -> dict[str, Any]:
    said: dict[str, Any] = {
        "input": str(result.job.source),
        "output": result.job.output,
        "status": result.status,
        "seconds": round(result.seconds, 3),
    }
    if result.error:
        said["error"] = result.error
    if result.record is not None:
        said["report"] = result.record["report"]
    return said


def _print_plan(
    jobs: Sequence[Job], problems: Sequence[Problem], options: argparse.Namespace
) -> int:
    """Print what would be done, and return the exit status."""
    from dask.utils import format_bytes

    from napari_usm.batch.inputs import free_bytes
    from napari_usm.batch.job import OpenJob
    from napari_usm.batch.run import message_of

    total, errors = 0, [(each.path, each.message) for each in problems]
    for job in jobs:
        try:
            opened = OpenJob.of(job)
        except Exception as error:  # as it would fail when it runs
            errors.append((str(job.source), message_of(error)))
            continue
        with opened.image as image:
            size = opened.output_bytes
            total += size
            said: dict[str, Any] = {
                "input": str(job.source),
                "output": job.output,
                "format": image.kind,
                "axes": "".join(image.metadata.axes).upper(),
                "shape": list(image.shape),
                "dtype": image.dtype.name,
                "filter": opened.description,
                "bytes": size,
                "at once": opened.is_whole,
            }
        if options.json:
            print(json.dumps(said, ensure_ascii=False))
            continue
        shape = " × ".join(map(str, said["shape"]))
        how = "in memory" if said["at once"] else "in units"
        print(
            f"{said['input']}: {said['format']}, {said['axes']} {shape} {image.dtype}"
        )
        print(f"  → {job.output}, {format_bytes(size)} uncompressed, {how}")
        print(f"  {opened.description}; {opened.plan.method.name}")
    for path, message in errors:
        report(path, message)
    if not options.json:
        free = free_bytes(options.output)
        total_words, free_words = format_bytes(total), format_bytes(free)
        print(f"{len(jobs)} images, {total_words} uncompressed; {free_words} are free")
    return 1 if errors else 0


@contextmanager
def _executor(options: argparse.Namespace) -> Iterator[Executor]:
    """Start what units run on."""
    from napari_usm.batch import executors

    opened: AbstractContextManager[Executor]
    try:
        if options.processes:
            opened = executors.local_cluster(options.processes)
        elif options.scheduler:
            opened = executors.running_cluster(options.scheduler)
        else:
            opened = nullcontext(executors.Threads(options.workers))
        executor = opened.__enter__()
    except (OSError, ValueError) as error:
        raise WrongUse(f"`--scheduler` must be reached; {error}") from error
    try:
        yield executor
    finally:
        opened.__exit__(None, None, None)


def _memory_of_worker(options: argparse.Namespace) -> int:
    import psutil

    from napari_usm._engine.threads import thread_count

    memory = options.memory or psutil.virtual_memory().total // 4
    workers = options.workers or options.processes or thread_count()
    return int(memory // workers)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"must be an integer of at least 1; got {text}"
        )
    return int(text)


def _bytes(text: str) -> int:
    from dask.utils import parse_bytes

    try:
        size = int(parse_bytes(text))
    except (ValueError, OverflowError):
        size = 0
    if not 1 <= size < 2**63:
        raise argparse.ArgumentTypeError(
            f"must be a size such as 500MB, 4GB or 2GiB; got {text!r}"
        )
    return size


def _part(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal()) or not (
        1 <= int(number) <= int(count)
    ):
        raise argparse.ArgumentTypeError(
            f"must be I/N with I from 1 to N, such as 3/8; got {text!r}"
        )
    return int(number), int(count)
