"""How strong."""

import click

from noisecli.cli.options.sections import option
from noisecli.cli.values import word_of

_STRENGTH = "How strong (exactly one of the first)"

STD = option(
    _STRENGTH, "--std", metavar="LEVEL",
    help="Standard deviation: a number, a share (10%; of full scale also 25/255), a range (5..50), a sweep (5,15,25).",
)  # fmt: skip
VAR = option(_STRENGTH, "--var", metavar="LEVEL", help="Variance: in the unit of --std, squared.")
SNR = option(_STRENGTH, "--snr-db", metavar="LEVEL", help="Signal-to-noise ratio in dB; ranges are uniform in dB.")
SEVERITY = option(
    _STRENGTH, "--severity", metavar="LEVEL", help="Severity 0 to 5, as published with ImageNet-C; 0 is no noise."
)
SEVERITY_SET = option(
    _STRENGTH, "--severity-set", type=word_of(["imagenet-c", "cifar-c"]), default="imagenet-c", show_default=True,
    help="Which publication's severities.",
)  # fmt: skip
LEVELS = option(
    _STRENGTH, "--levels", type=click.IntRange(2, 1000), metavar="N", help="Spread a range into N evenly spaced levels."
)
MEAN = option(_STRENGTH, "--mean", default="0", metavar="M", help="Mean of the noise, in the unit of --std.")
