"""BMP and PNM: a header and bare samples, so that their sizes can be reckoned."""

from __future__ import annotations

import re
import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.image.header import Header, Metadata, animated, check_size, corrupt, truncated, unsupported
from noisecli.model import Limits

_TOKEN = rb"(?:\s|#[^\n]*\n)+(\d+)"
_PNM = re.compile(rb"P([1-6])" + _TOKEN + _TOKEN + rb"(?:" + _TOKEN + rb")?")
_PNM_BITS = re.compile(rb"P[14]" + _TOKEN + _TOKEN)
_COMMENT = re.compile(rb"#[^\n]*")


def read_bmp(data: bytes, limits: Limits) -> Header:
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
    end = start + (width * bits + 31) // 32 * 4 * height
    if compression in (1, 2):
        end = _run_length_end(data, start, claimed)
        if width * height > (len(data) - start) * 255 + 65536:
            raise truncated(f"{len(data)} bytes cannot hold the {width} x {height} pixels the BMP claims")
    if end > len(data):
        raise truncated("the BMP is shorter than its size says")
    header = Header(
        "bmp", width, height, data, metadata=Metadata(lost=size == 124 and data[70:74] in (b"MBED", b"LINK"))
    )
    if bits <= 8:
        header.warn("palette-to-colour")  # taken back when the palette is grey
    if len(data) > max(end, claimed):
        header.warn("trailing-data")
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


def read_pnm(data: bytes, limits: Limits) -> Header:
    """Reckon how long a PNM must be."""
    match = (_PNM_BITS if data[1:2] in b"14" else _PNM).match(data)
    if match is None or match.lastindex is None or (data[1:2] not in b"14" and match.lastindex < 4):
        raise truncated("the PNM ends in its header")
    kind, (width, height, maximum) = data[1] - 48, _numbers(match)
    check_size(width, height, 1, limits)
    if not 0 < maximum < 65536:
        raise corrupt(f"a PNM of highest value {maximum}")
    header = Header("pnm", width, height, data)
    header.full_scale = None if maximum in (1, 255, 65535) and (maximum > 1 or kind in (1, 4)) else float(maximum)
    samples = width * height * (3 if kind in (3, 6) else 1)
    if kind >= 4:
        stored = (width + 7) // 8 * height if kind == 4 else samples * (2 if maximum > 255 else 1)
        if data[match.end() : match.end() + 1].strip():
            raise corrupt("a PNM without white space behind its header")
        _check_binary(header, match.end() + 1 + stored)
    else:
        _check_text(data[match.end() :], kind, samples)
    return header


def _numbers(match: re.Match[bytes]) -> tuple[int, int, int]:
    if match.re is _PNM_BITS:
        return int(match[1]), int(match[2]), 1
    return int(match[2]), int(match[3]), int(match[4])


def _check_binary(header: Header, end: int) -> None:
    if end > len(header.data):
        raise truncated("the PNM has fewer samples than it says")
    rest = header.data[end : end + 2]
    if rest == header.data[:2]:
        raise animated(2, "or more pictures")
    if rest:
        header.warn("trailing-data")


def _check_text(body: bytes, kind: int, samples: int) -> None:
    """Numbers in words: all there, and the last one closed by white space."""
    body = _COMMENT.sub(b"", body)
    if kind == 1:
        there = body.count(b"0") + body.count(b"1")
    else:
        there = len(body.split()) if len(body) >= 2 * samples else 0
        there -= not body[-1:].isspace()
    if there < samples:
        raise truncated("the PNM has fewer samples than it says")


def decode_pnm(header: Header) -> NDArray[Any] | None:
    """Return the samples of a grey map or pixel map at its own highest value; None leaves bitmaps to OpenCV."""
    data = header.data
    kind = data[1] - 48
    if kind in (1, 4):
        return None
    match = _PNM.match(data)
    assert match is not None
    width, height, maximum = _numbers(match)
    shape = (height, width, 3) if kind in (3, 6) else (height, width)
    if kind >= 5:
        stored = np.dtype(">u2" if maximum > 255 else "u1")
        flat = np.frombuffer(data, stored, int(np.prod(shape)), match.end() + 1)
    else:
        words = _COMMENT.sub(b"", data[match.end() :]).split()[: int(np.prod(shape))]
        flat = _whole_numbers(words)
    if flat.max() > maximum or flat.min() < 0:
        raise corrupt(f"PNM samples above their highest value {maximum}")
    samples: NDArray[Any] = flat.astype(np.uint16 if maximum > 255 else np.uint8)
    picture = samples.reshape(shape)
    return cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture


def _whole_numbers(words: list[bytes]) -> NDArray[Any]:
    try:
        return np.array([int(word) for word in words])
    except ValueError:
        raise corrupt("the PNM holds words that are no numbers") from None


def encode_pnm(picture: NDArray[Any], maximum: int) -> bytes:
    """Return a binary grey map or pixel map."""
    height, width = picture.shape[:2]
    magic = b"P6" if picture.ndim == 3 else b"P5"
    samples = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if picture.ndim == 3 else picture
    body = samples.astype(">u2", copy=False).tobytes() if maximum > 255 else samples.tobytes()
    return b"%s\n%d %d\n%d\n" % (magic, width, height, maximum) + body
