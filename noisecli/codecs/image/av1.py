"""AV1: what the sequence headers of an image's data say of its size, whatever the boxes around it claim."""

from collections.abc import Iterator
from typing import NamedTuple

from noisecli.codecs.damage import truncated

_SEQUENCE_HEADER = 1


class Sequence(NamedTuple):
    """The highest width and height of a stream's frames, and the bits of a sample."""

    width: int
    height: int
    depth: int


class _Bits:
    """Numbers of so many bits, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise truncated("the AV1 stream ends inside its sequence header")
        return (self._number >> self._left) & ((1 << count) - 1)

    def skip_variable(self) -> None:
        """Pass over a number that begins with as many zeros as it has bits (uvlc)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        if zeros < 32:
            self.take(zeros)


def sequences(data: bytes | memoryview) -> Iterator[Sequence]:
    """Yield what each sequence header of a stream says."""
    position = 0
    while position < len(data):
        first = data[position]
        position += 2 if first & 4 else 1
        size = len(data) - position
        if first & 2:
            size, position = _leb128(data, position)
        if position + size > len(data):
            raise truncated("an AV1 unit is longer than the image's data")
        if first >> 3 & 15 == _SEQUENCE_HEADER:
            yield _sequence(_Bits(bytes(data[position : position + min(size, 1024)])))
        position += size


def _leb128(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, the lowest first, and where it ends."""
    number = 0
    for place in range(8):
        byte = data[position + place]
        number |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            break
    return number, position + place + 1


def _sequence(bits: _Bits) -> Sequence:
    """Read sequence_header_obu() as far as the depth; section 5.5 of the AV1 specification."""
    profile, _, reduced = bits.take(3), bits.take(1), bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(across) + 1, bits.take(down) + 1
    if not reduced and bits.take(1):
        bits.take(7)
    bits.take(3)
    if not reduced:
        _skip_tools(bits)
    bits.take(3)
    depth = 8
    if bits.take(1):
        depth = 12 if profile == 2 and bits.take(1) else 10
    return Sequence(width, height, depth)


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            bits.skip_variable()
        if bits.take(1):  # decoder model
            delay = bits.take(5) + 1
            bits.take(42)
    shown = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if shown and bits.take(1):
            bits.take(4)


def _skip_tools(bits: _Bits) -> None:
    bits.take(4)
    ordered = bits.take(1)
    if ordered:
        bits.take(2)
    if (bits.take(1) or bits.take(1)) and not bits.take(1):
        bits.take(1)
    if ordered:
        bits.take(3)
