"""Images in files: read in parts, with axes, scale and channels, and written whole.

A reader returns an `Image`, whose pixels are an array-like that reads from the file. A
file is written to a temporary name and renamed when it is complete.
"""

from napari_usm.io.formats import (
    FORMATS,
    Format,
    find_format,
    is_plate,
    list_images,
    open_image,
)
from napari_usm.io.image import Address, Channel, FormatError, Image, Metadata

__all__ = [
    "FORMATS",
    "Address",
    "Channel",
    "Format",
    "FormatError",
    "Image",
    "Metadata",
    "find_format",
    "is_plate",
    "list_images",
    "open_image",
]
