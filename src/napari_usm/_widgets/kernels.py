"""Waiting for the kernels that another process compiles."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from napari_usm import warm_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_usm._engine.plan import Plan

    Kernels = tuple[str, str, str]

# Seconds until a thread that waits can be cancelled.
_PATIENCE = 0.2


def kernels_of(plan: Plan, method: str) -> Kernels:
    """Return the kernels that a plan needs, as the warm-up names them."""
    dimensions = warm_up.VOLUMES if len(plan.axes) > 2 else warm_up.PLANES
    return method, dimensions, plan.dtype.name


def waiting(kernels: Kernels) -> Iterator[bool]:
    """Yield until the kernels are ready: True once the user should be informed."""
    started = perf_counter()
    while not warm_up.session.wait(*kernels, _PATIENCE):
        yield perf_counter() - started > warm_up.SILENT
