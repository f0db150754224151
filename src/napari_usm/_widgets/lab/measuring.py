"""Measures for the lab on another thread; the newest request wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_usm import warm_up
from napari_usm._widgets.kernels import waiting
from napari_usm._widgets.lab.live_gain import METHOD
from napari_usm._widgets.live.jobs import Latest
from napari_usm.lab.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_usm.lab.findings import Source
    from napari_usm.lab.profile import Line


class Request(NamedTuple):
    """One part of what is chosen, as `Findings.find` takes it."""

    part: str
    image: Source
    result: Source | None = None
    reference: Source | None = None
    line: Line | None = None
    noise_factor: float | None = None

    @property
    def key(self) -> Hashable:
        """Return the cache key of the measurements."""
        sources = self.image, self.result, self.reference
        # As text: what is not known yet, NaN, would be unlike itself.
        keys = (each and each.key for each in sources)
        return self.part, *keys, self.line, str(self.noise_factor)

    def is_of_plane(self, other: Request) -> bool:
        """Return whether both are of one part, for the same pixels of the image."""
        return self.part == other.part and self.image.key == other.image.key


class Measuring(QObject):
    """Answers requests, on the window's thread."""

    #: The request, and the findings.
    measured = Signal(object, object)
    #: The reason of a failure.
    failed = Signal(str)

    _answered = Signal(object, object, str)

    def __init__(self) -> None:
        super().__init__()
        #: Type of the images that are measured: its kernels are waited for.
        self.dtype = ""
        self._findings = Findings()
        self._latest = Latest()
        self._newest: Request | None = None
        self._answered.connect(self._on_answer)

    @property
    def _kernels(self) -> tuple[str, str, str]:
        return METHOD, warm_up.PLANES, self.dtype

    @property
    def is_behind(self) -> bool:
        """Return whether a measurement is still to come."""
        return self._newest is not None

    def is_prepared(self, part: str) -> bool:
        """Return whether the kernels that a part needs are compiled."""
        return part != "gain" or warm_up.session.is_ready(*self._kernels)

    def request(self, request: Request) -> None:
        """Find this, and nothing that waits; what is under way is completed."""
        self._newest = request
        self._latest.put("part", request.key, lambda job: self._answer(request))

    def drop(self) -> None:
        """Drop all earlier requests."""
        self._newest = None
        self._latest.clear()

    def stop(self) -> None:
        """Answer nothing more, and keep no pixels."""
        self.drop()
        # After what is under way, which would leave its pixels here.
        self._latest.put("part", None, lambda job: self._findings.forget())

    def _answer(self, request: Request) -> None:
        findings, reason = None, ""
        if request.part == "gain":
            for _ in waiting(self._kernels):
                if self._newest is None:
                    return  # no longer wanted
        try:
            findings = self._findings.find(*request)
        except Exception as error:
            reason = str(error) or type(error).__name__
        # A dock that is gone has taken its signals along.
        if self._newest is not None and isalive(self):
            self._answered.emit(request, findings, reason)

    def _on_answer(self, request: Request, findings: Any, reason: str) -> None:
        newest = self._newest
        if newest is None or not request.is_of_plane(newest):
            return  # of what is no longer wanted
        if is_newest := request.key == newest.key:
            self._newest = None
        # Older numbers of the same plane are shown on the way to the newest: a drag
        # that changes the result faster than it is measured would show none at all.
        if not reason:
            self.measured.emit(request, findings)
        elif is_newest:
            self.failed.emit(reason)
