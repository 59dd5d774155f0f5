"""FLAC: its frames walked by their headers, which libFLAC passes over in silence once it has the frames promised."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from noisecli.codecs.audio.header import Window

_SYNCS = {sync: re.compile(re.escape(sync)) for sync in (b"\xff\xf8", b"\xff\xf9")}
"""An expression of two plain bytes is found five times as fast as bytes.find() finds them."""
_PIECE, _SHORTEST_HEAD, _LONGEST_HEAD = 1 << 20, 6, 16
_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BITS = {0: 0, 1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
_SHORT, _LONG, _KILOHERTZ, _HERTZ, _TENS = 6, 7, 12, 13, 14
_MOST_CHANNEL_CODES, _STEREO = 10, 8
_LONGEST_FRAME = 1 << 24


class Form(NamedTuple):
    """What a frame holds; a part that its header leaves to the stream's is 0."""

    rate: int
    channels: int
    bits: int


class Frame(NamedTuple):
    """The header of a frame."""

    start: int
    number: int
    """Of the frame, or of its first sample."""
    samples: int
    """Of each channel."""
    form: Form


class Walked(NamedTuple):
    """The frames of a file, one after the other in number."""

    samples: int
    """Of each channel."""
    last: int
    """Where the last frame starts."""
    other: Form | None
    """Of a frame that differs from what the stream's header says."""


def walk_frames(window: Window, start: int, form: Form, promised: int) -> Walked:
    """Walk the frames from `start` on, in a stream of `form`.

    Bytes inside a frame may look like the next one's header, about once in a terabyte. So where the frames are not the
    `promised` samples, the sum of each frame is looked at too.
    """
    found = _walk(window, start, form, summed=False)
    plain = found.samples == promised and not found.other
    return found if plain else _walk(window, start, form, summed=True)


def _walk(window: Window, start: int, form: Form, *, summed: bool) -> Walked:
    samples, last, other, expected = 0, start, None, None
    for frame in _candidates(window, start):
        if expected is not None:
            if frame.number not in expected:
                continue
            if summed and not _is_whole(window, last, frame.start):
                continue
        elif frame.start != start:
            break
        if any(found not in (0, said) for found, said in zip(frame.form, form, strict=True)):
            other = other or frame.form
        samples, last = samples + frame.samples, frame.start
        expected = (frame.number + 1, frame.number + frame.samples)
    return Walked(samples, last, other)


def _candidates(window: Window, start: int) -> Iterator[Frame]:
    """Yield all that has the form of a frame's header, its sum included."""
    sync = _SYNCS.get(window.read(start, 2))
    if sync is None:
        return
    while start < window.size:
        piece = window.read(start, _PIECE + _LONGEST_HEAD)
        for match in sync.finditer(piece, 0, _PIECE + 1):
            at = match.start()
            if frame := read_head(piece[at : at + _LONGEST_HEAD], start + at):
                yield frame
        start += _PIECE


def read_head(head: bytes, start: int) -> Frame | None:
    """Return the frame whose header these bytes begin with, None where they are no header."""
    if len(head) < _SHORTEST_HEAD or head[:2] not in _SYNCS or head[3] & 1:
        return None
    size_code, rate_code, channel_code, bits = head[2] >> 4, head[2] & 15, head[3] >> 4, _BITS.get(head[3] >> 1 & 7)
    length = 1 if head[4] < 0x80 else 8 - (head[4] ^ 0xFF).bit_length()
    if not size_code or rate_code > _TENS or channel_code > _MOST_CHANNEL_CODES or bits is None or not 1 <= length <= 7:
        return None
    number = head[4] & (0xFF >> (length + (length > 1)))
    for byte in head[5 : 4 + length]:
        number = number << 6 | (byte & 0x3F)
    place = 4 + length
    samples = 192 if size_code == 1 else 576 << (size_code - 2) if size_code < _SHORT else 256 << (size_code - 8) % 16
    if size_code in (_SHORT, _LONG):
        width = size_code - _SHORT + 1
        samples, place = int.from_bytes(head[place : place + width], "big") + 1, place + width
    rate = _RATES[rate_code] if rate_code < _KILOHERTZ else 0
    if rate_code >= _KILOHERTZ:
        width = 1 if rate_code == _KILOHERTZ else 2
        rate = int.from_bytes(head[place : place + width], "big") * {_KILOHERTZ: 1000, _HERTZ: 1, _TENS: 10}[rate_code]
        place += width
    if place >= len(head) or _sum(head[:place]) != head[place]:
        return None
    return Frame(start, number, samples, Form(rate, channel_code + 1 if channel_code < _STEREO else 2, bits))


def _sum_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ (0x107 if value & 0x80 else 0)
    return value


_SUMS = [_sum_of_byte(byte) for byte in range(256)]


def _sum(data: bytes) -> int:
    """CRC-8 of the polynomial x^8 + x^2 + x + 1."""
    value = 0
    for byte in data:
        value = _SUMS[value ^ byte]
    return value


def ends_whole(window: Window, walked: Walked) -> bool:
    """Whether the last frame ends where the file does: zeros leave its sum as it is, but a sum has two bytes."""
    return window.read(window.size - 3, 3) != bytes(3) and _is_whole(window, walked.last, window.size)


def _is_whole(window: Window, start: int, end: int) -> bool:
    """Whether the bytes are a frame with its sum behind it: of the two together, the sum is 0.

    CRC-16 of x^16 + x^15 + x^2 + 1, which is (x + 1)(x^15 + x + 1), over the bytes as one number. Modulo x^15 + x + 1,
    x^(15*2^k) is x^(2^k) + 1: that folds halves onto each other, 40 times as fast as a table for each byte.
    """
    if end - start > _LONGEST_FRAME:
        return False
    value = int.from_bytes(window.read(start, end - start), "big")
    if value.bit_count() & 1:
        return False
    for power in range(max(value.bit_length() // 15, 1).bit_length(), -1, -1):
        width = 15 << power
        while value.bit_length() > width:
            high = value >> width
            value = (value & ((1 << width) - 1)) ^ high ^ (high << (1 << power))
    return value == 0
