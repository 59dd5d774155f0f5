"""--shard: which part of a run this is, as written, or as the scheduler says that started it."""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import click

from noisecli.shards import MOST, Shard

_WRITTEN = re.compile(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", re.ASCII)
_AUTO = re.compile(r"auto(?:/(\d{1,6}))?", re.ASCII | re.IGNORECASE)
_HOW = "write i/n, as 1/3, 2/3 and 3/3"


class Scheduler(NamedTuple):
    """The variables by which a scheduler tells a job which one of how many it is; `first` is the number of the first.

    With `lowest`, a variable holds that number; `highest` is that of the last.
    """

    name: str
    variable: str
    total: str | None
    first: int = 0
    lowest: str | None = None
    highest: str | None = None


SCHEDULERS = (
    Scheduler(
        "Slurm",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
        lowest="SLURM_ARRAY_TASK_MIN",
        highest="SLURM_ARRAY_TASK_MAX",
    ),
    Scheduler("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    Scheduler("Kubernetes", "JOB_COMPLETION_INDEX", None),
    Scheduler("GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", first=1),
)


def parse_shard(text: str | None, environment: Mapping[str, str] = os.environ) -> Shard | None:
    """Return what --shard stands for. Raises click.UsageError."""
    if text is None:
        return None
    if match := _WRITTEN.fullmatch(text):
        return _checked(int(match[1]), int(match[2]), f"--shard {text}")
    if match := _AUTO.fullmatch(text.strip()):
        return _found(None if match[1] is None else int(match[1]), environment, f"--shard {text}")
    raise click.UsageError(f"--shard {text}: {_HOW}, or auto")


def _checked(number: int, of: int, what: str) -> Shard:
    if not 1 <= of <= MOST:
        raise click.UsageError(f"{what}: a run has from 1 to {MOST:,} shards; {_HOW}")
    if not 1 <= number <= of:
        raise click.UsageError(f"{what}: shards are counted from 1 to {of:,}; {_HOW}")
    return Shard(number, of)


def _found(total: int | None, environment: Mapping[str, str], what: str) -> Shard:
    """Return the shard that a scheduler has given to this job: one that is known for certain."""
    present = [each for each in SCHEDULERS if environment.get(each.variable)]
    if not present:
        names = ", ".join(each.variable for each in SCHEDULERS)
        raise click.UsageError(f"{what}: this is no job of an array, as none of {names} is set; {_HOW}")
    shards = {each.variable: _shard_of(each, total, environment, what) for each in present}
    first = present[0].variable
    for index, shard in shards.items():
        if shard != shards[first]:
            raise click.UsageError(f"{what}: by {first} this is {shards[first]}, by {index} {shard}; {_HOW}")
    return shards[first]


def _shard_of(scheduler: Scheduler, total: int | None, environment: Mapping[str, str], what: str) -> Shard:
    index, counted = (_number(name, environment, what) for name in (scheduler.variable, scheduler.total))
    of = total if counted is None else counted
    if of is None:
        missing = f"{scheduler.total} is not set" if scheduler.total else f"{scheduler.name} does not say of how many"
        raise click.UsageError(f"{what}: {scheduler.variable} is {index}, but {missing}; write --shard auto/N")
    if total not in (None, of):
        raise click.UsageError(f"{what}: {scheduler.total} is {of}, so these are jobs of another array; {_HOW}")
    first = _number(scheduler.lowest, environment, what) if scheduler.lowest else scheduler.first
    if index is None or first is None:
        raise click.UsageError(f"{what}: {scheduler.lowest} is not set; {_HOW}")
    highest = _number(scheduler.highest, environment, what)
    if highest is not None and highest - first + 1 != of:
        raise click.UsageError(
            f"{what}: the numbers of these {of:,} jobs, from {first} to {highest}, have gaps; number them without, or "
            f"{_HOW}"
        )
    return _checked(index - first + 1, of, f"{what} ({scheduler.variable} is {index})")


def _number(name: str | None, environment: Mapping[str, str], what: str) -> int | None:
    text = environment.get(name) if name else None
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise click.UsageError(f"{what}: {name} is {text!r}, not a number; {_HOW}")
    return int(text)
