"""Which format the bytes are, whatever the file is called."""

import struct
from collections.abc import Callable

from noisecli.codecs.damage import empty, truncated
from noisecli.codecs.image import avif, bmp, gif, jp2, jpeg, png, pnm, tiff, webp
from noisecli.codecs.image.header import Header
from noisecli.codecs.image.heic import header as heic
from noisecli.codecs.limits import refuse_bomb
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Limits

_Reader = Callable[[bytes, Limits], Header]

_READERS: tuple[tuple[bytes, _Reader], ...] = (
    (b"\xff\xd8\xff", jpeg.read),
    (png.SIGNATURE, png.read),
    (b"II*\0", tiff.read),
    (b"MM\0*", tiff.read),
    (b"II+\0", tiff.read),
    (b"MM\0+", tiff.read),
    (b"GIF87a", gif.read),
    (b"GIF89a", gif.read),
    (b"\0\0\0\x0cjP  \r\n\x87\n", jp2.read),
    (jp2.SOC_SIZ, jp2.read),
    *((b"P%d" % kind, pnm.read) for kind in range(1, 7)),
)
_OTHERS = (
    (b"v/1\x01", "OpenEXR"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"#?R", "Radiance HDR"),
    (b"P7\n", "PAM"),
    (b"PF\n", "PFM"),
    (b"Pf\n", "PFM"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"IIU\0", "camera raw"),
    (b"\0\0\1\0", "ICO"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")


def read_header(data: bytes, limits: Limits) -> Header:
    """Find the format by content and check its header. Raises FileFailed, or FileSkipped for a valid image."""
    if not data:
        raise empty()
    reader = _reader(data)
    if reader is None:
        raise _refusal(data)
    try:
        header = reader(data, limits)
    except (struct.error, IndexError):
        raise truncated("it ends inside its header") from None
    refuse_bomb(header.decoded, len(data), limits)
    return header


def _reader(data: bytes) -> _Reader | None:
    for magic, reader in _READERS:
        if data.startswith(magic):
            return reader
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp.read
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in bmp.SIZES:
        return bmp.read
    if data[4:8] == b"ftyp" and any(brand in _brands(data) for brand in _AVIF_BRANDS):
        return avif.read
    if data[4:8] == b"ftyp" and any(brand in _brands(data) for brand in _HEIF_BRANDS):
        return heic.read
    return None


def _brands(data: bytes) -> list[bytes]:
    end = min(int.from_bytes(data[:4], "big"), 256)
    return [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]


def _refusal(data: bytes) -> FileFailed | FileSkipped:
    """Return why these bytes are not read."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    name = next((name for magic, name in _OTHERS if data.startswith(magic)), None)
    if start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in start:
        name = "SVG"
    if name is not None:
        return FileSkipped("unsupported-format", f"{name} is not read; convert it to PNG or TIFF first")
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return FileFailed("wrong-content", "is a web page, not an image; download the image itself")
    if not any(data[:64]):
        return FileFailed("wrong-content", "begins with zeros, not with an image; copy it again")
    return FileFailed("wrong-content", "is not an image that is known; remove or convert it")
