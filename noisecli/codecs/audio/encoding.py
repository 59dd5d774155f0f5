"""How an output is encoded: container, subtype, quality, decided before anything is written."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import soundfile

from noisecli.codecs import Source
from noisecli.codecs.audio.header import Header
from noisecli.codecs.audio.places import Channels, choose_channels, must_tell, places_of
from noisecli.codecs.audio.subtypes import HOLDS, LAYOUTS, PADDED, choose_subtype
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Encoding, SampleSpec

LARGEST = (1 << 32) - (1 << 20)
"""Bytes of samples that 32-bit sizes hold, a megabyte kept for headers and tags."""

CONTAINERS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3", "aiff": "AIFF"}
CONTAINERS |= {"au": "AU", "caf": "CAF", "w64": "W64", "rf64": "RF64"}
_LIMITED = ("WAV", "WAVEX", "AIFF", "AU")
_QUALITY = {"VORBIS": 100, "OPUS": 50, "MPEG_LAYER_III": 100}
"""Share of white noise at 10 dB SNR that comes back, by correlation, mono, 44.1 kHz (Opus: 16 kHz): Vorbis .999 at 100
(.989 at 95, .857 at 50), MP3 .971 at 100 with a variable rate (.906 at a constant 320 kbit/s), Opus 1.003 at 50."""
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_MOST_VORBIS_RATE, _MOST_VORBIS_CHANNELS = 200_000, 255
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


@runtime_checkable
class Described(Source, Protocol):
    """An audio source and how its file is encoded, in soundfile's words; `tags` are those that libsndfile knows."""

    container: str
    subtype: str
    endian: str
    header: Header
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """soundfile's settings for one output."""

    format: str
    """noisecli's word for the output's format."""
    container: str
    subtype: str
    endian: str
    """These three are soundfile's words."""
    compression_level: float | None
    """0 to 1, None where it does not apply."""
    frame_bytes: int
    """Bytes of one frame, 0 where frames have no fixed size."""
    most_frames: int
    """Frames that the container can hold."""
    channels: Channels


def choose_target(source: Described, spec: SampleSpec, encoding: Encoding) -> Target:
    """Decide how to encode blocks of `spec` that come from `source`. Raises FileFailed, naming what fits."""
    if encoding.subsampling is not None:
        raise FileFailed("no-encoder", "audio has no chroma to subsample; omit --subsampling")
    wanted = encoding.format or source.format
    if wanted not in HOLDS and encoding.format is None:
        fits = "wav or flac" if source.subtype in ("PCM_U8", "PCM_16", "PCM_24") else "wav"
        raise FileSkipped("unsupported-format", f"is {wanted}, which is read and not written; add --format {fits}")
    subtype = choose_subtype(source.subtype, wanted, as_float32=spec.dtype == "float32" != source.spec.dtype)
    container = source.container if wanted == source.format else CONTAINERS[wanted]
    frames, channels = spec.shape
    places = places_of(source.format, source.header.places, channels)
    if container == "WAV" and source.format != "wav" and must_tell(places, channels) and subtype not in PADDED:
        container = "WAVEX"
    frame_bytes = 0 if wanted == "flac" else _measure_frame(subtype, channels)
    container = _choose_container(container, subtype, frames * frame_bytes)
    _check_encoder(subtype, channels, spec.sample_rate or 0)
    return Target(
        "rf64" if container == "RF64" else wanted,
        container,
        subtype,
        _choose_endian(source, container, subtype),
        _choose_level(subtype, encoding.quality),
        frame_bytes,
        LARGEST // (frame_bytes or 1) if container in _LIMITED else 1 << 62,
        choose_channels(source.format, wanted, container, places, channels),
    )


def _measure_frame(subtype: str, channels: int) -> int:
    """Return bytes of a frame in a container of fixed-size samples, 0 for other encodings."""
    sizes = {"FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1}
    bits = LAYOUTS[subtype].bits if subtype.startswith("PCM_") else 8 * sizes.get(subtype, 0)
    return bits // 8 * channels


def _choose_container(container: str, subtype: str, size: int) -> str:
    """A WAV past 4 GiB is written as RF64; AIFF and AU end there."""
    if size <= LARGEST or container not in _LIMITED:
        return container
    if container in ("WAV", "WAVEX") and subtype in HOLDS["rf64"]:
        return "RF64"
    raise FileFailed("no-encoder", f"{size:,} bytes of samples are too many for {container}; choose w64, rf64 or caf")


def _choose_endian(source: Described, container: str, subtype: str) -> str:
    """Keep the source's byte order where the same container and this subtype have it."""
    if container != source.container or source.endian == "FILE":
        return "FILE"
    return source.endian if soundfile.check_format(container, subtype, source.endian) else "FILE"


def _check_encoder(subtype: str, channels: int, sample_rate: int) -> None:
    """The limits of the lossy encoders, in words; libsndfile's own are numbers."""
    if subtype == "MPEG_LAYER_III" and channels > 2:
        raise FileFailed("no-encoder", f"MP3 holds 2 channels, not {channels}; choose ogg, flac or wav")
    if subtype == "MPEG_LAYER_III" and sample_rate not in _MP3_RATES:
        raise FileFailed("no-encoder", f"MP3 has no {sample_rate:,} Hz (48,000 at most); choose ogg, flac or wav")
    if subtype == "OPUS" and sample_rate not in _OPUS_RATES:
        raise FileFailed("no-encoder", f"Opus has no {sample_rate:,} Hz; choose flac or wav")
    if subtype == "VORBIS" and (sample_rate > _MOST_VORBIS_RATE or channels > _MOST_VORBIS_CHANNELS):
        # libsndfile ends the process when it closes such a file
        raise FileFailed("no-encoder", f"Vorbis holds no {channels} channels at {sample_rate:,} Hz; choose wav")


def _choose_level(subtype: str, quality: int | None) -> float | None:
    if subtype not in _QUALITY:
        if quality is not None:
            raise FileFailed("no-encoder", f"{subtype} has no quality to choose; omit --quality, or choose ogg or mp3")
        return None
    return 1.0 - (quality or _QUALITY[subtype]) / 100
