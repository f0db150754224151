"""The command line as a user meets it: processes, their output and exit statuses."""

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
from napari_usm.recipe import Recipe
from napari_usm.recipe_file import dumps, save
from napari_usm.scripts import program, sentence

HEAVY = (
    "numpy scipy numba dask skimage matplotlib pint pydantic napari magicgui qtpy "
    "superqt PyQt6 PySide6 xarray zarr tifffile"
)
RECIPE = Recipe("unsharp_mask", {"sigma": 1.5, "amount": 2}, "planes")


def run(*words, **more):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "napari_usm.cli", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, **more
    )


@pytest.fixture
def recipe(tmp_path):
    """The path of a recipe, with a blank and an umlaut in it."""
    path = tmp_path / "für alle.json"
    save(RECIPE, path)
    return path


@pytest.mark.parametrize("words", [["--help"], ["-h"], [], ["sharpness"], ["--new"]])
def test_what_is_known_without_a_command_loads_nothing(words):
    """Help and wrong commands wait for no library."""
    code = (
        f"import sys; from napari_usm.cli import main; status = main({words}); "
        f"heavy = set({HEAVY.split()}) & set(sys.modules); "
        "print('loaded', *heavy); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "loaded"
    assert done.returncode == (0 if words in (["--help"], ["-h"]) else 2)


@pytest.mark.parametrize("command", ["demo", "table1", "script", "cite", "methods"])
def test_help_of_a_command_loads_no_viewer(command):
    """A command knows its arguments before it opens anything."""
    code = (
        f"import sys; from napari_usm.cli import main; main([{command!r}, '--help']); "
        "heavy = {'napari', 'magicgui', 'qtpy', 'dask', 'numba', 'scipy', 'pydantic'};"
        "print('loaded', *(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded"


def test_help():
    """It lists every command; each has its own."""
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name, line in cli.COMMANDS.items():
        assert f"{name} " in done.stdout
        assert line in " ".join(done.stdout.split())
    done = run("script", "--help")
    assert done.returncode == 0
    assert "usage: napari-usm script" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["sharpness"], "invalid choice: 'sharpness'"),
        (["cite"], "the following arguments are required: RECIPE"),
        (["cite", "a", "b"], "unrecognized arguments: b"),
        (["methods", "--js"], "unrecognized arguments: --js"),
        (["cite", "nowhere.json"], "No such file or directory: 'nowhere.json'"),
        (["script", "."], "directory: '.'"),
    ],
)
def test_wrong_use(words, message, tmp_path):
    """The status is 2, the error stands on the standard error, and nothing else out."""
    done = run(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    *_, last = done.stderr.splitlines()
    assert last.startswith("napari-usm: error: ")
    assert message in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["cite", "script"])
def test_a_recipe_that_is_wrong(command, tmp_path):
    """Its error names file, key, rule and value."""
    path = tmp_path / "wrong.json"
    path.write_text(dumps(RECIPE).replace("1.5", "-1.5"), "utf-8")
    done = run(command, path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"napari-usm: error: recipe {str(path)!r}: `sigma` must be at least 0; got "
        "-1.5\n"
    )


def test_cite(recipe):
    """The sentence goes to the standard output."""
    done = run("cite", recipe)
    assert (done.returncode, done.stdout, done.stderr) == (0, sentence(RECIPE), "")


def test_letters_that_the_output_lacks(recipe):
    """They are escaped, and the rest is printed."""
    done = run("cite", recipe, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.encode().decode("unicode-escape") == sentence(RECIPE)


def test_script(recipe):
    """The program goes to the standard output."""
    done = run("script", recipe)
    assert (done.returncode, done.stdout, done.stderr) == (0, program(RECIPE), "")


def test_script_of_an_image(recipe, tmp_path):
    """With an image the program reads it, and makes the pixels of the function."""
    image = np.random.default_rng(0).integers(0, 999, (3, 40, 50), dtype=np.uint16)
    path = tmp_path / "Zellen 1.tif"
    tifffile.imwrite(path, image, imagej=True, metadata={"axes": "ZYX"})
    done = run("script", recipe, path)
    assert (done.returncode, done.stderr) == (0, "")
    variables = {}
    exec(compile(done.stdout, "program", "exec"), variables)
    expected = usm.unsharp_mask(image, 1.5, 2, axes=(1, 2))
    np.testing.assert_array_equal(variables["result"], expected)


def test_methods():
    """Every method with its parameters, as text and as JSON."""
    done = run("methods", env={**os.environ, "COLUMNS": "60"})
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) < 100
    rows = json.loads(run("methods", "--json").stdout)
    assert [row["name"] for row in rows] == list(usm.METHODS)
    for row in rows:
        entry = usm.METHODS[row["name"]]
        assert f"{row['name']}: {entry.label}\n" in done.stdout
        named = {each["name"]: each for each in row["parameters"]}
        hidden = {"axes", "channel_axis", "alpha"}
        assert set(named) == set(entry.parameters) - hidden
        for name, each in named.items():
            known = entry.parameters[name]
            assert each["default"] == known.default
            assert (each["minimum"], each["tip"]) == (known.minimum, known.tip)
            assert f"  {each['option']}: default " in done.stdout


def test_interrupted(tmp_path):
    """Ctrl-C ends a command with status 130 and one line."""
    fifo = tmp_path / "recipe.json"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "napari_usm.cli", "cite", str(fifo)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    writer = os.open(fifo, os.O_WRONLY)  # it waits until the command reads
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    os.close(writer)
    assert (process.returncode, said) == (130, "napari-usm: interrupted\n")


def test_a_pipe_that_closes():
    """`| head` ends the output without a traceback."""
    code = (
        "import sys; from napari_usm.cli import main; input(); sys.exit(main(['methods'"
        ", '--json']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    _, said = process.communicate(b"\n", timeout=60)
    assert (process.returncode, said) == (1, b"")


def test_every_command_has_its_parts():
    """The module of each command has what `main` calls."""
    for name in cli.COMMANDS:
        module = cli.import_module(f"napari_usm.cli.{name}")
        assert module.DESCRIPTION
        assert callable(module.add_arguments)
        assert callable(module.run)


def test_main_returns_the_status(capsys, recipe):
    """In one process too: nothing exits but the script."""
    assert cli.main(["cite", str(recipe)]) == 0
    assert capsys.readouterr().out == sentence(RECIPE)
    assert cli.main(["cite", str(recipe) + "x"]) == 2
    assert cli.main(["cite"]) == 2
    assert cli.main(["--help"]) == 0
