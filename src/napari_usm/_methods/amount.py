"""Bases of the methods whose amount is a parameter, and of those with a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from napari_usm import arguments
from napari_usm._filters.threshold import Threshold
from napari_usm._methods.base import Constants, Method
from napari_usm._methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


class AmountMethod(Method):
    """A method whose amount is given."""

    amount: float

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.real("amount", self.amount)

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        return Constants(float(self.amount))


class ThresholdMethod(AmountMethod):
    """A method whose amount and threshold are given."""

    threshold: float | str
    hard: bool

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.threshold("threshold", self.threshold)
        arguments.flag("hard", self.hard)

    @property
    @override
    def thresholding(self) -> Threshold:
        limit, in_noise = arguments.threshold("threshold", self.threshold)
        return Threshold(limit, self.hard, in_noise)


def amount_parameter(
    default: float, minimum: float, maximum: float, step: float = 0.05
) -> Any:
    """Field for the amount."""
    return parameter(
        default,
        "Amount",
        tip="Set how much detail is added. 0 changes nothing, a negative amount blurs.",
        minimum=minimum,
        maximum=maximum,
        step=step,
        control="basic",
        finishing=True,
    )


def soft_threshold() -> tuple[Any, Any]:
    """Fields `threshold` and `hard`."""
    limit = parameter(
        0.0,
        "Threshold",
        tip="Do not sharpen detail weaker than this. Stronger detail is reduced by the "
        "threshold, which avoids steps.",
        minimum=0.0,
        maximum=65535.0,
        logarithmic=True,
        control="basic",
        finishing=True,
    )
    hard = parameter(
        False,
        "Hard threshold",
        tip="Add detail above the threshold in full instead of reducing it.",
        finishing=True,
    )
    return limit, hard
