"""Times of sharpening beside those of the peers, each row in one run.

    python benchmarks/compare.py [--quick] [--threads N] [--rows TEXT]

The peers are what is installed of opencv-python-headless, halide, Pillow,
scikit-image, scipy, SimpleITK, pyvips and ImageMagick; `copy` is no filter, only the
image in fresh memory. Every row runs all tools in turn, again and again. Of the
first table each column gives the median of a tool's time over ours in the same turn:
how many times as long it takes. Of the second the last but one gives our time over
the other's. `error` is the largest difference from a float64 reference, in steps of
the type for integers, absolute for floats in 0..1.

ImageMagick has no call that could be timed: its time is that of a process that reads,
sharpens and writes nothing, less that of one that only reads.

The rows of 8192² and 16384² take minutes, and 3 and 6 GB: where less is free they are
left out. At 16384² only the quick tools run.

On a machine that others use too, keep it on one core: `taskset -c 1 python ...`. The
rows on two threads need two, and are left out then; `--rows "two threads"` runs them
alone.
"""

import argparse
from importlib.metadata import version

import peers
from rows import against_ourselves, against_peers
from timing import in_turns, milliseconds, ratio

import napari_usm as usm


def main():
    """Print the tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="no image above 2000²")
    parser.add_argument("--threads", type=int, default=1, help="ours and the peers'")
    parser.add_argument("--rows", default="", help="only rows that hold this text")
    options = parser.parse_args()
    peers.use_threads(options.threads)
    packages = ("napari-usm", "numba", "numpy", "scipy", "scikit-image", "pillow")
    print(f"{options.threads} threads;", *(f"{p} {version(p)}," for p in packages))
    if missing := peers.missing():
        print("not installed:", ", ".join(missing))
    with usm.threads(options.threads):
        for rows, head, line in (
            (against_peers, peers_head(), peers_line),
            (against_ourselves, ourselves_head(), ourselves_line),
        ):
            found = rows(options.quick, options.threads)
            chosen = [row for row in found if options.rows in row.name]
            if chosen:
                print_line([])
                print_line(head)
                print_line(["---"] * len(head))
            for row in chosen:
                print_line(line(row))


def print_line(cells):
    """Print a line of a table, at once; an empty line for no cells."""
    print(f"| {' | '.join(cells)} |" if cells else "", flush=True)


def peers_head():
    """Columns of the first table."""
    return ["row", "ours, ms", *peers.NAMES, "error"]


def peers_line(row):
    """Our time, and how many times as long every peer takes."""
    race = row.race()
    times = in_turns(race.tools, row.turns)
    ours = times["usm"]
    ratios = [
        times_text(ratio(times[name], ours)) if name in times else ""
        for name in peers.NAMES
    ]
    return [row.name, f"{milliseconds(ours):.2f}", *ratios, f"{race.error():.1g}"]


def ourselves_head():
    """Columns of the second table."""
    return ["row", "ours, ms", "beside", "that, ms", "we take", "error"]


def ourselves_line(row):
    """Our time, the other's, and how many times as long as that we take."""
    race = row.race()
    ours, other = in_turns(race.tools, row.turns).values()
    return [
        row.name,
        f"{milliseconds(ours):.2f}",
        row.beside,
        f"{milliseconds(other):.2f}",
        times_text(ratio(ours, other)),
        f"{race.error():.1g}" if race.error else "",
    ]


def times_text(value):
    """A ratio as text, with two digits at least."""
    return f"{value:.2g} ×" if value < 1 else f"{value:.1f} ×"


if __name__ == "__main__":
    main()
