"""HEVC parameter sets: how big the images of a stream really are. See ITU-T H.265, 7.3.2.2."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from noisecli.codecs.damage import corrupt

_SPS = 33
_LONGEST = 1 << 12
_ZEROS = bytes(3)
_PROFILE_BITS, _LEVEL_BITS = 88, 8
_MOST_SUBLAYERS = 7


class Picture(NamedTuple):
    """What a sequence parameter set says."""

    width: int
    height: int
    depth: int


def pictures(configuration: bytes, content: bytes | memoryview) -> Iterator[Picture]:
    """Yield the parameter sets in a box hvcC, and those in the stream itself, which decoders take as well."""
    position = 23
    for _ in range(configuration[22]):
        (count,) = struct.unpack_from(">H", configuration, position + 1)
        position += 3
        for _ in range(count):
            (size,) = struct.unpack_from(">H", configuration, position)
            yield from _picture(configuration[position + 2 : position + 2 + size])
            position += 2 + size
    width, position = (configuration[21] & 3) + 1, 0
    while position < len(content):
        size = int.from_bytes(content[position : position + width], "big")
        unit = bytes(content[position + width : position + width + size])
        position += width + size
        if len(unit) < size or not size:
            raise corrupt("the sizes in its HEVC stream do not add up")
        # an encoder breaks up what would be three zeros, and ends with a bit that is set
        if _ZEROS in unit or not unit[-1]:
            raise corrupt("there are zeros in its HEVC stream where none can be")
        yield from _picture(unit)


def _picture(unit: bytes) -> Iterator[Picture]:
    if len(unit) > 2 and unit[0] >> 1 & 63 == _SPS:
        yield _read(_Bits(unit[2:_LONGEST].replace(b"\0\0\3", b"\0\0")))


class _Bits:
    """Bits in order, and whole numbers in Exp-Golomb code."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise corrupt("its HEVC stream ends in its parameters")
        self._left -= count
        return self._number >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def _read(bits: _Bits) -> Picture:
    bits.take(4)
    sublayers = bits.take(3)
    bits.take(1)
    if sublayers >= _MOST_SUBLAYERS:
        raise corrupt("its HEVC stream has more layers than there are")
    _skip_profiles(bits, sublayers)
    bits.golomb()
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    width, height = bits.golomb(), bits.golomb()
    if bits.take(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1)
    return Picture(width, height, 8 + max(bits.golomb(), bits.golomb()))


def _skip_profiles(bits: _Bits, sublayers: int) -> None:
    bits.take(_PROFILE_BITS + _LEVEL_BITS)
    present = [(bits.take(1), bits.take(1)) for _ in range(sublayers)]
    if sublayers:
        bits.take(2 * (8 - sublayers))
    for profile, level in present:
        bits.take(profile * _PROFILE_BITS + level * _LEVEL_BITS)
