"""Recipes are read from whatever file holds one."""

import json

import numpy as np
import pytest
import tifffile
import zarr

from napari_usm import recipe_file
from napari_usm.batch.batch import Batch
from napari_usm.batch.executors import Threads
from napari_usm.batch.job import Job
from napari_usm.batch.recipes import read_recipe
from napari_usm.io import Address
from napari_usm.recipe import Recipe

RECIPE = Recipe(
    "unsharp_mask", {"sigma": 2.0, "amount": 1.5, "threshold": "3 noise"}, "YX"
)
PIXELS = np.arange(40 * 50, dtype="uint16").reshape(40, 50)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.ome.tif"
    tifffile.imwrite(path, PIXELS, metadata={"axes": "YX"})
    return path


@pytest.mark.parametrize("end", [".ome.zarr", ".ome.tif", ".tif", ".npy", ".png"])
def test_outputs_of_a_batch(source, tmp_path, end):
    """Inside it, or in the record beside it; and that record by itself."""
    output = tmp_path / f"output{end}"
    job = Job(Address(str(source)), str(output), RECIPE)
    (result,) = Batch([job], Threads(1)).run()
    assert result.status == "done", result.error
    assert read_recipe(output) == RECIPE
    assert read_recipe(job.record_path) == RECIPE
    if end not in (".npy", ".png"):
        job.record_path.unlink()
        assert read_recipe(output) == RECIPE


def test_the_text_of_an_imagej_file(tmp_path):
    """After what its owner noted."""
    path = tmp_path / "hyperstack.tif"
    record = json.dumps({"recipe": json.loads(recipe_file.dumps(RECIPE))})
    info = f"objective 60x\n{{not JSON\n[1]\n{record}\n"
    tifffile.imwrite(path, PIXELS, imagej=True, metadata={"Info": info})
    assert read_recipe(path) == RECIPE


def test_a_recipe(tmp_path):
    path = tmp_path / "recipe.json"
    recipe_file.save(RECIPE, path)
    assert read_recipe(path) == RECIPE


@pytest.mark.parametrize(
    ("name", "write", "error", "text"),
    [
        ("none.json", lambda path: None, OSError, "none.json"),
        ("none.tif", lambda path: None, FileNotFoundError, "does not exist"),
        ("notes.txt", lambda path: path.write_text("hello"), ValueError, "JSON"),
        ("other.json", lambda path: path.write_text("{}"), ValueError, "version"),
        ("broken.tif", lambda path: path.write_text("II"), ValueError, "no TIFF file"),
        (
            "plain.tif",
            lambda path: tifffile.imwrite(path, PIXELS),
            ValueError,
            "holds no recipe",
        ),
        (
            "plain.zarr",
            lambda path: zarr.create_array(path, shape=(2, 2), dtype="uint8"),
            ValueError,
            "holds no recipe",
        ),
        ("empty.zarr", lambda path: path.mkdir(), ValueError, "no zarr store"),
    ],
)
def test_files_without_a_recipe(tmp_path, name, write, error, text):
    path = tmp_path / name
    write(path)
    with pytest.raises(error, match=text):
        read_recipe(path)


def test_a_hostile_record(tmp_path):
    """It is checked like any recipe."""
    path = tmp_path / "hostile.zarr"
    group = zarr.open_group(path, mode="w")
    group.attrs["napari_usm"] = {"recipe": {"version": 1, "method": "__import__"}}
    with pytest.raises(ValueError, match=r"hostile\.zarr.*method"):
        read_recipe(path)
    group.attrs["napari_usm"] = ["recipe"]
    with pytest.raises(ValueError, match="holds no recipe"):
        read_recipe(path)
