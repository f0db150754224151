"""Pictures: PNG, JPEG and BMP, with colour profile and EXIF data.

The pixels stay as they are stored: an orientation in the EXIF data is copied, not
applied.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.io.image import SAMPLES, Address, FormatError, Image, Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from napari_usm.io.formats import Readable

_PNG = b"\x89PNG\r\n\x1a\n"

# Chunks of a PNG file that describe colours, resolution, EXIF data and texts.
_KEPT = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"eXIf", b"tIME")

# The finest quantization that JPEG's quality scale recommends.
_QUALITY = 95

# Bytes of a comment in a JPEG file.
_COMMENT = 65533


def inner_paths(path: str) -> list[str]:
    """Return the images in the file: one."""
    return [""]


def read(address: Address) -> Image:
    """Read a picture, in the depth that it is stored in."""
    data = Path(address.path).read_bytes()
    try:
        pixels, extra = _png(data) if data.startswith(_PNG) else _other(data)
    except Exception as error:  # codecs raise what they like
        raise FormatError(f"{address} cannot be decoded: {error}") from error
    if pixels.ndim == 3 and pixels.shape[-1] not in (3, 4):
        raise FormatError(
            f"{address} must be grey, RGB or RGBA; it has {pixels.shape[-1]} samples"
        )
    axes = ("y", "x", SAMPLES)[: pixels.ndim]
    name = Path(address.path).stem
    metadata = Metadata.without_scale(axes, name=name, extra=extra)
    return Image(address, pixels, metadata, extra["kind"])


def _png(data: bytes) -> tuple[NDArray[Any], dict[str, Any]]:
    # Pillow reads colours of 16 bit as 8 bit, without a word.
    import imagecodecs

    chunks = [(kind, body) for kind, body in _chunks(data) if kind in _KEPT]
    return imagecodecs.png_decode(data), {"kind": "PNG", "png_chunks": chunks}


def _other(data: bytes) -> tuple[NDArray[Any], dict[str, Any]]:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data)) as picture:
        picture.load()
        extra = {
            "kind": picture.format or "",
            "icc": picture.info.get("icc_profile"),
            "exif": picture.info.get("exif"),
        }
        if picture.mode not in ("L", "RGB", "RGBA"):
            if picture.mode not in ("1", "P"):
                raise ValueError(f"its mode is {picture.mode}")
            return np.array(
                picture.convert("L" if picture.mode == "1" else "RGB")
            ), extra
        return np.array(picture), extra


def write_png(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    """Write a PNG file of 8 or 16 bit.

    Raises
    ------
    FormatError
        For pixels that the format cannot hold; they are never converted.
    """
    import imagecodecs

    values = _plane("PNG", pixels, metadata, ("uint8", "uint16"))
    data = imagecodecs.png_encode(np.ascontiguousarray(values))
    first = len(_PNG) + 25  # bytes of the signature and the header, which come first
    chunks = list(metadata.extra.get("png_chunks", ()))
    if text := str(record.get("text", "")).encode("utf-8"):
        # Keyword, no compression, no language, no translation, then the text.
        chunks.append((b"iTXt", b"napari-usm\0\0\0\0\0" + text))
    body = b"".join(_chunk(kind, content) for kind, content in chunks)
    path.write_bytes(data[:first] + body + data[first:])


def write_jpeg(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    """Write a JPEG file of 8 bit.

    Raises
    ------
    FormatError
        As for `write_png`.
    """
    from PIL import Image as Pillow

    values = _plane("JPEG", pixels, metadata, ("uint8",))
    if values.ndim == 3 and values.shape[-1] != 3:
        raise FormatError(f"JPEG has no alpha; got {values.shape[-1]} samples")
    options = {"icc_profile": "icc", "exif": "exif"}
    more = {
        option: metadata.extra[key]
        for option, key in options.items()
        if metadata.extra.get(key)
    }
    if text := str(record.get("text", "")).encode("utf-8"):
        more["comment"] = text[:_COMMENT]
    Pillow.fromarray(values).save(path, "JPEG", quality=_QUALITY, subsampling=0, **more)


def _plane(
    kind: str, pixels: Readable, metadata: Metadata, depths: tuple[str, ...]
) -> NDArray[Any]:
    """Return the pixels, if a picture can hold them."""
    if pixels.dtype.name not in depths:
        raise FormatError(
            f"`dtype` must be {' or '.join(depths)} for {kind}; got {pixels.dtype}"
        )
    if len(pixels.shape) != 2 + metadata.rgb:
        raise FormatError(f"{kind} holds one plane; got shape {tuple(pixels.shape)}")
    return np.asarray(pixels[(slice(None),) * len(pixels.shape)])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of the chunks of a PNG file."""
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", check)
