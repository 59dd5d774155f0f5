"""Ogg pages: walked and summed when read, given a serial number that is not random when written."""

import os
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from noisecli.codecs.audio.flac import other_comments
from noisecli.codecs.audio.form import KS
from noisecli.codecs.audio.header import Correction, Header, Places, Window
from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.region import write_at
from noisecli.errors import FileSkipped
from noisecli.words import warning

_MAGIC = b"OggS"
_HEAD, _LARGEST = 27, 27 + 255 + 255 * 255
_BOUND = 1 << 20
_LAST, _CONTINUED, _NO_POSITION = 4, 255, (1 << 64) - 1
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_CODECS = (b"\x01vorbis", b"OpusHead")
_COMMENTS = (b"\x03vorbis", b"OpusTags")


class Page(NamedTuple):
    """One page: where it starts, its flags, serial and sequence numbers, and all its bytes."""

    start: int
    flags: int
    serial: int
    sequence: int
    data: bytes


def checksum(page: bytes) -> int:
    """Return the sum of a page whose own sum is zeroed.

    Ogg's CRC-32 has zlib's polynomial with the bits of every byte the other way round and no complements, so mirrored
    bytes through zlib give it, mirrored: 1 GB/s instead of a Python loop.
    """
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR), "big")


def iterate_pages(descriptor: int, size: int, start: int = 0) -> Iterator[Page]:
    """Yield the pages of a file in order, ending at its end or where no page starts."""
    position, base, buffer = start, start, b""
    while position < size:
        if position + _LARGEST > base + len(buffer) and base + len(buffer) < size:
            base, buffer = position, os.pread(descriptor, _BOUND, position)
        offset = position - base
        if not _MAGIC.startswith(buffer[offset : offset + 4]):
            return
        length = _measure_page(buffer, offset)
        head = buffer[offset : offset + length]
        yield Page(
            position, head[5], int.from_bytes(head[14:18], "little"), int.from_bytes(head[18:22], "little"), head
        )
        position += length


def _measure_page(buffer: bytes, offset: int) -> int:
    """Return a page's length; the buffer holds all of it unless the file is cut."""
    body = offset + _HEAD
    segments = buffer[offset + 26] if body <= len(buffer) else 0
    length = _HEAD + segments + sum(buffer[body : body + segments])
    if body + segments > len(buffer) or offset + length > len(buffer):
        raise truncated("the last page is cut")
    return length


def check_ogg(window: Window) -> Header:
    """Check every page's sum and number, that one stream is there, and that its last page is whole.

    Phones and streams do not mark the last page as such. A file that was cut between two pages looks the same.
    """
    serial, expected, ended, end = -1, 0, False, 0
    comments, last, places = b"", None, None
    for page in iterate_pages(window.descriptor, window.start + window.size, window.start):
        if ended or (serial not in (-1, page.serial)):
            raise FileSkipped("unsupported-samples", "holds several streams in one Ogg; split it first")
        if serial < 0:
            _check_codec(page.data)
            places = _places(_read_body(page.data))
        if page.sequence != expected:
            raise corrupt(f"Ogg page {expected} is missing")
        if checksum(page.data[:22] + bytes(4) + page.data[26:]) != int.from_bytes(page.data[22:26], "little"):
            raise corrupt(f"the sum of Ogg page {expected} is wrong")
        if page.sequence == 1:
            comments = _read_body(page.data)
        serial, ended = page.serial, bool(page.flags & _LAST)
        expected = (expected + 1) & 0xFFFFFFFF
        last, end = page, page.start - window.start + len(page.data)
    correction = None
    if not ended:
        if last is None or end < window.size:
            raise corrupt("bytes between two Ogg pages")
        if not _ends_a_packet(last):
            raise truncated("the stream's last page is missing")
        correction = _mark_last(last, window.start)
    return Header(
        "ogg",
        trailing_data=end < window.size,
        lost_metadata=frozenset(_other(comments)),
        warnings=(warning("unknown-length", ["last page"]),) if correction else (),
        correction=correction,
        places=places,
    )


def _ends_a_packet(page: Page) -> bool:
    """Whether there is audio in a page, its last packet whole: a position says where it ends."""
    segments = page.data[_HEAD : _HEAD + page.data[26]]
    position = int.from_bytes(page.data[6:14], "little")
    return bool(segments) and segments[-1] != _CONTINUED and 0 < position < _NO_POSITION


def _places(packet: bytes) -> Places | None:
    """Only the first two families of channels of Opus have loudspeakers; see RFC 7845, 5.1.1."""
    discrete = packet.startswith(_CODECS[1]) and packet[18:19] > b"\x01"
    return Places(0, KS) if discrete else None


def _mark_last(page: Page, start: int) -> Correction:
    """Return the file with this page marked as the last: without, libvorbis gives other samples and libopus none."""
    blank = page.data[:5] + bytes([page.flags | _LAST]) + page.data[6:22] + bytes(4) + page.data[26:]
    at = page.start - start
    return Correction(patches=((at + 5, blank[5:6]), (at + 22, checksum(blank).to_bytes(4, "little"))))


def _read_body(page: bytes) -> bytes:
    return page[_HEAD + page[26] :]


def _check_codec(page: bytes) -> None:
    if not _read_body(page).startswith(_CODECS):
        raise FileSkipped("unsupported-samples", "is an Ogg that is neither Vorbis nor Opus; convert it first")


def _other(packet: bytes) -> set[str]:
    """Return the comments of the comment packet that get lost; one longer than its first page holds an image."""
    for magic in _COMMENTS:
        if packet.startswith(magic):
            return other_comments(packet[len(magic) :])
    return set()


def set_serial(descriptor: int, serial: int) -> None:
    """Give all pages of a file this serial number and the sums that follow from it, in place."""
    size = os.fstat(descriptor).st_size
    number = serial.to_bytes(4, "little")
    for page in iterate_pages(descriptor, size):
        blank = page.data[:14] + number + page.data[18:22] + bytes(4) + page.data[26:]
        sealed = number + blank[18:22] + checksum(blank).to_bytes(4, "little")
        write_at(descriptor, sealed, page.start + 14)
