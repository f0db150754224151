"""Physical geometry of an image: the steps from pixel to pixel along its axes.

Everything that depends on the shape of a voxel comes from here: sigma in a unit of
length, the spacing of the Laplacian, and the sentences about both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np
import pint

from napari_usm import axes
from napari_usm._engine.fork import ForkLock
from napari_usm.axes import Axes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# A rotation leaves this much of a pixel's length, or less, on axes that it spares.
_ROUNDING = 1e-9

# Axes whose cosine is larger are not at right angles: half a degree.
_SKEW = 0.01

_lock = ForkLock()

# A step that was converted from one unit to another shall be the same number again.
_FIGURES = 12


@dataclass(frozen=True)
class Geometry:
    """Axes of an image without its channels, and their places in the world.

    Attributes
    ----------
    name : str
        Name of the image, for messages.
    labels : sequence of str
        Labels of the axes.
    matrix : callable
        Returns the linear part of the transform from pixels to the world, (N, N). It
        is called when a length is needed: napari takes 0.1 ms for it.
    units : sequence of pint.Unit
        Unit of each axis of the world.
    """

    name: str
    labels: Sequence[str]
    matrix: Callable[[], NDArray[np.float64]]
    units: Sequence[pint.Unit]

    @property
    def axes(self) -> Axes:
        """Return the axes, by their labels and units."""
        return axes_of(self.labels, self.units)

    def length_units(self, filtered: Sequence[int]) -> dict[str, float]:
        """Return units for a sigma, each with the length of a pixel along X.

        The unit of X comes first. There is none if an axis has no length: time, or
        pixels without a known size.
        """
        main = self.axes.main(filtered)
        found = {}
        for name in dict.fromkeys(
            _name(self.units[axis]) for axis in (main, *filtered)
        ):
            try:
                steps = self.pixel_steps(filtered, name)
            except ValueError:
                continue
            found[name] = steps[filtered.index(main)]
        return found

    def pixel_steps(self, filtered: Sequence[int], unit: str) -> tuple[float, ...]:
        """Return the length of one step from pixel to pixel along each filtered axis.

        Raises
        ------
        ValueError
            If the unit is none of length, or if an axis has no length.
        """
        steps = self._steps(filtered, self._factors(unit))
        for axis, step in zip(filtered, steps, strict=True):
            if step is None:
                raise ValueError(
                    f"`sigma` must be in '{axes.PIXELS}' for '{self.name}', where "
                    f"{self.axes.names[axis]} has no length (its unit is "
                    f"'{self.units[axis]}'); got '{unit}'"
                )
        return tuple(step for step in steps if step is not None)

    def spacing(self, filtered: Sequence[int]) -> tuple[float, ...]:
        """Return the steps from pixel to pixel, in the unit of the last filtered axis.

        They are plain numbers where no filtered axis has a unit of length.

        Raises
        ------
        ValueError
            If some of the axes have a unit of length, and others have none.
        """
        has_length = [_is_length(self.units[axis]) for axis in filtered]
        if not any(has_length):
            steps = self._steps(filtered, [1.0] * len(self.units))
        elif all(has_length):
            steps = self._steps(
                filtered, self._factors(_name(self.units[filtered[-1]]))
            )
        else:
            steps = [None]
        if None in steps:
            units = [f"{self.axes.names[a]} in {self.units[a]}" for a in filtered]
            raise ValueError(
                "`layer` must have units of length on all axes that are filtered "
                f"together, or on none; got {', '.join(units)} for '{self.name}'"
            )
        return tuple(float(f"{step:.{_FIGURES}g}") for step in steps)

    def skew_line(self, filtered: Sequence[int]) -> str:
        """Return a sentence if filtered axes are not at right angles in the world."""
        unit = self.units[filtered[-1]]
        factors = (
            self._factors(_name(unit)) if _is_length(unit) else [1.0] * len(self.units)
        )
        scales = np.array([[factor or 1.0] for factor in factors])
        vectors = (self.matrix() * scales).T
        for first, second in combinations(filtered, 2):
            one, other = vectors[first], vectors[second]
            lengths = np.linalg.norm(one) * np.linalg.norm(other)
            if lengths and abs(one @ other) > _SKEW * lengths:
                pair = self.axes.listed((first, second))
                return (
                    f"{pair} are not at right angles (shear or affine): filtered along "
                    "the axes, by the step along each"
                )
        return ""

    def sigma_line(self, filtered: Sequence[int], sigma: float, unit: str) -> str:
        """Return a sigma in pixels and as a length, and where it is too narrow."""
        pixels: Sequence[float] = (sigma,) * len(filtered)
        parts = []
        if unit != axes.PIXELS:
            pixels = axes.sigma_in_pixels(sigma, self.pixel_steps(filtered, unit))
            parts.append(axes.sigma_sentence(sigma, unit, pixels, axes.PIXELS))
        elif units := self.length_units(filtered):
            other = next(iter(units))
            lengths = [sigma * step for step in self.pixel_steps(filtered, other)]
            parts.append(axes.sigma_sentence(sigma, axes.PIXELS, lengths, other))
        if narrow := axes.too_narrow(self.axes, pixels, filtered):
            parts.append(narrow)
        line = ", ".join(parts)
        return line[:1].upper() + line[1:]

    def _steps(
        self, filtered: Sequence[int], factors: Sequence[float | None]
    ) -> list[float | None]:
        """Return the length of one step along each filtered axis; None: it has none.

        `factors` converts a number along each axis of the world to a length.
        """
        matrix = self.matrix()
        steps: list[float | None] = []
        for axis in filtered:
            parts = [float(part) for part in matrix[:, axis]]
            least = _ROUNDING * max(abs(part) for part in parts)
            lengths = [
                None if factor is None else part * factor
                for part, factor in zip(parts, factors, strict=True)
                if abs(part) > least
            ]
            known = [length for length in lengths if length is not None]
            steps.append(
                hypot(*known) if known and len(known) == len(lengths) else None
            )
        return steps

    def _factors(self, unit: str) -> list[float | None]:
        """Return the factor to a length in `unit` along each axis of the world."""
        try:
            target = parse_unit(unit)
        except Exception as error:  # pint raises what its parser happens to raise
            raise ValueError(_rule(unit)) from error
        if not _is_length(target):
            raise ValueError(_rule(unit))
        return [
            _registry().convert(1.0, own, target) if _is_length(own) else None
            for own in self.units
        ]


def parse_unit(name: str) -> pint.Unit:
    """Return the unit of a name such as "micrometer"; that of an empty one is a pixel.

    Raises
    ------
    Exception
        If there is no such unit; of which kind, depends on the name.

    Examples
    --------
    >>> str(parse_unit("µm"))
    'micrometer'
    """
    if name and not name.isidentifier():
        # Pint computes terms, such as "m**9**9**9", for ever.
        raise ValueError(f"`unit` must be the name of a unit; got {name!r}")
    unit: pint.Unit = _registry().Unit(name or "pixel")
    return unit


def _registry() -> Any:
    registry = pint.get_application_registry()  # type: ignore[no-untyped-call]
    with _lock:  # it reads its definitions when it is first used, on any thread
        _ = registry.pixel
    return registry


def axes_of(labels: Sequence[str], units: Sequence[pint.Unit]) -> Axes:
    """Return axes by their labels and units."""
    return _axes(tuple(labels), tuple(units))


@lru_cache(64)
def _axes(labels: tuple[str, ...], units: tuple[pint.Unit, ...]) -> Axes:
    # Those of the last images: a dock needs them many times for each new value.
    timed = [dict(unit.dimensionality) == {"[time]": 1} for unit in units]
    return Axes(labels, timed)


def _rule(unit: Any) -> str:
    return f"`sigma` must be in '{axes.PIXELS}' or in a unit of length; got '{unit}'"


@lru_cache(64)
def _is_length(unit: pint.Unit) -> bool:
    # To pint, "px" is a length of style sheets, 1/96 inch; to microscopists never.
    return dict(unit.dimensionality) == {"[length]": 1} and _name(unit) != axes.PIXELS


@lru_cache(64)
def _name(unit: pint.Unit) -> str:
    return f"{unit:~}"
