"""MP3: every frame header walked, and counted against the Xing, Info or VBRI header.

libsndfile guesses the length of a file without such a header and stops there, and plays stale audio where frames are
missing; so the frames are counted here. It costs about 1 us a frame, some 2% of decoding.
"""

from dataclasses import dataclass

from noisecli.codecs.audio.header import Header, Window
from noisecli.codecs.damage import corrupt, truncated
from noisecli.errors import FileSkipped
from noisecli.words import warning

_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)
_BOUND = 1 << 20
_SYNC = 0xFFE00000
_SAME = 0xFFFE0C00
"""Sync, version, layer and sample rate: the same in every frame of one stream."""
_APE_TAG, _ID3_1, _LYRICS = b"APETAGEX", b"TAG", b"LYRICSBEGIN"
_CARRIED = {b"TIT2", b"TPE1", b"TALB", b"TYER", b"TDRC", b"TRCK", b"TCON", b"COMM", b"TCOP", b"TSSE", b"TENC", b"TLEN"}
"""Frames of an ID3v2 tag that libsndfile keeps."""
_MOST_NAMES = 64
_LONGEST_TEXT = 1 << 12
_ID3_1_BYTES, _APE_HEAD_BYTES = 128, 32
_ENOUGH = 4
"""Frames in a row that begin another stream; of damage, four headers of one kind never lie where they must."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What a walk found: how many frames, where the last one ends, how many samples one channel has in each."""

    count: int
    end: int
    samples: int


def starts_frame(head: int) -> bool:
    """Whether 32 bits can be the header of an MPEG audio frame of any layer."""
    return (
        head & _SYNC == _SYNC
        and (head >> 19) & 3 != 1
        and (head >> 17) & 3 != 0
        and (head >> 12) & 15 != 15
        and (head >> 10) & 3 != 3
    )


def check_mp3(window: Window) -> Header:
    """Walk all frames after the ID3 tags; a stream that is shorter than its own count is cut."""
    start = skip_tags(window)
    head = window.number(start, 4, big=True)
    if (head >> 17) & 3 != 1:
        raise FileSkipped("unsupported-samples", "is MPEG audio of layer I or II; convert it first")
    if not (head >> 12) & 15:
        raise FileSkipped("unsupported-samples", "is an MP3 of free bit rate; convert it first")
    frames = _walk(window, start, head)
    promised, is_vbri = _read_count(window, start, head)
    _check_count(window, start, frames, promised)
    if _begins_stream(window, _skip_tags_behind(window, frames.end)):
        raise _joined()
    trailing, tagged = _read_tail(window, frames.end)
    lost = _other_frames(window, 0) if start else set[str]()
    if tagged:
        lost.add("ape")
    return Header(
        "mp3",
        # libsndfile passes over the count of a VBRI header, and stops where it guesses the end
        frames=frames.count * frames.samples if is_vbri or not promised else None,
        trailing_data=trailing,
        lost_metadata=frozenset(lost),
        warnings=() if promised else (warning("unknown-length", ["sample count"]),),
    )


def skip_tags(window: Window, start: int = 0) -> int:
    """Return where the ID3v2 tags in front end."""
    while length := _measure_id3(window, start):
        start += length
    return start


def _measure_id3(window: Window, start: int) -> int:
    """Return the length of the ID3v2 tag at `start`, 0 when there is none."""
    head = window.read(start, 10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = _synchsafe(head[6:10])
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _other_frames(window: Window, start: int) -> set[str]:
    """Return the frames of the tag (a cover, a user's own text, a second artist) beyond those libsndfile keeps."""
    end = start + _measure_id3(window, start)
    version = window.read(start + 3, 1)
    if version not in (b"\x03", b"\x04"):
        return {"id3"}
    position, lost, seen = start + 10, set[str](), set[bytes]()
    for _ in range(_MOST_NAMES):
        name = window.read(position, 4)
        if position + 10 > end or name[:1] == b"\0":
            return lost
        digits = window.read(position + 4, 4)
        size = _synchsafe(digits) if version == b"\x04" else int.from_bytes(digits, "big")
        several = name in seen or _holds_several(name, window.read(position + 10, min(size, _LONGEST_TEXT)))
        if name not in _CARRIED or several:
            lost.add("cover" if name == b"APIC" else name.decode("latin-1"))
        seen.add(name)
        position += 10 + size
    return lost | {"id3"}


def _holds_several(name: bytes, body: bytes) -> bool:
    """Whether a text has several values, with zeros between them: of these only the first is read."""
    if name[:1] != b"T" or not body:
        return False
    wide = body[0] in (1, 2)
    text = body[1:].decode("utf-16-le" if wide else "latin-1", "replace")
    return "\0" in text.rstrip("\0")


def _synchsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | (byte & 0x7F)
    return number


def _measure_frames(head: int) -> tuple[list[int], int]:
    """Return bytes of a frame by bit-rate index (0 where there is no such), and samples of a frame."""
    version = (head >> 19) & 3
    rate = _RATES[(head >> 10) & 3] >> {3: 0, 2: 1, 0: 2}[version]
    factor, bitrates = (144_000, _BITRATES_1) if version == 3 else (72_000, _BITRATES_2)
    return [factor * kilobits // rate for kilobits in bitrates] + [0], factor // 125


def _walk(window: Window, start: int, first: int, most: int | None = None) -> Frames:
    lengths, samples = _measure_frames(first)
    same = first & _SAME
    position, count, base, buffer, size = start, 0, start, b"", window.size
    while position + 4 <= size and count != most:
        offset = position - base
        if offset + 4 > len(buffer):
            base, offset, buffer = position, 0, window.read(position, _BOUND)
        head = int.from_bytes(buffer[offset : offset + 4], "big")
        length = lengths[(head >> 12) & 15]
        if head & _SAME != same or not length:
            break
        position += length + ((head >> 9) & 1)
        count += 1
    if position > size or (position < size < position + 4 and window.read(position, 1) == b"\xff"):
        raise truncated("the last frame is cut")
    return Frames(count, position, samples)


def _read_count(window: Window, start: int, head: int) -> tuple[int, bool]:
    """Return the number of frames that a Xing, Info or VBRI header promises, 0 without one, and whether it is VBRI."""
    mono = (head >> 6) & 3 == 3
    side = (17 if mono else 32) if (head >> 19) & 3 == 3 else (9 if mono else 17)
    xing = window.read(start + 4 + side, 12)
    if xing[:4] in (b"Xing", b"Info") and xing[7] & 1:
        return int.from_bytes(xing[8:12], "big"), False
    vbri = window.read(start + 36, 18)
    return (int.from_bytes(vbri[14:18], "big"), True) if vbri[:4] == b"VBRI" else (0, False)


def _check_count(window: Window, start: int, frames: Frames, promised: int) -> None:
    """The frame that holds the count is not counted by most encoders."""
    if not promised:
        return
    if frames.count - 1 < promised:
        raise truncated(f"{promised:,} frames are promised, {frames.count - 1:,} are there")
    if frames.count - 1 > promised + 1:
        head = window.number(start, 4, big=True)
        ends = (_walk(window, start, head, promised + more).end for more in range(3))
        if any(_holds_count(window, end) for end in ends):
            raise _joined()
        raise corrupt(f"{promised:,} frames are promised, {frames.count - 1:,} follow")


def _joined() -> FileSkipped:
    words = "holds several MP3s joined in one file; split it, or make one sound of it: ffmpeg -i IN OUT.wav"
    return FileSkipped("unsupported-samples", words)


def _holds_count(window: Window, start: int) -> bool:
    """Whether a frame is the first of its stream: it says how many follow."""
    head = window.read(start, 4)
    return len(head) == 4 and _read_count(window, start, int.from_bytes(head, "big"))[0] > 0


def _begins_stream(window: Window, start: int) -> bool:
    """Whether frames follow where those of the first stream, and the tags behind them, have ended."""
    head = int.from_bytes(window.read(start, 4), "big")
    if not starts_frame(head) or (head >> 17) & 3 != 1:
        return False
    there = _walk(window, start, head, _ENOUGH)
    return there.count == _ENOUGH or (there.count > 0 and _holds_count(window, start))


def _skip_tags_behind(window: Window, position: int) -> int:
    """Return where the tags behind a stream end, and those in front of one that follows."""
    if window.read(position, 8) == _APE_TAG:
        position += _APE_HEAD_BYTES + int.from_bytes(window.read(position + 12, 4), "little")
    if window.read(position, 3) == _ID3_1:
        position += _ID3_1_BYTES
    return skip_tags(window, position)


def _read_tail(window: Window, end: int) -> tuple[bool, bool]:
    """Look at what follows the last frame: (is it garbage, does it hold tags that get lost)."""
    tail = window.read(end, 1 << 16)
    if tail[:3] == _ID3_1:
        if len(tail) < 128:
            raise truncated("the tag at the end is cut")
        return len(tail) > 128, False
    if tail.startswith((_APE_TAG, _LYRICS)):
        return False, True
    for offset in range(len(tail) - 4):
        if tail[offset] == 0xFF and starts_frame(int.from_bytes(tail[offset : offset + 4], "big")):
            raise corrupt(f"there is no frame at byte {end:,}, but there are more after it")
    return bool(tail), False
