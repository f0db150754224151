"""One image to be sharpened, as data, and the same with its file open."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_usm import io
from napari_usm._engine.block import Output
from napari_usm._engine.plan import FittedPlan, Plan, make_plan
from napari_usm._filters.attribute import cached_attribute
from napari_usm.api import finding_noise
from napari_usm.batch import estimates, units
from napari_usm.io.image import UNKNOWN, Metadata
from napari_usm.recipe import Recipe, Resolved, resolve

if TYPE_CHECKING:
    from napari_usm._engine.blocks import Slices
    from napari_usm.io import Address, Format, Image

# Bytes of an image and its results in memory, per byte of the image: source, result,
# edge map, and what the filters use for a while.
_COPIES = 6

#: What the name of an edge map ends in, before its suffix.
EDGE_MAP = "-edge-map"


@dataclass(frozen=True)
class Job:
    """One image to be sharpened.

    Attributes
    ----------
    source : Address
        The image.
    output : str
        File or folder of the result; its name says the format.
    plate : str
        Folder of the OME-Zarr plate that the output is a field of; empty for an image.
    recipe : Recipe
        What to do.
    input_axes : str, optional
        Names of the axes, instead of those in the file.
    memory : int
        Bytes that each worker may use.
    version : str
        Of OME-Zarr.
    overwrite : bool
        Whether the output may replace what is there.
    """

    source: Address
    output: str
    recipe: Recipe
    plate: str = ""
    input_axes: str | None = None
    memory: int = 2**30
    version: str = "0.5"
    overwrite: bool = False

    @property
    def format(self) -> Format:
        """Return the format of the output."""
        found = io.find_format(self.plate or self.output)
        if found is None or not found.writer:
            names = ", ".join(s for f in io.FORMATS if f.writer for s in f.suffixes)
            raise ValueError(
                f"`output` must end in a format that can be written ({names}); got "
                f"{self.output!r}"
            )
        return found

    @property
    def edge_map_output(self) -> str:
        """Return the file of the edge map: beside the result, and always of floats."""
        if self.plate:
            return self.output.replace(self.plate, self.edge_map_plate, 1)
        path, suffix = _split(self.output)
        if self.format.name in ("png", "jpeg"):
            suffix = ".tif"
        return f"{path}{EDGE_MAP}{suffix}"

    @property
    def edge_map_plate(self) -> str:
        """Return the folder of the plate of edge maps."""
        path, suffix = _split(self.plate)
        return f"{path}{EDGE_MAP}{suffix}"

    @property
    def outputs(self) -> list[str]:
        """Return all files that the job writes, but for the record."""
        edges = [self.edge_map_output] if self.recipe.edge_map else []
        return [self.output, *edges]

    @property
    def record_path(self) -> Path:
        """Return the file of the record, beside the result."""
        path, _ = _split(self.plate or self.output)
        if not self.plate:
            return Path(f"{path}.usm.json")
        return Path(f"{path}.usm", f"{self.source.inner.replace('/', '_')}.json")

    @property
    def work_folder(self) -> Path:
        """Return the folder of a job that is not complete yet."""
        output = Path(self.output)
        return output.with_name(f".{output.name}{io.files.PARTIAL}")

    @cached_attribute
    def stamp(self) -> list[int]:
        """Return size and time of the input, as they were when this was first read."""
        return _stamp(self.source.path)

    def check_unchanged(self) -> None:
        """Raise if the input was changed since the job began."""
        if _stamp(self.source.path) != self.stamp:
            raise ValueError(
                f"`input` must not change while it is read; {self.source.path} did"
            )

    @cached_attribute
    def key(self) -> str:
        """Return a text that two jobs share if their results are the same."""
        said = [str(self.source), self.stamp, repr(self.recipe), self.input_axes]
        said += [self.format.name, self.version]
        return hashlib.blake2b(json.dumps(said).encode(), digest_size=12).hexdigest()


def _split(path: str) -> tuple[str, str]:
    """Return a path without its suffix, and the suffix: ".ome.zarr" is one."""
    found = io.find_format(path)
    return (path, "") if found is None else found.split(path)


def _stamp(path: str) -> list[int]:
    """Return size and time of a file, or of the metadata of a folder."""
    if "://" in path:
        return []
    target = Path(path)
    if target.is_dir():
        marks = ("zarr.json", ".zattrs", ".zarray", ".zgroup")
        found = [target / mark for mark in marks if (target / mark).exists()]
        stats = [mark.stat() for mark in found]
    else:
        stats = [target.stat()]
    return [number for stat in stats for number in (stat.st_size, stat.st_mtime_ns)]


@dataclass
class OpenJob:
    """A job with its image open, and everything that can be known before it runs.

    Attributes
    ----------
    job : Job
        As data.
    image : Image
        The open image.
    resolved : Resolved
        The recipe for this image.
    plan : Plan
        The method, ready for the image.
    """

    job: Job
    image: Image
    resolved: Resolved
    plan: Plan = field(repr=False)

    @classmethod
    def of(cls, job: Job) -> OpenJob:
        """Open the image of a job, and check all that can be wrong.

        Raises
        ------
        TypeError, ValueError, OSError
            If the recipe does not fit the image, the output cannot hold the result, or
            the image cannot be read.
        """
        job.format  # noqa: B018 (checks the name of the output)
        image = io.open_image(job.source, job.input_axes)
        try:
            if "x" not in image.metadata.axes and UNKNOWN in image.metadata.axes:
                raise ValueError(
                    "`input_axes` must name the axes of an image whose file does not, "
                    f"such as 'ZYX'; got None for {image.shape} in {job.source}"
                )
            resolved = resolve(job.recipe, image.info)
            plan = make_plan(image.shape, image.dtype, resolved.method)
            if job.recipe.edge_map and job.recipe.significance:
                plan = finding_noise(plan)
            opened = cls(job, image, resolved, plan)
        except BaseException:
            image.resources.close()
            raise
        return opened

    @property
    def is_whole(self) -> bool:
        """Return whether the image is small enough to be done in memory at once."""
        wide = max(1.0, self.plan.result.itemsize / self.image.dtype.itemsize)
        return self.image.nbytes * _COPIES * wide <= self.job.memory

    @property
    def edges(self) -> Output:
        """Return what the edge map shows: intensities, or multiples of the noise."""
        return Output.SIGNIFICANCE if self.plan.wants_noise else Output.EDGE_MAP

    @property
    def output_bytes(self) -> int:
        """Return the bytes of the outputs, uncompressed and without pyramids."""
        edges = prod(self.plan.edge_shape) * 4 if self.job.recipe.edge_map else 0
        return prod(self.plan.shape) * self.plan.result.itemsize + edges

    @property
    def edge_metadata(self) -> Metadata:
        """Return the metadata of the edge map: without windows of intensities."""
        metadata = self.image.metadata
        if len(self.plan.edge_shape) < len(self.plan.shape):
            assert self.plan.channel_axis is not None
            left = [a for a in range(len(metadata.axes)) if a != self.plan.channel_axis]
            metadata = metadata.taking(left)
        channels = tuple(replace(each, window=None) for each in metadata.channels)
        extra = {k: v for k, v in metadata.extra.items() if k.startswith("zarr")}
        if len(metadata.axes) < len(self.image.metadata.axes):
            extra, channels = {}, ()
        name = f"{metadata.name} edge map".strip()
        return replace(metadata, channels=channels, extra=extra, name=name)

    def fitted(self, estimate: dict[str, Any]) -> FittedPlan:
        """Return the plan with constants that were estimated before."""
        return estimates.fitted(self.plan, estimate)

    @property
    def description(self) -> str:
        """Return a sentence: which axes are filtered."""
        geometry = self.image.info.geometry
        assert geometry is not None
        shape = self.plan.shape[: len(geometry.labels)]
        axes = self.plan.axes
        text: str = geometry.axes.sentence(shape, axes)
        return text


def write_units(opened: OpenJob, stored: tuple[int, ...], memory: int) -> list[Slices]:
    """Return the write units of a job: boxes of whole chunks of the output."""
    plan = opened.plan
    # Pixels with their neighbours, result and edge map, and the codecs' copies.
    bytes_per_pixel = 3 * plan.dtype.itemsize + 3 * plan.result.itemsize + 8
    most = min(units.MOST, memory // bytes_per_pixel)
    whole = [axis for axis, reach in plan.halo.items() if reach is None]
    return units.cut(plan.shape, stored, (*whole, *plan.whole_axes), plan.axes, most)
