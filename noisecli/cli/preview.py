"""noisecli preview."""

import os
import shlex
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import click
from click.core import ParameterSource

from noisecli import __version__
from noisecli.cli import options as o
from noisecli.cli.annotations import annotate_run
from noisecli.cli.levels.asked import levels_of
from noisecli.cli.messages import count, progress_bar, report_problems
from noisecli.cli.outcome import refuse_shared_output, this_outcome
from noisecli.cli.request import range_of, refuse_odd_output, shared_probability_of, snr_of
from noisecli.cli.tars import tars_in
from noisecli.cli.terminal import say
from noisecli.cli.urls import refuse_local_options
from noisecli.cli.values import word_of
from noisecli.cli.where import patch_of, with_masks
from noisecli.engines.resources import available_cpus
from noisecli.errors import Refused
from noisecli.kinds import KINDS
from noisecli.kinds.images import IMAGES
from noisecli.model import Encoding
from noisecli.run.naming import refuse_existing
from noisecli.run.sources import walk
from noisecli.settings import Choice, NoiseSettings, OutputSettings, Running, Settings
from noisecli.storage import (
    Readers,
    escape_name,
    file_at,
    folder_at,
    from_anywhere,
    is_same_file,
    is_url,
    split_location,
    write_whole,
)
from noisecli.storage.stdout import print_whole

_SHEET = "Output"
_STREAM = "-"
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_KINDS = [kind for kind in KINDS.values() if kind.drawer]
_FOR_IMAGES = (
    *("corruption", "shot", "channel_std", "camera", "linear", "shared_channels_prob"),
    *("subsampling", "range", "mask", "patch", "zoom"),
)
_FOR_AUDIO = ("snr_of", "level_dbfs", "color", "slope")
_UNSEEN = (
    *("force", "show", "jobs", "timeout", "max_pixels", "max_bytes", "max_decoded"),
    *("as_json", "annotations", "quiet", "verbose", "progress"),
)
"""Options that change no pixel of a sheet."""

ROWS = o.option(
    _SHEET, "--rows", type=click.IntRange(1, 100), default=4, show_default=True,
    metavar="N", help="Number of files shown of a folder, evenly spread.",
)  # fmt: skip
ZOOM = o.option(
    _SHEET, "--zoom", type=click.IntRange(1, 32), metavar="N",
    help="Show a pixel as N by N.  [default: 1, more where an image is small]",
)  # fmt: skip
KIND = o.option(
    "Files", "--kind", type=word_of([kind.name for kind in _KINDS]),
    help="Which files to show where SRC holds both.",
)  # fmt: skip
SHOW = o.option(_SHEET, "--show", is_flag=True, help="Open a window too; any key closes it.")


@click.command("preview", cls=o.SectionedCommand)
@o.argument("source", "SRC", "A folder, of which a few files are shown; or one file.")
@o.argument("out", "OUT", "The sheet: a .png, .jpg or .webp; or - for standard output.")
@o.apply(o.STD, o.VAR, o.SNR, o.SNR_OF, o.LEVEL_DBFS, o.SEVERITY, o.ANY_SEVERITY_SET, o.CORRUPTION)
@o.apply(o.SHOT, o.SPECKLE, o.CHANNEL_STD, o.CAMERA, o.LEVELS, o.MEAN)
@o.apply(o.SEED, o.COLOR, o.SLOPE, o.SHARED, o.SHARED_PROB, o.LINEAR, o.FULL_SCALE, o.RANGE, o.MASK, o.PATCH)
@o.output_format(*(word for kind in _KINDS for word in kind.writes))
@o.apply(o.QUALITY, o.SUBSAMPLING)
@o.apply(o.INCLUDE, o.EXCLUDE, o.FOLLOW_LINKS)
@o.apply(ROWS, ZOOM, KIND, SHOW, o.REPLACE)
@o.apply(o.JOBS, o.TIMEOUT, o.MAX_PIXELS, o.SOURCE_LIMITS)
@o.COMMON_OUTPUT
def command(source: str, out: str, **options: Any) -> int:
    """Draw originals beside their noisy copies, to choose a strength.

    The noise and the encoding are those of the real run: the same folder, seed and level give the same files. OUT is a
    .png, .jpg or .webp, or -. Images are shown pixel for pixel (of a large one, the part with the most detail) with the
    histograms of clean (grey) and noisy (orange) below; audio files as waveform and spectrogram.
    Give exactly one of --std, --var, --snr-db, --severity and, of audio files, --level-dbfs; --shot, --speckle,
    --channel-std and --camera need none of them.

    \b
    noisecli preview photos look.png --std 5,25,50
    noisecli preview speech look.png --snr-db 20,10,0 --rows 2
    """  # noqa: D301 (click wants the character itself)
    refuse_odd_output(options)
    refuse_local_options(options, source, "")
    _refuse_out(source, out, options)
    settings = _settings(source, _kind(source, options), options)
    views: Any = _load_views()
    if options["show"]:
        views.require_display()
    with progress_bar(options, settings.kind) as begin:
        drawn = views.draw(settings, options["rows"], options["zoom"], begin, _footer(source))
    this_outcome().counters = lambda: _counters(drawn, settings)
    annotate_run(drawn.summary, settings, options, "preview")
    report_problems(drawn.summary, everything=True, traces=options["verbose"])
    if drawn.sheet is None:
        message = f"{escape_name(out)}: not written, as no file could be processed"
        this_outcome().error = message
        say(message)
        return 1
    _write(out, views.encode(drawn.sheet, _suffix(out)), drawn.readers)
    if not options["quiet"]:
        height, width = drawn.sheet.shape[:2]
        say(f"{count(drawn.files, 'file')} on {width} x {height} pixels: {escape_name(out)}")
    if options["show"]:
        views.show(out)
    status: int = drawn.summary.exit_status
    return status


def _counters(drawn: Any, settings: Settings) -> dict[str, Any]:
    """Return what --json reports of a sheet."""
    height, width = drawn.sheet.shape[:2] if drawn.sheet is not None else (None, None)
    about = drawn.summary.as_json()
    shared = {name: about[name] for name in ("failed", "skipped", "problems")}
    return {"kind": settings.kind, "files": drawn.files, "width": width, "height": height, **shared}


def _footer(source: str) -> str:
    """Return the command, and the version: the same for the same sheet, so neither folders nor OUT are in it."""
    words = ["noisecli", "preview", os.path.basename(from_anywhere(source)) or source]
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        given = name == "seed" or context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and isinstance(option, click.Option) and name not in _UNSEEN:
            values = context.params[name]
            if name == "mask":
                values = os.path.basename(from_anywhere(values))
            word = max(option.opts, key=len)
            for value in values if isinstance(values, tuple) else (values,):
                words += [word] if value is True else [word, str(value)]
    return f"{shlex.join(words)}, noisecli {__version__}"


def _load_views() -> ModuleType:
    """Import what draws, and OpenCV with it."""
    try:
        return import_module("noisecli.views")
    except ImportError as error:
        raise Refused(
            f"preview draws with OpenCV, which cannot be loaded here ({error}); "
            "apt-get install libgl1 libglib2.0-0, or replace opencv-python by opencv-python-headless"
        ) from None


def _refuse_out(source: str, out: str, options: Mapping[str, Any]) -> None:
    """Refuse names that would overwrite a file, or make the sheet a source of the next run, before any work."""
    if is_url(out):
        raise click.UsageError("OUT: a sheet is written on this machine; name a path")
    if source == _STREAM:
        raise click.UsageError("SRC must be a file or a folder")
    if out == _STREAM:
        refuse_shared_output(options, "name a file for OUT")
        if options["show"]:
            raise click.UsageError("--show and standard output exclude each other; name a file for OUT")
        if sys.stdout is None:
            raise Refused("standard output is closed here; name a file for OUT")
        if sys.stdout.isatty():
            raise Refused("standard output is a terminal; redirect it into a file")
        return
    if _suffix(out) not in _SUFFIXES:
        raise click.UsageError(f"{escape_name(out)}: a sheet is a {', '.join(_SUFFIXES)}; name one of these")
    if not os.path.isdir(os.path.dirname(out) or "."):
        raise Refused(f"{escape_name(out)}: its folder does not exist; create it first")
    parent = folder_at(os.path.dirname(out))
    if is_same_file(source, out) or (_is_folder(source) and folder_at(source).contains(parent)):
        raise Refused(f"{escape_name(out)}: is inside SRC, whose next run would take it for a source; choose another")
    refuse_existing(out, force=options["force"])


def _suffix(out: str) -> str:
    return ".png" if out == _STREAM else os.path.splitext(out)[1].lower()


def _kind(source: str, options: Mapping[str, Any]) -> str:
    """Tell the kind: by the name of one file, by what a folder holds."""
    if tars_in(source, IMAGES.name) is not None:
        raise Refused(f"{escape_name(source)}: preview does not look into tar shards; unpack one, as tar -xf does")
    if not _is_folder(source) and not _is_there(source):
        raise Refused(f"{escape_name(source)}: does not exist; name a folder or a file that does")
    if options["kind"] is not None:
        kind: str = options["kind"]
        return kind
    folder, choice = _chosen(source, options)
    numbers = {kind.name: len(walk(folder, kind.name, choice).sources) for kind in _KINDS}
    found = [name for name, number in numbers.items() if number]
    if len(found) > 1:
        held = " and ".join(KINDS[name].counted(numbers[name]) for name in found)
        ways = " or ".join(f"--kind {name}" for name in found)
        raise Refused(f"{escape_name(source)}: holds {held}; choose with {ways}")
    if not found:
        known = " or ".join(kind.nouns for kind in _KINDS)
        raise Refused(f"{escape_name(source)}: no {known} there, by their suffixes; --kind says more")
    return found[0]


def _is_folder(source: str) -> bool:
    return folder_at(source).exists()


def _is_there(source: str) -> bool:
    folder, name = file_at(source)
    return bool(name) and folder.has(name, follow=True)


def _chosen(source: str, options: Mapping[str, Any]) -> tuple[str, Choice]:
    """Return the folder and what is chosen of it: one file is a choice of its folder."""
    if _is_folder(source):
        return source, Choice(options["include"], options["exclude"], follow_links=options["follow_links"])
    folder, name = split_location(source)
    return folder or ".", Choice(names=(name,), follow_links=True)


def _settings(source: str, kind: str, options: Mapping[str, Any]) -> Settings:
    """Return the request of `noisecli images` or `noisecli audio` in the same options."""
    others, whose = (_FOR_AUDIO, "audio files") if kind == IMAGES.name else (_FOR_IMAGES, "images")
    given = [f"--{name.replace('_', '-')}" for name in others if options[name] not in (None, False)]
    if given:
        raise click.UsageError(f"{', '.join(given)}: for {whose} only, and these are {KINDS[kind].nouns}")
    form = options["form"]
    if form is not None and form not in KINDS[kind].writes:
        raise click.UsageError(f"--format {form}: not a format of {KINDS[kind].nouns}")
    noise = NoiseSettings(
        levels=levels_of(KINDS[kind], options),
        seed=options["seed"],
        shared_channels=options["shared_channels"],
        full_scale=options["full_scale"],
        range=range_of(options),
        mask=options["mask"],
        patch=patch_of(options),
        shared_probability=shared_probability_of(options),
        snr_of=snr_of(options),
    )
    limits = o.limits_of(options)
    folder, choice = _chosen(source, options)
    settings = Settings(
        kind=kind,
        source=folder,
        destination="",
        noise=noise,
        output=OutputSettings(Encoding(form, options["quality"], options["subsampling"])),
        choice=choice,
        running=Running(jobs=options["jobs"] or available_cpus(), timeout=options["timeout"], limits=limits),
    )
    return with_masks(settings, source)


def _write(out: str, data: bytes, readers: Readers) -> None:
    if out == _STREAM:
        print_whole([data])
    else:
        write_whole(out, [data], like=readers)
