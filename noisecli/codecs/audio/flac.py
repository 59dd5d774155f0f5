"""FLAC: its metadata blocks, and the hash of its samples. libFLAC itself checks every frame's sum."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.audio.header import Header, Window
from noisecli.codecs.damage import corrupt, truncated
from noisecli.errors import FileSkipped, shown

_STREAMINFO, _VORBIS_COMMENT = 0, 4
_CARRIED = {_STREAMINFO, 1, 3, _VORBIS_COMMENT}
_BLOCKS = {2: "application", 5: "cue-sheet", 6: "cover"}
_MOST_LOST = 64
_LONGEST_KEY = 40
_KEYS = set(b"TITLE COPYRIGHT SOFTWARE ENCODER ARTIST COMMENT DATE ALBUM LICENSE TRACKNUMBER GENRE".split())


def check_flac(window: Window, start: int) -> Header:
    """Check the metadata blocks; `start` is the position of fLaC (ID3 tags may come before)."""
    position, last, lost, known, md5 = start + 4, False, set[str](), False, bytes(16)
    if start:
        lost.add("id3")
    while not last:
        head = window.number(position, 4, big=True)
        last, kind, size = bool(head >> 31), (head >> 24) & 0x7F, head & 0xFFFFFF
        if position + 4 + size > window.size:
            raise truncated("the file ends inside its header")
        if position == start + 4:
            if kind != _STREAMINFO or size < 34:
                raise corrupt("a FLAC without its stream header")
            known = _check_streaminfo(window.number(position + 14, 8, big=True))
            md5 = window.read(position + 22, 16)
        if kind == _VORBIS_COMMENT:
            lost |= other_comments(window.read(position + 4, size))
        if kind not in _CARRIED:
            lost.add(_BLOCKS.get(kind, f"block {kind}"))
        position += 4 + size
    return Header("flac", frames=None if known else -1, lost_metadata=frozenset(lost), md5=md5 if any(md5) else None)


def _check_streaminfo(fields: int) -> bool:
    """Refuse depths that libsndfile cannot write; return whether the number of frames is given."""
    bits = ((fields >> 36) & 0x1F) + 1
    if bits not in (8, 16, 24):
        raise FileSkipped("unsupported-samples", f"is a FLAC of {bits} bits; convert it to 16 or 24 bits first")
    return fields & 0xFFFFFFFFF != 0


def other_comments(block: bytes) -> set[str]:
    """Return the keys of a Vorbis comment block beyond the ten that libsndfile keeps, and those given twice."""
    position = 4 + int.from_bytes(block[:4], "little")
    count = int.from_bytes(block[position : position + 4], "little")
    position += 4
    seen: set[bytes] = set()
    lost: set[str] = set()
    for _ in range(count):
        size = int.from_bytes(block[position : position + 4], "little")
        if position + 4 + size > len(block):
            return lost | {"comments"}
        key = block[position + 4 : position + 4 + size].split(b"=", 1)[0].upper()
        if (key not in _KEYS or key in seen) and len(lost) < _MOST_LOST:
            lost.add(_shown(key))
        seen.add(key)
        position += 4 + size
    return lost


def _shown(key: bytes) -> str:
    return "cover" if key == b"METADATA_BLOCK_PICTURE" else shown(key.decode("ascii", "replace").lower(), _LONGEST_KEY)


class SampleHash:
    """The MD5 of samples as they pass: little-endian, interleaved, in as few whole bytes as they need.

    A FLAC carries that of all its samples: libFLAC can compare it, libsndfile does not ask it to.
    """

    def __init__(self, bits: int) -> None:
        self._bytes = bits // 8
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, block: NDArray[Any]) -> None:
        """Take the next block, in native units."""
        if self._bytes != 3:
            self._md5.update(np.ascontiguousarray(block, f"<i{self._bytes}").data)
            return
        # a column at a time: 2 ns a sample, a copy of [:, :3] takes 14
        wide = np.ascontiguousarray(block, "<i4").reshape(-1).view(np.uint8).reshape(-1, 4)
        packed = np.empty((len(wide), 3), np.uint8)
        for column in range(3):
            packed[:, column] = wide[:, column]
        self._md5.update(packed.data)

    def digest(self) -> bytes:
        """Return the 16 bytes."""
        return self._md5.digest()
