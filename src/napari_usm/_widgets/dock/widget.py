"""The dock: two layers that follow the controls, or are computed once."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from napari.utils.notifications import show_error, show_warning
from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from superqt.utils import qthrottled

from napari_usm import axes, recipe_file, warm_up
from napari_usm._engine import memory
from napari_usm._methods import METHODS
from napari_usm._widgets.compare.compare import Compare
from napari_usm._widgets.compare.targets import Target, target_of
from napari_usm._widgets.dialogs import ask_existing, ask_new
from napari_usm._widgets.dock.controls import SharpenControls
from napari_usm._widgets.dock.keys import keys_of
from napari_usm._widgets.dock.memory import Left
from napari_usm._widgets.dock.status import (
    COPIED,
    COPIED_WITHOUT_PIXELS,
    HINT,
    joined,
    live_line,
    preparing_line,
    status_line,
)
from napari_usm._widgets.dock.watch import disconnect_choices
from napari_usm._widgets.kernels import kernels_of
from napari_usm._widgets.layers.data import METADATA, is_result
from napari_usm._widgets.layers.functions import layer_run
from napari_usm._widgets.layers.info import axes_of
from napari_usm._widgets.layers.keeping import Keeping
from napari_usm._widgets.layers.results import (
    is_selecting,
    results_of,
    source_of,
    unwrapped,
)
from napari_usm._widgets.layers.worker import PREPARING
from napari_usm._widgets.live.pair import LivePair, free_pairs, pair_of
from napari_usm._widgets.saving.keep import FORMAT, keep_on_disk
from napari_usm.batch.recipes import read_recipe
from napari_usm.recipe import INTENSITY, Recipe
from napari_usm.scripts import TO_FILL

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.types
    import napari.viewer

    from napari_usm._engine.plan import FittedPlan
    from napari_usm._widgets.layers.run import LayerRun, Steps

# Milliseconds between two changes that are followed: a frame of most screens.
_FRAME = 16


class SharpenWidget(SharpenControls):
    """Sharpens the chosen image layer, live or once.

    Every control is an attribute of the name of its parameter, ``layer`` and
    ``method`` first; calling the widget runs once and leaves exactly two layers.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer whose layers are sharpened.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._pair: LivePair | None = None
        self._is_inserting = False
        self._keeping = Keeping()
        self._follow_soon = qthrottled(self._follow, timeout=_FRAME)
        super().__init__(napari_viewer)
        self.compare = Compare(
            napari_viewer, self.native, self._target, self._dock.announce
        )
        self._connect()
        self._use()
        self._on_change()
        layer = self._chosen()
        dtype = "" if layer is None else str(layer.dtype)
        warm_up.session.start(self.opens_with, dtype)

    def __call__(self) -> list[napari.types.LayerDataTuple]:
        """Run here and now; the two layers as tuples, as they were placed."""
        self._cancel()
        started = perf_counter()
        try:
            run = self._run_of(self._chosen())
            tuples = memory.result_of(run.run())
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return []
        results = results_of(self._viewer.layers, run.layer)
        pair = self._pair
        if pair is not None and pair.source is run.layer:
            self._forget_pair()
            if all(results.layer(run.method, which) is None for which in (0, 1)):
                pair.end(run.method)
            else:
                pair.remove()
        results.place(run.method, tuples)
        self._show_done(tuples, started)
        return tuples

    @property
    def is_updating(self) -> bool:
        """Return whether the live result does not show the latest parameters yet."""
        return self._pair is not None and self._pair.is_updating

    def set_live(self, on: bool) -> None:
        """Follow the controls from now on, or no longer: what the button does."""
        self._dock.live.setChecked(on)

    def run_command(self, name: str) -> Callable[[], None] | None:
        """Do what a key of the dock does; return what to do when it is released."""
        dock, compare = self._dock, self.compare
        if name == "source":
            compare.hold(True)
            return lambda: compare.hold(False)
        commands = {
            "live": dock.live.click,
            "keep": dock.keep.click,
            "wipe": dock.wipe.click,
            "difference": dock.difference.trigger,
            "overshoot": dock.overshoot.click,
            "copy": dock.copy.click,
            "next_method": self._next_method,
        }
        commands[name]()
        return None

    def _next_method(self) -> None:
        methods = self.method.choices
        place = methods.index(self.method.value) + 1
        self.method.value = methods[place % len(methods)]

    def _use(self) -> None:
        """Let the keys of the viewer be for this dock."""
        keys = keys_of(self._viewer)
        keys.add(self)
        self._dock.show_keys(keys.hint)
        tip = self.method.tooltip.split("\n")[0]
        self.method.tooltip = f"{tip}\n{keys.hint('next_method')}"

    def _connect(self) -> None:
        dock, keeping, layers = self._dock, self._keeping, self._viewer.layers
        for button in (dock.live, dock.keep, dock.copy, dock.save_recipe):
            button.pressed.connect(self._apply_typed)
            button.pressed.connect(self._use)
        comparing = dock.source, dock.wipe, dock.overshoot
        for button in (dock.live, dock.keep, dock.reset, *comparing):
            button.pressed.connect(dock.dismiss)
        dock.difference.triggered.connect(lambda: dock.dismiss())
        self.changed.connect(lambda: dock.dismiss())
        dock.live.toggled.connect(self._on_live)
        dock.keep.clicked.connect(self._on_keep)
        dock.keep_menu.aboutToShow.connect(self._apply_typed)
        dock.keep_in_memory.triggered.connect(self._on_keep)
        dock.keep_on_disk.triggered.connect(self._on_keep_on_disk)
        dock.reset.clicked.connect(self._on_reset)
        dock.source.pressed.connect(lambda: self.compare.hold(True))
        dock.source.released.connect(lambda: self.compare.hold(False))
        dock.wipe.clicked.connect(self.compare.wipe)
        for upright, action in zip((True, False), dock.wipe_ways, strict=True):
            action.triggered.connect(partial(self._on_turn, upright))
        dock.difference.triggered.connect(self.compare.difference)
        dock.overshoot.clicked.connect(self.compare.overshoot)
        self.compare.changed.connect(self._show_compare)
        dock.copy.clicked.connect(self._on_copy)
        dock.save_recipe.clicked.connect(self._on_save_recipe)
        dock.load_recipe.clicked.connect(self._on_load_recipe)
        dock.dropped.connect(self.load_recipe)
        dock.orphaned.connect(self._let_go)
        dock.shown.connect(self._use)
        self.changed.connect(lambda: keys_of(self._viewer).add(self))
        keeping.stepped.connect(self._on_step)
        keeping.done.connect(self._on_kept)
        keeping.failed.connect(self._on_failed)
        layers.events.inserted.connect(self._on_layer_inserted)
        layers.events.removed.connect(self._on_layer_removed)
        layers.selection.events.active.connect(self._on_active)

    def _follow_controls(self) -> None:
        """Let the pair show what the controls say, if there is one."""
        if self._pair is not None:
            self._follow_soon()
        elif not self._keeping.is_running:
            self._dock.show_status("" if self._chosen() is None else HINT)

    def _run_of(self, layer: Image | None) -> LayerRun:
        """Return the run that the controls describe.

        Raises
        ------
        TypeError, ValueError
            As for any run, or with the step that the user has to do first.
        """
        self._require(layer)
        return layer_run(self.method.value, layer, **self._control_values())

    def _require(self, layer: Image | None) -> None:
        """Raise a ValueError with the step that the user has to do first, if any."""
        if missing := self._missing(layer):
            raise ValueError(missing)

    def _apply_typed(self) -> None:
        """Take a number that is still being typed; macOS leaves the focus there."""
        self._page.apply_typed()

    def _on_reset(self) -> None:
        """Restore the default values, and read the pixels again."""
        with self.changed.blocked():
            self._page.reset()
            self.dimensions.value = axes.PLANES
        if self._pair is not None:
            self._pair.forget()
        self._on_change()

    def _on_copy(self) -> None:
        """Put a program into the clipboard that makes the same pixels."""
        self._follow()
        pair = self._pair
        try:
            run = self._run_of(self._chosen())
            settled = None if pair is None else pair.settled
            text = run.as_python(settled)
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return
        QApplication.clipboard().setText(text)
        is_complete = TO_FILL not in text.splitlines()
        self._dock.announce(COPIED if is_complete else COPIED_WITHOUT_PIXELS)

    # --- recipes ---

    @property
    def recipe(self) -> Recipe:
        """Return the recipe that the controls describe."""
        return Recipe.from_controls(self.method.value, **self._control_values())

    def _on_save_recipe(self) -> None:
        method = self.method.value
        kinds = {"Recipe": "json"}
        path = ask_new(self.native, "Save recipe", f"{method}.json", kinds)
        if path is None:
            return
        try:
            recipe_file.save(self.recipe, path, overwrite=True)  # the dialog has asked
        except (OSError, TypeError, ValueError) as error:
            self._refuse(error)
            return
        self._dock.announce(f"Saved as '{path.name}'.")

    def _on_load_recipe(self) -> None:
        kind = "Recipes, records, images (*.json *.tif *.tiff);;All files (*)"
        if (path := ask_existing(self.native, "Load recipe", kind)) is not None:
            self.load_recipe(path)

    def load_recipe(self, path: str | Path) -> None:
        """Give the controls the values of a recipe, and say what they cannot show.

        Parameters
        ----------
        path : str or Path
            A recipe, a record beside an output, or an image that the plugin wrote.
        """
        self._dock.dismiss()
        try:
            recipe = read_recipe(path)
            self._check_shown(recipe.method)
        except (OSError, ValueError) as error:
            self._refuse(error)
            return
        hidden = self._bring_back_recipe(recipe)
        name = Path(path).name
        if hidden:
            self._dock.announce(
                f"Recipe '{name}' is loaded, but for {', '.join(hidden)}: the controls "
                "cannot show that for this image."
            )
        else:
            self._dock.announce(f"Recipe '{name}' is loaded.")

    def _check_shown(self, method: str) -> None:
        """Raise a ValueError if a method is not in the menu."""
        if method not in self.method.choices:
            raise ValueError(
                f"the recipe's method '{method}' has no controls in the dock: sharpen "
                "by it in Python or on the command line"
            )

    def _bring_back_recipe(self, recipe: Recipe) -> list[str]:
        """Set the controls; return what they cannot show."""
        controls, hidden = recipe.as_controls()
        self._bring_back(self._chosen(), {"method": recipe.method, **controls})
        # And what does not fit the image, such as a unit that it does not have.
        now, layer = self._control_values(), self._chosen()
        has_z = layer is not None and axes_of(layer).has_z
        says_z = has_z or controls.get("dimensions") != axes.VOLUMES
        for name, value in controls.items():
            unit = f"{name}_unit"
            if name.endswith("_unit") or (name == "z_axis" and says_z):
                continue
            wanted, shown = controls.get(unit), now.get(unit)
            if now[name] != value or wanted not in (None, shown):
                words = [name.replace("_", " "), str(value), wanted or ""]
                hidden.append(" ".join(words).strip())
        return hidden

    # --- live ---

    def _on_live(self, on: bool) -> None:
        if on:
            self._begin(self._chosen())
        elif self._pair is not None:
            pair, self._pair = self._pair, None
            if pair is self._keeping.pair:
                self._cancel()
            self._detach(pair)
            locked = pair.remove()
            self._dock.end_preparing()
            self._dock.show_status("")
            if locked:
                names = " and ".join(f"'{layer.name}'" for layer in locked)
                self._dock.announce(f"Live is off; {names} stays: it is locked.")

    def _begin(self, layer: Image | None) -> None:
        """Let a pair follow the controls: one of the layer without an owner first."""
        if self._pair is not None:
            self._detach(self._pair)
            self._pair = None
        try:
            run = self._run_of(layer)
        except (TypeError, ValueError) as error:
            self._refuse(error)
            self._dock.live.show_live(False)
            return
        self._attach(self._free_pair(run.layer) or LivePair(self._viewer, run.layer))
        self._follow()

    def _free_pair(self, layer: Image) -> LivePair | None:
        """Return a live pair of an image that no dock follows."""
        return next(iter(free_pairs(self._viewer.layers, layer)), None)

    def _change_image(self, layer: Image) -> None:
        """Bring back the values of another image, and its live result if it has one."""
        opening = self._page is None
        super()._change_image(layer)
        pair = self._free_pair(layer)
        if pair is None or pair.method not in self.method.choices:
            return
        if opening and pair.method != self.method.value:
            return  # this dock was opened for another method
        with self.changed.blocked():
            self._set_dimensions(pair.controls)
            self._set_page(layer, pair.method, pair.controls)
        if self._pair is None:
            self._attach(pair)

    def _attach(self, pair: LivePair) -> None:
        self._pair, pair.owner = pair, self
        signals = pair.signals
        signals.changed.connect(self._show_live_status)
        signals.ended.connect(self._on_ended)
        self._dock.live.show_live(True)

    def _detach(self, pair: LivePair) -> None:
        self.compare.stop()
        signals = pair.signals
        signals.changed.disconnect(self._show_live_status)
        signals.ended.disconnect(self._on_ended)
        pair.owner = None

    def _on_ended(self) -> None:
        """The pair has ended: say so, unless a notification does."""
        deleted = self._pair is not None and self._pair.is_deleted
        self._forget_pair()
        if deleted:
            self._dock.announce("Live is off: its result was deleted.")

    def _forget_pair(self) -> None:
        """The pair has ended: what is left of it is no longer followed."""
        if self._pair is not None:
            self._detach(self._pair)
            self._pair = None
        self._dock.live.show_live(False)
        if not self._keeping.is_running:
            self._dock.end_preparing()
            self._dock.show_status("")

    def _follow(self) -> None:
        """Let the pair show what the controls say."""
        pair = self._pair
        if pair is None or pair.is_placing or not isalive(self.native):
            return
        if (source := pair.source) is None:
            return  # it was removed: the pair ends, and Live with it
        layer = self._chosen()
        if layer is not source:
            self._begin(layer)
            return
        try:
            self._require(layer)
            values = self._control_values()
            if values.get("edge_map_unit", INTENSITY) != INTENSITY:
                self.compare.difference(False)  # before the edge map changes its looks
            pair.tune(self.method.value, values)
        except (TypeError, ValueError) as error:
            self._dock.show_status(f"Live · not yet: {error}")
            return
        pair.signals.send("changed")

    def _show_live_status(self) -> None:
        """Show the state of the live result in the status line."""
        pair = self._pair
        if pair is None or not isalive(self.native) or self._keeping.is_running:
            return
        state = pair.state
        if state == "preparing" and pair.run is not None:
            self._show_preparing(pair.run)
            return
        self._dock.end_preparing()
        self.compare.update()
        if (layer := pair.source) is not None:
            line = live_line(state, layer)
            self._dock.show_status(" · ".join([line, *self.compare.parts]))

    def _show_preparing(self, run: LayerRun) -> None:
        """Show how many kernels of a run are compiled."""
        progress = warm_up.session.progress(*kernels_of(run.plan, run.method))
        self._dock.show_progress(*(progress or (0, 0))[:2])
        self._dock.show_status(preparing_line(progress))

    def _on_active(self, event: Any) -> None:
        """A result was selected: bring its parameters back; if it is live, follow."""
        if is_selecting(self._viewer.layers):
            return
        layer, pair = event.value, pair_of(event.value)
        if pair is not None and pair is self._pair:
            return
        if pair is not None and pair.owner is None and pair.source is not None:
            if self._pair is not None:
                self._detach(self._pair)
            self._attach(pair)
            self._bring_back(pair.source, {"method": pair.method, **pair.controls})
        elif pair is None and isinstance(layer, Image):
            if is_result(layer):
                self._on_result(layer)
            elif layer in self.layer.choices and layer is not self._chosen():
                self._on_image(layer)

    def _on_result(self, layer: Image) -> None:
        """A result that is not live was selected: bring its parameters back."""
        values, chosen = layer.metadata[METADATA].get("controls"), self._chosen()
        if values is None or self._pair is not None:
            return
        if source_of(self._viewer.layers, layer) is not chosen:
            values = self._fitting(values)
        self._bring_back(chosen, values)

    def _on_image(self, layer: Image) -> None:
        """An image was selected: choose it. What is live of another one stays live."""
        if self._pair is not None:
            if self._is_inserting:
                return  # it was not the user who selected it
            self._detach(self._pair)
            self._pair = None
            self._dock.live.show_live(False)
        self.layer.value = layer

    def _on_layer_inserted(self, event: Any) -> None:
        if is_selecting(self._viewer.layers):
            return
        # A layer that is added is selected before anything else can happen.
        self._is_inserting = True
        QTimer.singleShot(0, self._on_inserted)

    def _on_inserted(self) -> None:
        self._is_inserting = False

    # --- compare ---

    def _target(self) -> Target:
        """Return the result that is compared with its source."""
        return target_of(self._viewer.layers, self._pair, self._chosen())

    def _on_turn(self, upright: bool, checked: bool) -> None:
        self.compare.turn(upright)

    def _show_compare(self) -> None:
        """Show in the buttons what is compared."""
        if not isalive(self.native):
            return
        dock, compare = self._dock, self.compare
        dock.wipe.setChecked(compare.wipes)
        dock.difference.setChecked(compare.differs)
        dock.overshoot.setChecked(compare.stretches)
        if self._pair is not None:
            self._show_live_status()
        elif not self._keeping.is_running:
            dock.show_status(joined(compare.parts) or HINT)

    # --- keep ---

    def _on_keep(self) -> None:
        if self._keeping.is_running:
            self._cancel()
            self._dock.announce("Cancelled: nothing was changed.")
            return
        if (run := self._run_to_keep()) is None:
            return
        try:
            run.check_room()
        except ValueError as error:
            self._refuse(error)
            self._on_keep_on_disk()
            return
        settled = self._settled
        self._start_keeping(run, run.keep(settled), run.keep_steps(settled))

    def _on_keep_on_disk(self) -> None:
        """Ask for a file, and compute into it."""
        if (run := self._run_to_keep()) is None:
            return
        name = f"{_as_file_name(run.layer.name)} sharpened{FORMAT.suffixes[0]}"
        end = FORMAT.suffixes[0].lstrip(".")
        path = ask_new(self.native, "Keep on disk", name, {"OME-Zarr": end})
        # Layers and controls may have changed while the dialog was open.
        if path is None or (run := self._run_to_keep()) is None:
            return
        try:
            running, steps = keep_on_disk(run, path, self._settled)
        except (OSError, TypeError, ValueError) as error:
            self._refuse(error)
            return
        self._start_keeping(run, running, steps)

    def _run_to_keep(self) -> LayerRun | None:
        """Return the run that the controls describe, or say what is wrong."""
        self._follow()
        try:
            return self._run_of(self._chosen())
        except (TypeError, ValueError) as error:
            self._refuse(error)
            return None

    @property
    def _settled(self) -> FittedPlan | None:
        """Return what the live result has found for the whole image."""
        return None if self._pair is None else self._pair.settled

    def _start_keeping(self, run: LayerRun, running: Steps, steps: int) -> None:
        self._keeping.start(run, running, self._pair)
        self._dock.start(steps)

    def _on_step(self, step: int) -> None:
        if not isalive(self.native):
            return
        if step == PREPARING and self._keeping.run is not None:
            self._show_preparing(self._keeping.run)
        else:
            self._dock.show_status("")
            self._dock.advance(step)

    def _on_kept(self, run: LayerRun, pair: LivePair | None, tuples: Any) -> None:
        if not isalive(self.native):
            return
        self._dock.stop()
        layer = run.layer
        if layer.data is not run.source:
            self._drop(f"'{layer.name}' was changed while it was sharpened")
            return
        key = object()
        if pair is not None and pair is self._pair:
            self._forget_pair()
        if pair is not None and pair.owner is None:
            pair.end(key)
        results = results_of(self._viewer.layers, layer)
        results.place(key, tuples)
        self.reset_choices()
        if layer is self._chosen() and run.controls == self._control_values():
            self._show_done(tuples, self._keeping.since, results.layer(key, 0).name)
        else:
            name = results.layer(key, 0).name
            self._dock.announce(
                f"Kept as '{name}', with the values that it was started with."
            )

    def _on_failed(self, reason: str) -> None:
        if isalive(self.native):
            self._dock.stop()
            self._dock.show_status(f"Failed: {reason}")

    def _on_layer_removed(self, event: Any) -> None:
        keeping = self._keeping
        if keeping.is_running and event.value is keeping.run.layer:
            self._cancel()
            self._drop(f"'{event.value.name}' was removed")

    def _cancel(self) -> None:
        self._keeping.cancel()
        if isalive(self.native):
            self._dock.stop()

    def _show_done(
        self,
        tuples: list[napari.types.LayerDataTuple],
        started: float,
        kept_as: str = "",
    ) -> None:
        metadata = tuples[0][1]["metadata"][METADATA]
        seconds = perf_counter() - started
        self._dock.show_status(status_line(metadata, seconds, kept_as))

    def _refuse(self, error: Exception) -> None:
        show_error(str(error))
        self._dock.announce(str(error))

    def _drop(self, reason: str) -> None:
        show_warning(f"{reason}: its result is discarded.")

    def _let_go(self) -> None:
        """The dock was closed: stop, and leave no callback behind."""
        self.compare.close()
        keys_of(self._viewer).remove(self)
        self._cancel()
        self._follow_soon.cancel()
        self._pixels.follow(None)
        self._remember()
        active = unwrapped(self._viewer.layers.selection.active)
        layer = self._tuned_layer
        if layer is not None and active is not None:
            left = Left(self.method.value, weakref.ref(layer), weakref.ref(active))
            self._memory.left[self.opens_with] = left
        if self._pair is not None:
            self._detach(self._pair)
            self._pair = None
        layers = self._viewer.layers
        layers.events.inserted.disconnect(self._on_layer_inserted)
        layers.events.removed.disconnect(self._on_layer_removed)
        layers.selection.events.active.disconnect(self._on_active)
        disconnect_choices(layers, self)


def _as_file_name(name: str) -> str:
    """Return the name of a layer without what names of files must not hold."""
    kept = (" " if each in '\\/:*?"<>|' else each for each in name)
    return "".join(kept).strip() or "image"


def __getattr__(name: str) -> Any:
    """Return the dock that opens with a method, such as `UnsharpMaskWidget`."""
    for method, entry in METHODS.items():
        if name == f"{entry.method.__name__}Widget":
            members = {
                "opens_with": method,
                "__doc__": f"Opens with {entry.label}.",
                "__module__": __name__,
            }
            widget = globals()[name] = type(name, (SharpenWidget,), members)
            return widget
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
