"""Audio that libsndfile does not know and PyAV decodes: MP4, Matroska, ASF, bare AAC, AC-3 and AMR, SPHERE.

Nothing here writes these formats. This page is light: PyAV is an extra, and loads where a file needs it.
"""

from noisecli.codecs import InputFile
from noisecli.codecs.audio.encoding import Described
from noisecli.codecs.audio.flac_frames import read_head
from noisecli.codecs.audio.header import Window
from noisecli.codecs.audio.mp3 import skip_tags
from noisecli.codecs.audio.pyav.boxes import check_asf, check_matroska, check_mp4
from noisecli.codecs.audio.pyav.container import Container
from noisecli.codecs.audio.pyav.frames import check_aac, check_ac3, check_amr, check_sphere
from noisecli.errors import FileSkipped
from noisecli.model import Limits

_MP4 = Container("m4a", "mov", "MP4 audio", check_mp4)
_IMAGE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"crx ")
_BY_MAGIC = (
    (b"\x1a\x45\xdf\xa3", Container("matroska", "matroska", "Matroska or WebM", check_matroska)),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container("wma", "asf", "ASF (WMA)", check_asf)),
    (b"#!AMR", Container("amr", "amr", "AMR", check_amr, counted=False)),
    (b"NIST_1A\n", Container("sphere", "nistsphere", "NIST SPHERE", check_sphere)),
)
_AC3 = Container("ac3", "ac3", "AC-3", check_ac3, counted=False)
_EAC3 = _AC3._replace(demuxer="eac3", title="E-AC-3")
_AAC = Container("aac", "aac", "AAC", check_aac, counted=False)
_MOST_AC3_VERSION = 10


def recognise(window: Window) -> Container | None:
    """Return which of these formats a file has, by its content."""
    if window.read(4, 4) == b"ftyp" and window.read(8, 4) not in _IMAGE_BRANDS:
        return _MP4
    for magic, container in _BY_MAGIC:
        if window.read(0, len(magic)) == magic:
            return container
    tags = skip_tags(window)
    head = window.read(tags, 16)
    if head[:2] == b"\x0b\x77" and len(head) > 5:
        return _AC3 if head[5] >> 3 <= _MOST_AC3_VERSION else _EAC3
    # the same sync word as MP3's, with the layer that MP3 has not; frames of a FLAC begin almost alike
    is_aac = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and not read_head(head, tags)
    return _AAC if is_aac else None


def open_with_pyav(file: InputFile, container: Container, limits: Limits) -> Described:
    """Check that a file of these formats is whole, then open it with PyAV. Raises FileSkipped where that is missing."""
    try:
        from noisecli.codecs.audio.pyav.source import PyavSource
    except ImportError:
        words = f"is {container.title}, which PyAV reads: pip install av, or convert it: ffmpeg -i IN OUT.wav"
        raise FileSkipped("unsupported-format", words) from None
    return PyavSource(file, container, limits, container.check(Window(file.fileno(), file.size)))
