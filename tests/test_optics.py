"""Resolution from an objective, against the Debye integral; sigma of a bead."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import j0

from napari_usm.optics import Optics, sigma_from_bead

LENSES = [(0.3, 1.0), (0.75, 1.0), (0.95, 1.0), (1.2, 1.33), (1.4, 1.515)]

# Least-squares sigma in the plane and along Z of psfmodels 0.3.3 (525 nm, in µm, no
# aberration): scalar, and vectorial with a polarisation of all directions.
PSFMODELS = {
    (0.3, 1.0): (0.3682, 4.1531, 0.3713),
    (0.75, 1.0): (0.1473, 0.5707, 0.1577),
    (0.95, 1.0): (0.1163, 0.2983, 0.1352),
    (1.2, 1.33): (0.0920, 0.2632, 0.1026),
    (1.4, 1.515): (0.0789, 0.2150, 0.0884),
}


def amplitude(r, z, lens, wavelength):
    """The Debye integral at a radius and a depth, in µm."""
    aperture, index = lens
    nodes, weights = np.polynomial.legendre.leggauss(120)
    widest = np.arcsin(aperture / index)
    angle, weights = (nodes + 1) / 2 * widest, weights / 2 * widest
    k = 2000 * np.pi * index / wavelength
    shift = np.exp(1j * k * np.multiply.outer(z, np.cos(angle) - 1))
    ring = j0(k * np.multiply.outer(r, np.sin(angle)))
    return (np.sqrt(np.cos(angle)) * np.sin(angle) * weights * ring * shift).sum(-1)


def nearest(places, values, weights=1.0):
    """Sigma of the Gaussian that is nearest to a profile by least squares."""

    def left(sigma):
        gaussian = np.exp(-(places**2) / 2 / sigma**2)
        return ((values / values[0] - gaussian) ** 2 * weights).sum()

    return minimize_scalar(left, bounds=(0.01, 9), method="bounded").x


def half_width(places, values):
    return 2 * np.interp(-0.5, -values / values[0], places)


@pytest.mark.parametrize("lens", LENSES)
def test_widefield_against_the_debye_integral(lens):
    """Sigma to 1 %, half widths to 4 %."""
    aperture, index = lens
    optics = Optics(aperture, 525, index)
    r = np.linspace(0, 1.2 * 0.525 / aperture, 900)
    values = np.abs(amplitude(r, 0 * r, lens, 525)) ** 2
    assert optics.lateral_sigma == pytest.approx(nearest(r, values, r), rel=0.01)
    assert optics.lateral_fwhm == pytest.approx(half_width(r, values), rel=0.04)
    z = np.linspace(0, 2 * 0.525 * index / aperture**2, 900)
    values = np.abs(amplitude(0 * z, z, lens, 525)) ** 2
    assert optics.axial_sigma == pytest.approx(nearest(z, values), rel=0.015)
    assert optics.axial_fwhm == pytest.approx(
        half_width(z[:500], values[:500]), rel=0.04
    )


@pytest.mark.parametrize("lens", LENSES)
def test_widefield_against_psfmodels(lens):
    """Scalar models to 6 %; light as a vector spreads more, as the page says."""
    optics = Optics(lens[0], 525, lens[1])
    lateral, axial, vectorial = PSFMODELS[lens]
    assert optics.lateral_sigma == pytest.approx(lateral, rel=0.06)
    assert optics.axial_sigma == pytest.approx(axial, rel=0.06)
    assert 1 <= vectorial / optics.lateral_sigma < 1.22


@pytest.mark.parametrize("pinhole", [0.0, 0.3, 1.0, 2.0])
def test_confocal_against_the_debye_integral(pinhole):
    """Excitation times the emission through the pinhole: sigma to 5 and 7 %."""
    lens = 1.2, 1.33
    optics = Optics(*lens[:1], 525, lens[1], "confocal", 488, pinhole)
    half, step = 80, 0.012
    x = (np.arange(2 * half) - half) * step
    radius = np.hypot(*np.meshgrid(x, x))
    r = np.linspace(0, radius.max() + 0.1, 700)
    disc = (radius <= 0.61 * pinhole * 0.525 / lens[0] + 1e-9).astype(float)
    passed = np.fft.rfft2(np.fft.ifftshift(disc))

    def plane(z):
        excitation, emission = (
            np.interp(radius, r, np.abs(amplitude(r, 0 * r + z, lens, each)) ** 2)
            for each in (488, 525)
        )
        return excitation * np.fft.irfft2(np.fft.rfft2(emission) * passed)

    z = np.linspace(0, 1.2, 14)
    planes = [plane(each) for each in z]
    line = planes[0][half, half:]
    found = nearest(x[half:], line, x[half:])
    assert optics.lateral_sigma == pytest.approx(found, rel=0.05)
    found = nearest(z, np.array([each[half, half] for each in planes]))
    assert optics.axial_sigma == pytest.approx(found, rel=0.07)


def test_constants_of_the_paper():
    """0.21 wavelength / NA in the plane, as Zhang et al. give it for low apertures."""
    low = Optics(0.05, 500, 1.0)
    assert low.lateral_sigma == pytest.approx(0.21 * 0.5 / 0.05, rel=1e-3)
    curved = 2 * np.sqrt(6) / (2 * np.pi)  # n wavelength / NA²
    ratio = 0.21 / (np.sqrt(2) / (2 * np.pi))
    assert low.axial_sigma == pytest.approx(ratio * curved * 0.5 / 0.05**2, rel=2e-3)


def test_frequencies():
    """Cut-offs, Nyquist's pixels and the transfer of the lens."""
    oil = Optics(1.4, 525, 1.515)
    assert oil.cutoff == pytest.approx(2 * 1.4 / 0.525)
    assert oil.nyquist == pytest.approx(0.525 / 5.6)
    assert oil.axial_nyquist == pytest.approx(
        0.525 / (2 * (1.515 - np.sqrt(1.515**2 - 1.4**2)))
    )
    confocal = replace(oil, modality="confocal", excitation=488)
    assert confocal.cutoff == pytest.approx(2.8 / 0.525 + 2.8 / 0.488)
    f = np.linspace(-2 * confocal.cutoff, 2 * confocal.cutoff, 401)
    for each in (oil, confocal):
        transfer = each.transfer(f)
        assert transfer[200] == transfer.max() == 1
        assert (np.diff(transfer[200:]) <= 0).all()
        assert (transfer[np.abs(f) >= each.cutoff] == 0).all()
        np.testing.assert_allclose(transfer, transfer[::-1], atol=1e-12)


def test_kinds_of_microscopes():
    """A pinhole and a sheet narrow; a wide pinhole and a thick sheet hardly do."""
    wide = Optics(0.8, 525, 1.33)
    confocal = replace(wide, modality="confocal", excitation=488)
    assert confocal.lateral_sigma < wide.lateral_sigma
    assert confocal.axial_sigma < wide.axial_sigma
    closed = replace(confocal, pinhole=0.0)
    assert closed.lateral_sigma < confocal.lateral_sigma
    opened = replace(confocal, pinhole=9.0)
    excited = replace(wide, wavelength=488)
    assert opened.lateral_sigma == pytest.approx(excited.lateral_sigma, rel=1e-3)
    assert replace(confocal, pinhole=1e6).lateral_sigma == opened.lateral_sigma
    sheet = replace(wide, modality="light sheet")
    assert (sheet.axial_sigma, sheet.axial_fwhm) == (wide.axial_sigma, wide.axial_fwhm)
    thin = replace(sheet, sheet=0.5)
    assert thin.axial_sigma < 0.5 / 2.35
    assert thin.axial_fwhm == pytest.approx(2.3548 * thin.axial_sigma, rel=1e-4)
    assert replace(sheet, sheet=99.0).axial_sigma == pytest.approx(
        wide.axial_sigma, rel=0.01
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"numerical_aperture": 1.6}, "`numerical_aperture` must be below the refractive index, 1.515; got 1.6"),
        ({"numerical_aperture": 1.515}, "must be below the refractive index"),
        ({"numerical_aperture": 0}, "`numerical_aperture` must be above 0; got 0"),
        ({"wavelength": 0.525}, "`wavelength` must be from 400 to 1100, in nm; got 0.525"),
        ({"wavelength": 5250}, "`wavelength` must be from 400 to 1100, in nm; got 5250"),
        ({"wavelength": "525 nm"}, "`wavelength` must be a real number; got '525 nm'"),
        ({"excitation": 4.88e-7}, "`excitation` must be from 400 to 1100, in nm"),
        ({"refractive_index": 15.15}, "`refractive_index` must be from 1 to 2; got 15.15"),
        ({"modality": "STED"}, "`modality` must be one of .*; got 'STED'"),
        ({"modality": "confocal"}, "`excitation` must be given for a confocal"),
        ({"pinhole": -1}, "`pinhole` must be at least 0; got -1"),
        ({"sheet": 0}, "`sheet` must be above 0; got 0"),
    ],
)  # fmt: skip
def test_bad_numbers(changed, message):
    """Errors name the argument, the rule and the value."""
    given = {"numerical_aperture": 1.4, "wavelength": 525, "refractive_index": 1.515}
    with pytest.raises((TypeError, ValueError), match=message):
        Optics(**given | changed)
    with pytest.raises((TypeError, ValueError), match=message):
        Optics.of(given | changed)


def test_descriptions_of_metadata():
    """A mapping of the attributes, complete and without other keys."""
    given = {"numerical_aperture": 0.8, "wavelength": 600, "refractive_index": 1.0}
    assert Optics.of(given) == Optics(0.8, 600, 1.0) == Optics.of(Optics.of(given))
    with pytest.raises(ValueError, match=r"no keys but .*; got 'na'"):
        Optics.of(given | {"na": 0.8})
    with pytest.raises(ValueError, match="the numerical aperture and the wavelength;"):
        Optics.of({"refractive_index": 1.0})
    with pytest.raises(TypeError, match="`optics` must be an Optics or a mapping"):
        Optics.of(0.8)


def test_sigma_in_pixels():
    """Along each axis by its letter; sizes that are missing are errors."""
    oil = Optics(1.4, 525, 1.515)
    lateral, axial = oil.lateral_sigma, oil.axial_sigma
    assert oil.sigma_in_pixels(0.1) == pytest.approx((10 * lateral, 10 * lateral))
    assert oil.sigma_in_pixels((0.1, 0.3), "xz") == pytest.approx(
        (10 * lateral, axial / 0.3)
    )
    for wrong, axes, message in (
        (None, "YX", "`pixel_size` must be given, in µm; got None"),
        (0, "YX", "`pixel_size` must be above 0"),
        ((0.1, 0.2, 0.3), "YX", "`pixel_size` must be one number or one per"),
        (0.1, "TYX", "`axes` must be letters of X, Y and Z; got 'TYX'"),
        (0.1, ("y", "x"), "`axes` must be letters"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            oil.sigma_in_pixels(wrong, axes)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_beads(count):
    """Noise and ground leave the widths right to 3 %."""
    random = np.random.default_rng(count)
    shape, sigmas = (25, 31, 28)[:count], (3.1, 1.3, 1.7)[:count]
    spot = np.float64(900)
    for axis, (side, sigma) in enumerate(zip(shape, sigmas, strict=True)):
        place = np.arange(side).reshape([-1 if axis == k else 1 for k in range(count)])
        spot = spot * np.exp(-(((place - side / 2.2) / sigma) ** 2) / 2)
    image = random.poisson(spot + 100).astype(np.uint16)
    assert sigma_from_bead(image) == pytest.approx(
        sigmas, rel=0.08 if count == 1 else 0.03
    )


def test_the_bead_of_a_lens():
    """The Gaussian fitted to an Airy pattern is that of the objective."""
    oil = Optics(1.4, 525, 1.515)
    y, x = np.mgrid[-20:21, -20:21] * 0.03
    values = np.abs(amplitude(np.hypot(y, x), 0 * x, (1.4, 1.515), 525)) ** 2
    expected = oil.sigma_in_pixels(0.03)
    # Rings around it are taken for ground.
    assert sigma_from_bead(values) == pytest.approx(expected, rel=0.04)


def test_images_without_a_bead():
    """Errors name the rule."""
    slope = np.mgrid[:20, :20][0]
    for wrong, message in (
        (np.zeros((9, 9)), "brighter than its ground; got a maximum of 0"),
        (np.zeros((9, 3)), r"at least 5 pixels; got shape \(9, 3\)"),
        (np.zeros((5,) * 4), "one to three axes"),
        (np.full((9, 9), np.nan), "`image` must be finite; got nan"),
        (np.zeros((9, 9), complex), "`image` must hold real numbers; got complex128"),
        (slope, "one bead, whole, wider than a pixel and narrower"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            sigma_from_bead(wrong)
    hot = np.zeros((9, 9))
    hot[4, 4] = 9
    with pytest.raises(ValueError, match="wider than a pixel"):
        sigma_from_bead(hot)
