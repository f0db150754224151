"""The commands `sharpen`, `info` and `measure`, as processes with real files."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile

import napari_usm as usm
from napari_usm import cli
from picture_files import cells, contents, metadata_of, pixels_of, write_zarr

LITTLE = "120kB"


def run(*words, **more):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "napari_usm.cli", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, **more
    )


def call(capsys, *words):
    """Run the command in this process: status, standard output and error."""
    status = cli.main([str(word) for word in words])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def folder(tmp_path):
    """Two planes and a stack, with blanks and umlauts in their names."""
    inputs = tmp_path / "meine Bilder"
    inputs.mkdir()
    tifffile.imwrite(inputs / "Zelle 1.tif", cells((60, 70)))
    tifffile.imwrite(inputs / "Zelle ä.tif", cells((60, 70), seed=1))
    write_zarr(inputs / "cells.ome.zarr", cells(), chunks=(1, 1, 32, 48))
    return inputs


def test_a_folder(tmp_path, folder):
    """All images of a folder, in a process of its own; each has a line."""
    out = tmp_path / "out"
    done = run("sharpen", folder, "-o", out, "--sigma", "1.5", "--amount", "2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all(f"[{number + 1}/3]" in line for number, line in enumerate(lines[:3]))
    assert lines[-1] == "3 of 3 images done"
    for name, seed in (("Zelle 1.tif", 0), ("Zelle ä.tif", 1)):
        expected = usm.unsharp_mask(cells((60, 70), seed=seed), 1.5, 2)
        np.testing.assert_array_equal(pixels_of(out / name), expected)
    expected = usm.unsharp_mask(cells(), 1.5, 2, axes=(2, 3), channel_axis=0)
    np.testing.assert_array_equal(pixels_of(out / "cells.ome.zarr"), expected)


def test_some_failed(tmp_path, folder, capsys):
    """What can be done is done; the rest is on the standard error, and the status 1."""
    (folder / "broken.tif").write_bytes(b"II*\0")
    words = [folder, tmp_path / "missing.tif", folder / "*.xyz", "-o", tmp_path / "out"]
    status, out, err = call(capsys, "sharpen", *words)
    assert status == 1
    assert out.splitlines()[-1] == "3 of 6 images done"
    errors = err.splitlines()
    assert len(errors) == 3
    assert all(line.startswith("napari-usm: error: ") for line in errors)
    for word in ("broken.tif", "missing.tif does not exist", "*.xyz matches no file"):
        assert any(word in line for line in errors)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sigma", "-1"], "`sigma` must be at least 0"),
        (
            ["--sigma", "1e9um", "--axes", "ZYX", "--method", "nothing"],
            "invalid choice",
        ),
        (["--memory", "many"], "must be a size such as 500MB"),
        (["--part", "9/8"], "must be I/N with I from 1 to N"),
        (["--workers", "0"], "must be an integer of at least 1"),
        (["--workers", "1", "--processes", "1"], "not allowed with"),
        (["--recipe", "missing.json"], "missing.json"),
        (["--format", "gif"], "invalid choice"),
        (["--same-estimate", "--part", "1/2"], "`same_estimate` must be False"),
        (["--median-size", "3"], "`--median-size` must be an option of unsharp_mask"),
        (["--scheduler", "tcp://127.0.0.1:9"], "`--scheduler` must be reached"),
    ],
)
def test_wrong_use(tmp_path, folder, capsys, words, message, monkeypatch):
    """Nothing is done, and the status is 2."""
    import distributed

    real = distributed.Client
    monkeypatch.setattr(
        distributed, "Client", lambda address, timeout: real(address, timeout="0.5s")
    )
    status, _, err = call(capsys, "sharpen", folder, "-o", tmp_path / "out", *words)
    assert status == 2
    assert message in err
    assert not (tmp_path / "out").exists()


def test_a_plan(tmp_path, folder, capsys):
    """A dry run says what would be done, and does nothing."""
    words = ["sharpen", folder, "-o", tmp_path / "out", "--dry-run", "--sigma", "0.3um"]
    status, out, err = call(capsys, *words)
    assert status == 1  # a length needs a scale, which the planes have not
    assert "Filters Y and X of each of 6 planes" in out
    assert "CZYX 2 × 3 × 70 × 90 uint16" in out
    assert "3 images" in out
    assert err.count("`sigma` must be in 'px' for") == 2
    assert "Zelle ä.tif" in err
    assert not (tmp_path / "out").exists()
    status, out, _ = call(capsys, *words[:-2], "--json")
    assert status == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["axes"] for row in rows} == {"YX", "CZYX"}
    assert all(row["bytes"] > 0 for row in rows)


def test_json_lines(tmp_path, folder, capsys):
    """Each image has a line that a program reads."""
    words = [
        "sharpen",
        folder,
        folder / "missing.tif",
        "-o",
        tmp_path / "out",
        "--json",
    ]
    status, out, _ = call(capsys, *words)
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert sorted(row["status"] for row in rows) == ["done", "done", "done", "failed"]
    assert all(
        "noise_factor" in row["report"] for row in rows if row["status"] == "done"
    )


def test_recipes_and_records(tmp_path, folder, capsys):
    """A saved recipe, and the record of an output, give the same bytes again."""
    recipe = tmp_path / "recipe.json"
    words = ["sharpen", folder / "cells.ome.zarr", "-o"]
    first = [
        *words,
        tmp_path / "1.ome.zarr",
        "--sigma",
        "0.3 µm",
        "--save-recipe",
        recipe,
    ]
    assert call(capsys, *first)[0] == 0
    for number, given in ((2, recipe), (3, tmp_path / "1.usm.json")):
        output = tmp_path / f"{number}.ome.zarr"
        assert call(capsys, *words, output, "--recipe", given)[0] == 0
        assert contents(output) == contents(tmp_path / "1.ome.zarr")
    assert json.loads(recipe.read_text(encoding="utf-8"))["parameters"] == {
        "sigma": "0.3 µm"
    }


@pytest.mark.parametrize("name", ["ome-zarr", "ome-tiff", "npy"])
def test_formats(tmp_path, folder, capsys, name):
    """A format of one's choice, whatever the input has."""
    out = tmp_path / "out"
    status, _, err = call(
        capsys, "sharpen", folder / "Zelle 1.tif", "-o", out, "--format", name
    )
    assert (status, err) == (0, "")
    (made,) = (path for path in out.iterdir() if path.suffix != ".json")
    np.testing.assert_array_equal(pixels_of(made), usm.unsharp_mask(cells((60, 70))))


def test_axes_that_the_file_does_not_name(tmp_path, capsys):
    """They are asked for, and never guessed."""
    np.save(tmp_path / "a.npy", cells((5, 60, 70)))
    words = ["sharpen", tmp_path / "a.npy", "-o", tmp_path / "out.ome.zarr"]
    status, _, err = call(capsys, *words)
    assert status == 1
    assert "`input_axes` must name the axes" in err
    status, _, _ = call(capsys, *words, "--input-axes", "TYX")
    assert status == 0
    assert metadata_of(tmp_path / "out.ome.zarr").axes == ("t", "y", "x")
    expected = usm.unsharp_mask(cells((5, 60, 70)), axes=(1, 2))
    np.testing.assert_array_equal(pixels_of(tmp_path / "out.ome.zarr"), expected)


def test_an_array_job(tmp_path, folder, capsys):
    """Parts share files and units; `--finalize` completes what they left."""
    words = ["sharpen", folder, "-o", tmp_path / "out", "--memory", LITTLE]
    for number in (1, 2, 3):
        status, _out, err = call(capsys, *words, "--part", f"{number}/3")
        assert (status, err) == (0, "")
    status, _, err = call(capsys, *words, "--finalize")
    made = sorted(
        path.name for path in (tmp_path / "out").iterdir() if "usm" not in path.name
    )
    assert made == ["Zelle 1.tif", "Zelle ä.tif", "cells.ome.zarr"]
    expected = usm.unsharp_mask(cells(), axes=(2, 3), channel_axis=0)
    np.testing.assert_array_equal(
        pixels_of(tmp_path / "out" / "cells.ome.zarr"), expected
    )


def test_interrupted(tmp_path):
    """Ctrl-C ends a run within a second, and it can be resumed."""
    source = write_zarr(
        tmp_path / "a.ome.zarr", cells((2, 3, 160, 160)), chunks=(1, 1, 32, 32)
    )
    output = tmp_path / "out.ome.zarr"
    words = ["sharpen", source, "-o", output, "--memory", LITTLE]
    command = [sys.executable, "-m", "napari_usm.cli", *map(str, words)]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = tmp_path / ".out.ome.zarr.usm-partial" / "journal-1.jsonl"
    deadline = time.monotonic() + 60
    while not journal.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    begin = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert time.monotonic() - begin < 5  # a second on a machine that is not busy
    assert err == "napari-usm: interrupted; --resume goes on from here\n"
    assert not output.exists()
    assert "add --resume to go on" in run(*words).stderr
    done = run(*words, "--resume")
    assert (done.returncode, done.stderr) == (0, "")
    expected = usm.unsharp_mask(cells((2, 3, 160, 160)), axes=(2, 3), channel_axis=0)
    np.testing.assert_array_equal(pixels_of(output), expected)
    assert "done before" in run(*words, "--resume").stdout


def test_watch(tmp_path):
    """Files that become complete while it watches are sharpened too."""
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    tifffile.imwrite(inputs / "first.tif", cells((60, 70)))
    command = [
        sys.executable,
        "-m",
        "napari_usm.cli",
        "sharpen",
        str(inputs),
        "-o",
        str(out),
        "--watch",
    ]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        _wait_for(out / "first.tif")
        tifffile.imwrite(inputs / "second.tif", cells((60, 70), seed=1))
        _wait_for(out / "second.tif")
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
    assert running.returncode == 130
    expected = usm.unsharp_mask(cells((60, 70), seed=1))
    np.testing.assert_array_equal(pixels_of(out / "second.tif"), expected)


def _wait_for(path):
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_cluster_from_the_command_line(tmp_path, folder):
    """Processes of this machine, and a scheduler that runs already."""
    from distributed import LocalCluster

    words = ["sharpen", folder / "cells.ome.zarr", "--memory", LITTLE, "-o"]
    done = run(*words, tmp_path / "1.ome.zarr", "--processes", "2")
    assert (done.returncode, done.stderr) == (0, "")
    with LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    ) as cluster:
        address = cluster.scheduler_address
        done = run(*words, tmp_path / "2.ome.zarr", "--scheduler", address)
        assert (done.returncode, done.stderr) == (0, "")
    assert contents(tmp_path / "1.ome.zarr") == contents(tmp_path / "2.ome.zarr")
    expected = usm.unsharp_mask(cells(), axes=(2, 3), channel_axis=0)
    np.testing.assert_array_equal(pixels_of(tmp_path / "1.ome.zarr"), expected)


def test_info(tmp_path, folder, capsys):
    """Axes, scale and channels, as text and as JSON."""
    status, out, _ = call(capsys, "info", folder / "cells.ome.zarr")
    assert status == 0
    assert "OME-Zarr 0.5" in out
    assert "Z 0.5 micrometer, Y 0.2 micrometer" in out
    assert "channels: DAPI, GFP" in out
    status, out, err = call(
        capsys, "info", folder / "Zelle 1.tif", "missing.tif", "--json"
    )
    assert status == 1
    assert json.loads(out)["shape"] == [60, 70]
    assert err == "napari-usm: error: missing.tif does not exist\n"


def test_measure(tmp_path, capsys):
    """Metrics are those of the functions; a reference must have the same shape."""
    image = cells((90, 100))
    sharpened = usm.unsharp_mask(image)
    tifffile.imwrite(tmp_path / "a.tif", image)
    tifffile.imwrite(tmp_path / "b.tif", sharpened)
    tifffile.imwrite(tmp_path / "c.tif", image[:50])
    words = ["measure", tmp_path / "b.tif", "--reference", tmp_path / "a.tif", "--json"]
    status, out, _ = call(capsys, *words)
    said = json.loads(out)
    assert status == 0
    assert said["PSNR, dB"] == usm.metrics.peak_signal_to_noise_ratio(image, sharpened)
    assert said["structural similarity"] == usm.metrics.structural_similarity(
        image, sharpened
    )
    assert said["noise factor"] == usm.metrics.noise_factor(image, sharpened)
    assert said["overshoot"] == usm.metrics.overshoot(image, sharpened).overshoot
    status, _, err = call(
        capsys, "measure", tmp_path / "b.tif", "--reference", tmp_path / "c.tif"
    )
    assert status == 2
    assert "`--reference` must have the shape of the image" in err


def test_inputs_are_only_read(tmp_path, folder, capsys):
    """Neither their bytes nor their times change."""
    before = contents(folder)
    times = {path: os.stat(path).st_mtime_ns for path in folder.rglob("*")}
    assert call(capsys, "sharpen", folder, "-o", tmp_path / "out", "--edge-map")[0] == 0
    assert contents(folder) == before
    assert {path: os.stat(path).st_mtime_ns for path in folder.rglob("*")} == times
