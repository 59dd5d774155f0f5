"""The gradient step of adversarial examples."""

import click

from noisecli.cli.options.sections import option

_STRENGTH, _NOISE, _FILES = "Strength", "Noise", "Files"

MODEL = option(_STRENGTH, "--model", metavar="FILE", required=True, help="A classifier that Keras 3 saved as .keras.")
EPS = option(
    _STRENGTH, "--eps", metavar="E", required=True, help="Size of the step, in the unit of --std: 8, 3%, 8/255."
)
CLASSES = option(
    _FILES, "--classes", metavar="FILE|A,B,C",
    help="All classes in the model's order.  [default: the folders of SRC, sorted]",
)  # fmt: skip
INPUT_RANGE = option(
    _NOISE, "--input-range", metavar="LO..HI",
    help="What the model takes for black and white.  [default: 0..1, or what its Rescaling layer takes]",
)  # fmt: skip
LOGITS = option(_NOISE, "--logits", is_flag=True, help="The model outputs logits.  [default: by its last layer]")
PROBABILITIES = option(
    _NOISE, "--probabilities", is_flag=True, help="The model outputs probabilities.  [default: by its last layer]"
)
BATCH_SIZE = option(
    "Running", "--batch-size", type=click.IntRange(1, 65_536), default=32, show_default=True, metavar="N",
    help="Samples whose gradients are computed together.",
)  # fmt: skip
SAMPLES = option(_FILES, "--key", default="x", show_default=True, metavar="NAME", help="Name of the samples in a .npz.")
LABELS = option(
    _FILES, "--labels", default="y", show_default=True, metavar="NAME", help="Name of the labels in a .npz."
)
