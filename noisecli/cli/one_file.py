"""One file as SRC: into one file, or into a folder."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from noisecli.kinds import KINDS, Kind, format_of, kinds_of, suffix_of, why_refused
from noisecli.settings import Settings
from noisecli.storage import file_at, folder_at, split_location

_FOLDER_OPTIONS = ("include", "exclude", "files0_from", "limit", "with_std_map", "name", "manifest", "prune", "shard")
_A_SUFFIX = re.compile(r"\.[a-z]{2,4}")
"""What looks like a suffix, most likely a slip of one that is known."""


def _is_file(location: str) -> bool:
    folder, name = file_at(location)
    return bool(name) and folder.is_file(name)


def is_one_file(kind: Kind, source: str, destination: str) -> bool:
    """Whether one file goes to one file; a destination without a suffix we know is a folder."""
    if source == "-" or destination == "-":
        if source != "-" and not _is_file(source):
            raise click.UsageError("- means one file; SRC must be a file or - then")
        return True
    if not _is_file(source) or folder_at(destination).exists() or destination.endswith("/"):
        return False
    suffix, own = suffix_of(destination), suffix_of(source)
    if (words := why_refused(own, kind.name)) is not None:
        raise click.UsageError(f"{source}: {words}")
    form = format_of(suffix)
    is_read = form is not None and kind.name in form.kinds
    # an archive keeps its format, which no --format has a word for
    keeps = form is not None and any(KINDS[other].keeps_format for other in form.kinds)
    only_read = form is not None and is_read and bool(kind.writes) and not keeps and form.name not in kind.writes
    if why_refused(suffix, kind.name) or only_read or (form is None and kinds_of(suffix)):
        raise click.UsageError(f"{destination}: {suffix} is a format that noisecli does not write")
    if form is not None and kind.name not in form.kinds:
        raise click.UsageError(f"{destination}: noisecli {kind.name} does not write {suffix}")
    if form is not None and kind.keeps_format and form != format_of(own):
        raise click.UsageError(f"{destination}: {kind.name} keep their format; give it the suffix of {source}")
    if form is None and _A_SUFFIX.fullmatch(suffix):
        raise click.UsageError(
            f"{destination}: {suffix} is no format that noisecli knows; a folder of that name ends with /"
        )
    return form is not None


def refuse_folder_options(options: Mapping[str, Any]) -> None:
    """What speaks of many files is not ignored in silence where there is one."""
    given = [name for name in _FOLDER_OPTIONS if options.get(name)] + ["sidecars"] * (options["sidecars"] != "skip")
    if given:
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise click.UsageError(f"{names}: for folders only; name a folder for DST")


def folder_of_file(settings: Settings) -> Settings:
    """One file into a folder is a run over its folder that chooses one name, wherever that leads."""
    if not _is_file(settings.source):
        return settings
    if settings.choice.shard is not None:
        raise click.UsageError("--shard: SRC is one file, which has no parts; name a folder")
    folder, name = split_location(settings.source)
    choice = replace(settings.choice, names=(name,), follow_links=True, is_one_file=True)
    return replace(settings, source=folder or ".", choice=choice)
