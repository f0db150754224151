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

# Calls of package and image, by shape.
MASK = {"sigma 1": lambda usm, x: usm.unsharp_mask(x)}
CALLS = {
    (1000, 1000): {
        **MASK,
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
    },
    (512, 512): MASK,
    (16, 16): MASK,
    (10000, 12): MASK,
    (32, 256, 256): {
        "sigma (1, 2, 2)": lambda usm, x: usm.unsharp_mask(x, (1, 2, 2)),
        "planes": lambda usm, x: usm.unsharp_mask(x, axes=(1, 2)),
        "Laplacian": lambda usm, x: usm.laplacian_sharpen(x),
    },
    (1000, 1000, 3): {
        color: lambda usm, x, color=color: usm.unsharp_mask(
            x, channel_axis=2, color=color
        )
        for color in ("channels", "luminance", "value")
    },
}

# All calls run on these types, and only some on others.
DTYPES = ("uint8", "uint16", "float32")
OTHERS = ("bool", "float16", "int16", "int32", "float64")
SOME = ("sigma 1", "Laplacian")


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
    for shape, group in CALLS.items():
        size = "×".join(map(str, shape))
        for dtype in DTYPES:
            for name, call in group.items():
                yield f"{dtype} {size}, {name}", shape, dtype, call
    plane, group = next(iter(CALLS.items()))
    for dtype in OTHERS:
        for name in SOME:
            yield f"{dtype}, {name}", plane, dtype, group[name]


def image(shape, dtype):
    """Return an image of any type."""
    if dtype == "bool":
        return picture(shape, "uint8") > 127
    if dtype == "uint8" or dtype.startswith("float"):
        return picture(shape, dtype)
    return (picture(shape, "uint16") // 2).astype(dtype)


def same_bits(result, other):
    """Return whether two results are the same: arrays, or images with edge maps."""
    if not isinstance(result, np.ndarray):
        images = same_bits(result.image, other.image)
        return images and same_bits(result.edge_map, other.edge_map)
    same_kind = (result.dtype, result.shape) == (other.dtype, other.shape)
    return same_kind and result.tobytes() == other.tobytes()
