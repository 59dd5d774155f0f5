"""What was asked for, as one frozen record, and the key that drives resume."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, TypeVar

from noisecli.keys import STREAM_VERSION
from noisecli.model import Encoding, Level, Limits
from noisecli.shards import Shard

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class NoiseSettings:
    """Which noise.

    Attributes
    ----------
    mask
        Images: the folder of masks, or one mask, as a path or URL; noise goes where they are not black.
    patch
        Images: the least and the most pixels of the side of a square at a drawn place, in which alone noise goes.
    """

    levels: tuple[Level, ...]
    seed: int = 0
    copies: int = 1
    probability: float = 1.0
    shared_channels: bool = False
    clip: bool = True
    dtype: str | None = None
    full_scale: float | None = None
    range: tuple[float, float] | None = None
    mask: str | None = None
    patch: tuple[int, int] | None = None
    shared_probability: float | None = None
    snr_of: Literal["active"] | None = None


class Own(Protocol):
    """Settings that one kind alone has."""

    def fingerprint_fields(self) -> dict[str, Any]:
        """Return what of it changes an output's bytes, below a key of its own in run.json."""


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Which outputs."""

    encoding: Encoding = field(default_factory=Encoding)
    with_clean: bool = False
    with_std_map: bool = False
    name: str | None = None
    sidecars: Literal["skip", "copy", "link"] = "skip"
    manifest: str = "manifest.jsonl"
    tar: int | None = None
    """How many samples go into a tar, where files are packed into tars."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which sources. `names` replaces the walk: relative to the source folder.

    With `follow_links`, symbolic links out of the source folder are followed too. `is_one_file` is set where SRC itself
    is a file. `shard` is the part of all this that the run makes. `beside` are files that the request was read from: a
    list of names, a model, its classes. `aside` are folders in the source folder whose files are side files: masks.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    limit: int | None = None
    follow_links: bool = False
    is_one_file: bool = False
    shard: Shard | None = None
    beside: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """How it is carried out; nothing here changes an output's bytes."""

    engine: str = "local"
    jobs: int = 1
    timeout: float = 60.0
    limits: Limits = field(default_factory=Limits)
    stop_on_error: bool = False
    ignore_errors: bool = False
    max_failures: int | None = None
    force: bool = False
    redo: bool = False
    checksum: bool = False
    prune: bool = False
    fsync: bool = False
    depfile: str | None = None


@dataclass(frozen=True)
class Settings:
    """One whole request.

    Attributes
    ----------
    source, destination
        Folders; a request for one file names the folder it is in and the file in `choice.names`. Latents: no source.
    own
        What only this kind has.
    """

    kind: str
    source: str
    destination: str
    noise: NoiseSettings
    output: OutputSettings = field(default_factory=OutputSettings)
    choice: Choice = field(default_factory=Choice)
    running: Running = field(default_factory=Running)
    own: Own | None = None

    def fingerprint_fields(self) -> dict[str, Any]:
        """Every field that changes the bytes of an output, but the level and the copy, which its row records."""
        noise = asdict(self.noise)
        for recorded_by_row in ("levels", "copies"):
            del noise[recorded_by_row]
        for newer in ("range", "mask", "patch", "shared_probability", "snr_of"):
            if noise[newer] is None:
                # a hash from before there was this option stays
                del noise[newer]
        if "mask" in noise:
            # which masks they are, rows record
            noise["mask"] = True
        mean = self.noise.levels[0].mean
        encoding = asdict(self.output.encoding)
        clean = self.output.with_clean
        own = {} if self.own is None else self.own.fingerprint_fields()
        fields = {"kind": self.kind, "stream": STREAM_VERSION, "mean": mean, "with_clean": clean}
        # as above: where it was not given, hashes stay
        std_map = {"with_std_map": True} if self.output.with_std_map else {}
        return {**fields, **std_map, **noise, **encoding, **own}

    @property
    def template(self) -> str:
        """How outputs are named, as --name says it."""
        usual = "{stem}{ext}" if self.noise.copies == 1 else "{stem}-{copy}{ext}"
        return usual if self.output.name is None else self.output.name

    @cached_property
    def key(self) -> str:
        """The hash of fingerprint_fields()."""
        return key_of(self.fingerprint_fields())


def own_settings(settings: Settings, wanted: type[Kept]) -> Kept:
    """Return a request's settings of one kind alone, which are of the class that this kind has."""
    if not isinstance(settings.own, wanted):
        raise TypeError(f"noisecli {settings.kind} has no {wanted.__name__}")
    return settings.own


def key_of(fields: dict[str, Any]) -> str:
    """Return the hash of settings as run.json holds them, 64 bits in hex."""
    text = json.dumps(fields, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8, person=b"noisecli-set").hexdigest()
