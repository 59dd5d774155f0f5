"""What outputs are recomputed with: the settings that a row's hash stands for, and the model of a gradient step."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

from noisecli.errors import Refused
from noisecli.keys import STREAM_VERSION
from noisecli.kinds import Kind
from noisecli.kinds.adversarial import AdversarySettings
from noisecli.kinds.record import tuples
from noisecli.model import Encoding, Level
from noisecli.settings import NoiseSettings, OutputSettings, Running, Settings
from noisecli.storage import escape_name, folder_at
from noisecli.verify.report import Check, Reason, Row
from noisecli.workers.mask_files import is_there

_DIGITS = 12
_MOST_IN_BATCH = 1 << 16


class Used(NamedTuple):
    """What outputs are recomputed with.

    Attributes
    ----------
    source
        The folder of the sources; empty where there are none.
    model
        The model that the gradient steps are taken on.
    mask
        The folder of masks, or the one mask.
    scratch
        The folder that outputs are recomputed in.
    """

    source: str
    model: str | None
    mask: str | None
    scratch: str
    running: Running


class Recomputation:
    """The requests of a finished run, as its run.json records them; `name` is the destination's, in messages.

    Raises
    ------
    Refused
        Where this version, the source, the model or the masks are not what the outputs were made with.
    """

    def __init__(self, kind: Kind, run: dict[str, Any], name: str, used: Used) -> None:
        self._kind, self._used = kind, used
        self._source, self._model = used.source, used.model
        self._spelled = {key: value for key, value in run["settings"].items() if isinstance(value, dict)}
        self._known: dict[str, Settings | None] = {}
        self._refuse_other_sources()
        self._refuse_other_masks()
        streams = [run.get("stream"), *(entry.get("stream") for entry in self._spelled.values())]
        if any(stream != STREAM_VERSION for stream in streams):
            raise Refused(
                f"--recompute: {name} has another version of the random stream than this noisecli makes "
                f"({STREAM_VERSION}); use noisecli {run['noisecli']}"
            )
        self._sha256 = self._digest_of_model()

    def _refuse_other_masks(self) -> None:
        mask = self._used.mask
        if mask is None and any(entry.get("mask") for entry in self._spelled.values()):
            raise Refused("--recompute: needs the masks that the run was made with: --mask DIR")
        if mask is not None and not any(entry.get("mask") for entry in self._spelled.values()):
            raise Refused(f"--mask: {self._kind.nouns} are made without masks there; omit it")
        if mask is not None and not is_there(mask):
            raise Refused(f"--mask {escape_name(mask)}: no such folder or file; name the masks")

    def _refuse_other_sources(self) -> None:
        if not self._kind.has_sources and self._source:
            raise Refused(
                f"--recompute: {self._kind.name} have no source; write it behind DST, with no folder behind it"
            )
        if self._kind.has_sources and not folder_at(self._source).exists():
            raise Refused(f"--recompute {escape_name(self._source)}: no such folder; name the sources' folder")

    def _digest_of_model(self) -> str | None:
        """Return the digest of the model, which one of the requests was made with."""
        if not self._kind.needs_model:
            if self._model is not None:
                raise Refused(f"--model: {self._kind.nouns} are made without a model; omit it")
            return None
        made = [own for spelled in self._spelled.values() if (own := _adversary(spelled)) is not None]
        digests = {own.model_sha256 for own in made}
        if self._model is None:
            words = " and ".join(f"{digest[:_DIGITS]}..." for digest in sorted(digests))
            raise Refused(f"--recompute: needs the model that the run was made with (sha256 {words}): --model FILE")
        from noisecli.kinds.adversarial.request import digest_of_recorded

        return digest_of_recorded(self._model, digests, sorted({own.backend for own in made}))

    def settings_of(self, key: str) -> tuple[Settings | None, tuple[Reason, str] | None]:
        """Return the request that a hash stands for, writing into the scratch folder; else what is wrong."""
        if key not in self._known:
            settings = self._rebuilt(self._spelled.get(key, {}))
            self._known[key] = settings if settings is not None and settings.key == key else None
        settings = self._known[key]
        if settings is None:
            message = f"run.json does not record its settings {key}; make it again with --redo"
            return None, ("unknown-settings", message)
        own = settings.own
        if isinstance(own, AdversarySettings) and own.model_sha256 != self._sha256:
            words = f"was made with another model than --model names (sha256 {own.model_sha256[:_DIGITS]}...)"
            return None, ("other-model", f"{words}; recompute it with that one")
        return settings, None

    def _rebuilt(self, spelled: dict[str, Any]) -> Settings | None:
        try:
            recorded = tuples({item.name: spelled[item.name] for item in fields(NoiseSettings) if item.name in spelled})
            level = Level("std", 0.0, 0.0, "", spelled["mean"])
            if recorded.get("mask"):
                recorded["mask"] = self._used.mask
            encoding = Encoding(**{item.name: spelled[item.name] for item in fields(Encoding)})
            output = OutputSettings(encoding, spelled["with_clean"], spelled.get("with_std_map", False))
            noise = NoiseSettings(levels=(level,), **recorded)
            own = self._kind.own.of(spelled) if self._kind.own is not None else None
            if (adversary := _adversary(spelled)) is not None:
                own = adversary._replace(model=self._model or "")
            scratch, running = self._used.scratch, self._used.running
            return Settings(self._kind.name, self._source, scratch, noise, output, running=running, own=own)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


def _adversary(spelled: dict[str, Any]) -> AdversarySettings | None:
    """Return the step that run.json records; None where somebody edited it into what no run records."""
    try:
        own = AdversarySettings.of(spelled)
    except (AttributeError, TypeError):
        return None
    if own is None or not isinstance(own.model_sha256, str) or not isinstance(own.backend, str):
        return None
    is_size = isinstance(own.batch_size, int) and 0 < own.batch_size <= _MOST_IN_BATCH
    return own if is_size and isinstance(own.classes, tuple) else None


def batches(checks: Iterator[Check]) -> Iterator[list[Check]]:
    """Cut rows of images into the batches that their gradients were computed in, as their places tell them.

    An image's place in its batch may show in its gradient, what lies in the other places does not. An archive is a
    batch by itself, and what is not recomputed is one too.
    """
    batch: list[Check] = []
    for check in checks:
        if batch and not _goes_on(batch[-1], check):
            yield batch
            batch = []
        batch.append(check)
    if batch:
        yield batch


def _goes_on(last: Check, check: Check) -> bool:
    """Whether a row belongs into the batch of the row before it."""
    if last.settings is None or last.settings is not check.settings:
        return False
    if last.row.get("source") == check.row.get("source"):
        return True
    before, place = _place(last.row), _place(check.row)
    return before is not None and place is not None and before < place


def _place(row: Row) -> int | None:
    place = row.get("place")
    return place if isinstance(place, int) else None
