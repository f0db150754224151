"""The methods once more, slow and obvious: what every pixel is compared with.

Everything is float64 and numpy alone; nothing of `napari_usm` or `scipy` is
used, so an error would have to be made twice to stay unseen. Read `sharpen`
first: it is the equation ``sharpened = image + amount * edge_map``. What differs
between the methods is in the functions of their names, at the end.

Where a rule needs words:

* A pixel is *invalid* if it is NaN or infinite. With `color="luminance"` and
  `"value"` a pixel is invalid if one of its three colour values is. Its
  edge map is 0 and it stays as it is, whatever the limits are.
* `sigma` and `spacing` with one value per axis follow the order of `axes`.
* With `color="value"` it is V that saturates, at the limits and at the range
  of an integer result; the three scaled colours meet only the range of the
  type.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

REC_709 = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class Reference:
    """What a method should return.

    Attributes
    ----------
    raw : float64 array, shape of the image
        The result before limits, rounding and cast (for `color="value"`:
        the colours scaled with a V that is only held at 0 from below).
    limited : float64 array, shape of the image
        The same within the limits, before rounding and cast.
    image : array, shape of the image
        The result.
    edge_map : float64 array
        Shape of the image; without the channel axis for a `color` other
        than "channels".
    amount : float or float64 array
        1 / gain for the adaptive method, with the shape of `gain`.
    gain : float, float64 array or None
        One per channel and per item where there are such, channel axis and
        item axes in the order of the image; None for the other methods.
    curve : float64 array, shape of `gain` + (number of gains,), or None
        S of every gain.
    """

    raw: np.ndarray
    limited: np.ndarray
    image: np.ndarray
    edge_map: np.ndarray
    amount: float | np.ndarray
    gain: float | np.ndarray | None
    curve: np.ndarray | None


@dataclass(frozen=True)
class Method:
    """A method, as `sharpen` takes it.

    Attributes
    ----------
    apply : callable
        `Planes` and parameters to `Masks`.
    defaults : dict
        All parameters with their defaults.
    detail : callable, optional
        Plane, axes and parameters to what is added to the plane before any threshold,
        and the mean of the pixels around, from which it is a difference: for methods
        whose detail is compared with its noise.
    """

    apply: Callable
    defaults: dict
    detail: Callable | None = None


@dataclass(frozen=True)
class Planes:
    """The grey arrays that a method filters: one per channel, or one of all colours.

    Attributes
    ----------
    arrays : list of float64 array
    axes : tuple of int
        Filtered axes.
    items : tuple of int
        All other axes.
    dtype : dtype
        Type of the image.
    whole : bool
        Whether all values are integers.
    """

    arrays: list
    axes: tuple
    items: tuple
    dtype: np.dtype
    whole: bool


@dataclass(frozen=True)
class Masks:
    """What a method adds to the grey arrays.

    Attributes
    ----------
    edges : list of float64 array
        One edge map for each.
    amount : float, optional
        The factor of all of them, unless there are gains.
    gains : list of (float64 array, float64 array), optional
        For each of them the gain and the curve, as arrays over its items.
    shared : bool
        Whether all of them have one gain and curve.
    """

    edges: list
    amount: float | None = None
    gains: list | None = None
    shared: bool = False


def sharpen(image, method, *, weight=None, **parameters):
    """Sharpen `image` with a `Method`, as a `Reference`.

    A weight has the shape of the image without its channel axis.
    """
    unknown = set(parameters) - set(method.defaults)
    if unknown:
        name = method.apply.__name__
        raise TypeError(f"{name} has no parameters {sorted(unknown)}")
    p = {**method.defaults, **parameters}

    image = np.asarray(image)
    values = image.astype(np.float64)
    channel = None if p["channel_axis"] is None else p["channel_axis"] % image.ndim
    if p["axes"] is None:
        axes = tuple(axis for axis in range(image.ndim) if axis != channel)
    else:
        axes = tuple(axis % image.ndim for axis in p["axes"])
    if "data_range" in p and p["data_range"] is None:
        p["data_range"] = white(image.dtype)
    if channel in axes or len(set(axes)) < len(axes):
        raise ValueError(f"axes {axes} repeat, or hold the channel axis {channel}")

    # One grey array per channel (or one for all colours), and whether it is alpha.
    p["weight"] = None
    if channel is None:
        colours, alpha = values, None
        planes = [values]
        plane_axes = axes
    else:
        count = image.shape[channel] - bool(p["alpha"])
        colours = np.take(values, range(count), channel)
        alpha = np.take(values, range(count, image.shape[channel]), channel)
        planes = grey_planes(colours, channel, p["color"])
        plane_axes = tuple(axis - (axis > channel) for axis in axes)
        if p["alpha"]:
            # A pixel that cannot be seen is invalid; others weigh as they are opaque.
            p["weight"] = opacity(np.take(image, count, channel))
            planes = [np.where(p["weight"] > 0, plane, np.nan) for plane in planes]
    items = tuple(axis for axis in range(planes[0].ndim) if axis not in plane_axes)
    p["in_bytes"] = (
        image.dtype in (np.uint8, np.bool_)
        and not p["alpha"]
        and (channel is None or p["color"] == "channels")
    )

    mixed = channel is not None and p["color"] == "luminance"
    whole = image.dtype.kind in "iu" and not mixed
    grey = Planes(planes, plane_axes, items, image.dtype, whole)
    masks = method.apply(grey, p)
    edges = masks.edges
    if weight is not None:
        edges = [edge * weight for edge in edges]

    gain = curve = None
    if masks.gains is None:
        amount = float(masks.amount)
        amounts = [amount] * len(planes)
    else:
        amounts = [
            1 / (np.expand_dims(each, plane_axes) if each.ndim else each)
            for each, _ in masks.gains
        ]
        gain, curve = masks.gains[0]
        if channel is not None and p["color"] == "channels" and not masks.shared:
            # The channel axis stands among the item axes as in the image.
            place = sum(axis < channel for axis in items) if gain.ndim else 0
            gain = np.stack([each for each, _ in masks.gains], place)
            curve = np.stack([each for _, each in masks.gains], place)
        amount = 1 / gain
        if gain.ndim == 0:
            gain, amount = float(gain), float(amount)

    dtype = image.dtype if p["dtype"] is None else np.dtype(p["dtype"])
    hidden = False
    if p["weight"] is not None:
        hidden = np.expand_dims(p["weight"] == 0, channel)
    low, high = _limits(np.where(hidden, np.nan, colours), p["limits"])
    if channel is None:
        edge_map = edges[0]
        raw = values + amounts[0] * edge_map
        limited = _limit(raw, low, high)
    elif p["color"] == "channels":
        edge_map = np.stack(edges, channel)
        raw = colours + np.stack(
            [a * edge for a, edge in zip(amounts, edges, strict=True)], channel
        )
        limited = _limit(raw, low, high)
        edge_map = np.concatenate([edge_map, np.zeros_like(alpha)], channel)
    elif p["color"] == "luminance":
        edge_map = edges[0]
        raw = colours + np.expand_dims(amounts[0] * edge_map, channel)
        limited = _limit(raw, low, high)
    else:
        edge_map = edges[0]
        value = planes[0]
        new_value = value + amounts[0] * edge_map
        if dtype.kind in "biu":
            low = max(low, _type_range(dtype)[0])
            high = min(high, _type_range(dtype)[1])
        raw = _scale_value(colours, value, np.maximum(new_value, 0), channel)
        new_value = np.maximum(_limit(new_value, low, high), 0)
        limited = _scale_value(colours, value, new_value, channel)
    limited = np.where(hidden, colours, limited)
    if channel is not None:
        raw = np.concatenate([raw, alpha], channel)
        limited = np.concatenate([limited, alpha], channel)

    return Reference(raw, limited, cast(limited, dtype), edge_map, amount, gain, curve)


def opacity(alpha):
    """Return the weight of each pixel: 1 where alpha is as large as it means anything.

    That is 1 for floats, and for integers the largest of their type or of 16 bits.
    """
    full = 1
    if alpha.dtype.kind in "iu":
        full = min(int(np.iinfo(alpha.dtype).max), 65535)
    weight = np.nan_to_num(np.minimum(np.maximum(alpha / full, 0), 1))
    return np.where(weight < 1e-6, 0.0, weight)


# --- the edge map of one grey array -----------------------------------------------


def _above_threshold(planes, detail, p):
    """Return the detail of each grey array that is above the threshold."""
    edges = []
    for plane in planes.arrays:
        change, around = detail(plane, planes.axes, p)
        level = p["threshold"]
        if isinstance(level, str):
            noise = detail_noise(plane, around, planes.axes, detail, p, planes.whole)
            level = float(level.removesuffix("noise")) * noise
        edges.append(threshold(change, level, p["hard"]))
    return edges


def mask_detail(plane, axes, p):
    """Return the plane less its blur, by a box or a Gaussian, and the blur."""
    if p["kernel"] == "box":
        taps = [np.full(3, 1 / 3)] * len(axes)
    else:
        taps = [
            gaussian_taps(sigma, int(p["truncate"] * sigma + 0.5))
            for sigma in np.broadcast_to(p["sigma"], len(axes))
        ]
    return _less_blur(plane, axes, taps, p)


def gaussian_sharpen_detail(plane, axes, p):
    """Return the plane less its blur by ImageMagick's Gaussian, and the blur."""
    if len(axes) != 2:
        raise ValueError(f"gaussian_sharpen filters two axes, got {axes}")
    radius = gaussian_sharpen_radius(p["sigma"], p["radius"])
    return _less_blur(plane, axes, [gaussian_taps(p["sigma"], radius)] * 2, p)


def laplacian_detail(plane, axes, p):
    """Return minus the Laplacian of the median, and the mean of the neighbours."""
    weights = laplacian_weights(p["spacing"], len(axes))
    filtered = median(plane, p["median_size"], axes)
    detail = -laplacian(filtered, axes, weights, p["mode"], p["cval"])
    detail = np.where(np.isfinite(plane), detail, 0.0)
    return detail, plane - 0.5 / sum(weights) * detail


def _less_blur(plane, axes, taps, p):
    """Return the plane less its blur, 0 at invalid pixels, and the blur."""
    if p.get("in_bytes") and (known := byte_taps(taps, p)) is not None:
        blurred = byte_blur(plane, axes, known, p["mode"], p["cval"])
    else:
        blurred = blur(plane, axes, taps, p["mode"], p["cval"], p.get("weight"))
    return np.where(np.isfinite(plane), plane - blurred, 0.0), blurred


def detail_noise(plane, around, axes, detail, p, whole):
    """Return the standard deviation of the noise of the detail at each pixel.

    It grows with the intensity `around` the pixel.
    """
    estimate = auto_estimate(plane, axes, whole)
    if estimate is None:
        return np.zeros(plane.shape)
    around = np.where(np.isfinite(plane), around, 0.0)
    energy = noise_energy(len(axes), detail, p)
    return np.sqrt(estimate.variance(around) * energy)


def noise_energy(count, detail, p):
    """Return the variance of the detail of white noise of variance 1."""
    axes, p = tuple(range(count)), {**p, "mode": "mirror"}
    if p.get("median_size", 1) > 1:
        side = {1: 4096, 2: 128, 3: 32}[count]
        noise = np.random.default_rng(0).normal(size=(side,) * count)
        border = 1 + p["median_size"] // 2
        inside = (slice(border, -border),) * count
        return np.var(detail(noise, axes, p)[0][inside])
    impulse = np.zeros((41,) * count)
    impulse[(20,) * count] = 1
    return np.sum(detail(impulse, axes, p)[0] ** 2)


def border_index(position, length, mode):
    """Return the index that stands at `position` of the endless axis.

    None where a constant stands there. The modes are those of
    `scipy.ndimage`; an axis is reflected as often as it takes.
    """
    if 0 <= position < length:
        return position
    if mode == "constant":
        return None
    if mode == "nearest":
        return 0 if position < 0 else length - 1
    if mode == "wrap":
        return position % length
    if mode == "reflect":  # d c b a | a b c d | d c b a
        position %= 2 * length
        return position if position < length else 2 * length - 1 - position
    if mode == "mirror":  # d c b | a b c d | c b a
        if length == 1:
            return 0
        position %= 2 * length - 2
        return position if position < length else 2 * length - 2 - position
    raise ValueError(f"unknown mode {mode!r}")


def shifted(array, axis, offset, mode, cval):
    """Return the array of each pixel's neighbour, `offset` away along `axis`."""
    length = array.shape[axis]
    indices = [border_index(i + offset, length, mode) for i in range(length)]
    taken = np.take(array, [0 if i is None else i for i in indices], axis)
    outside = np.array([i is None for i in indices], dtype=bool)
    shape = [1] * array.ndim
    shape[axis] = length
    return np.where(outside.reshape(shape), cval, taken)


def correlate(array, axis, taps, mode, cval):
    """Return the sum of the neighbours along `axis`, each times its tap."""
    radius = len(taps) // 2
    total = np.zeros(array.shape)
    for offset in range(-radius, radius + 1):
        total += taps[offset + radius] * shifted(array, axis, offset, mode, cval)
    return total


def blur(plane, axes, taps, mode, cval, weight=None):
    """Return the mean of the valid neighbours, weighted by the taps and `weight`.

    A pixel that has no valid neighbour gets 0 (it is invalid itself).
    """
    valid = np.isfinite(plane)
    share = valid.astype(np.float64)
    if weight is not None:
        share *= weight
    total = np.where(valid, plane, 0.0) * share
    for axis, axis_taps in zip(axes, taps, strict=True):
        total = correlate(total, axis, axis_taps, mode, cval)
        share = correlate(share, axis, axis_taps, mode, 1.0)
    return np.divide(total, share, out=np.zeros(plane.shape), where=share > 0)


def byte_taps(taps, p):
    """Return taps in units of 2**-15 for planes of bytes, if they are blurred so.

    That is along exactly two axes, by Gaussians that are summed on every pixel and
    reach up to 16 pixels, with a border of bytes.
    """
    cval = p["cval"] if p["mode"] == "constant" else 0
    coarse = np.max(p["sigma"]) >= 4 and p.get("truncate", 0) >= 4
    sizes = [len(each) for each in taps if len(each) > 1]
    if p.get("kernel") == "box" or coarse or len(sizes) != 2 or max(sizes) > 33:
        return None
    if not (float(cval).is_integer() and 0 <= cval <= 255):
        return None
    whole = []
    for each in taps:
        units = np.rint(each * 2**15)
        units[len(units) // 2] += 2**15 - units.sum()
        if len(each) > 1 and units.max() >= 2**15:
            return None
        whole.append(units)
    return whole


def byte_blur(plane, axes, taps, mode, cval):
    """Return the blur of a plane of bytes, rounded to 1/256 after the first axis."""
    (first, down), (last, across) = sorted(
        (axis, each) for axis, each in zip(axes, taps, strict=True) if len(each) > 1
    )
    total = correlate(plane, first, down, mode, cval)
    rounded = np.floor(total / 2**7 + 0.5)
    return correlate(rounded, last, across, mode, 256 * cval) / 2**23


def gaussian_taps(sigma, radius):
    """Return the taps of a Gaussian, from -radius to radius; their sum is 1."""
    if sigma == 0:
        return np.ones(1)
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    return taps / taps.sum()


def gaussian_sharpen_radius(sigma, radius):
    """Return the half width of ImageMagick's kernel (6.9, Q16).

    GetOptimalKernelWidth2D grows the kernel until a tap in the middle of its
    side is below 1/65535 of the sum, and takes the width before.
    """
    if radius > 0:
        return int(np.ceil(radius))
    if sigma == 0:
        return 1
    width = 5
    while True:
        half = (width - 1) // 2
        side = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * sigma**2))
        if side[-1] / side.sum() ** 2 < 1 / 65535:
            return half - 1
        width += 2


def gaussian_sharpen_amount(sigma, radius):
    """Return N / (N + g0): N the sum of the Gaussian's taps, g0 its peak.

    Both are divided by g0 here, so that the peak is 1. A sigma of 0 leaves
    nothing but the peak (and no detail to multiply).
    """
    if sigma == 0:
        return 0.5
    half = gaussian_sharpen_radius(sigma, radius)
    side = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * sigma**2))
    return float(side.sum() ** 2 / (side.sum() ** 2 + 1))


def median(plane, size, axes):
    """Return the median of the valid pixels in the window around each pixel.

    Of an even number it is the lower of the middle two. The border is
    reflected; an invalid pixel stays what it is.
    """
    valid = np.isfinite(plane)
    reach = range(-(size // 2), size // 2 + 1)
    window = []
    for offsets in itertools.product(reach, repeat=len(axes)):
        # Infinite ones are sorted behind all valid ones.
        neighbour = np.where(valid, plane, np.inf)
        for axis, offset in zip(axes, offsets, strict=True):
            neighbour = shifted(neighbour, axis, offset, "reflect", np.nan)
        window.append(neighbour)
    ordered = np.sort(window, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    lower_middle = np.maximum(count - 1, 0) // 2
    found = np.take_along_axis(ordered, lower_middle[np.newaxis], 0)[0]
    return np.where(valid, found, plane)


def laplacian_weights(spacing, count):
    """Return the weight of each axis' second difference."""
    if spacing is None:
        return [1.0] * count
    return [(min(spacing) / step) ** 2 for step in spacing]


def laplacian(plane, axes, weights, mode, cval):
    """Return the weighted sum of the second differences of the axes.

    A neighbour that is invalid counts as the centre.
    """
    centre = np.where(np.isfinite(plane), plane, 0.0)
    total = np.zeros(plane.shape)
    for axis, weight in zip(axes, weights, strict=True):
        for offset in (-1, 1):
            neighbour = shifted(plane, axis, offset, mode, cval)
            neighbour = np.where(np.isfinite(neighbour), neighbour, centre)
            total += weight * (neighbour - centre)
    return total


def threshold(detail, level, hard):
    """Return `detail` without what is weaker than `level`."""
    if hard:
        return np.where(np.abs(detail) >= level, detail, 0.0)
    return np.sign(detail) * np.maximum(np.abs(detail) - level, 0.0)


# --- the methods for the lab ------------------------------------------------------


def white(dtype):
    """Return the intensity of white in images of this type."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _polesel_edge_map(plane, axes, p):
    """Return the second differences along the axes, each times its weight."""
    level = p["data_range"] / 255
    plane, mode, cval = plane / level, p["mode"], p["cval"] / level
    valid = np.isfinite(plane)
    growth = area_growth(plane, axes, p, cval)
    details = [-laplacian(plane, (axis,), (1.0,), mode, cval) for axis in axes]
    unknown = [np.where(valid, detail, np.nan) for detail in details]
    activities = [activity(detail, axes, mode, 0.0) for detail in unknown]
    wanted = growth * activity(plane, axes, mode, cval)

    def mean(values):
        values = np.where(valid, values, np.nan)
        return blur(values, axes, [np.full(5, 1 / 5)] * len(axes), mode, 0.0)

    squares = np.array(
        [[mean(one * other) for other in activities] for one in activities]
    )
    right = np.array([mean(one * wanted) for one in activities])
    # One system of equations at each pixel: its axes come last.
    matrix = np.moveaxis(squares, (0, 1), (-2, -1))
    ridge = 1 + 1e-3 * np.trace(squares)
    matrix = matrix + ridge[..., np.newaxis, np.newaxis] * np.eye(len(axes))
    weights = np.linalg.inv(matrix) @ np.moveaxis(right, 0, -1)[..., np.newaxis]
    weights = np.clip(weights[..., 0], 0, p["largest_weight"])
    found = sum(weights[..., k] * detail for k, detail in enumerate(details))
    return level * np.where(valid, found, 0.0)


def activity(plane, axes, mode, cval):
    """Return what a pixel is above the mean of the valid ones in its 3-wide window."""
    mean = blur(plane, axes, [np.full(3, 1 / 3)] * len(axes), mode, cval)
    return np.where(np.isfinite(plane), plane - mean, 0.0)


def area_growth(plane, axes, p, cval):
    """Return by how much the activity should grow, of a plane in levels of 8 bits."""
    window = []
    for offsets in itertools.product((-1, 0, 1), repeat=len(axes)):
        neighbour = plane
        for axis, offset in zip(axes, offsets, strict=True):
            neighbour = shifted(neighbour, axis, offset, p["mode"], cval)
        window.append(np.where(np.isfinite(neighbour), neighbour, np.nan))
    count = np.maximum(np.isfinite(window).sum(axis=0), 1)
    mean = np.nansum(window, axis=0) / count
    contrast = np.sqrt(np.nansum((np.array(window) - mean) ** 2, axis=0) / count)
    low, high = p["contrasts"]
    medium, much = (activity - 1 for activity in p["activities"])
    if p["areas"] == "polesel":
        return np.select([contrast < low, contrast < high], [0.0, medium], much)

    def above(bound):
        octaves = np.full(plane.shape, -9.0)
        some = contrast > 0
        octaves[some] = np.log2(contrast[some] / bound) if bound > 0 else 9.0
        along = np.clip(octaves / (2 / 3) + 0.5, 0, 1)
        return 3 * along**2 - 2 * along**3

    growth = medium * above(low) + (much - medium) * above(low) * above(high)
    return growth * _coherence(plane, axes, p["mode"], cval)


def _coherence(plane, axes, mode, cval):
    """Return 1 where all gradients around a pixel point one way, 0 where they do not."""
    count = len(axes)
    if count == 1:
        return np.ones(plane.shape)
    known = np.where(np.isfinite(plane), plane, np.nan)
    slopes = [
        np.nan_to_num(
            shifted(known, axis, 1, mode, cval) - shifted(known, axis, -1, mode, cval)
        )
        for axis in axes
    ]
    box = [np.full(3, 1 / 3)] * count
    tensor = np.array(
        [[blur(a * b, axes, box, mode, 0.0) for b in slopes] for a in slopes]
    )
    squares, trace = np.sum(tensor**2, axis=(0, 1)), np.trace(tensor)
    share = np.divide(squares, trace**2, out=np.zeros(plane.shape), where=trace > 0)
    return np.clip((count * share - 1) / (count - 1), 0, 1)


#: Taps of each wavelet by their distance from the pixel: low and high of the analysis,
#: low and high of the synthesis.
WAVELETS = {
    "haar": (
        {0: 1 / 2, 1: 1 / 2},
        {0: -1 / 2, 1: 1 / 2},
        {-1: 1 / 2, 0: 1 / 2},
        {-1: 1 / 2, 0: -1 / 2},
    ),
    "bior2.2": (
        {-2: -1 / 8, -1: 1 / 4, 0: 3 / 4, 1: 1 / 4, 2: -1 / 8},
        {-1: -1 / 4, 0: 1 / 2, 1: -1 / 4},
        {-1: 1 / 4, 0: 1 / 2, 1: 1 / 4},
        {-2: -1 / 8, -1: -1 / 4, 0: 3 / 4, 1: -1 / 4, 2: -1 / 8},
    ),
}


def _wavelet_edge_map(plane, axes, p):
    """Return the trimmed detail of the stationary transform, times its weight."""
    level = p["data_range"] / 255
    valid = np.isfinite(plane)
    reach = {"haar": 1, "bior2.2": 3}[p["wavelet"]] * (2 ** p["levels"] - 1)
    wide = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    around = blur(plane, axes, [wide] * len(axes), p["mode"], p["cval"])
    known = np.where(valid, plane, around)
    for axis in axes:
        places = range(-reach, known.shape[axis] + reach)
        index = [border_index(i, known.shape[axis], p["mode"]) for i in places]
        taken = np.take(known, [0 if i is None else i for i in index], axis)
        shape = [-1 if each == axis else 1 for each in range(known.ndim)]
        outside = np.array([i is None for i in index]).reshape(shape)
        known = np.where(outside, p["cval"], taken)
    found = _planes_of_detail(known, axes, p, 1, p["limit"] * level)
    for axis in axes:
        found = np.take(found, range(reach, found.shape[axis] - reach), axis)
    if p["areas"] != "none":
        growth = area_growth(plane / level, axes, p, p["cval"] / level)
        found *= growth / max(max(p["activities"]) - 1, 1e-300)
    return np.where(valid, found, 0.0)


def _planes_of_detail(values, axes, p, level, limit):
    """Return what the trimmed planes of this level and of all behind it add up to."""
    low, high, low_back, high_back = WAVELETS[p["wavelet"]]
    step = 2 ** (level - 1)
    total = 0.0
    for kinds in itertools.product((0, 1), repeat=len(axes)):
        band = values
        for axis, kind in zip(axes, kinds, strict=True):
            band = _tapped(band, axis, high if kind else low, step)
        if any(kinds):
            band = np.clip(band, -limit, limit)
        elif level < p["levels"]:
            band = _planes_of_detail(band, axes, p, level + 1, limit)
        else:
            continue
        for axis, kind in zip(axes, kinds, strict=True):
            band = _tapped(band, axis, high_back if kind else low_back, step)
        total = total + band
    return total


def _tapped(values, axis, taps, step):
    """Return the sum of neighbours, each times its tap; the ends are never looked at."""
    places = np.arange(values.shape[axis])
    return sum(
        tap * np.take(values, np.clip(places + step * offset, 0, places[-1]), axis)
        for offset, tap in taps.items()
    )


# --- the gain of the adaptive method ----------------------------------------------


def _gain(plane, edge, axes, items, dtype, p):
    """Return gain and curve of one grey array, as arrays over its items."""
    gains = np.arange(1, 31) / 10 if p["gains"] is None else np.asarray(p["gains"])
    if p["gain_per"] == "image":
        curve = gradient_curve(plane, edge, axes, gains, dtype)
        return np.asarray(steepest(gains, curve), dtype=np.float64), curve
    shape = tuple(plane.shape[axis] for axis in items)
    found = np.zeros(shape)
    curves = np.zeros((*shape, len(gains)))
    for index in np.ndindex(shape):
        where = _item(plane, items, index)
        curves[index] = gradient_curve(plane[where], edge[where], axes, gains, dtype)
        found[index] = steepest(gains, curves[index])
    return found, curves


def _item(plane, items, index):
    """Return where the item of this index lies."""
    where = [slice(None)] * plane.ndim
    for axis, i in zip(items, index, strict=True):
        where[axis] = slice(i, i + 1)
    return tuple(where)


def gradient_curve(plane, edge, axes, gains, dtype):
    """Return S of every gain: the share of the gradient that was there before.

    S is the product of the ratios ``|gradient before| / |gradient after|`` of
    the forward differences along each axis, and of the sum over all pairs of
    axes of their mixed second differences (of a single axis: of its second
    difference).
    """
    axes = [axis for axis in axes if plane.shape[axis] >= 2]
    norms = [[(axis,)] for axis in axes]
    if len(axes) >= 2:
        norms.append(list(itertools.combinations(axes, 2)))
    elif len(axes) == 1 and plane.shape[axes[0]] >= 3:
        norms.append([(axes[0], axes[0])])

    valid = np.isfinite(plane)
    before = np.where(valid, plane, np.nan)
    narrow = dtype.itemsize <= {"b": 1, "i": 2, "u": 2, "f": 4}[dtype.kind]
    working = np.float32 if narrow else np.float64
    rounding = 8 * np.finfo(working).eps * np.abs(plane[valid]).max(initial=0.0)

    curve = np.ones(len(gains))
    for i, gain in enumerate(gains):
        after = before + edge / gain
        for differences in norms:
            old = np.concatenate([_differences(before, d) for d in differences])
            new = np.concatenate([_differences(after, d) for d in differences])
            flat = old.max(initial=0.0) <= rounding
            if flat and new.max(initial=0.0) <= rounding * (1 + 1 / gain):
                continue  # 0 / 0 counts as 1
            curve[i] *= old.sum() / new.sum()
    return curve


def _differences(array, along):
    """Return the size of the differences that touch no invalid pixel."""
    for axis in along:
        array = np.diff(array, axis=axis)
    return np.abs(array[np.isfinite(array)])


def steepest(gains, curve):
    """Return the gain where the curve rises most steeply, by its index."""
    if len(gains) == 1 or np.ptp(curve) <= 1e-9:
        return float(gains[-1])
    return float(gains[np.argmax(np.gradient(curve))])


# --- the gain of the largest entropy -----------------------------------------------


def _entropy_gain(planes, edges, p):
    """Return gain and curve of all grey arrays together, as arrays over their items."""
    tried = p["gains"] or [10 ** (n / 20) for n in range(-20, 21)]
    image, detail = np.stack(planes.arrays), np.stack(edges)
    items = planes.items if p["gain_per"] == "item" else ()
    shape = tuple(planes.arrays[0].shape[axis] for axis in items)
    gain, curve = np.zeros(shape), np.zeros((*shape, len(tried)))
    for index in np.ndindex(shape):
        where = (slice(None), *_item(planes.arrays[0], items, index))
        own = _stretched(image[where], detail[where])
        how = (False, p["penalty"])
        gain[index], curve[index] = most_entropy(*own, tried, *how, p["gains"] is None)
    return gain, curve


def _lin(plane, axes, items, p):
    """Return edge map, gain and curve of one grey array."""
    tried = p["gains"] or [1 / (n / 25) for n in range(50, 0, -1)]
    box = [np.full(3, 1 / 3)] * len(axes)
    detail = plane - blur(plane, axes, box, p["mode"], p["cval"], p.get("weight"))
    detail = np.where(np.isfinite(plane), 3 ** len(axes) * detail, 0.0)
    items = items if p["gain_per"] == "item" else ()
    edge = np.zeros(plane.shape)
    shape = tuple(plane.shape[axis] for axis in items)
    gain, curve = np.zeros(shape), np.zeros((*shape, len(tried)))
    for index in np.ndindex(shape):
        where = _item(plane, items, index)
        image, change = _stretched(plane[where], detail[where])
        change = change * lin_weight(image, change)
        gain[index], curve[index] = most_entropy(
            image, change, tried, True, True, p["gains"] is None
        )
        made = image + change / gain[index]
        kept = (made < 0) | (made > 1) | ~np.isfinite(image)
        edge[where] = np.where(kept, 0.0, change) * _range(plane[where])[1]
    return edge, gain, curve


def lin_weight(image, detail):
    """Return the share of the detail that Lin et al. add, of a stretched image."""
    middle = (1 + np.tanh(3 - 12 * np.abs(image - 0.5))) / 2
    weak = (1 + np.tanh(3.5 - 6 * np.abs(detail))) / 2
    return middle * weak


def _range(values):
    """Return the smallest valid value, and how far above it the largest is."""
    valid = values[np.isfinite(values)]
    low = valid.min(initial=np.inf)
    return (low, valid.max(initial=-np.inf) - low) if valid.size else (0.0, 0.0)


def _stretched(values, detail):
    """Return both so that the valid values lie from 0 to 1; flat ones are all 0."""
    low, span = _range(values)
    if span == 0:
        return np.where(np.isfinite(values), 0.0, np.nan), np.zeros(values.shape)
    return (values - low) / span, detail / span


def entropy_curve(image, change, gains, restores, penalty):
    """Return the entropy of the image plus its change over each gain.

    `restores` says whether a pixel that leaves the range from 0 to 1 keeps its value
    or is held at the end; `penalty` takes the share of such pixels away.
    """
    valid = np.isfinite(image)
    image, change = image[valid], change[valid]
    curve = np.zeros(len(gains))
    for i, gain in enumerate(gains):
        made = image + change / gain
        # What should be equal is, whatever rounding made of it.
        out = (made < -1e-9) | (made > 1 + 1e-9)
        made = np.where(out, image, made) if restores else np.clip(made, 0, 1)
        levels = np.floor(255 * made + 0.5 + 1e-9)
        counts = np.bincount(levels.astype(int))
        share = counts[counts > 0] / max(levels.size, 1)
        curve[i] = -np.sum(share * np.log2(share))
        if penalty and out.size:
            curve[i] *= 1 - out.mean()
    return curve


def most_entropy(image, change, gains, restores, penalty, refined):
    """Return the gain of the largest entropy, and the curve of the gains given.

    `refined` says whether to look on between the neighbours of the best of them.
    """
    curve = entropy_curve(image, change, gains, restores, penalty)
    best = gentlest(gains, curve)
    if not refined:
        return best, curve
    at = list(gains).index(best)
    most, least = 1 / gains[max(at - 1, 0)], 1 / gains[min(at + 1, len(gains) - 1)]
    amounts = [*np.linspace(most, 1 / best, 20), *np.linspace(1 / best, least, 20)]
    finer = [1 / amount for amount in amounts]
    return gentlest(
        finer, entropy_curve(image, change, finer, restores, penalty)
    ), curve


def gentlest(gains, curve):
    """Return the largest of the gains that are best."""
    best = max(curve) - 1e-9
    return max(gain for gain, value in zip(gains, curve, strict=True) if value >= best)


# --- the bands of the automatic methods --------------------------------------------


@dataclass(frozen=True)
class AutoEstimate:
    """What the automatic method goes by; the noise threshold uses its noise alone.

    Attributes
    ----------
    sigmas : dict of axis to float
        Blur along the axes that are long enough.
    constant, growth, zero, least : float
        Variance of the noise is constant + growth * (intensity - zero), at least
        least ** 2.
    left : float
        Share of it that is noise if the spectrum goes on as it is fitted.
    mean : float
        Mean intensity.
    ground : float
        How much of a dark ground the image stands on, from 0 to 1; of a bright one
        from 0 to -1.
    lens : float
        How much of the blur is that of a lens in place of a Gaussian, from 0 to 1.
    """

    sigmas: dict
    constant: float
    growth: float
    zero: float
    least: float
    left: float
    mean: float
    ground: float = 0.0
    lens: float = 0.0

    def variance(self, intensity, left=1.0):
        """Return the variance of the noise, or of a share of it."""
        growing = self.constant + self.growth * (intensity - self.zero)
        return np.fmax(growing * left, self.least**2)

    @property
    def noise(self):
        """Standard deviation of the noise at the mean intensity."""
        return float(np.sqrt(self.variance(self.mean)))


def plane_axes(axes, shape):
    """Return the last two of the filtered axes that are long enough, or nothing."""
    known = [axis for axis in sorted(axes) if shape[axis] >= 16]
    return tuple(known[-2:]) if len(known) > 1 else ()


def _auto_edge_map(plane, planes, p):
    """Return the edge map of one grey array, item by item if asked for."""
    axes = planes.axes
    how = (axes, planes.whole, p["model"], p["blur"], p["cutoff"])
    if p["estimate_per"] == "image":
        return auto_change(plane, axes, auto_estimate(plane, *how), p)
    edge = np.zeros(plane.shape)
    for index in np.ndindex(*(plane.shape[axis] for axis in planes.items)):
        where = _item(plane, planes.items, index)
        estimate = auto_estimate(plane[where], *how)
        weight = None if p["weight"] is None else p["weight"][where]
        edge[where] = auto_change(plane[where], axes, estimate, {**p, "weight": weight})
    return edge


def auto_change(plane, axes, estimate, p):
    """Return the bands, held at the floor, and what is done to impulses."""
    if estimate is None:
        return np.zeros(plane.shape)
    if p["model"] == "gaussian":
        return weighted_bands(plane, estimate, p)[0]
    valid = np.isfinite(plane)
    along = plane_axes(axes, plane.shape)
    clean = plane
    if along:
        around = neighbours(plane, along)
        middle = (around[3] + around[4]) / 2
        # All of what may be noise, and a whole step: fine texture is no impulse.
        variance = estimate.variance(middle)
        noise = np.sqrt(np.maximum(variance, (2 * estimate.least) ** 2))
        clean = without_impulses(plane, around, noise)
    change, twice = weighted_bands(clean, estimate, p)
    if estimate.ground != 0:
        # On bright ground all is upside down.
        up = np.sign(estimate.ground)
        floor = lowest(np.where(valid, up * twice, np.inf), along, p["mode"])
        narrow, _ = band_taps(list(estimate.sigmas.values()))
        share = np.prod([np.sum(np.convolve(taps, taps) ** 2) for taps in narrow])
        floor = np.where(valid, floor, 0.0)
        variance = estimate.variance(up * floor, estimate.left)
        floor += 2.5 * np.sqrt(share * variance)
        short = np.maximum(floor - np.where(valid, up * (clean + change), np.inf), 0)
        change = change + estimate.ground * short
    moved = np.where(valid, clean, 0.0) - np.where(valid, plane, 0.0)
    return np.where(valid, change + p["denoise"] * moved, 0.0)


def neighbours(plane, axes):
    """Return the eight around each pixel in its plane, sorted; NaN if one is invalid.

    Beyond the border the plane is mirrored, without its outermost pixels.
    """
    plane = np.where(np.isfinite(plane), plane, np.nan)
    around = []
    for down, across in itertools.product((-1, 0, 1), repeat=2):
        if (down, across) != (0, 0):
            moved = shifted(plane, axes[0], down, "mirror", 0.0)
            around.append(shifted(moved, axes[1], across, "mirror", 0.0))
    spoilt = np.isnan(around).any(axis=0)
    return np.where(spoilt, np.nan, np.sort(around, axis=0))


def without_impulses(plane, around, noise):
    """Return the plane, with the middle of its neighbours in place of an impulse.

    That is a pixel far outside what its neighbours span without their outermost ones.
    """
    low, high = around[1], around[6]
    far = 6 * noise + 4.5 * (high - low)
    impulse = (plane < low - far) | (plane > high + far)
    impulse &= np.isfinite(plane)
    return np.where(impulse, (around[3] + around[4]) / 2, plane)


def lowest(plane, axes, mode="constant"):
    """Return the lowest value within 16 pixels along the axes, inside the plane."""
    for axis in axes:
        beyond = "wrap" if mode == "wrap" else "constant"
        plane = np.min(
            [shifted(plane, axis, k, beyond, np.inf) for k in range(-16, 17)], axis=0
        )
    return plane


def weighted_bands(plane, estimate, p):
    """Return the three bands, each times its weight, and the plane blurred twice."""
    axes, blurs = list(estimate.sigmas), list(estimate.sigmas.values())
    valid = np.isfinite(plane)
    mode, cval, weight = p["mode"], p["cval"], p.get("weight")

    narrow, wide = band_taps(blurs)
    inner = np.where(valid, blur(plane, axes, narrow, mode, cval, weight), np.nan)
    outer = np.where(valid, blur(inner, axes, narrow, mode, cval, weight), np.nan)
    rest = np.where(valid, blur(outer, axes, wide, mode, cval, weight), np.nan)
    parts = [plane - inner, inner - outer, outer - rest]

    mean = [np.full(9, 1 / 9)] * len(axes)
    noise = estimate.variance(inner, estimate.left)
    if estimate.growth > 0:
        # Where a pixel is invalid, so is its noise.
        noise = np.where(valid, noise, np.nan)
        beyond = estimate.variance(cval, estimate.left)
        noise = blur(noise, axes, mean, mode, beyond, weight)
    signal = np.pi / 2 * blur(np.abs(parts[2]), axes, mean, mode, 0.0, weight) ** 2
    gain = noise_gain(narrow, wide)
    ratio = np.full(plane.shape, 1.0)
    ratio[valid] = np.clip(signal[valid] / (gain * noise[valid]) - 1, 0.125, 2.0**20)

    # Straight between the powers of 2, for each of which the weights are known.
    octaves = 2.0 ** np.arange(-3, 21)
    how = (p["denoise"], estimate.lens, abs(estimate.ground))
    table = np.array([band_weights(blurs, ratio_, *how) for ratio_ in octaves])
    total = sum(
        np.interp(ratio, octaves, table[:, k]) * np.where(valid, part, 0.0)
        for k, part in enumerate(parts)
    )
    return np.where(valid, total, 0.0), outer


def band_taps(blurs):
    """Return the taps of the Gaussian that is used twice, and of the wide one."""
    sigmas = [max(0.5, 0.65 * blur_) for blur_ in blurs]
    narrow = [gaussian_taps(m, int(np.ceil(4 * m))) for m in sigmas]
    wide = [gaussian_taps(2 * m, int(np.ceil(8 * m))) for m in sigmas]
    return narrow, wide


def noise_gain(narrow, wide):
    """Return the sum of the squares of the third band's whole kernel."""
    inner = outer = np.ones(())
    for a, b in zip(narrow, wide, strict=True):
        twice = np.convolve(a, a)
        inner = np.multiply.outer(inner, np.pad(twice, len(b) // 2))
        outer = np.multiply.outer(outer, np.convolve(twice, b))
    return np.sum((inner - outer) ** 2)


def lens_transfer(frequency):
    """Return the incoherent transfer of a lens, for shares of its cut-off frequency."""
    inside = np.minimum(frequency, 1)
    return 2 / np.pi * (np.arccos(inside) - inside * np.sqrt(1 - inside**2))


def band_weights(blurs, ratio, denoise, lens=0.0, ground=0.0):
    """Return the weights of the bands for one ratio of signal to noise.

    They make up Wiener's filter less 1 as nearly as three bands can, over all
    frequencies of a discrete Fourier transform.
    """
    count = len(blurs)
    points = {1: 128, 2: 64, 3: 32, 4: 16}.get(count, 8)
    line = np.fft.fftfreq(points)
    grid = np.meshgrid(*[line] * count, indexing="ij")
    length = np.sqrt(sum(f**2 for f in grid))

    def transfer(taps):
        product = np.ones(())
        for each in taps:
            offsets = np.arange(len(each)) - len(each) // 2
            passed = (each * np.cos(2 * np.pi * line[:, None] * offsets)).sum(axis=1)
            product = np.multiply.outer(product, passed)
        return product

    narrow, wide = band_taps(blurs)
    g, h = transfer(narrow), transfer(wide)
    parts = [1 - g, g - g * g, g * g - g * g * h]

    kept = length > 0
    image = np.zeros(length.shape)
    image[kept] = length[kept] ** -(count + 0.4 + 0.6 * ground)
    squares = sum((max(s, 0.02) * f) ** 2 for s, f in zip(blurs, grid, strict=True))

    def passed(factor):
        gaussian = np.exp(-2 * np.pi**2 * factor**2 * squares)
        by_lens = lens_transfer(factor * np.sqrt(squares) / 0.42)
        return (1 - lens) * gaussian + lens * by_lens

    first, second = np.zeros(length.shape), np.zeros(length.shape)
    shares = (0.12, 0.23, 0.3, 0.23, 0.12)
    for share, off in zip(shares, (-1.5, -0.75, 0, 0.75, 1.5), strict=True):
        first += share * passed(1 + 0.15 * off)
        second += share * passed(1 + 0.15 * off) ** 2
    in_third = np.mean(parts[2] ** 2 * image * passed(1) ** 2)
    signal = ratio * noise_gain(narrow, wide) / in_third * image
    energy = signal * second + 1
    wanted = (signal * (first - second) - 1) / energy
    wanted = np.where(wanted < 0, denoise * wanted, wanted)

    columns = np.stack([part[kept] for part in parts], axis=1)
    weight = length[kept] ** 0.25 * energy[kept]
    matrix = columns.T @ (weight[:, None] * columns)
    # The sum over all frequencies, each once.
    matrix += 1e-12 * np.trace(matrix) * np.eye(3)
    return np.linalg.solve(matrix, columns.T @ (weight * wanted[kept]))


def auto_estimate(plane, axes, whole, model="auto", blur=0.0, cutoff=0.0):
    """Return an `AutoEstimate`, or None where nothing can be told.

    A given blur or cut-off frequency takes the place of the blur that is estimated.
    """
    told = [axis for axis in sorted(axes) if plane.shape[axis] >= 16]
    if not told:
        return None
    plain = model == "gaussian"
    side = 64 if len(axes) < 3 else 32
    pairs = list(itertools.combinations(told, 2)) or [(told[0],)]
    looks = []
    for along in pairs:
        for corner, window in _windows(plane, along, side, 400 // len(pairs)):
            if np.isfinite(window).any():
                look = _look(window, whole, not plain and len(told) > 1)
                looks.append({"along": along, "at": corner, **look})
    if not looks:
        return None
    low = min(look["low"] for look in looks)
    high = max(look["high"] for look in looks)
    if high == low:
        return None
    span = high - low
    step = min(1.0, span / 16) if whole else 2e-4 * span
    least_variance = (0.29 * step) ** 2

    good = [
        look
        for look in looks
        if np.mean((look["values"] == low) | (look["values"] == high)) <= 0.02
        and np.isfinite(look["values"]).all()
    ]
    if len(good) < max(4, 0.1 * len(looks)):
        good = looks
    corner = np.quantile([look["corner"] for look in good], 0.25)
    constant, growth = corner * (1.1 if len(told) > 1 else 1.35), 0.0
    if len(told) > 1:
        line = _noise_line(looks, low, span, least_variance, not plain)
        constant, growth = line or (constant, growth)
    mean = np.mean([look["mean"] for look in looks])
    variance = max(constant + growth * (mean - low), least_variance)

    spectra = []
    if len(told) <= 2:
        frequencies, counts = looks[0]["frequencies"], looks[0]["counts"]
        power = np.mean([look["rings"] for look in looks], axis=0)
        spectra.append((told, frequencies, counts, power, len(told)))
    else:
        for axis in told:
            lines = [
                look["lines"][look["along"].index(axis)]
                for look in looks
                if axis in look["along"]
            ]
            counts = np.array([1.0, *[2.0] * 31, 1.0])
            power = np.mean(lines, axis=0)
            spectra.append(([axis], np.arange(33) / 64, counts, power, 1))
    sigmas, flat, last, own = {}, {}, {}, []
    for group, frequencies, counts, power, dimensions in spectra:
        fit = _spectral_lines(frequencies, power, variance, dimensions)
        level, r, slope, flat_blur, last_frequency = fit
        far = frequencies > (0.55 if dimensions == 2 else 0.4)
        f = frequencies[far]
        model_power = np.exp(level - 4 * np.pi**2 * max(r, 0) * f**2) * f**-slope
        own.append(np.sum(counts[far] * np.minimum(model_power, (2 * span) ** 2)))
        own[-1] /= np.sum(counts[far])
        squared = max(min(r - 0.08, 2 * (r - 0.185)), 0)
        for axis in group:
            sigmas[axis] = min(np.sqrt(squared), side / 16)
            flat[axis], last[axis] = flat_blur, last_frequency
    left = max(variance - 0.5 * min(own), least_variance) / variance
    first = AutoEstimate(sigmas, constant, growth, low, 0.5 * step, left, mean)

    along = plane_axes(axes, plane.shape)
    in_plane = [look for look in looks if look["along"] == along]
    ground = 0.0 if plain else _ground(in_plane)
    lens = float(model == "widefield" and len(told) == 2)
    if cutoff > 0:
        sigmas, lens = dict.fromkeys(told, 0.42 / cutoff), float(len(told) == 2)
    elif np.any(np.asarray(blur) > 0):
        # Of an axis without one, the spectrum tells it.
        given = dict(zip(axes, np.broadcast_to(blur, len(axes)), strict=True))
        sigmas = {axis: float(given[axis]) or sigmas[axis] for axis in told}
    elif along and not plain:
        spectrum = np.mean([sigmas[axis] for axis in along])
        floor = min(
            _blur_by_floor(in_plane, along, first, ground, model),
            np.mean([flat[axis] for axis in along]),
        )
        clear = np.mean([last[axis] for axis in along])
        unknown = np.clip((0.45 - clear) / 0.1, 0, 1)
        share = 0.8 * abs(ground) * unknown
        sigma = (1 - share) * spectrum + share * floor
        # Two blurs of nothing are the same, and what is undone along Z too.
        ratio = np.clip(max(sigma, 0.05) / max(spectrum, 0.05), 0.5, 2)
        for axis in told:
            by_spectrum = sigmas[axis]
            if axis in along:
                sigmas[axis] = (1 - share) * by_spectrum + share * floor
            else:
                sigmas[axis] = by_spectrum * ratio
            sigmas[axis] = min(sigmas[axis], side / 16)
        if model == "auto" and len(told) == 2:
            wider = floor / max(spectrum, 0.05)
            lens = abs(ground) * np.clip((wider - 0.75) / 0.4, 0, 1)
    return replace(first, sigmas=sigmas, ground=ground, lens=lens)


def _ground(looks):
    """Return how much of a dark, less how much of a bright ground there is.

    The windows are those along the plane axes.
    """
    depth = sum(look["depth"] for look in looks)
    if not depth > 0:
        return 0.0
    share = sum(look["height"] for look in looks) / depth
    dark = np.clip((0.41 - share) / 0.025, 0, 1)
    bright = np.clip((share - 0.605) / 0.025, 0, 1)
    return float(dark - bright)


def _blur_by_floor(looks, along, first, ground, model):
    """Return the largest blur that is undone without falling far below the floor."""
    tiles = []
    for look in sorted(looks, key=lambda look: -look["contrast"]):
        if len(tiles) < 36 and not any(_overlap(look, tile, along) for tile in tiles):
            tiles.append(look)
    values = np.stack([tile["filled"] for tile in tiles])
    smooth = np.stack([tile["smooth"] for tile in tiles])
    up = np.sign(ground)
    floor = lowest(up * smooth, (1, 2))
    lens = {"auto": abs(ground), "confocal": 0.0, "widefield": 1.0}[model]
    before, fell = 0.3, 0.0
    for candidate in (0.5, 0.75, 1.1, 1.5, 2.1, 2.9):
        sigmas = {1: candidate, 2: candidate}
        estimate = replace(first, sigmas=sigmas, ground=ground, lens=lens)
        call = {"mode": "mirror", "cval": 0.0, "denoise": 1.0}
        sharp = values + weighted_bands(values, estimate, call)[0]
        below = np.sum(np.maximum(floor - up * sharp, 0) ** 2)
        detail = np.sum((sharp - smooth) ** 2)
        fall = np.sqrt(below / detail) if detail > 0 else 0.0
        if fall > 0.16:
            part = (0.16 - fell) / (fall - fell)
            return before * (candidate / before) ** part
        before, fell = candidate, fall
    return before


def _overlap(one, other, along):
    """Return whether two windows of one shape share a pixel."""
    sides = dict(zip(along, one["filled"].shape, strict=True))
    apart = [abs(a - b) for a, b in zip(one["at"], other["at"], strict=True)]
    return all(gap < sides.get(axis, 1) for axis, gap in enumerate(apart))


def _windows(plane, along, side, most):
    """Return windows evenly over the array, half a window apart if they are few.

    Each after the place of its first pixel.
    """
    sides = [min(side, plane.shape[axis] // 16 * 16) for axis in along]
    last = [length - 1 for length in plane.shape]
    counts = list(plane.shape)
    for axis, length in zip(along, sides, strict=True):
        last[axis] = plane.shape[axis] - length
        counts[axis] = int(np.ceil(last[axis] / (side // 2))) + 1
    while np.prod(counts) > most:
        largest = max(counts)
        counts = [max(1, 3 * n // 4) if n == largest else n for n in counts]
    places = []
    for count, end in zip(counts, last, strict=True):
        if end % 2 == 1 and count % 2 == 1:
            count += 1
        half = [k * end // (count - 1) for k in range(count // 2)]
        middle = [end // 2] if count % 2 else []
        places.append(half + middle + [end - place for place in half[::-1]])
    for corner in itertools.product(*places):
        where = [slice(at, at + 1) for at in corner]
        for axis, length in zip(along, sides, strict=True):
            where[axis] = slice(corner[axis], corner[axis] + length)
        yield corner, plane[tuple(where)].reshape(sides)


def _look(window, whole, cleaned):
    """Return what a window tells, all powers per pixel."""
    valid = np.isfinite(window)
    middle = (window[valid].min() + window[valid].max()) / 2
    filled = np.where(valid, window, middle)
    if cleaned:
        noises = [noise for _, noise in _cells(filled)]
        noise = max(np.median(np.sqrt(noises)), float(whole))
        filled = without_impulses(filled, neighbours(filled, (0, 1)), noise)
        window = np.where(valid, filled, window)
    low, high = window[valid].min(), window[valid].max()
    look = {"values": window, "low": low, "high": high, "mean": filled.mean()}
    look["filled"] = filled
    still = filled - filled.mean()
    hann = np.ones(())
    for length in window.shape:
        hann = np.multiply.outer(
            hann, np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
        )
    spectrum = np.fft.fftn(still * hann, (64,) * window.ndim, range(window.ndim))
    power = np.abs(spectrum) ** 2 / np.sum(hann**2)
    line = np.abs(np.fft.fftfreq(64))
    length = np.sqrt(sum(f**2 for f in np.meshgrid(*[line] * window.ndim)))
    ring = np.round(64 * length).astype(int)
    look["rings"] = np.array([power[ring == k].mean() for k in range(ring.max() + 1)])
    look["counts"] = np.bincount(ring.ravel())
    look["frequencies"] = np.array(
        [length[ring == k].mean() for k in range(ring.max() + 1)]
    )
    look["corner"] = power[length > (0.55 if window.ndim == 2 else 0.4)].mean()
    if window.ndim == 2:
        # Where a line has two frequencies of one size, their mean.
        lines = (power.mean(axis=1), power.mean(axis=0))
        look["lines"] = [(each[:33] + each[-np.arange(33)]) / 2 for each in lines]
        look["cells"] = _cells(filled)
        taps = gaussian_taps(1.0, 4)
        smooth = blur(filled, (0, 1), [taps, taps], "mirror", 0.0)
        floor, ceiling = lowest(smooth, (0, 1)), -lowest(-smooth, (0, 1))
        look["smooth"] = smooth
        look["height"] = np.mean(smooth - floor)
        look["depth"] = np.mean(ceiling - floor)
        look["contrast"] = np.var(filled)
    return look


def _cells(window):
    """Return mean and variance of the noise of each cell of 8 x 8 pixels."""
    mixed = np.pad(window, 1, mode="reflect")
    for axis in (0, 1):
        mixed = np.diff(mixed, 2, axis)
    places = itertools.product(*(range(0, length, 8) for length in window.shape))
    return [
        (
            window[i : i + 8, j : j + 8].mean(),
            np.mean(mixed[i : i + 8, j : j + 8] ** 2) / 36,
        )
        for i, j in places
    ]


def _noise_line(looks, low, span, least, by_root):
    """Return the noise at the lowest intensity and its growth, where it grows.

    Bins are even in the root of the intensity, or in itself.
    """
    cells = np.array([cell for look in looks for cell in look["cells"]])
    cells[:, 0] -= low
    cells = cells[cells[:, 0] < 0.98 * span]
    if len(cells) < 40:
        return None
    ends = (0.005, 0.999, 0.05, 0.999) if by_root else (0.005, 0.995, 0.05, 0.95)
    first, last, dark, bright = np.quantile(cells[:, 0], ends)
    # A range of nothing but rounding is none.
    width = max(last - first, 1e-6 * 2.0 ** np.frexp(span)[1])
    along = np.clip((cells[:, 0] - first) / width, 0, 1)
    bins = np.minimum(8 * (np.sqrt(along) if by_root else along), 7).astype(int)
    inside = [cells[bins == k] for k in range(8) if np.sum(bins == k) >= 10]
    if len(inside) < 2:
        return None
    constant, growth = 1.0, 0.0
    for _ in range(4):
        points = []
        for own in inside:
            x = own[:, 0].mean()
            expected = np.maximum(constant + growth * own[:, 0], least)
            tenth = np.quantile(own[:, 1] / expected, 0.1)
            noise = 1.59 * tenth * (constant + growth * x)
            weight = np.sqrt(min(len(own), 100)) / max(noise, least)
            points.append((x, noise, weight))
        constant, growth = _rising_line(*np.array(points).T)
    clear = constant + growth * bright > 3 * max(constant + growth * dark, 4 * least)
    return (constant, growth) if clear else None


def _rising_line(x, y, w):
    """Return the nearest of all lines that are nowhere below 0: try what may be 0."""
    best = None
    for used in ([0, 1], [0], [1]):
        terms = np.stack([np.ones_like(x), x], axis=1)[:, used]
        fit = np.linalg.lstsq(terms * w[:, None], y * w, rcond=None)[0]
        if (fit < 0).any():
            continue
        line = np.zeros(2)
        line[used] = fit
        error = np.sum((w * (line[0] + line[1] * x - y)) ** 2)
        if best is None or error < best[0] - 1e-12 * np.sum((w * y) ** 2):
            best = error, line
    return best[1]


def _spectral_lines(frequencies, power, noise, dimensions):
    """Return what is fitted to the spectrum where it stands clear of the noise.

    Returns
    -------
    level, variance, slope : float
        Of the image without noise.
    flat : float
        Sigma of the blur if the spectrum of the sharp image does not fall at all.
    last : float
        Highest frequency that is used.
    """
    first = np.flatnonzero(frequencies > 0.04)[0]
    last = first
    while frequencies[last] < 0.5 and power[last] > 3 * noise:
        last += 1
    last = max(last, first + 3)
    f, p = frequencies[first:last], power[first:last]
    above = np.log(np.maximum(p - noise, 0.05 * p))
    rows = [[1, -4 * np.pi**2 * x**2, -np.log(x)] for x in f] + [[0, 0, 2.0]]
    target = [*above, 2.0 * (dimensions + 0.4)]
    line = np.linalg.lstsq(np.array(rows), np.array(target), rcond=None)[0]
    flat = np.linalg.lstsq(np.array(rows)[:-1, :2], above, rcond=None)[0][1]
    return *line, max(np.sqrt(max(flat, 0)), 0.3), f[-1]


# --- colours, limits, cast --------------------------------------------------------


def grey_planes(colours, channel, color):
    """Return the list of grey arrays that are filtered."""
    parts = [np.take(colours, i, channel) for i in range(colours.shape[channel])]
    if color == "channels":
        return parts
    if len(parts) != 3:
        raise ValueError(f"color={color!r} needs three channels, got {len(parts)}")
    if color == "luminance":
        grey = sum(
            weight * np.where(np.isfinite(part), part, 0.0)
            for weight, part in zip(REC_709, parts, strict=True)
        )
    elif color == "value":
        grey = np.max(parts, axis=0)
    else:
        raise ValueError(f"unknown color {color!r}")
    return [np.where(np.isfinite(parts).all(axis=0), grey, np.nan)]


def _scale_value(colours, value, new_value, channel):
    """Return the colours with a new V; an invalid pixel stays as it is."""
    invalid = ~np.isfinite(value)
    ratio = np.divide(
        new_value, value, out=np.ones(value.shape), where=~invalid & (value != 0)
    )
    black = np.expand_dims(value == 0, channel)
    grey = np.expand_dims(new_value, channel)
    scaled = np.where(black, grey, colours * np.expand_dims(ratio, channel))
    return np.where(np.expand_dims(invalid, channel), colours, scaled)


def _limits(colours, limits):
    """Return the lowest and the highest value of the result."""
    if limits is None:
        return -np.inf, np.inf
    if isinstance(limits, str):
        valid = colours[np.isfinite(colours)]
        return valid.min(initial=np.inf), valid.max(initial=-np.inf)
    return limits


def _limit(values, low, high):
    """Return the values held between the two; invalid ones stay."""
    held = np.minimum(np.maximum(values, low), high)
    return np.where(np.isfinite(values), held, values)


def _type_range(dtype):
    """Return the smallest and the largest number of a type, exactly."""
    if dtype.kind == "b":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def cast(values, dtype):
    """Return the values as `dtype`: integers are rounded half up and saturated.

    NaN becomes 0 as an integer.
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    low, high = _type_range(dtype)
    rounded = np.floor(values + 0.5)
    result = np.zeros(values.shape, dtype)
    # As a float the highest int64 is one more than it is: saturate, then cast.
    inside = (rounded > float(low)) & (rounded < float(high))
    result[inside] = rounded[inside].astype(dtype)
    result[rounded <= float(low)] = low
    result[rounded >= float(high)] = high
    return result


# --- the methods --------------------------------------------------------------------


_COMMON = {
    "axes": None,
    "channel_axis": None,
    "alpha": False,
    "cval": 0.0,
    "limits": None,
    "dtype": None,
}


def method(detail=None, **defaults):
    """Return a decorator that makes a `Method` of the function that applies it."""
    return lambda apply: Method(apply, {**_COMMON, **defaults}, detail)


@method(
    detail=mask_detail,
    sigma=1.0,
    amount=1.0,
    kernel="gaussian",
    threshold=0.0,
    hard=False,
    truncate=4.0,
    color="channels",
    mode="reflect",
)
def unsharp_mask(planes, p):
    """Return what is above the threshold of the detail of a mask."""
    return Masks(_above_threshold(planes, mask_detail, p), p["amount"])


@method(
    detail=laplacian_detail,
    amount=0.7,
    median_size=1,
    spacing=None,
    threshold=0.0,
    hard=False,
    color="channels",
    mode="mirror",
)
def laplacian_sharpen(planes, p):
    """Return what is above the threshold of the detail of a Laplacian."""
    return Masks(_above_threshold(planes, laplacian_detail, p), p["amount"])


@method(
    detail=mask_detail,
    kernel="box",
    sigma=1.0,
    gains=None,
    gain_per="image",
    subsample=True,
    truncate=4.0,
    color="value",
    mode="mirror",
)
def adaptive_unsharp_mask(planes, p):
    """Return the detail of a mask, and the gains by the variation of the gradient."""
    edges, gains = [], []
    for plane in planes.arrays:
        edge, _ = mask_detail(plane, planes.axes, p)
        edges.append(edge)
        gains.append(_gain(plane, edge, planes.axes, planes.items, planes.dtype, p))
    return Masks(edges, gains=gains)


@method(
    strength=1.0,
    denoise=1.0,
    model="auto",
    blur=0.0,
    cutoff=0.0,
    estimate_per="image",
    color="luminance",
    mode="mirror",
)
def auto_unsharp_mask(planes, p):
    """Return three bands, weighted by blur and noise, and not below a dark ground."""
    edges = [_auto_edge_map(plane, planes, p) for plane in planes.arrays]
    return Masks(edges, p["strength"])


@method(
    detail=gaussian_sharpen_detail,
    sigma=1.0,
    radius=0,
    color="channels",
    mode="nearest",
)
def gaussian_sharpen(planes, p):
    """Return the detail of ImageMagick's Gaussian, and its amount."""
    edges = [
        gaussian_sharpen_detail(plane, planes.axes, p)[0] for plane in planes.arrays
    ]
    return Masks(edges, gaussian_sharpen_amount(p["sigma"], p["radius"]))


@method(
    amount=1.0,
    areas="polesel",
    contrasts=(7.75, 14.14),
    activities=(4.0, 3.0),
    largest_weight=4.0,
    data_range=None,
    color="value",
    mode="mirror",
)
def polesel_unsharp_mask(planes, p):
    """Return weighted second differences."""
    edges = [_polesel_edge_map(plane, planes.axes, p) for plane in planes.arrays]
    return Masks(edges, p["amount"])


@method(
    amount=1.0,
    kernel="box",
    sigma=1.0,
    truncate=4.0,
    data_range=None,
    color="value",
    mode="mirror",
)
def dark_region_unsharp_mask(planes, p):
    """Return the detail of a mask, times the darkness of the blur."""
    edges = []
    for plane in planes.arrays:
        detail, blurred = mask_detail(plane, planes.axes, {**p, "in_bytes": False})
        edges.append(detail * np.clip(1 - blurred / p["data_range"], 0, 1))
    return Masks(edges, p["amount"])


@method(
    amount=1.0,
    wavelet="haar",
    levels=2,
    limit=16.0,
    areas="none",
    contrasts=(7.75, 14.14),
    activities=(4.0, 3.0),
    data_range=None,
    color="value",
    mode="mirror",
)
def wavelet_unsharp_mask(planes, p):
    """Return the trimmed planes of a wavelet transform."""
    edges = [_wavelet_edge_map(plane, planes.axes, p) for plane in planes.arrays]
    return Masks(edges, p["amount"])


@method(
    gains=None,
    gain_per="image",
    color="value",
    mode="mirror",
)
def lin_unsharp_mask(planes, p):
    """Return weighted differences, and the gains of the largest entropy."""
    lin = [_lin(plane, planes.axes, planes.items, p) for plane in planes.arrays]
    return Masks([edge for edge, _, _ in lin], gains=[gain for _, *gain in lin])


@method(
    kernel="box",
    sigma=1.0,
    penalty=True,
    gains=None,
    gain_per="image",
    truncate=4.0,
    color="value",
    mode="mirror",
)
def entropy_unsharp_mask(planes, p):
    """Return the detail of a mask, and one gain, of the largest entropy."""
    edges = [mask_detail(plane, planes.axes, p)[0] for plane in planes.arrays]
    gains = [_entropy_gain(planes, edges, p)] * len(edges)
    return Masks(edges, gains=gains, shared=True)
