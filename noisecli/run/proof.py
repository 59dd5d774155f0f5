"""What a row says it was made from, proven by the key of its noise: seed, source, level and copy are hashed into it."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from noisecli.keys import stream_key
from noisecli.kinds import KINDS
from noisecli.levels import SEVERITIES, BadLevel, parse_label
from noisecli.manifest.entries import Row

_ESCAPED = re.compile(r"(%[89A-F][0-9A-F])")
_MOST_ESCAPES = 10


def proves_source(row: Row, kind: str, settings: dict[str, Any]) -> bool:
    """Whether a row's key is that of its source: an edited source, level, copy or key proves nothing.

    `settings` is what run.json and the journal spell out, by its hash.
    """
    spelled, copy = settings.get(str(row.get("settings"))), row.get("copy")
    if spelled is None or not isinstance(copy, int):
        return False
    seed = spelled.get("seed")
    return any(
        stream_key(seed, path, level, copy).hex() == row.get("key")
        for level in _canonical_levels(str(row.get("level")), kind)
        for path in _spellings(row)
    )


def _canonical_levels(label: str, kind: str) -> Iterator[str]:
    """Yield the values that a level's words may stand for; severities do not say whose they are."""
    about = KINDS[kind]
    for severity_set in about.severity_sets or tuple(SEVERITIES)[:1]:
        try:
            yield parse_label(label, about.bare_unit, severity_set).canonical
        except BadLevel:
            return


def _spellings(row: Row) -> Iterator[bytes]:
    """Yield the bytes that a source's name may have had: in some names %FF stands for a byte, in others for itself."""
    source = row.get("source")
    if not isinstance(source, str) or not source:
        return
    parts = _ESCAPED.split(source)
    if "name-not-utf8" not in row.get("warnings", ()) or len(parts) > 2 * _MOST_ESCAPES:
        yield source.encode("utf-8", "surrogatepass")
        return
    choices = ([part.encode("utf-8", "surrogatepass")] for part in parts)
    spelled = [
        [*own, bytes.fromhex(part[1:])] if _ESCAPED.fullmatch(part) else own
        for part, own in zip(parts, choices, strict=True)
    ]
    yield from map(b"".join, itertools.product(*spelled))
