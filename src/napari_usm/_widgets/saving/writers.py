"""Writers of napari: image layers as OME-Zarr and OME-TIFF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils import cancelable_progress

from napari_usm._widgets.saving.save import Picture, save
from napari_usm.io import FORMATS, Format, FormatError
from napari_usm.io.image import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.types import FullLayerData

# Names that every format has a place for.
KNOWN_AXES = *"tczyx", SAMPLES

# Steps of the bar.
_STEPS = 1000


def write_ome_zarr(path: str, layers: Sequence[FullLayerData]) -> list[str]:
    """Write an image layer, or several as channels, as OME-Zarr."""
    return _written(path, layers, "ome-zarr")


def write_ome_tiff(path: str, layers: Sequence[FullLayerData]) -> list[str]:
    """Write an image layer, or several as channels, as OME-TIFF."""
    return _written(path, layers, "ome-tiff")


class SavingError(Exception):
    """Nothing was saved. napari takes a ValueError for a writer that is missing."""


def _written(path: str, layers: Sequence[FullLayerData], name: str) -> list[str]:
    form = next(each for each in FORMATS if each.name == name)
    target = with_suffix(Path(path), form)
    bar: Any = cancelable_progress(total=_STEPS, desc=f"Saving {target.name}")

    def progress(done: int, total: int) -> None:
        bar.update(max(0, _STEPS * done // max(1, total) - bar.n))
        if bar.is_canceled:
            raise SavingError(f"Saving was cancelled: there is no new '{target.name}'")

    try:
        picture = Picture.of(layers, stem(target, form))
        try:
            save(target, form, picture, progress)
        except FormatError as error:
            raise SavingError(f"{error}{_advice(picture.metadata.axes)}") from error
    except ValueError as error:
        raise SavingError(str(error)) from error
    finally:
        bar.close()
    return [str(target)]


def _advice(axes: Sequence[str]) -> str:
    if any(name not in KNOWN_AXES for name in axes):
        return ": name the axes in layer.axis_labels, such as ('t', 'z', 'y', 'x')"
    return ""


def with_suffix(path: Path, form: Format) -> Path:
    """Return a path that ends as the names of a format do."""
    if path.name.lower().endswith(form.suffixes):
        return path
    return path.with_name(f"{path.name}{form.suffixes[0]}")


def stem(path: Path, form: Format) -> str:
    """Return the name of a file without the end that the names of a format have."""
    return form.split(path.name)[0] or path.name
