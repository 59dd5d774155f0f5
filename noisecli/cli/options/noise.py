"""Which noise."""

import click

from noisecli.cli.options.sections import option
from noisecli.cli.values import Finite, Share, word_of

_NOISE = "Noise"

SEED = option(
    _NOISE,
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Another seed gives other noise; with one, a path below SRC has the same noise in any folder.",
    own={"latents": "Another seed gives other noise."},
)
COPIES = option(
    _NOISE, "--copies", type=click.IntRange(1, 100_000), default=1, show_default=True, metavar="N",
    help="Write N independent noisy versions of each file.",
)  # fmt: skip
PROB = option(
    _NOISE, "--prob", type=Share(0, 1), default=1.0, metavar="P",
    help="Chance that an output gets noise at all: 0.5, 50%.  [default: 100%]",
)  # fmt: skip
COLOR = option(
    _NOISE, "--color", type=word_of(["pink", "brown", "blue", "violet"]),
    help="Coloured noise: -3.01 (pink), -6.02 (brown), 3.01 (blue) or 6.02 (violet) dB an octave, from 20 Hz "
    "to 0.45 of the rate; flat below 2.5 Hz.",
)  # fmt: skip
SLOPE = option(
    _NOISE, "--slope", metavar="DB", help="The same by the slope of its spectral density, -6.03 to 6.03 dB an octave.",
)  # fmt: skip
SHARED = option(
    _NOISE,
    "--shared-channels",
    is_flag=True,
    help="Use one noise value for all channels of a pixel: grey noise.",
    own={
        "audio": "Use one noise value for all channels of a frame.",
        "preview": "Use one noise value for all channels of a pixel or frame.",
    },
)
SHARED_PROB = option(
    _NOISE, "--shared-channels-prob", type=Share(0, 1), metavar="P",
    help="Chance that an image gets grey noise, as --shared-channels adds it.",
)  # fmt: skip
LINEAR = option(
    _NOISE, "--linear", is_flag=True,
    help="Add the noise in linear light: the sRGB curve undone, noise, the curve applied, rounded once.",
)  # fmt: skip
NO_CLIP = option(
    _NOISE,
    "--no-clip",
    is_flag=True,
    help="Keep floats beyond full scale; integer samples need --dtype float32 too.",
)
KEY = option(
    _NOISE, "--key", multiple=True, metavar="GLOB",
    help="Only these arrays of a .npz, or fields of a structured array, get noise; may be repeated.",
)  # fmt: skip
TENSORS = option(
    _NOISE, "--tensors", multiple=True, metavar="GLOB", help="Only these tensors get noise; may be repeated."
)
SKIP_TENSORS = option(
    _NOISE, "--skip-tensors", multiple=True, metavar="GLOB", help="These tensors stay as they are; may be repeated."
)
CLIP = option(_NOISE, "--clip", metavar="LO..HI", help="Clip noisy values to these limits.")
PER_FEATURE = option(
    _NOISE, "--per-feature", is_flag=True, help="Take the percentage of each column's own std, along the last axis."
)
DTYPE = option(
    _NOISE,
    "--dtype",
    type=word_of(["float32"]),
    help="Write the sum itself, not rounded; with --format tiff.",
    own={
        "audio": "Write the sum itself, not rounded; with --format wav, aiff, au, caf, w64 or rf64.",
        "arrays": "Write the sum itself, not rounded: integers become floats.",
    },
)
FULL_SCALE = option(
    _NOISE, "--full-scale", type=Finite(0, min_open=True), metavar="V",
    help="Which value is white: for 12 bits in 16, or floats of 0..255.",
    own={
        "audio": "Which value is the highest amplitude: 32768 for 16-bit values in floats.",
        "preview": "Which value is white, or the highest amplitude.",
    },
)  # fmt: skip
RANGE = option(
    _NOISE, "--range", metavar="LO..HI",
    help="Which values are black and white: for images of signed integers, or of floats below 0.",
)  # fmt: skip
