"""One noisy copy of a file: its path, and what its manifest row says of it, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from noisecli.kinds import KINDS
from noisecli.model import Level, Limits

_NOTABLE = 0.03


@dataclass(frozen=True, slots=True)
class NoisyCopy:
    """An output of the run that a sheet is drawn from."""

    path: str
    title: str
    notes: tuple[str, ...]
    patch: tuple[int, int, int, int] | None = None
    """Of an image: the square that has noise, its first column and row, its width and height."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """How files are shown."""

    limits: Limits
    zoom: int | None = None
    """How many pixels of the sheet a pixel of an image gets in each direction; None: one, and as many as there is room
    for where the image is small."""
    full_scale: float | None = None
    """The value that is white, or full scale, where the file does not define it."""
    range: tuple[float, float] | None = None
    """The values that are black and white instead."""


def describe(path: str, level: Level, row: Mapping[str, Any], kept: Mapping[str, float] | None) -> NoisyCopy:
    """Describe a noisy copy by the level requested, its manifest row, and what a lossy format kept of the noise."""
    title = level.spoken
    if not row["applied"]:
        return NoisyCopy(path, title, ("no noise",))
    if row["measured_std"] is None:
        return NoisyCopy(path, title, ("measured std: beyond what doubles hold",))
    std = f"measured std {_measured(row)}"
    ratio, value = ("PSNR", row["psnr_db"]) if "psnr_db" in row else ("SNR", row["snr_db"])
    note = std if value is None else f"{std}, {ratio} {round(value, 1) + 0.0:.1f} dB"
    if kept is not None and abs(kept["std"] - 1) > _NOTABLE:
        note += f", on disk {kept['std']:.0%}"
    patch = None if row.get("patch") is None else tuple(row["patch"])
    return NoisyCopy(path, title, (note, *_where(row)), patch)


def _where(row: Mapping[str, Any]) -> Iterator[str]:
    """Say where there is noise, and is measured, if not everywhere."""
    if (patch := row.get("patch")) is not None:
        x, y, width, height = patch
        yield f"inside {width} x {height} from {x}, {y}{' and its mask' * ('mask' in row)}"
    elif "inside_fraction" in row:
        yield f"inside {row['inside_fraction'] * 100:.3g}% of the image"


def _measured(row: Mapping[str, Any]) -> str:
    """Return the std in the unit of --std: grey levels of 0..255, amplitude."""
    steps = float(row["unit"].partition("/")[2] or 1)
    share = row["measured_std"] / steps
    unit = KINDS[row["kind"]].bare_unit or 1.0
    return f"{share * unit:.1f}" if unit > 1 else f"{share:.3g}"
