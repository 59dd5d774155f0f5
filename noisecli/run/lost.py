"""Chunks that were lost with their worker: what each is tried again as, alone, so that only the culprit is lost."""

import itertools
from collections.abc import Callable, Iterable, Iterator

from noisecli.model import Task
from noisecli.storage.tar.names import split_key, split_tar


def parts_of(chunk: list[Task], failed: Callable[[str], bool]) -> Iterator[list[Task]]:
    """Yield a lost chunk as one for each source.

    Of a tar, first each sample by itself, which writes nothing; then the tar without those that were lost again:
    `failed` says, by then, of which sources.
    """
    job = chunk[0].tar
    if job is None:
        yield from (list(group) for _, group in itertools.groupby(chunk, key=lambda task: task.origin))
        return
    samples = [list(group) for _, group in itertools.groupby(chunk, key=_sample_of)]
    for sample in samples:
        yield [task._replace(tar=job._replace(is_probe=True)) for task in sample]
    rest = [task for sample in samples for task in sample if not any(failed(each.source) for each in sample)]
    lost = {task.source for task in chunk} - {task.source for task in rest}
    if rest:
        whole = job._replace(omitted=tuple(sorted({*job.omitted, *lost})))
        yield [task._replace(tar=whole) for task in rest]


def is_probe(chunk: list[Task]) -> bool:
    """Whether a chunk writes nothing."""
    return chunk[0].tar is not None and chunk[0].tar.is_probe


def names_lost(chunk: list[Task]) -> Iterable[str]:
    """Return what the problems of a chunk that was lost for good name."""
    job = chunk[0].tar
    return dict.fromkeys(task.origin for task in chunk) if job is None or job.is_probe else (job.name,)


def _sample_of(task: Task) -> str:
    is_packed = task.tar is not None and bool(task.tar.members)
    own = task.source if is_packed else (split_tar(task.source) or ("", task.source))[1]
    return split_key(own)[0] or task.source
