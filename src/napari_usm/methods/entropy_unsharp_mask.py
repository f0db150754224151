"""Unsharp masking with the gain that gives the sharpened image the most entropy."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_usm.estimate.entropy import stretched
from napari_usm.filters.mask import Mask
from napari_usm.methods import checks
from napari_usm.methods.entropy_gain import EntropyGainMethod
from napari_usm.methods.gains import gain_per_parameter, gains_parameter
from napari_usm.methods.masks import (
    MaskMethod,
    check_mask,
    kernel_parameter,
    mask_at_level,
    mask_blurs,
    sigma_parameter,
    truncate_parameter,
)
from napari_usm.methods.method import border, colour
from napari_usm.methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array
    from napari_usm.methods.method import Method

# Amounts from 10 down to 0.1, each 11 % less than the one before.
GAINS = 10 ** (np.arange(-20, 21) / 20)


@dataclass(frozen=True)
class EntropyUnsharpMask(EntropyGainMethod, MaskMethod):
    """Sharpen an image by the amount that leaves the most entropy in it.

    Notes
    -----
    ``sharpened = image + (image - blurred) / gain``. For every gain the sharpened image
    is seen in 256 levels between the smallest and the largest value of the image, where
    it saturates. The gain taken is that of the largest entropy ``-sum(p log2 p)``, p
    being the share of the pixels on each level; with `penalty`, of the entropy times
    the share of the pixels that did not saturate. Of several that are best it is the
    largest. ``limits="data"`` makes the result saturate likewise.

    With ``color="channels"`` all channels have one gain, and their values are counted
    together.

    The papers are known second-hand. Of the first only its title and what is said of it
    elsewhere: the gain for grey images that maximises entropy is looked for by a swarm
    of particles. The second is the group's next work, for colour, that a summary
    describes as maximising "the information content" and minimising "the number of
    over-ranged pixels". Neither the range of the gains nor how entropy and pixels are
    put together is known; the product is that of `lin_unsharp_mask`, of the same group.
    Instead of a swarm, 41 gains are tried, and 38 around the best of them.

    References
    ----------
    .. [1] C. L. D. A. Mai, M. T. T. Nguyen, N. M. Kwok, "A modified unsharp masking
       method using particle swarm optimization", 2011.
    .. [2] N. Kwok, H. Shi, "Design of unsharp masking filter kernel and gain using
       particle swarm optimization", 7th International Congress on Image and Signal
       Processing, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(size=(60, 60))
    >>> clouds = usm.unsharp_mask(noise, 1.5, amount=-1)
    >>> free = usm.sharpen(clouds, "entropy_unsharp_mask", penalty=False)
    >>> held = usm.sharpen(clouds, "entropy_unsharp_mask")
    >>> round(free.amount), round(held.amount)
    (6, 3)
    """

    _: KW_ONLY
    kernel: str = kernel_parameter("box")
    sigma: float | Sequence[float] = sigma_parameter()
    penalty: bool = parameter(
        True,
        "bool",
        "Penalty",
        "Multiply the entropy by the share of the pixels that stay in the range of the "
        "image.",
        finishing=True,
    )
    gains: Sequence[float] | None = gains_parameter(
        "41 from 0.1 to 10 in equal ratios, and 38 around the best of them,",
        finishing=True,
    )
    gain_per: str = gain_per_parameter(finishing=True)
    truncate: float = truncate_parameter()
    color: str = colour("value")
    mode: str = border("mirror")

    @property
    def default_gains(self) -> Array:
        """As many as a curve needs."""
        return GAINS

    @property
    def restores(self) -> bool:
        """A pixel that would leave the range saturates."""
        return False

    @property
    def penalised(self) -> bool:
        """As asked for."""
        return self.penalty

    @property
    def per_channel(self) -> bool:
        """One gain for all: colours would shift."""
        return False

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule."""
        super().check(axes)
        check_mask(self.kernel, self.sigma, self.truncate, axes)
        checks.flag("penalty", self.penalty)

    def stretch(
        self,
        block: Array,
        axes: Sequence[int],
        low: Array,
        high: Array,
        weight: Array | None = None,
    ) -> tuple[Array, Array]:
        """The block and its detail."""
        return stretched(block, self.detail(block, axes, None, weight), low, high)

    def make_mask(self, axes: Sequence[int]) -> Mask:
        """The blur by kernel and sigma."""
        return Mask(mask_blurs(self.kernel, self.sigma, self.truncate, axes))

    def at_level(self, factors: Sequence[float]) -> Method:
        """The same with a narrower blur."""
        return replace(self, **mask_at_level(self.kernel, self.sigma, factors))
