"""noisecli images."""

from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.request import carry_out


@click.command("images", cls=o.SectionedCommand)
@o.PATHS
@o.apply(o.STD, o.VAR, o.SNR, o.SEVERITY, o.SEVERITY_SET, o.CORRUPTION)
@o.apply(o.SHOT, o.SPECKLE, o.CHANNEL_STD, o.CAMERA, o.LEVELS, o.MEAN)
@o.apply(o.SEED, o.COPIES, o.PROB, o.SHARED, o.SHARED_PROB, o.LINEAR, o.NO_CLIP, o.DTYPE, o.FULL_SCALE, o.RANGE)
@o.apply(o.MASK, o.PATCH)
@o.IMAGE_FORMAT
@o.apply(o.SIDECARS, o.WITH_CLEAN, o.WITH_STD_MAP, o.QUALITY, o.SUBSAMPLING, o.NAME, o.TAR, o.MANIFEST, o.DEPFILE)
@o.COMMON_CHOICE
@o.COMMON_RUNNING
@o.SHARD
@o.SOURCE_LIMITS
@o.MAX_PIXELS
@o.COMMON_OUTPUT
def command(source: str, destination: str, **options: Any) -> int:
    """Noisy copies of images.

    SRC is a folder (DST mirrors its tree), a file, or - for standard input. For one file, DST may be a file name, or -
    for standard output. Give exactly one of
    --std, --var, --snr-db and --severity; --shot, --speckle, --channel-std and --camera need none of them.

    \b
    noisecli images photos noisy --std 25              one level, in grey levels of 0..255
    noisecli images photos noisy --std 5..50           drawn for every image
    noisecli images photos noisy --std 5,15,25,50      a sweep: noisy/std-5/, noisy/std-15/ ...
    noisecli images dog.jpg noisy.jpg --std 50         one file
    noisecli images shards noisy --std 25              a folder of .tar files: noisy shards, with their labels
    """  # noqa: D301
    return carry_out("images", source, destination, options)
