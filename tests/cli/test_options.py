"""Options become the recipe that they describe, or an error that names them."""

import subprocess
import sys
from dataclasses import replace

import pytest

import napari_usm as usm
from napari_usm.cli.options import (
    add_recipe_options,
    option_of,
    parameters_of,
    recipe_of,
    save_recipe,
)
from napari_usm.cli.parser import Parser
from napari_usm.recipe import Recipe
from napari_usm.recipe_file import dumps, load, save


def parse(*words):
    parser = Parser(prog="napari-usm sharpen")
    add_recipe_options(parser)
    return parser.parse_args(words)


def recipe(*words):
    return recipe_of(parse(*words))


def mask(**parameters):
    return Recipe("unsharp_mask", parameters, "planes")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], mask()),
        (["--sigma", "1.5"], mask(sigma=1.5)),
        (["--sigma=2"], mask(sigma=2)),
        (["--sigma", "0.35um"], mask(sigma="0.35 um")),
        (["--sigma", "0.35 µm"], mask(sigma="0.35 µm")),
        (["--sigma", " .35e0  nm "], mask(sigma=".35e0 nm")),
        (["--sigma", "1,2"], mask(sigma=(1, 2))),
        (["--sigma", "1um, 300 nm"], mask(sigma=("1 um", "300 nm"))),
        (["--threshold", "12"], mask(threshold=12)),
        (["--threshold", "3 noise"], mask(threshold="3 noise")),
        (["--threshold", "3noise"], mask(threshold="3 noise")),
        (["--amount", "-0.5"], mask(amount=-0.5)),
        (["--amount", "1e-3"], mask(amount=1e-3)),
        (["--hard"], mask(hard=True)),
        (["--no-hard"], mask(hard=False)),
        (["--kernel", "box"], mask(kernel="box")),
        (["--color", "value"], mask(color="value")),
        (["--mode", "constant", "--cval", "-7"], mask(mode="constant", cval=-7)),
        (["--limits", "data"], mask(limits="data")),
        (["--limits", "none"], mask(limits=None)),
        (["--limits", "0,4095"], mask(limits=(0, 4095))),
        (["--limits=-5,inf"], mask(limits=(-5, float("inf")))),
        (["--dtype", "float32"], mask(dtype="float32")),
        (["--axes", "zyx"], replace(mask(), dimensions="zyx")),
        (["--axes", "VOLUMES"], replace(mask(), dimensions="volumes")),
        (["--axes", "row, col"], replace(mask(), dimensions=("row", "col"))),
        (
            ["--axes", "volumes", "--z-axis", "0"],
            replace(mask(), dimensions="volumes", z_axis=0),
        ),
        (["--edge-map"], replace(mask(), edge_map=True)),
        (["--significance"], replace(mask(), significance=True)),
        (
            ["--method", "laplacian_sharpen", "--median-size", "3"],
            Recipe("laplacian_sharpen", {"median_size": 3}, "planes"),
        ),
        (
            ["--method", "laplacian_sharpen", "--spacing", "1,2.5"],
            Recipe("laplacian_sharpen", {"spacing": (1, 2.5)}, "planes"),
        ),
        (
            ["--method", "adaptive_unsharp_mask", "--gains", "0.4"],
            Recipe("adaptive_unsharp_mask", {"gains": (0.4,)}, "planes"),
        ),
        (
            ["--method=adaptive_unsharp_mask", "--gains=.4,1", "--gain-per=item"],
            Recipe(
                "adaptive_unsharp_mask",
                {"gains": (0.4, 1), "gain_per": "item"},
                "planes",
            ),
        ),
        (
            ["--method", "gaussian_sharpen", "--radius", "2"],
            Recipe("gaussian_sharpen", {"radius": 2}, "planes"),
        ),
    ],
)
def test_options(words, expected):
    """Numbers, lengths, multiples of noise, lists, flags, choices and axes."""
    assert recipe(*words) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sigma", "-1"], "`sigma` must be at least 0; got -1"),
        (["--sigma", "nan"], "`sigma` must be finite; got nan"),
        (["--sigma", "wide"], "`sigma` must be a real number; got 'wide'"),
        (["--sigma", "1_0"], "`sigma` must be a real number; got '1_0'"),
        (["--sigma", "1,2,3"], r"one per filtered axis \(2\); got 3"),
        (["--sigma", "3 apples"], "`sigma` must be in 'px' or in a unit of length"),
        (["--sigma", ""], "`sigma` must be a real number; got ''"),
        (["--amount", "9" * 500], "`amount` must be finite; got inf"),
        (["--threshold", "3 px"], "`threshold` must be a number or a multiple of the"),
        (["--limits", "5,1"], r"`limits` must be \(low, high\)"),
        (["--dtype", "uint7"], "`dtype` must be bool, integer or real; got 'uint7'"),
        (["--axes", "TYX"], '`axes` must be .*; got "TYX"'),
        (["--axes", "y,row"], "`axes` must be .* without repeats"),
        (["--z-axis", "-2"], "`z_axis` must be at least 0; got -2"),
        (
            ["--median-size", "3"],
            "`--median-size` must be an option of unsharp_mask: --sigma, --amount, .*; "
            "got 3",
        ),
        (
            ["--method", "laplacian_sharpen", "--sigma", "2"],
            "`--sigma` must be an option of laplacian_sharpen: --amount, --median-size",
        ),
        (
            ["--method", "laplacian_sharpen", "--median-size", "2"],
            "`median_size` must be odd; got 2",
        ),
        (
            ["--method", "gaussian_sharpen", "--axes", "ZYX"],
            "`axes` must be exactly two for gaussian_sharpen",
        ),
        (
            ["--method", "auto_unsharp_mask", "--significance"],
            "`significance` must be false for auto_unsharp_mask",
        ),
        (["--recipe", "nowhere.json"], "nowhere.json"),
    ],
)
def test_options_that_are_wrong(words, message):
    """The error names option or argument, rule and value."""
    with pytest.raises((OSError, TypeError, ValueError), match=message):
        recipe(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "sharp"], "argument --method: invalid choice: 'sharp'"),
        (["--kernel", "cone"], "argument --kernel: invalid choice: 'cone'"),
        (["--z-axis", "Z"], "argument --z-axis: invalid int value: 'Z'"),
        (["--sig", "1"], "unrecognized arguments: --sig"),
        (["--channel-axis", "1"], "unrecognized arguments: --channel-axis"),
        (["--sigma"], "argument --sigma: expected one argument"),
    ],
)
def test_options_that_do_not_exist(words, message, capsys):
    """They are wrong use, as the parser finds out."""
    with pytest.raises(SystemExit) as stop:
        parse(*words)
    assert stop.value.code == 2
    assert f"napari-usm: error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize("method", usm.METHODS)
def test_an_option_for_each_parameter(method):
    """Every parameter but those that the image says; its default is accepted."""
    for name, known in parameters_of(method).items():
        option = option_of(name)
        if isinstance(known.default, bool):
            words = [option if known.default else option.replace("--", "--no-", 1)]
        else:
            words = [option, str(known.default)]
        assert recipe("--method", method, *words) == Recipe(
            method, {name: known.default}, "planes"
        )


def test_a_recipe_and_options(tmp_path):
    """Options override the file, and the whole is written as one recipe."""
    path, copy = tmp_path / "a b.json", tmp_path / "ü.json"
    base = Recipe("unsharp_mask", {"sigma": 2, "hard": True}, "ZYX", edge_map=True)
    save(base, path)
    assert recipe("--recipe", str(path)) == base
    words = ["--recipe", str(path), "--sigma", "1um", "--no-hard", "--no-edge-map"]
    words += ["--axes", "YX", "--method", "unsharp_mask", "--save-recipe", str(copy)]
    options = parse(*words)
    changed = recipe_of(options)
    assert changed == Recipe("unsharp_mask", {"sigma": "1 um", "hard": False}, "YX")
    save_recipe(options, changed)
    assert load(copy) == changed
    with pytest.raises(FileExistsError):
        save_recipe(options, changed)
    save_recipe(options, base, overwrite=True)
    assert load(copy) == base
    save_recipe(parse(), base)
    with pytest.raises(ValueError, match="`--method` must be that of the recipe, unsh"):
        recipe("--recipe", str(path), "--method", "laplacian_sharpen")


def test_a_recipe_with_an_estimate(tmp_path):
    """Its constants are of its parameters: others are refused, not ignored."""
    path = tmp_path / "a.json"
    base = Recipe("adaptive_unsharp_mask", {}, "planes", estimate={"gain": 0.4})
    save(base, path)
    given = ["--recipe", str(path)]
    assert recipe(*given, "--kernel", "box", "--edge-map").estimate == {"gain": 0.4}
    with pytest.raises(ValueError, match="`--kernel` must be box, as in the recipe"):
        recipe(*given, "--kernel", "gaussian")
    with pytest.raises(ValueError, match="`--axes` must be planes, as in the recipe"):
        recipe(*given, "--axes", "ZYX")


def test_help_in_a_process():
    """Every option has a line, and no viewer is loaded for it."""
    code = (
        "import sys; from napari_usm.cli.parser import Parser; "
        "from napari_usm.cli.options import add_recipe_options; "
        "parser = Parser(); add_recipe_options(parser); parser.print_help(); "
        "heavy = {'napari', 'magicgui', 'qtpy', 'dask'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr.strip() == ""
    for method in usm.METHODS:
        for name in parameters_of(method):
            assert f"  {option_of(name)}" in done.stdout


def test_what_is_saved_can_be_typed_again(tmp_path):
    """A recipe of options is that of the file that they write."""
    for words in (["--sigma", "0.35 µm"], ["--threshold", "3noise", "--hard"]):
        given = recipe(*words)
        path = tmp_path / f"{len(words)}.json"
        path.write_text(dumps(given), "utf-8")
        assert recipe("--recipe", str(path)) == given
