"""Time against size and against sigma, ours and others', as two pictures.

    python benchmarks/plots.py

Writes docs/plots/speed-size.png and speed-sigma.png: uint8, the one type that all of
them take, on one thread. Takes some minutes.
"""

from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import peers
from images import picture
from timing import in_turns, milliseconds

import napari_usm as usm

FOLDER = Path(__file__).parents[1] / "docs" / "plots"
COLOURS = {
    "napari-usm": "#c2185b",
    "OpenCV": "#1f6fb4",
    "Pillow": "#7a5ba8",
    "scipy": "#3a8a4d",
    "scikit-image": "#b06a1c",
}
SIZES = (256, 512, 1000, 2000, 4000, 8192)
SIGMAS = (0.5, 1, 2, 4, 8, 16, 32, 64)
LINE = 16  # points from one name to the next, so that they do not touch


def main():
    """Measure, and draw both pictures."""
    peers.use_one_thread()
    with usm.threads(1):
        sizes = measured([(size, 1) for size in SIZES])
        sigmas = measured([(2000, sigma) for sigma in SIGMAS])
    draw(
        "speed-size.png",
        "An unsharp mask, sigma 1",
        "side of the image, pixels",
        SIZES,
        sizes,
    )
    draw(
        "speed-sigma.png",
        "An unsharp mask of 2000 × 2000 pixels",
        "sigma, pixels",
        SIGMAS,
        sigmas,
    )


def measured(cases):
    """Milliseconds of each tool for each size and sigma."""
    found = {name: [] for name in COLOURS}
    for size, sigma in cases:
        image = picture((size, size), "uint8")
        tools = {"napari-usm": usm.unsharp_mask, **peers.MASKS}
        tools = {name: partial(tools[name], image, sigma) for name in COLOURS}
        slow = size > 2000 or sigma > 8
        for name, times in in_turns(tools, 3 if slow else 9).items():
            found[name].append(milliseconds(times))
        print(f"{size}², sigma {sigma}", {name: found[name][-1] for name in tools})
    return found


def draw(name, title, label, places, found):
    """One picture: a line for each tool, named at its right end."""
    plt.rcParams["font.size"] = 12
    figure, axes = plt.subplots(figsize=(7, 4.4), layout="constrained")
    for tool, times in found.items():
        ours = tool == "napari-usm"
        axes.plot(
            places,
            times,
            color=COLOURS[tool],
            linewidth=2.6 if ours else 1.6,
            marker="o",
            markersize=5 if ours else 3.5,
            zorder=3 if ours else 2,
        )
    axes.set(xscale="log", yscale="log", xlabel=label, ylabel="time, ms")
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_title(f"{title} (uint8, one thread)", loc="left", fontsize=12)
    figure.draw_without_rendering()  # from here on the axes have their place
    points = axes.bbox.height * 72 / figure.dpi
    gap = np.ptp(np.log(axes.get_ylim())) * LINE / points
    ends = {tool: times[-1] for tool, times in found.items()}
    for tool, height in apart(ends, gap).items():
        axes.annotate(
            tool,
            (places[-1], height),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=COLOURS[tool],
            weight="bold" if tool == "napari-usm" else "normal",
            annotation_clip=False,
        )
    figure.savefig(FOLDER / name, dpi=200)
    plt.close(figure)


def apart(ends, gap):
    """Heights of the names: those of the ends, their logs at least `gap` apart."""
    tools = sorted(ends, key=ends.get)
    heights = np.log([ends[tool] for tool in tools])
    for _ in range(100):  # push both of a pair that is too close, half each
        push = np.maximum(gap - np.diff(heights), 0) / 2
        heights[:-1] -= push
        heights[1:] += push
    return dict(zip(tools, np.exp(heights), strict=True))


if __name__ == "__main__":
    main()
