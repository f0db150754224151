"""The dock: controls of one method, a run in the background, two layers."""

from __future__ import annotations

import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox, Container, create_widget
from napari.layers import Image
from napari.utils.notifications import show_error, show_warning
from qtpy.compat import isalive

from napari_usm import axes, warm_up
from napari_usm.methods import METHODS
from napari_usm.widgets.dock_layout import DockLayout
from napari_usm.widgets.functions import core_parameters, layer_function, layer_run
from napari_usm.widgets.layer_data import METADATA, is_result
from napari_usm.widgets.layer_run import layer_parameters
from napari_usm.widgets.physical import length_units, sigma_line
from napari_usm.widgets.pixel_watch import PixelWatch
from napari_usm.widgets.result_layers import results_of
from napari_usm.widgets.run_worker import PREPARING, worker_of
from napari_usm.widgets.sigma_unit import SigmaUnit
from napari_usm.widgets.status import status_line

if TYPE_CHECKING:
    import napari.types
    import napari.viewer


class SharpenWidget(Container):
    """Sharpens the chosen image layer by one method.

    Every control is an attribute of the name of its parameter, ``layer`` first;
    calling the widget runs once and leaves exactly two layers.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer whose layers are sharpened.
    """

    method: str

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._viewer = napari_viewer
        self._entry = METHODS[self.method]
        self._function = layer_function(self.method)
        self._worker: Any = None
        self._span = 0.0
        self._pixels = PixelWatch(self._on_change)
        self._layer = self._layer_choice()
        controls = [self._layer, *self._parameter_controls(), *self._axis_controls()]
        self._controls = {control.name: control for control in controls}
        super().__init__(widgets=controls, labels=False, name=self.method)
        self._dock = DockLayout(
            self.native,
            in_view=[w for w in controls if self._in_view(w.name)],
            advanced=[w for w in controls if not self._in_view(w.name)],
        )
        self._dock.run.clicked.connect(self._on_run)
        self._dock.orphaned.connect(self._let_go)
        self.changed.connect(self._on_change)
        napari_viewer.layers.events.removed.connect(self._on_layer_removed)
        self._choose_active_layer()
        self._on_change()
        layer = self._chosen()
        warm_up.session.start(self.method, "" if layer is None else str(layer.dtype))

    def __call__(self) -> list[napari.types.LayerDataTuple]:
        """Run here and now; the two layers as tuples, as they were placed."""
        self._cancel()
        started = perf_counter()
        layer, asked = self._layer.value, self._asked()
        try:
            tuples = self._function(layer, **asked)
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return []
        self._place(layer, tuples)
        self._tell_done(tuples, started)
        return tuples

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

    def _parameter_controls(self) -> list[Any]:
        controls: dict[str, Any] = {}
        for name, argument in inspect.signature(self._function).parameters.items():
            options = {}
            if name == "sigma_unit":
                options = {"widget_type": SigmaUnit, "sigma": controls["sigma"]}
            elif name not in self._entry.parameters:
                continue
            controls[name] = create_widget(
                argument.default, argument.annotation, name, options=options
            )
        return [*controls.values()]

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

    def _in_view(self, name: str) -> bool:
        word = self._entry.parameters.get(name)
        return word is None or word.control == "basic"

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
        return {**self._values(), **self._sigma_unit(), **self._dimensions()}

    def _values(self) -> dict[str, Any]:
        """Values of the method's own controls."""
        return {
            name: control.value
            for name, control in self._controls.items()
            if name in self._entry.parameters
        }

    def _matters(self, name: str) -> bool:
        """Whether the control that a parameter depends on has the value for it."""
        other, value = self._entry.parameters[name].needs
        return bool(self._controls[other].value == value)

    def _sigma_unit(self) -> dict[str, str]:
        has_unit = "sigma_unit" in self._controls
        return {"sigma_unit": self.sigma_unit.value} if has_unit else {}

    def _dimensions(self, z_axis: str = "z_axis") -> dict[str, Any]:
        """What is filtered, as the controls have it; volumes only where there is Z."""
        layer = self._chosen()
        if layer is None or not axes.depth_axes(layer.axis_labels):
            return {"dimensions": axes.PLANES, z_axis: None}
        return {"dimensions": self.dimensions.value, z_axis: self.z_axis.value}

    def _on_change(self, *_: Any) -> None:
        """Show what matters now, and say what will be filtered."""
        layer = self._chosen()
        depths = () if layer is None else axes.depth_axes(layer.axis_labels)
        volumes = bool(depths) and self.dimensions.value == axes.VOLUMES
        with self.changed.blocked():
            if volumes:
                self.z_axis.reset_choices()
            self._pixels.follow(layer)
            self._fit_sigma_unit(layer)
            if layer is not None:
                self._fit_ranges(layer)
        shown = {
            "dimensions": bool(depths),
            "z_axis": volumes and len(depths) > 1,
            "color": layer is not None and bool(layer.rgb),
        }
        for name, word in self._entry.parameters.items():
            if word.needs and word.control != "none":
                shown[name] = self._matters(name)
        if "sigma_unit" in self._controls:
            measured = len(self.sigma_unit.choices) > 1
            shown["sigma_unit"] = shown["sigma"] and measured
        for name, visible in shown.items():
            self._dock.show_row(self._controls[name], visible)
        self._dock.say(self._sentence(layer))
        if self._worker is None:
            self._dock.tell("")

    def _fit_ranges(self, layer: Image) -> None:
        """Ranges that depend on the image: intensities, and where detail inverts."""
        if "threshold" in self._controls:
            low, high = layer.contrast_limits_range
            span = max(high - low, 1e-6)
            if span != self._span:
                # A threshold is an intensity: it means nothing in another range.
                self._span = span
                self.threshold.value = 0
                self.threshold.max = span
                self.threshold.step = 10.0 ** np.floor(np.log10(span / 50))
        if "amount" in self._controls:
            try:
                given = layer_parameters(layer, self.method, **self._dimensions())
            except ValueError:
                return
            parameters = {**core_parameters(self._entry, self._values()), **given}
            least = self._entry.method(**parameters).least_amount(given["axes"])
            self.amount.min = min(least, self.amount.value)

    def _filtered(self, layer: Image) -> tuple[int, ...]:
        return axes.filtered_axes(layer.axis_labels, **self._dimensions("depth"))

    def _fit_sigma_unit(self, layer: Image | None) -> None:
        """Offer the units of length of the axes that are filtered."""
        if "sigma_unit" not in self._controls:
            return
        if layer is None:
            self.sigma_unit.follow({})
            return
        try:
            units = length_units(layer, self._filtered(layer))
        except ValueError:
            return  # it has still to be said which axis is Z
        self.sigma_unit.follow(units)

    def _sigma_line(self, layer: Image, filtered: tuple[int, ...]) -> str:
        if "sigma_unit" not in self._controls or not self._matters("sigma"):
            return ""
        return sigma_line(layer, filtered, self.sigma.value, self.sigma_unit.value)

    def _sentence(self, layer: Image | None) -> str:
        if layer is None:
            return "Add an image to sharpen it."
        if layer.multiscale:
            return "Pyramids cannot be sharpened yet: choose an image of one scale."
        try:
            chosen = self._filtered(layer)
        except ValueError:
            return "Say which axis is Z."
        shape = layer.data.shape[: layer.ndim]
        said = axes.sentence(shape, layer.axis_labels, chosen)
        return "\n".join(filter(None, (said, self._sigma_line(layer, chosen))))

    # --- runs ---

    def _on_run(self) -> None:
        if self._worker is not None:
            self._cancel()
            self._dock.tell("Cancelled: nothing was changed.")
            return
        asked = self._asked()
        try:
            run = layer_run(self.method, self._layer.value, **asked)
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return
        worker = worker_of(run)
        worker.run_of, worker.asked, worker.since = run, asked, perf_counter()
        worker.yielded.connect(lambda step: self._on_step(worker, step))
        worker.returned.connect(lambda tuples: self._on_done(worker, tuples))
        worker.errored.connect(lambda error: self._on_error(worker, error))
        self._worker = worker
        self._dock.start(run.steps)
        worker.start()

    def _on_step(self, worker: Any, step: int) -> None:
        if not self._is_current(worker):
            return
        if step == PREPARING:
            self._dock.tell("Preparing, once on this machine…")
            worker.since = perf_counter()  # that is no time of the run's own
        else:
            self._dock.tell("")
            self._dock.advance(step)

    def _on_done(self, worker: Any, tuples: Any) -> None:
        if not self._is_current(worker):
            return
        self._stop()
        layer = worker.run_of.layer
        if layer.data is not worker.run_of.source:
            self._drop(f"'{layer.name}' got other pixels meanwhile")
            return
        self._place(layer, tuples)
        if layer is self._layer.value and worker.asked == self._asked():
            self._tell_done(tuples, worker.since)
        else:
            self._dock.tell(f"Done: '{layer.name}', as it was asked for.")

    def _on_error(self, worker: Any, error: Exception) -> None:
        # napari itself notifies of what a worker raises.
        if self._is_current(worker):
            self._stop()
            self._dock.tell(f"Failed: {error}")

    def _on_layer_removed(self, event: Any) -> None:
        if self._worker is not None and event.value is self._worker.run_of.layer:
            self._cancel()
            self._drop(f"'{event.value.name}' was removed")

    def _is_current(self, worker: Any) -> bool:
        """Whether anyone still waits for this worker: the window may be gone."""
        return worker is self._worker and isalive(self.native)

    def _cancel(self) -> None:
        if self._worker is not None:
            self._worker.quit()
            self._stop()

    def _stop(self) -> None:
        self._worker = None
        if isalive(self.native):
            self._dock.stop()

    def _place(self, layer: Image, tuples: list[napari.types.LayerDataTuple]) -> None:
        results_of(self._viewer.layers, layer).place(self.method, tuples)

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
        self._pixels.follow(None)
        events = self._viewer.layers.events
        events.removed.disconnect(self._on_layer_removed)
        # napari connects this one when it docks a widget, and never lets go; older
        # ones do not tell of renamed layers.
        for name in ("inserted", "removed", "reordered", "renamed"):
            if (emitter := getattr(events, name, None)) is not None:
                emitter.disconnect(self.reset_choices)


class UnsharpMaskWidget(SharpenWidget):
    """Classic unsharp masking."""

    method = "unsharp_mask"


class LaplacianSharpenWidget(SharpenWidget):
    """Laplacian sharpening."""

    method = "laplacian_sharpen"


class AdaptiveUnsharpMaskWidget(SharpenWidget):
    """Adaptive unsharp masking."""

    method = "adaptive_unsharp_mask"
