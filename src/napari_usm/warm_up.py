"""Kernels compiled before they are needed, by a process of its own.

    python -m napari_usm.warm_up uint16 laplacian_sharpen

A kernel is compiled at its first call for a type, which takes seconds, and kept on
disk. Even on a thread of its own that makes a window hitch: it holds Python's lock. So
another process makes all those calls, the wanted ones first. It prints a line after
each kernel that is compiled and after each group of calls that is ready, and reads from
its input which group is waited for.
"""

from __future__ import annotations

import argparse
import atexit
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from itertools import product
from math import ceil
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_usm._engine.fork import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_usm._filters.dtypes import Array

# The types that have kernels of their own; the first where no image is chosen yet.
DTYPES = ("uint16", "uint8", "float32")

# Rows of 64 pixels and more are blurred by another kernel than shorter ones are: in
# each of these images both are needed.
_SHAPES = {
    "plane": (70, 70),
    "plane with a gap": (70, 70),
    "volume": (3, 70, 70),
    "deep volume": (16, 70, 70),
    "colours": (70, 70, 3),
    "cut-out": (70, 70, 2),
}

PLANES, VOLUMES = "planes", "volumes"

# Blurred on a coarser grid.
_WIDE = {"kernel": "gaussian", "sigma": 5.0}

# Estimated in windows, whose impulses are replaced.
_NOISE = {"threshold": "3 noise"}

# Alpha weights a blur, which then is divided in float64.
_ALPHA = {"channel_axis": 2, "alpha": True, "color": "channels"}

# Per method, for planes and for volumes: kinds of image, and parameters. These calls
# need all that is ever compiled for such a type, each group's by themselves. No kernel
# is compiled for a value or a size. Only what stands in the menus: `gaussian_sharpen`
# has the kernels of `unsharp_mask`. A Laplacian of volumes has none.
CALLS: Mapping[tuple[str, str], Sequence[tuple[str, Mapping[str, Any]]]] = (
    MappingProxyType(
        {
            ("unsharp_mask", PLANES): (
                ("plane", {}),
                # Bytes have kernels of their own for the Gaussian.
                ("plane", {"kernel": "box"}),
                ("plane", _WIDE),
                ("plane with a gap", {}),
                ("plane with a gap", _WIDE),
                ("cut-out", _ALPHA),
                ("cut-out", {**_ALPHA, **_WIDE}),
                ("plane", _NOISE),
            ),
            ("laplacian_sharpen", PLANES): (
                ("plane", {}),
                ("plane", _NOISE),
                ("plane", {"median_size": 3}),
            ),
            ("adaptive_unsharp_mask", PLANES): (
                ("plane", {}),
                ("plane", {"kernel": "gaussian"}),
                ("plane", _WIDE),
                ("colours", {"channel_axis": 2, "color": "luminance"}),
            ),
            ("auto_unsharp_mask", PLANES): (
                ("plane", {}),
                ("plane with a gap", {}),
                ("colours", {"channel_axis": 2}),
                ("colours", {"channel_axis": 2, "color": "channels"}),
                ("cut-out", _ALPHA),
            ),
            ("unsharp_mask", VOLUMES): (
                ("volume", {}),
                ("volume", _NOISE),
                ("volume", _WIDE),
            ),
            ("adaptive_unsharp_mask", VOLUMES): (
                ("volume", {}),
                ("volume", _WIDE),
            ),
            ("auto_unsharp_mask", VOLUMES): (("deep volume", {}),),
        }
    )
)

# Kernels that are compiled for a group of calls by itself, nearly: for progress alone.
KERNELS: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("unsharp_mask", PLANES): 140,
        ("laplacian_sharpen", PLANES): 72,
        ("adaptive_unsharp_mask", PLANES): 200,
        ("auto_unsharp_mask", PLANES): 170,
        ("unsharp_mask", VOLUMES): 160,
        ("adaptive_unsharp_mask", VOLUMES): 160,
        ("auto_unsharp_mask", VOLUMES): 65,
    }
)

#: Seconds of waiting of which nothing needs to be said: kernels that were compiled
#: before are only loaded.
SILENT = 1.0

# Kernels from which on their rate says how long the others will take.
_ENOUGH = 5


class Progress(NamedTuple):
    """Kernels that are compiled, of how many, and how many seconds are left."""

    done: int
    total: int
    seconds: int


class WarmUp:
    """A process that compiles kernels, and its progress.

    While it runs, kernels that it has not reported are waited for. All count as ready
    without it, and once it has ended, however it did: what is missing is then compiled
    where it is called.

    Parameters
    ----------
    command : sequence of str
        Program and arguments that DTYPE and METHOD are added to; none for no process.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._started = False
        self._process: subprocess.Popen[str] | None = None
        self._awaited: set[tuple[str, ...]] = set()
        self._wanted: set[tuple[str, ...]] = set()
        self._compiled: dict[tuple[str, ...], int] = {}
        self._compiling: set[tuple[str, ...]] = set()
        self._since = 0.0
        self._told = threading.Condition()
        renew_in_child(self)

    def renew(self) -> None:
        """Wait for nothing, in a process that was forked: the other is its parent's."""
        self._told = threading.Condition()
        self._process = None
        self._awaited = set()

    def start(self, method: str, dtype: str) -> None:
        """Start the process, the first time this is called, for these kernels first."""
        if self._started or not self._command:
            return
        self._started = True
        first = dtype if dtype in DTYPES else DTYPES[0]
        try:
            self._process = subprocess.Popen(
                [*self._command, first, method],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="ascii",
                errors="replace",
                creationflags=_quietly(),
            )
        except OSError:
            return
        self._awaited = {(*key, dtype) for key, dtype in product(CALLS, DTYPES)}
        atexit.register(self.stop)
        listener = threading.Thread(
            target=self._listen, args=[self._process], name="warm-up", daemon=True
        )
        listener.start()

    def is_ready(self, method: str, dimensions: str, dtype: str) -> bool:
        """Return whether there is no reason to wait."""
        return (method, dimensions, dtype) not in self._awaited

    def wait(self, method: str, dimensions: str, dtype: str, timeout: float) -> bool:
        """Wait for the kernels, at most so many seconds; return whether they are ready.

        What is waited for is compiled next.
        """

        def ready() -> bool:
            return self.is_ready(method, dimensions, dtype)

        with self._told:
            self._want((method, dimensions, dtype))
            return self._told.wait_for(ready, timeout)

    def progress(self, method: str, dimensions: str, dtype: str) -> Progress | None:
        """Return the progress of kernels that are waited for; None if it is unknown."""
        with self._told:
            all_of = sum(self._compiled.values())
            if self.is_ready(method, dimensions, dtype) or all_of < _ENOUGH:
                return None
            # What is under way is finished first.
            groups = {(method, dimensions, dtype), *self._compiling}
            done = sum(self._compiled.get(group, 0) for group in groups)
            total = sum(
                max(KERNELS[group[0], group[1]], self._compiled.get(group, 0) + 1)
                for group in groups
            )
            seconds = (total - done) * (perf_counter() - self._since) / all_of
            return Progress(done, total, ceil(seconds))

    def stop(self) -> None:
        """End the process, without waiting until it has."""
        if self._process is not None:
            self._process.terminate()

    def _want(self, group: tuple[str, ...]) -> None:
        """Let the process compile this group next, if it has not yet."""
        entry = None if self._process is None else self._process.stdin
        if entry is None or group not in self._awaited or group in self._wanted:
            return
        self._wanted.add(group)
        with suppress(OSError, ValueError):  # it has ended
            entry.write(" ".join(group) + "\n")
            entry.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        self._since = perf_counter()
        with suppress(OSError), process:
            for line in process.stdout or ():
                with self._told:
                    self._hear(tuple(line.split()))
                    self._told.notify_all()
        with self._told:
            self._awaited.clear()
            self._told.notify_all()

    def _hear(self, words: tuple[str, ...]) -> None:
        """A group is ready, or so many kernels of it are."""
        if words in self._awaited:
            self._awaited.discard(words)
            self._compiling.discard(words)
        elif words[:-1] in self._awaited and words[-1].isdecimal():
            self._compiling = {words[:-1]}
            self._compiled[words[:-1]] = int(words[-1])


def own_command() -> tuple[str, ...]:
    """Return the command that runs `main`; empty where there is no Python for it.

    In a frozen application `sys.executable` is that application.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        return ()
    # -P: files that lie where napari was started are no modules.
    return sys.executable, "-P", "-m", "napari_usm.warm_up", "--follow"


#: The one of this session.
session = WarmUp(own_command())


def main(arguments: Sequence[str] | None = None) -> None:
    """Make all calls of the table, and say after each group and type that it is ready.

    Those of the type that is asked for come first, and of these the method's.
    """
    parser = argparse.ArgumentParser(
        prog="python -m napari_usm.warm_up", description="Compile all kernels."
    )
    methods = sorted({method for method, _ in CALLS})
    parser.add_argument("dtype", metavar="DTYPE", choices=DTYPES, help="type first")
    parser.add_argument("method", metavar="METHOD", choices=methods, nargs="?")
    parser.add_argument(
        "--follow", action="store_true", help="read from the input what comes next"
    )
    asked = parser.parse_args(arguments)
    if hasattr(os, "nice"):
        os.nice(10)
    dtypes = sorted(DTYPES, key=lambda dtype: dtype != asked.dtype)
    keys = sorted(CALLS, key=lambda key: key[0] != asked.method)
    todo = [(*key, dtype) for dtype in dtypes for key in keys]
    wanted: list[tuple[str, ...]] = []
    if asked.follow:
        threading.Thread(target=_read, args=[wanted], daemon=True).start()
    while todo:
        group = next((each for each in reversed(wanted) if each in todo), todo[0])
        todo.remove(group)
        with _counting(group):
            make_calls(*group)
        print(*group, flush=True)


def _read(wanted: list[tuple[str, ...]]) -> None:
    """Append the groups that are named in the input, line by line."""
    rest = b""
    # Not by `sys.stdin`, whose lock a thread that waits would hold at the end.
    with suppress(OSError):
        while part := os.read(0, 4096):
            *lines, rest = (rest + part).split(b"\n")
            wanted += [tuple(line.decode("ascii", "replace").split()) for line in lines]


@contextmanager
def _counting(group: tuple[str, ...]) -> Iterator[None]:
    """Print a line for each kernel that is compiled meanwhile."""
    from numba.core import event

    class Counter(event.Listener):
        count = 0

        def on_start(self, event: Any) -> None:
            pass

        def on_end(self, event: Any) -> None:
            self.count += 1
            print(*group, self.count, flush=True)

    with event.install_listener("numba:compile", Counter()):
        yield


def make_calls(method: str, dimensions: str, dtype: str) -> None:
    """Make the calls of a method, for planes or volumes, on images of a type."""
    from napari_usm import api
    from napari_usm._engine import memory
    from napari_usm._engine.block import Output
    from napari_usm._engine.fitting import settle
    from napari_usm._engine.pyramid import SharpenedLevel
    from napari_usm._engine.region import DetailCache, LiveImage

    for kind, parameters in CALLS[method, dimensions]:
        image = _image(kind, dtype)
        api.sharpen(image, method, **parameters)
        plan, _ = api.prepare(image, method, **parameters)
        settled = memory.result_of(settle(plan, image))
        level = SharpenedLevel(LiveImage(image, DetailCache(2**24)), settled)
        for _ in range(2):  # the second finishes what the first has kept
            level.part(Output.IMAGE, tuple(range(length) for length in plan.shape))


def _image(kind: str, dtype: str) -> Array:
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 256, _SHAPES[kind])
    image: Array = pixels.astype(dtype)
    if kind == "plane with a gap" and dtype == "float32":
        image[35, 35] = np.nan
    return image


def _quietly() -> int:
    """On Windows no console, and low priority; `main` sees to that elsewhere."""
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS


if __name__ == "__main__":
    main()
