"""What tests of the napari side share."""

import gc
import os
from functools import cache

import pytest

from napari_usm import warm_up

# Napari's settings stay in memory: no test changes those of the user, or writes a file.
os.environ["NAPARI_CONFIG"] = ""


@pytest.fixture(scope="session", autouse=True)
def manifests_are_read_once():
    """Keep the manifests of all plugins: each viewer would read them again."""
    try:
        from npe2 import PluginManifest
    except ImportError:  # the core is tested without napari
        yield
        return
    discovered = cache(lambda paths: tuple(discover(paths)))
    discover = PluginManifest.discover
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            PluginManifest, "discover", lambda paths=(): discovered(tuple(paths))
        )
        yield


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch):
    """Docks that tests open start no process: their kernels count as ready."""
    monkeypatch.setattr(warm_up, "session", warm_up.WarmUp(()))


@pytest.fixture(autouse=True)
def quick_collections():
    """Keep what was there before a test out of the garbage collector.

    Napari collects garbage whenever a layer goes, and all modules take it 0.3 s.
    """
    gc.freeze()


@pytest.fixture
def open_dock(make_napari_viewer):
    """Open a dock through the manifest, as napari's menu does."""

    def opened(title, viewer=None):
        viewer = viewer or make_napari_viewer()
        _, widget = viewer.window.add_plugin_dock_widget("napari-usm", title)
        return viewer, widget

    return opened


@pytest.fixture
def notifications():
    """What napari was told to show, as texts."""
    from napari.utils.notifications import notification_manager

    before = len(notification_manager.records)
    return lambda: [n.message for n in notification_manager.records[before:]]
