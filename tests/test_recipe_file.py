"""Recipes as JSON: what is written is read again, and nothing wrong gets through."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_usm as usm
from method_cases import METHOD_CASES
from napari_usm.recipe import Recipe, plain_python
from napari_usm.recipe_file import dumps, load, loads, save, schema

ROOT = Path(__file__).parents[1]
MINIMAL = {"version": 1, "method": "unsharp_mask"}
RECIPE = Recipe("unsharp_mask", {"sigma": "0.35 µm", "amount": 1.5}, "ZYX")

numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(-1e300, 1e300))
arrays = st.one_of(numbers, st.lists(numbers, min_size=2, max_size=3).map(tuple))
COMMON = {
    "color": st.sampled_from(["channels", "luminance", "value"]),
    "mode": st.sampled_from(["reflect", "mirror", "nearest", "wrap", "constant"]),
    "cval": numbers,
    "limits": st.sampled_from([None, "data", (0, 4095), (-0.1, 1e-300)]),
    "dtype": st.sampled_from([None, "float32", "uint8", "int64"]),
}
LENGTHS = st.sampled_from(["0.35 µm", "350 nm", ("1 µm", "0.3 µm")])


@st.composite
def recipes(draw):
    """A recipe of any method, with its parameters and those of all."""
    method = draw(st.sampled_from(sorted(usm.METHODS)))
    case = METHOD_CASES[method]
    count = case.axes or draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    own = case.draw(rng, tuple(range(count)), 255.0, False)
    names = {1: ["X", ("col",)], 2: ["planes", "YX", "zx"], 3: ["volumes", "ZYX"]}
    if count == 2 and "sigma" in own and case.axes is None:
        own["sigma"] = draw(st.one_of(st.just(own["sigma"]), LENGTHS))
    if "threshold" in own:
        own["threshold"] = draw(st.sampled_from([own["threshold"], "3 noise"]))
    common = draw(st.fixed_dictionaries({}, optional=COMMON))
    constants = st.fixed_dictionaries({}, optional={"amount": numbers, "gain": arrays})
    return Recipe(
        method,
        {name: plain_python(value) for name, value in (own | common).items()},
        draw(st.sampled_from(names[count])),
        draw(st.sampled_from([None, 0, 7])),
        draw(st.booleans()) and method != "auto_unsharp_mask",
        draw(st.booleans()),
        draw(st.one_of(st.none(), constants)),
    )


@settings(max_examples=300, deadline=None)
@given(recipes())
def test_round_trip(recipe):
    """Every method and value is read as it was written, and written as it was read."""
    text = dumps(recipe)
    assert loads(text) == recipe
    assert dumps(loads(text)) == text
    assert list(json.loads(text)) == sorted(json.loads(text))
    jsonschema.validate(json.loads(text), schema())


def test_the_text():
    """Keys are sorted and indented, letters are themselves, and the last line ends."""
    text = dumps(replace(RECIPE, parameters={"sigma": "0.35 µm"}, edge_map=True))
    assert text == (
        "{\n"
        '  "axes": "ZYX",\n'
        '  "edge_map": true,\n'
        '  "method": "unsharp_mask",\n'
        '  "parameters": {\n'
        '    "sigma": "0.35 µm"\n'
        "  },\n"
        '  "significance": false,\n'
        '  "version": 1\n'
        "}\n"
    )


def test_values_of_numpy():
    """They are written as those of Python, and a type by its name."""
    given = {
        "sigma": np.array([1.5, 2]),
        "amount": np.float32(0.1),
        "hard": np.True_,
        "dtype": np.dtype(">u2"),
        "limits": [np.int16(0), np.float64(7)],
    }
    estimate = {"amount": np.float32(0.1), "noise": np.ones((1, 2)), "gain": None}
    found = loads(dumps(Recipe("unsharp_mask", given, "planes", estimate=estimate)))
    assert found.parameters == {
        "sigma": (1.5, 2.0),
        "amount": float(np.float32(0.1)),
        "hard": True,
        "dtype": "uint16",
        "limits": (0, 7.0),
    }
    assert found.estimate == {"amount": float(np.float32(0.1)), "noise": ((1.0, 1.0),)}
    dtype = Recipe("unsharp_mask", {"dtype": np.float32}, "planes")
    assert loads(dumps(dtype)).parameters == {"dtype": "float32"}


def test_defaults():
    """A method is enough: its defaults, in planes."""
    assert loads(json.dumps(MINIMAL)) == Recipe("unsharp_mask", {}, "planes")


# What is wrong with a recipe, and what the error says.
WRONG = [
    ({"version": 2}, "`version` must be 1, which napari-usm .* reads; got 2: a later"),
    ({"version": True}, "`version` must be 1, .*; got true"),
    ({"version": "1"}, '`version` must be 1, .*; got "1"'),
    ({"version": 1.0}, "`version` must be 1, .*; got 1.0"),
    ({"method": "sharpen"}, r"`method` must be one of \('unsharp_mask', .*'sharpen'"),
    ({"method": None}, "`method` must be the name of a method; got null"),
    ({"colour": 1}, "`colour` must be a key of a recipe: axes, edge_map, estimate"),
    ({"parameters": []}, r"`parameters` must be an object .*; got \[\]"),
    ({"parameters": {"sigmas": 1}}, "`sigmas` must be a parameter of unsharp_mask"),
    ({"parameters": {"sigma": -1}}, "`sigma` must be at least 0; got -1"),
    ({"parameters": {"sigma": None}}, "`sigma` must be a real number; got None"),
    ({"parameters": {"sigma": "1 s"}}, "`sigma` must be in 'px' or .* length; got 's'"),
    ({"parameters": {"sigma": "1 m**9**9**9"}}, "`sigma` must be in 'px' or in a unit"),
    ({"parameters": {"sigma": "1 m*m/m"}}, "`sigma` must be in 'px' or in a unit"),
    ({"parameters": {"sigma": "1 __import__('os')"}}, "`sigma` must be in 'px' or in"),
    ({"parameters": {"sigma": "9" * 9999}}, "`sigma` must be a real number; got '9999"),
    ({"axes": [str(number) for number in range(9999)]}, "`axes` must be 'planes', "),
    ({"parameters": {"sigma": "µm"}}, "`sigma` must be a real number; got 'µm'"),
    ({"parameters": {"sigma": [1, 2, 3]}}, r"one per filtered axis \(2\); got 3"),
    ({"parameters": {"sigma": {"x": 1}}}, "`parameters.sigma` must be a number, .* 1}"),
    ({"parameters": {"sigma": [[1]]}}, r"`parameters.sigma` must be .*; got \[\[1\]\]"),
    ({"parameters": {"amount": float("nan")}}, "`parameters.amount` must be finite"),
    ({"parameters": {"limits": [0, float("inf")]}}, "`parameters.limits` must be fini"),
    ({"parameters": {"amount": 10**400}}, "`parameters.amount` must be finite; got In"),
    ({"parameters": {"amount": True}}, "`amount` must be a real number; got True"),
    ({"parameters": {"threshold": "3 px"}}, "`threshold` must be a number or a multi"),
    ({"parameters": {"hard": 1}}, "`hard` must be True or False; got 1"),
    ({"parameters": {"dtype": "uint7"}}, "`dtype` must be bool, integer or real"),
    ({"parameters": {"dtype": "complex64"}}, "`dtype` must be .*; got complex64"),
    ({"parameters": {"mode": "../../x"}}, "`mode` must be one of .*; got '../../x'"),
    ({"parameters": {"axes": [0, 1]}}, "`parameters` must not hold `axes`, which is a"),
    ({"parameters": {"channel_axis": 2}}, "`parameters` must not hold `channel_axis`"),
    ({"parameters": {"weight": 2}}, "`weight` must be a parameter of unsharp_mask"),
    ({"parameters": {"sigma": "1 \ud800"}}, "`parameters.sigma` must be text without"),
    ({"\udfff": 1}, "`text` must be text without lone surrogates"),
    ({"axes": "YXY"}, '`axes` must be .*or names of axes in space, .*; got "YXY"'),
    ({"axes": "TYX"}, '`axes` must be .*or names of axes in space, .*; got "TYX"'),
    ({"axes": ["y", "row"]}, r"`axes` must be .*repeats, .*; got \[\"y\", \"row\"\]"),
    ({"axes": ""}, '`axes` must be .*; got ""'),
    ({"axes": []}, r"`axes` must be .*; got \[\]"),
    ({"axes": ["", "y"]}, "`axes` must be .*; got"),
    ({"axes": [0, 1]}, r"`axes` must be .*a list of names; got \[0, 1\]"),
    ({"axes": None}, "`axes` must be .*; got null"),
    ({"z_axis": -1}, "`z_axis` must be the number of the axis .*; got -1"),
    ({"z_axis": True}, "`z_axis` must be .*; got true"),
    ({"edge_map": 1}, "`edge_map` must be true .*; got 1"),
    ({"significance": "yes"}, '`significance` must be true .*; got "yes"'),
    ({"estimate": [1]}, r"`estimate` must be an object .*; got \[1\]"),
    ({"estimate": {"gains": 1}}, "`gains` must be a key of `estimate`: amount, gain"),
    ({"estimate": {"gain": "1"}}, '`estimate.gain` must be a number or .*; got "1"'),
    ({"estimate": {"gain": [True]}}, r"`estimate.gain` must be a .*; got \[true\]"),
    ({"estimate": {"gain": [1, [2]]}}, r"`estimate.gain` .* one shape; got \[1, \[2"),
    ({"estimate": {"noise": [[1, 10**400]]}}, "`estimate.noise` must be finite"),
    ({"estimate": {"noise": [-(10**400)]}}, "`estimate.noise` must be finite"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_is_wrong(change, message):
    """The error names the key, the rule and the value."""
    with pytest.raises(ValueError, match=message) as error:
        loads(json.dumps(MINIMAL | change))
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("gaussian_sharpen", {"axes": "ZYX"}, "`axes` must be exactly two"),
        (
            "gaussian_sharpen",
            {"parameters": {"sigma": "1 µm"}},
            "`sigma` must be a rea",
        ),
        ("auto_unsharp_mask", {"significance": True}, "`significance` must be false"),
        (
            "auto_unsharp_mask",
            {"parameters": {"denoise": 2}},
            "`denoise` must be at mo",
        ),
        (
            "laplacian_sharpen",
            {"parameters": {"median_size": 2}},
            "`median_size` must be odd; got 2",
        ),
        (
            "adaptive_unsharp_mask",
            {"parameters": {"gains": [2, 1]}},
            "`gains` must be above 0 and strictly increasing",
        ),
    ],
)
def test_rules_of_methods(method, change, message):
    """The rules of every method hold before there is an image."""
    with pytest.raises(ValueError, match=message):
        loads(json.dumps(MINIMAL | {"method": method} | change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`text` must be JSON; got Expecting value: line 1"),
        ("{'version': 1}", "`text` must be JSON; got Expecting property name"),
        ("import os", "`text` must be JSON"),
        ("[]", r"`text` must be a JSON object, with a method; got \[\]"),
        ("3", "`text` must be a JSON object, with a method; got 3"),
        ("{}", "`version` must be given: 1, which napari-usm"),
        ('{"version": 1}', "`method` must be given: the name of a method"),
        (
            '{"version": 1, "version": 1, "method": "unsharp_mask"}',
            "`version` must be given once; got 2 of it",
        ),
        (
            '{"version": 1, "method": "unsharp_mask", "parameters": {"amount": 1, '
            '"sigma": 1, "amount": 2}}',
            "`amount` must be given once",
        ),
        (
            '{"version": 1, "method": "unsharp_mask", "parameters": {"amount": 1e400}}',
            "`parameters.amount` must be finite; got Infinity",
        ),
        (
            '{"version": 1, "method": "unsharp_mask", "parameters": {"amount": -'
            + "9" * 9999
            + "}}",
            "`parameters.amount` must be finite; got -Infinity",
        ),
        ("[" * 500_000, "`text` must have lists within at most 32 others"),
        ('{"version":' * 90_000, "`text` must have lists within at most 32 others"),
        ("[" * 100 + "]" * 100, "`text` must be a JSON object"),
        (
            '{"version": 1, "method": "unsharp_mask", "estimate": {"gain": '
            + "[" * 100
            + "]" * 100
            + "}}",
            "`text` must have lists within at most 32 others",
        ),
        (
            " " * 50_000_000,
            "`text` must have at most 1,048,576 characters; got 50,000,",
        ),
    ],
    ids=lambda text: text[:30],
)
def test_texts_that_hold_no_recipe(text, message):
    """Each is refused in plain words, at once, and at any length."""
    with pytest.raises(ValueError, match=message) as error:
        loads(text)
    assert len(str(error.value)) < 500


def test_what_is_not_text():
    """Bytes are for `load`."""
    with pytest.raises(TypeError, match="`text` must be a string; got bytes"):
        loads(b"{}")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (replace(RECIPE, dimensions=None), "`dimensions` must be .*; got None"),
        (
            Recipe("unsharp_mask", {"limits": (0, np.inf)}, "planes"),
            "`parameters.limits` must be finite",
        ),
        (Recipe("sharp", {}, "planes"), "`method` must be one of"),
        (Recipe("unsharp_mask", {"sigma": b"1"}, "planes"), "`sigma` must be"),
        (Recipe("unsharp_mask", {"sigma": 1j}, "planes"), "`parameters.sigma` must be"),
        (replace(RECIPE, estimate={"gain": np.nan}), "`estimate.gain` must be finite"),
        (replace(RECIPE, edge_map=None), "`edge_map` must be true"),
    ],
)
def test_recipes_that_cannot_be_written(recipe, message):
    """Nothing is written that could not be read."""
    with pytest.raises((TypeError, ValueError), match=message):
        dumps(recipe)


def test_files(tmp_path):
    """A file is written and read; one that exists is left alone unless one says so."""
    path = tmp_path / "Größe µm.json"
    save(RECIPE, path)
    assert path.read_bytes() == dumps(RECIPE).encode()
    assert load(path) == load(str(path)) == RECIPE
    other = replace(RECIPE, edge_map=True)
    with pytest.raises(
        FileExistsError, match="`output` must not exist, or `overwrite` be True"
    ):
        save(other, path)
    assert load(path) == RECIPE
    save(other, path, overwrite=True)
    assert load(path) == other
    path.write_bytes(b"\xef\xbb\xbf" + dumps(RECIPE).replace("\n", "\r\n").encode())
    assert load(path) == RECIPE, "as Windows writes it"
    assert list(tmp_path.iterdir()) == [path], "nothing else is left"
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        save(RECIPE, tmp_path / "new.json")
        assert (tmp_path / "new.json").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    """A file is then made by its name alone, and still never overwritten."""

    def refuse(*paths):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    save(RECIPE, tmp_path / "a.json")
    assert load(tmp_path / "a.json") == RECIPE
    with pytest.raises(FileExistsError):
        save(RECIPE, tmp_path / "a.json")


def test_files_that_cannot_be_written(tmp_path):
    """A wrong recipe leaves no file, and a wrong place is an error of the system."""
    with pytest.raises(ValueError, match="`dimensions` must be"):
        save(replace(RECIPE, dimensions=None), tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        save(RECIPE, tmp_path / "nowhere" / "a.json")
    with pytest.raises(OSError, match=tmp_path.name):
        save(RECIPE, tmp_path, overwrite=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe{\x00}\x00", "`text` must be UTF-8; got 'utf-8' codec"),
        (b"{}", "`version` must be given"),
        (b" " * 2_000_000, "`text` must have at most 1,048,576 bytes; got more"),
        (json.dumps(MINIMAL | {"axes": "T"}).encode(), "`axes` must be"),
    ],
)
def test_files_that_hold_no_recipe(tmp_path, data, message):
    """The error names the file too."""
    path = tmp_path / "wrong.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"recipe '.*wrong.json': {message}"):
        load(path)


def test_no_path_is_opened(tmp_path):
    """A path in a recipe is a word like any other."""
    target = tmp_path / "target"
    for key in ("method", "axes"):
        with pytest.raises(ValueError, match=f"`{key}` must be"):
            loads(json.dumps(MINIMAL | {key: str(target)}))
    assert not target.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"method": "sharpen"},
        {"colour": 1},
        {"parameters": {"sigmas": 1}},
        {"parameters": {"axes": [0]}},
        {"parameters": {"sigma": None}},
        {"parameters": {"kernel": "cone"}},
        {"axes": [0]},
        {"z_axis": -1},
        {"estimate": {"gain": "1"}},
        {"estimate": {"gains": 1}},
    ],
)
def test_schema_refuses(change):
    """The schema refuses what is wrong without a look at the numbers."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(MINIMAL | change, schema())


def test_schema_in_the_docs():
    """The schema beside the docs is that of this version."""
    path = ROOT / "docs" / "recipe-1.schema.json"
    assert json.loads(path.read_text("utf-8")) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


def test_recipes_alone_need_no_pydantic():
    """Only what reads and writes files loads it."""
    code = (
        "import sys, napari_usm; napari_usm.sharpen; "
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
