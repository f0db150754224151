"""The controls of the dock: which image, which method, and its parameters."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container
from napari.layers import Image

from napari_usm import axes
from napari_usm._methods import METHODS
from napari_usm._widgets.dock.layout import DockLayout
from napari_usm._widgets.dock.memory import Tuned, memory_of
from napari_usm._widgets.dock.method_page import (
    THRESHOLD_UNIT,
    MethodPage,
    intensity_span,
)
from napari_usm._widgets.layers.data import is_result
from napari_usm._widgets.layers.info import axes_of, geometry_of
from napari_usm._widgets.layers.results import is_settled_result, source_of, unwrapped
from napari_usm._widgets.live.pixel_watch import PixelWatch
from napari_usm.recipe import INTENSITY

if TYPE_CHECKING:
    import napari.viewer


class SharpenControls(Container):
    """Controls for image, method and parameters, and a sentence on their effect.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer whose layers are offered.
    """

    #: The method that is chosen at first.
    opens_with: str

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._viewer = napari_viewer
        self._pages: dict[str, MethodPage] = {}
        self._page: MethodPage | None = None
        self._pixels = PixelWatch(self._on_change)
        self._memory = memory_of(napari_viewer.layers)
        # Whose values the controls have, and which they were when it was chosen.
        self._tuned_for: weakref.ref[Image] | None = None
        self._at_first: Tuned | None = None
        self._layer = self._layer_choice()
        controls = [self._layer, self._method_choice(), *self._axis_controls()]
        super().__init__(widgets=controls, labels=False, name=self.opens_with)
        self._dock = DockLayout(
            self.native,
            [(control,) for control in controls[:2]],
            [(control,) for control in controls[2:]],
        )
        self.changed.connect(self._on_change)
        self._begin_as_left()

    def __getattr__(self, name: str) -> Any:
        page = self.__dict__.get("_page")
        if page is not None and name in page.controls:
            return page.controls[name]
        return super().__getattr__(name)

    def __getitem__(self, key: Any) -> Any:
        """Return a control by its place or name; those of the method by their names."""
        if isinstance(key, str) and key in self._page.controls:
            return self._page.controls[key]
        return super().__getitem__(key)

    @property
    def controls(self) -> list[Any]:
        """Return all controls, those of the chosen method among them."""
        return [*self, *self._page.controls.values()]

    def reset_choices(self, *_: Any) -> None:
        """Follow the viewer's layers; an image that is chosen stays chosen."""
        super().reset_choices()
        self._on_change()

    def _layer_choice(self) -> ComboBox:
        return ComboBox(
            name="layer",
            label="Image",
            choices=self._images,
            tooltip="Choose the image to sharpen. Each image keeps its values.",
        )

    def _method_choice(self) -> ComboBox:
        in_menus = [
            (entry.label, name)
            for name, entry in METHODS.items()
            if entry.audience == "menu"
        ]
        return ComboBox(
            name="method",
            label="Method",
            choices=in_menus,
            value=self.opens_with,
            tooltip="Choose how to sharpen. Each method keeps its values.",
        )

    def _axis_controls(self) -> list[ComboBox]:
        dimensions = ComboBox(
            name="dimensions",
            label="Filter",
            choices=[("planes (2-D)", axes.PLANES), ("volumes (3-D)", axes.VOLUMES)],
            tooltip="Sharpen every plane by itself, or whole volumes.",
        )
        z_axis = ComboBox(
            name="z_axis",
            label="Z is",
            choices=self._depths,
            nullable=True,
            tooltip="Choose the Z axis. An axis that is labelled z needs no choice.",
        )
        return [dimensions, z_axis]

    def _images(self, _: Any) -> list[tuple[str, Image | None]]:
        """Return what can be chosen, with the names to show: images, then results.

        A result is never the first choice, which is taken where there is no other.
        """
        layers = self._viewer.layers
        images = [layer for layer in layers if isinstance(layer, Image)]
        plain = [(layer.name, layer) for layer in images if not is_result(layer)]
        settled = [
            (f"{layer.name} (result)", layer)
            for layer in images
            if is_settled_result(layers, layer)
        ]
        first = [("–", None)] if settled and not plain else []
        return [*first, *plain, *settled]

    def _depths(self, _: Any) -> list[tuple[str, int]]:
        layer = self._chosen()
        if layer is None:
            return []
        layer_axes = axes_of(layer)
        return [(layer_axes.names[axis], axis) for axis in layer_axes.depth]

    def _chosen(self) -> Image | None:
        layer = self._layer.value
        return layer if isinstance(layer, Image) else None

    def _begin_as_left(self) -> None:
        """Choose as in the last dock of this kind, or else the image that is active."""
        layers = self._viewer.layers
        left, layer = self._memory.left.get(self.opens_with), None
        if left is not None and left.active() is unwrapped(layers.selection.active):
            layer = left.layer()
        if layer is not None and layer in self.layer.choices:
            self.method.value = left.method
        else:
            layer = self._active_image()
        if layer is not None:
            self.layer.value = layer

    def _active_image(self) -> Image | None:
        """Return the image that is active or selected, or the topmost that is shown."""
        layers = self._viewer.layers
        active = unwrapped(layers.selection.active)
        if isinstance(active, Image) and is_result(active):
            active = source_of(layers, active)
        plain = [
            each
            for each in self.layer.choices
            if each is not None and not is_result(each)
        ]
        if active in plain:
            return active
        selected = [layer for layer in plain if layer in layers.selection]
        shown = [layer for layer in plain if layer.visible]
        return next(reversed(selected or shown or plain), None)

    def _control_values(self) -> dict[str, Any]:
        """Return the values of the controls, as the layer function takes them."""
        return {**self._page.values(), **self._dimensions()}

    def _dimensions(self) -> dict[str, Any]:
        """Return the dimensions to filter; volumes only where there is Z."""
        layer = self._chosen()
        if layer is None or not axes_of(layer).depth:
            return {"dimensions": axes.PLANES, "z_axis": None}
        return {"dimensions": self.dimensions.value, "z_axis": self.z_axis.value}

    def _on_change(self, *_: Any) -> None:
        """Show what matters now, and say what will be filtered."""
        layer = self._chosen()
        is_other = layer is not None and layer is not self._tuned_layer
        if is_other:
            self._change_image(layer)
        layer_axes = None if layer is None else axes_of(layer)
        has_depth = layer_axes is not None and bool(layer_axes.depth)
        volumes = has_depth and self.dimensions.value == axes.VOLUMES
        with self.changed.blocked():
            self._turn_to(self.method.value)
            if volumes:
                self.z_axis.reset_choices()
            self._pixels.follow(layer)
            self._page.fit(layer, self._dimensions())
        self._dock.show_row(self.dimensions, has_depth)
        self._dock.show_row(self.z_axis, volumes and not layer_axes.has_z)
        for name, visible in self._page.shown(layer).items():
            self._dock.show_row(self._page.controls[name], visible)
        if is_other:
            self._at_first = self._tuned()
        self._follow_controls()
        # After the pixels, which do not wait for it.
        self._dock.say(self._sentence(layer))

    def _follow_controls(self) -> None:
        """Do what follows from new values."""

    # --- values of each image ---

    @property
    def _tuned_layer(self) -> Image | None:
        return None if self._tuned_for is None else self._tuned_for()

    def _tuned(self) -> Tuned:
        pages = {name: page.values() for name, page in self._pages.items()}
        dimensions = {
            "dimensions": self.dimensions.value,
            "z_axis": self.z_axis.value,
        }
        return Tuned(self.method.value, pages, dimensions)

    def _remember(self) -> None:
        """Remember the values of the image, if the user has tuned any."""
        layer = self._tuned_layer
        if layer is not None and (tuned := self._tuned()) != self._at_first:
            self._memory.tuned[layer] = tuned

    def _change_image(self, layer: Image) -> None:
        """Bring back the values of another image.

        An image that has none takes the present values, without the threshold: an
        intensity of one image means nothing in another.
        """
        opened_with = self.method.value if self._page is None else ""
        if self._page is not None:
            self._remember()
        self._tuned_for, self._at_first = weakref.ref(layer), None
        tuned = self._memory.tuned.get(layer)
        with self.changed.blocked():
            if tuned is None:
                for page in self._pages.values():
                    page.forget_intensities()
                return
            self._set_dimensions(tuned.dimensions)
            for method, values in tuned.pages.items():
                self._set_page(layer, method, values)
            self.method.value = opened_with or tuned.method

    def _fitting(self, values: dict[str, Any]) -> dict[str, Any]:
        """Leave out an intensity that the chosen image does not have."""
        layer = self._chosen()
        unit = values.get(THRESHOLD_UNIT, INTENSITY)
        if layer is None or unit != INTENSITY:
            return values
        if values.get("threshold", 0) <= intensity_span(layer):
            return values
        return {name: value for name, value in values.items() if name != "threshold"}

    def _set_dimensions(self, values: dict[str, Any]) -> None:
        self.dimensions.value = values.get("dimensions", axes.PLANES)
        self.z_axis.reset_choices()
        if (z_axis := values.get("z_axis")) in self.z_axis.choices:
            self.z_axis.value = z_axis

    def _set_page(
        self, layer: Image | None, method: str, values: dict[str, Any]
    ) -> None:
        """Turn to a method and give its controls these values, where they fit."""
        self.method.value = method
        self._turn_to(method)
        self._page.fit(layer, self._dimensions())
        self._page.set(values)

    def _turn_to(self, method: str) -> None:
        """Show the controls of a method; create them when it is first chosen."""
        if self._page is not None and self._page.method == method:
            return
        if method not in self._pages:
            page = MethodPage(
                method, lambda: self.changed.emit(self), self._refuse_typed
            )
            self._pages[method] = page
            self._dock.add_page(
                method, page.rows(advanced=False), page.rows(advanced=True)
            )
        self._page = self._pages[method]
        self._dock.turn_to(method)
        self._dock.title.set(f"{METHODS[method].label} (napari-usm)")

    def _refuse_typed(self, reason: str) -> None:
        """Say why a number that was typed is not taken."""
        self._dock.announce(f"Not taken: {reason.replace('`', '')}")

    def _missing(self, layer: Image | None) -> str:
        """Return the step that the user has to do first, or an empty text."""
        if layer is None:
            return "Add an image to sharpen it."
        layer_axes = axes_of(layer)
        try:
            layer_axes.filtered(**self._dimensions())
        except ValueError:
            if layer_axes.plane:
                return "Choose which axis is Z."
            return "No axis of this image is in space: change its axis labels."
        return ""

    def _sentence(self, layer: Image | None) -> str:
        if missing := self._missing(layer):
            return missing
        layer_axes = axes_of(layer)
        chosen = layer_axes.filtered(**self._dimensions())
        sentence = layer_axes.sentence(layer.data.shape[: layer.ndim], chosen)
        lines = (
            sentence,
            self._page.sigma_line(layer, chosen),
            geometry_of(layer).skew_line(chosen),
        )
        return "\n".join(filter(None, lines))

    def _bring_back(self, source: Image | None, values: dict[str, Any]) -> None:
        """Choose an image, with the method and the values of a result."""
        method = values["method"]
        if method not in self.method.choices:
            return  # the result is of a method for Python only
        with self.changed.blocked():
            if source in self.layer.choices:
                self.layer.value = source
                if source is not None and source is not self._tuned_layer:
                    self._change_image(source)
            self._set_dimensions(values)
            self._set_page(source, method, values)
        self._on_change()
