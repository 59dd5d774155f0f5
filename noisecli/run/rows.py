"""The manifest's rows: a fixed set of keys per kind, floats always floats, null where a number is undefined."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from noisecli.model import SampleSpec, Task
from noisecli.noise.level import Draw
from noisecli.noise.measure import Measure, significant_or_none
from noisecli.run.settings import Settings
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
    row: dict[str, Any] = {"file_name": task.output, "source": escape_name(task.source)}
    if task.clean_output is not None:
        row["clean_file_name"] = task.clean_output
    row |= _samples(settings, written)
    row |= {
        "noise": "gaussian",
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
    row["warnings"] = _warnings(task, measure, written)
    row |= {"settings": settings.key, "source_bytes": file.size, "source_sha256": file.sha256()}
    if written.clean is not None:
        row["clean_bytes"], row["clean_sha256"] = written.clean
    row["bytes"], row["sha256"] = written.noisy
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


def _warnings(task: Task, measure: Measure, written: Written) -> list[str]:
    words = set(written.warnings)
    if measure.not_finite:
        words.add("not-finite")
    if os.fsencode(escape_name(task.source)) != os.fsencode(task.source):
        words.add("name-not-utf8")
    return sorted(words)


def to_line(row: dict[str, Any]) -> str:
    """Return the row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False)
