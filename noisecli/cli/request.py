"""From the words of commands that copy files to one frozen Settings, and from its Summary back to words."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.levels import parse_levels, parse_limits, parse_share
from noisecli.cli.messages import progress_bar, tell
from noisecli.codecs import PICKLE_WAY_OUT, PICKLES, UNSUPPORTED, format_of
from noisecli.engines.cpus import available_cpus
from noisecli.manifest.destination import Names
from noisecli.model import Encoding, Kind, Level
from noisecli.run.naming import LONGEST_NAME
from noisecli.settings import ArraysSettings, Choice, NoiseSettings, OutputSettings, Running, Settings

_FOLDER_WORDS = ("include", "exclude", "files0_from", "limit", "name", "manifest", "prune")
_LONGEST_LIST = 1 << 28
_SPLITS = {"train", "test", "val", "valid", "validation", "dev", "eval"}


def carry_out(kind: Kind, source: str, destination: str, words: Mapping[str, Any]) -> int:
    """Run one of the commands that make noisy copies; return its exit status."""
    settings = request(kind, source, destination, words)
    if is_one_file(kind, source, destination):
        from noisecli.run.single import run_single

        _refuse_folder_words(words)
        summary = run_single(settings, dry_run=words["dry_run"])
    else:
        from noisecli.run.pipeline import run

        settings = folder_of_file(settings)
        refuse_ignored_metadata(settings)
        with progress_bar(words["progress"], words["quiet"], kind) as begin:
            summary = run(settings, dry_run=words["dry_run"], begin=begin)
    tell(summary, settings, words)
    return summary.exit_status


def request(kind: Kind, source: str, destination: str, words: Mapping[str, Any]) -> Settings:
    """Return what was asked for."""
    refuse_odd_telling(words)
    return Settings(
        kind=kind,
        source=source,
        destination=destination,
        noise=_noise(kind, words),
        output=_output(words),
        choice=_choice(words),
        running=running_of(words),
        parts=_parts(kind, words),
    )


def refuse_odd_telling(words: Mapping[str, Any]) -> None:
    """Refuse words that leave nothing, or nowhere, to tell what was done."""
    if words["quiet"] and words.get("verbose"):
        raise click.UsageError("--quiet and --verbose exclude each other")
    if words["as_json"] and sys.stdout is None:
        raise click.UsageError("--json goes to standard output, which is closed here")


def _noise(kind: Kind, words: Mapping[str, Any]) -> NoiseSettings:
    if words.get("no_clip") and words.get("form") in ("png", "jpg", "jpeg", "webp", "bmp", "gif", "mp3", "flac"):
        raise click.UsageError(f"--no-clip needs floats, which {words['form']} cannot hold; use --format tiff or wav")
    return NoiseSettings(
        levels=levels_of(kind, words),
        seed=words["seed"],
        copies=words["copies"],
        probability=words["prob"],
        shared_channels=words.get("shared_channels", False),
        clip=not words.get("no_clip"),
        dtype=words.get("dtype"),
        full_scale=words.get("full_scale"),
    )


def _parts(kind: Kind, words: Mapping[str, Any]) -> ArraysSettings | None:
    """Which arrays of a file, and how; None for kinds of one array a file."""
    if kind not in ("arrays", "weights"):
        return None
    strength = words.get("std") or words.get("var") or ""
    if words.get("per_feature") and "%" not in strength:
        raise click.UsageError("--per-feature goes with a share of each column's own std: --std 10%")
    clip = words.get("clip")
    return ArraysSettings(
        choose=tuple(sorted({*words.get("key", ()), *words.get("tensors", ())})),
        leave=tuple(sorted(set(words.get("skip_tensors", ())))),
        limits=parse_limits(clip) if clip is not None else None,
        per_feature=words.get("per_feature", False),
    )


def levels_of(kind: Kind, words: Mapping[str, Any]) -> tuple[Level, ...]:
    """Return the sweep that the words of strength stand for."""
    given = {name: words.get(name) for name in ("std", "var", "snr_db", "severity") if words.get(name) is not None}
    if len(given) != 1:
        names = "--std, --var, --snr-db" + (", --severity" if kind in ("images", "adversarial") else "")
        raise click.UsageError(f"say how strong, with exactly one of {names}")
    [(quantity, text)] = given.items()
    mean = parse_share(words["mean"], kind)
    if quantity == "snr_db" and mean:
        raise click.UsageError("--mean and --snr-db exclude each other: a ratio of powers has no place for a mean")
    severity_set = words.get("severity_set", "imagenet-c")
    return parse_levels(text, quantity, kind, steps=words["levels"], severity_set=severity_set, mean=mean)  # type: ignore[arg-type]


def _output(words: Mapping[str, Any]) -> OutputSettings:
    return OutputSettings(
        encoding=Encoding(words.get("form"), words.get("quality"), words.get("subsampling")),
        with_clean=words["with_clean"],
        name=words["name"],
        sidecars=words["sidecars"],
        manifest=manifest_of(words),
    )


def manifest_of(words: Mapping[str, Any]) -> str:
    """Return the manifest's name, none that another manifest's own files have or that would be hidden."""
    manifest: str = words["manifest"] or "manifest.jsonl"
    stem, suffix = os.path.splitext(manifest)
    if "/" in manifest or suffix != ".jsonl" or manifest.startswith(".") or not manifest.isprintable():
        raise click.UsageError(f"--manifest {manifest}: a plain file name ending in .jsonl, in DST itself")
    if stem in ("errors", "run.json") or stem.endswith((".errors", ".run.json")):
        raise click.UsageError(f"--manifest {manifest}: is a name of what goes with a manifest; choose another")
    if max(len(os.fsencode(name)) for name in Names.of(manifest)) > LONGEST_NAME:
        raise click.UsageError(f"--manifest {manifest}: is too long a name; its run.json would have one, too")
    return manifest


def _choice(words: Mapping[str, Any]) -> Choice:
    return Choice(words["include"], words["exclude"], _listed(words["files0_from"]), words["limit"])


def _listed(path: str | None) -> tuple[str, ...] | None:
    if path is None:
        return None
    if path == "-" and sys.stdin is None:
        raise click.UsageError("--files0-from -: standard input is closed here; name a file")
    try:
        with click.open_file(path, "rb") as file:
            data = file.read(_LONGEST_LIST + 1)
    except OSError as error:
        raise click.UsageError(f"--files0-from {path}: {error.strerror}") from error
    if len(data) > _LONGEST_LIST:
        raise click.UsageError(f"--files0-from {path}: has more than {_LONGEST_LIST:,} bytes; make it several runs")
    return tuple(os.fsdecode(name) for name in data.split(b"\0") if name)


def running_of(words: Mapping[str, Any]) -> Running:
    """Return how it is to be carried out."""
    return Running(
        jobs=words["jobs"] or available_cpus(),
        timeout=words["timeout"],
        limits=o.limits_of(words),
        stop_on_error=words["on_error"] == "stop",
        max_failures=words["max_failures"],
        force=words["force"],
        redo=words["redo"],
        checksum=words["checksum"],
        prune=words["prune"],
        fsync=words["fsync"],
    )


def is_one_file(kind: Kind, source: str, destination: str) -> bool:
    """Whether one file goes to one file; a destination without a suffix we know is a folder."""
    if source == "-" or destination == "-":
        if source != "-" and not os.path.isfile(source):
            raise click.UsageError("- stands for one file; SRC must be a file or - then")
        return True
    if not os.path.isfile(source) or os.path.isdir(destination) or destination.endswith("/"):
        return False
    suffix = os.path.splitext(destination)[1]
    if kind == "weights" and os.path.splitext(source)[1].lower() in PICKLES:
        raise click.UsageError(f"{source}: {PICKLE_WAY_OUT}")
    if suffix.lower() in UNSUPPORTED or (kind == "weights" and suffix.lower() in PICKLES):
        raise click.UsageError(f"{destination}: {suffix} is a format that noisecli does not write")
    form = format_of(suffix)
    if form is not None and kind not in form.kinds:
        raise click.UsageError(f"{destination}: noisecli {kind} does not write {suffix}")
    if form is not None and kind in ("arrays", "weights") and form != format_of(os.path.splitext(source)[1]):
        raise click.UsageError(f"{destination}: {kind} keep their format; give it the suffix of {source}")
    return form is not None


def _refuse_folder_words(words: Mapping[str, Any]) -> None:
    """What speaks of many files is not ignored in silence where there is one."""
    given = [name for name in _FOLDER_WORDS if words[name]] + ["sidecars"] * (words["sidecars"] != "skip")
    if given:
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise click.UsageError(f"{names}: for folders only; name a folder for DST")


def folder_of_file(settings: Settings) -> Settings:
    """One file into a folder is a run over its folder that chooses one name."""
    if not os.path.isfile(settings.source):
        return settings
    folder, name = os.path.split(settings.source)
    return replace(settings, source=folder or ".", choice=replace(settings.choice, names=(name,)))


def refuse_ignored_metadata(settings: Settings) -> None:
    """Hugging Face ignores a metadata.jsonl beside split folders, in silence."""
    if settings.output.manifest != "metadata.jsonl" or not os.path.isdir(settings.source):
        return
    splits = sorted(_SPLITS & set(os.listdir(settings.source)))
    if splits:
        raise click.UsageError(
            f"--manifest metadata.jsonl beside {splits[0]}/ would be ignored by Hugging Face datasets; "
            f"run once for each split: SRC/{splits[0]} DST/{splits[0]}"
        )
