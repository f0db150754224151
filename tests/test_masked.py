"""Masked arrays are refused by every public function, before a pixel is read."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import xarray

import cases
import napari_usm as usm
from napari_usm.lab.profile import Line, line_profile, strongest_edge
from napari_usm.lab.spectrum import plane_spectrum

MASKED = np.ma.MaskedArray(np.ones((20, 20)), np.eye(20, dtype=bool))
KINDS = {
    "numpy": MASKED,
    "integers": MASKED.astype(int),
    "no pixel masked": np.ma.MaskedArray(np.ones((20, 20))),
    "dask": da.ma.masked_array(da.ones((20, 20), chunks=7), da.eye(20, 7) > 0),
    "dask from numpy": da.from_array(MASKED, chunks=7),
    "container": SimpleNamespace(data=MASKED),
    "list": [MASKED[0], MASKED[1]],
    "nested": ([np.ones(20), MASKED[0]], [np.ones(20), np.ones(20)]),
}

METRICS = {
    "structural_similarity": {"data_range": 1.0},
    "figure_of_merit": {},
    "peak_signal_to_noise_ratio": {"data_range": 1.0},
    "overshoot": {},
    "noise_factor": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", cases.METHODS)
def test_methods_refuse_them(method, kind):
    """The error names the argument, the rule and what to do."""
    for call in (
        cases.function(method),
        cases.sharpen,
        cases.edge_map,
        cases.significance,
    ):
        given = (
            (KINDS[kind],) if call is cases.function(method) else (KINDS[kind], method)
        )
        with pytest.raises(TypeError, match=r"`image` must not be a masked.*filled\("):
            call(*given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
def test_metrics_refuse_them(metric, kind):
    """Either of two images, by its name."""
    call, plain = getattr(usm.metrics, metric), np.ones((20, 20))
    for images in ((KINDS[kind], plain), (plain, KINDS[kind])):
        with pytest.raises(TypeError, match="must not be a masked array"):
            call(*images, **METRICS[metric])


def test_all_metrics_are_tested():
    """Metrics of one image refuse them too; no other is left."""
    single = {"clipped", "acutance", "edge_width", "estimate_blur", "estimate_noise"}
    for name in single:
        with pytest.raises(TypeError, match="must not be a masked array"):
            getattr(usm.metrics, name)(MASKED)
    functions = {name for name in usm.metrics.__all__ if name.islower()}
    assert functions == single | set(METRICS)


def test_planes_of_the_lab():
    """Spectrum and profile refuse them."""
    line = Line((0, 0), (5, 5))
    for call, more in (
        (plane_spectrum, ()),
        (strongest_edge, ()),
        (line_profile, (line,)),
    ):
        with pytest.raises(TypeError, match="`plane` must not be a masked array"):
            call(MASKED, *more)


def test_what_the_message_says():
    """NaN in place of masked pixels leaves them out."""
    image = np.ma.MaskedArray(np.full((20, 20), 10), np.eye(20, dtype=bool))
    image.data[image.mask] = 10**6
    found = usm.unsharp_mask(image.astype(float).filled(np.nan))
    np.testing.assert_allclose(found[~image.mask], 10)
    # xarray does just that.
    found = usm.unsharp_mask(xarray.DataArray(image))
    np.testing.assert_allclose(found[~image.mask], 10)
