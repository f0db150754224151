"""How fast the live layers follow: a slider, the plane that is shown, a drag.

    xvfb-run -a -s "-screen 0 1366x768x24" python benchmarks/live.py [--quick]

Milliseconds, as median and 95th percentile. A tick lasts from the new value in the
dock's control until result and edge map, both visible, have got their slices, and
those have been handed to the canvas. The window is not shown: nothing is drawn.
Between two ticks it rests for 25 ms, a frame and a half. Cold is a sigma that has not
been there before: all is filtered. Warm is an amount or a threshold: what was filtered
is kept. An amount changes nothing of the edge map, which is then left as it is.

Beside that, `plain`: two layers of numpy arrays with the same pixels are refreshed.
That is napari's own share, in which nothing is computed. For steps from plane to plane
it is the source layer alone, of the same array. For the sliders the difference of the
95th percentiles from `plain` follows in brackets, its target in the head of the table.

The next table is of a window, and with what it takes to draw: 60
positions of sigma in a second, each set when the window gets to it. Of these `moves`
were set and `shown` were seen; the longest turn of the event loop, and how late the
last one was, are in milliseconds. The last two, `--turns` alone, are of a window too:
the longest turn when Live is switched on and another plane is shown, beside two plain
layers of the same pixels, and the frames that are drawn in a second.

`--stages` prints another table alone: where the time of a tick goes on the window's
thread.
"""

import argparse
import os
from functools import partial
from tempfile import TemporaryDirectory

import live_turns
import numpy as np
from images import picture
from live_drag import Slow, drag
from live_session import Clock, Session, settle
from live_stages import STAGES, StageClock

SIZES = (1024, 2048, 4096)
DTYPES = ("uint8", "uint16", "float32", "RGB uint8")
SOURCES = ("dask", "zarr", "pyramid")

# Planes of a stack: as many as stay filtered in memory.
PLANES = 16

# Ticks that are not counted: they compile, and fill the memory that is used again.
FIRST = 25


def main():
    """Print the tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only uint16 of 2048²")
    parser.add_argument("--turns", action="store_true", help="only the last two tables")
    parser.add_argument("--stages", action="store_true", help="only where time goes")
    parser.add_argument("--ticks", type=int, default=60, help="counted for each cell")
    options = parser.parse_args()
    if options.turns:
        print_turns()
        return
    print(f"{len(os.sched_getaffinity(0))} cores, {options.ticks} ticks\n")
    session = Session()
    if options.stages:
        head = ["uint16 2048², numpy; ms", *STAGES, "the rest", "all"]
        print_table(head, stage_rows(session, options))
        session.viewer.close()
        return
    with TemporaryDirectory() as folder:
        print_table(
            ["image", "plain", *(f"{n} (≤ {s[-1]})" for n, s in SLIDERS.items())],
            slider_rows(session, options, folder),
        )
        print_table(["uint16 2048²", "ms"], method_rows(session, options))
        print_table(
            [f"uint16 {PLANES}×2048²", "plain", "live, new plane", "live, again"],
            plane_rows(session, options, folder),
        )
    session.viewer.close()
    head = ["a second of dragging", "moves", "shown", "longest turn", "late"]
    print_table(head, drag_rows())
    print_turns()


def print_turns():
    """Print how long the window is held up, and how many frames it draws."""
    one = plane(8192, "uint16")
    with TemporaryDirectory() as folder:
        stack = np.stack([np.roll(one, 64 * z, 1) for z in range(6)])
        print_table(
            live_turns.HEAD, live_turns.turn_rows(stored(stack, "zarr", folder))
        )
    print_table(live_turns.DRAG_HEAD, live_turns.frame_rows(plane(2048, "uint16")))


# --- rows ---

#: What moves, for a classic mask: control, values, and the target in milliseconds.
SLIDERS = {
    "sigma 1 to 2, cold": ("sigma", (1, 2), 6),
    "sigma 3 to 5, cold": ("sigma", (3, 5), 6),
    "amount, warm": ("amount", (0.5, 2), 3),
    "threshold, warm": ("threshold", (0.001, 0.01), 4),
}


def slider_rows(session, options, folder):
    """A classic mask, by size and type of the image and by what holds it."""
    for size, dtype, source in images(options.quick):
        data = stored(plane(size, dtype), source, folder)
        with session.source(data, rgb=dtype.startswith("RGB")) as layer:
            pair = session.live()
            with session.plain(pair) as layers:
                clock = Clock(layers)
                plain = [
                    clock.seconds(partial(refresh, layers))
                    for _ in range(options.ticks)
                ]
            clock = Clock(pair.layers, pair)
            cells = []
            for control, values, most in SLIDERS.values():
                found = ticks(session, clock, control, values, layer, options.ticks)
                cells.append(figures(found) + excess(found, plain, most))
        yield [f"{dtype} {size}², {source}", figures(plain), *cells]


def stage_rows(session, options):
    """The stages of each slider's ticks, medians on the window's thread."""
    with session.source(plane(2048, "uint16")) as layer:
        pair = session.live()
        for name, (control, values, _) in SLIDERS.items():
            with StageClock(pair.layers, pair) as clock:
                ticks(session, clock, control, values, layer, options.ticks)
            yield [name, *(f"{each:.1f}" for each in clock.medians(options.ticks))]


def method_rows(session, options):
    """The other methods."""
    with session.source(plane(2048, "uint16")) as layer:
        pair = session.live("laplacian_sharpen")
        clock = Clock(pair.layers, pair)
        for control, values in (("amount", (0.3, 1)), ("threshold", (0.001, 0.01))):
            found = ticks(session, clock, control, values, layer, options.ticks)
            yield [f"Laplacian, {control}, warm", figures(found)]
        session.dock.median_size.value = 3
        found = ticks(session, clock, "amount", (0.3, 1), layer, options.ticks)
        yield ["Laplacian of the median, amount, warm", figures(found)]
    with session.source(plane(2048, "uint16")):
        pair = session.live("adaptive_unsharp_mask")
        clock = Clock(pair.layers, pair)
        yield [
            "adaptive, box to a Gaussian of a new sigma, gain and all",
            figures(kernels(session.dock, clock, options.ticks)),
        ]


def plane_rows(session, options, folder):
    """From plane to plane of a stack."""
    for source in ("numpy", "dask", "zarr"):
        one = plane(2048, "uint16")
        stack = np.stack([np.roll(one, 64 * z, 1) for z in range(PLANES)])
        with session.source(stored(stack, source, folder)) as layer:
            settled = Clock([layer])
            plain = steps(session.viewer, settled, options.ticks)
        with session.source(stored(stack, source, folder)) as layer:
            pair = session.live()
            clock = Clock([layer, *pair.layers], pair)
            steps(session.viewer, clock, PLANES)
            new = []
            while len(new) < options.ticks:
                session.dock._dock.reset.click()  # which forgets what was filtered
                new += steps(session.viewer, clock, PLANES)
            again = steps(session.viewer, clock, options.ticks)
        yield [source, figures(plain), figures(new), figures(again)]


def drag_rows():
    """A second of dragging, in a window that draws."""
    session = Session(show=True)
    for size in (2048, 4096):
        one, name = plane(size, "uint16"), f"uint16 {size}²"
        with session.source(one):
            pair = session.live()
            with session.plain(pair) as layers:
                settle()
                found = drag(lambda _, layers=layers: refresh(layers))
            yield drag_row(f"{name}, two plain layers refreshed", found, found.moves)
            yield drag_row(f"{name}, numpy", *dragged(session.dock.sigma, pair))
    slow = Slow(plane(2048, "uint16"), 0.3)
    with session.source(slow, contrast_limits=(0, 65535)):
        pair = session.live()
        found = dragged(session.dock.sigma, pair)
        yield drag_row("uint16 2048², 0.3 s to read", *found)
    session.viewer.close()


def dragged(sigma, pair):
    """Drag sigma; what came of it, and how many results were shown."""
    for value in np.linspace(1, 5, FIRST):
        assign(sigma, float(value))
        settle(pair)
    shown, result = set(), pair.layers[0]
    # By some of the pixels: those that come while the next ones are made count too.
    result.events.set_data.connect(
        lambda: shown.add(result._slice.image.raw[::97, ::97].tobytes())
    )
    found = drag(lambda at: assign(sigma, 1.01 + 4 * at), lambda: pair.is_updating)
    settle(pair)
    return found, len(shown)


def drag_row(name, found, shown):
    """Cells of a drag."""
    times = (f"{1000 * seconds:.0f}" for seconds in (found.longest, found.late))
    return [name, str(found.moves), str(shown), *times]


# --- what is moved ---


def ticks(session, clock, control, values, layer, count):
    """Seconds of so many ticks of a slider, each to a value of its own."""
    low, high = values
    if control == "threshold":
        # In parts of the range of intensities.
        span = np.subtract(*layer.contrast_limits_range[::-1])
        low, high = low * span, high * span
    slider = getattr(session.dock, control)
    drawn = np.random.default_rng(0).uniform(low, high, FIRST + count)
    before = slider.value
    found = [clock.seconds(partial(assign, slider, float(value))) for value in drawn]
    clock.seconds(partial(assign, slider, before))
    return found[FIRST:]


def kernels(dock, clock, count):
    """Seconds from a box to a Gaussian that was not there before."""
    found = []
    for sigma in np.random.default_rng(0).uniform(1, 3, 2 + count):
        clock.seconds(partial(assign, dock.kernel, "box"))
        clock.seconds(partial(assign, dock.sigma, float(sigma)))
        found.append(clock.seconds(partial(assign, dock.kernel, "gaussian")))
    return found[2:]


def steps(viewer, clock, count):
    """Seconds of so many steps from plane to plane, and back to the first."""
    return [
        clock.seconds(partial(viewer.dims.set_point, 0, step % PLANES))
        for step in range(1, count + 1)
    ]


def assign(control, value):
    """Give a control another value."""
    control.value = value


def refresh(layers):
    """Slice anew, as the dock lets napari do it."""
    for layer in layers:
        layer.refresh(extent=False, highlight=False)


# --- images ---


def images(quick):
    """Side, type and what holds it."""
    if not quick:
        for size in SIZES:
            for dtype in DTYPES:
                yield size, dtype, "numpy"
    else:
        yield 2048, "uint16", "numpy"
    for source in SOURCES:
        yield 2048, "uint16", source


def plane(size, dtype):
    """A plane of this type, or a picture."""
    if dtype.startswith("RGB"):
        return picture((size, size, 3), dtype.split()[1])
    return picture((size, size), dtype)


def stored(array, source, folder):
    """The array as something else holds it, in chunks of 512²."""
    chunks = (*(1,) * (array.ndim - 2), 512, 512)
    if source == "dask":
        import dask.array

        return dask.array.from_array(array, chunks)
    if source == "zarr":
        import zarr

        path = f"{folder}/{array.ndim}.zarr"
        made = zarr.create_array(
            path, shape=array.shape, chunks=chunks, dtype=array.dtype, overwrite=True
        )
        made[:] = array
        return made
    if source == "pyramid":
        return [array[:: 2**k, :: 2**k].copy() for k in range(4)]
    return array


# --- text ---


def print_table(head, rows):
    """Print a table, line by line as it is found."""
    print_line(head)
    print_line(["---"] * len(head))
    for row in rows:
        print_line(row)
    print(flush=True)


def print_line(cells):
    """Print a line of a table, at once."""
    print(f"| {' | '.join(cells)} |", flush=True)


def figures(seconds):
    """Median and 95th percentile in milliseconds."""
    middle, high = 1000 * np.percentile(seconds, [50, 95])
    return f"{middle:.1f} / {high:.1f}"


def excess(seconds, plain, most):
    """Difference of the 95th percentiles as text, bold above the target."""
    above = 1000 * (np.percentile(seconds, 95) - np.percentile(plain, 95))
    return f" (**+{above:.1f}**)" if above > most else f" ({above:+.1f})"


if __name__ == "__main__":
    main()
