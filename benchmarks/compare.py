"""Times of sharpening against those of other tools, and against an earlier commit.

    python benchmarks/compare.py [--quick] [--rows TEXT]
    python benchmarks/compare.py --against REF [--rows TEXT]

The other tools are what is installed of opencv-python-headless, halide, Pillow,
scikit-image, scipy, SimpleITK and pyvips. All calls of a row run on one thread in
turn, again and again, in loops where they are short; their times are those of the
processor. A ratio is the median of the ratios in the same turn, with its target in
brackets; it is bold where the target is missed.

Cycles are calibrated by a chain of multiply-adds in the same turns. `limit` is the
larger of the cycles of a copy into fresh memory and those of the sums of the blur
alone, at two vector instructions of 16 pixels a cycle. `error` is the largest
difference from a float64 reference, in steps of the type for integers, absolute for
floats in 0..1.

With `--against` the package of another commit is loaded into this process, and the
rows are calls of both: how many times as long the earlier one takes, by the median of
the ratios and by the shortest times, and whether the results have the same bits. Its
kernels are compiled once and stay in the temporary folder.
"""

import argparse
import os
from functools import partial
from importlib.metadata import version

import earlier
import numpy as np
import peers
from rows import rows
from timing import cycles, in_turns, milliseconds, multiply_adds, ratio

import napari_usm as usm

# Below, a call takes noticeably longer than at the earlier commit.
_SLOWER = 0.95

# A call that is slower is measured again: other processes disturb single tries.
_TRIES = 3


def main():
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="no image above 2048²")
    parser.add_argument("--rows", default="", help="only rows that hold this text")
    parser.add_argument("--against", metavar="REF", help="an earlier commit")
    options = parser.parse_args()
    peers.use_one_thread()
    os.environ["NAPARI_USM_THREADS"] = "1"  # of an earlier package too
    if options.against:
        print_against(options.against, options.rows)
    else:
        print_rows(options.quick, options.rows)


def print_rows(quick, text):
    """Print the rows of the table that hold the text."""
    packages = ("napari-usm", "numba", "numpy", "scipy", "scikit-image", "pillow")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    if missing := peers.missing():
        print("not installed:", ", ".join(missing))
    print()
    print_line(["row", "ours, ms", "cycles per pixel", "limit", "ratios", "error"])
    print_line(["---"] * 6)
    for row in rows():
        if text in row.name and not (quick and max(row.shape) > 2048):
            print_line(measured(row))


def measured(row):
    """Return the cells of a row."""
    image = row.image
    calls = {
        "": row.ours,
        "copy": np.copy,
        **{name: other.call for name, other in row.others.items()},
    }
    calls = {name: lambda call=call: call(image) for name, call in calls.items()}
    calls["chain"] = multiply_adds
    times = in_turns(calls, row.turns, row.clock)
    ours = times[""]
    taken, copied = (
        cycles(times[k], times["chain"]) / image.size for k in ("", "copy")
    )
    limit = "" if row.sums is None else f"{max(row.sums / 32, copied):.2f}"
    ratios = [target_text(n, o, ours, times[n]) for n, o in row.others.items()]
    error = row.error
    return [
        row.name,
        f"{milliseconds(ours):.3g}",
        f"{taken:.2f}" if taken < 100 else f"{taken:.0f}",
        limit,
        ", ".join(ratios),
        "" if error is None else f"{error:.1g}",
    ]


def target_text(name, other, ours, theirs):
    """Return a ratio with its target as text, bold where the target is missed."""
    if other.at_most is not None:
        value = ratio(ours, theirs)
        missed, target = value > other.at_most, f" (≤ {other.at_most:g})"
        name, after = "", f" the time of {name}"
    else:
        value, least = ratio(theirs, ours), other.at_least
        missed = least is not None and value < least
        target = "" if least is None else f" (≥ {least:g})"
        name, after = f"{name} ", ""
    number = f"{value:.3g} ×"
    return name + (f"**{number}**" if missed else number) + after + target


def print_against(reference, text):
    """Print our calls against those of another commit, and the names of slower ones."""
    before = earlier.load(reference)
    print_line(["call", "ours, ms", f"{reference} takes", "same bits"])
    print_line(["---"] * 4)
    slower = []
    for name, shape, dtype, call in earlier.calls():
        if text not in name:
            continue
        image = earlier.image(shape, dtype)
        ours, theirs = partial(call, usm, image), partial(call, before, image)
        for _ in range(_TRIES):
            times = in_turns({"ours": ours, "theirs": theirs}, 15)
            median = ratio(times["theirs"], times["ours"])
            shortest = min(times["theirs"]) / min(times["ours"])
            is_slower = max(median, shortest) < _SLOWER
            if not is_slower:
                break
        numbers = f"{median:.2f} × / {shortest:.2f} ×"
        if is_slower:
            slower.append(name)
            numbers = f"**{numbers}**"
        same = "yes" if earlier.same_bits(ours(), theirs()) else "**no**"
        print_line([name, f"{milliseconds(times['ours']):.3g}", numbers, same])
    print("\nslower:", "; ".join(slower) or "none")


def print_line(cells):
    """Print a line of a table, at once."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
