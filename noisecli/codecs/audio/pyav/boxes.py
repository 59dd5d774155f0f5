"""Containers of sized pieces: every piece must lie inside the file."""

from noisecli.codecs.audio.header import Window, is_chunk_name
from noisecli.codecs.damage import corrupt, truncated

_MP4_BOXES = frozenset(b"ftyp moov mdat free skip wide uuid moof mfra sidx styp pdin meta".split())
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_MATROSKA_IDS = frozenset(
    (0x1A45DFA3, _SEGMENT, _CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367)
)
_CLUSTER_IDS = frozenset((0xEC, 0xBF, 0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854))
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD, _ASF_DATA_HEAD, _ASF_PACKET = 24, 50, b"\x82\0\0"


def _require(end: int, window: Window) -> None:
    if end > window.size:
        raise truncated(f"the header promises {end - window.size:,} bytes more than there are")


def check_mp4(window: Window) -> bool:
    """Walk the outermost boxes; the index may come after the samples, and without it there is none.

    A file in fragments does not say how many there are: after them, nothing but a box passes.
    """
    position, seen, name = 0, set[bytes](), b""
    while position + 8 <= window.size:
        size, name, head = window.number(position, 4, big=True), window.read(position + 4, 4), 8
        if size == 1:
            size, head = window.number(position + 8, 8, big=True), 16
        if size == 0:
            size = window.size - position
        fits = head <= size <= window.size - position
        if name not in _MP4_BOXES and {b"moov", b"mdat"} <= seen and not (fits and is_chunk_name(name)):
            break
        if size < head:
            raise corrupt("a box is smaller than its own header")
        _require(position + size, window)
        seen.add(name)
        position += size
    if b"moov" not in seen:
        raise truncated("the index of its samples is missing")
    if b"moof" in seen and (position < window.size or name == b"moof"):
        raise truncated("its last fragment is not whole")
    return position < window.size


def check_matroska(window: Window) -> bool:
    """Walk the elements of the file, of the segment, and of clusters whose size a live stream did not know."""
    position = 0
    while position < window.size:
        name, start = _read_number(window, position, keep_marker=True)
        if name not in _MATROSKA_IDS | _CLUSTER_IDS:
            return True
        size, body = _read_number(window, start)
        unknown = size == (1 << 7 * (body - start)) - 1
        if name == _SEGMENT and not unknown:
            _require(body + size, window)
        position = body if name == _SEGMENT or unknown else body + size
        _require(position, window)
    return False


def _read_number(window: Window, position: int, *, keep_marker: bool = False) -> tuple[int, int]:
    """Return a number of EBML, which says its own length by its leading zeros, and where it ends."""
    length = 9 - window.number(position, 1).bit_length()
    if length > 8:
        raise corrupt("there is no element where one should begin")
    number = window.number(position, length, big=True)
    return number if keep_marker else number & ((1 << 7 * length) - 1), position + length


def check_asf(window: Window) -> bool:
    """Walk the outermost objects; a stream that was recorded live does not know the size of its data."""
    position, seen, packet = 0, False, 0
    while position + _ASF_HEAD <= window.size:
        name, size = window.read(position, 16), window.number(position + 16, 8)
        if seen and not _ASF_HEAD <= size <= window.size - position:
            return True
        if name == _ASF_DATA and size == 0:
            return False
        if size < _ASF_HEAD:
            raise corrupt("an object is smaller than its own header")
        _require(position + size, window)
        if position == 0:
            packet = _measure_packets(window.read(0, min(size, 1 << 20)))
        if name == _ASF_DATA:
            _check_packets(window, position + _ASF_DATA_HEAD, position + size, packet)
            seen = True
        position += size
    if not seen:
        raise truncated("the file has no samples in it")
    return position < window.size


def _measure_packets(header: bytes) -> int:
    """Return the bytes of every packet, 0 where the header does not say."""
    at = header.find(_ASF_PROPERTIES)
    fields = header[at + 92 : at + 100]
    return int.from_bytes(fields[:4], "little") if at > 0 and fields[:4] == fields[4:] else 0


def _check_packets(window: Window, start: int, end: int, size: int) -> None:
    """All packets begin with the same three bytes; where they do not, bytes are missing or too many before."""
    head = window.read(start, 3)
    for position in range(start, end if size and head == _ASF_PACKET else start, size or 1):
        if window.read(position, 3) != head:
            raise corrupt(f"there is no packet at byte {position:,}")
