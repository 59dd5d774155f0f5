"""What was asked for, as one frozen record, and the key that drives resume."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from noisecli.keys import STREAM_VERSION
from noisecli.model import Encoding, Kind, Level, Limits


@dataclass(frozen=True, slots=True)
class NoiseSettings:
    """Which noise."""

    levels: tuple[Level, ...]
    seed: int = 0
    copies: int = 1
    probability: float = 1.0
    shared_channels: bool = False
    clip: bool = True
    dtype: str | None = None
    full_scale: float | None = None


@dataclass(frozen=True, slots=True)
class ArraysSettings:
    """Which arrays of a file get noise, and how; for kinds whose files may hold several.

    Attributes
    ----------
    choose, leave
        Globs of names; without `choose`, what the kind chooses by itself.
    limits
        Lowest and highest value of a noisy sample.
    per_feature
        A share of each column's own std instead of the whole array's.
    """

    choose: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    per_feature: bool = False


@dataclass(frozen=True, slots=True)
class LatentsSettings:
    """Pure noise: what is made of it.

    Attributes
    ----------
    shape
        Of one latent.
    count
        How many in all.
    per_file
        How many in one file.
    """

    shape: tuple[int, ...]
    count: int
    per_file: int
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class AdversarySettings:
    """The gradient step under the noise, and the model it is taken on.

    Attributes
    ----------
    model, model_sha256
        Path of a .keras file, and the digest of what it held when the run began.
    backend
        "torch" or "jax".
    eps
        How far, a share of full scale.
    classes
        Names of class folders, in the order of the model's answers.
    input_range
        Lowest and highest value that the model takes: black and white of a picture.
    answers
        What the model's last layer gives.
    batch_size
        Samples whose gradients are computed together; the last bits of a gradient may depend on it.
    samples_key, labels_key
        Members of an .npz.
    """

    model: str
    model_sha256: str
    backend: str
    eps: float
    classes: tuple[str, ...]
    input_range: tuple[float, float]
    answers: Literal["logits", "probabilities"]
    batch_size: int = 32
    samples_key: str = "x"
    labels_key: str = "y"


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Which outputs."""

    encoding: Encoding = field(default_factory=Encoding)
    with_clean: bool = False
    name: str | None = None
    sidecars: Literal["skip", "copy", "link"] = "skip"
    manifest: str = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which sources. `names` replaces the walk: relative to the source folder."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """How it is carried out; nothing here changes an output's bytes."""

    jobs: int = 1
    timeout: float = 60.0
    limits: Limits = field(default_factory=Limits)
    stop_on_error: bool = False
    max_failures: int | None = None
    force: bool = False
    redo: bool = False
    checksum: bool = False
    prune: bool = False
    fsync: bool = False


@dataclass(frozen=True)
class Settings:
    """One whole request.

    Attributes
    ----------
    source, destination
        Folders; a request for one file names the folder it is in and the file in `choice.names`. Latents: no source.
    parts, latents, adversary
        Only for kinds that they are about.
    """

    kind: Kind
    source: str
    destination: str
    noise: NoiseSettings
    output: OutputSettings = field(default_factory=OutputSettings)
    choice: Choice = field(default_factory=Choice)
    running: Running = field(default_factory=Running)
    parts: ArraysSettings | None = None
    latents: LatentsSettings | None = None
    adversary: AdversarySettings | None = None

    def fingerprint_fields(self) -> dict[str, Any]:
        """Every field that changes the bytes of an output, but the level and the copy that its row tells."""
        noise = asdict(self.noise)
        for told_by_row in ("levels", "copies"):
            del noise[told_by_row]
        mean = self.noise.levels[0].mean
        encoding = asdict(self.output.encoding)
        clean = self.output.with_clean
        spelled = {"kind": self.kind, "stream": STREAM_VERSION, "mean": mean, "with_clean": clean, **noise, **encoding}
        if self.parts is not None:
            spelled["parts"] = asdict(self.parts)
        if self.latents is not None:
            spelled["latents"] = {"shape": self.latents.shape, "dtype": self.latents.dtype}
        if self.adversary is not None:
            spelled["adversary"] = asdict(self.adversary)
            # where the model lies changes nothing
            del spelled["adversary"]["model"]
        return spelled

    @cached_property
    def key(self) -> str:
        """Return the hash of spelled()."""
        return key_of(self.fingerprint_fields())


def key_of(spelled: dict[str, Any]) -> str:
    """Return the hash of settings as run.json spells them out, 64 bits in hex."""
    text = json.dumps(spelled, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8, person=b"noisecli-set").hexdigest()
