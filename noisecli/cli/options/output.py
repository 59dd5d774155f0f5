"""What comes out."""

import click

from noisecli.cli.options.sections import Decorator, option
from noisecli.cli.values import word_of
from noisecli.kinds.audio import AUDIO
from noisecli.kinds.images import IMAGES

_OUTPUT = "Output"

QUALITY = option(
    _OUTPUT, "--quality", type=click.IntRange(1, 100), metavar="Q",
    help="Quality of lossy formats.  [default: JPEG 98; WebP, AVIF, JP2, HEIC lossless]",
    own={
        "audio": "Quality of OGG and MP3.  [default: 100, the best]",
        "preview": "Quality of lossy formats.  [default: JPEG 98; WebP, AVIF, JP2, HEIC lossless; OGG, MP3 the best]",
    },
)  # fmt: skip
SUBSAMPLING = option(
    _OUTPUT, "--subsampling", type=word_of(["444", "422", "420", "440", "411"]),
    help="Colour resolution of JPEG; all but 444 lose noise.  [default: 444]",
)  # fmt: skip
WITH_CLEAN = option(
    _OUTPUT,
    "--with-clean",
    is_flag=True,
    help="Write DST/clean/ and DST/noisy/, through the same encoder.",
    own=dict.fromkeys(("arrays", "weights"), "Write DST/clean/ and DST/noisy/, which mirror each other."),
)
WITH_STD_MAP = option(
    _OUTPUT, "--with-std-map", is_flag=True,
    help="Write DST/std-map/ and DST/noisy/: the std of the noise on every sample before clip and rounding, a share of "
    "full scale, as float32 TIFF without alpha. With --linear in linear light.",
    own={
        "arrays": "Write DST/std-map/ and DST/noisy/: the std of the noise on every sample, in the data's own unit, as "
        "float32 .npy; for .npy files.",
    },
)  # fmt: skip
SIDECARS = option(
    _OUTPUT, "--sidecars", type=word_of(["skip", "copy", "link"]), default="skip", show_default=True,
    help="What to do with labels and all other files beside the images.",
    own={
        "audio": "What to do with transcripts and all other files beside the audio files.",
        "arrays": "What to do with labels and all other files beside the arrays.",
        "weights": "What to do with config, tokenizer and all other files beside the weights.",
    },
)  # fmt: skip
NAME = option(
    _OUTPUT, "--name", metavar="TEMPLATE",
    help="Names of outputs, from {stem} {ext} {copy} {level}.  [default: {stem}{ext}, with copies {stem}-{copy}{ext}]",
)  # fmt: skip
TAR = option(
    _OUTPUT, "--tar", type=click.IntRange(1), metavar="N",
    help="Pack outputs into tar shards of N samples, side files with the name of one along with it.",
)  # fmt: skip
MANIFEST = option(_OUTPUT, "--manifest", metavar="NAME", help="Name of the manifest in DST.  [default: manifest.jsonl]")
DEPFILE = option(
    _OUTPUT, "--depfile", metavar="FILE", help="Write what DST is made from to FILE, which Make and Ninja read."
)

REPLACE = option(_OUTPUT, "--force", is_flag=True, help="Replace a file that already exists.")


def output_format(*words: str) -> Decorator:
    """Return the --format option of a kind."""
    return option(_OUTPUT, "--format", "form", type=word_of(words), help="Write another format.")


IMAGE_FORMAT = output_format(*IMAGES.writes)
AUDIO_FORMAT = output_format(*AUDIO.writes)
