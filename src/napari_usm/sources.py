"""Files that an image came from: how a program reads the same pixels again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import combinations, cycle, islice, product
from math import prod, sqrt
from operator import itemgetter
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from napari_usm._filters.attribute import cached_attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Spans = tuple[slice, ...]

# Bytes of an image that are compared pixel by pixel; of a larger one, so many blocks of
# so many pixels are. The checksums of programs that were copied depend on these.
_WHOLE = 2**25
_BLOCKS = 32
_BLOCK = 2**16
_SIDE = 256

# Ways to take a layer's pixels out of a file, and arrays in a file, that are tried.
_VIEWS = 1024
_ARRAYS = 256

_PRIMES = 2, 3, 5, 7, 11, 13, 17, 19

# Bytes of a page of a TIFF file, which can be read as a whole only.
_LARGEST_PAGE = 2**30


class Pixels(Protocol):
    """An array, or anything with its shape, type and slices."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> Any:
        """Type of a pixel."""

    def __getitem__(self, spans: Any) -> Any:
        """The pixels in these spans, one for each axis."""


class Fingerprint:
    """Pixels of an image for a comparison: all, or blocks of a large one.

    Parameters
    ----------
    pixels : array-like
        Read when a comparison needs it, once.
    """

    def __init__(self, pixels: Pixels) -> None:
        self.shape = tuple(int(length) for length in pixels.shape)
        self.dtype = np.dtype(pixels.dtype)
        self._pixels = pixels
        self._blocks: dict[int, NDArray[Any]] = {}

    @cached_attribute
    def checksum(self) -> str:
        """Return a checksum, the same for any byte order, file or kind of array."""
        digest = hashlib.blake2b(f"{self.shape} {self.dtype.name}".encode())
        for number in range(len(self._places)):
            digest.update(_bytes(self._block(number)))
        return digest.hexdigest()[:16]

    def equals(self, other: Pixels) -> bool:
        """Return whether another image has this shape, type and compared pixels."""
        if tuple(other.shape) != self.shape or _name(other.dtype) != self.dtype.name:
            return False
        return all(
            _bytes(self._block(number)) == _bytes(np.asarray(other[spans]))
            for number, spans in enumerate(self._places)
        )

    def _block(self, number: int) -> NDArray[Any]:
        if number not in self._blocks:
            spans = self._places[number]
            self._blocks[number] = np.asarray(self._pixels[spans])
        return self._blocks[number]

    @cached_attribute
    def _places(self) -> list[Spans]:
        places = _blocks_of(self.shape)
        if prod(self.shape) * self.dtype.itemsize > _WHOLE:
            return places
        # The middle tells most images apart, before all is read.
        return [places[0], tuple(slice(0, length) for length in self.shape)]


def checksum(image: Pixels) -> str:
    """Checksum of an image by its shape, type and pixels.

    Parameters
    ----------
    image : array-like
        Of more than 32 MiB, blocks all over it are read and no more.

    Returns
    -------
    str
        The same for the same pixels, in whatever byte order or kind of array they are.

    Examples
    --------
    >>> import numpy as np
    >>> checksum(np.arange(6, dtype="uint16").reshape(2, 3))
    'c3381349c7dda7d0'
    """
    return Fingerprint(image).checksum


class View(NamedTuple):
    """A view of an image in an array that holds more, or in another order.

    Attributes
    ----------
    taken : tuple of int or None
        For each axis of the array the one place that is taken, or all.
    order : tuple of int
        Of the axes that are left, as the image has them.
    shape : tuple of int
        That of the image.
    """

    taken: tuple[int | None, ...]
    order: tuple[int, ...]
    shape: tuple[int, ...]

    def written(self, is_array: bool) -> str:
        """Return the indexing of the view as Python."""
        text = more = ""
        axes = [axis for axis, at in enumerate(self.taken) if at is not None]
        if axes:
            places = [":" if at is None else str(at) for at in self.taken]
            before, behind = axes[0], len(places) - 1 - axes[-1]
            if before > behind:
                places = ["...", *places[before:]]
            else:
                places = places[: len(places) - behind]
            text = f"[{', '.join(places)}]"
        if self.order != tuple(range(len(self.order))):
            more = f".transpose{self.order}"
        if len(self.order) != len(self.shape):
            more += f".reshape({', '.join(map(str, self.shape))})"
        if more and not text and not is_array:
            text = "[...]"
        return text + more


class _Viewed:
    """The image that a view takes out of an array, read in parts."""

    def __init__(self, array: Pixels, view: View) -> None:
        self._array, self._view = array, view
        self.shape, self.dtype = view.shape, array.dtype

    def __getitem__(self, spans: Spans) -> NDArray[Any]:
        """The pixels in these spans."""
        taken, order, shape = self._view
        long = iter([span for span, n in zip(spans, shape, strict=True) if n > 1])
        kept = [axis for axis, at in enumerate(taken) if at is None]
        there = [slice(0, 1) if at is None else slice(at, at + 1) for at in taken]
        for place in order:
            if self._array.shape[kept[place]] > 1:
                there[kept[place]] = next(long)
        block = np.asarray(self._array[tuple(there)])
        dropped = tuple(axis for axis, at in enumerate(taken) if at is not None)
        block = block.squeeze(dropped).transpose(order)
        return block.reshape([span.stop - span.start for span in spans])


def views(array: tuple[int, ...], image: tuple[int, ...]) -> Iterator[View]:
    """Ways to take an image of one shape out of an array of another, simple ones first.

    Axes are left out at one place, one axis is moved, axes of length 1 come and go.
    """
    if array == image:
        yield View((None,) * len(array), tuple(range(len(array))), image)
    long = [axis for axis, length in enumerate(array) if length > 1]
    lengths = [length for length in image if length > 1]
    for is_moved in (False, True):
        for kept in combinations(long, len(lengths)):
            dropped = [axis for axis in long if axis not in kept]
            if not (is_moved or dropped or array != image):
                continue
            for order in _moves(len(kept)) if is_moved else [tuple(range(len(kept)))]:
                if [array[kept[place]] for place in order] != lengths:
                    continue
                for places in product(*(range(array[axis]) for axis in dropped)):
                    at = dict(zip(dropped, places, strict=True))
                    taken = [
                        None if axis in kept else at.get(axis, 0)
                        for axis in range(len(array))
                    ]
                    yield View(tuple(taken), order, image)


def _moves(count: int) -> Iterator[tuple[int, ...]]:
    """Orders of axes of which one was moved."""
    seen = {tuple(range(count))}
    for source, target in product(range(count), repeat=2):
        order = [axis for axis in range(count) if axis != source]
        order.insert(target, source)
        if tuple(order) not in seen:
            seen.add(tuple(order))
            yield tuple(order)


@dataclass(frozen=True)
class Reading:
    """Code that reads an image from a file, or the reason why there is none.

    Attributes
    ----------
    module : str
        What it imports.
    function : str
        What it calls with the path.
    path : str
        The file, or an array inside of one.
    options : tuple of str
        Arguments behind the path.
    view : str
        What is taken of what was read, as it is written behind it.
    problem : str
        Why the file is not read, if it is not.
    checksum : str, optional
        That of the pixels, if they could be compared.
    """

    module: str = ""
    function: str = ""
    path: str = ""
    options: tuple[str, ...] = ()
    view: str = ""
    problem: str = ""
    checksum: str | None = None


_TIFF = Reading("tifffile", "tifffile.imread")
_NUMPY = Reading("numpy as np", "np.load")
_PICTURE = Reading("skimage.io", "skimage.io.imread")
_ZARR = Reading("zarr", "zarr.open_array", options=('mode="r"',))
_READINGS = {
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".npy": _NUMPY,
    ".png": _PICTURE,
    ".jpg": _PICTURE,
    ".jpeg": _PICTURE,
    ".bmp": _PICTURE,
}


def reading_of(path: Any) -> Reading:
    """Return the code that reads a file, judged by its name."""
    if path is None:
        return Reading()
    unknown = Reading(path=str(path), problem="no reader of such files is known here")
    if "://" in str(path):
        return unknown
    # Windows' rules split the paths of all systems.
    known = PureWindowsPath(path)
    if any(part.lower().endswith(".zarr") for part in known.parts):
        return replace(_ZARR, path=str(path))
    found = _READINGS.get(known.suffix.lower())
    return unknown if found is None else replace(found, path=str(path))


def find_reading(path: Any, pixels: Pixels) -> Reading:
    """Return the code that reads the pixels of an image from its file.

    The file is compared with the image: its arrays, series and levels, at each place
    of an axis that the image does not have. Where none is equal, or something cannot
    be read, the problem is said.
    """
    known = reading_of(path)
    image = Fingerprint(pixels)
    try:
        checksum = image.checksum
    except Exception as error:  # readers of files raise what they like
        return Reading(path=known.path, problem=_unreadable("the layer", error))
    if not known.function:
        return replace(known, checksum=checksum)
    problem = "no part of it that was compared holds the pixels of the layer"
    try:
        for reading, array in islice(_ARRAYS_OF[known.module](known), _ARRAYS):
            if _name(array.dtype) != image.dtype.name:
                continue
            shape = tuple(int(length) for length in array.shape)
            for view in islice(views(shape, image.shape), _VIEWS):
                if image.equals(_Viewed(array, view)):
                    written = view.written(known.module != _ZARR.module)
                    return replace(reading, view=written, checksum=checksum)
    except Exception as error:  # as above
        problem = _unreadable("it", error)
    return Reading(path=known.path, problem=problem, checksum=checksum)


def _unreadable(what: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{what} could not be read ({type(error).__name__}: {said})"


def _in_tiff(known: Reading) -> Iterator[tuple[Reading, Pixels]]:
    """All series of a TIFF file, and all their levels, as they are."""
    import tifffile

    with tifffile.TiffFile(known.path) as file:
        for number, series in enumerate(file.series):
            options = (f"series={number}",) if number else ()
            for rank, level in enumerate(series.levels):
                here = (*options, f"level={rank}") if rank else options
                yield (
                    replace(known, options=here),
                    _in_series(known, number, rank, level),
                )


def _in_series(known: Reading, number: int, rank: int, level: Any) -> Pixels:
    import tifffile

    if level.dataoffset is None:
        return _Pages(level)
    mapped: Pixels = tifffile.memmap(known.path, series=number, level=rank, mode="r")
    return mapped


def _in_numpy(known: Reading) -> Iterator[tuple[Reading, Pixels]]:
    yield known, np.load(known.path, mmap_mode="r")


def _in_picture(known: Reading) -> Iterator[tuple[Reading, Pixels]]:
    import skimage.io
    from PIL import Image

    with Image.open(known.path) as picture:
        picture.verify()  # of a broken one scikit-image leaves files open
    yield known, skimage.io.imread(known.path)


def _in_zarr(known: Reading) -> Iterator[tuple[Reading, Pixels]]:
    """The array, or all arrays of a group: those that OME metadata list come first."""
    import zarr

    node: Any = zarr.open(known.path, mode="r")
    if hasattr(node, "shape"):
        yield known, node
        return
    for inner, array in _arrays_of_group(node):
        yield replace(known, path=f"{known.path}/{inner}"), array


def _arrays_of_group(group: Any) -> Iterator[tuple[str, Any]]:
    attributes = dict(group.attrs)
    attributes |= attributes.get("ome") or {}
    listed = [
        level["path"]
        for image in attributes.get("multiscales") or ()
        for level in image["datasets"]
    ]
    for name in listed:
        yield name, group[name]
    for name, array in sorted(group.arrays(), key=itemgetter(0)):
        if name not in listed:
            yield name, array
    for name, inner in sorted(group.groups(), key=itemgetter(0)):
        for path, array in _arrays_of_group(inner):
            if f"{name}/{path}" not in listed:
                yield f"{name}/{path}", array


_ARRAYS_OF: dict[str, Callable[[Reading], Iterator[tuple[Reading, Pixels]]]] = {
    _TIFF.module: _in_tiff,
    _NUMPY.module: _in_numpy,
    _PICTURE.module: _in_picture,
    _ZARR.module: _in_zarr,
}


class _Pages:
    """An image of a TIFF file, of which no more is read than the pages asked for."""

    def __init__(self, series: Any) -> None:
        self.shape, self.dtype = tuple(series.shape), series.dtype
        self._series = series
        self._last: tuple[int, NDArray[Any]] = -1, np.empty(0)
        pages, self._outer = len(series.pages), 0
        while prod(self.shape[: self._outer]) < pages:
            self._outer += 1
        self._page_shape = self.shape[self._outer :]

    def __getitem__(self, spans: Spans) -> NDArray[Any]:
        """The pixels in these spans."""
        nbytes = prod(self._page_shape) * np.dtype(self.dtype).itemsize
        if nbytes > _LARGEST_PAGE:
            raise ValueError(f"one page holds {nbytes / 2**30:.1f} GiB")
        outer, inner = spans[: self._outer], spans[self._outer :]
        numbers = np.arange(len(self._series.pages))
        asked = numbers.reshape(self.shape[: self._outer])[outer]
        pages = [self._page(int(number))[inner] for number in asked.flat]
        return np.stack(pages).reshape(asked.shape + pages[0].shape)

    def _page(self, number: int) -> NDArray[Any]:
        if self._last[0] != number:
            page = self._series.pages[number].asarray()
            self._last = number, page.reshape(self._page_shape)
        return self._last[1]


def _blocks_of(shape: tuple[int, ...]) -> list[Spans]:
    """The middle, corners and places all over an image, which no grid can avoid."""
    sides, left = [], _BLOCK
    for length in reversed(shape):
        sides.append(max(1, min(length, _SIDE, left)))
        left //= sides[-1]
    sides.reverse()
    ends = [(0.0, 1.0) if side > 1 else (0.5,) for side in sides]
    fractions = [(0.5,) * len(shape), (0.0,) * len(shape), (1.0,) * len(shape)]
    fractions += product(*ends)
    roots = [sqrt(prime) for prime, _ in zip(cycle(_PRIMES), shape, strict=False)]
    fractions += [tuple(n * root % 1 for root in roots) for n in range(1, _BLOCKS)]
    starts = dict.fromkeys(
        tuple(
            int(part * max(0, length - side))
            for part, length, side in zip(place, shape, sides, strict=True)
        )
        for place in fractions[:_BLOCKS]
    )
    return [
        tuple(slice(n, n + side) for n, side in zip(start, sides, strict=True))
        for start in starts
    ]


def _bytes(block: NDArray[Any]) -> bytes:
    dtype = block.dtype.newbyteorder("=")
    # Of longer ones some bytes mean nothing.
    dtype = np.dtype("float64") if dtype == np.dtype("longdouble") else dtype
    return np.ascontiguousarray(block, dtype).tobytes()


def _name(dtype: Any) -> str:
    name: str = np.dtype(dtype).name
    return name
