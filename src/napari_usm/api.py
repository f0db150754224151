"""The public functions that take any method, and the way to the engine."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm import arguments
from napari_usm._engine import memory
from napari_usm._engine.cache import Cache
from napari_usm._engine.plan import Plan, make_plan
from napari_usm._engine.report import Report
from napari_usm._methods import METHODS
from napari_usm._methods.base import Method
from napari_usm.recipe import ImageInfo, Recipe, resolve

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Report",
    "Sharpened",
    "edge_map",
    "prepare",
    "sharpen",
    "sharpened_image",
    "significance",
]


# Plans of the last calls, without pixels: an image like theirs needs no checks.
_plans: Cache[Hashable, Plan] = Cache(128)


@dataclass(frozen=True)
class Sharpened:
    """Results of `sharpen`; of a dask array, all that has to be estimated is lazy.

    Attributes
    ----------
    image : array
        The sharpened image, of the shape of the input.
    edge_map : array of float32
        What was added, for an amount of 1: ``image + amount * edge_map`` is the
        result before limits and cast.
    amount : float or array
        Strength that was applied.
    gain : float, array or None
        ``1 / amount``, for a method that finds it.
    report : Report
        What the method did to the data; of a dask array, a `Delayed` of it.
    """

    image: Any
    edge_map: Any
    amount: Any
    gain: Any
    report: Any


def sharpen(
    image: ArrayLike,
    method: str | Method = "unsharp_mask",
    *,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    **parameters: Any,
) -> Sharpened:
    """Sharpen an image by any method, with the edge map and a report.

    Parameters
    ----------
    image : array
        As for the method's own function.
    method : str or Method, default 'unsharp_mask'
        A name in `METHODS`, or an instance of the class of a method.
    weight : array, optional
        Multiplies the edge map at each pixel, after the threshold: a region with soft
        edges, from 0 to 1. Broadcasts to `image` without its channel axis.
    out : numpy array, optional
        Where the result goes: C-contiguous, of its shape and type. Not for dask.
    **parameters
        Those of the method's own function; none with an instance, which has them.

    Returns
    -------
    Sharpened
        Image, edge map, amount, gain and report.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([10.0, 10, 10, 10, 50, 50, 50, 50])
    >>> found = usm.sharpen(step, "unsharp_mask", sigma=0.5, amount=2)
    >>> bool(np.allclose(found.image, step + found.amount * found.edge_map))
    True
    >>> round(found.report.overshoot, 1)
    8.5
    """
    plan, pixels = prepare(image, method, **parameters)
    weights = _checked_weight(plan, pixels, weight)
    _check_out(plan, pixels, out, weights)
    if is_dask(pixels):
        lazy = _lazy().run(plan, pixels, weight=weights)
        return Sharpened(lazy.image, lazy.edge_map, lazy.amount, lazy.gain, lazy.report)
    return sharpened(
        memory.result_of(memory.run(plan, pixels, weight=weights, out=out))
    )


def sharpened(outcome: memory.Outcome) -> Sharpened:
    """Return the results of a finished run."""
    amount, gain, _ = outcome.fitted.public
    return Sharpened(outcome.image, outcome.edge_map, amount, gain, outcome.report)


def edge_map(
    image: ArrayLike,
    method: str | Method = "unsharp_mask",
    *,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    **parameters: Any,
) -> Any:
    """Return the edge map that a method adds to an image for an amount of 1.

    Parameters
    ----------
    image, method, weight, out, **parameters
        As for `sharpen`; `out` is of float32, and of the shape of the edge map.

    Returns
    -------
    array of float32
        Signed, in the intensity units of `image`: positive where a positive amount
        makes the result brighter. It has no channel axis if one signal made of all
        colours was filtered.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> usm.edge_map(np.array([1.0, 1, 4, 4]), "laplacian_sharpen")
    array([ 0., -3.,  3.,  0.], dtype=float32)
    """
    plan, pixels = prepare(image, method, **parameters)
    weights = _checked_weight(plan, pixels, weight)
    _check_out(plan, pixels, out, weights, is_edge_map=True)
    if is_dask(pixels):
        return _lazy().run(plan, pixels, weight=weights).edge_map
    running = memory.run(
        plan, pixels, want_image=False, want_report=False, weight=weights, out=out
    )
    return memory.result_of(running).edge_map


def significance(
    image: ArrayLike,
    method: str | Method = "unsharp_mask",
    *,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    **parameters: Any,
) -> Any:
    """Return the size of the detail that a method enhances in units of its noise.

    Parameters
    ----------
    image, method, weight, out, **parameters
        As for `edge_map`. Parameters that only change the detail afterwards, such as
        amount, threshold and weight, are checked and have no effect.

    Returns
    -------
    array of float32
        Size of the detail at each pixel in units of the standard deviation of its own
        noise; 0 at invalid pixels, and where the image tells no noise: if it is flat,
        or shorter than 16 pixels. Of the shape of the edge map.

    Raises
    ------
    TypeError, ValueError
        As for `sharpen`, and for a method whose detail has no such noise:
        `auto_unsharp_mask` weights it by the noise already.

    Notes
    -----
    ``|detail| / sqrt(gain * max(a + b * (level - low), floor))`` with the variance of
    the noise of the image a straight line over its intensity [1]_, as
    `auto_unsharp_mask` estimates it, at the mean `level` of the pixels around; `gain`
    is the sum of squares of the kernel of the detail. Pure noise is above 3 in 0.27 %
    of its pixels.

    References
    ----------
    .. [1] A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical
       Poissonian-Gaussian noise modeling and fitting for single-image raw-data",
       IEEE Trans. Image Process. 17(10), 2008, pp. 1737-1754.
       :doi:`10.1109/TIP.2008.2001399`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> image = np.random.default_rng(0).normal(100, 5, (128, 128))
    >>> image[:, 64] += 80
    >>> found = usm.significance(image, sigma=1.0)
    >>> bool(found[:, 64].min() > 3), bool(np.mean(found[:, :60] > 3) < 0.01)
    (True, True)
    """
    plan, pixels = prepare(image, method, **parameters)
    plan = finding_noise(plan)
    weights = _checked_weight(plan, pixels, weight)
    _check_out(plan, pixels, out, weights, is_edge_map=True)
    if is_dask(pixels):
        return _lazy().significance(plan, pixels)
    return memory.result_of(memory.significance(plan, pixels, out=out))


def sharpened_image(
    image: Any,
    method: type[Method],
    parameters: dict[str, Any],
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    """Return the sharpened image alone; the functions of the methods call this."""
    pixels = _array(image)
    plan = _plan(pixels, method, parameters)
    weights = _checked_weight(plan, pixels, weight)
    _check_out(plan, pixels, out, weights)
    if is_dask(pixels):
        return _lazy().run(plan, pixels, weight=weights).image
    running = memory.run(
        plan, pixels, want_edge_map=False, want_report=False, weight=weights, out=out
    )
    return memory.result_of(running).image


def finding_noise(plan: Plan) -> Plan:
    """Return the plan that estimates the noise too, for the significance."""
    if not plan.has_significance:
        raise ValueError(
            "`method` must be one with a known noise response, such as unsharp_mask; "
            f"got {plan.method.name!r}"
        )
    return replace(plan, wants_noise=True)


def prepare(image: Any, method: str | Method, **parameters: Any) -> tuple[Plan, Any]:
    """Check everything; return the plan, and the image as an array, still unread."""
    image = _array(image)
    if isinstance(method, Method):
        if parameters:
            raise TypeError(
                f"`{next(iter(parameters))}` must be given to the method where that is "
                f"an instance; got both, with {method!r}"
            )
        return make_plan(tuple(image.shape), image.dtype, method), image
    if not isinstance(method, str):
        raise TypeError(
            f"`method` must be one of {tuple(METHODS)} or a Method; got {method!r}"
        )
    return _plan(image, method, parameters), image


def _plan(image: Any, method: str | type[Method], parameters: dict[str, Any]) -> Plan:
    """Return the plan of a method for an image, from the cache if it can."""
    shape, dtype = tuple(image.shape), image.dtype
    given = arguments.cache_key(parameters)
    kind: Any = method
    if isinstance(method, str) and method in METHODS:
        kind = METHODS[method].method  # another one may have the name later
    key = method, kind, given, shape, dtype
    plan = None if given is None else _plans.get(key)
    if plan is not None:
        return plan
    if isinstance(method, str):
        recipe = Recipe(method, parameters)
        made = resolve(recipe, ImageInfo(shape, dtype)).method
    else:
        made = method(**parameters)
    plan = make_plan(shape, dtype, made)
    if given is not None:
        _plans.put(key, plan)
    return plan


def _array(image: Any) -> Any:
    """Return the image as an array of numpy or dask, or one that is read in blocks."""
    if type(image) is np.ndarray:
        return image
    arguments.unmasked("image", image)
    if not isinstance(image, np.ndarray) and is_dask(getattr(image, "data", None)):
        image = image.data  # of an xarray.DataArray
    if is_dask(image):
        _lazy().check_chunks(image)
    elif not _is_array(image):
        image = np.asarray(image)
    return image


def _checked_weight(plan: Plan, pixels: Any, weight: Any) -> Any:
    """Return a weight broadcast to the image without its channels, if there is one."""
    if weight is None:
        return None
    if is_dask(weight) and not is_dask(pixels):
        weight = np.asarray(weight)
    return arguments.weight(weight, plan.colours.plain_slices(plan.shape))


def _check_out(
    plan: Plan, pixels: Any, out: Any, weight: Any, is_edge_map: bool = False
) -> None:
    if out is None:
        return
    if is_dask(pixels):
        raise TypeError("`out` must be None for a dask array, which stays lazy")
    shape = plan.edge_shape if is_edge_map else plan.shape
    dtype = np.dtype(np.float32) if is_edge_map else plan.result
    arguments.out(out, shape, dtype, {"image": pixels, "weight": weight})


def is_dask(image: Any) -> bool:
    """Return whether an image is a dask array; dask.array is not imported for it."""
    dask_array = sys.modules.get("dask.array")
    return dask_array is not None and isinstance(image, dask_array.Array)


def _is_array(image: Any) -> bool:
    """Return whether blocks can be read one by one, as of zarr or HDF5."""
    known = hasattr(image, "shape") and hasattr(image, "__getitem__")
    return known and isinstance(getattr(image, "dtype", None), np.dtype)


def _lazy() -> Any:
    from napari_usm._engine import lazy

    return lazy
