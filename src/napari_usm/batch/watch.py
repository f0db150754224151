"""New files of an acquisition, as they become complete."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_usm.batch.inputs import Problem, images_in, plan_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_usm.batch.job import Job
    from napari_usm.recipe import Recipe

# Seconds between two looks at the folders: network drives have no notifications.
_INTERVAL = 1.0

# A file is complete if nothing of it has changed for so many seconds.
_QUIET = 3.0


def new_jobs(
    folders: Sequence[str],
    output: str,
    recipe: Recipe,
    known: set[str],
    **words: Any,
) -> Iterator[tuple[list[Job], list[Problem]]]:
    """Yield jobs and problems of files that have become complete; never stop.

    Parameters
    ----------
    folders : sequence of str
        Folders to watch, and those below.
    output, recipe, **words
        As for `plan_jobs`.
    known : set of str
        Files that are left out.
    """
    seen: dict[str, tuple[Any, float]] = {}
    while True:
        ready = []
        for folder in folders:
            for path in images_in(Path(folder), Path(output)):
                name = str(path)
                if name in known:
                    continue
                state = _state(path)
                now = time.monotonic()
                if name not in seen or seen[name][0] != state:
                    seen[name] = state, now
                elif now - seen[name][1] >= _QUIET:
                    ready.append((folder, name))
        for folder, name in ready:
            known.add(name)
            below = str(Path(name).parent.relative_to(folder))
            target = str(Path(output, below))
            yield plan_jobs([name], target, recipe, **words)
        time.sleep(_INTERVAL)


def _state(path: Path) -> Any:
    """Return sizes and times of a file, or of all files in a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    state = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:  # it is being renamed
            continue
        state.append((stat.st_size, stat.st_mtime_ns))
    return (
        len(files),
        max((time for _, time in state), default=0),
        sum(size for size, _ in state),
    )
