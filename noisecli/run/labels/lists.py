"""Lists, a file or a stem at the beginning of each line: VOC's ImageSets, YOLO's train.txt, LibriSpeech's .trans.txt.

Behind it may be anything, set off by a tab, a bar, a comma or white space: a class, VOC's -1 and 1, a transcript. Other
files that are named there (masks, clean twins) follow.
"""

import re
from collections.abc import Iterator

from noisecli.run.labels.references import Look, Names, Reading, Swap, is_short_number

_WAYS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"(\s*)(\S.*?)(\s*)\Z",
        r"([ \r]*)([^\t]*[^\t ])(\s*\t.*)\Z",
        r"(\s*)([^|]*[^|\s])(\s*\|.*)\Z",
        r"(\s*)([^,]*[^,\s])(\s*,.*)\Z",
        r"(\s*)(\S+)(.*)\Z",
    )
)
"""How a line is cut into what is in front of its first field, the field, and the rest: the whole line first."""
_TOKEN = re.compile(r"[^\s,|;]+")


def read(text: str, look: Look) -> Reading | None:
    """Read a list; None where no line begins with the name of a file."""
    lines = text.split("\n")
    best: tuple[Names, re.Pattern[str]] | None = None
    for way in _WAYS:
        fields = list(_first_fields(lines, way))
        is_whole_line = way is _WAYS[0]
        names = look(fields, stems=is_whole_line or not any(map(is_short_number, fields))) if fields else Names()
        if best is None or len(names.found) > len(best[0].found):
            best = names, way
        if names.is_whole:
            break
    if best is None or not best[0].found:
        return None
    names, way = best
    further = [token for rest in _rests(lines, way) for token in _TOKEN.findall(rest) if "." in token.strip(".")]
    behind = look(further, stems=False) if further else Names()
    names.join(Names(behind.found, absolute=behind.absolute))
    return Reading(names, lambda swap, copies: _write(lines, way, behind, swap, copies))


def _write(lines: list[str], way: re.Pattern[str], behind: Names, swap: Swap, copies: int) -> str:
    """Return the list with a line for every copy; empty lines stay, those of files that are left out go."""

    def swapped(match: re.Match[str], copy: int) -> str:
        token = match[0]
        return (swap(token, copy) or token) if token in behind.found else token

    new = []
    for line in lines:
        if not (match := way.match(line)):
            new.append(line)
            continue
        front, first, rest = match.groups()
        for copy in range(copies):
            if (name := swap(first, copy)) is not None:
                new.append(front + name + _TOKEN.sub(lambda token, copy=copy: swapped(token, copy), rest))
    return "\n".join(new)


def _first_fields(lines: list[str], way: re.Pattern[str]) -> Iterator[str]:
    for line in lines:
        if line.strip():
            match = way.match(line)
            # a line that cannot be cut so names nothing
            yield match[2] if match else ""


def _rests(lines: list[str], way: re.Pattern[str]) -> Iterator[str]:
    return (match[3] for line in lines if (match := way.match(line)))
