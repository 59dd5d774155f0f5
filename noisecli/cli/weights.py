"""noisecli weights."""

from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.request import carry_out


@click.command("weights", cls=o.SectionedCommand)
@o.PATHS
@o.apply(o.STD, o.VAR, o.SNR, o.LEVELS, o.MEAN)
@o.apply(o.TENSORS, o.SKIP_TENSORS, o.SEED, o.COPIES, o.PROB)
@o.apply(o.SIDECARS, o.WITH_CLEAN, o.NAME, o.MANIFEST, o.DEPFILE)
@o.COMMON_CHOICE
@o.COMMON_RUNNING
@o.SHARD
@o.SOURCE_LIMITS
@o.COMMON_OUTPUT
def command(source: str, destination: str, **options: Any) -> int:
    """Noisy copies of model parameters: .safetensors, .npz, and Keras' .weights.h5 and .keras.

    SRC is a folder (DST mirrors its tree), a file, or - for standard input. For one file, DST may be a file name, or -
    for standard output.
    Levels are in the weights' own unit; 5% is a share of each tensor's own standard deviation. Give exactly one of
    --std, --var and --snr-db.

    \b
    noisecli weights model.keras noisy.keras --std 5%
    noisecli weights models ensemble --std 1% --copies 10       ten models around each trained one
    noisecli weights models noisy --std 5% --skip-tensors '*norm*'
    """  # noqa: D301
    return carry_out("weights", source, destination, options)
