"""Batches give the pixels of the functions, in files with metadata and a record."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

import napari_usm as usm
from method_cases import METHOD_CASES
from napari_usm import io
from napari_usm.batch import Batch, plan_jobs
from napari_usm.batch.executors import Threads, local_cluster
from napari_usm.recipe import Recipe
from napari_usm.recipe_file import loads
from picture_files import CELLS, cells, contents, metadata_of, pixels_of, write_zarr

RECIPE = Recipe(
    "unsharp_mask", {"sigma": "0.3 µm", "amount": 2}, "planes", edge_map=True
)
MENU = [
    "unsharp_mask",
    "laplacian_sharpen",
    "adaptive_unsharp_mask",
    "auto_unsharp_mask",
    "gaussian_sharpen",
]

# Bytes of a worker for which everything fits into memory, and for which nothing does.
MUCH, LITTLE = 2**30, 60_000


def sharpen(inputs, output, recipe=RECIPE, executor=None, **words):
    """Run a batch, and return the ends of its jobs."""
    given = inputs if isinstance(inputs, list) else [inputs]
    options = {
        key: words.pop(key)
        for key in ("resume", "same_estimate", "part")
        if key in words
    }
    jobs, problems = plan_jobs(
        [str(each) for each in given], str(output), recipe, **words
    )
    assert not problems
    return Batch(jobs, executor or Threads(2), **options).run()


def sharpen_one(inputs, output, *args, **words):
    """Run a batch of one job that succeeds."""
    (result,) = sharpen(inputs, output, *args, **words)
    assert (result.status, result.error) == ("done", "")
    return result


@pytest.fixture
def source(tmp_path):
    """Two channels and three planes, in many chunks."""
    return write_zarr(tmp_path / "cells.ome.zarr", cells(), chunks=(1, 1, 32, 48))


@pytest.mark.parametrize("method", MENU)
@pytest.mark.parametrize("memory", [MUCH, LITTLE])
@pytest.mark.parametrize("suffix", [".ome.zarr", ".ome.tif", ".npy"])
def test_pixels_of_every_method(tmp_path, source, method, memory, suffix):
    """In memory or unit by unit, in every format, they are those of `sharpen`."""
    recipe = Recipe(method, {}, "planes", edge_map=True)
    output = tmp_path / f"out{suffix}"
    result = sharpen_one(source, output, recipe, memory=memory)
    expected = usm.sharpen(
        cells(), method, axes=(2, 3), channel_axis=0, color="channels"
    )
    np.testing.assert_array_equal(pixels_of(output), expected.image)
    edges = pixels_of(result.job.edge_map_output)
    assert edges.dtype == np.float32
    np.testing.assert_array_equal(edges, expected.edge_map)
    report = result.record["report"]
    assert report["overshoot"] == expected.report.overshoot
    np.testing.assert_allclose(report["noise_factor"], expected.report.noise_factor)
    np.testing.assert_allclose(report["mean_change"], expected.report.mean_change)


def test_every_method_of_the_menus_is_tried():
    """A new method belongs into the list above."""
    assert set(MENU) == {name for name in METHOD_CASES if name in usm.METHODS}


@pytest.mark.parametrize("suffix", [".ome.zarr", ".ome.tif"])
def test_the_same_bytes_by_every_door(tmp_path, source, suffix):
    """Memory, units, parts, a cluster and a replayed record: equal files."""
    recipe = Recipe("adaptive_unsharp_mask", {}, "planes", edge_map=True)
    first = sharpen_one(source, tmp_path / "1" / f"a{suffix}", recipe, memory=MUCH)
    expected = contents(first.job.output), contents(first.job.edge_map_output)

    def check(folder):
        made = tmp_path / folder / f"a{suffix}"
        edges = tmp_path / folder / f"a-edge-map{suffix}"
        assert (contents(made), contents(edges)) == expected
        assert not list((tmp_path / folder).glob(".*"))

    sharpen_one(source, tmp_path / "2" / f"a{suffix}", recipe, memory=LITTLE)
    check("2")
    ends = []
    for number in (2, 3, 1):
        part = {"part": (number, 3), "memory": LITTLE}
        (end,) = sharpen(source, tmp_path / "3" / f"a{suffix}", recipe, **part)
        ends.append(end.status)
    assert ends == ["part", "part", "done"]
    check("3")
    replayed = loads(first.job.record_path.read_text(encoding="utf-8"))
    assert replayed == recipe
    sharpen_one(source, tmp_path / "4" / f"a{suffix}", replayed, memory=LITTLE)
    check("4")


def test_a_cluster_gives_the_same_bytes(tmp_path, source):
    """Worker processes open the files by themselves."""
    recipe = Recipe("auto_unsharp_mask", {}, "planes")
    here = sharpen_one(source, tmp_path / "here.ome.zarr", recipe, memory=LITTLE)
    with local_cluster(2) as cluster:
        there = sharpen_one(
            source, tmp_path / "there.ome.zarr", recipe, cluster, memory=LITTLE
        )
        small = sharpen_one(
            source, tmp_path / "small.ome.zarr", recipe, cluster, memory=MUCH
        )
    assert contents(there.job.output) == contents(here.job.output)
    assert contents(small.job.output) == contents(here.job.output)


def test_metadata_come_along(tmp_path, source):
    """Scale, units, channels, windows and chunks are those of the input."""
    for memory in (MUCH, LITTLE):
        for suffix in (".ome.zarr", ".ome.tif"):
            output = tmp_path / f"{memory}{suffix}"
            result = sharpen_one(source, output, memory=memory)
            back = metadata_of(output)
            assert (back.axes, back.scale, back.units) == (
                CELLS.axes,
                CELLS.scale,
                CELLS.units,
            )
            assert [each.name for each in back.channels] == ["DAPI", "GFP"]
            edges = metadata_of(result.job.edge_map_output)
            assert (edges.axes, edges.scale, edges.units) == (
                CELLS.axes,
                CELLS.scale,
                CELLS.units,
            )
    stored = zarr.open_group(tmp_path / f"{LITTLE}.ome.zarr", mode="r")
    assert stored["0"].chunks == (1, 1, 32, 48)
    assert metadata_of(tmp_path / f"{LITTLE}.ome.zarr").channels == CELLS.channels


@pytest.mark.parametrize("memory", [MUCH, 30_000])
def test_colours(tmp_path, memory):
    """Pictures are sharpened in the colours of the recipe; their edge map has one."""
    pixels = np.random.default_rng(0).integers(0, 256, (200, 220, 3), np.uint8)
    io.find_format("a.png").write(
        tmp_path / "a.png", pixels, io.Metadata.without_scale("yxs"), {}
    )
    recipe = Recipe("unsharp_mask", {"color": "luminance"}, "planes", edge_map=True)
    result = sharpen_one(tmp_path / "a.png", tmp_path / "out", recipe, memory=memory)
    expected = usm.sharpen(
        pixels, "unsharp_mask", axes=(0, 1), channel_axis=2, color="luminance"
    )
    np.testing.assert_array_equal(pixels_of(tmp_path / "out" / "a.png"), expected.image)
    np.testing.assert_array_equal(
        pixels_of(result.job.edge_map_output), expected.edge_map
    )


def test_significance(tmp_path, source):
    """The edge map may be in units of the noise."""
    recipe = replace(RECIPE, parameters={}, significance=True)
    expected = usm.significance(cells(), axes=(2, 3), channel_axis=0)
    for memory in (MUCH, LITTLE):
        result = sharpen_one(
            source, tmp_path / f"{memory}.ome.zarr", recipe, memory=memory
        )
        np.testing.assert_array_equal(pixels_of(result.job.edge_map_output), expected)


def test_a_folder_keeps_its_order(tmp_path):
    """Results have the names of their inputs, in folders as theirs; errors are rows."""
    inputs = tmp_path / "Aufnahmen 1"
    (inputs / "Zelle ä").mkdir(parents=True)
    tifffile.imwrite(inputs / "b 2.tif", cells((60, 70)))
    tifffile.imwrite(
        inputs / "Zelle ä" / "a.ome.tif",
        cells((3, 40, 50)),
        metadata={"axes": "ZYX"},
        photometric="minisblack",
    )
    (inputs / "notes.txt").write_text("nothing to sharpen")
    (inputs / "broken.tif").write_bytes(b"II*\0")
    os.symlink(inputs, inputs / "loop")
    jobs, problems = plan_jobs([str(inputs)], str(tmp_path / "out"), RECIPE)
    assert [Path(each.path).name for each in problems] == ["broken.tif"]
    recipe = Recipe("unsharp_mask", {}, "planes")
    jobs = [replace(job, recipe=recipe) for job in jobs]
    results = Batch(jobs, Threads(2)).run()
    assert [each.status for each in results] == ["done", "done"]
    made = sorted(
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out").rglob("*.tif")
    )
    assert made == ["Zelle ä/a.ome.tif", "b 2.tif"]
    np.testing.assert_array_equal(
        pixels_of(tmp_path / "out" / "Zelle ä" / "a.ome.tif"),
        usm.unsharp_mask(cells((3, 40, 50)), axes=(1, 2)),
    )


def test_one_bad_image_does_not_stop_the_others(tmp_path):
    """Its error names the rule and the value; the others are done."""
    tifffile.imwrite(tmp_path / "a.tif", cells((60, 70)))
    np.save(tmp_path / "b.npy", cells((3, 60, 70)))
    tifffile.imwrite(tmp_path / "c.tif", cells((60, 70)))
    inputs = [tmp_path / name for name in ("a.tif", "b.npy", "c.tif")]
    results = sharpen(inputs, tmp_path / "out", Recipe("unsharp_mask", {}, "planes"))
    assert [each.status for each in results] == ["done", "failed", "done"]
    assert "`input_axes` must name the axes" in results[1].error
    assert sorted(path.name for path in (tmp_path / "out").glob("*.???")) == [
        "a.tif",
        "c.tif",
    ]


def test_one_estimate_for_all(tmp_path):
    """The gain of the first image serves the others, and stands in their records."""
    for number, name in enumerate(("a.tif", "b.tif")):
        tifffile.imwrite(tmp_path / name, cells((90, 100), seed=number))
    recipe = Recipe(
        "adaptive_unsharp_mask", {"sigma": 2, "kernel": "gaussian"}, "planes"
    )
    inputs = [tmp_path / "a.tif", tmp_path / "b.tif"]
    results = sharpen(inputs, tmp_path / "out", recipe, same_estimate=True)
    assert [each.error for each in results] == ["", ""]
    gains = [each.record["report"]["gain"] for each in results]
    assert gains[0] == gains[1]
    expected = usm.adaptive_unsharp_mask(
        cells((90, 100), seed=1), kernel="gaussian", sigma=2, gains=[gains[0]]
    )
    np.testing.assert_array_equal(pixels_of(tmp_path / "out" / "b.tif"), expected)
    assert results[1].record["recipe"]["estimate"]["gain"] == gains[0]


def test_one_estimate_for_all_after_an_interruption(tmp_path):
    """The constants of the first image are read from its record."""
    for number, name in enumerate(("a.tif", "b.tif")):
        tifffile.imwrite(tmp_path / name, cells((90, 100), seed=number))
    recipe = Recipe("auto_unsharp_mask", {}, "planes")
    inputs = [tmp_path / "a.tif", tmp_path / "b.tif"]
    words = {"same_estimate": True}
    first = sharpen(inputs, tmp_path / "whole", recipe, **words)
    sharpen(inputs[:1], tmp_path / "out", recipe, **words)
    again = sharpen(inputs, tmp_path / "out", recipe, resume=True, **words)
    assert [each.status for each in again] == ["before", "done"]
    assert contents(again[1].job.output) == contents(first[1].job.output)
    with pytest.raises(ValueError, match="`same_estimate` must be False for a part"):
        sharpen(inputs, tmp_path / "parts", recipe, part=(1, 2), **words)


def test_a_plate(tmp_path):
    """Wells and fields are kept; a well that was not imaged is left out."""
    from napari_usm.io.ome_zarr import _write_group

    plate = tmp_path / "screen.ome.zarr"
    metadata = replace(
        CELLS,
        axes=("c", "y", "x"),
        scale=(1, 0.2, 0.2),
        units=("", "micrometer", "micrometer"),
    )
    fields = {
        well: cells((2, 40, 50), seed=number)
        for number, well in enumerate(("A/1", "B/2"))
    }
    for well, pixels in fields.items():
        write_zarr(plate / well / "0", pixels, metadata, "0.4")
        _write_group(plate / well, {"well": {"images": [{"path": "0"}]}}, "0.4")
    names = {
        "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": "1"}, {"name": "2"}],
    }
    wells = [
        {
            "path": path,
            "rowIndex": "AB".index(path[0]),
            "columnIndex": "12".index(path[2]),
        }
        for path in ("A/1", "A/2", "B/2")
    ]
    _write_group(plate, {"plate": {**names, "wells": wells}}, "0.4")
    results = sharpen(plate, tmp_path / "out", Recipe("unsharp_mask", {}, "planes"))
    assert [each.status for each in results] == ["done", "done"]
    made = tmp_path / "out" / "screen.ome.zarr"
    attributes = zarr.open_group(made, mode="r").attrs["ome"]
    assert [well["path"] for well in attributes["plate"]["wells"]] == ["A/1", "B/2"]
    for well, pixels in fields.items():
        np.testing.assert_array_equal(
            pixels_of(made / well / "0"),
            usm.unsharp_mask(pixels, axes=(1, 2), channel_axis=0),
        )
    again = io.list_images(made)
    assert [each.inner for each in again] == ["A/1/0", "B/2/0"]


def test_outputs_that_would_not_be_alone(tmp_path, source):
    """The input, a place inside it, and one place for two images are refused."""
    plane = tmp_path / "a.npy"
    np.save(plane, cells((60, 70)))
    cases = [
        ([source], source, "must not be the input"),
        ([source], f"{source}/sharpened.ome.zarr", "must not be inside the input"),
    ]
    for inputs, output, words in cases:
        _, (problem,) = plan_jobs(inputs, output, RECIPE)
        assert words in problem.message
    other = tmp_path / "other"
    other.mkdir()
    np.save(other / "a.npy", cells((60, 70)))
    jobs, (problem,) = plan_jobs(
        [str(plane), str(other / "a.npy")], str(tmp_path / "out"), RECIPE
    )
    assert len(jobs) == 1
    assert "must be another for each image" in problem.message
    with pytest.raises(ValueError, match="`output` must be a folder for 2 images"):
        plan_jobs([str(plane), source], str(tmp_path / "b.tif"), RECIPE)
    with pytest.raises(ValueError, match="`inputs` must name at least one image"):
        plan_jobs([], str(tmp_path), RECIPE)


@pytest.mark.parametrize("suffix", [".ome.zarr", ".npy"])
@pytest.mark.parametrize("memory", [MUCH, LITTLE])
def test_nothing_is_overwritten(tmp_path, source, suffix, memory):
    """An output that exists stays as it is, unless it may be replaced."""
    output = tmp_path / f"out{suffix}"
    sharpen_one(source, output, memory=memory)
    before = contents(output)
    other = replace(RECIPE, parameters={"amount": 5})
    (result,) = sharpen(source, output, other, memory=memory)
    assert result.status == "failed"
    assert "must not exist" in result.error
    assert contents(output) == before
    sharpen_one(source, output, other, memory=memory, overwrite=True)
    expected = usm.unsharp_mask(cells(), amount=5, axes=(2, 3), channel_axis=0)
    np.testing.assert_array_equal(pixels_of(output), expected)


def test_the_record(tmp_path, source):
    """What was done stands in the file and beside it: enough to repeat it."""
    result = sharpen_one(source, tmp_path / "out.ome.zarr")
    beside = json.loads(result.job.record_path.read_text(encoding="utf-8"))
    inside = zarr.open_group(tmp_path / "out.ome.zarr", mode="r").attrs["napari_usm"]
    assert inside == {key: beside[key] for key in inside}
    assert inside["resolved"]["parameters"]["sigma"] == pytest.approx([1.5, 1.5])
    assert inside["resolved"]["filter"] == "Filters Y and X of each of 6 planes"
    assert set(inside["versions"]) == {"napari-usm", "numpy", "numba", "scipy"}
    assert inside["report"]["clipped_high"] == [0.0, 0.0]
    tifffile.imwrite(tmp_path / "a.tif", cells((60, 70)))
    result = sharpen_one(
        tmp_path / "a.tif", tmp_path / "b.ome.tif", Recipe("unsharp_mask", {}, "planes")
    )
    with tifffile.TiffFile(tmp_path / "b.ome.tif") as file:
        assert result.record["input"]["sha256"] in file.ome_metadata
