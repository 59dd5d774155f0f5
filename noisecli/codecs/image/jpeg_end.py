"""What stands between the last sample of a JPEG and its end: padding, what damage left over, or no end marker."""

import re

from noisecli.errors import FileFailed

EOI = b"\xff\xd9"
_EXTRA = re.compile(rb"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")
_FEWEST = 4
"""Bytes of one value, not zero, that are surely no samples."""


def without_padding(data: bytes, said: bytes) -> bytes | None:
    """Return a JPEG without the padding that its decoder passed over before the end marker; None where it is none.

    What it passed over may be samples: of a scan that damage shortened, or a tail of zeros whose first were decoded.
    So padding is one value alone, and the samples in front of it do not end in that value.
    """
    found = _EXTRA.match(said)
    if found is None:
        return None
    count = int(found[1])
    samples, extra = data[: -count - 2], data[-count - 2 : -2]
    value = extra[-1:]
    if extra.strip(value) or (value != b"\0" and count < _FEWEST):
        return None
    consumed = samples.removesuffix(b"\xff\0") if value == b"\0" else samples
    return None if consumed.endswith(value) else samples + EOI


def unclear(said: bytes) -> FileFailed | None:
    """Return the error of bytes before the end marker of which nobody can say whether they are samples."""
    found = _EXTRA.match(said)
    if found is None:
        return None
    count = int(found[1])
    words = f"has {count:,} bytes between its last sample and its end marker: padding, or what damage left over"
    return FileFailed("truncated", f"{words}; look at it, and copy it again or save it anew")


def unended() -> FileFailed:
    """Return the error of a JPEG that lacks no sample, only its end marker."""
    words = "has no end marker, though all of its samples are there"
    return FileFailed("truncated", f"{words}; save it again (jpegtran -copy all -outfile NEW.jpg OLD.jpg)")
