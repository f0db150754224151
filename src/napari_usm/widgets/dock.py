"""The dock: a method's controls, and two layers that follow them or are made once."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container
from napari.layers import Image
from napari.utils.notifications import show_error, show_warning
from qtpy.compat import isalive
from qtpy.QtWidgets import QApplication
from superqt.utils import qthrottled

from napari_usm import axes, warm_up
from napari_usm.methods import METHODS
from napari_usm.run import eager
from napari_usm.widgets.dock_layout import DockLayout
from napari_usm.widgets.functions import layer_run
from napari_usm.widgets.keeping import Keeping
from napari_usm.widgets.layer_data import METADATA, is_result
from napari_usm.widgets.live_pair import LivePair, pair_of, pairs_of
from napari_usm.widgets.method_page import MethodPage, filtered_axes
from napari_usm.widgets.pixel_watch import PixelWatch
from napari_usm.widgets.result_layers import results_of
from napari_usm.widgets.run_worker import PREPARING
from napari_usm.widgets.status import HINT, WAITING, live_line, status_line

if TYPE_CHECKING:
    import napari.types
    import napari.viewer

    from napari_usm.widgets.live_result import Shown

# Milliseconds between two changes that are followed: a frame of most screens.
_FRAME = 16


class SharpenWidget(Container):
    """Sharpens the chosen image layer, live or once.

    Every control is an attribute of the name of its parameter, ``layer`` and
    ``method`` first; calling the widget runs once and leaves exactly two layers.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer whose layers are sharpened.
    """

    #: The method that the dock opens with.
    opens_with: str

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._viewer = napari_viewer
        self._pages: dict[str, MethodPage] = {}
        self._page: MethodPage | None = None
        self._pair: LivePair | None = None
        self._keeping = Keeping()
        self._pixels = PixelWatch(self._on_change)
        self._layer = self._layer_choice()
        controls = [self._layer, self._method_choice(), *self._axis_controls()]
        super().__init__(widgets=controls, labels=False, name=self.opens_with)
        self._dock = DockLayout(self.native, controls[:2], controls[2:])
        self._follow_soon = qthrottled(self._follow, timeout=_FRAME)
        self._connect()
        self._choose_active_layer()
        self._on_change()
        layer = self._chosen()
        dtype = "" if layer is None else str(layer.dtype)
        warm_up.session.start(self.opens_with, dtype)

    def __call__(self) -> list[napari.types.LayerDataTuple]:
        """Run here and now; the two layers as tuples, as they were placed."""
        self._cancel()
        started = perf_counter()
        try:
            run = layer_run(self.method.value, self._chosen(), **self._asked())
            tuples = eager.result_of(run.run())
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return []
        results = results_of(self._viewer.layers, run.layer)
        pair = self._pair
        if pair is not None and pair.source is run.layer:
            if results.layer(run.method, 0) is None:
                results.hand_over(pair.key, run.method)
                pair.end()
            else:
                pair.remove()
            self._forget_pair()
        results.place(run.method, tuples)
        self._tell_done(tuples, started)
        return tuples

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

    @property
    def is_updating(self) -> bool:
        """Whether what is shown live is not yet what was asked for."""
        return self._pair is not None and self._pair.is_updating

    def set_live(self, on: bool) -> None:
        """Follow the controls from now on, or no longer: what the button does."""
        self._dock.live.setChecked(on)

    def reset_choices(self, *_: Any) -> None:
        """Follow the viewer's layers; an image that is chosen stays chosen."""
        super().reset_choices()
        self._on_change()

    # --- controls ---

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

    def _connect(self) -> None:
        dock, keeping, layers = self._dock, self._keeping, self._viewer.layers
        self.changed.connect(self._on_change)
        dock.live.toggled.connect(self._on_live)
        dock.keep.clicked.connect(self._on_keep)
        dock.reset.clicked.connect(self._on_reset)
        dock.copy.clicked.connect(self._on_copy)
        dock.orphaned.connect(self._let_go)
        keeping.stepped.connect(self._on_step)
        keeping.done.connect(self._on_kept)
        keeping.failed.connect(self._on_failed)
        layers.events.removed.connect(self._on_layer_removed)
        layers.selection.events.active.connect(self._on_active)

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
        """Show what matters now, say what will be filtered, and follow if live."""
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
        if self._pair is not None:
            self._follow_soon()
        elif not self._keeping.is_running:
            self._dock.tell("" if layer is None else HINT)

    def _turn_to(self, method: str) -> None:
        """Show the controls of a method, made when they are needed first."""
        if self._page is not None and self._page.method == method:
            return
        if method not in self._pages:
            page = MethodPage(method, lambda: self.changed.emit(self))
            self._pages[method] = page
            self._dock.add_page(method, page.in_view, page.advanced)
        self._page = self._pages[method]
        self._dock.turn_to(method)

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

    def _on_reset(self) -> None:
        """Back to the first values; pixels are read anew."""
        with self.changed.blocked():
            self._page.reset()
            self.dimensions.value = axes.PLANES
        if self._pair is not None:
            self._pair.forget()
        self._on_change()

    def _on_copy(self) -> None:
        """Put a program into the clipboard that makes the same pixels."""
        try:
            pair = self._pair
            run = layer_run(self.method.value, self._chosen(), **self._asked())
            settled = None if pair is None else pair.settled
            text = run.as_python(settled)
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return
        QApplication.clipboard().setText(text)
        self._dock.tell("Copied as Python: paste it into a script.")

    # --- live ---

    def _on_live(self, on: bool) -> None:
        if on:
            self._begin(self._chosen())
        elif self._pair is not None:
            pair, self._pair = self._pair, None
            self._cancel()
            self._disown(pair)
            pair.remove()
            self._dock.tell("")

    def _begin(self, layer: Image | None) -> None:
        """Follow the controls with the pair of a layer: an old one if nobody has it."""
        if self._pair is not None:
            self._disown(self._pair)
            self._pair = None
        try:
            run = layer_run(self.method.value, layer, **self._asked())
        except (TypeError, ValueError) as error:
            self._refuse(error)
            self._dock.show_live(False)
            return
        free = [p for p in pairs_of(self._viewer.layers, run.layer) if p.owner is None]
        self._own(free[0] if free else LivePair(self._viewer.layers, run.layer))
        self._follow()

    def _own(self, pair: LivePair) -> None:
        self._pair, pair.owner = pair, self
        signals = pair.signals
        signals.on_screen.connect(self._on_screen)
        signals.waiting.connect(self._on_waiting)
        signals.failed.connect(self._on_live_failed)
        signals.ended.connect(self._forget_pair)
        self._dock.show_live(True)

    def _disown(self, pair: LivePair) -> None:
        signals = pair.signals
        signals.on_screen.disconnect(self._on_screen)
        signals.waiting.disconnect(self._on_waiting)
        signals.failed.disconnect(self._on_live_failed)
        signals.ended.disconnect(self._forget_pair)
        pair.owner = None

    def _forget_pair(self) -> None:
        """The pair has ended: what is left of it is no longer followed."""
        if self._pair is not None:
            self._disown(self._pair)
            self._pair = None
        self._dock.show_live(False)
        if not self._keeping.is_running:
            self._dock.tell("")

    def _follow(self) -> None:
        """Let the pair show what the controls say."""
        pair = self._pair
        if pair is None or pair.is_placing or not isalive(self.native):
            return
        layer = self._chosen()
        if layer is not pair.source:
            self._begin(layer)
            return
        try:
            pair.tune(self.method.value, self._asked())
        except (TypeError, ValueError) as error:
            self._dock.tell(f"Live · not yet: {error}")
            return
        if not any(made.visible for made in pair.layers):
            self._dock.tell("Live · its layers are hidden")
        elif pair.is_updating:
            self._dock.tell("Live · updating…")

    def _on_screen(self, shown: Shown) -> None:
        pair = self._pair
        source = None if pair is None else pair.source
        if source is None or self._keeping.is_running or not isalive(self.native):
            return
        self._dock.tell(live_line(shown, source))

    def _on_waiting(self, what: str) -> None:
        if isalive(self.native) and not self._keeping.is_running:
            self._dock.tell(WAITING[what])

    def _on_live_failed(self, reason: str) -> None:
        if isalive(self.native):
            self._dock.tell(f"Live · failed: {reason}")

    def _on_active(self, event: Any) -> None:
        """A result was selected: bring its parameters back; if it is live, follow."""
        layer, pair = event.value, pair_of(event.value)
        if pair is not None and pair is self._pair:
            return
        if pair is not None and pair.owner is None and pair.source is not None:
            if self._pair is not None:
                self._disown(self._pair)
            self._own(pair)
            self._bring_back(pair.source, {"method": pair.method, **pair.asked})
        elif pair is None and isinstance(layer, Image) and is_result(layer):
            asked = layer.metadata[METADATA].get("controls")
            if asked is not None and self._pair is None:
                self._bring_back(self._chosen(), asked)

    def _bring_back(self, source: Image | None, asked: dict[str, Any]) -> None:
        with self.changed.blocked():
            if source in self.layer.choices:
                self.layer.value = source
            self.method.value = asked["method"]
            self._turn_to(asked["method"])
            self.dimensions.value = asked["dimensions"]
            self._page.fit(source, self._dimensions())
            self._page.set(asked)
            if asked["z_axis"] in self.z_axis.choices:
                self.z_axis.value = asked["z_axis"]
        self._on_change()

    # --- keep ---

    def _on_keep(self) -> None:
        if self._keeping.is_running:
            self._cancel()
            self._dock.tell("Cancelled: nothing was changed.")
            return
        self._follow()
        pair = self._pair
        try:
            run = layer_run(self.method.value, self._chosen(), **self._asked())
            run.check_room()
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return
        settled = None if pair is None else pair.settled
        self._keeping.start(run, settled)
        self._dock.start(run.keep_steps(settled))

    def _on_step(self, step: int) -> None:
        if not isalive(self.native):
            return
        if step == PREPARING:
            self._dock.tell(WAITING["preparing"])
        else:
            self._dock.tell("")
            self._dock.advance(step)

    def _on_kept(self, tuples: Any) -> None:
        if not isalive(self.native):
            return
        self._dock.stop()
        run, layer = self._keeping.run, self._keeping.run.layer
        if layer.data is not run.source:
            self._drop(f"'{layer.name}' got other pixels meanwhile")
            return
        results, key = results_of(self._viewer.layers, layer), object()
        pair = self._pair
        if pair is not None and pair.source is layer:
            results.hand_over(pair.key, key)
            pair.end()
            results.place(key, tuples)
            self._forget_pair()
        else:
            results.place(key, tuples)
        if layer is self._chosen() and run.controls == self._asked():
            self._tell_done(tuples, self._keeping.since)
        else:
            self._dock.tell(f"Done: '{layer.name}', as it was asked for.")

    def _on_failed(self, reason: str) -> None:
        if isalive(self.native):
            self._dock.stop()
            self._dock.tell(f"Failed: {reason}")

    def _on_layer_removed(self, event: Any) -> None:
        keeping = self._keeping
        if keeping.is_running and event.value is keeping.run.layer:
            self._cancel()
            self._drop(f"'{event.value.name}' was removed")

    def _cancel(self) -> None:
        self._keeping.cancel()
        if isalive(self.native):
            self._dock.stop()

    def _tell_done(
        self, tuples: list[napari.types.LayerDataTuple], started: float
    ) -> None:
        metadata = tuples[0][1]["metadata"][METADATA]
        self._dock.tell(status_line(metadata, perf_counter() - started))

    def _refuse(self, error: Exception) -> None:
        show_error(str(error))
        self._dock.tell(str(error))

    def _drop(self, reason: str) -> None:
        show_warning(f"{reason}: its result was dropped.")

    def _let_go(self) -> None:
        """The dock was closed: stop, and leave no callback behind."""
        self._cancel()
        self._follow_soon.cancel()
        self._pixels.follow(None)
        if self._pair is not None:
            self._disown(self._pair)
            self._pair = None
        layers = self._viewer.layers
        layers.events.removed.disconnect(self._on_layer_removed)
        layers.selection.events.active.disconnect(self._on_active)
        # napari connects this one when it docks a widget, and never lets go; older
        # ones do not tell of renamed layers.
        for name in ("inserted", "removed", "reordered", "renamed"):
            if (emitter := getattr(layers.events, name, None)) is not None:
                emitter.disconnect(self.reset_choices)


class UnsharpMaskWidget(SharpenWidget):
    """Opens with classic unsharp masking."""

    opens_with = "unsharp_mask"


class LaplacianSharpenWidget(SharpenWidget):
    """Opens with Laplacian sharpening."""

    opens_with = "laplacian_sharpen"


class AdaptiveUnsharpMaskWidget(SharpenWidget):
    """Opens with adaptive unsharp masking."""

    opens_with = "adaptive_unsharp_mask"


class AutoUnsharpMaskWidget(SharpenWidget):
    """Opens with automatic unsharp masking."""

    opens_with = "auto_unsharp_mask"
