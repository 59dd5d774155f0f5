"""noisecli audio."""

from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.request import carry_out


@click.command("audio", cls=o.SectionedCommand)
@o.PATHS
@o.apply(o.SNR, o.SNR_OF, o.STD, o.VAR, o.LEVEL_DBFS, o.SEVERITY, o.AUDIO_SEVERITY_SET, o.SPECKLE, o.LEVELS, o.MEAN)
@o.apply(o.SEED, o.COPIES, o.PROB, o.COLOR, o.SLOPE, o.SHARED, o.NO_CLIP, o.DTYPE, o.FULL_SCALE)
@o.AUDIO_FORMAT
@o.apply(o.SIDECARS, o.WITH_CLEAN, o.QUALITY, o.NAME, o.TAR, o.MANIFEST, o.DEPFILE)
@o.COMMON_CHOICE
@o.COMMON_RUNNING
@o.SHARD
@o.SOURCE_LIMITS
@o.COMMON_OUTPUT
def command(source: str, destination: str, **options: Any) -> int:
    """Noisy copies of audio files.

    SRC is a folder (DST mirrors its tree), a file, or - for standard input. For one file, DST may be a file name, or -
    for standard output. Give exactly one of
    --snr-db, --std, --var, --level-dbfs and --severity; --speckle needs none of them.

    \b
    noisecli audio speech noisy --snr-db 10..30        drawn for every file, uniform in dB
    noisecli audio speech noisy --snr-db 20,10,0       a sweep: noisy/snr-db-20/ ...
    noisecli audio speech noisy --std 0.01             amplitude, full scale is 1
    noisecli audio speech noisy --level-dbfs -40 --color pink
    """  # noqa: D301
    return carry_out("audio", source, destination, options)
