"""Interrupted runs leave nothing half-written, and go on to the same bytes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_usm.batch import Batch, journal, plan_jobs, run, tasks
from napari_usm.batch.executors import Threads
from napari_usm.batch.journal import Busy, Journal, entries
from napari_usm.io import files
from napari_usm.recipe import Recipe
from picture_files import cells, contents, pixels_of, write_zarr

RECIPE = Recipe("adaptive_unsharp_mask", {}, "planes", edge_map=True)
LITTLE = 60_000

# How often a run is killed; more often by hand: NAPARI_USM_KILLS=20.
KILLS = int(os.environ.get("NAPARI_USM_KILLS", "2"))

# A run whose journal forgets nothing, so that a kill finds it at any entry.
PROGRAM = """
import sys
from napari_usm.batch import Batch, journal, plan_jobs
from napari_usm.batch.executors import Threads, local_cluster
from napari_usm.recipe import Recipe

def main():
    journal._INTERVAL, journal._SHARE = 0, 0
    source, output, memory, processes = sys.argv[1:]
    recipe = Recipe("adaptive_unsharp_mask", {}, "planes", edge_map=True)
    jobs, _ = plan_jobs([source], output, recipe, memory=int(memory))
    listen = lambda event: print(event.stage, event.done, flush=True)
    def go(executor):
        (result,) = Batch(jobs, executor, resume=True, listener=listen).run()
        assert result.status in ("done", "before"), result.error
    if int(processes):
        with local_cluster(int(processes)) as cluster:
            go(cluster)
    else:
        go(Threads(2))

if __name__ == "__main__":
    main()
"""


def jobs_of(source, output, recipe=RECIPE, **words):
    """Return the jobs of a batch."""
    jobs, problems = plan_jobs(
        [str(source)], str(output), recipe, memory=LITTLE, **words
    )
    assert not problems
    return jobs


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """An image of some dozen units."""
    path = tmp_path_factory.mktemp("source") / "cells.ome.zarr"
    return write_zarr(path, cells((2, 3, 160, 160)), chunks=(1, 1, 48, 48))


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory):
    """What a run gives that nothing disturbs."""
    output = tmp_path_factory.mktemp("expected") / "cells.ome.zarr"
    (result,) = Batch(jobs_of(source, output), Threads(2)).run()
    assert result.status == "done"
    return contents(output), contents(result.job.edge_map_output)


@pytest.mark.parametrize("processes", [0, 2])
def test_killed_at_any_moment(tmp_path, source, expected, processes):
    """After SIGKILL there is nothing under the final name, and the rest follows."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    output = tmp_path / "out" / "cells.ome.zarr"
    command = [
        sys.executable,
        str(program),
        str(source),
        str(output),
        str(LITTLE),
        str(processes),
    ]
    moments = random.Random(processes)
    for _ in range(KILLS):
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        # Entries differ in what they take: count them instead of seconds.
        lines = moments.randrange(1, 60)
        for _ in range(lines):
            if not running.stdout.readline():
                break
        time.sleep(moments.uniform(0, 0.02))
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        running.stdout.close()
        if output.exists():
            break
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert contents(output) == expected[0]
    assert contents(output.with_name("cells-edge-map.ome.zarr")) == expected[1]
    assert not [path for path in output.parent.iterdir() if path.name.startswith(".")]


def test_what_a_killed_process_left(tmp_path):
    """Files of processes that are gone are removed, and those of others are not."""
    output = tmp_path / "a.npy"
    np.save(tmp_path / "source.npy", cells((60, 70)))
    code = (
        "import os; from pathlib import Path; from napari_usm.io import files; "
        f"files.temporary(Path({str(output)!r})).mkdir(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    ours = files.temporary(output)
    ours.write_text("of a process that is at work")
    assert len(list(tmp_path.glob(".a.npy.*"))) == 2
    (result,) = Batch(jobs_of(tmp_path / "source.npy", output), Threads(1)).run()
    assert result.status == "done"
    assert list(tmp_path.glob(".a.npy.*")) == [ours]


def test_a_chunk_that_was_under_way(tmp_path, source, expected):
    """What a killed process wrote of a chunk is no part of the output."""
    output = tmp_path / "cells.ome.zarr"
    jobs = jobs_of(source, output)

    def listen(event):
        chunks = jobs[0].work_folder / "image" / "0" / "c" / "0"
        if event.stage == "sharpen" and chunks.exists():
            (chunks / f"0.{'70a02a5f' * 4}.partial").write_bytes(b"half")

    (result,) = Batch(jobs, Threads(2), listener=listen).run()
    assert result.status == "done"
    assert contents(output) == expected[0]


class Stop(Exception):
    """Something breaks."""


@pytest.mark.parametrize("moment", [0, 1, 20])
def test_broken_in_a_unit(tmp_path, source, expected, monkeypatch, moment):
    """A disk that fails, at any unit: the same bytes in the end, and no unit twice."""
    output = tmp_path / "cells.ome.zarr"
    jobs = jobs_of(source, output)
    monkeypatch.setattr(journal, "_INTERVAL", 0)
    monkeypatch.setattr(journal, "_SHARE", 0)
    done, real = [], tasks.Sharpen.__call__

    def unit(task, core):
        if len(done) == moment:
            raise OSError(28, "No space left on device")
        done.append(core)
        return real(task, core)

    with monkeypatch.context() as patch:
        patch.setattr(tasks.Sharpen, "__call__", unit)
        (result,) = Batch(jobs, Threads(1)).run()
    assert result.status == "failed"
    assert "No space left on device" in result.error
    assert not output.exists()
    (result,) = Batch(jobs, Threads(1)).run()
    assert "interrupted run" in result.error
    noted = sum("unit" in entry for entry in entries(jobs[0].work_folder))
    assert noted == moment
    calls = []
    with monkeypatch.context() as patch:
        patch.setattr(
            tasks.Sharpen,
            "__call__",
            lambda task, core: (calls.append(core), real(task, core))[1],
        )
        (result,) = Batch(jobs, Threads(1), resume=True).run()
    assert result.status == "done"
    assert not set(map(str, calls)) & set(map(str, done))
    assert (contents(output), contents(result.job.edge_map_output)) == expected


@pytest.mark.parametrize("name", ["publish", "remove"])
@pytest.mark.parametrize("suffix", [".ome.zarr", ".ome.tif"])
@pytest.mark.parametrize("moment", [0, 1])
def test_broken_while_outputs_get_their_names(
    tmp_path, source, monkeypatch, name, suffix, moment
):
    """Between the edge map and the image, or before the work folder goes."""
    output = tmp_path / f"cells{suffix}"
    jobs = jobs_of(source, output)
    real, calls = getattr(run.files, name), []

    def broken(*words, **more):
        calls.append(words)
        if len(calls) > moment:
            raise OSError(5, "Input/output error")
        return real(*words, **more)

    with monkeypatch.context() as patch:
        patch.setattr(run.files, name, broken)
        Batch(jobs, Threads(2)).run()
    (result,) = Batch(jobs, Threads(2), resume=True).run()
    assert result.status in ("done", "before")
    whole = tmp_path / "whole" / f"cells{suffix}"
    (other,) = Batch(jobs_of(source, whole), Threads(2)).run()
    assert contents(output) == contents(whole)
    assert contents(result.job.edge_map_output) == contents(other.job.edge_map_output)
    assert not jobs[0].work_folder.exists()


def test_resume_leaves_out_what_is_done(tmp_path, source):
    """Outputs of the same job are not made again; those of another are errors."""
    output = tmp_path / "cells.ome.zarr"
    jobs = jobs_of(source, output)
    Batch(jobs, Threads(2)).run()
    before = os.stat(output / "zarr.json").st_mtime_ns
    (result,) = Batch(jobs, Threads(2), resume=True).run()
    assert result.status == "before"
    assert os.stat(output / "zarr.json").st_mtime_ns == before
    other = jobs_of(source, output, replace(RECIPE, edge_map=False))
    (result,) = Batch(other, Threads(2), resume=True).run()
    assert result.status == "failed"
    assert "must not exist" in result.error


def test_resume_of_another_recipe_is_refused(tmp_path, source, monkeypatch):
    """Half of one result and half of another are no image."""
    output = tmp_path / "cells.ome.zarr"

    def broken(task, core):
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(tasks.Sharpen, "__call__", broken)
        Batch(jobs_of(source, output), Threads(1)).run()
    other = jobs_of(source, output, replace(RECIPE, parameters={"kernel": "gaussian"}))
    (result,) = Batch(other, Threads(1), resume=True).run()
    assert "`resume` must be given the recipe and the input" in result.error
    (result,) = Batch([replace(other[0], overwrite=True)], Threads(1)).run()
    assert result.status == "done"


def test_two_runs_on_one_output(tmp_path, source):
    """The second is refused, and touches nothing."""
    jobs = jobs_of(source, tmp_path / "cells.ome.zarr")
    jobs[0].work_folder.mkdir()
    with Journal(jobs[0].work_folder, 1):
        with pytest.raises(Busy):
            Journal(jobs[0].work_folder, 1)
        for words in ({"resume": True}, {}):
            job = replace(jobs[0], overwrite=not words)
            (result,) = Batch([job], Threads(1), **words).run()
            assert result.status == "failed"
            assert "must not be written by two runs at once" in result.error
        assert jobs[0].work_folder.exists()


def test_a_journal_without_its_last_bytes(tmp_path):
    """A line that was not written to its end does not count, nor spoil the next one."""
    with Journal(tmp_path) as book:
        book.add({"unit": 0})
        book.add({"unit": 1})
    path = tmp_path / "journal-0.jsonl"
    path.write_bytes(path.read_bytes()[:-4])
    assert [entry["unit"] for entry in entries(tmp_path)] == [0]
    with Journal(tmp_path) as book:
        book.add({"unit": 2})
    assert [entry["unit"] for entry in entries(tmp_path)] == [0, 2]


@pytest.mark.parametrize("stage", ["estimate 1", "sharpen", "pyramid level 1", "write"])
def test_cancelled(tmp_path, monkeypatch, stage):
    """A batch that is cancelled stops soon, and goes on where it was."""
    pixels = cells((3, 600, 620))
    from napari_usm.io import Metadata

    metadata = Metadata.without_scale("zyx")
    source = write_zarr(tmp_path / "cells.ome.zarr", pixels, metadata)
    output = tmp_path / "out.ome.zarr"
    jobs = jobs_of(source, output)

    def listen(event):
        if event.stage.startswith(stage) and event.done <= 1:
            batch.cancel()

    batch = Batch(jobs, Threads(2), listener=listen)
    (result,) = batch.run()
    assert result.status == "cancelled"
    assert not output.exists()
    (result,) = Batch(jobs, Threads(2), resume=True).run()
    assert result.status == "done"
    whole = replace(jobs[0], output=str(tmp_path / "whole.ome.zarr"), memory=2**30)
    Batch([whole], Threads(2)).run()
    assert contents(output) == contents(whole.output)
    np.testing.assert_array_equal(pixels_of(output), pixels_of(whole.output))


@pytest.mark.parametrize("memory", [LITTLE, 2**30])
def test_an_input_that_changes_while_it_is_read(tmp_path, monkeypatch, memory):
    """Half of one image and half of another are no image."""
    np.save(tmp_path / "a.npy", cells((200, 220)))
    jobs, _ = plan_jobs(
        [str(tmp_path / "a.npy")], str(tmp_path / "out"), RECIPE, memory=memory
    )
    real = run.OpenJob.of

    def of(job):
        opened = real(job)
        _ = job.stamp
        os.utime(tmp_path / "a.npy", (1, 1))
        return opened

    monkeypatch.setattr(run.OpenJob, "of", of)
    (result,) = Batch(jobs, Threads(1)).run()
    assert result.status == "failed"
    assert "must not change while it is read" in result.error
    assert not Path(jobs[0].output).exists()


def test_a_chunk_that_is_broken(tmp_path, source):
    """The error names the file; nothing appears under the final name."""
    broken = tmp_path / "broken.ome.zarr"
    shutil.copytree(source, broken)
    chunk = next(path for path in (broken / "0" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(b"\x28\xb5\x2f\xfd no zstd")
    output = tmp_path / "out.ome.zarr"
    (result,) = Batch(jobs_of(broken, output), Threads(2)).run()
    assert result.status == "failed"
    assert result.error
    assert not output.exists()
