"""Subtypes: which integers they hold, and which container holds them."""

from typing import NamedTuple

from noisecli.errors import FileFailed
from noisecli.model import SampleSpec


class Layout(NamedTuple):
    """The arrays that samples of a subtype travel in: a numpy type, and how many of its upper bits are used."""

    dtype: str
    bits: int = 0

    @property
    def shift(self) -> int:
        """How many bits lead from native units to the upper end of the type, where libsndfile has its integers."""
        return (16 if self.dtype == "int16" else 32) - self.bits if self.bits else 0


_LAYOUTS_AND_SUBTYPES = (
    (Layout("int16", 8), ("PCM_S8", "PCM_U8")),
    (Layout("int16", 16), ("PCM_16", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
    (Layout("int16", 16), ("G721_32", "G723_24", "G723_40", "ALAC_16")),
    (Layout("int32", 24), ("PCM_24", "ALAC_24")),
    (Layout("int32", 32), ("PCM_32",)),
    (Layout("float32"), ("FLOAT", "VORBIS", "OPUS", "MPEG_LAYER_III")),
    (Layout("float64"), ("DOUBLE",)),
)
LAYOUTS = {subtype: layout for layout, subtypes in _LAYOUTS_AND_SUBTYPES for subtype in subtypes}
"""All that is read. ALAC_20 and ALAC_32 are not: of noise, libsndfile 1.2.2 writes other samples than it was given."""

PADDED = {"IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32", "G723_24", "G723_40"}
"""Written in whole blocks only: the last one is filled up with silence."""

LOSSY = PADDED | {"ULAW", "ALAW", "VORBIS", "OPUS", "MPEG_LAYER_III"}
TRANSFORMED = {"VORBIS", "OPUS", "MPEG_LAYER_III"}
"""Encoders that take floats of any size but abort or loop on NaN."""

_PCM = ("PCM_16", "PCM_24", "PCM_32")
_FLOAT_AND_LAW = ("FLOAT", "DOUBLE", "ULAW", "ALAW")
HOLDS: dict[str, tuple[str, ...]] = {
    "wav": ("PCM_U8", *_PCM, *_FLOAT_AND_LAW, "IMA_ADPCM", "MS_ADPCM", "GSM610"),
    "aiff": ("PCM_S8", "PCM_U8", *_PCM, *_FLOAT_AND_LAW, "IMA_ADPCM", "GSM610"),
    "au": ("PCM_S8", *_PCM, *_FLOAT_AND_LAW, "G721_32", "G723_24", "G723_40"),
    "caf": ("PCM_S8", *_PCM, *_FLOAT_AND_LAW, "ALAC_16", "ALAC_24"),
    "w64": ("PCM_U8", *_PCM, *_FLOAT_AND_LAW, "IMA_ADPCM", "MS_ADPCM", "GSM610"),
    "rf64": ("PCM_U8", *_PCM, *_FLOAT_AND_LAW),
    "flac": ("PCM_S8", "PCM_16", "PCM_24"),
    "ogg": ("VORBIS", "OPUS"),
    "mp3": ("MPEG_LAYER_III",),
}

_NEXT_BEST: dict[str, tuple[str, ...]] = {
    "PCM_S8": ("PCM_U8",),
    "PCM_U8": ("PCM_S8",),
    "ALAC_24": ("PCM_24",),
    **dict.fromkeys(("ULAW", "ALAW", "ALAC_16", *sorted(PADDED)), ("PCM_16",)),
    **dict.fromkeys(sorted(TRANSFORMED), ("FLOAT",)),
}


def choose_subtype(source: str, target: str, as_float32: bool) -> str:
    """Return the subtype that a target format holds of a source's: of the same depth, or float32 where it was made so.

    Raises FileFailed, naming formats that fit.
    """
    if target not in HOLDS:
        raise FileFailed("no-encoder", f"audio is not written as {target}; choose {_join(list(HOLDS))}")
    if target in ("ogg", "mp3"):
        return source if source in HOLDS[target] else HOLDS[target][0]
    wanted = ("FLOAT",) if as_float32 else (source, *_NEXT_BEST.get(source, ()))
    for subtype in wanted:
        if subtype in HOLDS[target]:
            return subtype
    fitting = [name for name, held in HOLDS.items() if set(wanted) & set(held)]
    raise FileFailed("no-encoder", f"{target} does not hold {wanted[-1]} samples; choose {_join(fitting)}")


def _join(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]


def describe_samples(subtype: str, frames: int, channels: int, sample_rate: int) -> SampleSpec:
    """Return the spec of a subtype's samples in native units."""
    layout = LAYOUTS[subtype]
    scale = float(1 << (layout.bits - 1)) if layout.bits else 1.0
    high = scale - 1 if layout.bits else 1.0
    return SampleSpec(layout.dtype, (frames, channels), scale, -scale, high, sample_rate=sample_rate)


def layout_of(spec: SampleSpec) -> Layout:
    """Return the layout of the arrays a spec describes."""
    return Layout(spec.dtype, 0 if spec.is_float else int(spec.full_scale).bit_length())
