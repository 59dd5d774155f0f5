"""Frozen records that travel between the floors. Light: the parent process loads no numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["images", "audio"]

Warn = Literal[
    "wrong-suffix",
    "trailing-data",
    "decoder-warning",
    "metadata-lost",
    "palette-to-colour",
    "cmyk-to-colour",
    "grey-alpha-to-colour-alpha",
    "transparency-to-alpha",
    "name-not-utf8",
    "not-finite",
    "overshoot",
]
"""The fixed words of a row's `warnings`."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a suffix stands for."""

    name: str
    kind: Kind
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Checked on the header, before anything is decoded."""

    max_pixels: int = 178_956_970
    max_bytes: int = 1 << 40


@dataclass(frozen=True, slots=True)
class Encoding:
    """How outputs are encoded where it differs from the source; None keeps the source's way."""

    format: str | None = None
    quality: int | None = None
    subsampling: str | None = None


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """What decoded samples mean.

    Attributes
    ----------
    dtype
        numpy name of the arrays that blocks() yields and write() takes: "uint8", "uint16", "int16", "int32", "float32"...
    shape
        Pictures: (height, width) or (height, width, channels), with the number of frames in front when there are
        several. Sounds: (frames, channels); frames is -1 when the file does not say.
    full_scale
        The native value that is 100%: 255, 65535, 1.0; sounds 2**(bits-1) or 1.0.
    low, high
        Lowest and highest native value a sample may take; the clip.
    noisy_channels
        How many leading channels get noise, when not all do: alpha stays behind them.
    sample_rate
        Frames per second of a sound.
    """

    dtype: str
    shape: tuple[int, ...]
    full_scale: float
    low: float
    high: float
    noisy_channels: int | None = None
    sample_rate: int | None = None

    @property
    def is_float(self) -> bool:
        """Whether samples are floating point."""
        return self.dtype.startswith("float")

    def as_float32(self) -> SampleSpec:
        """Return the spec of the same samples divided by full scale, as float32."""
        if self.is_float:
            return replace(self, dtype="float32")
        return replace(self, dtype="float32", full_scale=1.0, low=self.low if self.low == 0 else -1.0, high=1.0)
