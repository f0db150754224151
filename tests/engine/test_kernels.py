"""What is promised of the compiled loops: no compiling for a value, errors bounded."""

import os
import pkgutil
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from scipy import ndimage

import cases
import napari_usm as usm
import test_fuzz
from napari_usm import _kernels as kernels
from napari_usm import warm_up


def compiled():
    """Every kernel with the signatures that it was compiled for."""
    found = {}
    for info in pkgutil.iter_modules(kernels.__path__, kernels.__name__ + "."):
        for name, kernel in vars(import_module(info.name)).items():
            if isinstance(kernel, Dispatcher):
                found[info.name, name] = list(kernel.signatures)
    return found


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_nothing_is_compiled_for_a_value(dtype):
    """Once a method has run, no other sigma, amount, size or border needs compiling."""
    images = [cases.picture(shape, dtype) for shape in ((40, 50), (330, 470))]
    for image in images:
        for sigma in (1, 5):
            usm.sharpen(image, sigma=sigma)
    usm.sharpen(images[0], kernel="box")  # bytes have kernels of their own for others
    usm.sharpen(images[0], "laplacian_sharpen", threshold="2 noise")
    before = compiled()
    for image in images:
        for sigma in (0, 0.4, 1.7, 3.9, 4.2, 6, 13):
            for mode in ("reflect", "mirror", "nearest", "wrap"):
                usm.sharpen(image, sigma=sigma, amount=sigma - 0.5, mode=mode)
        usm.sharpen(image, sigma=2, threshold=3.5, hard=True, limits=(1, 2))
        usm.sharpen(image, sigma=2, threshold="2 noise")
        usm.unsharp_mask(image, kernel="box")
        usm.gaussian_sharpen(image, sigma=2)
        usm.laplacian_sharpen(image, -0.1, threshold=3, mode="reflect")
        usm.laplacian_sharpen(image, threshold="3 noise")
    assert compiled() == before


@pytest.mark.parametrize("dtype", warm_up.DTYPES)
@pytest.mark.parametrize("method", sorted({key[0] for key in warm_up.CALLS}))
def test_the_table_of_calls_is_complete(method, dtype):
    """In a process that has made a method's calls, no other call needs compiling."""
    code = f"import test_kernels; test_kernels.compile_no_more({method!r}, {dtype!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def compile_no_more(method, dtype):
    """Make the calls of the table, then any: what the test above does elsewhere."""
    for key in warm_up.CALLS:
        if key[0] == method:
            warm_up.make_calls(*key, dtype)
    before = compiled()
    for seed in range(80):
        rng = np.random.default_rng(seed)
        image, _, parameters = test_fuzz.draw_call(rng, [method], [dtype])
        if "sigma" in parameters and rng.random() < 0.3:
            parameters["sigma"] = 5.0
        if "threshold" in parameters and rng.random() < 0.3:
            parameters["threshold"] = "2 noise"
        usm.sharpen(image, method, **parameters)
        cases.function(method)(test_fuzz.elsewhere(rng, image), **parameters)
        assert compiled() == before, parameters


@pytest.mark.parametrize("sigma", [4, 4.5, 5, 5.3, 6.6, 8, 11, 20, 37.5])
def test_a_wide_blur_of_a_step(sigma):
    """From sigma 4 on a step is blurred within 5.5e-4 of it, wherever it is."""
    errors = []
    for where in range(100, 100 + int(sigma)):
        step = np.zeros(200 + int(sigma))
        step[where:] = 1
        blurred = step - usm.edge_map(step, sigma=sigma)
        true = ndimage.gaussian_filter(step, sigma, mode="reflect", truncate=8)
        errors.append(np.abs(blurred - true).max())
    assert max(errors) < 5.5e-4


def test_very_wide_blurs_and_huge_amounts():
    """Extreme parameters take no longer, and raise no error of Python's."""
    image = cases.picture((5, 7), "uint8")
    assert 1 < usm.sharpen(image, sigma=1e5, amount=0.1).report.noise_factor < 1.2
    for method in cases.THRESHOLDED:
        factor = usm.sharpen(image, method, amount=1e300).report.noise_factor
        assert not np.isfinite(factor)


def test_a_wide_blur_of_what_is_flat():
    """A flat image has no detail, to eight roundings; integers stay as they are."""
    for sigma in (4, 7, 30):
        image = np.full((70, 90), 1000, np.float32)
        rounding = 8 * 1000 * np.finfo(np.float32).eps
        edge_map = usm.edge_map(image, sigma=sigma)
        np.testing.assert_allclose(edge_map, 0, atol=rounding)
        image = image.astype(np.float64)
        np.testing.assert_allclose(usm.edge_map(image, sigma=sigma), 0, atol=1e-12)
        bright = np.full((70, 90), 65535, np.uint16)
        np.testing.assert_array_equal(usm.unsharp_mask(bright, sigma), bright)
