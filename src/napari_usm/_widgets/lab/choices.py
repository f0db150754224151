"""Choices of image, result and reference."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from napari.layers import Image

from napari_usm._widgets.layers.data import is_result
from napari_usm._widgets.layers.info import finest
from napari_usm._widgets.layers.results import is_edge_map, results_of

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LayerChoices:
    """Three lists of layers.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Whose layers are offered.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._known: weakref.WeakSet[Image] = weakref.WeakSet()
        self.image = ComboBox(
            name="image",
            label="Image",
            choices=self._images,
            tooltip="Choose the image that was sharpened, or will be.",
        )
        self.result = _optional(
            "result",
            self._results,
            "Choose the sharpened image; results of the image come first.",
        )
        self.reference = _optional(
            "reference",
            self._references,
            "Choose a sharp image of the same object to compare with, if there is one.",
        )

    def choose_active(self) -> None:
        """Begin with the image that is selected, or with that of its result."""
        active = self._viewer.layers.selection.active
        if active in self.image.choices:
            self.image.value = active

    def follow_image(self) -> None:
        """Offer what goes with another image, and choose its own result."""
        result = self.result.value
        if result is not None and is_result(result) and result not in self._ours():
            self.result.value = None
        self.result.reset_choices()
        self.reference.reset_choices()
        self._known.clear()
        self.choose_new_result()

    def choose_new_result(self) -> None:
        """Choose a result of this image that has just come, if none is chosen."""
        ours = self._ours()
        new = [layer for layer in ours if layer not in self._known]
        self._known = weakref.WeakSet(ours)
        if new and self.result.value is None:
            self.result.value = new[0]

    def checked(self) -> None:
        """Raise a ValueError if result or reference are not of the image's form."""
        image = self.image.value
        for choice in (self.result, self.reference):
            layer = choice.value
            if layer is None:
                continue
            wanted, got = finest(image).shape, finest(layer).shape
            if wanted != got or layer.rgb != image.rgb:
                raise ValueError(
                    f"`{choice.name}` must have the image's shape {tuple(wanted)}; "
                    f"got {tuple(got)}"
                )

    def _all(self) -> list[Image]:
        return [layer for layer in self._viewer.layers if isinstance(layer, Image)]

    def _images(self, _: Any) -> list[Image]:
        return [layer for layer in self._all() if not is_result(layer)]

    def _ours(self) -> list[Image]:
        image = self.image.value
        return [] if image is None else results_of(self._viewer.layers, image).results

    def _results(self, _: Any) -> list[Image]:
        ours = self._ours()
        others = [
            layer
            for layer in self._all()
            if layer is not self.image.value
            and layer not in ours
            and not is_edge_map(self._viewer.layers, layer)
        ]
        return [*ours, *others]

    def _references(self, _: Any) -> list[Image]:
        return [layer for layer in self._images(None) if layer is not self.image.value]


class _InOrder(ComboBox):
    """Offers none, and layers in the order that they are given in.

    magicgui itself adds new ones at the end.
    """

    null_string = "none"

    def reset_choices(self, *_: Any) -> None:
        """Offer what there is now; what is chosen stays chosen."""
        chosen = self.value
        with self.changed.blocked():
            self.choices = ()
            super().reset_choices()
            if chosen in self.choices:
                self.value = chosen
        if self.value is not chosen:
            self.changed.emit(self.value)


def _optional(name: str, choices: Any, tooltip: str) -> ComboBox:
    return _InOrder(
        name=name,
        label=name.capitalize(),
        choices=choices,
        nullable=True,
        value=None,
        tooltip=tooltip,
    )
