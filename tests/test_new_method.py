"""A method that is added at run time works at every door, by its row alone."""

from dataclasses import dataclass

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

import cases
import napari_usm as usm
from harness import go_live, press, results, says
from napari_usm import _methods, cli
from napari_usm._filters.mask import Mask
from napari_usm._filters.taps import BOX
from napari_usm._methods.base import Constants
from napari_usm._methods.entry import Entry
from napari_usm._methods.masks import MaskMethod
from napari_usm._methods.parameter import parameter
from napari_usm._widgets.layers.functions import layer_function


@dataclass(frozen=True)
class BoxSharpen(MaskMethod):
    """The image less the mean of three pixels along each axis."""

    amount: float = parameter(
        1.0,
        "Amount",
        tip="Set how much detail is added.",
        minimum=0.0,
        maximum=5.0,
        step=0.1,
        control="basic",
        finishing=True,
    )

    def make_mask(self, axes):
        """Return the blur."""
        return Mask(dict.fromkeys(axes, BOX))

    def constants(self, sums, axes, *earlier):
        """Return the amount."""
        return Constants(float(self.amount))

    def least_amount(self, axes):
        """Return the amount that removes the finest detail."""
        return -0.75


@pytest.fixture
def box_sharpen(monkeypatch):
    """The name of the method, in the table."""
    monkeypatch.setitem(_methods.TABLE, "box_sharpen", Entry(BoxSharpen, "Box sharpen"))
    return "box_sharpen"


IMAGE = cases.picture((40, 50), "uint16")
EXPECTED = usm.unsharp_mask(IMAGE, kernel="box", amount=2.0)


def test_in_python(box_sharpen):
    """By its name and by an instance, in memory and by dask, with its own errors."""
    found = usm.sharpen(IMAGE, box_sharpen, amount=2.0)
    np.testing.assert_array_equal(found.image, EXPECTED)
    assert found.report.method == box_sharpen
    lazy = da.from_array(IMAGE, chunks=(13, 50))
    found = usm.sharpen(lazy, BoxSharpen(amount=2.0))
    np.testing.assert_array_equal(found.image.compute(), EXPECTED)
    with pytest.raises(TypeError, match="`sigma` must be a parameter of box_sharpen"):
        usm.sharpen(IMAGE, box_sharpen, sigma=2)


def test_on_the_command_line(box_sharpen, tmp_path):
    """It has an option for each parameter, and errors that list them."""
    np.save(tmp_path / "a.npy", IMAGE)
    words = ["sharpen", str(tmp_path / "a.npy"), "-o", str(tmp_path / "b.npy")]
    assert cli.main([*words, "--method", box_sharpen, "--amount", "2"]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), EXPECTED)
    assert cli.main([*words, "--method", box_sharpen, "--sigma", "2"]) == 2


def test_on_layers(box_sharpen):
    """Its layer function has its controls."""
    function = layer_function(box_sharpen)
    assert "amount" in function.__signature__.parameters
    (image, _, _), _ = function(Image(IMAGE), amount=2.0)
    np.testing.assert_array_equal(image, EXPECTED)


def test_in_the_dock(box_sharpen, open_dock, qtbot):
    """It stands in the menu of methods; Live, Keep and the copied program know it."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(IMAGE)
    widget.method.value = box_sharpen
    widget.amount.value = 2.0
    go_live(qtbot, widget, EXPECTED)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: says(widget, "Kept"), timeout=60000)
    kept = [np.asarray(layer.data) for layer in results(viewer)]
    np.testing.assert_array_equal(kept[0], EXPECTED)
