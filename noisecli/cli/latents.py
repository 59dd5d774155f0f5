"""noisecli latents."""

import math
import re
from collections.abc import Mapping
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.levels import parse_share
from noisecli.cli.request import own_manifest, refuse_odd_output, run_folder, running_of
from noisecli.cli.shards import parse_shard
from noisecli.cli.urls import refuse_local_options
from noisecli.cli.values import word_of
from noisecli.kinds.latents import LatentsSettings
from noisecli.model import Level
from noisecli.settings import Choice, NoiseSettings, OutputSettings, Settings

_FILE_BYTES = 64_000_000
_LARGEST = {"float16": 65504.0, "float32": 3.4e38, "float64": 1.7e308}
_WIDEST = 10
"""More than the largest value drawn, in standard deviations."""
_LENGTH = re.compile(r"\s*0*[1-9][0-9]{0,12}\s*\Z")

SHAPE = o.option(
    "Output", "--shape", required=True, metavar="N[xN...]",
    help="Shape of one latent: 100, 4x64x64.",
)  # fmt: skip
COUNT = o.option(
    "Output", "--count", required=True, type=click.IntRange(1, 1 << 40), metavar="N",
    help="Number of latents in all.",
)  # fmt: skip
PER_FILE = o.option(
    "Output", "--per-file", type=click.IntRange(1, 1 << 40), metavar="M",
    help="Number of latents in one file.  [default: as many as make 64 MB]",
)  # fmt: skip
DTYPE = o.option(
    "Output", "--dtype", type=word_of(list(_LARGEST)), default="float32",
    show_default=True, help="Type of their numbers.",
)  # fmt: skip
STD = o.option(
    "Strength", "--std", default="1", show_default=True, metavar="S",
    help="Standard deviation, a plain number.",
)  # fmt: skip
MEAN = o.option(
    "Strength", "--mean", default="0", show_default=True, metavar="M",
    help="Mean, a plain number.",
)  # fmt: skip


@click.command("latents", cls=o.SectionedCommand)
@o.argument("destination", "DST", "A folder for the files.")
@o.apply(SHAPE, COUNT, PER_FILE, DTYPE, STD, MEAN, o.SEED, o.MANIFEST)
@o.COMMON_RUNNING
@o.SHARD
@o.COMMON_OUTPUT
def command(destination: str, **options: Any) -> int:
    """Pure Gaussian noise: inputs for a generator.

    DST gets latents-00000.npy and so on, each an array of (M, *shape). A latent depends on the seed, its shape, its
    level and its number only: not on the number of jobs, --per-file or --count.

    \b
    noisecli latents z --shape 100 --count 50000
    noisecli latents z --shape 4x64x64 --count 1000 --dtype float16 --seed 1
    """  # noqa: D301
    refuse_odd_output(options)
    refuse_local_options(options, "", destination)
    return run_folder(_settings(destination, options), options)


def _settings(destination: str, options: Mapping[str, Any]) -> Settings:
    if destination == "-":
        raise click.UsageError("latents come in several files; name a folder for DST")
    shape, dtype = _shape(options["shape"]), options["dtype"]
    std, mean = parse_share(options["std"], None), parse_share(options["mean"], None)
    if std < 0:
        raise click.UsageError(f"--std {options['std']}: noise cannot be less than none")
    if _WIDEST * std + abs(mean) > _LARGEST[dtype]:
        given = f"--std {options['std']} --mean {options['mean']}"
        raise click.UsageError(f"{given}: {dtype} cannot hold that; use a wider --dtype")
    latents = LatentsSettings(shape, options["count"], 1, dtype)
    per_file = options["per_file"] or max(1, _FILE_BYTES // latents.item_bytes)
    return Settings(
        kind="latents",
        source="",
        destination=destination,
        noise=NoiseSettings(
            levels=(Level("std", std, std, f"{std:.9g}", mean, written=(std, std)),), seed=options["seed"]
        ),
        output=OutputSettings(manifest=own_manifest(options)),
        choice=Choice(shard=parse_shard(options["shard"])),
        running=running_of(options),
        own=LatentsSettings(shape, options["count"], per_file, dtype),
    )


def _shape(text: str) -> tuple[int, ...]:
    parts = re.split(r"[x,]", text.strip())
    if not all(_LENGTH.match(part) for part in parts):
        raise click.UsageError(f"--shape {text}: lengths of axes, such as 100 or 4x64x64")
    shape = tuple(int(part) for part in parts)
    if math.prod(shape) >= 1 << 40 or len(shape) > 32:
        raise click.UsageError(f"--shape {text}: is more than an array can hold")
    return shape
