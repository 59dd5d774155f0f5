"""Which format an audio file has, by its content; and the check that belongs to it."""

from dataclasses import replace

from noisecli.codecs.audio.aiff import check_aiff
from noisecli.codecs.audio.au import check_au
from noisecli.codecs.audio.caf import check_caf
from noisecli.codecs.audio.flac import check_flac
from noisecli.codecs.audio.foreign import foreign
from noisecli.codecs.audio.header import Correction, Header, Window
from noisecli.codecs.audio.mp3 import check_mp3, skip_tags, starts_frame
from noisecli.codecs.audio.ogg import check_ogg
from noisecli.codecs.audio.w64 import check_w64
from noisecli.codecs.audio.wav import check_wav
from noisecli.codecs.damage import empty

_BY_MAGIC = {b".snd": check_au, b"dns.": check_au, b"caff": check_caf}
_MOST_ZEROS = 1 << 20
_JUNK = 1 << 16
_FLAC_HEADS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")


def inspect(descriptor: int, size: int) -> Header:
    """Check a file's container, whatever its name. Raises FileFailed, or FileSkipped for what is not written back."""
    if size == 0:
        raise empty()
    window = Window(descriptor, size)
    tags = skip_tags(window)
    if found := _check(window, tags):
        return found
    start = _find_start(window, tags)
    found = _check(Window(descriptor, size, start), 0) if 0 < start < size else None
    if found is None:
        raise foreign(window, tags)
    leading = () if start == tags else ("leading-data",)
    correction = found.correction or Correction()
    return replace(
        found,
        warnings=(*leading, *found.warnings),
        lost_metadata=found.lost_metadata | ({"id3"} if tags else set()),
        correction=correction._replace(start=start + correction.start),
    )


def _check(window: Window, tags: int) -> Header | None:
    """Check what begins here, or behind `tags` bytes of ID3, which FLAC and MP3 may have; None: none that is known."""
    magic, kind = window.read(0, 4), window.read(8, 4)
    if magic in (b"RIFF", b"RIFX", b"RF64") and kind == b"WAVE":
        return check_wav(window)
    if magic == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return check_aiff(window)
    if magic == b"OggS":
        return check_ogg(window)
    if magic == b"riff" and window.read(24, 4) == b"wave":
        return check_w64(window)
    if magic in _BY_MAGIC:
        return _BY_MAGIC[magic](window)
    magic = window.read(tags, 4)
    if magic == b"fLaC":
        return check_flac(window, tags)
    if len(magic) == 4 and starts_frame(int.from_bytes(magic, "big")):
        return check_mp3(window)
    return None


def _find_start(window: Window, tags: int) -> int:
    """Return where zeros behind the tags end; or where a FLAC begins behind other bytes, which its header shows."""
    zeros = window.read(tags, _MOST_ZEROS)
    start = tags + len(zeros) - len(zeros.lstrip(b"\0"))
    if start > tags or tags:
        return start
    found = [at for at in map(zeros[:_JUNK].find, _FLAC_HEADS) if at > 0]
    return min(found, default=0)
