"""ID3v2 tags in front of the audio: how long they are and whether libsndfile keeps all of them."""

from __future__ import annotations

from noisecli.codecs.audio.header import Window

_CARRIED = {b"TIT2", b"TPE1", b"TALB", b"TYER", b"TDRC", b"TRCK", b"TCON", b"COMM", b"TSSE", b"TENC", b"TLEN"}
_LARGEST_NAME_WALK = 64


def measure_id3(window: Window, start: int) -> int:
    """Return the length of the ID3v2 tag at `start`, 0 when there is none."""
    head = window.read(start, 10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = _synchsafe(head[6:10])
    return 10 + size + (10 if head[5] & 0x10 else 0)


def holds_other_frames(window: Window, start: int) -> bool:
    """Whether the tag has frames (a cover, a user's own text) beyond those libsndfile knows."""
    end = start + measure_id3(window, start)
    version = window.read(start + 3, 1)
    if version not in (b"\x03", b"\x04"):
        return True
    position = start + 10
    for _ in range(_LARGEST_NAME_WALK):
        name = window.read(position, 4)
        if position + 10 > end or name[:1] == b"\0":
            return False
        if name not in _CARRIED:
            return True
        size = window.read(position + 4, 4)
        position += 10 + (_synchsafe(size) if version == b"\x04" else int.from_bytes(size, "big"))
    return True


def _synchsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | (byte & 0x7F)
    return number
