"""Which arrays of a file get noise. Labels must not: where that is not plain, the file fails, its arrays named."""

import re
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from noisecli.codecs import StoredArray
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.kinds import Kind
from noisecli.kinds.arrays import ArraysSettings
from noisecli.model import Warn

_NAMES_TOLD = 8
_SHARD = re.compile(r"-\d+-of-\d+\.\w+$|_\d{5}\.weights\.h5$")
"""How Hugging Face and Keras name the files of a model that is spread over several."""


def choose_arrays(
    kind: Kind, wanted: ArraysSettings, parts: Sequence[StoredArray], source: str, left: Collection[str] = ()
) -> tuple[frozenset[str], list[Warn]]:
    """Return the names of the arrays that get noise, and warnings about the choice; none of those in `left`.

    With globs, what they name. Without, all of a file of weights; of an archive of arrays its one array of floats, or,
    where it has no floats, its one array of integers. Single numbers (arrays without an axis) are no data by
    themselves. A .npy has no choice. Where `source` is one shard of a model, its choice may be in the others.

    Raises
    ------
    FileFailed
        When globs name nothing, or without them more than one array may be meant.
    FileSkipped
        When there is no array of numbers.
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
    return _only_one(able)


def _nothing_able(kind: Kind, parts: Sequence[StoredArray], left: Collection[str]) -> str:
    if not kind.all_arrays:
        return "holds no array of integers or floats; left alone"
    besides = " besides scales of quantised tensors, running statistics and constants" if left else ""
    held = f"only {list_arrays(parts)}" if parts else "and nothing else"
    return f"holds no floats of 16, 32 or 64 bits{besides}, {held}; left alone"


def names_in_particular(globs: tuple[str, ...], name: str) -> bool:
    """Whether a glob means this array, not all of its layer as "encoder.*" does."""
    return _matches(name, tuple(glob for glob in globs if re.split(r"[./]", glob)[-1].strip("*")))


def _named(wanted: ArraysSettings, able: list[StoredArray]) -> frozenset[str]:
    choose = wanted.choose or ("*",)
    names = (part.name for part in able if not _matches(part.name, wanted.leave))
    return frozenset(name for name in names if _matches(name, choose))


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


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _only_one(able: list[StoredArray]) -> tuple[frozenset[str], list[Warn]]:
    with_axes = [part for part in able if part.shape]
    floats = [part for part in with_axes if part.spec is not None and part.spec.is_float]
    candidates = floats or with_axes or able
    if len(candidates) > 1:
        message = f"holds several arrays, of which some may be labels: {list_arrays(candidates)}"
        raise FileFailed("ambiguous", f"{message}; say which get noise: --key NAME, or --key '*' for all")
    return frozenset([candidates[0].name]), ["integers-kept"] if len(with_axes) > len(candidates) else []


def list_arrays(parts: Sequence[StoredArray]) -> str:
    """Return the first arrays of a file in words."""
    names = [
        f"{shown(part.name)} ({shown(part.dtype)}, {shown('x'.join(map(str, part.shape)) or 'one number')})"
        for part in parts[:_NAMES_TOLD]
    ]
    more = f" and {len(parts) - _NAMES_TOLD:,} more" if len(parts) > _NAMES_TOLD else ""
    return ", ".join(names) + more
