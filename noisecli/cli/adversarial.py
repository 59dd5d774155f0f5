"""noisecli adversarial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.levels import parse_limits, parse_step
from noisecli.cli.messages import progress_bar, tell
from noisecli.cli.request import folder_of_file, is_one_file, refuse_ignored_metadata, request
from noisecli.cli.terminal import say
from noisecli.settings import Settings


@click.command("adversarial", cls=o.SectionedCommand)
@o.PATHS
@o.apply(o.MODEL, o.EPS, o.CLASSES, o.INPUT_RANGE, o.LOGITS, o.PROBABILITIES, o.BATCH_SIZE, o.SAMPLES, o.LABELS)
@o.apply(o.STD, o.VAR, o.SNR, o.SEVERITY, o.SEVERITY_SET, o.LEVELS, o.MEAN)
@o.apply(o.SEED, o.COPIES, o.PROB, o.FULL_SCALE)
@o.PICTURE_FORMAT
@o.apply(o.QUALITY, o.SUBSAMPLING, o.WITH_CLEAN, o.SIDECARS, o.NAME, o.MANIFEST)
@o.COMMON_CHOICE
@o.COMMON_RUNNING
@o.apply(o.MAX_PIXELS, o.SOURCE_LIMITS)
@o.COMMON_TELLING
def command(source: str, destination: str, **words: Any) -> int:
    """Pictures that a model misreads: a fast gradient sign step, then Gaussian noise.

    SRC is a folder of class folders (class 0 is the first by name), or .npz files with samples and labels. Every
    sample x becomes x + eps sign(gradient of the loss), with noise, rounded once and held to its range.

    The model is a classifier saved by Keras 3 as .keras; Keras needs torch or jax (KERAS_BACKEND chooses). A model file
    is code: name none that you would not run. Keras's safe mode is on, and Lambda layers are refused.

    \b
    noisecli adversarial photos noisy --model m.keras --eps 1% --std 5%
    noisecli adversarial photos step --model m.keras --eps 8 --std 0              the step alone
    noisecli adversarial digits.npz noisy --model m.keras --eps 8/255 --std 5%    arrays x and y
    """  # noqa: D301
    from noisecli.kinds.adversarial import describe_model
    from noisecli.workers.adversarial.stage import run

    if is_one_file("adversarial", source, destination):
        raise click.UsageError(f"{destination}: name a folder for DST; the class of a picture is its folder's name")
    settings = folder_of_file(_with_model(request("adversarial", source, destination, words), words))
    refuse_ignored_metadata(settings)
    assert settings.adversary is not None
    if not words["quiet"]:
        say(describe_model(settings.adversary))
    with progress_bar(words["progress"], words["quiet"], "adversarial") as begin:
        summary = run(settings, dry_run=words["dry_run"], begin=begin)
    tell(summary, settings, words)
    return summary.exit_status


def _with_model(settings: Settings, words: Mapping[str, Any]) -> Settings:
    from noisecli.kinds.adversarial import adversary_settings

    if words["logits"] and words["probabilities"]:
        raise click.UsageError("--logits and --probabilities exclude each other")
    input_range = words["input_range"]
    adversary = adversary_settings(
        words["model"],
        settings.source,
        eps=parse_step(words["eps"], "adversarial"),
        classes=words["classes"],
        input_range=None if input_range is None else parse_limits(input_range, "--input-range"),
        answers="logits" if words["logits"] else "probabilities" if words["probabilities"] else None,
        members={"samples": words["key"], "labels": words["labels"]},
        batch_size=words["batch_size"],
    )
    return replace(settings, adversary=adversary)
