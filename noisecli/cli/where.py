"""--mask and --patch: where images get noise."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from noisecli.errors import Refused
from noisecli.settings import Settings
from noisecli.storage import escape_name, file_at, folder_at, is_same_file, is_tar_location, is_url
from noisecli.workers.mask_files import is_there

_STREAM = "-"
_SIDES = re.compile(r"\s*(\d{1,7})\s*(?:\.\.\s*(\d{1,7})\s*)?\Z", re.ASCII)


def patch_of(options: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the least and the most pixels of a patch's side as --patch says them."""
    text = options.get("patch")
    if text is None:
        return None
    match = _SIDES.match(text)
    if match is None or int(match[1]) < 1:
        raise click.UsageError(f"--patch {text}: a side in pixels, 1 or more, or a range of them: 50, 20..100")
    low, high = int(match[1]), int(match[2] or match[1])
    if low > high:
        raise click.UsageError(f"--patch {text}: the lower end comes first")
    return low, high


def with_masks(settings: Settings, source: str) -> Settings:
    """Return the request with its masks left out of its sources. Raises UsageError or Refused.

    `source` is SRC as it was typed, a file or a folder.
    """
    mask = settings.noise.mask
    if mask is None:
        return settings
    shown = f"--mask {escape_name(mask)}"
    if not mask or is_tar_location(mask):
        raise click.UsageError(f"{shown}: name a folder of masks, no tar shards")
    if is_url(mask) and settings.running.depfile is not None:
        raise click.UsageError("--depfile: Make looks at files on this machine, and --mask names none; omit it")
    if not is_there(mask):
        raise Refused(f"{shown}: no such folder; name one that holds a mask for every image")
    is_folder, of_folder = folder_at(mask).exists(), source != _STREAM and folder_at(source).exists()
    if source == _STREAM and is_folder:
        raise click.UsageError(f"{shown}: standard input has no name to find a mask by; name the mask itself")
    if of_folder and not is_folder:
        raise click.UsageError(f"{shown}: is one file, and SRC a folder; name a folder of masks")
    _refuse_places(mask, source, settings.destination, shown)
    if not of_folder:
        return settings
    return replace(settings, choice=replace(settings.choice, aside=_aside(settings.source, mask)))


def _refuse_places(mask: str, source: str, destination: str, shown: str) -> None:
    """Refuse masks that are the images, and masks whose places outputs would take."""
    masks = folder_at(mask)
    folder = folder_at(source) if folder_at(source).exists() else file_at(source)[0]
    if is_same_file(mask, source) or (masks.exists() and source != _STREAM and folder.is_same(masks)):
        raise Refused(f"{shown}: is where the images are; keep masks in a folder of their own")
    if destination in ("", _STREAM):
        return
    outputs = folder_at(destination)
    if is_same_file(mask, destination) or masks.contains(outputs) or (masks.exists() and outputs.contains(masks)):
        raise Refused(
            f"{shown}: DST lies there, or that in DST, and outputs may take masks' places; choose another DST"
        )


def _aside(source: str, mask: str) -> tuple[str, ...]:
    """Return the folder of masks as a walk of the source folder names it; nothing where it is not in there."""
    mask = mask.rstrip("/")
    if is_url(source) or is_url(mask):
        above = f"{source.rstrip('/')}/"
        return (mask.removeprefix(above),) if mask.startswith(above) else ()
    above, own = os.path.split(mask)
    # what a symbolic link leads to, and the link itself
    ways = (os.path.realpath(mask), os.path.join(os.path.realpath(above), own))
    inside = (os.path.relpath(way, os.path.realpath(source)) for way in ways)
    return tuple(dict.fromkeys(name for name in inside if name.partition("/")[0] not in (".", "..")))
