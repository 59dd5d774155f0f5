"""Lines of the manifest, the journal and errors.jsonl: what they say, whatever somebody made of them."""

import json
import math
import re
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, cast

from noisecli.model import Problem, Survival
from noisecli.model.files import BESIDE
from noisecli.settings import key_of
from noisecli.storage import TEMPORARY_PREFIX, is_inside, is_text

Row = dict[str, Any]

_START = b'{"file_name": "'
_NAME = re.compile(rb'\{"file_name": "((?:[^"\\]|\\.)*+)"')
_PREFIX = re.compile(re.escape(TEMPORARY_PREFIX) + r"[0-9a-f]+-\Z")
_WORDS = ("source", "status", "reason", "message")


def parse(line: bytes) -> Row:
    """Return the JSON object on a line; empty where there is none."""
    try:
        content = json.loads(line.decode())  # given bytes, it would guess their encoding first
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def to_line(entry: dict[str, Any]) -> bytes:
    """Return an object as one line of JSON."""
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"


def name_of_row(line: bytes) -> str | None:
    """Return the output that a row lists; None where the line is no row, or names a file outside.

    Lines as noisecli writes them are not parsed whole, for there may be a million. Others are, so that a manifest saved
    by an editor (CRLF, spaces, no end of the last line) still holds the same rows.
    """
    match = _NAME.match(line)
    if match is not None and is_plain(line):
        name = parse(match[0] + b"}").get("file_name") if b"\\" in match[1] else match[1].decode(errors="replace")
    else:
        name = read_line(line).get("file_name")
    return name if isinstance(name, str) and is_inside(name) else None


def is_plain(line: bytes) -> bool:
    """Whether a row has the form that noisecli writes."""
    return line.startswith(_START) and line.endswith(b"}\n")


def read_line(line: bytes) -> Row:
    """Return the JSON object on a line, whatever an editor has put around it; empty where there is none."""
    return parse(line.strip().removeprefix(b"\xef\xbb\xbf"))


def parse_row(line: bytes) -> Row:
    """Return a row; the name of a file beside its output that leads outside is left out of it."""
    row = read_line(line)
    for keys in BESIDE:
        if keys.name in row and not is_inside(row[keys.name]):
            del row[keys.name]
    if not isinstance(row.get("warnings", []), list):
        row["warnings"] = []
    return row


def parse_problem(entry: Row) -> Problem | None:
    """Return the problem that an entry records; None where there is none."""
    recorded = [entry.get(word) for word in _WORDS]
    if set(entry) != set(_WORDS) or not all(isinstance(word, str) and is_text(word) for word in recorded):
        return None
    source, status, reason, message = cast("list[str]", recorded)
    if status not in ("failed", "skipped"):
        return None
    return Problem(source, cast(Any, status), reason, message)


def read_survival(recorded: object) -> dict[str, Survival | None]:
    """Return what outputs kept of their noise, only the valid entries."""
    if not isinstance(recorded, dict):
        return {}
    return {name: kept for name, kept in recorded.items() if is_inside(name) and (kept is None or _is_survival(kept))}


def _is_survival(shares: object) -> bool:
    if not isinstance(shares, dict) or set(shares) != {"std", "correlated"}:
        return False
    return all(isinstance(share, float) and math.isfinite(share) for share in shares.values())


def texts(recorded: object) -> dict[str, str]:
    """Return the entries of a table whose values are text."""
    pairs = recorded.items() if isinstance(recorded, dict) else ()
    return {key: text for key, text in pairs if is_text(key) and isinstance(text, str) and is_text(text)}


def read_settings(recorded: object) -> dict[str, dict[str, Any]]:
    """Return settings by their hash, those alone that have it."""
    pairs = recorded.items() if isinstance(recorded, dict) else ()
    return {key: spelled for key, spelled in pairs if isinstance(spelled, dict) and key_of(spelled) == key}


def count_sources(entry: Row) -> int:
    """Return from how many source folders a destination was made, as run.json or the journal records it."""
    recorded = entry.get("sources")
    return recorded if isinstance(recorded, int) and recorded > 0 else 1


@dataclass
class Begun:
    """What a journal records beside rows: an interrupted run's intentions, and the digests of what it put in place."""

    intended: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Outputs that were to be made, and the files beside each."""
    placed: dict[str, str] = field(default_factory=dict)
    """The last digest that a worker was about to put in place under a name."""
    prefixes: list[str] = field(default_factory=list)
    """How the names of temporary files begin."""
    survival: dict[str, Survival | None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)
    sources: int = 1
    """From how many folders the outputs were made."""

    def take(self, line: bytes) -> None:
        """Take a line that is no row."""
        entry = parse(line)
        intended = entry.get("intended")
        for output, beside in intended.items() if isinstance(intended, dict) else ():
            # earlier versions wrote null, or the name of the clean file
            names = beside if isinstance(beside, list) else [] if beside is None else [beside]
            if is_inside(output) and all(map(is_inside, names)):
                self.intended[output] = tuple(names)
        self.placed.update({name: digest for name, digest in texts(entry.get("placing")).items() if is_inside(name)})
        self.survival.update(read_survival(entry.get("survival")))
        self.versions.update(texts(entry.get("versions")))
        self.settings.update(read_settings(entry.get("settings")))
        self.sources = max(self.sources, count_sources(entry))
        prefix = entry.get("temporaries")
        if isinstance(prefix, str) and _PREFIX.match(prefix):
            self.prefixes.append(prefix)
        problem = parse_problem(entry)
        if problem is not None:
            self.problems[problem.source] = problem


def placing(name: str, digest: str) -> bytes:
    """Return the journal's line about an output that is about to take its name.

    It begins with the end of a line: what another process was writing may have been cut off, on a full disk or by an
    error, and would swallow it.
    """
    # json.dumps would take ten times as long, for every output
    return f'\n{{"placing": {{{encode_basestring(name)}: "{digest}"}}}}\n'.encode()
