"""The public names, their signatures and what importing them costs."""

import dataclasses
import inspect
import re
import subprocess
import sys

import numpy as np
import pytest

import cases
import napari_usm as usm
from method_cases import METHOD_CASES
from napari_usm._methods.base import Method

# Parameters of every method.
COMMON = {field.name for field in dataclasses.fields(Method)}


@pytest.mark.parametrize("name", ["napari_usm", "napari_usm.lab", "napari_usm.warm_up"])
def test_import_is_light(name):
    """None of these loads Qt, napari, dask, numba or a library of filters or plots."""
    code = (
        f"import sys, {name}; dir({name}); "
        "heavy = {'napari', 'magicgui', 'qtpy', 'PyQt6', 'dask', 'numba', 'scipy', "
        "'skimage', 'pywt', 'matplotlib'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


def test_sharpening_needs_no_viewer():
    """Filtering numpy arrays loads no Qt, napari, magicgui or dask."""
    code = (
        "import sys, numpy, napari_usm; "
        "[napari_usm.sharpen(numpy.eye(9), name) for name in napari_usm.METHODS]; "
        "heavy = {'napari', 'magicgui', 'qtpy', 'PyQt6', 'dask'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


def test_a_mask_needs_no_ndimage():
    """The first call of a mask does not wait for a module of scipy that it never uses."""
    code = (
        "import sys, numpy, napari_usm; napari_usm.sharpen(numpy.eye(9)); "
        "sys.exit('scipy.ndimage' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", usm.__all__)
def test_public_names_exist(name):
    """Every name in `__all__` is there and explains itself."""
    if name == "layer_function":
        pytest.importorskip("napari")
    value = getattr(usm, name)
    assert name == "METHODS" or value.__doc__


def test_unknown_names_are_attribute_errors():
    """A name that is not there is an AttributeError, as everywhere."""
    with pytest.raises(AttributeError, match="no attribute 'sharpened'"):
        _ = usm.sharpened
    with pytest.raises(AttributeError, match="no attribute 'unsharp_mask'"):
        _ = usm.lab.unsharp_mask


@pytest.mark.parametrize("name", cases.METHODS)
def test_every_method_is_a_function(name):
    """The class and the function of a method agree, and every parameter is described."""
    entry, function = cases.ENTRIES[name], cases.function(name)
    assert entry.method.__name__ == name.title().replace("_", "")
    assert entry.method().name == function.__name__ == name
    signature = inspect.signature(function).parameters
    words = [*entry.parameters]
    assert list(signature) == ["image", *words, "weight", "out"]
    described = re.findall(r"^([\w, ]+) : ", inspect.getdoc(function), re.MULTILINE)
    assert set(signature) <= {word for line in described for word in line.split(", ")}
    fields = {field.name: field for field in dataclasses.fields(entry.method)}
    for word in words:
        assert signature[word].default == fields[word].default
        assert (signature[word].kind is inspect.Parameter.KEYWORD_ONLY) == (
            fields[word].kw_only
        )


def test_methods_of_the_lab():
    """The lab offers its methods and nothing else; `napari_usm` has none of them."""
    names = set(usm.lab.METHODS)
    classes = {
        entry.method.__name__: entry.method for entry in usm.lab.METHODS.values()
    }
    assert {"METHODS", *names, *classes} == set(usm.lab.__all__)
    for name, method in classes.items():
        assert getattr(usm.lab, name) is method
    assert not names & {*usm.__all__, *usm.METHODS}
    with pytest.raises(ValueError, match="`method` must be one of") as error:
        usm.sharpen(np.eye(8), "polesel_unsharp_mask")
    assert "'lin_unsharp_mask'" not in str(error.value)


@pytest.mark.parametrize("name", cases.METHODS)
def test_an_instance_of_a_method(name):
    """`sharpen` and its like take an instance instead of a name and parameters."""
    image = cases.picture((20, 24), "uint8")
    method = cases.ENTRIES[name].method(mode="nearest")
    found = usm.sharpen(image, method)
    np.testing.assert_array_equal(
        found.image, cases.function(name)(image, mode="nearest")
    )
    np.testing.assert_array_equal(found.edge_map, usm.edge_map(image, method))
    assert found.report.method == name


def test_what_is_no_method():
    """An instance has its parameters; anything but that and a name is refused."""
    method = cases.ENTRIES["unsharp_mask"].method()
    with pytest.raises(TypeError, match="`sigma` must be given to the method"):
        usm.sharpen(np.eye(8), method, sigma=2)
    for wrong in (type(method), usm.unsharp_mask, None, 3):
        with pytest.raises(TypeError, match="`method` must be one of"):
            usm.edge_map(np.eye(8), wrong)


@pytest.mark.parametrize("name", cases.METHODS)
def test_defaults(name):
    """Defaults are those of the interface, written down once more in the reference."""
    defaults = {k: p.default for k, p in cases.ENTRIES[name].parameters.items()}
    assert defaults == METHOD_CASES[name].reference.defaults


def test_positional_parameters():
    """sigma and amount come by position as the interface says; the rest by name."""
    image = np.eye(8)
    np.testing.assert_array_equal(
        usm.unsharp_mask(image, 2.0, 0.5),
        usm.unsharp_mask(image=image, sigma=2.0, amount=0.5),
    )
    np.testing.assert_array_equal(
        usm.laplacian_sharpen(image, 0.5), usm.laplacian_sharpen(image, amount=0.5)
    )
    np.testing.assert_array_equal(
        usm.gaussian_sharpen(image, 0.7), usm.gaussian_sharpen(image, sigma=0.7)
    )
    with pytest.raises(TypeError):
        usm.unsharp_mask(image, 2.0, 0.5, "box")


@pytest.mark.parametrize("name", cases.METHODS)
def test_an_unknown_keyword_names_the_function(name):
    """A keyword that a function does not have is an error of that function."""
    with pytest.raises(TypeError, match=rf"^{name}\(\) .* argument 'colour'"):
        cases.function(name)(np.eye(8), colour="value")


def test_arrays_on_disk_are_read_in_blocks():
    """An array-like that can be indexed is never asked for as a whole."""

    class OnDisk:
        def __init__(self, pixels):
            self.pixels, self.asked = pixels, []
            self.shape, self.dtype = pixels.shape, pixels.dtype

        def __getitem__(self, window):
            self.asked.append(self.pixels[window].size)
            return self.pixels[window]

    pixels = np.random.default_rng(0).integers(0, 255, (40, 300, 300), dtype=np.uint8)
    for method in ("unsharp_mask", "adaptive_unsharp_mask"):
        image = OnDisk(pixels)
        found = usm.sharpen(image, method, axes=(1, 2), limits="data")
        expected = usm.sharpen(pixels, method, axes=(1, 2), limits="data")
        np.testing.assert_array_equal(found.image, expected.image)
        assert max(image.asked) < pixels.size


def test_array_likes():
    """Lists, and anything that numpy reads, are images too."""
    rows = [[1, 2, 3], [4, 9, 6]]
    np.testing.assert_array_equal(
        usm.unsharp_mask(rows), usm.unsharp_mask(np.array(rows))
    )
