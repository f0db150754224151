"""One run of a method on one layer: checked at once, then step by step."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_usm import api
from napari_usm._engine import memory
from napari_usm._engine.block import Output
from napari_usm._engine.blocks import BLOCK, cut
from napari_usm._engine.fitting import fitting_steps, is_sampled, settle
from napari_usm._engine.plan import FittedPlan
from napari_usm._engine.pyramid import levels_of
from napari_usm._engine.region import DetailCache, LiveImage
from napari_usm._engine.report import sample_slices
from napari_usm._widgets.layers.data import (
    edge_limit,
    edge_map_tuple,
    result_tuple,
    shown_edge_map,
    value_range,
)
from napari_usm._widgets.layers.info import info_of
from napari_usm._widgets.layers.room import check_room
from napari_usm._widgets.live.array import (
    FrozenPixels,
    LiveArray,
    edges_of,
    form,
    part,
)
from napari_usm._widgets.live.source import is_in_memory, readable
from napari_usm.recipe import Recipe, resolve
from napari_usm.scripts import Script, Source
from napari_usm.sources import find_reading

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari.types import LayerDataTuple

    from napari_usm._engine.pyramid import Level
    from napari_usm._engine.report import Report
    from napari_usm.api import Sharpened

    Steps = Generator[None, None, Any]

# Bytes of the cache of details while a level is written: that of one block.
_ONE_BLOCK = 2**26


class LayerRun:
    """Sharpening of one image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        Layer with the pixels; its axis labels and scale decide on the axes.
    recipe : Recipe
        What to do with it.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.
    """

    def __init__(self, layer: Image, recipe: Recipe) -> None:
        _check(layer)
        self.layer = layer
        self.recipe, self.method = recipe, recipe.method
        #: Values of the controls that the run comes from, if any.
        self.controls: dict[str, Any] = {}
        self.source = layer.data
        resolved = resolve(recipe, info_of(layer))
        self.parameters = resolved.parameters
        #: Pixels of each level, the finest first.
        self.levels = list(layer.data) if layer.multiscale else [layer.data]
        self.plan, pixels = api.prepare(self.levels[0], resolved.method)
        if recipe.significance:
            self.plan = api.finding_noise(self.plan)
        self.lazy = api.is_dask(pixels)
        self.levels[0] = pixels

    # --- as layers ---

    @property
    def steps(self) -> int:
        """Return how often `run` pauses."""
        if self.lazy and not self.layer.multiscale:
            from napari_usm._engine import lazy

            return lazy.estimate_steps(self.plan, self.levels[0])
        if self._is_in_memory:
            return self.keep_steps(None)
        return fitting_steps(self.plan, self.levels[0])

    def run(self) -> Steps:
        """Pause `steps` times; return result and edge map as layers.

        What comes from memory goes to memory; the rest is computed where it is shown.
        """
        if self.lazy and not self.layer.multiscale:
            return (yield from self._run_lazily())
        if self._is_in_memory:
            self.check_room()
            return (yield from self.keep(None))
        pixels = [LiveImage(readable(each), _cache()) for each in self.levels]
        settled = yield from settle(self.plan, self.levels[0])
        levels = levels_of(pixels, settled)
        edges = edges_of(self.plan)
        arrays = {
            which: [frozen_array(levels, n, which) for n in range(len(levels))]
            for which in (Output.IMAGE, edges)
        }
        limit = edge_limit(np.asarray(arrays[edges][-1]))
        values = value_range(np.asarray(arrays[Output.IMAGE][-1]))
        public = settled.public
        metadata = self.metadata(public.amount, public.gain, None, values)
        return self.layers(arrays[Output.IMAGE], arrays[edges], limit, metadata)

    @property
    def _is_in_memory(self) -> bool:
        """Return whether all levels are in memory."""
        return not self.layer.multiscale or all(map(is_in_memory, self.levels))

    def _run_lazily(self) -> Steps:
        results = yield from self._lazy()
        edge_map = shown_edge_map(self.layer, results.edge_map)
        middle = sample_slices(self.plan)
        limit = edge_limit(np.asarray(edge_map[self.plan.colours.edge_slices(middle)]))
        values = value_range(np.asarray(results.image[middle]))
        metadata = self.metadata(results.amount, results.gain, None, values)
        return self.layers([results.image], [edge_map], limit, metadata)

    def _lazy(self) -> Generator[None, None, Sharpened]:
        """Lazy results; what needs the whole array is computed here, once.

        Left in the graph, it would be computed again for every plane that is shown.
        """
        from napari_usm._engine import lazy

        pixels = self.levels[0]
        fitted = yield from lazy.estimate(self.plan, pixels)
        results = lazy.run(self.plan, pixels, fitted)
        sharpened = api.Sharpened(**vars(results))
        if not self.plan.wants_noise:
            return sharpened
        significance = lazy.significance(self.plan, pixels, fitted)
        return replace(sharpened, edge_map=significance)

    # --- in memory ---

    @property
    def nbytes(self) -> int:
        """Bytes of result and edge map in memory."""
        pixels = sum(np.prod(each.shape, dtype=float) for each in self.levels)
        image, edge = (
            form(self.plan, which) for which in (Output.IMAGE, Output.EDGE_MAP)
        )
        share = np.prod(edge[0], dtype=float) / np.prod(image[0], dtype=float)
        return int(pixels * (image[1].itemsize + share * edge[1].itemsize))

    def check_room(self) -> None:
        """Raise a ValueError if `keep` would not fit into the memory that is free."""
        size = " × ".join(str(length) for length in self.plan.shape)
        what = f"result and edge map of '{self.layer.name}' ({size} {self.plan.dtype})"
        check_room(self.nbytes, what)

    def keep_steps(self, settled: FittedPlan | None) -> int:
        """Return how often `keep` pauses."""
        first = fitting_steps(self.plan, self.levels[0]) if settled is None else 0
        blocks = len(memory.blocks(self.plan))
        coarse = sum(len(_blocks(each.shape)) for each in self.levels[1:])
        return first + (1 + self.plan.wants_noise) * blocks + coarse

    def keep(self, settled: FittedPlan | None) -> Steps:
        """Pause `keep_steps` times; return result and edge map as layers in memory.

        `settled` has the estimates of the whole image, if they are known.
        """
        if settled is None:
            settled = yield from settle(self.plan, self.levels[0])
        pixels = [readable(each) for each in self.levels]
        in_noise = self.plan.wants_noise
        outcome = yield from memory.run(
            self.plan,
            pixels[0],
            fitted=settled,
            want_edge_map=not in_noise,
        )
        edge_map = outcome.edge_map
        if in_noise:
            edge_map = yield from memory.significance(
                self.plan, pixels[0], fitted=settled
            )
        images, edges = [outcome.image], [shown_edge_map(self.layer, edge_map)]
        limit = edge_limit(edges[0])
        cache = _cache()
        levels = levels_of([LiveImage(each, cache) for each in pixels], settled)
        for level in levels[1:]:
            filled = yield from _filled(level)
            images.append(filled[0])
            edges.append(filled[1])
        known = settled.public
        assert outcome.image is not None
        values = value_range(outcome.image)
        metadata = self.metadata(known.amount, known.gain, outcome.report, values)
        return self.layers(images, edges, limit, metadata)

    def layers(
        self,
        images: list[Any],
        edges: list[Any],
        limit: float,
        metadata: Any,
        *,
        live: bool = False,
    ) -> list[LayerDataTuple]:
        """Return result and edge map, of each level, as layers."""
        image: Any = images
        edge_map: Any = edges
        if len(images) == 1 and not self.layer.multiscale:
            (image,), (edge_map,) = images, edges
        return [
            result_tuple(self.layer, image, metadata, live=live),
            edge_map_tuple(
                self.layer, edge_map, metadata, limit, self.plan.wants_noise, live=live
            ),
        ]

    def metadata(
        self,
        amount: Any,
        gain: Any,
        report: Report | None,
        values: tuple[float, float] | None,
    ) -> dict[str, Any]:
        """Return how the layers were made, and what is known of their pixels."""
        return {
            "method": self.method,
            "recipe": self.recipe,
            "parameters": self.parameters,
            "edge_map": edges_of(self.plan),
            "amount": amount,
            "gain": gain,
            "report": report,
            "range": values,
            "versions": {"napari-usm": _version()},
            "controls": {"method": self.method, **self.controls},
        }

    def as_python(self, settled: FittedPlan | None) -> str:
        """Return a program that makes the same pixels; of a pyramid, those of level 0.

        What it reads from a file is compared with the layer, here and whenever it
        runs. The gain of a sample, which it cannot estimate, is estimated here if it is
        not given.
        """
        path = self.layer.source.path
        reading = find_reading(path, readable(self.levels[0]))
        plan = self.plan
        source = Source(self.layer.name, plan.shape, plan.dtype, path, reading)
        script = Script(self.method, self.parameters, source, self.plan.wants_noise)
        if settled is None and is_sampled(self.plan):
            settled = memory.result_of(settle(self.plan, self.levels[0]))
        if settled is None or settled.sample is None:
            return script.as_python()  # it estimates the gain again
        sample = " × ".join(str(length) for length in settled.sample)
        gain = settled.public.gain
        return script.as_python(gain, f"a sample of {sample} pixels")


def frozen_array(levels: Sequence[Level], number: int, which: Output) -> LiveArray:
    """Return the array of one level, computed where it is shown."""
    pixels = FrozenPixels(lambda: levels, number, which)
    return LiveArray(*form(levels[number].plan, which), pixels)  # type: ignore[abstract]


@cache
def _version() -> str:
    # It is read from a file, which takes a millisecond: too long while a slider moves.
    return version("napari-usm")


def _cache() -> DetailCache:
    return DetailCache(_ONE_BLOCK)


def _blocks(shape: tuple[int, ...]) -> list[Any]:
    return cut(shape, {}, {}, (), BLOCK)


def _filled(level: Level) -> Steps:
    """Return result and edge map of a level, block by block."""
    which = edges_of(level.plan)
    image, edges = (np.empty(*form(level.plan, each)) for each in (Output.IMAGE, which))
    axes_of_edges = edges.ndim
    for block in _blocks(level.plan.shape):
        index = tuple(range(span.start, span.stop) for span in block.core)
        image[block.core] = part(level, Output.IMAGE, index)
        edge_index = index[:axes_of_edges]
        edges[block.core[:axes_of_edges]] = part(level, which, edge_index)
        yield
    return image, edges


def _check(layer: Any) -> None:
    if not isinstance(layer, Image):
        raise TypeError(f"`layer` must be an image layer; got {_describe(layer)}")


def _describe(layer: Any) -> str:
    if layer is None:
        return "none: add or select an image first"
    name = getattr(layer, "name", None)
    return f"'{name}' ({type(layer).__name__})" if name else repr(layer)
