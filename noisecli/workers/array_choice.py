"""Which arrays of a file get noise. Labels must not: where that is not plain, the file fails, its arrays named."""

import math
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

import numpy as np

from noisecli.codecs import Opaque, StoredArray, StructuredField
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.kinds import Kind
from noisecli.kinds.arrays import ArraysSettings
from noisecli.kinds.label_names import is_other_than_labels, says_labels
from noisecli.words import Warn

_LIST_LENGTH = 700
"""Characters of a list of arrays: a message has room for it."""
_SHARD = re.compile(r"-\d+-of-\d+\.\w+$|_\d{5}\.weights\.h5$")
"""How Hugging Face and Keras name the files of a model that is spread over several."""
_MUCH_LARGER = 4
"""Times as many integers as floats: the integers may be the data, and the floats boxes or targets."""
_LONG_TEXT = 8
"""Times as many letters as bytes of the floats: the text may be the data."""


def choose_arrays(
    kind: Kind, wanted: ArraysSettings, parts: Sequence[StoredArray], source: str, left: Collection[str] = ()
) -> tuple[frozenset[str], list[Warn]]:
    """Return the names of the arrays that get noise, and warnings about the choice; none of those in `left`.

    With globs, what they name. Without, all of a file of weights; of an archive of arrays its one array of floats, or,
    where it has no floats, its one array of integers, unless another member may as well be the data. Floats
    called labels do not count beside others, nor integers in one row. Single numbers (arrays without an axis)
    are no data by themselves. A .npy has no choice but the fields of a structured array. Where
    `source` is one shard of a model, its choice may be in the others.

    Raises
    ------
    FileFailed
        When globs name nothing, or without them more than one array may be meant.
    FileSkipped
        When there is no array of numbers, or integers in one row alone.
    """
    able = [part for part in parts if part.spec is not None and part.name not in left]
    if [part.name for part in able] == [""] and len(parts) == 1 and not kind.all_arrays:
        return frozenset([""]), []
    if kind.all_arrays and _SHARD.search(source) and not _named(wanted, able):
        return frozenset(), ["none-chosen"]
    if not able:
        raise FileSkipped("unsupported-samples", _nothing_able(kind, parts, left))
    if wanted.choose or wanted.leave or kind.all_arrays:
        return _require_named(kind, wanted, parts, able), []
    return _only_one(parts, able)


def _nothing_able(kind: Kind, parts: Sequence[StoredArray], left: Collection[str]) -> str:
    sought = "floats of 16, 32 or 64 bits" if kind.all_arrays else "array of integers, floats or complex numbers"
    sought += " besides scales of quantised tensors, running statistics and constants" if left else ""
    held = f"only {list_arrays(parts)}" if parts else "and nothing else"
    return f"holds no {sought}, {held}; left alone"


def names_in_particular(globs: tuple[str, ...], name: str) -> bool:
    """Whether a glob means this array, not all of its layer as "encoder.*" does."""
    return bool(_matching(frozenset([name]), (glob for glob in globs if re.split(r"[./]", glob)[-1].strip("*"))))


def _named(wanted: ArraysSettings, able: list[StoredArray]) -> frozenset[str]:
    names = frozenset(part.name for part in able)
    chosen = _matching(names, wanted.choose) if wanted.choose else names
    return chosen - _matching(names, wanted.leave)


def _require_named(
    kind: Kind, wanted: ArraysSettings, parts: Sequence[StoredArray], able: list[StoredArray]
) -> frozenset[str]:
    chosen = _named(wanted, able)
    if not chosen:
        words = f"has no array of numbers that {kind.option_of_arrays} {' '.join(wanted.choose or '*')} chooses"
        words += f" and --skip-tensors {' '.join(wanted.leave)} leaves" if wanted.leave else ""
        if len(able) < sum(part.spec is not None for part in parts):
            words += "; scales of quantised tensors never get noise, running variances and constants by name"
        raise FileFailed("no-match", f"{words}; it holds {list_arrays(parts)}")
    return chosen


def _matching(names: frozenset[str], globs: Iterable[str]) -> frozenset[str]:
    """Return the names that globs choose. One that is a name, as layer[0], means that; a * alone means all."""
    found: set[str] = set()
    for glob in globs:
        if glob in names and glob != "*":
            found.add(glob)
        else:
            found.update(name for name in names if fnmatchcase(name, glob))
    return frozenset(found)


def _only_one(parts: Sequence[StoredArray], able: list[StoredArray]) -> tuple[frozenset[str], list[Warn]]:
    whole = [part for part in able if not isinstance(part, StructuredField)]
    if not whole:
        message = f"is structured; choose a field that gets noise: --key NAME; it holds {list_arrays(parts)}"
        raise FileSkipped("unsupported-samples", message)
    with_axes = [part for part in whole if part.shape]
    floats = [part for part in with_axes if part.spec is not None and part.spec.is_float]
    candidates = floats or with_axes or whole
    candidates = [part for part in candidates if math.prod(part.shape)] or candidates
    number = len(candidates)
    candidates = _without_labels(candidates) if floats else candidates
    if len(candidates) > 1:
        message = f"holds several arrays, of which some may be labels: {list_arrays(parts)}"
        raise FileFailed("ambiguous", f"{message}; say which get noise: --key NAME, or --key '*' for all")
    [candidate] = candidates
    if (rival := _rival(candidate, parts)) is not None:
        message = f"would get noise on {shown(candidate.name)!r} only, but {shown(rival)!r} may be the data"
        raise FileFailed("ambiguous", f"{message}; it holds {list_arrays(parts)}; say which get noise: --key NAME")
    if _is_row_of_integers(candidate):
        message = f"holds no array but what looks like labels, {list_arrays(parts)}: left without noise"
        raise FileSkipped("labels", f"{message}; --key {shlex.quote(shown(candidate.name))} asks for it")
    left: tuple[tuple[Warn, bool], ...] = (("integers-kept", len(with_axes) > number), ("labels-kept", number > 1))
    return frozenset([candidate.name]), [word for word, is_true in left if is_true]


def _without_labels(candidates: list[StoredArray]) -> list[StoredArray]:
    """Leave out what is called labels, where there is anything beside it."""
    shapes = {part.name: part.shape for part in candidates}
    data = [
        part
        for part in candidates
        if not says_labels(part.name) or is_other_than_labels(part.name, part.shape, shapes.get)
    ]
    return data or candidates


def _is_row_of_integers(part: StoredArray) -> bool:
    """Whether an array has one integer a sample, and no name that says it is the data."""
    one_each = len(part.shape) < 2 or (len(part.shape) == 2 and part.shape[1] == 1)
    integers = part.spec is not None and not part.spec.is_float
    return integers and one_each and 0 not in part.shape and says_labels(part.name) is not False


def _rival(candidate: StoredArray, parts: Sequence[StoredArray]) -> str | None:
    """Return the name of what may be the data instead of the one array that noise would be put on."""
    in_records: Counter[str] = Counter()
    for part in parts:
        if isinstance(part, StructuredField):
            in_records[part.member] += math.prod(part.shape)
            if in_records[part.member] >= math.prod(candidate.shape):
                return part.member
        elif part is not candidate and _may_be_data(part, candidate):
            return part.name
    return None


def _may_be_data(part: StoredArray, candidate: StoredArray) -> bool:
    count, size = math.prod(part.shape), math.prod(candidate.shape)
    size_bytes = size * np.dtype(candidate.dtype).itemsize
    if isinstance(part, Opaque) and part.opaque_bytes >= max(_MUCH_LARGER * size_bytes, 1):
        return True
    if not part.shape or not count or part.dtype[1:2] == "M":
        # single numbers say something of the data, and times when they are from
        return False
    if says_labels(candidate.name):
        return True
    if part.spec is None:
        # a mask says of each number whether it counts
        is_mask = part.dtype[1:2] == "b" and count == size
        return (count >= size and not is_mask) or count * _letters(part.dtype) >= _LONG_TEXT * size_bytes
    is_vector = sum(length > 1 for length in candidate.shape) < 2
    return count >= _MUCH_LARGER * size or (is_vector and count > size and len(part.shape) > 1)


def _letters(dtype: str) -> int:
    """Return how many letters an element of text has; 0 for what is none."""
    return int(dtype[2:]) if dtype[1:2] in ("U", "S") and dtype[2:].isdecimal() else 0


def list_arrays(parts: Sequence[StoredArray]) -> str:
    """Return the arrays of a file in words, as many as a message has room for."""
    told: list[str] = []
    room = _LIST_LENGTH
    for part in parts:
        words = f"{shown(part.name)} ({_described(part)})"
        room -= len(words) + 2
        if room < 0 and told:
            return f"{', '.join(told)} and {len(parts) - len(told):,} more"
        told.append(words)
    return ", ".join(told)


def _described(part: StoredArray) -> str:
    shape = shown("x".join(map(str, part.shape)) or "one number")
    if isinstance(part, Opaque) and part.opaque_bytes:
        return f"Python objects, {shape}" if part.dtype else "no array"
    return f"{shown(part.dtype) or 'no array'}, {shape}"
