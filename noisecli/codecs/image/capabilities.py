"""What each output format can hold."""

from noisecli.codecs.image.header import Header
from noisecli.errors import FileFailed
from noisecli.model import SampleSpec

_NAMES = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff", "apng": "png", "dib": "bmp"}
_NAMES |= {"heif": "heic", "hif": "heic"}
_NAMES |= dict.fromkeys(("pbm", "pgm", "ppm"), "pnm")

_EIGHT, _BYTES = ("uint8",), ("uint8", "uint16")
_ALL = (*_BYTES, "int16", "int32", "float32", "float64")

SAMPLES = {
    "png": (_BYTES, (1, 3, 4), 1 << 20),
    "tiff": (_ALL, (1, 3, 4), 1 << 20),
    "pnm": (_BYTES, (1, 3), 1 << 20),
    "jpeg": (_EIGHT, (1, 3), 65500),
    "webp": (_EIGHT, (1, 3, 4), 16383),
    "bmp": (_EIGHT, (1, 3, 4), 1 << 20),
    "avif": (_BYTES, (1, 3, 4), 65536),
    "jp2": (_BYTES, (1, 3, 4), 1 << 20),
    "j2k": (_BYTES, (1, 3, 4), 1 << 20),
    "gif": (_EIGHT, (1, 3, 4), 65535),
    "heic": (_BYTES, (1, 3, 4), 16384),
}
"""Format -> (dtypes, channels, longest side), those first that are named when another does not fit."""

_PAYLOADS = frozenset(("exif", "xmp", "icc"))
METADATA = {"webp": _PAYLOADS, "avif": _PAYLOADS, "heic": _PAYLOADS, "tiff": frozenset(("xmp", "icc", "density"))}
METADATA |= dict.fromkeys(("jpeg", "png"), _PAYLOADS | {"density"})
"""What travels with a format's samples; nothing with the other formats'."""

_SHORTEST_JP2_SIDE = 32
"""OpenCV's encoder halves six times, and has no word to stop it."""
_AVIF_SCALES = (1023.0, 4095.0)
_JP2_SCALES = tuple(float((1 << bits) - 1) for bits in range(9, 16))


def name_of(word: str) -> str:
    """Return the format a word of --format means."""
    word = word.lower().lstrip(".")
    name = _NAMES.get(word, word)
    if name not in SAMPLES:
        raise FileFailed("no-encoder", f"no image format is called {word}; choose one of {', '.join(SAMPLES)}")
    return name


def channels_of(spec: SampleSpec, frames: int) -> int:
    """Return how many samples a pixel has."""
    image = spec.shape[1:] if frames > 1 else spec.shape
    return image[2] if len(image) == 3 else 1


def check(name: str, spec: SampleSpec, header: Header) -> None:
    """Refuse samples that the format cannot hold, naming one that can."""
    problem = _problem(name, spec, header)
    if problem is None:
        return
    fitting = next((other for other in SAMPLES if _problem(other, spec, header) is None), "tiff")
    raise FileFailed("no-encoder", f"{name} cannot hold {problem}; choose --format {fitting}")


def _problem(name: str, spec: SampleSpec, header: Header) -> str | None:
    if name == "tiff" and header.format == "tiff" and not header.by_opencv:
        return None
    dtypes, channels, longest = SAMPLES[name]
    if spec.dtype not in dtypes:
        return f"{spec.dtype} samples"
    if header.bands and name != "tiff":
        return f"{channels_of(spec, header.frames)} bands"
    if header.multiplied and name != "tiff":
        return "colours multiplied by their transparency"
    if channels_of(spec, header.frames) not in channels:
        return "transparency"
    if header.frames > 1 and name != "tiff":
        return "several pages"
    if max(header.width, header.height) > longest:
        return f"more than {longest} pixels a side"
    if name in ("jp2", "j2k") and min(header.width, header.height) < _SHORTEST_JP2_SIDE:
        return f"less than {_SHORTEST_JP2_SIDE} pixels a side here"
    if name in ("avif", "heic") and spec.dtype == "uint16":
        return None if (header.full_scale or spec.high) in _AVIF_SCALES else "all 16 bits"
    if name == "pnm" or spec.is_float or header.full_scale is None:
        return None
    if name in ("jp2", "j2k") and header.full_scale in _JP2_SCALES:
        return None
    return f"samples whose highest value is {header.full_scale:g}"
