"""BMP: a header of one of many lengths, a palette or masks, bare samples. Read here, as OpenCV knows few of them."""

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Header, Metadata, check_size, depth_words, unsupported
from noisecli.model import Limits

_CORE, _MASKED, _ALPHA_MASKED, _OS2, _V4, _V5 = 12, 52, 56, 64, 108, 124
_OS2_SIZES = frozenset((16, 24, 42, 46, 48, 60, _OS2))
SIZES = _OS2_SIZES | {_CORE, 40, _MASKED, _ALPHA_MASKED, _V4, _V5}
"""Lengths of headers; what a short one leaves out is 0."""
_PLAIN, _RLE8, _RLE4, _MASKS, _ALPHA_MASKS = 0, 1, 2, 3, 6
_EMBEDDED = {4: "JPEG", 5: "PNG"}
_DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_BYTES = ((0xFF0000, 0xFF00, 0xFF, 0), (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
_BITS = {_PLAIN: (1, 2, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,), _MASKS: (16, 32), _ALPHA_MASKS: (16, 32)}
_PROFILES = (b"DEBM", b"KNIL")
_END_OF_ROW, _END, _MOVE = 0, 1, 2


class _Start(NamedTuple):
    """What the headers say; `masks` are those of red, green, blue and alpha, 0 where there is none."""

    size: int
    width: int
    height: int
    bits: int
    compression: int
    top_down: bool
    begin: int
    masks: tuple[int, ...]
    palette: NDArray[np.uint8]

    @property
    def stride(self) -> int:
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def is_grey(self) -> bool:
        return bool((self.palette == self.palette[:, :1]).all())


def read(data: bytes, limits: Limits) -> Header:
    """Reckon how long a BMP must be."""
    start = _start(data, limits)
    channels = 4 if start.masks[3] else 3
    header = Header("bmp", start.width, start.height, data, channels, metadata=_profile(data, start.size))
    if start.bits <= 8:
        header.warn("palette-to-colour", when=not start.is_grey)
        header.warn("depth", depth_words([start.bits]), when=start.is_grey and start.bits < 8)
    elif any(start.masks):
        depths = [mask.bit_count() for mask in start.masks if mask]
        header.warn("depth", depth_words(depths), when=set(depths) != {8})
    if start.compression in (_RLE8, _RLE4):
        return header
    end = start.begin + start.stride * (start.height - 1) + (start.width * start.bits + 7) // 8
    if end > len(data):
        raise truncated("the BMP is shorter than its size says")
    _check_end(header, start.begin + start.stride * start.height)
    if start.bits == 32 and start.compression == _PLAIN:
        _check_fourth(data, start.begin, end)
    return header


def _check_end(header: Header, end: int) -> None:
    (claimed,) = struct.unpack_from("<I", header.data, 2)
    after = struct.unpack_from("<II", header.data, 126) if header.metadata.icc else (0, 0)
    header.warn("trailing-data", when=len(header.data) > max(end, claimed, 14 + sum(after)))


def _start(data: bytes, limits: Limits) -> _Start:
    begin, size = struct.unpack_from("<II", data, 10)
    if len(data) < 14 + size:
        raise truncated("it ends inside its header")
    head = data[14 : 14 + size].ljust(_V5, b"\0")
    if size == _CORE:
        width, height, bits = struct.unpack_from("<HH2xH", head, 4)
        compression = used = 0
    else:
        width, height, bits, compression = struct.unpack_from("<ii2xHI", head, 4)
        (used,) = struct.unpack_from("<I", head, 32)
    check_size(width, abs(height), 1, limits)
    _check_kind(size, bits, compression)
    masks, after = _masks(data, size, bits, compression)
    if begin < after:
        raise corrupt("the BMP's samples begin inside its header")
    palette = np.zeros((1, 3), np.uint8)
    if bits <= 8:
        palette = _palette(data[after:begin], 3 if size == _CORE else 4, min(used or 1 << bits, 1 << bits))
    return _Start(size, width, abs(height), bits, compression, height < 0, begin, masks, palette)


def _check_kind(size: int, bits: int, compression: int) -> None:
    if size not in _OS2_SIZES and compression in _EMBEDDED:
        raise unsupported(f"BMPs that are a {_EMBEDDED[compression]} inside are", "convert it to PNG first")
    os2_only = size in _OS2_SIZES and compression >= _MASKS
    if os2_only or bits not in _BITS.get(compression, ()):
        raise unsupported(f"{bits}-bit BMPs of compression {compression} are", "convert it to PNG first")


def _masks(data: bytes, size: int, bits: int, compression: int) -> tuple[tuple[int, ...], int]:
    """Return the masks, and where the header with them ends."""
    after = 14 + size
    if compression not in (_MASKS, _ALPHA_MASKS):
        return _DEFAULT_MASKS.get(bits, (0, 0, 0, 0)), after
    count = 4 if size >= _ALPHA_MASKED or compression == _ALPHA_MASKS else 3
    masks = (*struct.unpack_from(f"<{count}I", data, 54), 0)[:4]
    for mask in masks:
        steps = mask // (mask & -mask) if mask else 0
        if steps & (steps + 1) or mask >> bits:
            raise unsupported("BMPs whose channels are not bits in a row are", "convert it to PNG first")
    if not any(masks[:3]):
        raise corrupt("the BMP has no mask for a colour")
    return masks, max(after, 54 + 4 * count)


def _palette(stored: bytes, entry: int, count: int) -> NDArray[np.uint8]:
    count = min(count, len(stored) // entry)
    if not count:
        raise corrupt("the BMP has no palette")
    return np.frombuffer(stored, np.uint8, count * entry).reshape(count, entry)[:, :3]


def _profile(data: bytes, size: int) -> Metadata:
    """Return the profile of a version 5 header; one that is a link to another file, or a gamma, is lost."""
    if size < _V4:
        return Metadata()
    kind = data[70:74]
    if kind == bytes(4) and any(data[74:122]):
        return Metadata(lost={"colour-space"})
    if size < _V5 or kind not in _PROFILES:
        return Metadata()
    place, length = struct.unpack_from("<II", data, 126)
    icc = data[14 + place : 14 + place + length] if kind == _PROFILES[0] else b""
    return Metadata(icc=icc) if len(icc) == length > 0 else Metadata(lost={"icc"})


def _check_fourth(data: bytes, start: int, end: int) -> None:
    """The fourth byte of a plain 32-bit BMP means nothing, unless somebody put transparency there."""
    fourth = np.frombuffer(data, np.uint8, end - start, start)[3::4]
    if fourth.min() != fourth.max():
        raise unsupported("BMPs with transparency in their unused bytes are", "convert it to PNG first")


def decode(header: Header) -> NDArray[Any]:
    """Return the samples of a BMP whose header has been checked: grey, or blue first."""
    start = _start(header.data, Limits(max_pixels=header.width * header.height))
    if start.bits <= 8:
        image = _coloured(header, start, _indices(header, start))
    elif start.bits == 24:
        image = _rows(header.data, start)[:, : 3 * start.width].reshape(start.height, start.width, 3)
    else:
        image = _unmasked(_rows(header.data, start), start)
    return np.ascontiguousarray(image if start.top_down else image[::-1])


def _rows(data: bytes, start: _Start) -> NDArray[np.uint8]:
    length = start.stride * start.height
    if start.begin + length > len(data):  # the filling of the last row may be left out
        data, start = data[start.begin :].ljust(length, b"\0"), start._replace(begin=0)
    return np.frombuffer(data, np.uint8, length, start.begin).reshape(start.height, start.stride)


def _unmasked(rows: NDArray[np.uint8], start: _Start) -> NDArray[np.uint8]:
    red, green, blue, alpha = start.masks
    if start.bits == 32 and start.masks in _BYTES:
        return rows.reshape(start.height, start.width, 4)[..., : 4 if alpha else 3]
    words = rows.view(f"<u{start.bits // 8}")[:, : start.width]
    return np.dstack([_channel(words, mask) for mask in (blue, green, red, *([alpha] if alpha else []))])


def _channel(words: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    """Return the bits of a mask on the scale of 255, rounded."""
    if not mask:
        return np.zeros(words.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = (words >> words.dtype.type(shift)) & words.dtype.type(most)
    if most > 0xFFFF:
        return _to_bytes(values.astype(np.uint64), most)
    table = _to_bytes(np.arange(most + 1, dtype=np.uint64), most)
    channel: NDArray[np.uint8] = table[values]
    return channel


def _to_bytes(values: NDArray[np.uint64], most: int) -> NDArray[np.uint8]:
    return ((values * np.uint64(510) + np.uint64(most)) // np.uint64(2 * most)).astype(np.uint8)


def _indices(header: Header, start: _Start) -> NDArray[np.uint8]:
    if start.compression != _PLAIN:
        flat = np.frombuffer(_run_lengths(header, start), np.uint8)
        return flat.reshape(start.height, start.width)
    rows = _rows(header.data, start)
    if start.bits < 8:
        bits = np.unpackbits(rows, axis=1).reshape(start.height, -1, start.bits)
        rows = (bits << np.arange(start.bits - 1, -1, -1, dtype=np.uint8)).sum(2, dtype=np.uint8)
    return rows[:, : start.width]


def _coloured(header: Header, start: _Start, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
    palette = start.palette
    if indices.max() >= len(palette):
        header.warn("decoder-warning")
        palette = np.pad(palette, ((0, 256 - len(palette)), (0, 0)))
    table: NDArray[np.uint8] = palette[:, 0] if start.is_grey else palette
    return table.take(indices, axis=0)


def _run_lengths(header: Header, start: _Start) -> bytearray:
    """Return the indices of run-length coded rows; those that are passed over are 0, what exceeds a row is dropped."""
    data, position, width = header.data, start.begin, start.width
    pixels, done, x, y, ended, exact = bytearray(width * start.height), 0, 0, 0, False, True
    while not ended and position + 2 <= len(data):
        count, value = data[position], data[position + 1]
        position += 2
        if not count and value <= _MOVE:
            ended = value == _END
            if value == _END_OF_ROW:
                x, y = 0, y + 1
            elif value == _MOVE:
                if position + 2 > len(data):
                    break
                x, y, position = x + data[position], y + data[position + 1], position + 2
            continue
        if count:
            run = _unpacked(bytes((value,)) * count, count, start.bits)
        else:
            stored = (value * start.bits + 7) // 8
            run, count = _unpacked(data[position : position + stored], value, start.bits), value
            position += stored + stored % 2
        if x > width or y >= start.height:
            raise corrupt("runs of the BMP go beyond its rows")
        run = run[: width - x]
        pixels[y * width + x : y * width + x + len(run)] = run
        x, done, exact = min(x + count, width), done + len(run), exact and x + count <= width
    whole = exact and done == len(pixels)
    if not ended and (done < len(pixels) or position != len(data)):
        raise truncated("the BMP has no end mark")
    header.warn("decoder-warning", when=not (ended and whole))
    (stored,) = struct.unpack_from("<I", data, 34)
    _check_end(header, max(position, start.begin + stored))
    return pixels


def _unpacked(packed: bytes, count: int, bits: int) -> bytes:
    if bits == 8:
        return packed
    return bytes(nibble for byte in packed for nibble in (byte >> 4, byte & 15))[:count]
