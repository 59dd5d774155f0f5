"""Images, sound and data sets by their first bytes: what a file is whose name does not say it. Light."""

import re
import zlib

LENGTH = 4096
"""How many bytes are enough."""

_BEGINNINGS = tuple(
    (re.compile(pattern, re.DOTALL), what)
    for what, pattern in (
        ("a PNG image", rb"\x89PNG\r\n\x1a\n"),
        ("a JPEG image", rb"\xff\xd8\xff"),
        ("a GIF image", rb"GIF8[79]a"),
        ("a TIFF image, or a camera's raw file", rb"II[*+]\0|MM\0[*+]|IIRO|IIU\0"),
        ("a WebP image", rb"RIFF....WEBP"),
        ("a BMP image", rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
        ("a PNM image", rb"P[1-6]\s(?:#[^\n]*\n\s*)*\d+\s+\d+\s|P7\nWIDTH|P[Ff]\n\d"),
        ("a JPEG 2000 image", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
        ("a JPEG XL image", rb"\0\0\0\x0cJXL \r\n\x87\n"),
        ("an AVIF or HEIC image", rb"....ftyp(?:avi[fs]|hei[cmsx]|hev[cmsx]|mif1|msf1)"),
        (
            "an image of OpenEXR, Radiance, Photoshop, GIMP, DDS or QOI",
            rb"v/1\x01|#\?RAD|#\?RGBE|8BPS|gimp xcf|DDS |qoif",
        ),
        ("an image of DICOM or FITS", rb".{128}DICM|SIMPLE  = "),
        (
            "a video, or sound in its format",
            rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        ),
        ("a WAV file", rb"(?:RIFF|RIFX|RF64|BW64)....WAVE|riff\x2e\x91\xcf\x11"),
        ("an audio file", rb"fLaC|OggS|FORM....AIF[FC]|\.snd\0|caff\0|#!AMR|NIST_1A|wvpk|MAC |TTA1"),
        ("an MP3 file", rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfa\xfb][\x10-\xef]"),
        ("images in MNIST's format (IDX)", rb"\0\0[\x08\x09\x0b-\x0e][\x03\x04]\0"),
        ("an archive", rb".{257}ustar|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07"),
    )
)


def told_by(start: bytes) -> str | None:
    """Return what a file with this beginning is, packed by gzip or not; None for what may as well be a label."""
    packed = ""
    if start.startswith(b"\x1f\x8b"):
        packed = ", packed by gzip"
        try:
            start = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(start, LENGTH)
        except zlib.error:
            return None
    return next((what + packed for pattern, what in _BEGINNINGS if pattern.match(start)), None)
