"""JSON that holds a record for each file: lines of objects (metadata.jsonl), a list of objects, an object by name."""

import json
import re
from collections.abc import Sequence
from typing import Any

from noisecli.run.labels.references import Look, Names, Reading, Swap
from noisecli.run.labels.tables import choose

_HALF = re.compile(r"\\u[dD][cC][0-9a-fA-F]{2}(?<!\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][cC][0-9a-fA-F]{2})")
"""An escape that stands for a byte which is no UTF-8, where it is not behind the first half of a pair."""


def read_lines(text: str, look: Look) -> Reading | None:
    """Read JSON Lines; None where no key names files."""
    lines = text.split("\n")
    try:
        records = [load(line) for line in lines if line.strip()]
    except (ValueError, RecursionError):
        return None
    found = _find(records, look)
    if found is None:
        return None
    keys, names = found
    how = layout_of(lines[0])

    def write(swap: Swap, copies: int) -> str:
        return "".join(f"{json.dumps(new, **how)}\n" for new in _repeated(records, keys, swap, copies))

    return Reading(names, write)


def read_list(content: Any, text: str, look: Look) -> Reading | None:
    """Read a list of objects, or an object whose keys name files."""
    if isinstance(content, dict):
        names = look(list(content), stems=True) if content else Names()
        if not names.found or len(names.found) <= len(names.missing):
            return None

        def write(swap: Swap, copies: int) -> str:
            every = ((swap(key, copy), value) for key, value in content.items() for copy in range(copies))
            return dump({key: value for key, value in every if key is not None}, text)

        return Reading(names, write)
    found = _find(content, look) if isinstance(content, list) else None
    if found is None:
        return None
    keys, names = found
    return Reading(names, lambda swap, copies: dump(list(_repeated(content, keys, swap, copies)), text))


def _find(records: Sequence[Any], look: Look) -> tuple[set[str], Names] | None:
    if not records or not all(isinstance(record, dict) for record in records):
        return None
    columns: dict[str, list[str]] = {}
    for record in records:
        for key, value in record.items():
            values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
            if values and all(isinstance(each, str) for each in values):
                columns.setdefault(key, []).extend(values)
    keys, names = choose(columns, look, first_is_key=False)
    return (keys, names) if keys else None


def _repeated(records: Sequence[dict[str, Any]], keys: set[str], swap: Swap, copies: int) -> list[dict[str, Any]]:
    new = []
    for record in records:
        for copy in range(copies if keys & record.keys() else 1):
            own = {key: _swapped(value, swap, copy) if key in keys else value for key, value in record.items()}
            if all(own[key] is not None or record[key] is None for key in keys & own.keys()):
                new.append(own)
    return new


def _swapped(value: Any, swap: Swap, copy: int) -> Any:
    if isinstance(value, str):
        return swap(value, copy)
    if isinstance(value, list):
        new = [swap(each, copy) for each in value]
        return None if None in new else new
    return value


def load(text: str) -> Any:
    """Return what JSON holds. Raises ValueError where writing it again would lose something.

    That is a key that an object has twice, a number beyond what floats hold, and half of a surrogate pair.
    """
    content = json.loads(text, object_pairs_hook=_without_repeats)
    json.dumps(content, allow_nan=False, ensure_ascii=False).encode("utf-8", "surrogateescape")
    if _HALF.search(text):
        raise ValueError
    return content


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError
    return content


def layout_of(text: str) -> dict[str, Any]:
    """Return how json.dumps() writes as a text is written."""
    beginning = text[:4096]
    colon = ": " if '": ' in beginning else ":"
    comma = ", " if '", "' in beginning or ', "' in beginning or colon == ": " else ","
    lines = beginning.split("\n")
    indent = len(lines[1]) - len(lines[1].lstrip()) if len(lines) > 1 and lines[0].strip() in ("{", "[") else None
    separators = (comma.strip() if indent is not None else comma, colon)
    return {"ensure_ascii": text.isascii(), "separators": separators, "indent": indent}


def dump(content: Any, text: str) -> str:
    """Return content as JSON in the style of a text."""
    return json.dumps(content, **layout_of(text)) + ("\n" if text.endswith("\n") else "")
