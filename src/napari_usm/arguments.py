"""One check for each kind of argument; each names argument, rule and value."""

from __future__ import annotations

import marshal
import operator
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

# Values of these types are serialised to the same bytes only if they are the same: 1
# differs from True and 1.0, 0.0 from -0.0.
_PLAIN = frozenset({bool, float, int, str, type(None)})
_DTYPES = frozenset({bool, float, int, *np.sctypeDict.values()})


# Of `marshal`: the first that is exact for floats, and the last that does not depend on
# how often a value is referred to.
_VERSION = 2


def cache_key(parameters: dict[str, Any]) -> bytes | None:
    """Return bytes that stand for parameters; None if they may change later.

    Parameters that differ by type alone, or by the sign of a zero, have other bytes.
    """
    if not _PLAIN.issuperset(map(type, parameters.values())):
        if not all(map(_is_constant, parameters.values())):
            return None
        parameters = {name: _plainly(value) for name, value in parameters.items()}
    return marshal.dumps(parameters, _VERSION)


def _plainly(value: Any) -> Any:
    """Return a type as bytes, which no parameter is; anything else as it is."""
    is_dtype = isinstance(value, type | np.dtype)
    return repr(value).encode() if is_dtype else value


def _is_constant(value: Any) -> bool:
    """Return whether a value cannot change, and has bytes that no other has."""
    kind = type(value)
    if kind is tuple:
        return _PLAIN.issuperset(map(type, value))
    if kind is type:
        return value in _DTYPES
    return kind in _PLAIN or isinstance(value, np.dtype)


def plain(value: Any) -> Any:
    """Numbers and arrays of numpy as those of Python; anything else as it is."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def real(name: str, value: Any, minimum: float = -np.inf) -> float:
    """A finite real number of at least `minimum`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"`{name}` must be a real number; got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond any float
        number = np.inf
    if not np.isfinite(number):
        raise ValueError(f"`{name}` must be finite; got {value!r}")
    if number < minimum:
        raise ValueError(f"`{name}` must be at least {minimum:g}; got {value!r}")
    return number


def threshold(name: str, value: Any) -> tuple[float, bool]:
    """A limit of at least 0, and whether it is a multiple of the noise."""
    if not isinstance(value, str):
        return real(name, value, minimum=0), False
    number, _, unit = value.strip().partition(" ")
    try:
        multiple = float(number)
    except ValueError:
        unit = ""
    if unit.strip() != "noise":
        raise ValueError(
            f"`{name}` must be a number or a multiple of the noise, such as "
            f"'3 noise'; got {value!r}"
        )
    if not 0 <= multiple < np.inf:
        raise ValueError(
            f"`{name}` must be a finite multiple of at least 0; got {value!r}"
        )
    return multiple, True


def reals(name: str, values: Any, minimum: float = -np.inf) -> tuple[float, ...]:
    """Finite real numbers, each at least `minimum`."""
    values = plain(values)
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise TypeError(f"`{name}` must be a sequence of real numbers; got {values!r}")
    return tuple(real(name, value, minimum) for value in values)


def per_axis(
    name: str, value: Any, count: int, minimum: float = -np.inf
) -> tuple[float, ...]:
    """One number for all filtered axes, or one for each of the `count`."""
    value = plain(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        numbers = reals(name, value, minimum)
        if len(numbers) != count:
            raise ValueError(
                f"`{name}` must be one number or one per filtered axis ({count}); "
                f"got {len(numbers)}: {value!r}"
            )
        return numbers
    return (real(name, value, minimum),) * count


def above(name: str, value: Any, bound: float) -> float:
    """A finite real number above `bound`."""
    number = real(name, value)
    if number <= bound:
        raise ValueError(f"`{name}` must be above {bound:g}; got {value!r}")
    return number


def pair(name: str, value: Any, minimum: float) -> tuple[float, float]:
    """Two finite real numbers, each at least `minimum`."""
    numbers = reals(name, value, minimum)
    if len(numbers) != 2:
        raise ValueError(f"`{name}` must be two numbers; got {value!r}")
    first, second = numbers
    return first, second


def integer(name: str, value: Any, minimum: int | None = None) -> int:
    """A whole number of at least `minimum`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"`{name}` must be an integer; got {value!r}")
    number = operator.index(value)
    if minimum is not None and number < minimum:
        raise ValueError(f"`{name}` must be at least {minimum}; got {value!r}")
    return number


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` must be True or False; got {value!r}")
    return bool(value)


def choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of the words `choices`."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be one of {tuple(choices)}; got {value!r}")
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {tuple(choices)}; got {value!r}")
    return value


def axis(name: str, value: Any, dimensions: int) -> int:
    """An axis of an array with that many dimensions, counted from 0."""
    number = integer(name, value)
    if not -dimensions <= number < dimensions:
        raise ValueError(
            f"`{name}` must lie in {-dimensions}..{dimensions - 1} for an image of "
            f"{dimensions} dimensions; got {value!r}"
        )
    return number % dimensions


def filtered_axes(
    axes: Any, dimensions: int, channel_axis: int | None = None
) -> tuple[int, ...]:
    """The axes along which to filter, counted from 0: by default all but channels."""
    if axes is None:
        chosen = [each for each in range(dimensions) if each != channel_axis]
        if not chosen:
            raise ValueError(
                "`image` must have at least one axis to filter; "
                f"got {dimensions} dimensions with `channel_axis` {channel_axis}"
            )
        return tuple(chosen)
    if isinstance(axes, str) or not np.iterable(axes):
        raise TypeError(f"`axes` must be a sequence of integers; got {axes!r}")
    chosen = [axis("axes", each, dimensions) for each in axes]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"`axes` must be one or more, each once; got {axes!r}")
    if channel_axis in chosen:
        raise ValueError(
            f"`axes` must not hold `channel_axis` ({channel_axis}); got {axes!r}"
        )
    # In the order given: sigma and spacing are one for each of them.
    return tuple(chosen)


def limits(value: Any) -> None:
    """None, "data", or a pair of numbers (infinite ones too) in order."""
    if value is None:
        return
    if isinstance(value, str):
        if value != "data":
            raise ValueError(
                f'`limits` must be None, "data" or (low, high); got {value!r}'
            )
        return
    value = plain(value)
    if not isinstance(value, Sequence):
        raise TypeError(f'`limits` must be None, "data" or (low, high); got {value!r}')
    pair = list(value)
    if any(isinstance(v, bool) or not isinstance(v, Real) for v in pair):
        raise TypeError(f"`limits` must be two real numbers; got {value!r}")
    if len(pair) != 2 or not pair[0] <= pair[1]:
        raise ValueError(
            f"`limits` must be (low, high) with low <= high; got {value!r}"
        )


def unmasked(name: str, image: Any) -> None:
    """Raise for a masked array, also as a dask array, in a container or in a list."""
    if isinstance(image, np.ma.MaskedArray):
        raise TypeError(
            f"`{name}` must not be a masked array, whose mask would be ignored: fill "
            "it, or set masked pixels to NaN, as by "
            f"`{name}.astype(float).filled(np.nan)`; got {type(image).__name__}"
        )
    if isinstance(image, (list, tuple)):
        for each in image:
            unmasked(name, each)
    elif not isinstance(image, np.ndarray):
        # Those of dask have an example of their chunks, those of xarray an array.
        for within in ("_meta", "data"):
            held = getattr(image, within, None)
            if held is not image and hasattr(held, "__array__"):
                unmasked(name, held)


def real_type(name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A boolean, integer or real floating type, in this machine's byte order."""
    if dtype.kind not in "buif":
        raise TypeError(f"`{name}` must be bool, integer or real; got {dtype}")
    return dtype.newbyteorder("=")


def weight(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a weight as an array of numpy or dask, broadcast to `shape`.

    The values of a dask array are checked when they are computed.
    """
    array = value if hasattr(value, "__dask_graph__") else np.asarray(value)
    unmasked("weight", value)
    real_type("weight", array.dtype)
    try:
        np.broadcast_shapes(array.shape, shape)
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            "`weight` must broadcast to the shape of the image without its channels, "
            f"{shape}; got shape {array.shape}"
        )
    if isinstance(array, np.ndarray):
        fractions("weight", array)
    return np.broadcast_to(array, shape)


def fractions(name: str, values: np.ndarray[Any, Any]) -> None:
    """Raise unless all values lie from 0 to 1."""
    # One comparison finds NaN too.
    inside = (values >= 0) & (values <= 1)
    if not inside.all():
        wrong = values[~inside].flat[0]
        raise ValueError(f"`{name}` must lie from 0 to 1 at all pixels; got {wrong}")


def out(
    value: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    sources: Mapping[str, Any],
) -> None:
    """Raise unless a result of this shape and type can be written into an array.

    It must not share memory with any of the `sources`, by the names of their arguments.
    """
    if not isinstance(value, np.ndarray):
        raise TypeError(f"`out` must be a numpy array; got {type(value).__name__}")
    if value.shape != shape:
        raise ValueError(f"`out` must have shape {shape}; got {value.shape}")
    if value.dtype != dtype:
        raise TypeError(f"`out` must have dtype {dtype}; got {value.dtype}")
    if not value.flags.writeable:
        raise ValueError("`out` must be writeable; got a read-only array")
    if not value.flags.c_contiguous:
        raise ValueError(
            f"`out` must be C-contiguous; got strides {value.strides} of shape {shape}"
        )
    for name, source in sources.items():
        # Of a container, such as xarray's, the array within.
        held = source if isinstance(source, np.ndarray) else getattr(source, "data", 0)
        if isinstance(held, np.ndarray) and np.may_share_memory(value, held):
            raise ValueError(
                f"`out` must not share memory with `{name}`, which is read on"
            )
