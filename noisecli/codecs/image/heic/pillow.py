"""HEIC samples through pillow-heif: the only page that knows it."""

import io
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.damage import not_decoded
from noisecli.codecs.image import exif
from noisecli.codecs.image.decoder_log import caught
from noisecli.codecs.image.header import Header, Metadata, unsupported
from noisecli.errors import FileFailed, one_line
from noisecli.model import Encoding, SampleSpec

_EXIF = b"Exif\0\0"
_TURN = re.compile(rb"""(tiff:Orientation(?:=["']|>))[2-8]""")
_ENCODER = {"preset": "ultrafast", "x265:pools": "none", "x265:frame-threads": "1", "x265:wpp": "0"}
"""x265's own choice of threads would show in the bytes; of noise, its slow presets make files 1% smaller."""
_SURELY_READ = 1 << 23
"""Bytes."""
_CHROMAS = {"444": 444, "422": 422, "420": 420}


def decode(header: Header) -> NDArray[Any]:
    """Decode the primary image, the right way up, as OpenCV has it: blue first, alpha last."""
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1
    try:
        (image, samples), _ = caught(lambda: _read(pillow_heif, header.data))
    except (ValueError, RuntimeError, SyntaxError, EOFError, OSError) as error:
        said = one_line(str(error), 160)
        raise not_decoded("libheif", said, "convert it: heif-convert IN OUT.png") from None
    info = image.info
    if "a" in image.mode.split(";")[0]:
        raise unsupported("HEICs whose colours are multiplied by their transparency are")
    payload = (info.get("exif") or b"").removeprefix(_EXIF)
    header.metadata.exif = exif.upright(payload)
    header.metadata.xmp = _upright_xmp((info.get("xmp") or b"").rstrip(b"\0"))
    header.metadata.icc = info.get("icc_profile") or header.metadata.icc
    if header.cropped:
        header.height, header.width = samples.shape[:2]
    if samples.shape[2:] == (2,):
        header.warn("grey-alpha-to-colour-alpha")
        grey, alpha = samples[..., 0], samples[..., 1]
        return np.dstack([grey, grey, grey, alpha])
    return samples


def _read(pillow_heif: Any, data: bytes) -> tuple[Any, NDArray[Any]]:
    """Return the primary image, and its samples without padding at the ends of rows."""
    opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, bgr_mode=True, hdr_to_16bit=False)
    image = opened[opened.primary_index]
    return image, np.asarray(image)[:, : image.size[0]].copy()


def encode(image: NDArray[Any], spec: SampleSpec, metadata: Metadata, encoding: Encoding) -> bytes:
    """Encode an image: without loss as red, green and blue in 4:4:4, or at a quality and subsampling."""
    try:
        import pillow_heif
    except ImportError:
        raise FileFailed("no-encoder", "HEIC is written by pillow-heif: pip install pillow-heif") from None
    depth = {1023.0: 10, 4095.0: 12}.get(spec.full_scale, 8)
    channels = image.shape[2] if image.ndim == 3 else 1
    mode = {1: "L", 3: "BGR", 4: "BGRA"}[channels] + (f";{depth}" if depth > 8 else "")
    options: dict[str, Any] = {"bit_depth": depth, "enc_params": dict(_ENCODER), "chroma": 444, "quality": -1}
    if encoding.quality is not None:
        options["quality"], options["chroma"] = encoding.quality, _CHROMAS.get(encoding.subsampling or "444", 0)
        if not options["chroma"]:
            raise FileFailed("no-encoder", f"HEIC has no --subsampling {encoding.subsampling}; choose 444, 422 or 420")
    elif channels > 1:
        options |= {
            "matrix_coefficients": 0,
            "color_primaries": 1,
            "transfer_characteristics": 13,
            "full_range_flag": 1,
        }
    payloads = {"exif": metadata.exif and _EXIF + metadata.exif, "icc_profile": metadata.icc}
    payloads["xmp"] = _upright_xmp(metadata.xmp)
    options |= {name: payload for name, payload in payloads.items() if payload}
    buffer = io.BytesIO()
    size = image.shape[1], image.shape[0]
    try:
        caught(lambda: pillow_heif.encode(mode, size, np.ascontiguousarray(image).tobytes(), buffer, **options))
    except (ValueError, RuntimeError, OSError, cv2.error) as error:
        words = f"libheif could not write it ({one_line(str(error), 160)}); try --format png"
        raise FileFailed("no-encoder", words) from None
    _require_readable(pillow_heif, buffer)
    return buffer.getvalue()


def _require_readable(pillow_heif: Any, encoded: io.BytesIO) -> None:
    """Decode a large output again: beyond some 16 MB, libheif's own decoder makes nothing of it."""
    size = encoded.getbuffer().nbytes
    if size <= _SURELY_READ:
        return
    try:
        caught(lambda: _read(pillow_heif, encoded.getvalue()))
    except (ValueError, RuntimeError, SyntaxError, EOFError, OSError):
        words = f"takes {size:,} bytes as a HEIC, more than decoders of HEIC read; choose --format png, or --quality 50"
        raise FileFailed("no-encoder", words) from None


def _upright_xmp(xmp: bytes) -> bytes:
    """Return the same XMP without a turn: the samples are upright, and pillow-heif would turn them by it."""
    return _TURN.sub(rb"\g<1>1", xmp)
