"""Names of tar shards and of what they hold: WebDataset's convention.

Members whose path is the same up to the first dot of the basename are one sample: that path is its key. Light.
"""

import os
import re
from collections.abc import Iterator

_PATTERN = re.compile(r"([^{}*/]*)(?:\*|\{([^{}*/]+)\})([^{}*/]*\.tar)\Z")
_RANGE = re.compile(r"(\d+)\.\.(\d+)\Z", re.ASCII)
_TAR = re.compile(r"(?:(.*?)/)?([^/]+\.tar)(?:/(.*))?\Z", re.DOTALL)
_MOST = 1 << 20


def is_tar_location(location: str) -> bool:
    """Whether a path or URL stands for tars: its last part is *.tar, or {000..099}.tar and its like."""
    return _PATTERN.match(os.path.basename(location)) is not None


def tars_of(pattern: str) -> list[str] | None:
    """Return the names that a pattern spells; None for one with a *, which a folder has to be asked for."""
    match = _PATTERN.match(pattern)
    if match is None or match[2] is None:
        return None
    return [f"{match[1]}{word}{match[3]}" for word in dict.fromkeys(_spelled(match[2]))]


def has_star(name: str, pattern: str) -> bool:
    """Whether a name is one that a pattern with a * stands for."""
    start, _, end = pattern.partition("*")
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)


def _spelled(words: str) -> Iterator[str]:
    for word in words.split(","):
        if (ends := _RANGE.match(word)) is None:
            yield word
        else:
            first, last = int(ends[1]), int(ends[2])
            step = 1 if last >= first else -1
            for number in range(first, last + step, step)[:_MOST]:
                yield f"{number:0{len(ends[1])}}"


def split_tar(name: str) -> tuple[str, str] | None:
    """Return the tar that a name leads into, and the member's own name; None where it leads into none."""
    match = _TAR.match(name)
    if match is None or not match[3]:
        return None
    tar = match[2] if match[1] is None else f"{match[1]}/{match[2]}"
    return tar, match[3]


def split_key(member: str) -> tuple[str, str]:
    """Return the key of a member's sample, and the rest without its dot; no key for what is of no sample."""
    folder, base = os.path.split(member)
    stem, dot, rest = base.partition(".")
    if not stem or not dot:
        return "", ""
    return (f"{folder}/{stem}" if folder else stem), rest


def renamed(member: str, template: str, suffix: str | None, copy: int, level: str) -> str:
    """Return a member's name by a template of --name, whose stem is the end of the key; what has no key keeps its name.

    With a suffix, that one takes the last one's place.
    """
    key, rest = split_key(member)
    if not key:
        return member
    folder, stem = os.path.split(key)
    ext = f".{rest}"
    if suffix is not None:
        ext = os.path.splitext(f"x{ext}")[0][1:] + suffix
    name = template.format(stem=stem, ext=ext, copy=copy, level=level)
    return f"{folder}/{name}" if folder else name
