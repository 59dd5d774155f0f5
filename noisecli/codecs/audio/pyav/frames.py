"""Bare streams of frames, each of which says its own length; and SPHERE, whose header counts its samples."""

from collections.abc import Callable

from noisecli.codecs.audio.header import Window
from noisecli.codecs.audio.mp3 import skip_tags
from noisecli.codecs.damage import corrupt, truncated
from noisecli.errors import FileSkipped

_AMR_BYTES = (12, 13, 15, 17, 19, 20, 26, 31, 5)
_AMR_WB_BYTES = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5)
_AMR_SILENT = (14, 15)
"""Frames of no bytes: lost, or nothing to say."""
_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")


def _walk(window: Window, start: int, head_bytes: int, measure: Callable[[bytes], int]) -> bool:
    """Walk the frames from `start`; return whether something else follows the last one. `measure` gives 0 for that."""
    position = start
    while position < window.size:
        head = window.read(position, head_bytes)
        size = measure(head) if len(head) == head_bytes else 0
        if not size:
            break
        position += size
    if position > window.size or (position < window.size < position + head_bytes):
        raise truncated("the last frame is cut")
    if position == start:
        raise corrupt("there is no frame where the first one should be")
    if position < window.size and not window.read(position, 16).startswith(_TAGS):
        if any(measure(window.read(at, head_bytes)) for at in range(position, min(position + 4096, window.size - 8))):
            raise corrupt(f"there is no frame at byte {position:,}, but there are more after it")
        return True
    return False


def check_aac(window: Window) -> bool:
    """Walk the frames of an ADTS stream."""
    start = skip_tags(window)
    fixed = window.number(start, 4, big=True) & 0xFFF6FC00

    def measure(head: bytes) -> int:
        same = int.from_bytes(head[:4], "big") & 0xFFF6FC00 == fixed
        return (int.from_bytes(head[3:6], "big") >> 5) & 0x1FFF if same else 0

    return _walk(window, start, 7, measure)


def check_ac3(window: Window) -> bool:
    """Walk the frames of AC-3 and E-AC-3."""
    return _walk(window, skip_tags(window), 6, _measure_ac3)


def _measure_ac3(head: bytes) -> int:
    if head[:2] != b"\x0b\x77":
        return 0
    if head[5] >> 3 > 10:
        return 2 * ((int.from_bytes(head[2:4], "big") & 0x7FF) + 1)
    rate, code = head[4] >> 6, head[4] & 63
    if rate > 2 or code // 2 >= len(_AC3_KILOBITS):
        return 0
    kilobits = _AC3_KILOBITS[code // 2]
    return 2 * (2 * kilobits, 320 * kilobits // 147 + code % 2, 3 * kilobits)[rate]


def check_amr(window: Window) -> bool:
    """Walk the frames of AMR and AMR-WB."""
    line = window.read(0, 16).split(b"\n")[0]
    sizes = {b"#!AMR": _AMR_BYTES, b"#!AMR-WB": _AMR_WB_BYTES}.get(line)
    if sizes is None:
        raise FileSkipped("unsupported-samples", "is an AMR of several channels; convert it first")

    def measure(head: bytes) -> int:
        mode = head[0] >> 3 & 15
        if head[0] & 0x83:
            return 0
        return 1 + sizes[mode] if mode < len(sizes) else int(mode in _AMR_SILENT)

    return _walk(window, len(line) + 1, 1, measure)


def check_sphere(window: Window) -> bool:
    """Compare the samples that the header counts with the file's size, where their sizes are fixed."""
    length = window.read(8, 8).strip()
    if not length.isdigit() or int(length) > window.size:
        raise truncated("the file ends inside its header")
    fields = {}
    for line in window.read(16, int(length) - 16).split(b"end_head")[0].splitlines():
        name, _, value = line.partition(b" -")
        fields[name] = value.partition(b" ")[2].strip()
    numbers = [fields.get(name, b"") for name in (b"sample_count", b"channel_count", b"sample_n_bytes")]
    if not all(number.isdigit() for number in numbers):
        raise corrupt("its header does not count its samples")
    if b"," in fields.get(b"sample_coding", b""):
        return False
    count, frame_bytes = int(numbers[0]), int(numbers[1]) * int(numbers[2])
    end = int(length) + count * frame_bytes
    if end > window.size:
        raise truncated(f"the header promises {end - window.size:,} bytes more than there are")
    return end < window.size
