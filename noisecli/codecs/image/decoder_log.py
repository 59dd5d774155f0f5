"""What the decoders print. libjpeg and libpng write to descriptor 2, past every log setting of OpenCV."""

import re
from collections.abc import Callable

import cv2.utils.logging as log

from noisecli.codecs import stderr
from noisecli.codecs.damage import corrupt, not_decoded, truncated
from noisecli.codecs.image.header import Header
from noisecli.errors import FileFailed

_SILENT = (
    b"Sum of Photometric type-related color channels",  # of the four-channel TIFFs that OpenCV itself writes
    b"Unknown field with tag",  # a private TIFF tag, which is kept
    b"Image has unknown or unspecified color space",  # of bare JPEG 2000 codestreams
)
_HARMLESS = (b"libpng warning:", b"[ WARN:", b"[ INFO:")
_DAMAGE = (b"JPEGLib: Corrupt", b"Decode:", b"JPEGPreDecode")
"""libtiff only warns when the inside of a strip is broken."""
_CONTINUED = (b" ", b"\t")
"""How the second line of a message begins, which may be a harmless one."""
_LOG_PREFIX = re.compile(r"\[ *\w+:\d+@[\d.]+\] global \S+:\d+ \S+ ")
"""OpenCV's own log has timestamps, which must not reach a report that is the same bytes each time."""
_EXCEPTION = re.compile(r"(imdecode_\(''\): can't read \w+: )?OpenCV\([\w.-]+\) \S+: error: \(-\d+:(?P<kind>[^)]*)\) *")
_NO_MEMORY = (b"Insufficient memory", b"Failed to allocate", b"bad_alloc", b"ut of memory")
_CUT = (b"premature end", b"ncomplete", b"Not enough image data", b"end of input", b"Truncated data", b"too short")
_BROKEN = (
    *(b"Corrupt JPEG", b"bad Huffman", b"CRC error", b"incorrect data check", b"bad adaptive filter", b"IDAT:"),
    *(b"Decode:", b"JPEGPreDecode", b"not yet in table", b"IO error", b"Seek error", b"inconsistent", b"Inconsistent"),
    *(b"Malformed", b"aom_codec_decode() failed", b"extent offset"),
)
"""Words of the libraries over bytes that are missing or wrong, whatever the header says."""
_WAY_OUT = "convert it to PNG or TIFF with another program; if none reads it, copy it again"


def caught(call: Callable[[], stderr.Result]) -> tuple[stderr.Result, bytes]:
    """Call, and return the result with what was printed on descriptor 2 meanwhile."""
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_WARNING)  # what is judged must not depend on OPENCV_LOG_LEVEL
    try:
        return stderr.caught(call, _meaning)
    finally:
        log.setLogLevel(level)


def _meaning(line: bytes) -> tuple[bool, bool, bool] | None:
    """Return whether a line fails the file, speaks of memory, and of missing data; None where it means nothing."""
    if not line.strip() or line.startswith(_CONTINUED) or any(words in line for words in _SILENT):
        return None
    return fails(line), any(words in line for words in _NO_MEMORY), any(words in line for words in _CUT)


def fails(line: bytes) -> bool:
    """Whether a line that a decoder printed says that samples are wrong."""
    return not line.startswith(_HARMLESS) or any(words in line for words in _DAMAGE)


def judge(text: bytes, header: Header) -> None:
    """Warn of harmless messages of the decoder; fail on all others."""
    for line in text.splitlines():
        if fails(line):
            raise decoder_error(text)
        header.warn("decoder-warning")


def decoder_error(text: bytes) -> FileFailed:
    """Return the error that the decoder's messages mean: without a word of damage, the decoder alone refuses."""
    if any(words in text for words in _NO_MEMORY):
        return FileFailed("out-of-memory", "needs more memory than there is; use fewer --jobs or a lower --max-pixels")
    said = first_words(text)
    if any(mark in text for mark in _CUT):
        return truncated(said)
    return corrupt(said) if any(mark in text for mark in _BROKEN) else not_decoded("OpenCV", said, _WAY_OUT)


def first_words(text: bytes) -> str:
    """Return the first line that fails a file, or the first of all, without OpenCV's prefixes."""
    lines = text.strip().splitlines()
    line = next(filter(fails, lines), lines[0] if lines else b"").decode("utf-8", "replace")
    found = _EXCEPTION.match(words := _LOG_PREFIX.sub("", line))
    if found is not None:
        words = re.sub(r" *in function '.*", "", words[found.end() :]) or found["kind"]
    return words[:160] if words else "it gave no reason"
