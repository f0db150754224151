"""Throughput through dask's threaded scheduler, beside the array in memory.

    python benchmarks/lazy.py

uint16 8192², sigma 1, in chunks of 2048², on two threads: megapixels in a second, in
turn in one run, medians. `persist` leaves the chunks as they are, `compute` joins them
in one array. The last rows are dask's own share: an addition of 1.
"""

from time import perf_counter

import dask
import dask.array as da
import numpy as np

import napari_usm as usm

SIDE, CHUNK, TURNS = 8192, 2048, 9


def main():
    """Print the table in Markdown."""
    image = np.random.default_rng(0).integers(0, 60000, (SIDE, SIDE), np.uint16)
    chunks = da.from_array(image, chunks=CHUNK)
    sharpened, added = usm.unsharp_mask(chunks), chunks + 1
    calls = {
        "in memory": lambda: usm.unsharp_mask(image),
        "dask, persist": sharpened.persist,
        "dask, compute": sharpened.compute,
        "`image + 1` in dask, persist": added.persist,
        "`image + 1` in dask, compute": added.compute,
    }
    seconds = {name: [] for name in calls}
    with dask.config.set(scheduler="threads", num_workers=2), usm.threads(2):
        for turn in range(TURNS + 1):
            for name, call in calls.items():
                start = perf_counter()
                call()
                if turn:  # the first compiles
                    seconds[name].append(perf_counter() - start)
    whole = np.median(seconds["in memory"])
    print("| | megapixels/s | of that in memory |\n|---|---|---|")
    for name, times in seconds.items():
        rate = SIDE**2 / 1e6 / np.median(times)
        print(f"| {name} | {rate:.0f} | {whole / np.median(times):.2f} |")


if __name__ == "__main__":
    main()
