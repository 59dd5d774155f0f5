"""noisecli preview."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.messages import progress_bar, tell_problems
from noisecli.cli.request import levels_of
from noisecli.cli.terminal import say
from noisecli.engines.cpus import available_cpus
from noisecli.errors import Refused
from noisecli.model import Encoding, Kind
from noisecli.run.naming import refuse_existing
from noisecli.run.sources import walk
from noisecli.settings import Choice, NoiseSettings, OutputSettings, Running, Settings
from noisecli.storage import Readers, escape_name, write_whole
from noisecli.storage.stdout import print_whole

_SHEET = "The sheet"
_STREAM = "-"
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_KINDS: tuple[Kind, ...] = ("images", "audio")
_FORMATS: dict[Kind, tuple[str, ...]] = {
    "images": ("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "pgm", "ppm", "pnm", "avif", "jp2", "gif"),
    "audio": ("wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "rf64"),
}
_OF_PICTURES = ("severity", "subsampling", "full_scale", "zoom")

ROWS = click.option(
    "--rows", cls=o.SectionedOption, section=_SHEET, type=click.IntRange(1, 100), default=4, show_default=True,
    metavar="N", help="How many files of a folder, evenly spread.",
)  # fmt: skip
ZOOM = click.option(
    "--zoom", cls=o.SectionedOption, section=_SHEET, type=click.IntRange(1, 32), metavar="N",
    help="Show a pixel as N by N.  [default: 1, more where a picture is small]",
)  # fmt: skip
KIND = click.option(
    "--kind", cls=o.SectionedOption, section=_SHEET, type=click.Choice(_KINDS),
    help="Of a folder that holds both pictures and sounds.",
)  # fmt: skip
SHOW = click.option(
    "--show", cls=o.SectionedOption, section=_SHEET, is_flag=True, help="Open a window too; any key closes it."
)
FORCE = click.option(
    "--force", cls=o.SectionedOption, section=_SHEET, is_flag=True, help="Replace OUT where it stands already."
)


@click.command("preview", cls=o.SectionedCommand)
@click.argument("source", metavar="SRC", type=click.Path(path_type=str))
@click.argument("out", metavar="OUT", type=click.Path(path_type=str))
@o.apply(o.STD, o.VAR, o.SNR, o.SEVERITY, o.SEVERITY_SET, o.LEVELS, o.MEAN)
@o.apply(o.SEED, o.SHARED, o.FULL_SCALE)
@o.output_format(*_FORMATS["images"], *_FORMATS["audio"])
@o.apply(o.QUALITY, o.SUBSAMPLING)
@o.apply(o.INCLUDE, o.EXCLUDE)
@o.apply(ROWS, ZOOM, KIND, SHOW, FORCE)
@o.apply(o.JOBS, o.TIMEOUT, o.MAX_PIXELS, o.SOURCE_LIMITS)
@o.apply(o.QUIET, o.VERBOSE, o.PROGRESS)
def command(source: str, out: str, **words: Any) -> int:
    """Draw originals beside their noisy copies, to see how strong is strong enough.

    The noise and the encoding are those of the real run: the same folder, seed and level give the same files. OUT is a
    .png, .jpg or .webp. Pictures are shown pixel for pixel (of a large one, the part with the most detail) with the
    histograms of clean (grey) and noisy (orange) below; sounds as waveform and spectrogram.

    \b
    noisecli preview photos look.png --std 5,25,50
    noisecli preview speech look.png --snr-db 20,10,0 --rows 2
    """  # noqa: D301 (click wants the character itself)
    _refuse_out(source, out, words)
    settings = _settings(source, _kind(source, words), words)
    views: Any = _load_views()
    if words["show"]:
        views.require_display()
    with progress_bar(words["progress"], words["quiet"], settings.kind) as begin:
        drawn = views.draw(settings, words["rows"], words["zoom"], begin)
    tell_problems(drawn.summary, everything=True, traces=words["verbose"])
    if drawn.sheet is None:
        say(f"{escape_name(out)}: not written, for none of the files could be done")
        return 1
    _write(out, views.encode(drawn.sheet, _suffix(out)), drawn.readers)
    if not words["quiet"]:
        height, width = drawn.sheet.shape[:2]
        files = f"{drawn.files:,} {'file' if drawn.files == 1 else 'files'}"
        say(f"{files} on {width} x {height} pixels: {escape_name(out)}")
    if words["show"]:
        views.show(out)
    status: int = drawn.summary.exit_status
    return status


def _load_views() -> ModuleType:
    """Import what draws, and OpenCV with it."""
    try:
        return import_module("noisecli.views")
    except ImportError as error:
        raise Refused(
            f"preview draws with OpenCV, which cannot be loaded here ({error}); "
            "apt-get install libgl1 libglib2.0-0, or put opencv-python-headless in the place of opencv-python"
        ) from None


def _refuse_out(source: str, out: str, words: Mapping[str, Any]) -> None:
    """Refuse names that would cost a file, or make the sheet a source of the next run, before any work."""
    if source == _STREAM:
        raise click.UsageError("SRC must be a file or a folder")
    if out == _STREAM:
        if words["show"]:
            raise click.UsageError("--show and standard output exclude each other; name a file for OUT")
        if sys.stdout is None:
            raise Refused("standard output is closed here; name a file for OUT")
        if sys.stdout.isatty():
            raise Refused("standard output is a terminal; redirect it into a file")
        return
    if _suffix(out) not in _SUFFIXES:
        raise click.UsageError(f"{escape_name(out)}: a sheet is a {', '.join(_SUFFIXES)}; name one of these")
    if not os.path.isdir(os.path.dirname(out) or "."):
        raise Refused(f"{escape_name(out)}: its folder is not there; make it first")
    whole, inside = os.path.realpath(source), os.path.realpath(out)
    if whole == inside or (os.path.isdir(source) and inside.startswith(whole.rstrip("/") + "/")):
        raise Refused(f"{escape_name(out)}: lies inside SRC, whose next run would take it for a source; choose another")
    refuse_existing(out, force=words["force"])


def _suffix(out: str) -> str:
    return ".png" if out == _STREAM else os.path.splitext(out)[1].lower()


def _kind(source: str, words: Mapping[str, Any]) -> Kind:
    """Tell pictures from sounds: by the name of one file, by what a folder holds."""
    if not os.path.exists(source):
        raise Refused(f"{escape_name(source)}: is not there; name a folder or a file that exists")
    if words["kind"] is not None:
        kind: Kind = words["kind"]
        return kind
    folder, choice = _chosen(source, words)
    found = {kind: len(walk(folder, kind, choice).sources) for kind in _KINDS}
    if all(found.values()):
        raise Refused(
            f"{escape_name(source)}: holds {found['images']:,} pictures and {found['audio']:,} sounds; "
            "say which with --kind images or --kind audio"
        )
    if not any(found.values()):
        raise Refused(f"{escape_name(source)}: no picture and no sound there, by their names; --kind says more")
    return max(_KINDS, key=found.__getitem__)


def _chosen(source: str, words: Mapping[str, Any]) -> tuple[str, Choice]:
    """Return the folder and what is chosen of it: one file is a choice of its folder."""
    if os.path.isdir(source):
        return source, Choice(words["include"], words["exclude"])
    folder, name = os.path.split(source)
    return folder or ".", Choice(names=(name,))


def _settings(source: str, kind: Kind, words: Mapping[str, Any]) -> Settings:
    """Return the request of `noisecli images` or `noisecli audio` in the same words."""
    if kind != "images":
        given = [f"--{name.replace('_', '-')}" for name in _OF_PICTURES if words[name] is not None]
        if given:
            raise click.UsageError(f"{', '.join(given)}: for pictures only, and these are sounds")
    form = words["form"]
    if form is not None and form not in _FORMATS[kind]:
        raise click.UsageError(f"--format {form}: no format of {'pictures' if kind == 'images' else 'sounds'}")
    noise = NoiseSettings(
        levels=levels_of(kind, words),
        seed=words["seed"],
        shared_channels=words["shared_channels"],
        full_scale=words["full_scale"],
    )
    limits = o.limits_of(words)
    folder, choice = _chosen(source, words)
    return Settings(
        kind=kind,
        source=folder,
        destination="",
        noise=noise,
        output=OutputSettings(Encoding(form, words["quality"], words["subsampling"])),
        choice=choice,
        running=Running(jobs=words["jobs"] or available_cpus(), timeout=words["timeout"], limits=limits),
    )


def _write(out: str, data: bytes, readers: Readers) -> None:
    if out == _STREAM:
        print_whole([data])
    else:
        write_whole(out, [data], like=readers)
