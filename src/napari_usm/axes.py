"""Names of axes: which of them are filtered, and sentences that say so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from napari_usm import arguments
from napari_usm._filters.attribute import cached_attribute

PLANES, VOLUMES = "planes", "volumes"

# The unit of a sigma where pixels have no length, or nobody asks for it.
PIXELS = "px"

# Below this sigma a pixel gives less than half a percent to each neighbour.
_NARROW = 0.3

# Names of axes along which pixels are no neighbours, in the singular: they are never
# filtered. A unit of time says the same.
_NOT_SPATIAL = {
    *("t", "time", "timepoint", "frame", "cycle", "repeat", "date"),
    *("c", "ch", "channel", "color", "colour", "rgb", "stain", "dye", "fluorophore"),
    *("wavelength", "lambda", "λ", "wl", "band", "spectrum", "spectral"),
    *("emission", "excitation", "lifetime", "polarization", "polarisation"),
    *("phase", "angle", "rotation", "illumination", "event", "component", "feature"),
    *("p", "pos", "position", "scene", "series", "v", "view", "tile", "mosaic"),
    *("well", "field", "fov", "site", "sample", "subject", "item", "batch"),
}

# Names of the axes in space.
_SPATIAL = {
    "z": {"z", "depth", "slice", "section", "plane", "focus"},
    "y": {"y", "row", "height"},
    "x": {"x", "col", "column", "width"},
}
_KNOWN = _NOT_SPATIAL.union(*_SPATIAL.values())

# What napari calls an axis that nobody has named: "-3", in older ones "axis -3".
_UNNAMED = re.compile(r"(?:axis )?(-?\d+)")


@dataclass(frozen=True)
class Axes:
    """The axes of an image, without its channels.

    Attributes
    ----------
    labels : sequence of str
        As the image has them.
    timed : sequence of bool, optional
        Whether the unit of each axis is one of time.

    Examples
    --------
    >>> axes = Axes(("frames", "z", "y", "x"))
    >>> axes.plane, axes.depth
    ((2, 3), (1,))
    >>> axes.filtered(VOLUMES)
    (1, 2, 3)
    """

    labels: Sequence[str]
    timed: Sequence[bool] = ()

    @cached_attribute
    def names(self) -> tuple[str, ...]:
        """Names to show: the labels, or what is known of axes without one."""
        plane = dict(zip(reversed(self.plane), "XY", strict=False))
        names = []
        for axis, label in enumerate(self.labels):
            if unnamed := _UNNAMED.fullmatch(label):
                names.append(plane.get(axis, f"axis {unnamed[1]}"))
            else:
                names.append(label.upper() if len(label) == 1 else label)
        return tuple(names)

    @cached_attribute
    def plane(self) -> tuple[int, ...]:
        """Axes of a plane: Y and X by their names, or the last two but for Z."""
        y, x, z = map(self._named, "yxz")
        if len(y) == 1 and len(x) == 1:
            return tuple(sorted((*y, *x)))
        flat = [axis for axis in self._spatial if axis not in z]
        return tuple((flat if len(flat) > 1 else self._spatial)[-2:])

    @cached_attribute
    def depth(self) -> tuple[int, ...]:
        """Axes that may be Z: the one of that name, or all others in space."""
        if self.has_z:
            return self._named("z")
        return tuple(axis for axis in self._spatial if axis not in self.plane)

    @cached_attribute
    def has_z(self) -> bool:
        """True if a name says which axis is Z; otherwise the user has to choose it."""
        z = self._named("z")
        return len(z) == 1 and z[0] not in self.plane

    def filtered(
        self, dimensions: str | Sequence[str], z_axis: int | None = None
    ) -> tuple[int, ...]:
        """Return the axes to filter: those of planes, of volumes, or those of names.

        Parameters
        ----------
        dimensions : str or sequence of str
            "planes"; "volumes", along `z_axis` too; or names of axes, such as "ZYX" or
            ("depth", "row"): labels or common names of Z, Y and X, in any case.
        z_axis : int, optional
            Z, where no label says which axis it is.

        Returns
        -------
        tuple of int
            In the order of the image, or in that of the names.

        Raises
        ------
        TypeError, ValueError
            If there is no such axis, if it must not be filtered, or if nothing says
            which of them is Z.

        Examples
        --------
        >>> Axes(("frames", "z", "row", "column")).filtered("XY")
        (3, 2)
        """
        plane = self.plane
        if not plane:
            raise ValueError(
                "`layer` must have an axis in space: one that is neither time nor "
                f"channel, nor the like; got {tuple(self.labels)}"
            )
        if not isinstance(dimensions, str):
            return self._by_names(dimensions, z_axis)
        if dimensions == PLANES:
            return plane
        if dimensions != VOLUMES:
            return self._by_names(dimensions, z_axis)
        if not self.depth:
            raise ValueError(
                f"`dimensions` must be '{PLANES}' where no axis may be Z, as in "
                f"{tuple(self.labels)}; got {dimensions!r}"
            )
        return tuple(sorted((self._z(z_axis), *plane)))

    def sentence(self, shape: Sequence[int], filtered: Sequence[int]) -> str:
        """Return a sentence: which axes are filtered together, and how often.

        Examples
        --------
        >>> Axes(("z", "y", "x")).sentence((20, 512, 512), (1, 2))
        'Filters Y and X of each of 20 planes'
        """
        one, many = {1: ("line", "lines"), 2: ("plane", "planes")}.get(
            len(filtered), ("volume", "volumes")
        )
        count = prod(n for axis, n in enumerate(shape) if axis not in filtered)
        parts = f"the {one}" if count == 1 else f"each of {count} {many}"
        return f"Filters {self.listed(filtered)} of {parts}"

    def main(self, filtered: Sequence[int]) -> int:
        """Return the filtered axis whose pixels a slider counts: X, or the last one."""
        named = self.names
        x = self._named("x")
        return next((a for a in filtered if a in x or named[a] == "X"), filtered[-1])

    def listed(self, chosen: Sequence[int]) -> str:
        """Return names as in a sentence: "Z, Y and X"."""
        *first, last = (self.names[axis] for axis in chosen)
        return f"{', '.join(first)} and {last}" if first else last

    def _z(self, z_axis: int | None) -> int:
        """Return the axis that is Z, by its name or as chosen."""
        candidates = self.depth
        if z_axis is None and self.has_z:
            z_axis = candidates[0]
        if z_axis not in candidates:
            raise ValueError(
                f"`z_axis` must say which axis is Z, one of {candidates}; "
                f"got {z_axis!r}"
            )
        return z_axis

    def _by_names(self, names: Any, z_axis: int | None) -> tuple[int, ...]:
        """Return the axes that have these names, in their order."""
        spatial = self._spatial
        rule = (
            f"`dimensions` must be '{PLANES}', '{VOLUMES}' or names of axes in space, "
            f"without repeats, here {self.listed(spatial)}; got {names!r}"
        )
        is_sequence = isinstance(names, Sequence) and not isinstance(names, bytes)
        if not is_sequence or not all(isinstance(name, str) for name in names):
            raise TypeError(rule)
        chosen: list[int] = []
        for name in names:
            found = self._called(name)
            if not found and letter_of(name) == "z" and self.depth:
                found = [self._z(z_axis)]
            if len(found) > 1:
                raise ValueError(f"{rule}: {name!r} is the name of several")
            if not found or found[0] not in spatial or found[0] in chosen:
                raise ValueError(f"{rule}: {name!r}")
            chosen += found
        if not chosen:
            raise ValueError(rule)
        return tuple(chosen)

    def _called(self, name: str) -> list[int]:
        """Return the axes that are called so: by the label, as shown, or as usual."""
        letter = letter_of(name)
        tries = (name, self.labels), (name, self.names), (letter, self.names)
        for wanted, calls in tries:
            word = wanted.lower()
            found = [axis for axis, call in enumerate(calls) if call.lower() == word]
            if word and found:
                return found
        return list(self._named(letter)) if letter else []

    @cached_attribute
    def _spatial(self) -> list[int]:
        """Axes whose neighbouring pixels are neighbours in space."""
        return [axis for axis in range(len(self.labels)) if self._is_spatial(axis)]

    def _is_spatial(self, axis: int) -> bool:
        """Return what the name says, and the unit where that says nothing."""
        word = _word(self.labels[axis])
        if word in _KNOWN:
            return word not in _NOT_SPATIAL
        return not (axis < len(self.timed) and self.timed[axis])

    def _named(self, name: str) -> tuple[int, ...]:
        """Return the axes in space that have one of the names of Z, Y or X."""
        words = _SPATIAL[name]
        return tuple(
            axis for axis in self._spatial if _word(self.labels[axis]) in words
        )


def letter_of(name: str) -> str:
    """Return which of z, y and x a name stands for, if any.

    Examples
    --------
    >>> letter_of("Rows"), letter_of("t")
    ('y', '')
    """
    word = _word(name)
    return next((letter for letter, words in _SPATIAL.items() if word in words), "")


@lru_cache(256)
def _word(label: str) -> str:
    """Return the word that says what an axis is: "Time points" is a timepoint.

    Examples
    --------
    >>> [_word(label) for label in ("T", "Frames", "position z", "time index")]
    ['t', 'frame', 'z', 'time']
    """
    parts: list[str] = re.findall(r"[^\W\d_]+", label.lower())
    letters = [part for part in parts if part in _SPATIAL]
    for word in ("".join(parts), *letters, *parts):
        for form in (word, word.removesuffix("s")):
            if form in _KNOWN:
                return form
    return "".join(parts)


def sigma_in_pixels(sigma: Any, steps: Sequence[float]) -> tuple[float, ...]:
    """A sigma in pixels, per axis: a length over those of the axes' pixels.

    Raises
    ------
    TypeError, ValueError
        If it is neither one length nor one for each axis.

    Examples
    --------
    >>> sigma_in_pixels(0.5, (2.0, 0.25, 0.25))
    (0.25, 2.0, 2.0)
    """
    lengths = arguments.per_axis("sigma", sigma, len(steps), minimum=0)
    return tuple(length / step for length, step in zip(lengths, steps, strict=True))


def sigma_sentence(
    sigma: float, unit: str, others: Sequence[float], other_unit: str
) -> str:
    """A sigma in one unit, and in another along each filtered axis.

    Examples
    --------
    >>> sigma_sentence(0.35, "µm", (0.22, 3.24, 3.24), "px")
    '0.35 µm = 0.22 × 3.2 × 3.2 px'
    """
    product = " × ".join(figures(other, 2) for other in others)
    return f"{figures(sigma, 4)} {unit} = {product} {other_unit}"


def too_narrow(axes: Axes, pixels: Sequence[float], filtered: Sequence[int]) -> str:
    """Return along which axes a sigma, in pixels per filtered axis, hardly blurs.

    Examples
    --------
    >>> too_narrow(Axes(("z", "y", "x")), (0.2, 1.0, 1.0), (0, 1, 2))
    'too narrow along Z to matter'
    """
    pairs = zip(filtered, pixels, strict=True)
    narrow = [axis for axis, sigma in pairs if sigma < _NARROW]
    return f"too narrow along {axes.listed(narrow)} to matter" if narrow else ""


def figures(value: float, count: int) -> str:
    """A number in so many figures, or all of those before its point; no exponent.

    Examples
    --------
    >>> figures(0.34567, 2), figures(2.0, 2), figures(1234.5, 2)
    ('0.35', '2', '1234')
    """
    return np.format_float_positional(
        value,
        precision=max(count, len(str(int(abs(value))))),
        unique=False,
        fractional=False,
        trim="-",
    )
