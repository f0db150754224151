"""Images for tests of files and batches, and what is in them."""

import hashlib
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_usm import io
from napari_usm.io import Channel, Metadata
from napari_usm.io.ome_zarr import Store

CHANNELS = (
    Channel("DAPI", "0000FF", (100, 3000)),
    Channel("GFP", "00FF00", (90, 2000)),
)
CELLS = Metadata(
    ("c", "z", "y", "x"),
    (1.0, 0.5, 0.2, 0.2),
    ("", "micrometer", "micrometer", "micrometer"),
    channels=CHANNELS,
    name="cells",
)


def cells(shape=(2, 3, 70, 90), dtype=np.uint16, seed=0):
    """Blobs with noise, in the range of a 12-bit camera."""
    random = np.random.default_rng(seed)
    smooth = gaussian_filter(
        random.normal(size=shape), (0,) * (len(shape) - 2) + (3, 3)
    )
    pixels = 1200 + 9000 * smooth + random.normal(0, 20, shape)
    return np.clip(pixels, 0, 4095).astype(dtype)


def write_zarr(path, pixels, metadata=CELLS, version="0.5", chunks=None):
    """Write an OME-Zarr image, in chunks of this shape."""
    extra = {} if chunks is None else {"zarr_chunks": chunks}
    metadata = Metadata(**{**vars(metadata), "extra": extra})
    store = Store(Path(path), pixels.shape, pixels.dtype, metadata, version)
    store.write_all(pixels)
    store.finish({})
    return str(path)


def pixels_of(path, input_axes=None):
    """Return all pixels of the first image of a file."""
    with io.open_image(str(path), input_axes) as image:
        return np.array(image.pixels[(slice(None),) * len(image.shape)])


def metadata_of(path):
    """Return what is known of the first image of a file."""
    with io.open_image(str(path)) as image:
        return image.metadata


def contents(folder):
    """Return a checksum of each file in a folder, or of one file, by its name."""
    folder = Path(folder)
    files = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }
