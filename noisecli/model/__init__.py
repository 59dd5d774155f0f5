"""Frozen records that travel between the floors. Light: the parent process loads no numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from noisecli.effects import Effect
from noisecli.model.files import BESIDE, FileKeys
from noisecli.model.level import AskedNoise, Level, Noise, Quantity
from noisecli.tarjob import TarJob

__all__ = [
    "DECODED_FLOOR",
    "DECODED_RATIO",
    "AskedNoise",
    "Encoding",
    "Level",
    "Limits",
    "Made",
    "Noise",
    "Outcome",
    "Problem",
    "Quantity",
    "SampleSpec",
    "SideFile",
    "Survival",
    "Task",
]

DECODED_RATIO = 100
DECODED_FLOOR = 1 << 27
"""A photograph or a recording never decodes to a hundred times its size; 128 MiB are no harm in any case."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Checked on the header, before anything is decoded.

    Attributes
    ----------
    max_decoded
        Bytes of a file's samples and the metadata it carries, decoded; None: DECODED_RATIO times the file's own size,
        DECODED_FLOOR at least.
    """

    max_pixels: int = 178_956_970
    max_bytes: int = 1 << 40
    max_decoded: int | None = None

    def most_decoded(self, size: int) -> int:
        """Return how many bytes a file of so many bytes may decode to."""
        return max(DECODED_RATIO * size, DECODED_FLOOR) if self.max_decoded is None else self.max_decoded


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
        numpy name of the arrays that blocks() yields and write() takes: "uint8", "int16", "int32", "float32"; of arrays
        and weights any integer or real floating type.
    shape
        Pictures: (height, width) or (height, width, channels), the number of frames in front when there are several.
        Sounds: (frames, channels); frames is -1 when the file does not say. Arrays and weights: any.
    full_scale
        The native value that is 100%: 255, 65535, 1.0; audio 2**(bits-1) or 1.0. Arrays and weights: 1.0.
    low, high
        Lowest and highest native value a sample may take; the clip.
    noisy_channels
        How many leading channels get noise, when not all do: alpha stays behind them.
    sample_rate
        Frames per second of an audio file.
    nodata
        The value of samples that were not measured: they stay, and no other sample gets it.
    fortran_order
        Whether the samples of an array come with the first axis running fastest.
    components
        How many samples one element of an array is: of a complex number two, its real and its imaginary part. `dtype`
        is that of a part, `shape` that of the array.
    """

    dtype: str
    shape: tuple[int, ...]
    full_scale: float
    low: float
    high: float
    noisy_channels: int | None = None
    sample_rate: int | None = None
    fortran_order: bool = False
    nodata: float | None = None
    components: int = 1

    @property
    def stored_dtype(self) -> str:
        """The type of an element: of a pair of floats the complex type."""
        return self.dtype if self.components == 1 else {"float32": "complex64", "float64": "complex128"}[self.dtype]

    @property
    def is_float(self) -> bool:
        """Whether samples are floating point."""
        return self.dtype.startswith("float")

    def as_float32(self) -> SampleSpec:
        """Return the spec of the same samples divided by full scale, as float32."""
        if self.is_float:
            return replace(self, dtype="float32")
        return replace(self, dtype="float32", full_scale=1.0, low=self.low if self.low == 0 else -1.0, high=1.0)


class Task(NamedTuple):
    """One output to be made. Strings and numbers only: it travels to a worker.

    Attributes
    ----------
    source
        Relative path below the source folder, as the file system spells it; empty where there is none (latents).
    output, clean_output, std_map_output
        Relative paths below the destination, UTF-8.
    level, copy
        Which noise.
    key
        The stream's 128 bits.
    size
        Bytes of the source, for the time limit.
    measure_survival
        Whether to read the output back if it is lossy, and report what share of the noise it kept.
    span
        Latents: the number of the first, and how many.
    extra
        What was worked out for this output before, pickled by its kind's own maker for itself.
    replaces
        The outputs among its files that may take the place of a file: a row lists it, or --force was given. With tars,
        the tars that may.
    tar
        Where the output is a member of a tar.
    """

    source: str
    output: str
    clean_output: str | None
    level: Level
    copy: int
    key: bytes
    size: int
    measure_survival: bool = False
    span: tuple[int, int] | None = None
    extra: bytes = b""
    replaces: tuple[str, ...] = ()
    tar: TarJob | None = None
    std_map_output: str | None = None

    @property
    def beside(self) -> dict[FileKeys, str]:
        """The files beside the output, those that there are."""
        found = zip(BESIDE, (self.clean_output, self.std_map_output), strict=True)
        return {keys: name for keys, name in found if name}

    @property
    def names(self) -> list[str]:
        """The outputs: the noisy one, and those beside it."""
        return [self.output, *self.beside.values()]

    @property
    def origin(self) -> str:
        """What a problem names: the source, or the output where there is none."""
        return self.source or self.output


Survival = dict[str, float]
"""What a lossy format left of the noise: shares named std and correlated."""


class SideFile(NamedTuple):
    """A file beside the data, and where it goes.

    Attributes
    ----------
    source, name
        Relative to the source folder, as the file system spells it, and to the destination.
    make
        Returns the content, where it is not the source's own; called in the parent. It may raise FileProblem.
    also_from
        Further files of the source folder that this content is made from.
    """

    source: str
    name: str
    make: Callable[[], bytes] | None = None
    also_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """Outcome: an output in place, with its manifest row as a line of JSON without its end.

    `survival` holds, when it was asked for, what the output kept of the noise; None where nothing was added or the
    decoded length differs. `applied` is False where no sample changed. `noised` names, of an archive, the arrays that
    noise was put on, `not_noised` arrays of numbers that were left alone where none was chosen by name. `size` counts
    the bytes written, those of the clean copy too.
    """

    output: str
    row: str
    survival: dict[str, Survival | None]
    warnings: tuple[str, ...]
    applied: bool
    noised: tuple[str, ...] = ()
    not_noised: tuple[str, ...] = ()
    effect: Effect = field(default_factory=Effect)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Outcome: a source that failed or was skipped.

    Attributes
    ----------
    trace
        Of a bug of ours, its traceback: for standard error alone, as it is not the same text in every process.
    """

    source: str
    status: Literal["failed", "skipped"]
    reason: str
    message: str
    trace: str = field(default="", repr=False, compare=False)

    def as_entry(self) -> dict[str, str]:
        """Return its entry in errors.jsonl and --json."""
        return {"source": self.source, "status": self.status, "reason": self.reason, "message": self.message}


Outcome = Made | Problem
