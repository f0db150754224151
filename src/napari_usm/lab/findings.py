"""Measurements of the lab on planes, each computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_usm.lab.gain import gain_curve
from napari_usm.lab.measures import Measures, change, closeness, own
from napari_usm.lab.profile import Line, line_profile, strongest_edge
from napari_usm.lab.spectrum import plane_spectrum

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from napari_usm.lab.planes import Plane


class Source(NamedTuple):
    """A plane that is read when it is needed.

    Attributes
    ----------
    key : hashable
        Another one for other pixels.
    read : callable
        Gives the plane.
    """

    key: Hashable
    read: Callable[[], Plane]


@dataclass(frozen=True, eq=False)
class Profile:
    """Intensities along one line.

    Attributes
    ----------
    line : Line
        From where to where.
    distances : (K,) array of float64
        From its start, in pixels.
    image : (K,) array of float64
        Along the line in the image.
    result, reference : (K,) array of float64, optional
        Along the same line there, if there are any.
    """

    line: Line
    distances: NDArray[Any]
    image: NDArray[Any]
    result: NDArray[Any] | None
    reference: NDArray[Any] | None

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """As a table, without what there is not."""
        lines = {name: getattr(self, name) for name in ("image", "result", "reference")}
        given = {name: each for name, each in lines.items() if each is not None}
        return {"distance": self.distances, **given}


class Findings:
    """Finds the parts for an image, its result and a reference.

    What was found for the same pixels the last time is not found again.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[Any, ...], Any] = {}
        self._now: dict[tuple[Any, ...], Any] = {}

    def find(
        self,
        part: str,
        image: Source,
        result: Source | None = None,
        reference: Source | None = None,
        line: Line | None = None,
        noise_factor: float | None = None,
    ) -> Any:
        """Find one part.

        Parameters
        ----------
        part : {"metrics", "gain", "spectrum", "profile"}
            What to find. Gain and spectrum are of the image only.
        image, result, reference : Source
            All of one shape.
        line : Line, optional
            Of the profile; by default across the strongest edge of the image.
        noise_factor : float, optional
            Of the result, where its method says it: it is not measured then.

        Returns
        -------
        Measures, GainCurve, PlaneSpectrum or Profile
            None where there is nothing to show: no spectrum, or no edge.
        """
        self._now = {}
        found: Any
        if part == "metrics":
            found = self._metrics(image, result, reference, line, noise_factor)
        elif part == "profile":
            found = self._profile(image, result, reference, line)
        else:
            found = self._of(_OF_THE_IMAGE[part], image)
        # What belongs to the same planes stays: another part may be asked for next.
        here = {each.key for each in (image, result, reference) if each is not None}
        kept = {key: made for key, made in self._last.items() if _is_of(key, here)}
        self._last = kept | self._now
        return found

    def forget(self) -> None:
        """Keep no pixels."""
        self._last, self._now = {}, {}

    def _metrics(
        self,
        image: Source,
        result: Source | None,
        reference: Source | None,
        line: Line | None,
        noise_factor: float | None,
    ) -> Measures:
        line = line or self._of(edge, image)
        second, third = (
            None if each is None else self._of(own, each, line=line)
            for each in (result, reference)
        )
        near = after = done = None
        if reference is not None:
            near = self._of(closeness, image, reference)
        if result is not None and reference is not None:
            after = self._of(closeness, result, reference)
        if result is not None:
            measures_noise = noise_factor is None
            done = self._of(change, image, result, measures_noise=measures_noise)
        first = self._of(own, image, line=line)
        return Measures(first, second, third, near, after, done, noise_factor)

    def _profile(
        self,
        image: Source,
        result: Source | None,
        reference: Source | None,
        line: Line | None,
    ) -> Profile | None:
        line = line or self._of(edge, image)
        if line is None:
            return None
        distances, before = line_profile(self._plane(image).grey, line)
        others = [
            None if each is None else line_profile(self._plane(each).grey, line)[1]
            for each in (result, reference)
        ]
        return Profile(line, distances, before, *others)

    def _plane(self, source: Source) -> Plane:
        plane: Plane = self._once(("plane", source.key), source.read)
        return plane

    def _of(self, make: Callable[..., Any], *sources: Source, **others: Any) -> Any:
        """Return a measurement of planes from the cache, or compute it."""
        key = make.__name__, *(each.key for each in sources), *others.values()
        return self._once(key, lambda: make(*map(self._plane, sources), **others))

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in self._now:
            self._now[key] = self._last[key] if key in self._last else make()
        return self._now[key]


def _is_of(key: Any, sources: set[Hashable]) -> bool:
    """Return whether a cache key is of these planes, along any line."""
    return all(
        each is None or isinstance(each, Line | bool) or each in sources
        for each in key[1:]
    )


def gain(plane: Plane) -> Any:
    """S over the gains."""
    axis = 2 if plane.is_rgb else None
    return gain_curve(plane.pixels, axis, plane.has_alpha)


def spectrum(plane: Plane) -> Any:
    """The spectrum with its fit."""
    return plane_spectrum(plane.grey)


def edge(plane: Plane) -> Line | None:
    """The line across the strongest edge."""
    return strongest_edge(plane.grey)


_OF_THE_IMAGE: dict[str, Callable[[Plane], Any]] = {"gain": gain, "spectrum": spectrum}
