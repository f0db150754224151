"""The dock "Sharpness lab": what sharpening does to an image, in numbers and curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container
from napari.layers import Shapes
from qtpy.compat import isalive
from superqt.utils import qthrottled

from napari_usm import warm_up
from napari_usm._widgets.dock.status import WAITING
from napari_usm._widgets.dock.watch import DockWatch, disconnect_choices
from napari_usm._widgets.lab import saving
from napari_usm._widgets.lab.choices import LayerChoices
from napari_usm._widgets.lab.gain_page import GainPage
from napari_usm._widgets.lab.layer_planes import (
    Place,
    displayed,
    drawn_line,
    noise_factor,
    remarks,
    source,
)
from napari_usm._widgets.lab.layout import LabLayout
from napari_usm._widgets.lab.live_gain import METHOD, LiveGain
from napari_usm._widgets.lab.measuring import Measuring, Request
from napari_usm._widgets.lab.pages import PlotPage, TablePage
from napari_usm._widgets.lab.palette import palette_of
from napari_usm._widgets.lab.plots import draw_profile, draw_spectrum
from napari_usm._widgets.lab.watched_layer import WatchedLayer
from napari_usm.lab.findings import Profile

if TYPE_CHECKING:
    from collections.abc import Hashable

    import napari.viewer

    from napari_usm.lab.findings import Source

# Milliseconds between two changes that are followed.
_PAUSE = 30

_MOVES = ("ndim", "current_step", "order", "ndisplay")

_ROLES = ("image", "result", "reference")

# Letters of a layer's name: a line of the dock has room for more.
_LETTERS = 28

# Why there may be nothing to show.
_NOTHING = {
    "metrics": "Nothing could be measured.",
    "gain": "There is no curve.",
    "spectrum": "The plane is flat, invalid, or shorter than 16 pixels along an axis.",
    "profile": "There is no edge: select a Shapes layer with a line.",
}


class LabWidget(Container):
    """Measures the plane of an image that is displayed, and of its result.

    Again whenever something changes, as long as it is in view.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer whose layers are measured.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._viewer = napari_viewer
        self._choices = LayerChoices(napari_viewer)
        self._watched = {role: WatchedLayer(self._on_change) for role in _ROLES}
        self._watched["line"] = WatchedLayer(self._on_change)
        self._measuring = Measuring()
        self._live = LiveGain(napari_viewer)
        # Never at once: a result that has just come is not live yet.
        self._measure_soon = qthrottled(self._measure, timeout=_PAUSE, leading=False)
        #: What each page shows, and what of.
        self._shown: dict[str, Hashable] = {}
        self._image: Any = None
        self._is_due = False
        choices = [getattr(self._choices, role) for role in _ROLES]
        super().__init__(widgets=choices, labels=False, name="sharpness_lab")
        self._gain_page = GainPage()
        self._pages = {
            "Metrics": TablePage(),
            "Gain": self._gain_page,
            "Spectrum": PlotPage("spectrum", draw_spectrum),
            "Profile": PlotPage("profile", draw_profile),
        }
        self._parts = LabLayout(self.native, choices, self._pages)
        self._watch = DockWatch(self.native)
        self._dress()
        self._connect()
        self._choices.choose_active()
        self._on_change()
        warm_up.session.start(METHOD, self._measuring.dtype)

    @property
    def is_measuring(self) -> bool:
        """Return whether measurements are still to come."""
        return self._is_due or self._measuring.is_behind

    def turn_to(self, title: str) -> None:
        """Show the page with this title."""
        self._parts.tabs.setCurrentWidget(self._pages[title])

    def reset_choices(self, *_: Any) -> None:
        """Follow the viewer's layers; what is chosen stays chosen."""
        super().reset_choices()
        self._choices.choose_new_result()
        self._on_change()

    def _connect(self) -> None:
        gain_page = self._gain_page
        self.changed.connect(self._on_change)
        self._measuring.measured.connect(self._on_measured)
        self._measuring.failed.connect(self._on_failed)
        self._parts.tabs.currentChanged.connect(self._on_change)
        self._parts.save.clicked.connect(self._on_save)
        gain_page.live.toggled.connect(self._on_live)
        gain_page.marked.connect(self._live.tune)
        self._live.ended.connect(self._on_ended)
        self._watch.shown.connect(self._on_change)
        self._watch.orphaned.connect(self._let_go)
        for emitter, callback in self._emitters():
            emitter.connect(callback)

    def _emitters(self) -> list[tuple[Any, Any]]:
        """Return the events of the viewer that the dock follows."""
        dims = self._viewer.dims.events
        moved = [getattr(dims, name) for name in _MOVES]
        return [
            *((emitter, self._on_change) for emitter in moved),
            (self._viewer.layers.selection.events.active, self._on_change),
            (self._viewer.events.theme, self._dress),
        ]

    # --- what is measured ---

    def _on_change(self, *_: Any) -> None:
        """Measure again, if the page is visible and shows something else."""
        if not isalive(self.native):
            return
        image = self.image.value
        if image is not self._image:
            self._image = image
            self._measuring.dtype = "" if image is None else str(image.dtype)
            self._gain_page.start_over()
            self._shown.pop("gain", None)
            self._leave_live()
            self._choices.follow_image()
        self._follow_layers()
        self._parts.allow_saving()
        self._is_due = True
        self._measure_soon()

    def _follow_layers(self) -> None:
        for role in _ROLES:
            self._watched[role].follow(self[role].value)
        self._watched["line"].follow(self._shapes())

    def _measure(self) -> None:
        self._is_due = False
        if not isalive(self.native):
            return
        self._follow_layers()
        if not self._watch.in_view:
            return
        page = self._parts.page
        try:
            request = self._request(page.part)
        except ValueError as error:
            self._show_nothing(str(error))
            return
        if request is None:
            self._show_nothing("Add an image to measure it.")
        elif request.key == self._shown.get(page.part):
            self._measuring.drop()
            self._parts.show_status(self._where())
        else:
            is_prepared = self._measuring.is_prepared(page.part)
            self._parts.show_status(
                "Measuring…" if is_prepared else WAITING["preparing"]
            )
            self._measuring.request(request)

    def _request(self, part: str) -> Request | None:
        """Return the request of a page; None if there is no image.

        Raises
        ------
        ValueError
            If layers do not go together, or there is no plane.
        """
        image = self.image.value
        if image is None:
            return None
        place = displayed(image, self._viewer.dims)
        if part in ("gain", "spectrum"):  # these are of the image only
            return Request(part, self._source("image", place))
        self._choices.checked()
        line = drawn_line(self._shapes(), image, place)
        sources = [self._source(role, place) for role in _ROLES]
        factor = noise_factor(self.result.value) if part == "metrics" else None
        return Request(part, *sources, line, factor)

    def _source(self, role: str, place: Place) -> Source | None:
        layer = self[role].value
        if layer is None:
            return None
        return source(layer, place, self._watched[role].pixels)

    def _shapes(self) -> Shapes | None:
        active = self._viewer.layers.selection.active
        return active if isinstance(active, Shapes) else None

    def _where(self) -> str:
        """Return the place that was measured, in words."""
        image, findings = self.image.value, self._parts.page.findings
        place = displayed(image, self._viewer.dims)
        parts = [_short(image.name), *place.said(image)]
        if isinstance(findings, Profile):
            parts.append(place.said_line(findings.line))
        elif self._parts.page.part == "metrics":
            parts += remarks(image, self.result.value, self.reference.value)
        return " · ".join(parts)

    # --- what is shown ---

    def _on_measured(self, request: Request, findings: Any) -> None:
        if not isalive(self.native) or (self._is_due and not self._is_current(request)):
            return  # another plane or image: it is measured soon
        (page,) = (p for p in self._pages.values() if p.part == request.part)
        if findings is None:
            page.empty(_NOTHING[request.part])
        else:
            page.show_findings(findings)
        self._shown[request.part] = request.key
        self._parts.allow_saving()
        if not self.is_measuring:
            self._parts.show_status(self._where())

    def _is_current(self, request: Request) -> bool:
        """Return whether a request is of the pixels that are displayed now."""
        try:
            now = self._request(request.part)
        except ValueError:
            return False
        return now is not None and request.is_of_plane(now)

    def _on_failed(self, reason: str) -> None:
        if isalive(self.native) and not self._is_due:
            self._show_nothing(f"Failed: {reason}")

    def _show_nothing(self, why: str) -> None:
        self._measuring.drop()
        page = self._parts.page
        self._shown.pop(page.part, None)
        page.empty("")
        self._parts.allow_saving()
        self._parts.show_status(why)

    def _dress(self, *_: Any) -> None:
        colours = palette_of(self._viewer.theme)
        for page in self._pages.values():
            page.dress(colours)

    # --- the gain ---

    def _on_live(self, on: bool) -> None:
        if not on:
            self._live.remove()
            return
        try:
            result = self._live.begin(self.image.value, self._gain_page.gain)
        except (TypeError, ValueError) as error:
            self._gain_page.live.show_live(False)
            self._parts.show_status(str(error))
            return
        self.result.reset_choices()
        self.result.value = result

    def _leave_live(self) -> None:
        self._live.let_go()
        self._gain_page.live.show_live(False)

    def _on_ended(self) -> None:
        if isalive(self.native):
            self._gain_page.live.show_live(False)

    # --- files ---

    def _on_save(self) -> None:
        page = self._parts.page
        path = saving.ask_path(self.native, page)
        if path is None:
            return
        try:
            saving.save(page, path)
        except (OSError, ValueError) as error:
            self._parts.show_status(
                f"Not saved: {getattr(error, 'strerror', None) or error}"
            )
        else:
            self._parts.show_status(f"Saved: {path.name}")

    def _let_go(self) -> None:
        """The dock was closed: stop, and leave no callback behind."""
        self._measure_soon.cancel()
        self._measuring.stop()
        self._live.let_go()
        for watched in self._watched.values():
            watched.follow(None)
        for emitter, callback in self._emitters():
            emitter.disconnect(callback)
        disconnect_choices(self._viewer.layers, self)


def _short(name: str) -> str:
    """A name without its middle, if it is long: names often differ at the end."""
    half = _LETTERS // 2
    return name if len(name) <= _LETTERS else f"{name[:half]}…{name[1 - half :]}"
