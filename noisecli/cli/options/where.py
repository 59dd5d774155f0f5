"""Where images get noise."""

from noisecli.cli.options.sections import option

_NOISE = "Noise"

MASK = option(
    _NOISE, "--mask", metavar="DIR",
    help="Noise only where the mask of the same path in DIR (any suffix) is not black; for one file, DIR or its mask.",
)  # fmt: skip
PATCH = option(
    _NOISE, "--patch", metavar="N",
    help="Noise only in a square of N x N pixels at a place drawn for each output; a range 20..100 draws N too.",
)  # fmt: skip
