"""FLAC: its metadata blocks, and the hash of its samples. libFLAC itself checks every frame's sum."""

import hashlib
import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.audio.flac_frames import Form, ends_whole, walk_frames
from noisecli.codecs.audio.form import KS
from noisecli.codecs.audio.header import Correction, Header, Places, Window
from noisecli.codecs.damage import corrupt, truncated
from noisecli.errors import FileSkipped, shown
from noisecli.words import warning

_STREAMINFO, _VORBIS_COMMENT = 0, 4
_COUNT = (1 << 36) - 1
_MASK = re.compile(rb"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x([0-9a-fA-F]{1,8})", re.IGNORECASE)
_CARRIED = {_STREAMINFO, 1, 3, _VORBIS_COMMENT}
_BLOCKS = {2: "application", 5: "cue-sheet", 6: "cover"}
_MOST_LOST = 64
_LONGEST_KEY = 40
_KEYS = set(b"TITLE COPYRIGHT SOFTWARE ENCODER ARTIST COMMENT DATE ALBUM LICENSE TRACKNUMBER GENRE".split())


def check_flac(window: Window, start: int) -> Header:
    """Check the metadata blocks, then the frames; `start` is the position of fLaC (ID3 tags may come before)."""
    position, last, lost, fields, md5, mask = start + 4, False, set[str](), 0, bytes(16), None
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
            fields = window.number(position + 14, 8, big=True)
            md5 = window.read(position + 22, 16)
        if kind == _VORBIS_COMMENT:
            comments = window.read(position + 4, size)
            lost |= other_comments(comments)
            mask = _MASK.search(comments) or mask
        if kind not in _CARRIED:
            lost.add(_BLOCKS.get(kind, f"block {kind}"))
        position += 4 + size
    header = Header("flac", lost_metadata=frozenset(lost), md5=md5 if any(md5) else None)
    if mask:
        header = replace(header, places=Places(int(mask[1], 16), KS))
    return _check_frames(window, header, start, position, fields)


def _check_frames(window: Window, header: Header, start: int, position: int, fields: int) -> Header:
    """Compare the frames with what the stream's header says of them: libFLAC stops at its count, whatever follows."""
    bits, promised = ((fields >> 36) & 0x1F) + 1, fields & _COUNT
    form = Form(fields >> 44, (fields >> 41 & 7) + 1, bits)
    walked = walk_frames(window, position, form, promised)
    if walked.other:
        raise FileSkipped("unsupported-samples", _changes(form, walked.other))
    if bits not in (8, 16, 24):
        raise FileSkipped("unsupported-samples", f"is a FLAC of {bits} bits; convert it to 16 or 24 bits first")
    trailing = 0 < promised <= walked.samples and not ends_whole(window, walked)
    if not promised and walked.samples:
        # a cut and a tag look the same here: libFLAC finds which it is in the last frame
        trailing = not ends_whole(window, walked)
    if not promised and not header.md5:
        header = replace(header, warnings=(warning("unknown-length", ["sample count"]),))
    if promised >= walked.samples or not (promised or trailing):
        return replace(header, frames=None if promised else -1, least=walked.samples, trailing_data=trailing)
    patch = (fields & ~_COUNT | walked.samples).to_bytes(8, "big")
    warnings = (warning("wrong-length", ["sample count"]),) if promised else header.warnings
    correction = Correction(patches=((start + 18, patch),))
    return replace(header, warnings=warnings, trailing_data=trailing, correction=correction)


def _changes(form: Form, other: Form) -> str:
    told = [
        f"{name} ({said:,} and {found:,})"
        for name, said, found in zip(("sample rate", "channels", "bits"), form, other, strict=True)
        if found not in (0, said)
    ]
    return f"is a FLAC that changes within: {', '.join(told)}; make it one first: ffmpeg -i IN OUT.flac"


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
