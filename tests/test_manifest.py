"""The manifest at the root is the one that napari finds."""

from pathlib import Path

import pytest
from npe2 import PluginManifest

from napari_usm import METHODS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution("napari-usm")


def test_the_installed_manifest_is_the_one_at_the_root(manifest):
    """What napari reads from the package is `napari.yaml` at the root."""
    at_root = PluginManifest.from_file(ROOT / "napari.yaml")
    assert at_root.contributions == manifest.contributions


def test_everything_named_imports(manifest):
    """Every command points at something that is there."""
    manifest.validate_imports()


def test_every_method_for_the_menu_is_in_the_menus(manifest):
    """Methods for the menu, and only those, stand in Plugins and in Layers > Filter."""
    expected = {f"napari-usm.{n}" for n, e in METHODS.items() if e.audience == "menu"}
    widgets = {
        widget.command: widget.display_name for widget in manifest.contributions.widgets
    }
    assert set(widgets) == expected | {"napari-usm.sharpness_lab", "napari-usm.batch"}
    assert {
        item.command for item in manifest.contributions.menus["napari/layers/filter"]
    } == expected
    for command in expected:
        label = METHODS[command.removeprefix("napari-usm.")].label
        assert widgets[command] == label


@pytest.mark.parametrize("word", ["sharpen", "deblur", "unsharp mask", "laplacian"])
def test_the_command_palette_finds_the_docks(manifest, word):
    """It looks for words in the titles of commands."""
    titles = [command.title.lower() for command in manifest.contributions.commands]
    assert any(word in title for title in titles)


def test_the_lab_is_in_the_menus(manifest):
    """In Plugins, and in Layers > Measure."""
    (item,) = manifest.contributions.menus["napari/layers/measure"]
    titles = {w.command: w.display_name for w in manifest.contributions.widgets}
    assert titles[item.command] == "Sharpness lab"


def test_image_layers_are_saved_as_ome(manifest):
    """One or several, by the ending of the name."""
    writers = {
        writer.display_name: (writer.layer_types, writer.filename_extensions)
        for writer in manifest.contributions.writers
    }
    assert writers == {
        "OME-Zarr": (["image+"], [".ome.zarr", ".zarr"]),
        "OME-TIFF": (["image+"], [".ome.tif", ".ome.tiff"]),
    }
