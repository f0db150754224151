"""Bad input: an error that names argument, rule and value, before any pixel."""

import dask.array as da
import numpy as np
import pytest

import cases
import napari_usm as usm

GREY = np.zeros((6, 7))
RGBA = np.zeros((6, 7, 4))


@pytest.mark.parametrize(
    ("method", "call", "error", "message"),
    [
        (
            "unsharp_mask",
            {"sigma": -1},
            ValueError,
            r"`sigma` must be at least 0; got -1",
        ),
        (
            "unsharp_mask",
            {"sigma": np.nan},
            ValueError,
            r"`sigma` must be finite; got nan",
        ),
        (
            "unsharp_mask",
            {"sigma": (1, 2, 3)},
            ValueError,
            r"`sigma` .* filtered axis \(2\); got 3: \(1, 2, 3\)",
        ),
        (
            "unsharp_mask",
            {"amount": 10**400},
            ValueError,
            r"`amount` must be finite; got 1000",
        ),
        (
            "unsharp_mask",
            {"limits": np.array(3.0)},
            TypeError,
            r"`limits` must be None, \"data\" or \(low, high\); got 3.0",
        ),
        (
            "adaptive_unsharp_mask",
            {"gains": b"x"},
            TypeError,
            r"`gains` must be a sequence of real numbers; got b'x'",
        ),
        (
            "wavelet_unsharp_mask",
            {"wavelet": ""},
            ValueError,
            r"`wavelet` must be a symmetric one of PyWavelets, .*; got ''",
        ),
        (
            "unsharp_mask",
            {"sigma": "2"},
            TypeError,
            r"`sigma` must be a real number; got '2'",
        ),
        (
            "unsharp_mask",
            {"sigma": None},
            TypeError,
            r"`sigma` must be a real number; got None",
        ),
        (
            "unsharp_mask",
            {"amount": np.inf},
            ValueError,
            r"`amount` must be finite; got inf",
        ),
        (
            "unsharp_mask",
            {"amount": 1j},
            TypeError,
            r"`amount` must be a real number; got 1j",
        ),
        (
            "polesel_unsharp_mask",
            {"areas": "fuzzy"},
            ValueError,
            r"`areas` must be one of \('polesel', 'improved'\); got 'fuzzy'",
        ),
        (
            "polesel_unsharp_mask",
            {"contrasts": (14, 8)},
            ValueError,
            r"`contrasts` must be \(medium, high\) in order; got \(14, 8\)",
        ),
        (
            "polesel_unsharp_mask",
            {"contrasts": (1, 2, 3)},
            ValueError,
            r"`contrasts` must be two numbers; got \(1, 2, 3\)",
        ),
        (
            "polesel_unsharp_mask",
            {"activities": (4, 0.5)},
            ValueError,
            r"`activities` must be at least 1; got 0.5",
        ),
        (
            "polesel_unsharp_mask",
            {"largest_weight": -1},
            ValueError,
            r"`largest_weight` must be at least 0; got -1",
        ),
        (
            "polesel_unsharp_mask",
            {"data_range": 0},
            ValueError,
            r"`data_range` must be above 0; got 0",
        ),
        (
            "wavelet_unsharp_mask",
            {"wavelet": "db2"},
            ValueError,
            r"`wavelet` must be a symmetric one .*; got 'db2'",
        ),
        (
            "wavelet_unsharp_mask",
            {"wavelet": "hair"},
            ValueError,
            r"`wavelet` must be a symmetric one .*; got 'hair'",
        ),
        (
            "wavelet_unsharp_mask",
            {"wavelet": 2},
            TypeError,
            r"`wavelet` must be a str; got 2",
        ),
        (
            "wavelet_unsharp_mask",
            {"levels": 11},
            ValueError,
            r"`levels` must be at most 10; got 11",
        ),
        (
            "unsharp_mask",
            {"kernel": "disk"},
            ValueError,
            r"`kernel` must be one of .*; got 'disk'",
        ),
        (
            "unsharp_mask",
            {"threshold": -1},
            ValueError,
            r"`threshold` must be at least 0; got -1",
        ),
        (
            "unsharp_mask",
            {"hard": 1},
            TypeError,
            r"`hard` must be True or False; got 1",
        ),
        (
            "unsharp_mask",
            {"truncate": -4},
            ValueError,
            r"`truncate` must be at least 0; got -4",
        ),
        (
            "unsharp_mask",
            {"mode": "symmetric"},
            ValueError,
            r"`mode` must be one of .*; got 'symmetric'",
        ),
        (
            "unsharp_mask",
            {"cval": np.nan},
            ValueError,
            r"`cval` must be finite; got nan",
        ),
        (
            "unsharp_mask",
            {"axes": (0, 2)},
            ValueError,
            r"`axes` must lie in -2\.\.1 .*; got 2",
        ),
        (
            "unsharp_mask",
            {"axes": (0, -2)},
            ValueError,
            r"`axes` must be one or more, each once; got \(0, -2\)",
        ),
        (
            "unsharp_mask",
            {"axes": ()},
            ValueError,
            r"`axes` must be one or more, each once; got \(\)",
        ),
        (
            "unsharp_mask",
            {"axes": 1},
            TypeError,
            r"`axes` must be a sequence of integers; got 1",
        ),
        (
            "unsharp_mask",
            {"axes": (0.5,)},
            TypeError,
            r"`axes` must be an integer; got 0.5",
        ),
        (
            "unsharp_mask",
            {"axes": (0, 1), "channel_axis": 1},
            ValueError,
            r"`axes` must not hold `channel_axis` \(1\)",
        ),
        (
            "unsharp_mask",
            {"channel_axis": 5},
            ValueError,
            r"`channel_axis` must lie in -2\.\.1",
        ),
        (
            "unsharp_mask",
            {"alpha": True},
            ValueError,
            r"`alpha` must be False without a `channel_axis`",
        ),
        (
            "unsharp_mask",
            {"color": "hsv"},
            ValueError,
            r"`color` must be one of .*; got 'hsv'",
        ),
        (
            "unsharp_mask",
            {"limits": "auto"},
            ValueError,
            r"`limits` must be None, \"data\" or \(low, high\); got 'auto'",
        ),
        (
            "unsharp_mask",
            {"limits": (5, 2)},
            ValueError,
            r"`limits` .* low <= high; got \(5, 2\)",
        ),
        (
            "unsharp_mask",
            {"limits": (0, np.nan)},
            ValueError,
            r"`limits` .* low <= high; got",
        ),
        ("unsharp_mask", {"limits": 3}, TypeError, r"`limits` must be None"),
        (
            "unsharp_mask",
            {"dtype": "complex64"},
            TypeError,
            r"`dtype` must be bool, integer or real; got complex64",
        ),
        (
            "unsharp_mask",
            {"dtype": "colour"},
            TypeError,
            r"`dtype` must be bool, integer or real; got 'colour'",
        ),
        (
            "unsharp_mask",
            {"radius": 3},
            TypeError,
            r"`radius` must be a parameter of unsharp_mask",
        ),
        (
            "laplacian_sharpen",
            {"median_size": 4},
            ValueError,
            r"`median_size` must be odd; got 4",
        ),
        (
            "laplacian_sharpen",
            {"median_size": 0},
            ValueError,
            r"`median_size` must be at least 1; got 0",
        ),
        (
            "laplacian_sharpen",
            {"median_size": 3.0},
            TypeError,
            r"`median_size` must be an integer; got 3.0",
        ),
        (
            "laplacian_sharpen",
            {"spacing": (1, 0)},
            ValueError,
            r"`spacing` must be above 0; got \(1, 0\)",
        ),
        (
            "laplacian_sharpen",
            {"spacing": (1, 1, 1)},
            ValueError,
            r"`spacing` .* filtered axis \(2\); got 3",
        ),
        (
            "adaptive_unsharp_mask",
            {"gains": []},
            ValueError,
            r"`gains` must be above 0 .*; got \[\]",
        ),
        (
            "adaptive_unsharp_mask",
            {"gains": [0.2, 0.1]},
            ValueError,
            r"`gains` .* increasing",
        ),
        (
            "adaptive_unsharp_mask",
            {"gains": [0, 1]},
            ValueError,
            r"`gains` must be above 0",
        ),
        (
            "adaptive_unsharp_mask",
            {"gains": 0.5},
            TypeError,
            r"`gains` must be a sequence of real numbers; got 0.5",
        ),
        (
            "adaptive_unsharp_mask",
            {"gain_per": "plane"},
            ValueError,
            r"`gain_per` must be one of .*; got 'plane'",
        ),
        (
            "adaptive_unsharp_mask",
            {"subsample": "no"},
            TypeError,
            r"`subsample` must be True or False; got 'no'",
        ),
        (
            "lin_unsharp_mask",
            {"gains": [1, 1]},
            ValueError,
            r"`gains` must be above 0 and strictly increasing.*; got \[1, 1\]",
        ),
        (
            "entropy_unsharp_mask",
            {"penalty": 1},
            TypeError,
            "`penalty` must be True or False; got 1",
        ),
        (
            "auto_unsharp_mask",
            {"strength": -0.1},
            ValueError,
            r"`strength` must be at least 0; got -0.1",
        ),
        (
            "auto_unsharp_mask",
            {"denoise": 1.5},
            ValueError,
            r"`denoise` must be at most 1; got 1.5",
        ),
        (
            "auto_unsharp_mask",
            {"denoise": True},
            TypeError,
            r"`denoise` must be a real number; got True",
        ),
        (
            "auto_unsharp_mask",
            {"estimate_per": "plane"},
            ValueError,
            r"`estimate_per` must be one of .*; got 'plane'",
        ),
        (
            "auto_unsharp_mask",
            {"model": "lens"},
            ValueError,
            r"`model` must be one of \('auto', 'widefield', .*\); got 'lens'",
        ),
        (
            "auto_unsharp_mask",
            {"model": 2},
            TypeError,
            r"`model` must be one of .*; got 2",
        ),
        (
            "auto_unsharp_mask",
            {"blur": -1},
            ValueError,
            "`blur` must be at least 0; got -1",
        ),
        (
            "auto_unsharp_mask",
            {"blur": 17},
            ValueError,
            "`blur` must be at most 16; got 17",
        ),
        (
            "auto_unsharp_mask",
            {"blur": (1, 2, 3)},
            ValueError,
            r"`blur` .* filtered axis \(2\); got 3: \(1, 2, 3\)",
        ),
        (
            "auto_unsharp_mask",
            {"blur": "2"},
            TypeError,
            "`blur` must be a real number; got '2'",
        ),
        (
            "auto_unsharp_mask",
            {"blur": np.nan},
            ValueError,
            "`blur` must be finite; got nan",
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": -1},
            ValueError,
            "`cutoff` must be at least 0; got -1",
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": (0.3, 0.3)},
            TypeError,
            r"`cutoff` must be a real number; got \(0.3, 0.3\)",
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": 0.01},
            ValueError,
            "`cutoff` must be 0 or at least 0.02625; got 0.01",
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": 0.3, "blur": 1},
            ValueError,
            "`cutoff` must be 0 if `blur` is given; got 0.3",
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": 0.3, "model": "confocal"},
            ValueError,
            '`cutoff` must be 0 with model "confocal".*; got 0.3',
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": 0.3, "model": "gaussian"},
            ValueError,
            '`cutoff` must be 0 with model "gaussian".*; got 0.3',
        ),
        (
            "auto_unsharp_mask",
            {"cutoff": 0.3, "axes": (0,)},
            ValueError,
            "`cutoff` must be 0 unless two axes are filtered; got 0.3",
        ),
        (
            "gaussian_sharpen",
            {"axes": (0,)},
            ValueError,
            r"`axes` must be exactly two for gaussian_sharpen; got \(0,\)",
        ),
        (
            "gaussian_sharpen",
            {"radius": -1},
            ValueError,
            r"`radius` must be at least 0; got -1",
        ),
        (
            "gaussian_sharpen",
            {"sigma": (1, 1)},
            TypeError,
            r"`sigma` must be a real number; got \(1, 1\)",
        ),
        ("median", {}, ValueError, r"`method` must be one of .*; got 'median'"),
    ],
)
def test_bad_parameters(method, call, error, message):
    """Each bad parameter is named with its rule and its value, lazily too."""
    with pytest.raises(error, match=message):
        cases.sharpen(GREY, method, **call)
    with pytest.raises(error, match=message):
        cases.sharpen(da.from_array(GREY), method, **call)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (
            np.zeros((0, 5)),
            ValueError,
            r"`image` must not be empty; got shape \(0, 5\)",
        ),
        (
            np.zeros((3, 3), complex),
            TypeError,
            r"`image` must be bool, integer or real; got complex128",
        ),
        (
            np.zeros((3, 3), object),
            TypeError,
            r"`image` must be bool, integer or real; got object",
        ),
        (
            np.zeros((3, 3), "M8[s]"),
            TypeError,
            r"`image` must be bool, integer or real; got datetime64",
        ),
        (np.float64(3), ValueError, r"`image` must have at least one axis"),
        ("cells.tif", TypeError, r"`image` must be bool, integer or real; got <U9"),
    ],
)
def test_bad_images(image, error, message):
    """What is no image of real numbers is refused."""
    with pytest.raises(error, match=message):
        usm.unsharp_mask(image)


@pytest.mark.parametrize("color", ["value", "luminance"])
def test_colours_of_four_channels(color):
    """Colour modes need three colours, and the error says what to use."""
    with pytest.raises(
        ValueError, match=r'exactly 3 colour channels; got 4 .* color="channels"'
    ):
        usm.unsharp_mask(RGBA, channel_axis=-1, color=color)
    assert (
        usm.unsharp_mask(RGBA, channel_axis=-1, color=color, alpha=True).shape
        == RGBA.shape
    )


def test_unknown_chunks():
    """A dask array of unknown shape is refused at the call."""
    image = da.from_array(np.arange(9.0), chunks=3)
    with pytest.raises(ValueError, match="`image` must have chunks of known size"):
        usm.unsharp_mask(image[image > 4])


def test_public_functions_check_too():
    """Functions of their own refuse what `sharpen` refuses."""
    with pytest.raises(ValueError, match=r"`sigma` must be at least 0; got -1"):
        usm.unsharp_mask(GREY, -1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'radius'"):
        usm.unsharp_mask(GREY, radius=2)
    assert usm.unsharp_mask(GREY, sigma=np.array(1.0)).shape == GREY.shape


@pytest.mark.parametrize("fill", [0, 7, np.nan])
@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1), (8, 8)])
def test_degenerate_images_are_no_errors(shape, fill):
    """One-pixel axes, flat and all-NaN images come back as they are, in silence."""
    image = np.full(shape, fill, "float32")
    for method in cases.METHODS:
        found = cases.sharpen(image, method)
        np.testing.assert_allclose(found.image, image, rtol=1e-6)
        np.testing.assert_allclose(found.edge_map, 0, atol=1e-6 * np.nan_to_num(fill))
        assert np.all(np.isfinite(found.amount))
