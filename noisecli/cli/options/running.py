"""How a run goes."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import click

from noisecli.cli.options.sections import apply, option
from noisecli.cli.values import Finite, word_of
from noisecli.engines import ENGINES
from noisecli.model import Limits

_RUNNING = "Running"

JOBS = option(
    _RUNNING, "-j", "--jobs", type=click.IntRange(1, 1024), metavar="N",
    help="Number of worker processes.  [default: the CPUs allowed; with --engine ray the cluster's]",
    own={"preview": "Number of worker processes.  [default: the CPUs allowed]"},
)  # fmt: skip
ENGINE = option(
    _RUNNING, "--engine", type=word_of(sorted(ENGINES)), default="local", show_default=True,
    help="Where workers run: ray has those of the cluster at RAY_ADDRESS, or of a Ray that it starts.",
)  # fmt: skip
SHARD = option(
    _RUNNING, "--shard", metavar="I/N",
    help="Make part I of N only; noisecli merge joins all parts. auto or auto/N: as Slurm, AWS Batch, Kubernetes or "
    "GitLab has numbered this job.",
)  # fmt: skip
DRY_RUN = option(_RUNNING, "--dry-run", is_flag=True, help="Report what would happen; write nothing.")
REDO = option(_RUNNING, "--redo", is_flag=True, help="Recompute all outputs, current ones too.")
CHECKSUM = option(
    _RUNNING,
    "--checksum",
    is_flag=True,
    help="Compare sources and outputs by digest, not by size and time.",
    own={"latents": "Compare outputs by digest, not by size and time."},
)
PRUNE = option(
    _RUNNING,
    "--prune",
    is_flag=True,
    help="Remove outputs whose source is gone, or that only earlier requests made.",
    own={"latents": "Remove files that only earlier requests asked for, as with a larger --count."},
)
FORCE = option(
    _RUNNING, "--force", is_flag=True, help="Replace files noisecli did not make; let --prune remove more than half."
)
ON_ERROR = option(
    _RUNNING, "--on-error", type=word_of(["continue", "stop", "ignore"]), default="continue",
    show_default=True, help="What to do when a file fails; ignore: go on, and exit with 0 all the same.",
)  # fmt: skip
MAX_FAILURES = option(
    _RUNNING, "--max-failures", type=click.IntRange(1), metavar="N", help="Stop after N failed files."
)
TIMEOUT = option(
    _RUNNING, "--timeout", type=Finite(0, 1e6, min_open=True), default=60.0, show_default=True, metavar="S",
    help="Time limit in seconds per output, plus one for each MB.",
)  # fmt: skip
MAX_PIXELS = option(
    _RUNNING, "--max-pixels", type=click.IntRange(1), default=178_956_970, show_default=True, metavar="N",
    help="Most pixels of an image, by its header.",
)  # fmt: skip
MAX_BYTES = option(
    _RUNNING, "--max-bytes", type=click.IntRange(1), default=1 << 40, metavar="N",
    help="Most bytes of a file.  [default: 1 TiB]",
)  # fmt: skip
MAX_DECODED = option(
    _RUNNING, "--max-decoded", type=click.IntRange(1), metavar="N",
    help="Most bytes a file may decode to, its metadata too.  [default: 100 times its size, 128 MiB at least]",
)  # fmt: skip
FSYNC = option(_RUNNING, "--fsync", is_flag=True, help="Make outputs survive power loss, not only a crash.")

COMMON_RUNNING = apply(JOBS, ENGINE, DRY_RUN, PRUNE, REDO, CHECKSUM, FORCE, ON_ERROR, MAX_FAILURES, TIMEOUT, FSYNC)
SOURCE_LIMITS = apply(MAX_BYTES, MAX_DECODED)


def limits_of(options: Mapping[str, Any]) -> Limits:
    """Return the limits among a command's options; those that it does not have stay as they are."""
    return Limits(**{limit.name: options[limit.name] for limit in fields(Limits) if limit.name in options})
