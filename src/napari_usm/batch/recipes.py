"""The recipe of a result, from whatever file holds it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_usm import recipe_file
from napari_usm.io import find_format

if TYPE_CHECKING:
    import os

    from napari_usm.recipe import Recipe

_NAMESPACE = "napari-usm"


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Return the recipe that a file holds.

    Parameters
    ----------
    path : str or Path
        A recipe, the record beside an output, or an output: OME-Zarr and TIFF hold
        their recipe, and other images may have a record beside them.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no recipe: the path, and what is wrong.
    """
    path = Path(path)
    found = find_format(path)
    if found is None:
        return recipe_file.load(path)
    if not path.exists():
        raise FileNotFoundError(f"'{path}' does not exist")
    read = {"ome_zarr": _of_zarr, "tiff": _of_tiff}.get(found.module)
    record = None if read is None else read(path)
    if isinstance(record, dict) and "recipe" in record:
        try:
            return recipe_file.loads(json.dumps(record))
        except ValueError as error:
            raise ValueError(f"recipe in '{path}': {error}") from None
    beside = path.with_name(f"{found.split(path.name)[0]}.usm.json")
    if beside.exists():
        return recipe_file.load(beside)
    raise ValueError(f"'{path}' holds no recipe of napari-usm, and has no record")


def _of_zarr(path: Path) -> Any:
    import zarr

    try:
        return zarr.open(path, mode="r").attrs.get("napari_usm")
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise ValueError(f"'{path}' is no zarr store: {error}") from error


def _of_tiff(path: Path) -> Any:
    """Return the record in a comment of OME-XML, or in the text of ImageJ."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            ome, imagej = file.ome_metadata, file.imagej_metadata
        described = tifffile.xml2dict(ome)["OME"] if ome else {}
    except (tifffile.TiffFileError, struct.error, SyntaxError) as error:
        raise ValueError(f"'{path}' is no TIFF file: {error}") from error
    texts = str((imagej or {}).get("Info", "")).splitlines()
    annotations = described.get("StructuredAnnotations") or {}
    comments = annotations.get("CommentAnnotation", [])
    for comment in comments if isinstance(comments, list) else [comments]:
        if comment.get("Namespace") == _NAMESPACE:
            texts.append(str(comment.get("Value")))
    for text in texts:
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and "recipe" in record:
            return record
    return None
