"""Did an output keep the samples of its source? Pillow is asked about pictures: another reader with other code."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageOps

Array = NDArray[Any]

SAME, DIFFERENT, REFUSED, NOT_COMPARED = "same", "different", "refused by the peer", "not compared"
LOSSLESS = {".png", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pbm"}
MEAN_OF_LOSSY = {".jpg": 4.0, ".webp": 12.0, ".avif": 12.0, ".jp2": 12.0}
DECODERS_DIFFER = {".jpg": 1.5, ".webp": 1.0, ".avif": 2.0, ".jp2": 1.0}
CMYK_MEAN = 16.0
FAR = 40
"""A difference that no rounding explains; a thousandth of the samples may have it in lossy formats."""
_SIXTEEN = ("I;16", "I;16B", "I;16L", "I;16N")

Image.MAX_IMAGE_PIXELS = None


def picture(source: Path, output: Path) -> tuple[str, str]:
    """Compare a picture with what noisecli made of it without noise; return the finding and what differs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, mode = _by_pillow(source)
    except (OSError, SyntaxError, ValueError, TypeError, EOFError, MemoryError, KeyError, IndexError) as error:
        return REFUSED, f"{type(error).__name__}: {error}"
    except Exception as error:
        return REFUSED, f"{type(error).__name__}: {error} (Pillow's own bug)"
    ours = _by_opencv(output)
    return _compared(ours, theirs, mode, source.suffix, output.suffix)


def _compared(ours: Array, theirs: Image.Image, mode: str, was: str, now: str) -> tuple[str, str]:
    if ours.shape[:2] != (theirs.height, theirs.width):
        return DIFFERENT, f"{ours.shape[1]}x{ours.shape[0]}, not {theirs.width}x{theirs.height}"
    if now == ".gif":
        return NOT_COMPARED, "few colours"
    difference = np.abs(ours.astype(np.int16) - _like(theirs, ours))
    mean, far = float(difference.mean()), float((difference > FAR).mean())
    told = f"mode {mode}, mean difference {mean:.2f}, largest {difference.max()}, far {far:.2%}"
    allowed = DECODERS_DIFFER.get(was, 0.0) + MEAN_OF_LOSSY.get(now, 0.0)
    if mode == "CMYK":
        return (SAME if mean <= CMYK_MEAN else DIFFERENT), told
    if allowed == 0:
        return (SAME if difference.max() <= 1 else DIFFERENT), told
    exact = now in LOSSLESS
    return (SAME if mean <= allowed and (far <= 0.001 or not exact) else DIFFERENT), told


def _by_pillow(path: Path) -> tuple[Image.Image, str]:
    with Image.open(path) as opened:
        opened.load()
        mode = opened.mode
        return ImageOps.exif_transpose(opened), mode


def _by_opencv(path: Path) -> Array:
    """Return 8-bit samples, RGB or RGBA or grey, the way up they are meant."""
    data = path.read_bytes()
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None, f"OpenCV cannot read what noisecli wrote: {path}"
    if decoded.dtype == np.uint16:
        decoded = decoded // 256
    elif decoded.dtype.kind == "f":
        decoded = np.clip(np.nan_to_num(decoded) * 255, 0, 255).round()
    samples = decoded.astype(np.uint8)
    if samples.ndim == 3:
        samples = samples[..., [2, 1, 0, 3][: samples.shape[2]]]
    # OpenCV turns TIFF by itself
    return samples if path.suffix == ".tif" else _turned(samples, data)


def _turned(samples: Array, data: bytes) -> Array:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            orientation = opened.getexif().get(274, 1)
    except (OSError, SyntaxError, ValueError):
        return samples
    exif = Image.Exif()
    exif[274] = orientation
    flat = Image.fromarray(samples)
    flat.info["exif"] = exif.tobytes()
    flat.getexif()[274] = orientation
    return np.asarray(ImageOps.exif_transpose(flat))


def _like(theirs: Image.Image, ours: Array) -> Array:
    """Return Pillow's samples in as many channels as ours."""
    if theirs.mode in _SIXTEEN or theirs.mode == "I":
        return _spread((np.asarray(theirs).astype(np.int64) >> 8).astype(np.int16), ours)
    if theirs.mode == "F":
        return _spread(np.clip(np.nan_to_num(np.asarray(theirs)) * 255, 0, 255).round().astype(np.int16), ours)
    wanted = "L" if ours.ndim == 2 else {3: "RGB", 4: "RGBA"}[ours.shape[2]]
    return np.asarray(theirs.convert(wanted)).astype(np.int16)


def _spread(grey: Array, ours: Array) -> Array:
    return grey if ours.ndim == 2 else np.repeat(grey[..., None], ours.shape[2], axis=2)


def sound(source: Path, output: Path) -> tuple[str, str]:
    """Compare a sound with what noisecli made of it without noise, both read by soundfile."""
    try:
        theirs, rate = soundfile.read(source, always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:
        return REFUSED, str(error)
    info = soundfile.info(output)
    ours, our_rate = soundfile.read(output, always_2d=True)
    if source.suffix == ".w64" and len(ours):
        # libsndfile plays what follows the samples of a W64 too; noisecli leaves it
        theirs = theirs[: len(ours)]
    if info.subtype in ("VORBIS", "OPUS", "MPEG_LAYER_III", "IMA_ADPCM", "MS_ADPCM"):
        return NOT_COMPARED, "lossy"
    if (ours.shape, our_rate) != (theirs.shape, rate):
        return DIFFERENT, f"{ours.shape} at {our_rate} Hz, not {theirs.shape} at {rate} Hz"
    step = 2.0**-15 if info.subtype in ("PCM_16", "PCM_U8", "PCM_S8", "ULAW", "ALAW") else 2.0**-22
    both = np.clip(np.nan_to_num(ours), -1e6, 1e6), np.clip(np.nan_to_num(theirs), -1e6, 1e6)
    largest = float(np.abs(both[0] - both[1]).max(initial=0.0))
    return (SAME if largest <= step * max(1.0, float(np.abs(both[1]).max(initial=0))) else DIFFERENT), f"{largest:g}"


def arrays(source: Path, output: Path) -> tuple[str, str]:
    """Compare arrays with what noisecli made of them without noise, both read by numpy."""
    try:
        theirs = _by_numpy(source)
    except Exception as error:
        return REFUSED, f"{type(error).__name__}: {error}"
    ours = _by_numpy(output)
    if ours.keys() != theirs.keys():
        return DIFFERENT, f"{sorted(ours)}, not {sorted(theirs)}"
    for name, array in theirs.items():
        with np.errstate(over="ignore", invalid="ignore"):
            expected = array.astype(ours[name].dtype)
        if expected.shape != ours[name].shape or expected.tobytes() != ours[name].tobytes():
            return DIFFERENT, f"array {name!r}"
    return SAME, f"{len(ours)} arrays"


def _by_numpy(path: Path) -> dict[str, Array]:
    with open(path, "rb") as file:
        loaded = np.load(file)
        return dict(loaded) if isinstance(loaded, np.lib.npyio.NpzFile) else {"": loaded}


_READERS = {"images": picture, "audio": sound, "arrays": arrays}


def of_output(kind: str, source: Path, output: Path) -> tuple[str, str]:
    return _READERS[kind](source, output)


def samples(path: Path) -> tuple[tuple[int, ...], bytes]:
    """Return shape and samples, to compare two outputs of the same program."""
    if path.suffix in (".npy", ".npz"):
        loaded = _by_numpy(path)
        return (len(loaded),), b"".join(repr(item).encode() + item[1].tobytes() for item in loaded.items())
    data = path.read_bytes()
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if path.suffix in PICTURES else None
    if decoded is None:
        decoded, _ = soundfile.read(path, always_2d=True, dtype="float64")
    return decoded.shape, decoded.tobytes()


PICTURES = {*LOSSLESS, *MEAN_OF_LOSSY, ".gif"}
