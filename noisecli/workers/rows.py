"""The manifest's rows: a fixed set of keys per kind, floats always floats, null where a number is undefined."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from noisecli.model import SampleSpec, Task
from noisecli.noise.draw import Draw
from noisecli.noise.measure import Measure, significant_or_none
from noisecli.settings import Settings
from noisecli.storage import SourceFile, escape_name


class Written(NamedTuple):
    """What was written: size and sha256 of each file."""

    spec: SampleSpec
    format: str
    lossy: bool
    frames: int
    warnings: list[str]
    noisy: tuple[int, str]
    clean: tuple[int, str] | None


def build_row(
    settings: Settings, task: Task, file: SourceFile, drawn: Draw, measure: Measure, written: Written
) -> dict[str, Any]:
    """Return the row of one output. No time of day, no absolute path, no host name."""
    row = _names(task)
    row |= _samples(settings, written)
    row |= {
        "noise": task.level.noise,
        "unit": _unit(written.spec),
        "level": task.level.label,
        "std": drawn.std,
        "mean": drawn.mean,
        "std_fraction": drawn.fraction(written.spec),
        "key": task.key.hex(),
        "copy": task.copy,
        "applied": drawn.applied,
        "clipped_fraction": significant_or_none(measure.clipped_fraction),
        "measured_std": significant_or_none(measure.std),
    }
    if settings.kind in ("images", "adversarial"):
        row["psnr_db"] = significant_or_none(measure.psnr_db(written.spec.full_scale))
    row["snr_db"] = significant_or_none(measure.snr_db)
    words = [*written.warnings, "not-finite"] if measure.not_finite else written.warnings
    return row | _ending(settings, task, file, words, written.noisy, written.clean)


class WrittenArrays(NamedTuple):
    """What was written of a file of arrays: an entry for each array chosen, how many others, size and sha256s."""

    format: str
    parts: list[dict[str, Any]]
    unchanged: int
    warnings: list[str]
    noisy: tuple[int, str]
    clean: tuple[int, str] | None


def build_arrays_row(
    settings: Settings, task: Task, file: SourceFile, std_fraction: float | None, written: WrittenArrays
) -> dict[str, Any]:
    """Return the row of one file of arrays; `std_fraction` is the share of each array's own std, if that was asked."""
    row = _names(task)
    row |= {
        "kind": settings.kind,
        "format": written.format,
        "noise": task.level.noise,
        "unit": "1",
        "level": task.level.label,
        "std_fraction": std_fraction,
        "key": task.key.hex(),
        "copy": task.copy,
        "applied": any(part["applied"] for part in written.parts),
        "parts": written.parts,
        "parts_unchanged": written.unchanged,
    }
    words = list(written.warnings)
    if any(part["not_finite"] for part in written.parts):
        words.append("not-finite")
    return row | _ending(settings, task, file, words, written.noisy, written.clean)


def describe_array(name: str, dtype: str, shape: tuple[int, ...], drawn: Draw, measure: Measure) -> dict[str, Any]:
    """Return the entry of one array in a row's `parts`."""
    return {
        "name": name,
        "dtype": dtype,
        "shape": list(shape),
        "std": drawn.std,
        "mean": drawn.mean,
        "applied": drawn.applied,
        "clipped_fraction": significant_or_none(measure.clipped_fraction),
        "measured_std": significant_or_none(measure.std),
        "snr_db": significant_or_none(measure.snr_db),
        "not_finite": measure.not_finite,
    }


def _names(task: Task) -> dict[str, Any]:
    row: dict[str, Any] = {"file_name": task.output, "source": escape_name(task.source)}
    if task.clean_output is not None:
        row["clean_file_name"] = task.clean_output
    return row


def _ending(
    settings: Settings,
    task: Task,
    file: SourceFile,
    words: list[str],
    noisy: tuple[int, str],
    clean: tuple[int, str] | None,
) -> dict[str, Any]:
    """Warnings, settings, sizes and digests."""
    if os.fsencode(escape_name(task.source)) != os.fsencode(task.source):
        words = [*words, "name-not-utf8"]
    row: dict[str, Any] = {"warnings": sorted(set(words)), "settings": settings.key}
    row |= {"source_bytes": file.size, "source_sha256": file.sha256()}
    if clean is not None:
        row["clean_bytes"], row["clean_sha256"] = clean
    row["bytes"], row["sha256"] = noisy
    return row


def _samples(settings: Settings, written: Written) -> dict[str, Any]:
    spec = written.spec
    row: dict[str, Any] = {"kind": settings.kind, "format": written.format, "dtype": spec.dtype}
    if spec.sample_rate is None:
        return row | {"shape": list(spec.shape)}
    duration = significant_or_none(written.frames / spec.sample_rate)
    shape = [written.frames, *spec.shape[1:]]
    return row | {"shape": shape, "sample_rate": spec.sample_rate, "duration": duration}


def _unit(spec: SampleSpec) -> str:
    """What std and mean are counted in: one step of the samples, as a share of full scale."""
    return (
        "1"
        if spec.full_scale == 1
        else f"1/{spec.full_scale:g}"
        if spec.full_scale < 1e6
        else f"1/{spec.full_scale:.0f}"
    )


def to_line(row: dict[str, Any]) -> str:
    """Return the row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False)
