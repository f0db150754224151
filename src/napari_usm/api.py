"""The public functions: one for each method, and `sharpen` for any of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from inspect import Parameter, Signature, cleandoc, signature
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import numpy as np

from napari_usm.methods import METHODS, Entry, check_known, checks
from napari_usm.methods.adaptive_unsharp_mask import AdaptiveUnsharpMask
from napari_usm.methods.auto_unsharp_mask import AutoUnsharpMask
from napari_usm.methods.gaussian_sharpen import GaussianSharpen
from napari_usm.methods.laplacian_sharpen import LaplacianSharpen
from napari_usm.methods.unsharp_mask import UnsharpMask
from napari_usm.run import eager
from napari_usm.run.plan import Plan, make_plan
from napari_usm.run.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from napari_usm.methods.method import Method

P = ParamSpec("P")

__all__ = [
    "Report",
    "Sharpened",
    "adaptive_unsharp_mask",
    "auto_unsharp_mask",
    "edge_map",
    "gaussian_sharpen",
    "laplacian_sharpen",
    "prepare",
    "sharpen",
    "significance",
    "unsharp_mask",
]


@dataclass(frozen=True)
class Sharpened:
    """What `sharpen` gives back; of a dask array, all that has to be found is lazy.

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
    image: ArrayLike, method: str = "unsharp_mask", **parameters: Any
) -> Sharpened:
    """Sharpen an image by any method, with the edge map and a report.

    Parameters
    ----------
    image : array
        As for the method's own function.
    method : str, default 'unsharp_mask'
        A name in `METHODS`.
    **parameters
        Those of the method's own function.

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
    if is_dask(pixels):
        lazy = _lazy().run(plan, pixels, method)
        return Sharpened(lazy.image, lazy.edge_map, lazy.amount, lazy.gain, lazy.report)
    return sharpened(eager.result_of(eager.run(plan, pixels, name=method)))


def sharpened(outcome: eager.Outcome) -> Sharpened:
    """What a finished run gives back."""
    amount, gain, _ = outcome.fitted.public
    return Sharpened(outcome.image, outcome.edge_map, amount, gain, outcome.report)


def edge_map(image: ArrayLike, method: str = "unsharp_mask", **parameters: Any) -> Any:
    """What a method adds to an image, for an amount of 1.

    Parameters
    ----------
    image, method, **parameters
        As for `sharpen`.

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
    if is_dask(pixels):
        return _lazy().run(plan, pixels).edge_map
    running = eager.run(plan, pixels, want_image=False, want_report=False)
    return eager.result_of(running).edge_map


def significance(
    image: ArrayLike, method: str = "unsharp_mask", **parameters: Any
) -> Any:
    """How far the detail that a method enhances stands out of the noise.

    Parameters
    ----------
    image, method, **parameters
        As for `sharpen`. What is done with the detail, such as amount and threshold,
        is of no matter.

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
    plan = finding_noise(plan, method)
    if is_dask(pixels):
        return _lazy().significance(plan, pixels)
    return eager.result_of(eager.significance(plan, pixels))


def finding_noise(plan: Plan, method: str) -> Plan:
    """The plan that finds the noise too, so that it can tell what is significant."""
    if not plan.has_significance:
        raise ValueError(
            "`method` must be one whose detail has a noise of its own, which is known; "
            f"got {method!r}"
        )
    return replace(plan, wants_noise=True)


def prepare(image: Any, method: str, **parameters: Any) -> tuple[Plan, Any]:
    """Check everything; the plan, and the image as an array, still unread."""
    check_known(method, parameters)
    return _planned(image, METHODS[method].method(**parameters))


def _planned(image: Any, method: Method) -> tuple[Plan, Any]:
    checks.unmasked("image", image)
    if not isinstance(image, np.ndarray) and is_dask(getattr(image, "data", None)):
        image = image.data  # of an xarray.DataArray
    if is_dask(image):
        _lazy().check_chunks(image)
    elif not _is_array(image):
        image = np.asarray(image)
    return make_plan(tuple(image.shape), image.dtype, method), image


def is_dask(image: Any) -> bool:
    """Whether an image is a dask array; without dask.array imported, there is none."""
    dask_array = sys.modules.get("dask.array")
    return dask_array is not None and isinstance(image, dask_array.Array)


def _is_array(image: Any) -> bool:
    """Whether blocks can be read one by one: of numpy, a memory map, zarr or HDF5."""
    known = hasattr(image, "shape") and hasattr(image, "__getitem__")
    return known and isinstance(getattr(image, "dtype", None), np.dtype)


def _lazy() -> Any:
    from napari_usm.run import lazy

    return lazy


def public_function(
    name: str, method: Callable[P, Method]
) -> Callable[Concatenate[ArrayLike, P], Any]:
    """The public function of a method: its signature after `image`."""

    def function(image: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Any:
        check_known(name, kwargs)
        plan, pixels = _planned(image, method(*args, **kwargs))
        if is_dask(pixels):
            return _lazy().run(plan, pixels, name).image
        running = eager.run(plan, pixels, want_edge_map=False, want_report=False)
        return eager.result_of(running).image

    own = signature(method).parameters
    first = Parameter("image", Parameter.POSITIONAL_OR_KEYWORD, annotation="ArrayLike")
    ordered = [own[word] for word in METHODS[name].parameters]
    function.__signature__ = Signature([first, *ordered])  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = name
    function.__doc__ = _document(METHODS[name])
    # For type checkers what comes before `P` has no name: `image=` is for users.
    return function  # type: ignore[return-value]


_IMAGE = """\
image : (..., M, N) array of numpy or dask, or array-like
    Any number of dimensions; bool, integer or real. A dask array stays lazy.
    Values are never rescaled; NaN and infinite pixels stay and do not spread. Masked
    arrays are refused: fill them, or set masked pixels to NaN."""

_AFTER = """\
Returns
-------
array
    Of the shape of `image`, and dask if that is.

Raises
------
TypeError, ValueError
    Before any pixel is touched: the argument, the rule and the value.

See Also
--------
sharpen : The same with the edge map and a report."""


def _document(entry: Entry) -> str:
    """The docstring of a public function, its parameters from the one table."""
    summary, rest = cleandoc(entry.method.__doc__ or "").split("\n\n", 1)
    rows = [_IMAGE]
    for name, parameter in entry.parameters.items():
        rows.append(
            f"{name} : {parameter.kind}, default {parameter.default!r}\n"
            f"    {parameter.help}"
        )
    parts = [summary, "Parameters\n----------\n" + "\n".join(rows), _AFTER, rest]
    return "\n\n".join(parts)


unsharp_mask = public_function("unsharp_mask", UnsharpMask)
laplacian_sharpen = public_function("laplacian_sharpen", LaplacianSharpen)
adaptive_unsharp_mask = public_function("adaptive_unsharp_mask", AdaptiveUnsharpMask)
auto_unsharp_mask = public_function("auto_unsharp_mask", AutoUnsharpMask)
gaussian_sharpen = public_function("gaussian_sharpen", GaussianSharpen)
