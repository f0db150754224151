"""The controls of the dock: which image, which method, and its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container
from napari.layers import Image

from napari_usm import axes
from napari_usm.methods import METHODS
from napari_usm.widgets.dock_layout import DockLayout
from napari_usm.widgets.layer_data import is_result
from napari_usm.widgets.method_page import MethodPage, filtered_axes
from napari_usm.widgets.pixel_watch import PixelWatch

if TYPE_CHECKING:
    import napari.viewer


class SharpenControls(Container):
    """What can be asked for, and a sentence that says what that means.

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
        self._layer = self._layer_choice()
        controls = [self._layer, self._method_choice(), *self._axis_controls()]
        super().__init__(widgets=controls, labels=False, name=self.opens_with)
        self._dock = DockLayout(
            self.native,
            [(control,) for control in controls[:2]],
            [(control,) for control in controls[2:]],
        )
        self.changed.connect(self._on_change)
        self._choose_active_layer()

    def __getattr__(self, name: str) -> Any:
        page = self.__dict__.get("_page")
        if page is not None and name in page.controls:
            return page.controls[name]
        return super().__getattr__(name)

    def __getitem__(self, key: Any) -> Any:
        """A control by its place or name; those of the method by their names."""
        if isinstance(key, str) and key in self._page.controls:
            return self._page.controls[key]
        return super().__getitem__(key)

    @property
    def controls(self) -> list[Any]:
        """All controls, those of the chosen method among them."""
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
            tooltip="The image layer to sharpen. Results are not offered.",
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
            tooltip="How the image is sharpened. Each method keeps its own values.",
        )

    def _axis_controls(self) -> list[ComboBox]:
        dimensions = ComboBox(
            name="dimensions",
            label="Filter",
            choices=[("planes (2-D)", axes.PLANES), ("volumes (3-D)", axes.VOLUMES)],
            tooltip="Whether each plane is sharpened on its own, or whole volumes.",
        )
        z_axis = ComboBox(
            name="z_axis",
            label="Z is",
            choices=self._depths,
            nullable=True,
            tooltip="Which axis is Z, where the axis labels do not say.",
        )
        return [dimensions, z_axis]

    def _images(self, _: Any) -> list[Image]:
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and not is_result(layer)
        ]

    def _depths(self, _: Any) -> list[tuple[str, int]]:
        layer = self._chosen()
        if layer is None:
            return []
        names = axes.axis_names(layer.axis_labels)
        return [(names[axis], axis) for axis in axes.depth_axes(layer.axis_labels)]

    def _chosen(self) -> Image | None:
        layer = self._layer.value
        return layer if isinstance(layer, Image) else None

    def _choose_active_layer(self) -> None:
        active = self._viewer.layers.selection.active
        if active in self.layer.choices:
            self.layer.value = active

    def _asked(self) -> dict[str, Any]:
        """What the controls ask for, as the layer function takes it."""
        return {**self._page.values(), **self._dimensions()}

    def _dimensions(self) -> dict[str, Any]:
        """What is filtered, as the controls have it; volumes only where there is Z."""
        layer = self._chosen()
        if layer is None or not axes.depth_axes(layer.axis_labels):
            return {"dimensions": axes.PLANES, "z_axis": None}
        return {"dimensions": self.dimensions.value, "z_axis": self.z_axis.value}

    def _on_change(self, *_: Any) -> None:
        """Show what matters now, and say what will be filtered."""
        layer = self._chosen()
        depths = () if layer is None else axes.depth_axes(layer.axis_labels)
        volumes = bool(depths) and self.dimensions.value == axes.VOLUMES
        with self.changed.blocked():
            self._turn_to(self.method.value)
            if volumes:
                self.z_axis.reset_choices()
            self._pixels.follow(layer)
            self._page.fit(layer, self._dimensions())
        self._dock.show_row(self.dimensions, bool(depths))
        self._dock.show_row(self.z_axis, volumes and len(depths) > 1)
        for name, visible in self._page.shown(layer).items():
            self._dock.show_row(self._page.controls[name], visible)
        self._dock.say(self._sentence(layer))

    def _turn_to(self, method: str) -> None:
        """Show the controls of a method, made when they are needed first."""
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

    def _refuse_typed(self, reason: str) -> None:
        """Say why a number that was typed is not taken."""
        self._dock.announce(f"Not taken: {reason.replace('`', '')}")

    def _sentence(self, layer: Image | None) -> str:
        if layer is None:
            return "Add an image to sharpen it."
        try:
            chosen = filtered_axes(layer, self._dimensions())
        except ValueError:
            return "Say which axis is Z."
        shape = layer.data.shape[: layer.ndim]
        said = axes.sentence(shape, layer.axis_labels, chosen)
        line = self._page.sigma_line(layer, chosen)
        return "\n".join(filter(None, (said, line)))

    def _bring_back(self, source: Image | None, asked: dict[str, Any]) -> None:
        method = asked["method"]
        if method not in self.method.choices:
            return  # it was made in Python
        with self.changed.blocked():
            if source in self.layer.choices:
                self.layer.value = source
            self.method.value = method
            self._turn_to(method)
            self.dimensions.value = asked.get("dimensions", axes.PLANES)
            self.z_axis.reset_choices()
            if (z_axis := asked.get("z_axis")) in self.z_axis.choices:
                self.z_axis.value = z_axis
            self._page.fit(source, self._dimensions())
            self._page.set(asked)
        self._on_change()
