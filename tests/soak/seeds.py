"""Valid small files of every supported format, cut from sample_data. Everything else here is made of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"
SIZE = (60, 44)
SECONDS = 0.25
ORIENTED = 6

Seeds = dict[str, bytes]
Array = NDArray[Any]


def pictures() -> Seeds:
    """Return pictures by name, its suffix the format's."""
    colour = _picture("images/balloons/festival.png")
    deep = _picture("images/boats/deep.png")
    alpha = np.dstack([colour, np.indices(colour.shape[:2]).sum(0) * 2]).astype(np.uint8)
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    unit = (colour / 255).astype(np.float32)
    deflate, lzw, bare = (cv2.IMWRITE_TIFF_COMPRESSION, 8), (cv2.IMWRITE_TIFF_COMPRESSION, 5), _TIFF_BARE
    files = {
        "baseline.jpg": _opencv(colour, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 90),
        "progressive.jpg": _opencv(colour, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "restarts.jpg": _opencv(colour, ".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
        "grey.jpg": _opencv(grey, ".jpg"),
        "turned.jpg": _pillow(_rgb(colour), "JPEG", exif=_orientation()),
        "cmyk.jpg": _pillow(_rgb(colour).convert("CMYK"), "JPEG"),
        "8.png": _opencv(colour, ".png"),
        "16.png": _opencv(deep, ".png"),
        "alpha.png": _opencv(alpha, ".png"),
        "alpha-16.png": _opencv((alpha * np.uint16(257)), ".png"),
        "grey.png": _opencv(grey, ".png"),
        "grey-16.png": _opencv(deep[..., 0], ".png"),
        "grey-alpha.png": _pillow(_rgb(colour).convert("LA"), "PNG"),
        "palette.png": _pillow(_rgb(colour).quantize(64), "PNG"),
        "palette-clear.png": _pillow(_rgb(colour).quantize(64), "PNG", transparency=3),
        "bits.png": _pillow(_rgb(colour).convert("1"), "PNG"),
        "bare.tif": _opencv(colour, ".tif", *bare),
        "lzw.tif": _opencv(colour, ".tif", *lzw),
        "deflate.tif": _opencv(colour, ".tif", *deflate),
        "bare-16.tif": _opencv(deep, ".tif", *bare),
        "lzw-grey-16.tif": _opencv(deep[..., 0], ".tif", *lzw),
        "float.tif": _opencv(unit, ".tif", *bare),
        "float-lzw.tif": _opencv(unit[..., 0], ".tif", *lzw),
        "turned.tif": _pillow(_rgb(colour), "TIFF", tiffinfo={274: ORIENTED}),
        "lossy.webp": _opencv(colour, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        "lossless.webp": _opencv(colour, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
        "alpha.webp": _opencv(alpha, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        "colour.bmp": _opencv(colour, ".bmp"),
        "grey.bmp": _opencv(grey, ".bmp"),
        "palette.bmp": _pillow(_rgb(colour).quantize(16), "BMP"),
        "colour.ppm": _opencv(colour, ".ppm"),
        "deep.ppm": _opencv(deep, ".ppm"),
        "grey.pgm": _opencv(grey, ".pgm"),
        "bits.pbm": _opencv(grey, ".pbm"),
        "still.gif": _pillow(_rgb(colour).quantize(128), "GIF"),
        "colour.jp2": _opencv(colour, ".jp2"),
        "grey.jp2": _opencv(grey, ".jp2"),
        "deep.jp2": _opencv(deep, ".jp2"),
        "colour.avif": _opencv(colour, ".avif", cv2.IMWRITE_AVIF_QUALITY, 80),
        "alpha.avif": _opencv(alpha, ".avif", cv2.IMWRITE_AVIF_QUALITY, 80),
    }
    return {name: data for name, data in files.items() if data}


_TIFF_BARE = (cv2.IMWRITE_TIFF_COMPRESSION, 1)

SOUNDS = {
    "16.wav": ("WAV", "PCM_16"),
    "8.wav": ("WAV", "PCM_U8"),
    "24.wav": ("WAV", "PCM_24"),
    "float.wav": ("WAV", "FLOAT"),
    "ulaw.wav": ("WAV", "ULAW"),
    "ima.wav": ("WAV", "IMA_ADPCM"),
    "ms.wav": ("WAV", "MS_ADPCM"),
    "extensible.wav": ("WAVEX", "PCM_24"),
    "16.aiff": ("AIFF", "PCM_16"),
    "24.aiff": ("AIFF", "PCM_24"),
    "float.aifc": ("AIFF", "FLOAT"),
    "16.flac": ("FLAC", "PCM_16"),
    "24.flac": ("FLAC", "PCM_24"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.opus": ("OGG", "OPUS"),
    "layer3.mp3": ("MP3", "MPEG_LAYER_III"),
    "16.au": ("AU", "PCM_16"),
    "float.au": ("AU", "FLOAT"),
    "ulaw.au": ("AU", "ULAW"),
    "16.caf": ("CAF", "PCM_16"),
    "float.caf": ("CAF", "FLOAT"),
    "alac.caf": ("CAF", "ALAC_16"),
    "16.w64": ("W64", "PCM_16"),
    "float.w64": ("W64", "FLOAT"),
    "16.rf64": ("RF64", "PCM_16"),
}


def sounds() -> Seeds:
    """Return sounds by name, its suffix the format's; some mono, some stereo."""
    samples, rate = soundfile.read(SAMPLES / "audio/strings/chord.flac", always_2d=True)
    mono = samples[: int(rate * SECONDS), :1]
    stereo = np.hstack([mono, mono[::-1] / 2])
    files = {}
    for number, (name, (container, subtype)) in enumerate(SOUNDS.items()):
        wanted = 48_000 if subtype == "OPUS" else rate
        buffer = io.BytesIO()
        soundfile.write(buffer, stereo if number % 2 else mono, wanted, subtype=subtype, format=container)
        files[name] = buffer.getvalue()
    return files


def arrays() -> Seeds:
    """Return arrays by name: every kind of number, both byte and memory orders, archives as numpy writes them."""
    rng = np.random.default_rng(0)
    values, labels = rng.normal(0, 40, (60, 5)), np.arange(60) % 10
    files = {f"{dtype}.npy": _npy(values.astype(dtype)) for dtype in ("i1", "u2", "i4", "i8", "f2", "f4", "f8")}
    files["swapped.npy"] = _npy(values.astype(">f4"))
    files["fortran.npy"] = _npy(np.asfortranarray(values))
    for name, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
        buffer = io.BytesIO()
        save(buffer, x=values, y=labels, names=np.array(["one", "two"]), small=values.astype(np.float16))
        files[f"{name}.npz"] = buffer.getvalue()
    return files


def _npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


KINDS: dict[str, Callable[[], Seeds]] = {"images": pictures, "audio": sounds, "arrays": arrays}


def _picture(name: str) -> Array:
    picture = cv2.imread(str(SAMPLES / name), cv2.IMREAD_UNCHANGED)
    assert picture is not None, f"{name} cannot be read"
    return picture[40 : 40 + SIZE[1], 50 : 50 + SIZE[0], :3]


def _rgb(picture: Array) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))


def _opencv(picture: Array, suffix: str, *parameters: int) -> bytes:
    try:
        _, data = cv2.imencode(suffix, np.ascontiguousarray(picture), list(parameters))
    except cv2.error:
        # this build lacks the format
        return b""
    return bytes(data)


def _pillow(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _orientation() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = ORIENTED
    return exif
