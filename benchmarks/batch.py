"""Batches of files beside reading and writing alone.

    python benchmarks/batch.py [--gigabytes 20] [--folder FOLDER] [--files 500]

Makes an OME-Zarr stack of uint16 planes with noise, in chunks of 1024², and a folder of
small TIFF files. Each row is a process of its own, after one on a small image that
compiles the loops; rows take turns, and times are those of the processes' work without
imports. `copy` reads and writes the same write units with the same codec. Files are
dropped from the page cache beforehand where the system allows it (root on Linux).
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

PLANE, CHUNK = 2048, 1024
SMALL = 512, 512
THREADS = 2

STACK = {
    "copy, 2 threads": ("copy", {}),
    "unsharp_mask, 2 threads": ("sharpen", {"method": "unsharp_mask"}),
    "unsharp_mask, 1 process": (
        "sharpen",
        {"method": "unsharp_mask", "processes": 1},
    ),
    "unsharp_mask, 2 processes": (
        "sharpen",
        {"method": "unsharp_mask", "processes": 2},
    ),
    "auto_unsharp_mask, 2 threads": ("sharpen", {"method": "auto_unsharp_mask"}),
    "dask map_overlap, scikit-image": ("overlap", {}),
}


def main():
    """Make the files, and print both tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        run_row(json.loads(options.row))
        return
    with TemporaryDirectory(dir=options.folder) as folder:
        if options.gigabytes:
            stack_table(Path(folder), options.gigabytes)
        if options.files:
            files_table(Path(folder), options.files)


def stack_table(folder, gigabytes):
    """Print throughput, peak memory, and time to the first block."""
    planes = max(8, round(gigabytes * 1e9 / (2 * PLANE**2)))
    source, small = folder / "stack.ome.zarr", folder / "small.ome.zarr"
    make_stack(source, planes)
    make_stack(small, 8)
    megabytes = planes * PLANE**2 * 2 / 1e6
    print(f"{planes} planes of {PLANE}² uint16, {megabytes / 1e3:.1f} GB\n")
    print("| | MB/s | time of copy | peak memory, MB | first unit after, s | tasks |")
    print("|---|---|---|---|---|---|", flush=True)
    copy = None
    for name, (kind, options) in STACK.items():
        row = {"kind": kind, "source": str(source), "warm": str(small), **options}
        row["output"] = str(folder / "output.ome.zarr")
        said = in_process(row)
        shutil.rmtree(folder / "output.ome.zarr", ignore_errors=True)
        copy = copy or said["seconds"]
        first = f"{said['first']:.1f}" if "first" in said else "–"
        print(
            f"| {name} | {megabytes / said['seconds']:.0f} | "
            f"{said['seconds'] / copy:.2f} | {said['peak']:.0f} | {first} | "
            f"{said.get('tasks', '–')} |",
            flush=True,
        )


def files_table(folder, count):
    """Print the time of a small file, and of reading and writing it alone."""
    import tifffile

    inputs, few = folder / "files", folder / "few"
    inputs.mkdir()
    few.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        image = random.integers(100, 4000, SMALL, np.uint16)
        tifffile.imwrite(inputs / f"cell {number:03}.tif", image)
    for number in range(2):
        shutil.copy(inputs / f"cell {number:03}.tif", few)
    print(f"\n{count} TIFF files of {SMALL[0]}² uint16\n")
    print("| | ms per file |\n|---|---|", flush=True)
    for name, kind in (("read and write", "copy_files"), ("sharpen", "sharpen_files")):
        output = folder / f"files-{kind}"
        row = {"kind": kind, "source": str(inputs), "output": str(output)}
        said = in_process({**row, "method": "unsharp_mask", "warm": str(few)})
        print(f"| {name} | {1e3 * said['seconds'] / count:.2f} |", flush=True)


def make_stack(path, planes):
    """Write blobs with noise, plane by plane."""
    from scipy.ndimage import zoom

    from napari_usm.io import Metadata
    from napari_usm.io.ome_zarr import Store

    random = np.random.default_rng(0)
    metadata = Metadata(
        ("z", "y", "x"),
        (1.0, 0.2, 0.2),
        ("micrometer",) * 3,
        extra={"zarr_chunks": (1, CHUNK, CHUNK)},
    )
    shape = planes, PLANE, PLANE
    store = Store(path, shape, np.dtype(np.uint16), metadata)
    blobs = zoom(random.uniform(200, 3000, (PLANE // 32,) * 2), 32, order=1)
    noise = [random.normal(0, 30, (PLANE, PLANE)) for _ in range(4)]
    for z in range(planes):
        plane = np.clip(np.roll(blobs, 17 * z, 1) + noise[z % 4], 0, 65535)
        spans = (slice(z, z + 1), slice(0, PLANE), slice(0, PLANE))
        store.write(spans, plane[np.newaxis].astype(np.uint16))
    store.finish({})


def in_process(row):
    """Return what a row measured, in a process of its own."""
    drop_cache()
    done = subprocess.run(
        [sys.executable, __file__, "--row", json.dumps(row)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def drop_cache():
    """Forget files that were read, if that is allowed."""
    os.sync()
    with contextlib.suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("1")


def run_row(row):
    """Run one row, and print what was measured as JSON."""
    if warm := row.pop("warm", None):
        output = str(Path(row["output"]).with_name("warm.ome.zarr"))
        if "files" in row["kind"]:
            output = f"{row['output']} warm"
        ROWS[row["kind"]]({**row, "source": warm, "output": output})
        shutil.rmtree(output, ignore_errors=True)
    start = time.perf_counter()
    said = ROWS[row["kind"]](row) or {}
    said.setdefault("seconds", time.perf_counter() - start)
    if "first" in said:
        said["first"] -= start
    peaks = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    said["peak"] = sum(peaks) * 1024 / 1e6
    print(json.dumps(said))


def copy(row):
    """Read and write the write units of the batch, and a pyramid likewise."""
    from napari_usm import io
    from napari_usm.batch.job import Job, OpenJob, write_units
    from napari_usm.io.ome_zarr import Store
    from napari_usm.recipe import Recipe

    (address,) = io.list_images(row["source"])
    recipe = Recipe("unsharp_mask", {}, "planes")
    opened = OpenJob.of(Job(address, row["output"], recipe))
    image = opened.image
    store = Store(Path(row["output"]), image.shape, image.dtype, image.metadata)

    def unit(spans):
        store.write(spans, np.asarray(image.pixels[spans]))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(unit, write_units(opened, store.chunks, 2**30)))
        for rank in range(1, store.level_count):
            from napari_usm.batch.units import cut

            shape = store.level_shape(rank)
            units = cut(shape, store.chunks, (), (2,), 2**30 // 160)
            list(pool.map(lambda spans, rank=rank: store.reduce(rank, spans), units))
    store.finish({})


def sharpen(row):
    """Run a batch of one job in units."""
    from contextlib import nullcontext

    from napari_usm.batch import Batch, plan_jobs
    from napari_usm.batch.executors import Threads, local_cluster
    from napari_usm.recipe import Recipe

    recipe = Recipe(row["method"], {}, "planes")
    jobs, _ = plan_jobs([row["source"]], row["output"], recipe, memory=2**30)
    said = {"tasks": 0}

    def listen(event):
        if event.stage:
            said["tasks"] += bool(event.done)
        if event.stage == "sharpen" and event.done:
            said.setdefault("first", time.perf_counter())

    count = row.get("processes")
    with local_cluster(count) if count else nullcontext(Threads(THREADS)) as executor:
        start = time.perf_counter()
        (result,) = Batch(jobs, executor, listener=listen).run()
        if count:  # without the start and the end of the processes
            said["seconds"] = time.perf_counter() - start
    if result.status != "done":
        raise RuntimeError(result.error)
    return said


def overlap(row):
    """Do the same by dask's map_overlap and scikit-image's function."""
    import dask
    import dask.array as da
    from skimage.filters import unsharp_mask

    image = da.from_zarr(row["source"], component="0")

    def plane(block):
        made = [unsharp_mask(each, 1.0, 1.0, preserve_range=True) for each in block]
        return np.clip(np.rint(made), 0, 65535).astype(np.uint16)

    depth = {0: 0, 1: 4, 2: 4}
    done = image.map_overlap(plane, depth=depth, boundary="reflect", dtype=np.uint16)
    with dask.config.set(scheduler="threads", num_workers=THREADS):
        done.to_zarr(row["output"], component="0", overwrite=True)
    return {"tasks": len(done.__dask_graph__())}


def copy_files(row):
    """Read and write files one after the other, on two threads."""
    import tifffile

    Path(row["output"]).mkdir()

    def file(path):
        tifffile.imwrite(
            Path(row["output"], path.name), tifffile.imread(path), ome=True
        )

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(file, sorted(Path(row["source"]).iterdir())))


def sharpen_files(row):
    """Run a batch of small files."""
    from napari_usm.batch import Batch, plan_jobs
    from napari_usm.batch.executors import Threads
    from napari_usm.recipe import Recipe

    recipe = Recipe(row["method"], {}, "planes")
    jobs, _ = plan_jobs([row["source"]], row["output"], recipe)
    results = Batch(jobs, Threads(THREADS)).run()
    failed = [each.error for each in results if each.status != "done"]
    if failed:
        raise RuntimeError(failed[0])


ROWS = {
    function.__name__: function
    for function in (copy, sharpen, overlap, copy_files, sharpen_files)
}

if __name__ == "__main__":
    main()
