"""Estimates of an image as plain numbers, for journals, recipes and other machines."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.plan import FittedPlan
from napari_usm._estimate.blur_and_noise import Estimate
from napari_usm._methods.base import Constants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._engine.plan import Plan

# Those that have the axes of the image, of length 1 where there is one number for all.
_PER_AXIS = "amount", "gain", "curve", "estimate", "noise"


def as_numbers(fitted: FittedPlan) -> dict[str, Any]:
    """Return constants and limits as numbers and nested lists.

    Axes of the image along which there is only one number are left out.
    """
    plan, numbers = fitted.plan, {}
    gone = tuple(a for a in range(len(plan.shape)) if a not in plan.estimate_axes)
    for field in fields(Constants):
        value = getattr(fitted.constants, field.name)
        if isinstance(value, np.ndarray):
            if field.name in _PER_AXIS and value.ndim >= len(plan.shape):
                value = np.squeeze(value, gone)
            value = value.tolist()
        if value is not None:
            numbers[field.name] = value
    numbers["limits"] = [float(limit) for limit in fitted.limits]
    return numbers


def fitted(plan: Plan, numbers: Mapping[str, Any]) -> FittedPlan:
    """Return a plan with constants and limits that were estimated before.

    Raises
    ------
    ValueError
        If there is not one number for each item or channel of the image.
    """
    values: dict[str, Any] = {}
    for name, value in numbers.items():
        if name == "limits":
            continue
        if name in _PER_AXIS and not (name == "amount" and np.ndim(value) == 0):
            array = np.asarray(value, np.float64)
            count = len(plan.estimate_axes)
            if array.shape[:count] != plan.estimate_shape or array.ndim < count:
                raise ValueError(
                    f"`estimate` must have {name} of shape {plan.estimate_shape} for "
                    f"this image; got shape {array.shape}"
                )
            if name in ("estimate", "noise"):
                array = Estimate.completed(array, len(plan.axes))
            value = array
            if name != "gain" or "curve" in numbers:
                value = array.reshape((*plan.constants_shape, *array.shape[count:]))
        elif name == "gains":
            value = np.asarray(value, np.float64)
        values[name] = value
    if "amount" not in values:
        values["amount"] = float(plan.method.constants(None, plan.axes).amount)
    elif np.ndim(values["amount"]) == 0:
        values["amount"] = float(values["amount"])
    limits = numbers.get("limits")
    if limits is None or plan.method.limits != "data":
        return FittedPlan(plan, Constants(**values), plan.limits)
    return FittedPlan(plan, Constants(**values), plan.within_type(*limits))
