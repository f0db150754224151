"""The curve by which adaptive unsharp masking chooses its gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm import api
from napari_usm._engine import memory
from napari_usm._methods.adaptive_unsharp_mask import AdaptiveUnsharpMask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GainCurve:
    """S over the gains that are tried.

    Attributes
    ----------
    gains : (K,) array of float64
        λ, the reciprocal of the amount.
    curve : (K,) array of float64
        S, the product of the ratios of the gradients before and after.
    gradient : (K,) array of float64
        ``numpy.gradient`` of S over the index.
    chosen : float
        The gain where S rises most.
    """

    gains: Floats
    curve: Floats
    gradient: Floats
    chosen: float

    @property
    def columns(self) -> dict[str, Floats]:
        """As a table."""
        return {"gain": self.gains, "S": self.curve, "gradient of S": self.gradient}


def gain_curve(
    plane: NDArray[np.generic], channel_axis: int | None = None, alpha: bool = False
) -> GainCurve:
    """S(λ) of a plane, as `adaptive_unsharp_mask` sees it.

    Parameters
    ----------
    plane : (M, N) or (M, N, C) array
        Bool, integer or real.
    channel_axis : int, optional
        Axis of the colours, of which the method looks at HSV's value.
    alpha : bool
        Whether the last colour is alpha.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_usm.lab.gain import gain_curve
    >>> rings = np.sin(np.hypot(*np.mgrid[-20:21, -20:21]))
    >>> found = gain_curve(rings)
    >>> found.chosen, float(found.gains[found.gradient.argmax()])
    (0.4, 0.4)
    """
    plan, pixels = api.prepare(
        plane, "adaptive_unsharp_mask", channel_axis=channel_axis, alpha=alpha
    )
    fitted = memory.result_of(memory.estimate(plan, pixels))
    found = fitted.public
    curve = np.asarray(found.curve, np.float64)
    return GainCurve(
        AdaptiveUnsharpMask.default_gains, curve, np.gradient(curve), float(found.gain)
    )
