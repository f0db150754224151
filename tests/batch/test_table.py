"""The plan and the progress of a batch as a table, without a viewer."""

import numpy as np
import pytest
import tifffile

import cases
import napari_usm as usm
from napari_usm import io
from napari_usm.batch import Batch, Event, Job
from napari_usm.batch.batch import Result
from napari_usm.batch.executors import Threads
from napari_usm.batch.rows import (
    PROBLEM,
    Request,
    Row,
    default_output,
    plan_rows,
)
from napari_usm.batch.run import discard
from napari_usm.batch.table import Table
from napari_usm.io import Address
from napari_usm.recipe import Recipe

RECIPE = Recipe("unsharp_mask", {"sigma": 1.5}, "planes")
OTHER = Recipe("unsharp_mask", {"sigma": 2.0}, "planes")
STACK = cases.picture((3, 40, 50), "uint16")
PLANE = cases.picture((20, 30), "uint8")


@pytest.fixture
def folder(tmp_path):
    """A folder with a stack, a plane, a text that is called an image, and a text."""
    tifffile.imwrite(tmp_path / "b.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(tmp_path / "c.tif", PLANE)
    (tmp_path / "a.tif").write_text("no image")
    (tmp_path / "notes.txt").write_text("nor this")
    return tmp_path


def planned(folder, recipe=RECIPE, **more):
    return Table(plan_rows(Request((str(folder),), recipe, **more)))


def run(table, *, stop_after=None, **start):
    """Run the open rows to the end, or until so many events have come."""
    jobs = table.start(table.open_rows, 0.0, **start)
    events = []

    def listen(event):
        events.append(event)
        table.apply(event)
        if len(events) == stop_after:
            batch.cancel()

    batch = Batch(jobs, Threads(1), resume=True, listener=listen)
    table.finish(batch.run())


def states(table):
    return [row.state for row in table.rows]


def test_plan(folder):
    """Rows say what is read, filtered and written, or what is wrong."""
    broken, stack, plane = planned(folder).rows
    assert (broken.status, broken.job, "a.tif" in broken.error) == (PROBLEM, None, True)
    assert stack.input == str(folder / "b.tif")
    assert stack.job.output == str(folder / "sharpened" / "b.tif")
    assert stack.filtered == "Filters Y and X of each of 3 planes"
    assert (stack.nbytes, stack.output_bytes) == (STACK.nbytes, STACK.nbytes)
    assert stack.plan.axes == (1, 2)
    assert plane.nbytes == PLANE.nbytes


def test_edge_maps_need_room(folder):
    """They are floats, and written where the recipe wants them."""
    _, stack, _ = planned(
        folder, Recipe("unsharp_mask", {}, "planes", edge_map=True)
    ).rows
    assert stack.output_bytes == STACK.nbytes + 4 * STACK.size


def test_a_recipe_that_does_not_fit_is_a_problem_of_the_row(folder):
    """One that needs a scale, of images that have none."""
    recipe = Recipe("unsharp_mask", {"sigma": "0.35 µm"}, "planes")
    rows = planned(folder, recipe).rows
    assert [row.status for row in rows] == [PROBLEM] * 3
    assert "`sigma`" in rows[2].error


@pytest.mark.parametrize("output", ["", "elsewhere"])
def test_place_format_and_exceptions(folder, output):
    """A folder for the results may be chosen, and a format; images may be left out."""
    output = output and str(folder / output)
    excluded = frozenset([str(folder / "a.tif"), str(folder / "c.tif")])
    (row,) = planned(folder, output=output, format="ome-zarr", excluded=excluded).rows
    assert row.job.output == str(folder / (output or "sharpened") / "b.ome.zarr")


def test_default_output(tmp_path):
    """It is the same for a folder and for the files in it."""
    expected = str(tmp_path / "sharpened")
    (tmp_path / "image.ome.zarr").mkdir()
    for given in (tmp_path, tmp_path / "a.tif", tmp_path / "image.ome.zarr"):
        assert default_output(str(given)) == expected
    with pytest.raises(ValueError, match=r"`output` .*; got none"):
        default_output("https://example.org/image.ome.zarr")


def test_run_and_run_again(folder):
    """Pixels are those of the function; what is done is not done again."""
    table = planned(folder)
    assert states(table)[1:] == ["ready", "ready"]
    run(table)
    assert states(table)[1:] == ["done", "done"]
    assert table.open_rows == []
    for name, pixels in {"b": STACK, "c": PLANE}.items():
        expected = usm.unsharp_mask(pixels, 1.5, axes=(-2, -1))
        result = tifffile.imread(folder / "sharpened" / f"{name}.tif")
        np.testing.assert_array_equal(result, expected)
    again = planned(folder)
    assert states(again) == ["problem", "done before", "done before"]
    assert again.open_rows == []
    assert "2 done before" in again.plan_line()


def test_another_recipe_replaces_only_if_it_may(folder):
    """Outputs that exist are seen before the run, and stay unless it is allowed."""
    run(planned(folder))
    before = (folder / "sharpened" / "c.tif").read_bytes()
    table = planned(folder, OTHER)
    assert states(table)[1:] == ["output exists"] * 2
    assert all(row.replaces for row in table.rows[1:])
    run(table)
    assert [row.status for row in table.rows[1:]] == ["failed"] * 2
    assert "`overwrite`" in table.rows[2].error
    assert (folder / "sharpened" / "c.tif").read_bytes() == before
    run(table, overwrite=True)
    assert states(table)[1:] == ["done", "done"]
    np.testing.assert_array_equal(
        tifffile.imread(folder / "sharpened" / "c.tif"), usm.unsharp_mask(PLANE, 2.0)
    )


def interrupted(folder, recipe=RECIPE):
    """The table of a stack that was interrupted after one of its units."""
    pixels = cases.picture((3, 600, 1100), "uint16")
    tifffile.imwrite(
        folder / "large.tif", pixels, imagej=True, metadata={"axes": "ZYX"}
    )
    table = planned(folder / "large.tif", recipe, memory=2**20, format="ome-zarr")
    run(table, stop_after=4)
    return table, pixels


def test_resume(tmp_path):
    """What was interrupted goes on, by this recipe and after a new plan too."""
    table, pixels = interrupted(tmp_path)
    (row,) = table.rows
    assert (row.status, row.earlier) == ("cancelled", "part")
    assert row.job.work_folder.exists()
    assert not row.replaces
    again = planned(tmp_path / "large.tif", memory=2**20, format="ome-zarr")
    assert states(again) == ["goes on"]
    assert "1 interrupted, will go on" in again.plan_line()
    jobs, stages = again.start([0], 0.0), []

    def listen(event):
        again.apply(event)
        stages.append((event.stage, event.done))

    again.finish(Batch(jobs, Threads(1), resume=True, listener=listen).run())
    assert states(again) == ["done"]
    assert next(done for stage, done in stages if stage == "sharpen") > 0
    with io.open_image(row.job.output) as result:
        np.testing.assert_array_equal(
            np.asarray(result.pixels), usm.unsharp_mask(pixels, 1.5, axes=(1, 2))
        )


def test_what_another_recipe_left_is_discarded(tmp_path):
    """It is of no use: it counts as something to replace."""
    interrupted(tmp_path)
    table = planned(tmp_path / "large.tif", OTHER, memory=2**20, format="ome-zarr")
    (row,) = table.rows
    assert (row.state, row.earlier, row.replaces) == ("output exists", "other", True)
    discard(row.job)
    row.look()
    assert (row.state, row.earlier, row.replaces) == ("ready", "", False)


def rows(*sizes):
    """Rows of images of these sizes, whose jobs are never run."""
    job = Job(Address("a.tif"), "b.tif", RECIPE)
    return Table(Row(f"{k}.tif", job, nbytes=n) for k, n in enumerate(sizes))


def test_fraction_and_time_left():
    """They are by pixels; what an earlier run did counts as done, not as fast."""
    table = rows(100, 300, 600)
    table.start([0, 1, 2], 1000.0)
    assert (table.fraction, table.seconds_left(1001.0)) == (0.0, None)
    table.apply(Event(0, "done"))
    assert table.fraction == 0.1
    assert table.seconds_left(1002.0) == pytest.approx(18)
    assert table.progress_line(1002.0) == "1 of 3 images · about 18 s left"
    # Half of the second was done before.
    table.apply(Event(1, "running", "sharpen", 5, 10))
    assert table.fraction == pytest.approx(0.25)
    assert table.seconds_left(1002.0) == pytest.approx(2 * 750 / 100)
    table.apply(Event(1, "running", "sharpen", 10, 10))
    assert table.seconds_left(1005.0) == pytest.approx(5 * 600 / 250)
    assert table.rows[1].state == "sharpen 100 %"
    table.apply(Event(2, "failed"))
    table.finish([Result(row.job, row.status, "why") for row in table.rows])
    assert table.rows[2].error == "why"


def test_events_are_of_the_rows_that_run():
    """A run of some rows counts them from zero."""
    table = rows(10, 20, 30)
    table.start([0, 2], 0.0)
    assert table.apply(Event(1, "running", "estimate 1/2", 1, 4)) == 2
    assert states(table) == ["ready", "ready", "estimate 1/2 25 %"]
    assert table.fraction == 0.0
    results = [Result(row.job, "cancelled") for row in table.rows[:2]]
    table.finish(results)
    assert states(table) == ["cancelled", "ready", "cancelled"]
    assert table.end_line(results, 3.2) == "0 of 2 images done · 2 cancelled · 3 s"


def test_too_little_room(monkeypatch):
    """The plan says so before anything is written."""
    monkeypatch.setattr("napari_usm.batch.table.free_bytes", lambda path: 10**6)
    table = rows(1)
    table.rows[0].output_bytes = 2 * 10**6
    line = table.plan_line()
    assert line == "1 image · 2.0 MB to write, 1.0 MB free — too little"
