"""Programs made of recipes: run, they give the very pixels of the call."""

import ast
import copy
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import PureWindowsPath

import numpy as np
import pint
import pytest
import skimage.io
import tifffile
from hypothesis import assume, example, given
from hypothesis import strategies as st

import cases
import napari_usm as usm
from napari_usm.geometry import Geometry
from napari_usm.recipe import ImageInfo, Recipe, resolve
from napari_usm.scripts import Script, Source, program, sentence
from napari_usm.sources import find_reading, reading_of
from test_laws import calls, laws

TO_FILL = "\nimage = ...\n"
AXES = {"axes": (1, 2)}
RGB = {"axes": (0, 1), "channel_axis": 2}

# Shape and type of an image, and parameters that every method takes.
COMMON = [
    ((14, 15), "uint8", {}),
    ((14, 15), "uint16", {"limits": (0, 4095), "mode": "wrap"}),
    ((14, 15), "float32", {"limits": "data"}),
    ((14, 15), "int16", {"limits": (-np.inf, np.float32(100.1))}),
    ((3, 14, 15), "uint16", {**AXES, "dtype": np.float32}),
    ((3, 14, 15), "float64", {"axes": range(1, 3), "dtype": np.dtype(">u2")}),
    ((3, 14, 15), "int32", {"axes": np.array([-1, -2]), "dtype": "float64"}),
    ((3, 14, 15), "bool", {**AXES, "mode": "constant", "cval": np.float64(0.7)}),
    ((14, 15), ">u2", {"mode": "constant", "cval": -5, "limits": [3, np.int16(900)]}),
    ((14, 15, 3), "uint8", {**RGB, "color": "channels"}),
    ((14, 15, 3), "uint8", {**RGB, "color": "luminance", "limits": None}),
    ((14, 15, 4), "float32", {**RGB, "color": "value", "alpha": np.True_}),
    ((14, 15, 4), "uint16", {**RGB, "channel_axis": np.int8(-1), "alpha": True}),
]
OWN = {
    "unsharp_mask": [
        {"sigma": np.float32(0.1), "amount": 1},
        {"sigma": (0.5, np.float64(2)), "amount": -0.3, "threshold": np.float64(0.1)},
        {"sigma": 2, "hard": np.True_, "threshold": 1e-300, "truncate": np.float16(2)},
        {"kernel": "box", "amount": np.float32(1e22)},
    ],
    "laplacian_sharpen": [
        {"amount": np.float32(1.7), "median_size": np.int64(3)},
        {"spacing": np.array([0.108, 0.3]), "threshold": np.int64(3)},
    ],
    "adaptive_unsharp_mask": [
        {"gains": np.arange(1, 31) / 7, "gain_per": "item"},
        {"kernel": "gaussian", "sigma": [1.0, 0.7], "gains": [0.4]},
        {"gains": (0.2, 0.5), "sigma": 1},
    ],
    "auto_unsharp_mask": [
        {"strength": np.float32(0.7), "estimate_per": "item"},
        {"denoise": np.int64(0)},
    ],
    "gaussian_sharpen": [{"sigma": np.float64(0.8)}, {"radius": np.uint8(2)}],
}
CALLS = [
    (method, shape, dtype, {**common, **own})
    for method in usm.METHODS
    for shape, dtype, common in COMMON
    for own in ({}, *OWN[method])
]


def recipe_of(image, method, parameters, path=None, name="cells"):
    return Script(method, parameters, Source(name, image.shape, image.dtype, path))


def run(program, image=None):
    """The program's variables; `image` is put where it asks for one."""
    if image is not None:
        assert program.count(TO_FILL) == 1
        program = program.replace(TO_FILL, "\nimage = given\n")
    variables = {"given": image}
    exec(compile(program, "program", "exec"), variables)
    return variables


def arguments(program):
    """What the program gives to `sharpen` by name."""
    (call,) = [
        node
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "usm.sharpen"
    ]
    return {
        keyword.arg: eval(ast.unparse(keyword.value), {"float": float})
        for keyword in call.keywords
    }


def assert_same(variables, expected):
    np.testing.assert_array_equal(variables["result"], expected.image, strict=True)
    np.testing.assert_array_equal(variables["edge_map"], expected.edge_map, strict=True)


@pytest.mark.parametrize("method", usm.METHODS)
def test_same_pixels(method):
    """Every method, with every kind of value: the program gives the call's pixels."""
    for name, shape, dtype, parameters in CALLS:
        if name == method:
            image = cases.picture(shape, dtype)
            expected = usm.sharpen(image, method, **parameters)
            program = recipe_of(image, method, parameters).as_python()
            assert_same(run(program, image), expected)


@laws
@given(calls())
def test_same_pixels_of_any_call(call):
    """So it is for calls drawn at random, with Python's values or numpy's."""
    image, method, parameters = call
    assume(method in usm.METHODS)
    numpys = {name: np.asarray(value)[()] for name, value in parameters.items()}
    expected = usm.sharpen(image, method, **parameters)
    for values in (parameters, numpys):
        program = recipe_of(image, method, values).as_python()
        assert_same(run(program, image), expected)


def write_zarr(path, image):
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(path, mode="w", shape=image.shape, dtype=image.dtype)
    array[...] = image


def write_picture(path, image):
    skimage.io.imsave(path, image, check_contrast=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("cells.npy", np.save),
        ("cells.tif", tifffile.imwrite),
        ("Zellen µm.ome.TIFF", tifffile.imwrite),
        ('it\'s "here" {x}\\n.tif', tifffile.imwrite),
        ("cells.png", write_picture),
        ("cells.bmp", write_picture),
        ("cells.jpg", write_picture),
        ("cells.jpeg", write_picture),
        ("cells.zarr", write_zarr),
        ("cells.zarr/0", write_zarr),
    ],
)
@pytest.mark.parametrize("method", usm.METHODS)
def test_reads_files(tmp_path, name, write, method):
    """The program reads what it knows to read, and gives the same pixels."""
    path = tmp_path / name
    image = cases.picture((20, 21), "uint8")
    write(path, image)
    if "jp" in name:
        image = skimage.io.imread(path)  # its pixels are no longer those written
    expected = usm.sharpen(image, method)
    program = recipe_of(image, method, {}, str(path)).as_python()
    assert_same(run(program), expected)
    assert recipe_of(image, method, {}, path).as_python() == program


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (r"C:\new\cells.tif", r'tifffile.imread("C:\\new\\cells.tif")'),
        (r"\\server\a b\x.ZARR\s0", r'open_array("\\\\server\\a b\\x.ZARR\\s0", mode'),
        ("/data/cells.NPY", 'np.load("/data/cells.NPY")'),
    ],
)
def test_paths_of_any_system(path, call):
    """A path of Windows survives, also on a system that splits paths otherwise."""
    program = recipe_of(np.eye(4), "unsharp_mask", {}, path).as_python()
    assert f"{call}" in program
    assert any(
        node.value == path
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Constant)
    )


@pytest.mark.parametrize(
    "path",
    [None, "", "cells.czi", "a.tif/cells", "tif", ".tif", "https://host/cells.tif"],
)
def test_unknown_files(path):
    """What it cannot read it asks for: name, shape and type, and where it came from."""
    image = cases.picture((14, 15), "uint8")
    program = recipe_of(image, "unsharp_mask", {}, path).as_python()
    assert "# The pixels of the layer 'cells' belong here: (14, 15) uint8.\n" in program
    assert ("came from" in program) == bool(path)
    assert not path or repr(path) in program
    assert_same(run(program, image), usm.sharpen(image))


@pytest.mark.parametrize(
    "other",
    [np.zeros((9, 8), "uint8"), np.zeros((8, 9), "int8"), np.zeros((8, 9, 3), "uint8")],
)
def test_other_pixels_are_never_sharpened(tmp_path, other):
    """A file of another shape or type than the layer's stops the program."""
    path = tmp_path / "cells.npy"
    np.save(path, other)
    image = np.zeros((8, 9), "uint8")
    program = recipe_of(image, "unsharp_mask", {}, str(path)).as_python()
    message = r"`image` must be \(8, 9\) uint8; got \("
    with pytest.raises(ValueError, match=message):
        run(program)
    program = recipe_of(image, "unsharp_mask", {}).as_python()
    with pytest.raises(ValueError, match=message):
        run(program, other)


def test_byte_order_is_no_other_type():
    """Big-endian pixels, as some files have them, are the same pixels."""
    image = cases.picture((8, 9), ">u2")
    native = image.astype("uint16")
    program = recipe_of(image, "unsharp_mask", {}).as_python()
    assert program == recipe_of(native, "unsharp_mask", {}).as_python()
    assert_same(run(program, image), usm.sharpen(native))


@laws
@given(st.text() | st.text("'\"\\\n\r\x00\x85\u2028\u202e\ud800#{}é", min_size=1))
@example("cells'\"\n\\")
@example('"""\nraise SystemExit\n"""')
def test_any_name_is_harmless(name):
    """A layer's name and a path change nothing but a comment and a string."""

    def parsed(name, path):
        program = recipe_of(np.eye(4), "unsharp_mask", {}, path, name).as_python()
        return ast.parse(program.encode())  # as a file or a clipboard has it

    assert ast.dump(parsed(name, name + ".czi")) == ast.dump(parsed("x", None))
    path = name + "/x.tif"
    assume("://" not in path)  # an address, which is not read
    assume(PureWindowsPath(path).suffix)  # nor is a share that holds no file
    nasty = parsed(name, path)
    (told,) = [node for node in ast.walk(nasty) if getattr(node, "value", 0) == path]
    told.value = "x.tif"
    assert ast.dump(nasty) == ast.dump(parsed("x", "x.tif"))


numbers = st.floats(-1e9, 1e9) | st.integers(-(2**60), 2**60)
ends = st.floats(allow_nan=False) | st.integers(-(2**70), 2**70)


@laws
@given(
    amount=numbers | numbers.map(np.float64) | st.floats(width=32).map(np.float32),
    cval=numbers,
    limits=st.tuples(ends, ends).map(sorted) | st.none() | st.just("data"),
    dtype=st.sampled_from(["u1", bool, float, np.int64, np.dtype(">f4"), "float16"]),
)
def test_values_survive(amount, cval, limits, dtype):
    """What the program gives to `sharpen` equals what the recipe was given."""
    if not np.isfinite(amount):
        return
    given_ = {"amount": amount, "cval": cval, "limits": limits, "dtype": dtype}
    recipe = recipe_of(np.eye(4), "unsharp_mask", given_)
    found = {
        "amount": 1.0,
        "cval": 0.0,
        "limits": None,
        **arguments(recipe.as_python()),
    }
    assert found["amount"] == amount
    assert found["cval"] == cval
    assert found["limits"] == (tuple(limits) if isinstance(limits, list) else limits)
    assert np.dtype(found["dtype"]) == np.dtype(dtype).newbyteorder("=")


def test_only_what_differs_from_the_defaults():
    """Defaults are left out, and the rest stands in the order of the signature."""
    image = np.eye(8)
    for method in usm.METHODS:
        defaults = {
            name: word.default for name, word in usm.METHODS[method].parameters.items()
        }
        program = recipe_of(image, method, defaults).as_python()
        assert f'found = usm.sharpen(image, "{method}")\n' in program
    given_ = {"cval": 3, "mode": "constant", "axes": [0], "hard": True, "sigma": 2}
    program = recipe_of(image, "unsharp_mask", given_).as_python()
    assert list(arguments(program)) == ["sigma", "hard", "axes", "mode", "cval"]
    # Equal to the default, if not of its type.
    same = {"sigma": np.int64(1), "amount": np.float32(1), "cval": 0, "limits": None}
    program = recipe_of(image, "unsharp_mask", same).as_python()
    assert arguments(program) == {}


def test_a_gain_that_was_found():
    """The gain of a live result is taken as it is, and said where it comes from."""
    image = cases.picture((4, 30, 31), "uint16")
    parameters = {"axes": (1, 2)}
    gain = usm.sharpen(image[2], "adaptive_unsharp_mask").gain
    recipe = recipe_of(image, "adaptive_unsharp_mask", parameters)
    program = recipe.as_python(gain, "plane 2\nalone")
    assert arguments(program) == {"gains": (gain,), "axes": (1, 2)}
    assert "# The gain of plane 2 alone; without" in program
    expected = usm.sharpen(image, "adaptive_unsharp_mask", gains=[gain], **parameters)
    assert_same(run(program, image), expected)
    assert recipe.as_python(np.array([gain]), "plane 2 alone") == program
    # Without it the whole image is asked; both are the same recipe.
    whole = usm.sharpen(image, "adaptive_unsharp_mask", **parameters)
    assert_same(run(recipe.as_python(), image), whole)
    assert_same(run(recipe.as_python(whole.gain), image), whole)


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((4, 20, 21), {"axes": (1, 2), "gain_per": "item"}),
        ((20, 21, 3), {"channel_axis": 2, "color": "channels"}),
        ((20, 21), {"gains": (0.5,)}),
    ],
)
def test_several_gains_are_found_anew(shape, parameters):
    """There the program ignores a gain that was found, be it a single one."""
    image = cases.picture(shape, "uint8")
    expected = usm.sharpen(image, "adaptive_unsharp_mask", **parameters)
    recipe = recipe_of(image, "adaptive_unsharp_mask", parameters)
    for gain in (expected.gain, 0.1):
        assert recipe.as_python(gain) == recipe.as_python()
    assert_same(run(recipe.as_python(), image), expected)


@pytest.mark.parametrize("method", ["unsharp_mask", "gaussian_sharpen"])
def test_methods_without_a_gain_ignore_one(method):
    """Their programs are the same with any."""
    recipe = recipe_of(np.eye(9), method, {})
    assert recipe.as_python(0.4) == recipe.as_python()


@pytest.mark.parametrize(
    ("gain", "error", "message"),
    [
        ([0.1, 0.2], ValueError, r"`gain` must be one number; got \[0.1, 0.2\]"),
        (0, ValueError, "`gains` must be above 0"),
        ("0.4", TypeError, "`gains` must be a real number; got '0.4'"),
    ],
)
def test_bad_gains(gain, error, message):
    """A gain that cannot have been found is refused."""
    recipe = recipe_of(np.eye(9), "adaptive_unsharp_mask", {})
    with pytest.raises(error, match=message):
        recipe.as_python(gain)


@pytest.mark.parametrize(
    ("method", "parameters", "error", "message"),
    [
        ("median", {}, ValueError, r"`method` must be one of .*; got 'median'"),
        (None, {}, ValueError, r"`method` must be one of .*; got None"),
        ("unsharp_mask", {"radius": 3}, TypeError, "`radius` must be a parameter of"),
        ("unsharp_mask", {"sigma": -1}, ValueError, "`sigma` must be at least 0"),
        ("unsharp_mask", {"sigma": object}, TypeError, "`sigma` must be a real number"),
        ("unsharp_mask", {"sigma": "2"}, TypeError, "`sigma` .* got '2'"),
        ("unsharp_mask", {"axes": (0, 3)}, ValueError, r"`axes` must lie in -2\.\.1"),
        ("unsharp_mask", {"dtype": "colour"}, TypeError, "`dtype` must be .*'colour'"),
        ("unsharp_mask", {"limits": (0, np.nan)}, ValueError, "`limits` .* got"),
    ],
)
def test_bad_recipes(method, parameters, error, message):
    """A recipe that cannot have made anything says why."""
    with pytest.raises(error, match=message):
        recipe_of(np.eye(9), method, parameters)


def test_a_recipe_is_a_value():
    """It keeps its own, plain copy; napari copies what lies in a layer's metadata."""
    given_ = {"sigma": np.array([1.0, 2.0]), "dtype": np.float32, "hard": np.False_}
    recipe = recipe_of(np.eye(9), "unsharp_mask", given_)
    given_["sigma"][:] = 7
    given_["amount"] = 7
    assert recipe.parameters == {"sigma": (1.0, 2.0), "dtype": "float32", "hard": False}
    kinds = {type(value) for value in recipe.parameters.values()}
    assert kinds == {tuple, str, bool}
    assert copy.deepcopy(recipe) == recipe


def test_says_the_versions_and_needs_no_napari():
    """The first line tells what it was made with; the imports are those it needs."""
    program = recipe_of(np.eye(9), "unsharp_mask", {}, "cells.png").as_python()
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    first = f"# napari-usm {usm.__version__}, numpy {np.__version__}, Python {python}"
    assert program.splitlines()[0] == first
    imports = [line for line in program.splitlines() if line.startswith("import ")]
    assert imports == ["import napari_usm as usm", "import skimage.io"]


def test_formatted_as_ruff_would(tmp_path):
    """Ruff finds nothing to change, however long the lines or odd the values."""
    programs = [
        recipe_of(np.empty(shape, dtype), method, parameters, path).as_python()
        for method, shape, dtype, parameters in CALLS
        for path in (None, "cells.zarr")
    ]
    image = np.eye(9)
    programs += [
        recipe_of(image, "unsharp_mask", {}, path).as_python()
        for path in (
            "x" * n + name for n in range(40, 90) for name in (".tif", ".zarr")
        )
    ]
    shape = (9, 9)
    programs += [
        Script(
            "unsharp_mask", {}, Source("cells", shape, "float64", path, reading)
        ).as_python()
        for path in ("cells.tif", "cells.zarr", "cells.npy", "cells.czi")
        for reading in (
            replace(reading_of(path), view=view, checksum=checksum, options=options)
            for view in ("", "[..., 1]", "[2].transpose(1, 0).reshape(1, 9, 9)")
            for checksum in (None, "8f0f519744dad346")
            for options in ((), ("series=1", "level=2"))
        )
    ]
    programs += [
        recipe_of(image, "unsharp_mask", {}, f"{odd}.npy").as_python()
        for odd in (
            "'",
            '"',
            "'\"",
            "''\"",
            '\'""',
            "\\'",
            "\x00\x7f\xa0é\u2028",
            "\\N",
        )
    ]
    programs += [
        recipe_of(
            image, "unsharp_mask", {"amount": 1 / 3, "cval": -(10.0**n)}
        ).as_python()
        for n in range(-30, 30)
    ]
    gains = [[*range(1, n), n + 1 / 3] for n in range(1, 40)]
    gains += [[*range(1, 20), 10**n] for n in range(2, 25)]
    programs += [
        recipe_of(image, "adaptive_unsharp_mask", {"gains": tried}).as_python()
        for tried in gains
    ]
    for number, text in enumerate(programs):
        (tmp_path / f"program_{number}.py").write_bytes(text.encode())
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--diff",
        "--isolated",
        "--no-cache",
    ]
    done = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


ANY = [
    Recipe("unsharp_mask", {"sigma": (1, 2.5), "threshold": "2 noise"}, "YX"),
    Recipe("unsharp_mask", {"sigma": (2.5, 1), "dtype": np.dtype("f4")}, "XY"),
    Recipe("laplacian_sharpen", {"median_size": 3}, "planes"),
    Recipe("laplacian_sharpen", {"spacing": (4, 1, 1)}, "volumes"),
    Recipe("adaptive_unsharp_mask", {}, ("depth", "row", "col")),
    Recipe("adaptive_unsharp_mask", {}, "planes", estimate={"gain": 0.7}),
    Recipe("auto_unsharp_mask", {"strength": 0.5}, "planes"),
    Recipe("gaussian_sharpen", {"radius": 2}, "planes", significance=True),
]


@pytest.mark.parametrize("recipe", ANY, ids=lambda recipe: recipe.method)
def test_program_for_any_image(recipe):
    """A recipe alone gives a program that takes images that end with its axes."""
    image = cases.picture((20, 21, 22), "uint16")
    labels = "ZXY" if recipe.dimensions == "XY" else "ZYX"
    info = ImageInfo(image.shape, image.dtype, geometry(labels))
    text = program(recipe)
    assert "# The pixels of an image whose last axes are " in text
    variables = run(text, image)
    parameters = resolve(recipe, info).parameters
    if recipe.estimate:
        parameters["gains"] = [recipe.estimate["gain"]]
    assert_same(variables, usm.sharpen(image, recipe.method, **parameters))
    if recipe.significance:
        expected = usm.significance(image, recipe.method, **parameters)
        np.testing.assert_array_equal(variables["significance"], expected)


def geometry(labels):
    """Voxels of 1 µm."""
    unit = pint.get_application_registry().Unit("µm")
    count = len(labels)
    return Geometry("cells", labels, partial(np.eye, count), [unit] * count)


def test_program_for_a_file(tmp_path):
    """With its image, lengths are pixels, and the file is read and compared."""
    image = cases.picture((5, 21, 22), "uint16")
    path = tmp_path / "cells µm.tif"
    tifffile.imwrite(path, image)
    info = ImageInfo(image.shape, image.dtype, geometry("ZYX"))
    recipe = Recipe("unsharp_mask", {"sigma": "1500 nm"}, "planes")
    reading = find_reading(str(path), image)
    source = Source(path.name, image.shape, image.dtype, str(path), reading, "image")
    text = program(recipe, info, source)
    assert "# The image 'cells µm.tif' was read from this file." in text
    assert_same(run(text), usm.sharpen(image, sigma=1.5, axes=(1, 2)))
    tifffile.imwrite(path, image + 1)
    with pytest.raises(ValueError, match="must hold the pixels of the image"):
        run(text)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            Recipe("unsharp_mask", {"sigma": "1 µm"}, "planes"),
            "`sigma` must be in 'px' for 'a program for any image'",
        ),
        (Recipe("unsharp_mask"), "`dimensions` must name the filtered axes"),
        (Recipe("unsharp_mask", {}, "TYX"), "`dimensions` must be"),
        (
            Recipe("auto_unsharp_mask", {}, "planes", estimate={"estimate": (1, 2)}),
            "`estimate` must hold a gain, .*; got estimate",
        ),
        (
            Recipe("adaptive_unsharp_mask", {}, "planes", estimate={"amount": 2}),
            "`estimate` must hold a gain, .*; got amount",
        ),
    ],
)
def test_recipes_without_a_program(recipe, message):
    """What a program could not do the same way is an error."""
    with pytest.raises(ValueError, match=message):
        program(recipe)


def test_sentence():
    """Method, version, formula, parameters with units, axes, references with DOIs."""
    recipe = Recipe("unsharp_mask", {"sigma": "0.35 µm", "amount": 1.5}, "planes")
    ours = f"napari-usm {usm.__version__}"
    assert sentence(recipe) == (
        f"Images were sharpened by unsharp masking [1] ({ours} [2]; sharpened = image "
        "+ amount · edge map, edge map = image − Gaussian-blurred image, sigma = 0.35 "
        "µm, amount = 1.5), filtered in Y and X of each plane.\n\n"
        "[1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "
        '"Image enhancement using an adaptive un-sharp masking method considering the '
        'gradient variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, equations 1 to '
        "3. https://doi.org/10.5829/ije.2017.30.08b.02\n"
        f"[2] The napari-usm developers, {ours}, "
        "https://github.com/napari-usm/napari-usm.\n"
    )


@pytest.mark.parametrize(
    ("method", "parameters", "words"),
    [
        ("unsharp_mask", {"kernel": "box"}, "image − mean of three pixels along"),
        ("unsharp_mask", {"sigma": (1, 2.5)}, "sigma = (1, 2.5) px"),
        ("unsharp_mask", {"sigma": np.float32(0.1)}, "sigma = 0.10000000149 px"),
        ("unsharp_mask", {"threshold": 12}, "edge map = detail reduced by the thresho"),
        (
            "unsharp_mask",
            {"threshold": "3 noise", "hard": True},
            "edge map = detail where it reaches the threshold, else 0, detail = image "
            "− Gaussian-blurred image, sigma = 1 px, amount = 1, threshold = 3 × noise "
            "of the detail)",
        ),
        ("unsharp_mask", {"limits": (0, 4095)}, "limits = 0 to 4095 (12 bit))"),
        ("unsharp_mask", {"limits": (1, 9.5)}, "limits = (1, 9.5))"),
        ("unsharp_mask", {"limits": "data"}, "limits = range of the image)"),
        ("unsharp_mask", {"dtype": "float32"}, "result type = float32)"),
        ("unsharp_mask", {"dtype": np.float64}, "result type = float64)"),
        ("unsharp_mask", {"color": "luminance"}, "colour = luminance)"),
        ("unsharp_mask", {"cval": 3}, "amount = 1)"),
        (
            "unsharp_mask",
            {"cval": 3, "mode": "constant"},
            "border = constant, border value = 3)",
        ),
        ("laplacian_sharpen", {"median_size": 5}, "−Laplacian of the median-filtered"),
        ("laplacian_sharpen", {"median_size": 5}, "median size = 5 px"),
        ("adaptive_unsharp_mask", {}, "the one of 30 gains from 0.1 to 3 at which"),
        ("adaptive_unsharp_mask", {"gains": (0.4,)}, "amount = 1 / 0.4)"),
        ("adaptive_unsharp_mask", {"gains": (0.4, 1)}, "gains = (0.4, 1))"),
        ("auto_unsharp_mask", {}, "amount = strength, strength = 1, denoise = 1)"),
        ("auto_unsharp_mask", {}, "https://doi.org/10.1109/TAU.1967.1161901"),
        ("gaussian_sharpen", {}, "amount = N / (N + g)"),
    ],
)
def test_words(method, parameters, words):
    """What was chosen is said, and what changes nothing is not."""
    assert words in sentence(Recipe(method, parameters, "planes"))


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe("unsharp_mask", {}, "ZYX"), "filtered in Z, Y and X of each volume."),
        (Recipe("unsharp_mask", {}, "volumes"), "in Z, Y and X of each volume."),
        (Recipe("unsharp_mask", {}, ("row", "col")), "in Y and X of each plane."),
        (Recipe("unsharp_mask", {}, "x"), "in X of each line."),
        (Recipe("unsharp_mask", {"axes": (0, 2)}), "along the axes 0, 2, counted from"),
        (Recipe("unsharp_mask"), "filtered along all axes in space."),
        (
            Recipe("adaptive_unsharp_mask", {}, "YX", estimate={"gain": 0.4}),
            "with constants that were estimated once for all images: gain = 0.4)",
        ),
    ],
)
def test_axes_and_estimates_in_words(recipe, words):
    """So are the axes, and constants that images share."""
    assert words in sentence(recipe)


def test_every_method_has_words():
    """Technique, edge map and a reference, by words that belong to it."""
    for method, entry in usm.METHODS.items():
        text = sentence(Recipe(method, {}, "planes"))
        assert f"sharpened by {entry.technique} [1" in text
        assert f"the detail of {method}" not in text
    with pytest.raises(ValueError, match="`method` must be one of"):
        sentence(Recipe("sharp"))
    with pytest.raises(TypeError, match="`sigmas` must be a parameter"):
        sentence(Recipe("unsharp_mask", {"sigmas": 1}))
