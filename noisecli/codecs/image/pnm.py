"""PNM: a text header and raw samples, or samples as text; read here, as OpenCV accepts too much as a number.

Lines end with a line feed or a carriage return, in comments too.
"""

import re
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Header, animated, check_size, depth_words
from noisecli.errors import FileFailed
from noisecli.model import Limits

_BLANKS = b" \t\n\v\f\r"
_BETWEEN = re.compile(rb"[ \t\n\v\f\r]+|#[^\r\n]*[\r\n]")
_NUMBER = re.compile(rb"[0-9]+")
_BLANK = re.compile(rb"[ \t\n\v\f\r]")
_COMMENT = re.compile(rb"#[^\r\n]*")
_IS_BLANK = np.isin(np.arange(256), list(_BLANKS))
_LONGEST_NUMBER = 10
"""Digits of any size in a header, leading zeros not counted."""
_LONGEST_SAMPLE = 5
_BLOCK = 1 << 20
_BITMAPS, _COLOURS, _TEXTS = (1, 4), (3, 6), (1, 2, 3)


class _Start(NamedTuple):
    """What the header says: the digit after the P, the size, the highest value, and where the header ends."""

    kind: int
    width: int
    height: int
    maximum: int
    end: int

    @property
    def samples(self) -> int:
        return self.width * self.height * (3 if self.kind in _COLOURS else 1)


def read(data: bytes, limits: Limits) -> Header:
    """Reckon how long a PNM must be."""
    start = _start(data)
    check_size(start.width, start.height, 1, limits)
    kind, maximum = start.kind, start.maximum
    if not 0 < maximum < 65536:
        raise corrupt(f"a PNM of highest value {maximum}")
    pixel_bytes = (3 if kind in _COLOURS else 1) * (2 if maximum > 255 else 1)
    header = Header("pnm", start.width, start.height, data, pixel_bytes)
    usual = maximum in (255, 65535) or kind in _BITMAPS
    header.full_scale = None if usual else float(maximum)
    header.warn("depth", depth_words([1]), when=kind in _BITMAPS)
    if kind in _TEXTS:
        shortest = start.samples * (1 if kind in _BITMAPS else 2)
        if len(data) - start.end < shortest:
            raise truncated("the PNM has fewer samples than it says")
    else:
        if data[start.end : start.end + 1].strip(_BLANKS):
            raise corrupt("a PNM without white space after its header")
        _check_binary(header, start)
    return header


def _start(data: bytes) -> _Start:
    kind, position = data[1] - 48, 2
    numbers = []
    for _ in range(2 if kind in _BITMAPS else 3):
        begin = _skip(data, position)
        found = _NUMBER.match(data, begin)
        if found is None or begin == position:
            raise truncated("the PNM ends in its header") if begin == len(data) else corrupt("a PNM without its size")
        digits, position = found[0].lstrip(b"0"), found.end()
        if len(digits) > _LONGEST_NUMBER:
            raise corrupt(f"a PNM header with a number of {len(digits):,} digits")
        numbers.append(int(digits or b"0"))
    width, height, maximum = (*numbers, 1)[:3]
    return _Start(kind, width, height, maximum, position)


def _skip(data: bytes, position: int) -> int:
    """Return where white space and comments end."""
    while found := _BETWEEN.match(data, position):
        position = found.end()
    return len(data) if data[position : position + 1] == b"#" else position


def _check_binary(header: Header, start: _Start) -> None:
    stored = (start.width + 7) // 8 * start.height
    if start.kind not in _BITMAPS:
        stored = start.samples * (2 if start.maximum > 255 else 1)
    end = start.end + 1 + stored
    if end > len(header.data):
        raise truncated("the PNM has fewer samples than it says")
    rest = header.data[end : end + 2]
    if rest == header.data[:2]:
        raise animated(2, "or more images")
    header.warn("trailing-data", when=bool(rest))


def decode(header: Header) -> NDArray[Any]:
    """Return the samples of a PNM whose header has been checked, at its own highest value; bitmaps as 0 and 255."""
    data = header.data
    start = _start(data)
    flat: NDArray[Any]
    if start.kind == 1:
        flat = _text_bits(data[start.end :], start.samples)
    elif start.kind in _TEXTS:
        flat = _text_samples(data[start.end :], start.samples, start.maximum)
    elif start.kind in _BITMAPS:
        packed = np.frombuffer(data, np.uint8, (start.width + 7) // 8 * start.height, start.end + 1)
        flat = np.unpackbits(packed.reshape(start.height, -1), axis=1, count=start.width)
    else:
        stored = np.dtype(">u2" if start.maximum > 255 else "u1")
        flat = np.frombuffer(data, stored, start.samples, start.end + 1)
    if flat.max() > start.maximum:
        raise corrupt(f"PNM samples above their highest value {start.maximum}")
    samples: NDArray[Any] = flat.astype(np.uint16 if start.maximum > 255 else np.uint8, copy=False)
    if start.kind in _BITMAPS:
        samples = (samples ^ 1) * np.uint8(255)
    if start.kind in _COLOURS:
        return cv2.cvtColor(samples.reshape(start.height, start.width, 3), cv2.COLOR_RGB2BGR)
    return samples.reshape(start.height, start.width)


def _text_bits(body: bytes, count: int) -> NDArray[np.uint8]:
    """Return the bits of a bitmap in text, which may have no space between them."""
    words = _COMMENT.sub(b"", body).translate(None, _BLANKS)[:count]
    bits = np.frombuffer(words, np.uint8) - np.uint8(48)
    if (bits > 1).any():
        raise corrupt("the PNM holds other digits than 0 and 1")
    if len(bits) < count:
        raise truncated("the PNM has fewer samples than it says")
    return bits


def _text_samples(body: bytes, count: int, maximum: int) -> NDArray[np.uint16]:
    """Return numbers written as text."""
    body = _COMMENT.sub(b"", body)
    closed = 1 + max(body.rfind(blank) for blank in _BLANKS)
    samples = np.empty(count, np.uint16)
    done, position = 0, 0
    while done < count:
        if position >= closed:
            if done < count - 1 or not body[closed:]:
                raise truncated("the PNM has fewer samples than it says")
            samples[done] = _last_number(body[closed:], maximum)
            return samples
        blank = _BLANK.search(body, min(position + _BLOCK, closed - 1))
        end = blank.end() if blank else closed
        values = _whole_numbers(body[position:end], count - done)
        if (values > maximum).any():
            raise corrupt(f"PNM samples above their highest value {maximum}")
        samples[done : done + len(values)] = values
        done, position = done + len(values), end
    return samples


def _last_number(text: bytes, maximum: int) -> int:
    """Return the number that the file ends with. Without white space behind it, a cut one looks like another.

    One that would be above the highest value with any digit more is whole.
    """
    number = int(_whole_numbers(text + b"\n", 1)[0])
    if number > maximum:
        raise corrupt(f"PNM samples above their highest value {maximum}")
    if number * 10 <= maximum:
        words = "may be cut in its last number: no white space follows it; if it is whole, add a line end: echo >> FILE"
        raise FileFailed("truncated", words)
    return number


def _whole_numbers(text: bytes, most: int) -> NDArray[np.int64]:
    """Return the first numbers of a text that ends with white space."""
    codes = np.frombuffer(text, np.uint8)
    blank = _IS_BLANK[codes]
    edges = np.flatnonzero(np.diff(blank, prepend=True))
    starts, ends = edges[0::2][:most], edges[1::2][:most]
    if not len(starts):
        return np.zeros(0, np.int64)
    digits = codes[: ends[-1]] - np.uint8(48)
    if ((digits > 9) & ~blank[: ends[-1]]).any():
        raise corrupt("the PNM holds text that is not a number")
    lengths = ends - starts
    values = np.zeros(len(starts), np.int64)
    for place in range(min(int(lengths.max()), _LONGEST_SAMPLE)):
        there = lengths > place
        values[there] += digits[ends[there] - 1 - place].astype(np.int64) * 10**place
    for index in np.flatnonzero(lengths > _LONGEST_SAMPLE):
        if text[starts[index] : ends[index] - _LONGEST_SAMPLE].strip(b"0"):
            raise corrupt(f"a PNM sample of {lengths[index]:,} digits")
    return values


def encode(image: NDArray[Any], maximum: int) -> bytes:
    """Return a binary grey map or pixel map."""
    height, width = image.shape[:2]
    magic = b"P6" if image.ndim == 3 else b"P5"
    samples = cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if image.ndim == 3 else np.ascontiguousarray(image)
    if maximum > 255:
        samples = samples.astype(">u2")
    return b"".join((b"%s\n%d %d\n%d\n" % (magic, width, height, maximum), samples.view(np.uint8).data))
