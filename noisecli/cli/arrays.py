"""noisecli arrays."""

from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.request import carry_out


@click.command("arrays", cls=o.SectionedCommand)
@o.PATHS
@o.apply(o.STD, o.VAR, o.SNR, o.SHOT, o.SPECKLE, o.LEVELS, o.MEAN)
@o.apply(o.KEY, o.PER_FEATURE, o.CLIP, o.SEED, o.COPIES, o.PROB, o.DTYPE)
@o.apply(o.SIDECARS, o.WITH_CLEAN, o.WITH_STD_MAP, o.NAME, o.TAR, o.MANIFEST, o.DEPFILE)
@o.COMMON_CHOICE
@o.COMMON_RUNNING
@o.SHARD
@o.SOURCE_LIMITS
@o.COMMON_OUTPUT
def command(source: str, destination: str, **options: Any) -> int:
    """Noisy copies of arrays: .npy files, and chosen arrays of .npz archives.

    SRC is a folder (DST mirrors its tree), a file, or - for standard input. For one file, DST may be a file name, or -
    for standard output.
    Levels are in the data's own unit; 5% is a share of each array's own standard deviation. Give exactly one of
    --std, --var and --snr-db; --shot and --speckle need none of them.

    Labels stay as they are: integers in one row, and arrays called y, label, target, class, id or index beside others.
    --include asks for such a .npy file, --key for an array of an archive.

    \b
    noisecli arrays features noisy --std 0.5             in the data's own unit
    noisecli arrays features noisy --std 5% --key x      5% of the std of x; labels stay as they are
    noisecli arrays features noisy --std 5% --per-feature    of the std of each column
    """  # noqa: D301
    return carry_out("arrays", source, destination, options)
