"""Base of the methods whose gain maximises the entropy of the sharpened image."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm._filters.opacity import visible
from napari_usm._methods.base import LEAST, TOTAL
from napari_usm._methods.gains import GainMethod
from napari_usm.lab.estimate.entropy import (
    around,
    best_of,
    entropies,
    extremes,
    level_counts,
    range_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._methods.base import Join


class EntropyGainMethod(GainMethod):
    """A method that tries some gains on a whole image, and more around the best.

    The first round finds the range of the image, the second the entropy with each gain,
    the third that with finer ones, unless the gains were given.
    """

    @property
    @abstractmethod
    def restores(self) -> bool:
        """Return whether a pixel that would leave the range keeps its value."""

    @property
    @abstractmethod
    def penalised(self) -> bool:
        """Return whether pixels beyond the range count less in the entropy."""

    @abstractmethod
    def stretch(
        self,
        block: Array,
        axes: Sequence[int],
        low: Array,
        high: Array,
        weight: Array | None = None,
    ) -> tuple[Array, Array]:
        """A block as if its range were 0 to 1, and what an amount of 1 adds to it."""

    @property
    @override
    def finds_amount(self) -> bool:
        return self.tried.size > 1

    @property
    @override
    def rounds(self) -> tuple[Join, ...]:
        """The range, where it is needed, and the levels with each gain."""
        if not self.finds_amount:
            return (LEAST,) if self.estimates else ()
        return (LEAST, TOTAL, TOTAL) if self.gains is None else (LEAST, TOTAL)

    @override
    def sums(
        self,
        block: Array,
        axes: Sequence[int],
        kept: Sequence[int],
        core: tuple[slice, ...],
        begins: Sequence[int],
        lengths: Sequence[int],
        *earlier: Array,
        weight: Array | None = None,
    ) -> Array:
        """The range of the block, then its levels with each gain."""
        block = visible(block, weight)
        if not earlier:
            return extremes(block, kept, core)
        ends, *counts = earlier
        gains = self._finer(*counts) if counts else self.tried
        # In float64, as the levels decide between gains.
        image, change = self.stretch(
            block.astype(np.float64), axes, *range_of(ends), weight
        )
        return level_counts(image, change, gains, kept, core, restores=self.restores)

    def chosen(self, sums: Array, *earlier: Array) -> tuple[Array, Array]:
        """The gain of the largest entropy, and the entropy with those tried first."""
        _, *counts = earlier
        curve = entropies(sums, penalty=self.penalised)
        if not counts:
            return best_of(curve, self.tried), curve
        first = entropies(*counts, penalty=self.penalised)
        return best_of(curve, self._finer(*counts)), first

    def _finer(self, counts: Array) -> Array:
        """Gains around the best of those tried first."""
        curve = entropies(counts, penalty=self.penalised)
        return around(best_of(curve, self.tried), self.tried)
