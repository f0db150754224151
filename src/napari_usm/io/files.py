"""Files and folders that appear under their name complete, or not at all."""

from __future__ import annotations

import glob
import os
import platform
import re
import shutil
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# In the names of files that are not complete yet; a leading point hides them.
PARTIAL = ".usm-partial"

# Names of chunks that zarr has not completed.
_PARTIAL_CHUNK = re.compile(r".*\.[0-9a-f]{32}\.partial")

# Seconds between two tries to remove a folder, and their number.
_PAUSE = 0.1
_TRIES = 50


def temporary(path: Path) -> Path:
    """Return a name beside a path for what is not complete yet.

    It says which process writes there.
    """
    owner = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return path.with_name(f".{path.name}.{owner}{PARTIAL}")


def remove_abandoned(path: Path) -> None:
    """Remove what processes of this machine that are gone have left beside a path."""
    import psutil

    mine = f"{platform.node()}-"
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL}"):
        owner = partial.name.removeprefix(f".{path.name}.").removesuffix(PARTIAL)
        number = owner.removeprefix(mine).partition("-")[0]
        if (
            owner.startswith(mine)
            and number.isdecimal()
            and not psutil.pid_exists(int(number))
        ):
            remove(partial)


@contextmanager
def complete_file(
    path: Path, overwrite: bool = False, *, synced: bool = True
) -> Iterator[Path]:
    """Yield a name to write to, which becomes `path` if nothing goes wrong.

    Parameters
    ----------
    path : Path
        The file.
    overwrite : bool
        Whether it may replace one.
    synced : bool
        Whether to wait until the disk has it, which takes some milliseconds. Else a
        loss of power may leave it empty.

    Raises
    ------
    FileExistsError
        If there is such a file and `overwrite` is False.
    """
    partial = temporary(path)
    try:
        yield partial
        if synced:
            with open(partial, "rb") as file:
                os.fsync(file.fileno())
        publish(partial, path, overwrite)
    finally:
        partial.unlink(missing_ok=True)


def publish(partial: Path, path: Path, overwrite: bool = False) -> None:
    """Give a complete file or folder its name.

    Raises
    ------
    FileExistsError
        If there is one of that name and `overwrite` is False, or if it is a folder of
        other things: only a zarr store is ever replaced as a whole.
    """
    if overwrite and path.exists():
        if not partial.is_dir() and not path.is_dir():
            os.replace(partial, path)
            return
        if not (partial.is_dir() and is_zarr(path)):
            kind = "a folder" if path.is_dir() else "a file"
            raise FileExistsError(
                f"`output` must not be {kind} that is no zarr store; got {str(path)!r}"
            )
        # A folder cannot replace another in one step.
        old = temporary(path)
        os.rename(path, old)
        os.rename(partial, path)
        remove(old)
        return
    if partial.is_dir():
        if path.exists():
            raise FileExistsError(exists(path))
        os.rename(partial, path)
        return
    try:
        os.link(partial, path)  # unlike `rename`, it never replaces a file
    except FileExistsError:
        raise FileExistsError(exists(path)) from None
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(exists(path)) from None
        os.rename(partial, path)
        return
    partial.unlink()


def is_zarr(path: Path) -> bool:
    """Return whether a folder is an array or a group of zarr."""
    return any((path / mark).exists() for mark in ("zarr.json", ".zgroup", ".zarray"))


def exists(path: Path) -> str:
    """Return the message about an output that is there already."""
    return f"`output` must not exist, or `overwrite` be True; got {str(path)!r}"


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_partial_chunks(store: Path) -> None:
    """Remove what killed processes left inside a store that nobody writes any more.

    Zarr writes a chunk to a name of its own first, and then gives it the right one.
    """
    for folder, _, names in os.walk(store):
        for name in names:
            if _PARTIAL_CHUNK.fullmatch(name):
                Path(folder, name).unlink()


def remove_unfinished(path: Path) -> None:
    """Remove a folder that a failed write left, and that zarr may still write to.

    After an error zarr does not wait for the chunks that are under way.
    """
    for _ in range(_TRIES):
        shutil.rmtree(path, ignore_errors=True)
        time.sleep(_PAUSE)
        if not path.exists():
            return
