"""noisecli adversarial."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.levels import parse_limits, parse_step
from noisecli.cli.one_file import folder_of_file, is_one_file
from noisecli.cli.request import refuse_ignored_metadata, request, run_folder
from noisecli.cli.terminal import say
from noisecli.cli.urls import require_path
from noisecli.kinds.adversarial import ADVERSARIAL, AdversarySettings


@click.command("adversarial", cls=o.SectionedCommand)
@o.FOLDER_PATHS
@o.apply(o.MODEL, o.EPS)
@o.apply(o.STD, o.VAR, o.SNR, o.SEVERITY, o.SEVERITY_SET, o.LEVELS, o.MEAN)
@o.apply(o.SEED, o.COPIES, o.PROB, o.FULL_SCALE, o.RANGE, o.INPUT_RANGE, o.LOGITS, o.PROBABILITIES)
@o.IMAGE_FORMAT
@o.apply(o.SIDECARS, o.WITH_CLEAN, o.QUALITY, o.SUBSAMPLING, o.NAME, o.MANIFEST, o.DEPFILE)
@o.COMMON_CHOICE
@o.apply(o.CLASSES, o.SAMPLES, o.LABELS)
@o.COMMON_RUNNING
@o.apply(o.BATCH_SIZE, o.MAX_PIXELS, o.SOURCE_LIMITS)
@o.COMMON_OUTPUT
def command(source: str, destination: str, **options: Any) -> int:
    """Images that a model misreads: a fast gradient sign step, then Gaussian noise.

    SRC is a folder of class folders (class 0 is the first by name), or .npz files with samples and labels. Every
    sample x becomes x + eps sign(gradient of the loss), with noise, rounded once and clipped to its range.
    Beside --eps, give exactly one of --std, --var, --snr-db and --severity.

    The model is a classifier saved by Keras 3 as .keras; Keras needs torch or jax (KERAS_BACKEND chooses). A model file
    is code: name none that you would not run. Keras's safe mode is on, and Lambda layers are refused.

    \b
    noisecli adversarial photos noisy --model m.keras --eps 1% --std 5%
    noisecli adversarial photos step --model m.keras --eps 8 --std 0              the step alone
    noisecli adversarial digits.npz noisy --model m.keras --eps 8/255 --std 5%    arrays x and y
    """  # noqa: D301
    from noisecli.kinds.adversarial.request import describe_model

    require_path(options["model"], "--model")

    if is_one_file(ADVERSARIAL, source, destination):
        why = "" if source.lower().endswith(".npz") else "; the class of an image is its folder's name"
        raise click.UsageError(f"{destination}: name a folder for DST{why}")
    settings = request(ADVERSARIAL.name, source, destination, options)
    own = _own(settings.source, options)
    # a change of these asks for another run, as one of a source does
    listed = tuple(name for name in (options["classes"],) if name is not None and os.path.isfile(name))
    choice = replace(settings.choice, beside=(*settings.choice.beside, own.model, *listed))
    settings = folder_of_file(replace(settings, own=own, choice=choice))
    refuse_ignored_metadata(settings)
    if not options["quiet"]:
        say(describe_model(own))
    return run_folder(settings, options)


def _own(source: str, options: Mapping[str, Any]) -> AdversarySettings:
    from noisecli.kinds.adversarial.request import adversary_settings

    if options["logits"] and options["probabilities"]:
        raise click.UsageError("--logits and --probabilities exclude each other")
    input_range = options["input_range"]
    return adversary_settings(
        options["model"],
        source,
        eps=parse_step(options["eps"], ADVERSARIAL.bare_unit),
        classes=options["classes"],
        input_range=None if input_range is None else parse_limits(input_range, "--input-range"),
        answers="logits" if options["logits"] else "probabilities" if options["probabilities"] else None,
        members={"samples": options["key"], "labels": options["labels"]},
        batch_size=options["batch_size"],
    )
