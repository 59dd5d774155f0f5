"""Options shared by commands, in sections. Each is an object in one place; help lists them section by section."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import click

from noisecli.cli.outcome import Outcome
from noisecli.cli.statuses import write_exit_statuses
from noisecli.cli.values import Finite, Share, word_of
from noisecli.kinds.audio import AUDIO
from noisecli.kinds.images import IMAGES
from noisecli.model import Limits

Decorator = Callable[[Any], Any]


class SectionedOption(click.Option):
    """An option that knows the heading it is listed under."""

    def __init__(self, *args: Any, section: str = "Other", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class SectionedCommand(click.Command):
    """A command whose many options are listed under headings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Answer words that it does not know with those that may be meant."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not ctx.resilient_parsing:
                from noisecli.cli.hints import explain

                explain(error, ctx, given)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Carry it out; what was asked for is reported with --json, however it ends."""
        ctx.ensure_object(Outcome).take(ctx.params)
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """End with the exit statuses."""
        write_exit_statuses(str(self.name), formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each section, in the order they were declared."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            # click from 8.5 on gives arguments a record too
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Other"), []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def _option(section: str, *names: str, **kwargs: Any) -> Decorator:
    return click.option(*names, cls=SectionedOption, section=section, **kwargs)


def apply(*decorators: Decorator) -> Decorator:
    """Return one decorator of many, in reading order."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


_STRENGTH = "How strong (exactly one of the first)"

STD = _option(
    _STRENGTH, "--std", metavar="LEVEL",
    help="Standard deviation: a number, a share (10%; of full scale also 25/255), a range (5..50), a sweep (5,15,25).",
)  # fmt: skip
VAR = _option(_STRENGTH, "--var", metavar="LEVEL", help="Variance: in the unit of --std, squared.")
SNR = _option(_STRENGTH, "--snr-db", metavar="LEVEL", help="Signal-to-noise ratio in dB; ranges are uniform in dB.")
SEVERITY = _option(
    _STRENGTH, "--severity", metavar="LEVEL", help="Severity 0 to 5, as published with ImageNet-C; 0 is no noise."
)
SEVERITY_SET = _option(
    _STRENGTH, "--severity-set", type=word_of(["imagenet-c", "cifar-c"]), default="imagenet-c", show_default=True,
    help="Which publication's severities.",
)  # fmt: skip
LEVELS = _option(
    _STRENGTH, "--levels", type=click.IntRange(2, 1000), metavar="N", help="Spread a range into N evenly spaced levels."
)
MEAN = _option(_STRENGTH, "--mean", default="0", metavar="M", help="Mean of the noise, in the unit of --std.")

_NOISE = "Which noise"

SEED = _option(_NOISE, "--seed", type=int, default=0, show_default=True, help="Another seed gives other noise.")
COPIES = _option(
    _NOISE, "--copies", type=click.IntRange(1, 100_000), default=1, metavar="N",
    help="Write N independent noisy versions of each file.",
)  # fmt: skip
PROB = _option(
    _NOISE, "--prob", type=Share(0, 1), default=1.0, metavar="P",
    help="Chance that an output gets noise at all: 0.5, 50%.",
)  # fmt: skip
SHARED = _option(
    _NOISE, "--shared-channels", is_flag=True, help="Use one noise value for all channels of a pixel or frame."
)
NO_CLIP = _option(
    _NOISE, "--no-clip", is_flag=True, help="Keep floats beyond full scale; integer samples need --dtype float32 too."
)
KEY = _option(
    _NOISE, "--key", multiple=True, metavar="GLOB",
    help="Only these arrays of a .npz, or fields of a structured array, get noise; may be repeated.",
)  # fmt: skip
TENSORS = _option(
    _NOISE, "--tensors", multiple=True, metavar="GLOB", help="Only these tensors get noise; may be repeated."
)
SKIP_TENSORS = _option(
    _NOISE, "--skip-tensors", multiple=True, metavar="GLOB", help="These tensors stay as they are; may be repeated."
)
CLIP = _option(_NOISE, "--clip", metavar="LO..HI", help="Clip noisy values to these limits.")
PER_FEATURE = _option(
    _NOISE, "--per-feature", is_flag=True, help="Take the percentage of each column's own std, along the last axis."
)
DTYPE = _option(
    _NOISE, "--dtype", type=word_of(["float32"]), help="Write the sum itself, not rounded: TIFF, WAV, arrays."
)
FULL_SCALE = _option(
    _NOISE, "--full-scale", type=Finite(0, min_open=True), metavar="V",
    help="Which value is white, or the highest amplitude: for floats beyond 1, or 12 bits in 16.",
)  # fmt: skip
RANGE = _option(
    _NOISE, "--range", metavar="LO..HI",
    help="Which values are black and white: for images of signed integers, or of floats below 0.",
)  # fmt: skip

_STEP = "The gradient step"

MODEL = _option(_STEP, "--model", metavar="FILE", required=True, help="A classifier that Keras 3 saved as .keras.")
EPS = _option(_STEP, "--eps", metavar="E", required=True, help="Size of the step, in the unit of --std: 8, 3%, 8/255.")
CLASSES = _option(
    _STEP, "--classes", metavar="FILE|A,B,C",
    help="All classes in the model's order.  [default: the folders of SRC, sorted]",
)  # fmt: skip
INPUT_RANGE = _option(
    _STEP, "--input-range", metavar="LO..HI",
    help="What the model takes for black and white.  [default: 0..1, or what its Rescaling layer takes]",
)  # fmt: skip
LOGITS = _option(_STEP, "--logits", is_flag=True, help="The model outputs logits.  [default: by its last layer]")
PROBABILITIES = _option(
    _STEP, "--probabilities", is_flag=True, help="The model outputs probabilities.  [default: by its last layer]"
)
BATCH_SIZE = _option(
    _STEP, "--batch-size", type=click.IntRange(1, 65_536), default=32, show_default=True, metavar="N",
    help="Samples whose gradients are computed together.",
)  # fmt: skip
SAMPLES = _option(_STEP, "--key", default="x", show_default=True, metavar="NAME", help="Name of the samples in a .npz.")
LABELS = _option(
    _STEP, "--labels", default="y", show_default=True, metavar="NAME", help="Name of the labels in a .npz."
)

_OUTPUT = "What comes out"

QUALITY = _option(
    _OUTPUT, "--quality", type=click.IntRange(1, 100), metavar="Q",
    help="Quality of lossy formats.  [default: JPEG 98; WebP, AVIF, JP2 lossless; OGG, MP3 the best]",
)  # fmt: skip
SUBSAMPLING = _option(
    _OUTPUT, "--subsampling", type=word_of(["444", "422", "420", "440", "411"]),
    help="Colour resolution of JPEG; all but 444 lose noise.  [default: 444]",
)  # fmt: skip
WITH_CLEAN = _option(
    _OUTPUT, "--with-clean", is_flag=True, help="Write DST/clean/ and DST/noisy/, through the same encoder."
)
SIDECARS = _option(
    _OUTPUT, "--sidecars", type=word_of(["skip", "copy", "link"]), default="skip", show_default=True,
    help="What to do with labels, transcripts and all other files.",
)  # fmt: skip
NAME = _option(_OUTPUT, "--name", metavar="TEMPLATE", help="Names of outputs, from {stem} {ext} {copy} {level}.")
MANIFEST = _option(
    _OUTPUT, "--manifest", metavar="NAME", help="Name of the manifest in DST.  [default: manifest.jsonl]"
)

REPLACE = _option(_OUTPUT, "--force", is_flag=True, help="Replace a file that already exists.")

_CHOICE = "Which files"

INCLUDE = _option(_CHOICE, "--include", multiple=True, metavar="GLOB", help="Only these files; may be repeated.")
EXCLUDE = _option(
    _CHOICE, "--exclude", multiple=True, metavar="GLOB", help="Not these: they count as side files; may be repeated."
)
FILES0 = _option(
    _CHOICE, "--files0-from", metavar="FILE|-", help="Take the files of this NUL-separated list, relative to SRC."
)
FOLLOW_LINKS = _option(_CHOICE, "--follow-links", is_flag=True, help="Follow symbolic links that lead out of SRC too.")
LIMIT = _option(_CHOICE, "--limit", type=click.IntRange(1), metavar="N", help="The first N files only.")

_RUNNING = "Running"

JOBS = _option(
    _RUNNING, "-j", "--jobs", type=click.IntRange(1, 1024), metavar="N",
    help="Number of worker processes.  [default: the CPUs allowed]",
)  # fmt: skip
DRY_RUN = _option(_RUNNING, "--dry-run", is_flag=True, help="Report what would happen; write nothing.")
REDO = _option(_RUNNING, "--redo", is_flag=True, help="Recompute all outputs, current ones too.")
CHECKSUM = _option(
    _RUNNING, "--checksum", is_flag=True, help="Compare sources and outputs by digest, not by size and time."
)
PRUNE = _option(
    _RUNNING, "--prune", is_flag=True, help="Remove outputs whose source is gone, or latents no longer asked for."
)
FORCE = _option(
    _RUNNING, "--force", is_flag=True, help="Replace files noisecli did not make; let --prune remove more than half."
)
ON_ERROR = _option(
    _RUNNING, "--on-error", type=word_of(["continue", "stop", "ignore"]), default="continue",
    show_default=True, help="What to do when a file fails; ignore: go on, and exit with 0 all the same.",
)  # fmt: skip
MAX_FAILURES = _option(
    _RUNNING, "--max-failures", type=click.IntRange(1), metavar="N", help="Stop after N failed files."
)
TIMEOUT = _option(
    _RUNNING, "--timeout", type=Finite(0, 1e6, min_open=True), default=60.0, show_default=True, metavar="S",
    help="Time limit in seconds per output, plus one for each MB.",
)  # fmt: skip
MAX_PIXELS = _option(
    _RUNNING, "--max-pixels", type=click.IntRange(1), default=178_956_970, show_default=True, metavar="N",
    help="Most pixels of an image, by its header.",
)  # fmt: skip
MAX_BYTES = _option(
    _RUNNING, "--max-bytes", type=click.IntRange(1), default=1 << 40, metavar="N",
    help="Most bytes of a file.  [default: 1 TiB]",
)  # fmt: skip
MAX_DECODED = _option(
    _RUNNING, "--max-decoded", type=click.IntRange(1), metavar="N",
    help="Most bytes a file may decode to, its metadata too.  [default: 100 times its size, 128 MiB at least]",
)  # fmt: skip
FSYNC = _option(_RUNNING, "--fsync", is_flag=True, help="Make outputs survive power loss, not only a crash.")

_REPORT = "What it prints"

JSON = _option(_REPORT, "--json", "as_json", is_flag=True, help="Print the summary to standard output, as JSON.")
ANNOTATIONS = _option(
    _REPORT, "--annotations", type=word_of(["github", "none"]),
    help="Report problems to GitHub Actions too.  [default: github where GITHUB_ACTIONS is true]",
)  # fmt: skip
QUIET = _option(_REPORT, "-q", "--quiet", is_flag=True, help="Print problems only.")
VERBOSE = _option(_REPORT, "-v", "--verbose", is_flag=True, help="Print all problems and warnings, and tracebacks.")
PROGRESS = _option(
    _REPORT, "--progress", type=word_of(["auto", "always", "never"]), default="auto", show_default=True,
    help="Show a progress bar; auto: on a terminal.",
)  # fmt: skip


def output_format(*words: str) -> Decorator:
    """Return the --format option of a kind."""
    return _option(_OUTPUT, "--format", "form", type=word_of(words), help="Write another format.")


IMAGE_FORMAT = output_format(*IMAGES.writes)
AUDIO_FORMAT = output_format(*AUDIO.writes)
COMMON_CHOICE = apply(INCLUDE, EXCLUDE, FILES0, FOLLOW_LINKS, LIMIT)
COMMON_RUNNING = apply(JOBS, DRY_RUN, REDO, CHECKSUM, PRUNE, FORCE, ON_ERROR, MAX_FAILURES, TIMEOUT, FSYNC)
SOURCE_LIMITS = apply(MAX_BYTES, MAX_DECODED)
COMMON_OUTPUT = apply(JSON, ANNOTATIONS, QUIET, VERBOSE, PROGRESS)
PATHS = apply(
    click.argument("source", metavar="SRC", type=click.Path(path_type=str)),
    click.argument("destination", metavar="DST", type=click.Path(path_type=str)),
)


def limits_of(options: Mapping[str, Any]) -> Limits:
    """Return the limits among a command's options; those that it does not have stay as they are."""
    return Limits(**{limit.name: options[limit.name] for limit in fields(Limits) if limit.name in options})
