"""Base of the methods that choose one of several gains for a whole image."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._methods.base import Constants, Method
from napari_usm._methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

SCOPES = ("image", "item")


def gains_parameter(**words: Any) -> Any:
    """Field for the gains to try."""
    return parameter(None, "Gains", control="none", **words)


def gain_per_parameter(**words: Any) -> Any:
    """Field for what has a gain of its own."""
    return choice(
        "image",
        SCOPES,
        "Gain per",
        tip="Find one gain for all planes or volumes, so that a series does not "
        "flicker (image), or one for each (item).",
        **words,
    )


def subsample_parameter(**words: Any) -> Any:
    """Field for whether a large image is sampled."""
    return parameter(
        True,
        "Subsample",
        tip="Estimate the gain of a large image from evenly spaced rows. Clear it to "
        "use all rows.",
        **words,
    )


class GainMethod(Method):
    """A method whose amount is one over the best of the gains that it tries."""

    gains: Sequence[float] | None
    gain_per: str
    #: The gains to try if none are given.
    default_gains: ClassVar[Array]

    @property
    def tried(self) -> Array:
        """The gains to choose from: float64, above 0, strictly increasing."""
        if self.gains is None:
            return self.default_gains
        return np.asarray(self.gains, np.float64)

    @property
    @override
    def per_item(self) -> bool:
        return self.gain_per == "item"

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.choice("gain_per", self.gain_per, SCOPES)
        if self.gains is None:
            return
        values = arguments.reals("gains", self.gains)
        if not values or values[0] <= 0 or np.any(np.diff(values) <= 0):
            raise ValueError(
                "`gains` must be above 0 and strictly increasing, at least one; "
                f"got {self.gains!r}"
            )

    @abstractmethod
    def chosen(self, sums: Array, *earlier: Array) -> tuple[Array, Array]:
        """Gain and curve from the last round and those before it."""

    @property
    @override
    def estimates(self) -> bool:
        return self.tried.size > 1

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        """The gain from the sums over the whole image."""
        if sums is None:
            (only,) = self.tried
            return Constants(float(1 / only), only)
        gain, curve = self.chosen(sums, *earlier)
        # A number where there is only one: the kernels of one pass take no more.
        amount = 1 / gain if gain.size > 1 else 1 / float(gain.item())
        return Constants(amount, gain, self.tried, curve)

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Gains are positive: nothing is ever inverted."""
        return 0.0
