"""One plane of an image, as it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.attribute import cached_attribute
from napari_usm._filters.colour import filtered_part

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Plane:
    """Pixels of a plane.

    Attributes
    ----------
    pixels : (M, N) or (M, N, C) array
        Bool, integer or real; three colours, and maybe alpha.
    """

    pixels: NDArray[Any]

    @property
    def is_rgb(self) -> bool:
        """Return whether there are colours."""
        return self.pixels.ndim == 3

    @property
    def has_alpha(self) -> bool:
        """Return whether the last colour is alpha."""
        return self.is_rgb and self.pixels.shape[2] == 4

    @property
    def colours(self) -> NDArray[Any]:
        """All but alpha."""
        return self.pixels[..., :3] if self.is_rgb else self.pixels

    @cached_attribute
    def grey(self) -> NDArray[Any]:
        """The pixels themselves, or the luminance of the colours."""
        if not self.is_rgb:
            return self.pixels
        return filtered_part(self.colours.astype(np.float64), 2, "luminance")[..., 0]

    @property
    def data_range(self) -> float:
        """L: that of the type, or for reals the range of the valid pixels, at least 0.

        The type of real numbers does not tell it.
        """
        dtype = self.pixels.dtype
        if dtype.kind == "b":
            return 1.0
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return float(int(limits.max) - int(limits.min))
        known = self.colours[np.isfinite(self.colours)].astype(np.float64)
        return float(np.ptp(known)) if known.size else 0.0
