"""What tests of the napari side share."""

import pytest


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
