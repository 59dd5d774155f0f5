"""How strong."""

import click

from noisecli.cli.options.sections import option
from noisecli.cli.values import word_of

_STRENGTH = "Strength"
_WRITTEN = "a range 5..50, a sweep 5,15,25"
_SHARE = "A number in the data's own unit, 5% of each {}'s own standard deviation, a range 5%..20%, a sweep 5%,10%."

STD = option(
    _STRENGTH, "--std", metavar="LEVEL",
    help=f"Standard deviation in grey levels of 0..255, 10% or 25/255 of full scale, {_WRITTEN}.",
    own={
        "audio": "Amplitude, where full scale is 1: 0.01, 1%, a range 0.001..0.05, a sweep 0.01,0.02.",
        "arrays": _SHARE.format("array"),
        "weights": _SHARE.format("tensor"),
        "adversarial": f"Noise after the step: grey levels of 0..255, 5% or 8/255 of full scale, {_WRITTEN}.",
        "preview": f"Images: grey levels of 0..255; audio files: amplitude; 10% of full scale, {_WRITTEN}.",
    },
)  # fmt: skip
VAR = option(_STRENGTH, "--var", metavar="LEVEL", help="Variance: in the unit of --std, squared.")
SNR = option(
    _STRENGTH, "--snr-db", metavar="LEVEL",
    help="Signal-to-noise ratio in dB: 20, a range 10..30 (uniform in dB), a sweep 20,10,0.",
)  # fmt: skip
SNR_OF = option(
    _STRENGTH, "--snr-of", type=word_of(["all", "active"]),
    help="What the signal of an SNR is: all of an audio file, or its parts that are not silence, windows of 100 ms "
    "above -50 dBFS (all of it where none is).  [default: all]",
)  # fmt: skip
LEVEL_DBFS = option(
    _STRENGTH, "--level-dbfs", metavar="LEVEL",
    help="Level of the noise in dB of full scale: -40, a range -60..-30 (uniform in dB), a sweep -60,-40. It is that "
    "of the RMS: a sine of full scale has -3.01.",
    own={"preview": "Audio files: level of the noise in dB of full scale, by its RMS: -40."},
)  # fmt: skip
SEVERITY = option(
    _STRENGTH, "--severity", metavar="LEVEL", help="Severity 0 to 5, as published with ImageNet-C; 0 is no noise.",
    own={
        "audio": "Severity 0 to 5, as published with Speech Robust Bench: SNRs of 40, 30, 20, 10, 0 dB; 0 is no noise.",
        "preview": "Severity 0 to 5, as published with ImageNet-C, of audio files with Speech Robust Bench.",
    },
)  # fmt: skip
CORRUPTION = option(
    _STRENGTH, "--corruption", type=word_of(["gaussian", "shot", "impulse", "speckle"]),
    help="With --severity: which noise of ImageNet-C. Its images were resized to 256 and cropped to 224 before the "
    "noise, truncated, and saved as JPEG of quality 85: noise on full-size images is not to be compared with them.  "
    "[default: gaussian]",
)  # fmt: skip
SEVERITY_SET = option(
    _STRENGTH, "--severity-set", type=word_of(["imagenet-c", "cifar-c"]), default="imagenet-c", show_default=True,
    help="Which publication's severities.",
)  # fmt: skip
AUDIO_SEVERITY_SET = option(
    _STRENGTH, "--severity-set", type=word_of(["srb"]), default="srb", show_default=True,
    help="Which publication's severities.",
)  # fmt: skip
ANY_SEVERITY_SET = option(
    _STRENGTH, "--severity-set", type=word_of(["imagenet-c", "cifar-c", "srb"]),
    help="Which publication's severities.  [default: imagenet-c; of audio files srb]",
)  # fmt: skip
SHOT = option(
    _STRENGTH, "--shot", metavar="A",
    help="Noise of a camera: its variance grows with the signal, A at full scale; alone or with --std. A number, a "
    "range 1e-4..0.012 (uniform in the logarithm), a sweep.",
    own={"arrays": "The variance grows with the size of the samples: A where that is 1; alone or with --std."},
)  # fmt: skip
SPECKLE = option(
    _STRENGTH, "--speckle", metavar="C",
    help="Multiplicative noise: a std of C, or 15%, of the sample itself; alone or with --std and --shot.",
    own={"audio": "Multiplicative noise: a std of C, or 15%, of the sample itself; alone or with --std."},
)  # fmt: skip
CAMERA = option(
    _STRENGTH, "--camera", type=word_of(["brooks", "sidd"]),
    help="Draw --shot and --std for each image as cameras do: those of Brooks et al. (2019), or the phones of SIDD.",
)  # fmt: skip
CHANNEL_STD = option(
    _STRENGTH, "--channel-std", metavar="R,G,B",
    help="A std for each channel, in the unit of --std and instead of it: 5,10,20.",
)  # fmt: skip
LEVELS = option(
    _STRENGTH, "--levels", type=click.IntRange(2, 1000), metavar="N",
    help="Spread a range into N evenly spaced levels, a sweep.",
)  # fmt: skip
MEAN = option(
    _STRENGTH, "--mean", default="0", show_default=True, metavar="M", help="Mean of the noise, in the unit of --std."
)
