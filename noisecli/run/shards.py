"""What a shard records of the whole run that it is a part of: merging compares it."""

import json
import os
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from noisecli.run.sources import Listing
from noisecli.settings import Settings


def recorded_shard(settings: Settings, found: Listing) -> dict[str, Any]:
    """Return the entry of run.json; nothing where a run is no shard.

    Its `plan` is the same for all shards whose union is the run that they stand for: those of one request over one list
    of files.
    """
    shard = settings.choice.shard
    if shard is None:
        return {}
    plan = _plan_digest(settings, found)
    return {"shard": {"number": shard.number, "of": shard.of, "settings": settings.key, "plan": plan}}


def _plan_digest(settings: Settings, found: Listing) -> str:
    noise, output = settings.noise, settings.output
    levels = [(level.canonical, level.label, level.folder) for level in noise.levels]
    # settings of one kind alone, those too that change no bytes: how many latents there are
    request = [settings.key, levels, noise.copies, output.name, output.sidecars, repr(settings.own)]
    if output.tar is not None:
        request.append(output.tar)
    digest = sha256(json.dumps(request).encode())
    names: tuple[Iterable[str], ...] = (
        found.sources,
        found.masks,
        found.sidecars,
        found.data_beside,
        sorted(found.not_chosen_names),
        sorted(name for name, _ in found.problems),
    )
    for group in names:
        digest.update(b"\0".join(map(os.fsencode, group)) + b"\0\0")
    return digest.hexdigest()[:32]
