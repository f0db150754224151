"""One row for each method: how to call it, and what to expect of its numbers.

Reference, laws, fuzz, blocks, dask and live tests walk this table: a new method gets one
row here, with its formula from `reference.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import reference

# Pixels of the windows of medians that the reference can do in time.
MOST_WINDOW = 81


@dataclass(frozen=True)
class MethodCase:
    """A row.

    Attributes
    ----------
    reference : reference.Method
        The method once more.
    example : callable
        Number of filtered axes to a call with nothing at its default.
    draw : callable
        Generator, filtered axes, span of the intensities and size of the call to random
        parameters of the method. Small calls have no wide blur.
    axes : int, optional
        Number of axes that it filters, if it is only one.
    has_threshold : bool
        Whether it has the parameters `amount` and `threshold`.
    estimates_noise : bool
        Whether it follows blur and noise, and needs images of 16 pixels and more.
    rounding : float
        Rounding errors, in those of a plain mask: bands nearly cancel, and weights that
        are nearly alike are told apart to three digits less.
    by_item : dict
        Parameters that estimate for each item.
    keeps_noise : dict
        Parameters that change nothing but edges.
    mixes_channels : bool
        Whether the channels of an image share an estimate.
    slack_of_items : float
        Relative rounding between an item alone and among others, where gains are
        computed from the range of each item.
    slack_of_estimate : float
        Relative rounding of an estimate in float32, whatever the type of the image.
    """

    reference: reference.Method
    example: Callable[[int], dict[str, Any]]
    draw: Callable[..., dict[str, Any]]
    axes: int | None = None
    has_threshold: bool = False
    estimates_noise: bool = False
    rounding: float = 1.0
    by_item: dict[str, Any] = field(default_factory=dict)
    keeps_noise: dict[str, Any] = field(default_factory=dict)
    mixes_channels: bool = False
    slack_of_items: float = 0.0
    slack_of_estimate: float = 0.0

    def filters(self, count):
        """Return whether it can filter that many axes."""
        return self.axes in (None, count)


def draw_mask(rng, axes, span, small, widest=15.0):
    """Kernel and sigma; a sigma below 4 is blurred on every pixel."""
    own = {"kernel": str(rng.choice(["gaussian", "gaussian", "box"]))}
    sigma = [float(rng.choice([0, 0.5, 1, 1.3, 2])) for _ in axes]
    for axis in range(len(axes)):
        if rng.random() < 0.5:
            wide = not small and rng.random() < 0.3
            sigma[axis] = float(rng.uniform(0, widest if wide else 3.9))
    own["sigma"] = sigma[0] if rng.random() < 0.3 else sigma
    if not small:
        own["truncate"] = float(rng.choice([4.0, 4.0, 4.0, 1.0, 2.5, 5.0]))
    return own


def draw_threshold(rng, span, small):
    own = {"amount": float(rng.uniform(-2, 5))}
    if rng.random() < 0.4:
        weak = rng.choice([0, 0.5, 20]) if small else rng.uniform(0, span / 4)
        own["threshold"] = float(weak)
        own["hard"] = bool(rng.random() < 0.5)
    return own


def draw_gains(rng, small):
    own = {"gain_per": str(rng.choice(["image", "item"]))}
    if not small and rng.random() < 0.3:
        gains = rng.uniform(0.1, 4, int(rng.integers(1, 6)))
        own["gains"] = np.sort(gains).tolist()
    return own


def draw_levels(rng, span):
    return {
        "amount": float(rng.uniform(0, 2)),
        "data_range": float(span * rng.uniform(0.5, 2)),
    }


def unsharp_mask(rng, axes, span, small):
    return draw_mask(rng, axes, span, small) | draw_threshold(rng, span, small)


def laplacian_sharpen(rng, axes, span, small):
    most = 5 if small else 9
    sizes = [n for n in range(1, most + 1, 2) if n ** len(axes) <= MOST_WINDOW]
    own = {"median_size": int(rng.choice(sizes))}
    if not small and rng.random() < 0.5:
        own["spacing"] = rng.uniform(0.5, 3, len(axes)).tolist()
    return own | draw_threshold(rng, span, small)


def adaptive_unsharp_mask(rng, axes, span, small):
    own = draw_mask(rng, axes, span, small, 4.0) | draw_gains(rng, small)
    return own | {"subsample": bool(rng.random() < 0.5)}


def auto_unsharp_mask(rng, axes, span, small):
    own = {
        "strength": float(rng.choice([0, 0.5, 1, 2])),
        "denoise": float(rng.choice([0, 0.3, 1])),
        "model": str(rng.choice(["auto", "auto", "widefield", "confocal", "gaussian"])),
        "estimate_per": str(rng.choice(["image", "item"])),
    }
    known = rng.choice(["nothing", "nothing", "blur", "blur per axis", "cutoff"])
    if known == "blur":
        own["blur"] = float(rng.uniform(0.2, 2))
    elif known == "blur per axis":
        own["blur"] = rng.uniform(0.2, 2, len(axes)).tolist()
    elif known == "cutoff" and len(axes) == 2 and own["model"] in ("auto", "widefield"):
        own["cutoff"] = float(rng.uniform(0.2, 0.7))
    return own


def gaussian_sharpen(rng, axes, span, small):
    return {
        "sigma": float(rng.uniform(0.3, 0.8 if small else 3)),
        "radius": 0 if small else int(rng.choice([0, 0, 1, 2, 5])),
    }


def polesel_unsharp_mask(rng, axes, span, small):
    own = {"areas": str(rng.choice(["polesel", "improved"]))}
    return (
        own | {"largest_weight": float(rng.choice([0.5, 4]))} | draw_levels(rng, span)
    )


def dark_region_unsharp_mask(rng, axes, span, small):
    return draw_mask(rng, axes, span, small) | draw_levels(rng, span)


def wavelet_unsharp_mask(rng, axes, span, small):
    # The margin of three levels along four axes is half a minute's work.
    most = 2 if small or len(axes) > 3 else 3
    own = {
        "areas": str(rng.choice(["none", "polesel", "improved"])),
        "wavelet": str(rng.choice(["haar", "bior2.2"])),
        "levels": int(rng.integers(1, most + 1 if len(axes) < 4 else 2)),
        "limit": float(rng.uniform(0, 50)),
    }
    return own | draw_levels(rng, span)


def lin_unsharp_mask(rng, axes, span, small):
    return draw_gains(rng, small)


def entropy_unsharp_mask(rng, axes, span, small):
    own = draw_mask(rng, axes, span, small, 4.0) | draw_gains(rng, small)
    return own | {"penalty": bool(rng.random() < 0.5)}


def sigmas(count):
    return tuple(0.6 + 0.5 * axis for axis in range(count))


GAIN_BY_ITEM = {"gain_per": "item"}

METHOD_CASES = {
    "unsharp_mask": MethodCase(
        reference.unsharp_mask,
        lambda count: {"sigma": sigmas(count), "amount": 1.7},
        unsharp_mask,
        has_threshold=True,
    ),
    "laplacian_sharpen": MethodCase(
        reference.laplacian_sharpen,
        lambda count: {
            "amount": 0.6,
            "median_size": 3,
            "spacing": tuple(1.0 + axis for axis in range(count)),
        },
        laplacian_sharpen,
        has_threshold=True,
    ),
    "adaptive_unsharp_mask": MethodCase(
        reference.adaptive_unsharp_mask,
        lambda count: {},
        adaptive_unsharp_mask,
        by_item=GAIN_BY_ITEM,
    ),
    "auto_unsharp_mask": MethodCase(
        reference.auto_unsharp_mask,
        lambda count: {"strength": 0.8, "denoise": 0.7, "model": "widefield"},
        auto_unsharp_mask,
        estimates_noise=True,
        rounding=20,
        by_item={"estimate_per": "item"},
        slack_of_estimate=3e-5,
        keeps_noise={"denoise": 0},
    ),
    "gaussian_sharpen": MethodCase(
        reference.gaussian_sharpen,
        lambda count: {"sigma": 1.2},
        gaussian_sharpen,
        axes=2,
    ),
    "polesel_unsharp_mask": MethodCase(
        reference.polesel_unsharp_mask,
        lambda count: {"amount": 0.7, "areas": "improved"},
        polesel_unsharp_mask,
        rounding=500,
    ),
    "dark_region_unsharp_mask": MethodCase(
        reference.dark_region_unsharp_mask,
        lambda count: {
            "amount": 1.7,
            "kernel": "gaussian",
            "sigma": sigmas(count),
            "data_range": 1.5,
        },
        dark_region_unsharp_mask,
    ),
    "wavelet_unsharp_mask": MethodCase(
        reference.wavelet_unsharp_mask,
        lambda count: {
            "amount": 1.7,
            "wavelet": "bior2.2",
            "limit": 40.0,
            "levels": 1,
            "areas": "improved",
        },
        wavelet_unsharp_mask,
    ),
    "lin_unsharp_mask": MethodCase(
        reference.lin_unsharp_mask,
        lambda count: {},
        lin_unsharp_mask,
        by_item=GAIN_BY_ITEM,
        slack_of_items=1e-12,
    ),
    "entropy_unsharp_mask": MethodCase(
        reference.entropy_unsharp_mask,
        lambda count: {"kernel": "gaussian", "sigma": sigmas(count), "penalty": False},
        entropy_unsharp_mask,
        by_item=GAIN_BY_ITEM,
        mixes_channels=True,
    ),
}
