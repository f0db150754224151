"""Records: what was done to an image, for its file and for a file beside it."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import uuid
from dataclasses import fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.cache import Cache
from napari_usm.batch import estimates
from napari_usm.io import files
from napari_usm.recipe_file import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._engine.plan import FittedPlan
    from napari_usm._engine.report import Report
    from napari_usm.batch.job import Job, OpenJob
    from napari_usm.recipe import Recipe

# Bytes of a file that is hashed; of a larger one size and time are kept.
_HASHED = 2**28

_recipes: Cache[str, dict[str, Any]] = Cache(4)

_PACKAGES = "napari-usm", "numpy", "numba", "scipy"


def make(opened: OpenJob, fitted: FittedPlan, report: Report) -> dict[str, Any]:
    """Return the record that is stored in the output.

    It depends on the image, the recipe and the versions alone, so that a job that was
    interrupted ends in the same bytes.
    """
    plan = opened.plan
    record = {
        "recipe": _recipe(opened.job.recipe),
        "resolved": {
            "filter": opened.description,
            "parameters": plain(opened.resolved.parameters),
        },
        "input": _input(opened),
        "versions": _versions(),
        "python": platform.python_version(),
        "report": report_numbers(report),
        "result": {"shape": list(plan.shape), "dtype": plan.result.name},
    }
    if plan.needs_estimate:
        record["estimate"] = plain(estimates.as_numbers(fitted))
    return identified(record)


def identified(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the forms that only some formats use: text and UUID."""
    text = json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # The same for the same record: files have an identifier of their own.
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, text))
    return {**record, "text": text, "uuid": identifier}


def stored(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without the forms that only some formats use."""
    return {key: value for key, value in record.items() if key not in ("text", "uuid")}


def write(job: Job, record: Mapping[str, Any], seconds: float, command: str) -> None:
    """Write the record beside the output, with the time it took and the command."""
    more = {
        "seconds": round(seconds, 3),
        "command": command,
        "output": Path(job.output).name,
        "key": job.key,
    }
    text = json.dumps(
        {**stored(record), **more}, indent=2, sort_keys=True, ensure_ascii=False
    )
    # The output holds the record too: this file need not be waited for.
    path = job.record_path
    with files.complete_file(path, overwrite=True, synced=False) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8")


def read(job: Job) -> dict[str, Any] | None:
    """Return the record beside the output of a job, if there is one."""
    try:
        said: dict[str, Any] = json.loads(job.record_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said


def _recipe(recipe: Recipe) -> dict[str, Any]:
    # One recipe serves many images, and is checked for 1 ms each time.
    key = repr(recipe)
    document = _recipes.get(key)
    if document is None:
        document = json.loads(dumps(recipe))
        _recipes.put(key, document)
    return document


@cache
def _versions() -> dict[str, str]:
    # Reading them takes 1 ms each, as long as a small image.
    return {name: version(name) for name in _PACKAGES}


def _input(opened: OpenJob) -> dict[str, Any]:
    source = opened.job.source
    path = Path(source.path)
    said: dict[str, Any] = {
        "name": path.name,
        "image": source.inner,
        "format": opened.image.kind,
        "axes": "".join(opened.image.metadata.axes).upper(),
        "shape": list(opened.image.shape),
        "dtype": opened.image.dtype.name,
    }
    if path.is_file():
        stat = path.stat()
        said["bytes"] = stat.st_size
        if stat.st_size <= _HASHED:
            with open(path, "rb") as file:
                said["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            said["modified"] = stat.st_mtime
    return said


def report_numbers(report: Report) -> dict[str, Any]:
    """Return a report as JSON has it."""
    said = {
        field.name: plain(getattr(report, field.name))
        for field in fields(report)
        if field.name not in ("method", "gains", "curve")
    }
    return {name: value for name, value in said.items() if value is not None}


def plain(value: Any) -> Any:
    """Return a value as JSON has it; numbers that are not finite as text."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
