"""SRC and DST where either is tar shards: a folder of .tar files, some of its tars, or files that are packed."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import click

from noisecli.errors import Refused
from noisecli.kinds import KINDS, suffix_of
from noisecli.manifest.destination import Names, read_run
from noisecli.manifest.shards import shards_in
from noisecli.settings import Settings
from noisecli.storage import escape_name, file_at, folder_at, is_tar_location, is_url

_TAR, _ALL = ".tar", "*.tar"
_MOST_SPLITS, _FIRST = 16, 1000
KINDS_IN_TARS = ("images", "audio", "arrays")


def with_tars(settings: Settings, options: Mapping[str, Any]) -> Settings:
    """Return the request, its folders named as those of tars where they are. Raises UsageError or Refused."""
    source = tars_in(settings.source, settings.kind)
    if source is None and settings.output.tar is None:
        return settings
    if settings.kind not in KINDS_IN_TARS:
        raise click.UsageError(
            f"{settings.source}: noisecli {settings.kind} does not read tar shards; unpack them first"
        )
    if source is not None and settings.output.tar is not None:
        raise click.UsageError("--tar: packs files, and SRC holds tars already, which keep their samples; omit it")
    _refuse_options(settings, options, packs=source is None)
    destination = settings.destination
    if destination == "-" or (destination.endswith(_TAR) and not folder_at(destination).exists()):
        raise click.UsageError(
            f"{destination}: tars go into a folder, with a manifest beside them; name a folder for DST"
        )
    if is_tar_location(destination):
        destination = os.path.dirname(destination) or "."
    tars = os.path.join(destination, _ALL)
    return replace(settings, source=source or settings.source, destination=tars)


def _refuse_options(settings: Settings, options: Mapping[str, Any], *, packs: bool) -> None:
    """Refuse what has no meaning for tars, or no safe one yet."""
    if packs and (settings.source == "-" or not folder_at(settings.source).exists()):
        raise click.UsageError("--tar: packs the files of a folder; name one for SRC")
    if settings.output.sidecars != "skip":
        what = (
            "side files that share a sample's key go along by themselves" if packs else "other members always go along"
        )
        raise click.UsageError(f"--sidecars {settings.output.sidecars}: with tar shards, {what}; omit it")
    if settings.output.with_std_map:
        raise click.UsageError("--with-std-map: maps are not written into tar shards; omit it, or unpack them first")
    if settings.choice.names is not None:
        way_out = "choose with --include" if packs else "name some tars as SRC/{000000..000099}.tar, or use --include"
        raise click.UsageError(f"--files0-from: lists files without what goes along with them; {way_out}")
    if settings.noise.mask is not None:
        way_out = "omit --tar, and pack the outputs afterwards" if packs else "unpack the tars first, as tar -xf does"
        raise click.UsageError(f"--mask: finds no masks for members of tar shards; {way_out}")
    if settings.running.prune:
        raise click.UsageError("--prune: does not look into tar shards; remove tars that are not wanted by hand")
    if settings.running.depfile is not None:
        raise click.UsageError(
            "--depfile: does not list tar shards; run without it, a run that changes nothing is quick"
        )
    if os.path.splitext(settings.output.manifest)[0].startswith("metadata"):
        raise click.UsageError(
            "--manifest metadata.jsonl: is read beside files; tar shards are read by their own members"
        )


def tars_in(source: str, kind: str) -> str | None:
    """Return a source as the folder of tars that it is; None where it is none.

    That is a folder of .tar files without a file of the kind beside them, one of such folders, one .tar file, or
    SRC/{000..099}.tar.
    """
    if is_tar_location(source):
        return source
    if source == "-":
        return None
    if kind not in KINDS_IN_TARS:
        return None
    if folder_at(source).exists():
        return os.path.join(source, _ALL) if _holds_tars(source, kind) else None
    above, name = file_at(source)
    if name.endswith(_TAR) and not set("{}*,") & set(name) and above.is_file(name):
        return os.path.join(os.path.dirname(source), f"{{{name.removesuffix(_TAR)}}}{_TAR}")
    return None


def _holds_tars(source: str, kind: str) -> bool:
    """Whether a folder holds tars and no file of the kind, or has a few folders, as for splits, of which one does."""
    folder = folder_at(source)
    if is_url(source):
        # one page of its listing, for there may be many: what lies beyond is refused, or skipped by name
        first = [listed.name for listed in islice(folder.files(), _FIRST)]
        return any(name.endswith(_TAR) for name in first) and not _holds_any(first, kind)
    try:
        names = folder.names()
    except OSError:
        return False
    if _holds_any(names, kind):
        return False
    if any(name.endswith(_TAR) and folder.is_file(name) for name in names):
        return True
    inner = [name for name in names if not os.path.splitext(name)[1] and not name.startswith(".")]
    if len(inner) > _MOST_SPLITS:
        return False
    below = (os.path.join(source, name) for name in inner if folder.is_folder(name))
    return any(_has_tars_alone(each, kind) for each in below)


def _holds_any(names: Iterable[str], kind: str) -> bool:
    return any(suffix_of(name) in KINDS[kind].formats for name in names)


def _has_tars_alone(source: str, kind: str) -> bool:
    try:
        names = folder_at(source).names()
    except OSError:
        return False
    return any(name.endswith(_TAR) for name in names) and not _holds_any(names, kind)


def finished_at(destination: str, manifest: str) -> str:
    """Return where a finished run's files are: in tars, where its run.json says so."""
    if is_tar_location(destination):
        return destination
    run = read_run(folder_at(destination), Names.of(manifest).run)
    return os.path.join(destination, _ALL) if run is not None and run.get("tars") is True else destination


def refuse_in_tars(location: str, what: str) -> None:
    """Refuse what reads files alone. Raises Refused."""
    if is_tar_location(location):
        raise Refused(f"{escape_name(os.path.dirname(location) or '.')}: its outputs lie in tar shards, {what}")


def shards_at(destination: str, folders: Sequence[str], manifest: str) -> str:
    """Return where the shards of a run are to be merged. Raises Refused for tars that lie in several folders."""
    runs = [
        read_run(folder_at(found.folder), found.names.run) or {}
        for folder in (destination, *folders)
        for found in shards_in(folder, manifest)
    ]
    if not any(run.get("tars") is True for run in runs):
        return finished_at(destination, manifest)
    if folders:
        raise Refused(
            f"{escape_name(destination)}: shards whose outputs are in tars are merged in one folder; move the tars, "
            "manifests and run.json files there by hand, or run the shards into one DST"
        )
    return os.path.join(destination, _ALL)
