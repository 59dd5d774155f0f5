"""The manifest's rows: a fixed set of keys per kind, floats always floats, null where a number is undefined."""

import json
import math
import os
from statistics import fmean
from typing import Any

from noisecli.effects import Effect
from noisecli.model import Level, Made, SampleSpec, Survival, Task
from noisecli.model.files import listed_files
from noisecli.noise.draw import Draw, drawn_level
from noisecli.noise.measure import Measure, significant_or_none
from noisecli.noise.stream import Streams
from noisecli.settings import Settings
from noisecli.storage import SourceFile, escape_name
from noisecli.words import merged
from noisecli.workers import Row
from noisecli.workers.output import Committed
from noisecli.workers.where import Region

_GREY_LEVELS = 255
_STRENGTHS = ("shot", "speckle", "channel_std_fractions", "photons", "amount")
"""What says in a row how strong noise is that is not white Gaussian."""
_PRECISE = ("float32", "float64", "f4", "f8", "c8", "c16", "F32", "F64")


def build_row(
    settings: Settings,
    task: Task,
    file: SourceFile | None,
    written: Committed,
    *,
    described: Row,
    unit: str,
    noise: Row,
    words: list[str],
) -> Row:
    """Return the row of one output. No time of day, no absolute path, no host name.

    Parameters
    ----------
    file
        The source; None where there is none.
    described
        What the output's samples are.
    unit
        What std and mean are counted in.
    noise
        What noise they got.
    words
        Warnings, in any order, besides those of the writer.
    """
    row: Row = {"file_name": task.output, "source": escape_name(task.source) or None}
    row |= {keys.name: name for keys, name in task.beside.items()}
    row |= {"kind": settings.kind, "format": written.format, **described}
    row |= {"noise": task.level.noise, "unit": unit, "level": task.level.label}
    row |= {"drawn": _drawn(settings, task, noise), **noise}
    if os.fsencode(escape_name(task.source)) != os.fsencode(task.source):
        words = [*words, "name-not-utf8"]
    row |= {"warnings": merged([*words, *written.warnings]), "settings": settings.key}
    row["source_bytes"], row["source_sha256"] = (None, None) if file is None else (file.size, file.sha256())
    for keys, (size, digest) in written.beside.items():
        row |= {keys.bytes: size, keys.sha256: digest}
    row["bytes"], row["sha256"] = written.noisy
    return row


def _drawn(settings: Settings, task: Task, noise: Row) -> float | None:
    """Return what was drawn from a range, in its own unit; None where nothing was, or silence has no ratio."""
    silent = task.level.is_ratio and not any(part["std"] for part in noise.get("parts", [noise]))
    if task.level.low == task.level.high:
        return None
    drawn = drawn_level(task.level, Streams(task.key), settings.noise.probability)
    if silent and drawn is not None and task.level.ratio_of(drawn) != math.inf:
        return None
    return drawn


def build_samples_row(
    settings: Settings,
    task: Task,
    file: SourceFile,
    drawn: Draw,
    measure: Measure,
    spec: SampleSpec,
    frames: int,
    written: Committed,
    region: Region | None = None,
    signal_rms: float | None = None,
) -> Row:
    """Return the row of an image or an audio file, of which so many frames were written.

    `signal_rms` is that of the signal that a ratio was asked of, where it was.
    """
    noise = {
        "std": drawn.std,
        "mean": drawn.mean,
        **drawn.noise.entries(),
        **({} if drawn.shared is None else {"shared_channels": drawn.shared}),
        "std_fraction": drawn.fraction(spec),
        "key": task.key.hex(),
        "copy": task.copy,
        "applied": drawn.applied and measure.changed > 0,
        "clipped_fraction": significant_or_none(measure.clipped_fraction),
        "measured_std": significant_or_none(measure.std),
    }
    if spec.sample_rate is None:
        noise["psnr_db"] = significant_or_none(measure.psnr_db(spec.full_scale))
    noise["snr_db"] = significant_or_none(measure.snr_db)
    if (snr_of := settings.noise.snr_of) is not None:
        noise |= {"snr_of": snr_of, "active_snr_db": significant_or_none(measure.snr_db_of(signal_rms or 0.0))}
    words = ["not-finite"] if measure.not_finite else []
    if region is not None:
        noise |= region.entries
        words += region.words
    described = _samples(spec, frames)
    return build_row(settings, task, file, written, described=described, unit=unit_of(spec), noise=noise, words=words)


def build_arrays_row(
    settings: Settings,
    task: Task,
    file: SourceFile,
    std_fraction: float | None,
    entries: list[Row],
    unchanged: int,
    words: list[str],
    written: Committed,
) -> Row:
    """Return the row of a file of arrays.

    Parameters
    ----------
    std_fraction
        The share of each array's own std, if that was asked for.
    entries, unchanged
        An entry for each array chosen, and how many others there are.
    """
    noise = {
        "std_fraction": std_fraction,
        "key": task.key.hex(),
        "copy": task.copy,
        "applied": any(entry["applied"] for entry in entries),
        "parts": entries,
        "parts_unchanged": unchanged,
    }
    words = [*words, *["not-finite"] * any(entry["not_finite"] for entry in entries)]
    return build_row(settings, task, file, written, described={}, unit="1", noise=noise, words=words)


def describe_array(name: str, dtype: str, shape: tuple[int, ...], drawn: Draw, measure: Measure) -> Row:
    """Return the entry of one array in a row's `parts`."""
    return {
        "name": name,
        "dtype": dtype,
        "shape": list(shape),
        "std": drawn.std,
        "mean": drawn.mean,
        **drawn.noise.entries(),
        "applied": drawn.applied and measure.changed > 0,
        "clipped_fraction": significant_or_none(measure.clipped_fraction),
        "measured_std": significant_or_none(measure.std),
        "snr_db": significant_or_none(measure.snr_db),
        "not_finite": measure.not_finite,
    }


def _samples(spec: SampleSpec, frames: int) -> Row:
    if spec.sample_rate is None:
        return {"dtype": spec.dtype, "shape": list(spec.shape)}
    duration = significant_or_none(frames / spec.sample_rate)
    shape = [frames, *spec.shape[1:]]
    return {"dtype": spec.dtype, "shape": shape, "sample_rate": spec.sample_rate, "duration": duration}


def unit_of(spec: SampleSpec) -> str:
    """Return what std and mean are counted in: one step of the samples, as a share of full scale."""
    if spec.full_scale == 1:
        return "1"
    return f"1/{spec.full_scale:g}" if spec.full_scale < 1e6 else f"1/{spec.full_scale:.0f}"


def made_of(
    task: Task,
    row: Row,
    kept: dict[str, Survival | None],
    noised: tuple[str, ...] = (),
    not_noised: tuple[str, ...] = (),
) -> Made:
    """Return the outcome that a row tells of."""
    size, words = sum(file.bytes for file in listed_files(row)), tuple(row["warnings"])
    effect = _effect(task, row)
    return Made(task.output, to_line(row), kept, words, row["applied"], noised, not_noised, effect, size)


def _effect(task: Task, row: Row) -> Effect:
    """Return what the summary says of an output's noise: of an array file, by the array that was clipped most."""
    parts: list[Row] = [part for part in row.get("parts", [row]) if _is_noisy(part)]
    if not parts:
        return Effect(task.level.label)
    most = max(parts, key=lambda part: part.get("clipped_fraction") or 0.0)
    in_db = [part["snr_db"] for part in parts if part.get("snr_db") is not None]
    kept = _kept(most)
    # what has no unit cannot have a wrong one
    asked = task.level.is_ratio or task.level.relative or task.level.quantity == "severity" or bool(task.level.words)
    drowned = bool(in_db) and min(in_db) < 0 and not asked
    has_samples = "not-finite" not in row["warnings"] and row.get("inside_fraction") != 0
    rounded_away = not row["applied"] and has_samples and all(map(_is_rounded, parts))
    clipped = most.get("clipped_fraction") or 0.0
    snr_db = min(in_db) if drowned else most.get("snr_db")
    has_others = any(name in part for part in parts for name in _STRENGTHS)
    strength = (None, None) if "eps" in row or has_others else _strength(task.level, row, parts)
    return Effect(task.level.label, rounded_away, clipped, kept, snr_db, drowned, *strength, task.level.is_ratio)


def _is_noisy(part: Row) -> bool:
    return bool(part["std"] or part["mean"] or any(part.get(name) for name in _STRENGTHS))


def _kept(part: Row) -> float:
    """Return what is there of the std that was added; 1 where that cannot be said."""
    added = 0.0 if any(name in part for name in _STRENGTHS) else math.hypot(part["std"] or 0.0, part.get("eps", 0.0))
    return part["measured_std"] / added if part["measured_std"] and added else 1.0


def _strength(level: Level, row: Row, parts: list[Row]) -> tuple[float | None, float | None]:
    """Return what was asked for and what is there, in the level's unit; of several arrays by their sizes."""
    sizes = [math.prod(part.get("shape") or (1,)) if "parts" in row else 1 for part in parts]
    if not sum(sizes):
        return None, None
    asked = level.written[1] if row["drawn"] is None else row["drawn"]
    if level.is_ratio:
        if "inside_fraction" in row:
            # what was asked for is of the whole image, what is measured is not
            return None, None
        asked = level.ratio_of(asked)
        ratios: list[Any] = [part.get("active_snr_db", part["snr_db"]) for part in parts]
        return asked, None if None in ratios else fmean(ratios, sizes)
    kept = fmean(map(_kept, parts), sizes)
    if level.quantity == "severity":
        asked = row["std_fraction"] * _GREY_LEVELS
    if level.quantity == "level_dbfs":
        return asked, asked + 20 * math.log10(kept) if kept else None
    return asked, asked * (kept**2 if level.quantity == "var" else kept)


def _is_rounded(part: Row) -> bool:
    """Whether samples have so few digits that noise may be lost in them, and rounding alone changed what they got."""
    # what the clip takes from a gradient step is not taken from the noise
    clipped = part.get("clipped_fraction") and not part.get("eps")
    return part["dtype"].lstrip("<>=") not in _PRECISE and 0 not in part["shape"] and not clipped


def to_line(row: dict[str, Any]) -> str:
    """Return the row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False)
