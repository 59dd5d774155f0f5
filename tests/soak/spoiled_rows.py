"""Ways to edit files of one JSON object a line: as editors do, as other writers do, and as nobody should."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grammars.pieces import deep, name, value
from ground import Ground

Lines = list[bytes]


def _lines_way(
    change: Callable[[random.Random, Lines, Ground], Lines],
) -> Callable[[random.Random, Path, Ground], None]:
    def way(choose: random.Random, path: Path, ground: Ground) -> None:
        lines = change(choose, path.read_bytes().splitlines(keepends=True), ground)
        path.write_bytes(b"".join(lines))

    way.__name__ = change.__name__
    return way


def _crlf(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    some = choose.random() < 0.3
    return [line if some and choose.random() < 0.5 else line.replace(b"\n", b"\r\n") for line in lines]


def _trailing_space(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    blank = choose.choice((b" \n", b"\t\n", b"  \n", b",\n", b"\x0b\n", b"\xc2\xa0\n"))
    share = choose.choice((0.3, 1.0))
    return [line.rstrip(b"\n") + blank if choose.random() < share else line for line in lines]


def _leading_blanks(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    return [choose.choice((b" ", b"\t", b"\n", b"")) + line for line in lines]


def _no_last_newline(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    return [b"".join(lines)[:-1]]


def _half_row(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    """Half of a row, of ours or of a file of somebody else's, with or without its end."""
    names = [*ground.theirs, *ground.told, "../outside/precious.txt", "a", "manifest.jsonl"]
    row = json.dumps(
        {"file_name": choose.choice(names), "source": "x", "sha256": "0" * 64}, ensure_ascii=False
    ).encode()
    whole = choose.choice((*lines, row, row, row)) if lines else row
    half = whole[: choose.randrange(1, len(whole))] if choose.random() < 0.5 else row[: row.index(b'"source"') - 2]
    at = choose.randrange(len(lines) + 1)
    return [*lines[:at], half + choose.choice((b"\n", b"\n", b"")), *lines[at:]]


def _cut(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    data = b"".join(lines)
    return [data[: choose.randrange(len(data) + 1)]]


def _deleted(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    share = choose.choice((0.2, 0.7, 1.0))
    return [line for line in lines if choose.random() > share]


def _doubled(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    return [*lines, *choose.sample(lines, choose.randrange(len(lines) + 1))]


def _other_order(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    return choose.sample(lines, len(lines))


def _rewritten(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    """As another JSON writer would: other blanks, keys sorted, names escaped, one array of it all."""
    rows = _parsed(lines)
    if choose.random() < 0.1:
        return [json.dumps(rows, indent=choose.choice((None, 1))).encode()]
    separators = choose.choice(((",", ":"), (" , ", " : "), None))
    ordered, ascii_only = choose.random() < 0.5, choose.random() < 0.5
    spelled = (json.dumps(row, separators=separators, sort_keys=ordered, ensure_ascii=ascii_only) for row in rows)
    return [line.encode("utf-8", "surrogatepass") + b"\n" for line in spelled]


def _rows_way(
    change: Callable[[random.Random, list[Any], Ground], None],
) -> Callable[[random.Random, Path, Ground], None]:
    def way(choose: random.Random, path: Path, ground: Ground) -> None:
        rows = _parsed(path.read_bytes().splitlines())
        if rows:
            change(choose, rows, ground)
        spelled = (json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_bytes(b"".join(line.encode("utf-8", "surrogatepass") + b"\n" for line in spelled))

    way.__name__ = change.__name__
    return way


def _parsed(lines: Lines) -> list[Any]:
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return [row for row in rows if isinstance(row, dict)]


def _swapped_names(choose: random.Random, rows: list[Any], ground: Ground) -> None:
    key = choose.choice(("file_name", "source", "clean_file_name", "std_map_file_name", "sha256", "reason"))
    first, second = choose.choice(rows), choose.choice(rows)
    first[key], second[key] = second.get(key), first.get(key)


def _other_source(choose: random.Random, rows: list[Any], ground: Ground) -> None:
    share = choose.choice((0.2, 1.0))
    other = choose.choice(
        (
            lambda s: s + "x",
            lambda s: "sub/" + s,
            lambda s: "",
            lambda s: "../" + s,
            lambda s: s.upper(),
            lambda s: "/" + s,
        )
    )
    for row in rows:
        if choose.random() < share and isinstance(row.get("source"), str):
            row["source"] = other(row["source"])


def _other_file(choose: random.Random, rows: list[Any], ground: Ground) -> None:
    """Rows that name somebody else's files, noisecli's own, or a place outside."""
    names = (*ground.theirs, "manifest.jsonl", "../outside/precious.txt", "/etc/hostname", "a", "", ".", "run.json/x")
    for _ in range(choose.choice((1, 3))):
        row = choose.choice(rows)
        row[choose.choice(("file_name", "file_name", "clean_file_name", "std_map_file_name"))] = choose.choice(names)


def _any_value(choose: random.Random, rows: list[Any], ground: Ground) -> None:
    for _ in range(choose.choice((1, 2, 8))):
        row = choose.choice(rows)
        key = choose.choice(sorted(row))
        row[key] = name(choose) if isinstance(row[key], str) and choose.random() < 0.4 else value(choose)


def _key_gone(choose: random.Random, rows: list[Any], ground: Ground) -> None:
    key = choose.choice(sorted({key for row in rows for key in row}))
    for row in rows:
        if choose.random() < 0.7:
            row.pop(key, None)


def _strange_rows(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    new = [
        json.dumps(value(choose)).encode() + b"\n",
        deep(choose).encode() + b"\n",
        b'{"file_name": ' + b"9" * 5_000 + b"}\n",
    ]
    new += [
        b'{"file_name": "x", "bytes": NaN}\n',
        b'{"file_name": "\\ud800"}\n',
        b"\n",
        b'{"file_name": "a\\u0000b"}\n',
        b"{}\n",
    ]
    new += [
        b'{"file_name": "notes.txt"}\n',
        b'{"source": {}, "status": [], "reason": 5, "message": null}\n',
        b" " * 100_000 + b"\n",
    ]
    at = choose.randrange(len(lines) + 1)
    return [*lines[:at], *choose.sample(new, choose.choice((1, 2))), *lines[at:]]


def _joined(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    """Another run's manifest behind this one, or two rows on one line."""
    other = [
        line.replace(b'"source": "', b'"source": "other/').replace(b'"file_name": "', b'"file_name": "other/')
        for line in lines
    ]
    return choose.choice(([*lines, *other], [*lines, *lines], [line.rstrip(b"\n") + line for line in lines]))


def _encoded(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    data = b"".join(lines)
    text = data.decode(errors="replace")
    return [
        choose.choice(
            (
                b"\xef\xbb\xbf" + data,
                text.encode("utf-16"),
                text.encode("utf-16-le"),
                data + b"\xff\xfe",
                text.encode("latin-1", "replace"),
            )
        )
    ]


def _random_bytes(choose: random.Random, lines: Lines, ground: Ground) -> Lines:
    data = bytearray(b"".join(lines))
    if choose.random() < 0.3:
        return [choose.randbytes(choose.choice((0, 1, 500)))]
    for _ in range(choose.choice((1, 3, 20))):
        if data:
            data[choose.randrange(len(data))] = choose.choice((0, 0, 10, 34, 92, 125, choose.randrange(256)))
    return [bytes(data)]


EVERYWHERE = (_lines_way(_cut), _lines_way(_encoded), _lines_way(_random_bytes))
_TORN = tuple(_lines_way(way) for way in (_crlf, _trailing_space, _no_last_newline, _half_row, _half_row, _half_row))
_LINE_WAYS = (_leading_blanks, _deleted, _doubled, _other_order, _rewritten, _strange_rows, _strange_rows, _joined)
_ROW_WAYS = (_swapped_names, _other_source, _other_file, _any_value, _any_value, _any_value, _key_gone)
LINES = (*_TORN, *_TORN, *map(_lines_way, _LINE_WAYS), *map(_rows_way, _ROW_WAYS), *EVERYWHERE)
