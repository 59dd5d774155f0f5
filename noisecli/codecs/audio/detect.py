"""Which format an audio file has, by its content; and the check that belongs to it."""

from noisecli.codecs.audio.aiff import check_aiff
from noisecli.codecs.audio.au import check_au
from noisecli.codecs.audio.caf import check_caf
from noisecli.codecs.audio.flac import check_flac
from noisecli.codecs.audio.header import Header, Window
from noisecli.codecs.audio.mp3 import check_mp3, skip_tags, starts_frame
from noisecli.codecs.audio.ogg import check_ogg
from noisecli.codecs.audio.w64 import check_w64
from noisecli.codecs.audio.wav import check_wav
from noisecli.codecs.damage import empty
from noisecli.errors import FileFailed, FileSkipped

_BY_MAGIC = {b".snd": check_au, b"dns.": check_au, b"caff": check_caf}
_KNOWN_ELSEWHERE = (b"8SVX", b"16SV", b"MAUD")


def inspect(descriptor: int, size: int) -> Header:
    """Check a file's container, whatever its name. Raises FileFailed, or FileSkipped for what is not written back."""
    if size == 0:
        raise empty()
    window = Window(descriptor, size)
    magic, kind = window.read(0, 4), window.read(8, 4)
    if magic in (b"RIFF", b"RIFX", b"RF64") and kind == b"WAVE":
        return check_wav(window)
    if magic == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return check_aiff(window)
    if magic == b"OggS":
        return check_ogg(descriptor, size)
    if magic == b"riff" and window.read(24, 4) == b"wave":
        return check_w64(window)
    if magic in _BY_MAGIC:
        return _BY_MAGIC[magic](window)
    return _inspect_tagged(window, descriptor)


def _inspect_tagged(window: Window, descriptor: int) -> Header:
    """FLAC and MP3 may have ID3 tags in front."""
    start = skip_tags(window)
    magic = window.read(start, 4)
    if magic == b"fLaC":
        return check_flac(window, start)
    if len(magic) == 4 and starts_frame(int.from_bytes(magic, "big")):
        return check_mp3(window, descriptor)
    if window.read(0, 4) == b"BW64" or window.read(8, 4) in _KNOWN_ELSEWHERE:
        raise FileSkipped("unsupported-format", "has an audio format that is not written here; convert it to WAV first")
    raise FileFailed("wrong-content", "is not an audio file, whatever its name says; exclude it")
