"""From the options of commands that copy files to one frozen Settings, and from its Summary back to options."""

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

import click

from noisecli.cli import options as o
from noisecli.cli.levels import parse_limits
from noisecli.cli.levels.asked import levels_of
from noisecli.cli.messages import progress_bar, report, tell_labels
from noisecli.cli.one_file import folder_of_file, is_one_file, refuse_folder_options
from noisecli.cli.outcome import refuse_shared_output, this_outcome
from noisecli.cli.shards import parse_shard
from noisecli.cli.std_map import refuse_std_map
from noisecli.cli.tars import with_tars
from noisecli.cli.urls import refuse_local_options
from noisecli.cli.where import patch_of, with_masks
from noisecli.engines import default_jobs
from noisecli.kinds import KINDS, Kind
from noisecli.kinds.arrays import ArraysSettings
from noisecli.manifest.destination import Names
from noisecli.model import Encoding
from noisecli.run.naming import LONGEST_NAME
from noisecli.run.summary import Summary
from noisecli.settings import Choice, NoiseSettings, OutputSettings, Running, Settings
from noisecli.shards import split_manifest
from noisecli.storage import folder_at

_LONGEST_LIST = 1 << 28
_SPLITS = {"train", "test", "val", "valid", "validation", "dev", "eval"}


def carry_out(kind: str, source: str, destination: str, options: Mapping[str, Any]) -> int:
    """Run one of the commands that make noisy copies; return its exit status."""
    settings = request(kind, source, destination, options)
    if (tars := with_tars(settings, options)) is not settings:
        return run_folder(tars, options)
    settings = with_masks(settings, source)
    if not is_one_file(KINDS[kind], source, destination):
        settings = folder_of_file(settings)
        refuse_ignored_metadata(settings)
        return run_folder(settings, options)
    if options["engine"] != "local":
        raise click.UsageError(f"--engine {options['engine']}: for folders only; name a folder for DST")
    from noisecli.run.single import run_single

    refuse_folder_options(options)
    if destination == "-":
        refuse_shared_output(options, "name a file for DST")
        if options["depfile"]:
            raise click.UsageError("--depfile: says what a file is made from, and standard output is none; name DST")
    summary = run_single(settings, dry_run=options["dry_run"])
    this_outcome().counters = summary.as_json
    report(summary, settings, options)
    return summary.exit_status


def run_folder(settings: Settings, options: Mapping[str, Any]) -> int:
    """Carry a request out, and report; return the exit status."""
    from noisecli.run.pipeline import run

    summary = Summary()
    this_outcome().counters = summary.as_json
    with progress_bar(options, settings.kind) as begin:
        run(settings, dry_run=options["dry_run"], begin=begin, into=summary, tell=tell_labels(options))
    report(summary, settings, options)
    return summary.exit_status


def request(kind: str, source: str, destination: str, options: Mapping[str, Any]) -> Settings:
    """Return what was asked for."""
    refuse_odd_output(options)
    refuse_local_options(options, source, destination)
    settings = Settings(
        kind=kind,
        source=source,
        destination=destination,
        noise=_noise(KINDS[kind], options),
        output=_output(options),
        choice=_choice(options),
        running=running_of(options),
        own=_arrays(options) if KINDS[kind].own is ArraysSettings else None,
    )
    refuse_std_map(settings)
    return settings


def refuse_odd_output(options: Mapping[str, Any]) -> None:
    """Refuse options that leave nothing, or nowhere, to report."""
    if options["quiet"] and options.get("verbose"):
        raise click.UsageError("--quiet and --verbose exclude each other")
    if options["as_json"] and sys.stdout is None:
        raise click.UsageError("--json goes to standard output, which is closed here")
    if options.get("depfile") in ("", "-"):
        raise click.UsageError("--depfile: name a file; standard output is not for it")


def _noise(kind: Kind, options: Mapping[str, Any]) -> NoiseSettings:
    if options.get("no_clip") and options.get("form") in ("png", "jpg", "jpeg", "webp", "bmp", "gif", "mp3", "flac"):
        raise click.UsageError(f"--no-clip needs floats, which {options['form']} cannot hold; use --format tiff or wav")
    return NoiseSettings(
        levels=levels_of(kind, options),
        seed=options["seed"],
        copies=options["copies"],
        probability=options["prob"],
        shared_channels=options.get("shared_channels", False),
        clip=not options.get("no_clip"),
        dtype=options.get("dtype"),
        full_scale=options.get("full_scale"),
        range=range_of(options),
        mask=options.get("mask"),
        patch=patch_of(options),
        shared_probability=shared_probability_of(options),
        snr_of=snr_of(options),
    )


def shared_probability_of(options: Mapping[str, Any]) -> float | None:
    """Return the chance of grey noise."""
    chance: float | None = options.get("shared_channels_prob")
    if chance is not None and options["shared_channels"]:
        raise click.UsageError("--shared-channels and --shared-channels-prob exclude each other: give one of them")
    return chance


def snr_of(options: Mapping[str, Any]) -> Literal["active"] | None:
    """Return what the signal of an SNR is, where it is not all of a file."""
    return "active" if options.get("snr_of") == "active" else None


def range_of(options: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return black and white as --range says them."""
    text = options.get("range")
    if text is None:
        return None
    if options["full_scale"] is not None:
        raise click.UsageError("--range and --full-scale exclude each other: full scale is HI - LO")
    return parse_limits(text, "--range")


def _arrays(options: Mapping[str, Any]) -> ArraysSettings:
    """Return which arrays of a file get noise, and how."""
    strength = options.get("std") or options.get("var") or ""
    if options.get("per_feature") and "%" not in strength:
        raise click.UsageError("--per-feature goes with a share of each column's own std: --std 10%")
    clip = options.get("clip")
    return ArraysSettings(
        choose=tuple(sorted({*options.get("key", ()), *options.get("tensors", ())})),
        leave=tuple(sorted(set(options.get("skip_tensors", ())))),
        limits=parse_limits(clip) if clip is not None else None,
        per_feature=options.get("per_feature", False),
    )


def _output(options: Mapping[str, Any]) -> OutputSettings:
    return OutputSettings(
        encoding=Encoding(options.get("form"), options.get("quality"), options.get("subsampling")),
        with_clean=options["with_clean"],
        with_std_map=options.get("with_std_map", False),
        name=options["name"],
        sidecars=options["sidecars"],
        manifest=own_manifest(options),
        tar=options.get("tar"),
    )


def own_manifest(options: Mapping[str, Any]) -> str:
    """Return the name of the manifest that a run writes: a shard has one of its own."""
    manifest, shard = manifest_of(options), parse_shard(options.get("shard"))
    if split_manifest(manifest)[1] is not None:
        raise click.UsageError(f"--manifest {manifest}: is the name of a shard's; give it --shard, or choose another")
    return manifest if shard is None else shard.manifest(manifest)


def manifest_of(options: Mapping[str, Any]) -> str:
    """Return the manifest's name, none that another manifest's own files have or that would be hidden."""
    manifest: str = options["manifest"] or "manifest.jsonl"
    stem, suffix = os.path.splitext(manifest)
    if "/" in manifest or suffix != ".jsonl" or manifest.startswith(".") or not manifest.isprintable():
        raise click.UsageError(f"--manifest {manifest}: a plain file name ending in .jsonl, in DST itself")
    if stem in ("errors", "run.json") or stem.endswith((".errors", ".run.json")):
        raise click.UsageError(f"--manifest {manifest}: is a name of what goes with a manifest; choose another")
    if max(len(os.fsencode(name)) for name in Names.of(manifest)) > LONGEST_NAME:
        raise click.UsageError(f"--manifest {manifest}: is too long a name; its run.json would have one, too")
    return manifest


def _choice(options: Mapping[str, Any]) -> Choice:
    return Choice(
        options["include"],
        options["exclude"],
        _listed(options["files0_from"]),
        options["limit"],
        options["follow_links"],
        shard=parse_shard(options.get("shard")),
        beside=tuple(name for name in (options["files0_from"],) if name not in (None, "-")),
    )


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


def running_of(options: Mapping[str, Any]) -> Running:
    """Return how it is to be carried out. A dry run has no workers, wherever they would be."""
    engine = "local" if options["dry_run"] else options["engine"]
    return Running(
        engine=engine,
        jobs=options["jobs"] or default_jobs(engine),
        timeout=options["timeout"],
        limits=o.limits_of(options),
        stop_on_error=options["on_error"] == "stop",
        ignore_errors=options["on_error"] == "ignore",
        max_failures=options["max_failures"],
        force=options["force"],
        redo=options["redo"],
        checksum=options["checksum"],
        prune=options["prune"],
        fsync=options["fsync"],
        depfile=options.get("depfile"),
    )


def refuse_ignored_metadata(settings: Settings) -> None:
    """Hugging Face ignores a metadata.jsonl beside split folders, in silence."""
    if split_manifest(settings.output.manifest)[0] != "metadata.jsonl" or not folder_at(settings.source).exists():
        return
    splits = sorted(_SPLITS & set(folder_at(settings.source).names()))
    if splits:
        raise click.UsageError(
            f"--manifest metadata.jsonl beside {splits[0]}/ would be ignored by Hugging Face datasets; "
            f"run once for each split: SRC/{splits[0]} DST/{splits[0]}"
        )
