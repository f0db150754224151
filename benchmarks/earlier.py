"""The package of an earlier commit in the same process, and the calls of both."""

import io
import subprocess
import sys
import tarfile
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import numpy as np
from images import picture

ROOT = Path(__file__).parents[1]

#: The name under which an earlier package is imported.
NAME = "napari_usm_earlier"

SIDE = 1000

# Calls of package and image.
PLANES = {
    "sigma 1": lambda usm, x: usm.unsharp_mask(x),
    "sigma 2": lambda usm, x: usm.unsharp_mask(x, 2),
    "sigma 5": lambda usm, x: usm.unsharp_mask(x, 5),
    "sigma 20": lambda usm, x: usm.unsharp_mask(x, 20),
    "amount 3": lambda usm, x: usm.unsharp_mask(x, amount=3),
    "threshold": lambda usm, x: usm.unsharp_mask(x, threshold=np.ptp(x) / 50),
    "hard threshold": lambda usm, x: usm.unsharp_mask(
        x, threshold=np.ptp(x) / 50, hard=True
    ),
    "noise threshold": lambda usm, x: usm.unsharp_mask(x, threshold="3 noise"),
    "constant border": lambda usm, x: usm.unsharp_mask(x, mode="constant"),
    "limits": lambda usm, x: usm.unsharp_mask(x, limits="data"),
    "every other pixel": lambda usm, x: usm.unsharp_mask(x[:, ::2]),
    "box": lambda usm, x: usm.unsharp_mask(x, kernel="box"),
    "Laplacian": lambda usm, x: usm.laplacian_sharpen(x),
    "Laplacian of median 3": lambda usm, x: usm.laplacian_sharpen(x, median_size=3),
    "Laplacian of median 5": lambda usm, x: usm.laplacian_sharpen(x, median_size=5),
    "adaptive": lambda usm, x: usm.adaptive_unsharp_mask(x),
    "auto": lambda usm, x: usm.auto_unsharp_mask(x),
    "edge map": lambda usm, x: usm.edge_map(x),
    "sharpen": lambda usm, x: usm.sharpen(x),
    "significance": lambda usm, x: usm.significance(x),
}
VOLUMES = {
    "sigma (1, 2, 2)": lambda usm, x: usm.unsharp_mask(x, (1, 2, 2)),
    "planes": lambda usm, x: usm.unsharp_mask(x, axes=(1, 2)),
    "Laplacian": lambda usm, x: usm.laplacian_sharpen(x),
}
COLOURS = {
    color: lambda usm, x, color=color: usm.unsharp_mask(x, channel_axis=2, color=color)
    for color in ("channels", "luminance", "value")
}


def load(reference):
    """Import the package of a commit under another name."""
    sys.path.append(str(folder_of(reference)))
    return import_module(NAME)


def folder_of(reference):
    """Return the folder that holds the package of a commit, under another name.

    It stays in the temporary folder, with the compiled kernels.
    """
    commit = git("rev-parse", "--short=12", f"{reference}^{{commit}}").decode().strip()
    folder = Path(gettempdir(), f"napari-usm-{commit}")
    if not folder.exists():
        archive = git("archive", commit, "src/napari_usm")
        with TemporaryDirectory(dir=folder.parent) as made:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(made, filter="data")
            source = Path(made, "src")
            for path in source.rglob("*.py"):
                text = path.read_text("utf-8").replace("napari_usm", NAME)
                path.write_text(text, "utf-8")
            Path(source, "napari_usm").rename(source / NAME)
            source.rename(folder)
    return folder


def git(*arguments):
    """Return the output of a git command in this repository."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout


def calls():
    """Generate name, shape and type of the image, and the call of package and image."""
    plane, small, volume, colours = (
        (SIDE, SIDE),
        (512, 512),
        (32, 256, 256),
        (SIDE, SIDE, 3),
    )
    for dtype in ("uint8", "uint16", "float32"):
        for name, call in PLANES.items():
            yield f"{dtype} {SIDE}², {name}", plane, dtype, call
        yield f"{dtype} 512²", small, dtype, lambda usm, x: usm.unsharp_mask(x)
        yield f"{dtype} 16²", (16, 16), dtype, lambda usm, x: usm.unsharp_mask(x)
        yield (
            f"{dtype} 10000×12",
            (10000, 12),
            dtype,
            lambda usm, x: usm.unsharp_mask(x),
        )
        for name, call in VOLUMES.items():
            yield f"{dtype} 32×256², {name}", volume, dtype, call
        for name, call in COLOURS.items():
            yield f"{dtype} {SIDE}²×3, {name}", colours, dtype, call
    for dtype in ("bool", "float16", "int16", "int32", "float64"):
        for name in ("sigma 1", "Laplacian"):
            yield f"{dtype} {SIDE}², {name}", plane, dtype, PLANES[name]


def image(shape, dtype):
    """Return an image of any type."""
    if dtype == "bool":
        return picture(shape, "uint8") > 127
    if dtype == "uint8" or dtype.startswith("float"):
        return picture(shape, dtype)
    return (picture(shape, "uint16") // 2).astype(dtype)


def same_bits(result, other):
    """Return whether two results are equal: arrays, or images with edge maps."""
    if not isinstance(result, np.ndarray):
        return same_bits(result.image, other.image) and same_bits(
            result.edge_map, other.edge_map
        )
    return np.array_equal(result, other, equal_nan=result.dtype.kind == "f")
