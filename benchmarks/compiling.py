"""Time to compile the kernels of each method for each type, from an empty cache.

    python benchmarks/compiling.py [--rows TEXT] [--against REF]

The processor's time of a process for each row, after the imports: until a plane of
70² is sharpened, and until all calls that `warm_up` knows for the method are done;
how many functions were compiled, and how large they are on disk. With `--against`
the same of an earlier commit.
"""

import argparse
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import earlier
import numpy as np

from napari_usm import warm_up

HEAD = ("first plane, s", "all calls, s", "functions", "cache, MB")


def main():
    """Print the table in Markdown, or measure one row: package, method, axes, type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="only rows that hold this text")
    parser.add_argument("--against", metavar="REF", help="an earlier commit")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(*options.measure)))
        return
    packages = {"": ("napari_usm", Path(warm_up.__file__).parents[1])}
    if options.against:
        name = f"{options.against}: "
        packages[name] = (earlier.NAME, earlier.folder_of(options.against))
    head = ["", *(name + cell for name in packages for cell in HEAD)]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for method, axes in warm_up.CALLS:
        for dtype in warm_up.DTYPES:
            row = f"{dtype}, {method}, {axes}"
            if options.rows in row:
                cells = [
                    cell
                    for package, path in packages.values()
                    for cell in in_process(path, package, method, axes, dtype)
                ]
                print(f"| {row} | {' | '.join(cells)} |", flush=True)


def in_process(path, *row):
    """Return the cells of a row, measured in a process with an empty cache."""
    with TemporaryDirectory() as cache:
        paths = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, __file__, "--measure", *row],
            env={**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": cache},
            check=True,
            stdout=subprocess.PIPE,
        )
        files = list(Path(cache).rglob("*.nbc"))
        megabytes = sum(file.stat().st_size for file in files) / 1e6
    first, whole = json.loads(done.stdout)
    return f"{first:.1f}", f"{whole:.1f}", f"{len(files)}", f"{megabytes:.1f}"


def measured(package, method, axes, dtype):
    """Return seconds until the first plane is sharpened, and until all calls are."""
    sharpen = import_module(package).sharpen
    calls = import_module(f"{package}.warm_up").make_calls
    import_module("numba")
    image = np.random.default_rng(0).integers(0, 256, (70, 70)).astype(dtype)
    start = process_time()
    sharpen(image, method)
    first = process_time() - start
    calls(method, axes, dtype)
    return first, process_time() - start


if __name__ == "__main__":
    main()
