"""Shards that share a destination, and the whole run that they become: which of them may be there together."""

from typing import NamedTuple

from noisecli.errors import Refused
from noisecli.manifest.destination import Names, runs_in
from noisecli.shards import Shard, split_manifest
from noisecli.storage import escape_name, folder_at


class FoundShard(NamedTuple):
    """A shard that a folder shows signs of."""

    folder: str
    shard: Shard
    names: Names


def shards_in(folder: str, manifest: str) -> list[FoundShard]:
    """Return the shards of a whole run's manifest in a folder, in order."""
    family = Names.of(manifest).run
    split = ((split_manifest(names.manifest), names) for names in runs_in(folder))
    found = [
        FoundShard(folder, shard, names) for (whole, shard), names in split if shard and Names.of(whole).run == family
    ]
    return sorted(found, key=lambda each: (each.shard.of, each.shard.number, each.names.manifest))


def refuse_mixture(destination: str, manifest: str) -> None:
    """Refuse a run beside what it cannot go together with: shards and a whole run, or shards of another number."""
    whole, shard = split_manifest(manifest)
    for other in shards_in(destination, whole):
        if shard is None or other.names.manifest != Shard(other.shard.number, shard.of).manifest(whole):
            this = "the whole of it" if shard is None else f"shard {shard} of {whole}"
            raise Refused(
                f"{escape_name(destination)}: holds {other.names.manifest}, and this run is {this}; run the rest of "
                f"those {other.shard.of} shards, then noisecli merge, or choose another folder"
            )
    if shard is not None:
        _refuse_whole(destination, Names.of(whole))


def _refuse_whole(destination: str, names: Names) -> None:
    folder, shown = folder_at(destination), escape_name(destination)
    if folder.has(names.journal):
        raise Refused(
            f"{shown}: a merge, or a run without --shard, goes on there or was interrupted; run that command again, to "
            "its end, or choose another folder"
        )
    for name in (names.run, names.manifest):
        if folder.has(name):
            raise Refused(
                f"{shown}: holds {name}, so it is a whole run already; go on without --shard, which keeps what is "
                "current, or choose another folder"
            )


def hint_of_shards(folder: str, manifest: str) -> str | None:
    """Return what to do where a folder holds shards of a run instead of the whole; None where it holds none."""
    found = shards_in(folder, manifest)
    if not found:
        return None
    first = found[0]
    return (
        f"holds {len(found)} of {first.shard.of} shards; noisecli merge makes one run of them (for one alone, add "
        f"--manifest {first.names.manifest})"
    )


def any_unfinished(folder: str, manifest: str) -> bool:
    """Whether, beside a shard's manifest, other shards of its run are going on, or were interrupted."""
    whole, shard = split_manifest(manifest)
    files = folder_at(folder)
    return shard is not None and any(files.has(each.names.journal) for each in shards_in(folder, whole))
