"""What stands between the last sample of a JPEG and its end: padding, what damage left over, or no end marker."""

import re

from noisecli.errors import FileFailed

EOI = b"\xff\xd9"
_EXTRA = re.compile(rb"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")
_FEWEST = 4
"""Bytes of one value, not zero, that are surely no samples."""


def without_padding(data: bytes, said: bytes) -> bytes | None:
    """Return a JPEG without what may be padding before the end marker; None where it cannot be.

    What the decoder passed over may be samples, of a scan that damage shortened; so padding is one value alone. The
    first of a tail of zeros may have been decoded; so all of them go, and the decoder must not miss a bit then.
    """
    found = _EXTRA.match(said)
    if found is None:
        return None
    count = int(found[1])
    value = data[-3:-2]
    if data[-count - 2 : -2].strip(value) or (value != b"\0" and count < _FEWEST):
        return None
    samples = data[:-2].rstrip(value)
    return samples + (b"\0" if samples.endswith(b"\xff") else b"") + EOI


def unclear(said: bytes) -> FileFailed | None:
    """Return the error of bytes before the end marker of which nobody can say whether they are samples."""
    found = _EXTRA.match(said)
    if found is None:
        return None
    count = int(found[1])
    words = (
        f"has at least {count:,} bytes between its last sample and its end marker: padding, or what damage left over"
    )
    return FileFailed("truncated", f"{words}; look at it, and copy it again or save it anew")


def unended() -> FileFailed:
    """Return the error of a JPEG that lacks no sample, only its end marker."""
    words = "has no end marker, though all of its samples are there"
    return FileFailed("truncated", f"{words}; save it again (jpegtran -copy all -outfile NEW.jpg OLD.jpg)")
