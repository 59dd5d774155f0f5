"""BMP: a header and bare samples, so that its size can be reckoned."""

import struct

import numpy as np

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Header, Metadata, check_size, unsupported
from noisecli.model import Limits


def read(data: bytes, limits: Limits) -> Header:
    """Reckon how long a BMP must be."""
    claimed, start, size = struct.unpack_from("<2xI4xII", data)
    if size == 12:
        width, height, bits = struct.unpack_from("<HH2xH", data, 18)
        compression = 0
    else:
        width, height, bits, compression = struct.unpack_from("<ii2xHI", data, 18)
    height = abs(height)
    check_size(width, height, 1, limits)
    if bits not in (1, 4, 8, 16, 24, 32) or compression not in (0, 1, 2, 3):
        raise unsupported(f"{bits}-bit BMPs of compression {compression} are")
    if start < 14 + size:
        raise corrupt("the BMP's samples begin inside its header")
    end = start + (width * bits + 31) // 32 * 4 * height
    if compression in (1, 2):
        end = _run_length_end(data, start, claimed)
        if width * height > (len(data) - start) * 255 + 65536:
            raise truncated(f"{len(data)} bytes cannot hold the {width} x {height} pixels the BMP claims")
    if end > len(data):
        raise truncated("the BMP is shorter than its size says")
    has_profile = size == 124 and data[70:74] in (b"MBED", b"LINK")
    metadata = Metadata(lost={"icc"} if has_profile else set())
    header = Header("bmp", width, height, data, 4 if bits == 32 else 3, metadata=metadata)
    header.warn("palette-to-colour", when=bits <= 8)  # taken back when the palette is grey
    header.warn("trailing-data", when=len(data) > max(end, claimed))
    if bits == 32 and compression == 0:
        _check_fourth(data, start, end)
        header.channels = 3
    return header


def _run_length_end(data: bytes, start: int, claimed: int) -> int:
    (stored,) = struct.unpack_from("<I", data, 34)
    end = start + stored if stored else claimed
    if data[end - 2 : end] != b"\0\1":
        raise truncated("the BMP has no end mark")
    return end


def _check_fourth(data: bytes, start: int, end: int) -> None:
    """The fourth byte of a plain 32-bit BMP means nothing, unless somebody put transparency there."""
    fourth = np.frombuffer(data, np.uint8, end - start, start)[3::4]
    if fourth.min() != fourth.max():
        raise unsupported("BMPs with transparency in their unused bytes are")
