"""What editors, mergers, archivers and ill will do to manifest, journal, errors.jsonl and run.json."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

from grammars.pieces import deep, value
from ground import JOURNAL, Ground
from spoiled_rows import EVERYWHERE, LINES

FILES = ("manifest.jsonl",) * 5 + (JOURNAL,) * 2 + ("errors.jsonl",) * 2 + ("run.json",) * 3


def spoil(choose: random.Random, ground: Ground) -> str:
    """Edit one or two of a destination's own files; return in words what was done."""
    told = []
    for _ in range(choose.choice((1, 1, 1, 2))):
        path = ground.destination / choose.choice(FILES)
        if choose.random() < 0.07 and path.name != "errors.jsonl":
            told.append(_their_file(choose, ground))
            continue
        if not _is_plain(path) and os.path.lexists(path):
            # what stands there already is odd enough, and must be neither followed nor waited for
            continue
        ways = _ODD_PLACES if choose.random() < 0.1 else _JSON if path.name == "run.json" else LINES
        if path.name == JOURNAL and not path.exists():
            ways = (_new_journal,)
        way = choose.choice(ways)
        if ways not in (_ODD_PLACES, (_new_journal,)) and not _is_plain(path):
            way = _new_file
        way(choose, path, ground)
        told.append(f"{path.name}: {way.__name__.strip('_').replace('_', ' ')}")
    return ", ".join(told)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _their_file(choose: random.Random, ground: Ground) -> str:
    """Somebody's own file stands where an output was, and no row tells of it any more."""
    output = choose.choice(sorted(ground.told))
    path, manifest, run = (
        ground.destination / output,
        ground.destination / "manifest.jsonl",
        ground.destination / "run.json",
    )
    if _is_plain(path):
        path.write_text("somebody's own, in an output's place")
    spelled = json.dumps(output, ensure_ascii=False).encode()
    for file in (manifest, ground.destination / JOURNAL):
        if _is_plain(file):
            lines = file.read_bytes().splitlines(keepends=True)
            file.write_bytes(b"".join(line for line in lines if spelled not in line))
    if choose.random() < 0.7 and _is_plain(run):
        run.unlink() if choose.random() < 0.2 else run.write_bytes(run.read_bytes().replace(b'"outputs"', b'"others"'))
    return "somebody's file in an output's place"


def _new_journal(choose: random.Random, path: Path, ground: Ground) -> None:
    """A journal that no run left: half rows, intentions, and values of any type."""
    files = [*ground.theirs, *ground.told, "../outside/precious.txt", "/etc/hostname", "a"]
    row = b'{"file_name": ' + json.dumps(choose.choice(files)).encode()
    keys = ("intended", "foreign", "survival", "versions", "settings", "temporaries", "reason", "file_name", "source")
    lines = [
        row,
        row + b', "sha',
        json.dumps({"intended": {choose.choice(files): choose.choice((None, choose.choice(files)))}}).encode(),
    ]
    lines += [
        json.dumps({choose.choice(keys): value(choose)}).encode(),
        deep(choose).encode(),
        json.dumps(value(choose)).encode(),
    ]
    lines += [b'{"temporaries": ".noisecli-tmp-"}', b'{"temporaries": ""}', b"\0" * 30, b'{"intended": {"": ""}}']
    chosen = choose.sample(lines, choose.choice((1, 1, 2, 4)))
    path.write_bytes(b"\n".join(chosen) + choose.choice((b"\n", b"")))


def _new_file(choose: random.Random, path: Path, ground: Ground) -> None:
    path.write_bytes(choose.choice((b"", b"\0", b"{}\n", b"text\n", json.dumps(value(choose)).encode() + b"\n")))


def _fields(choose: random.Random, path: Path, ground: Ground) -> None:
    """Any value at any key of run.json."""
    content = json.loads(path.read_bytes())
    for _ in range(choose.choice((1, 1, 3))):
        inner: Any = content
        while True:
            key = choose.choice(sorted(inner))
            if isinstance(inner[key], dict) and inner[key] and choose.random() < 0.6:
                inner = inner[key]
                continue
            inner[key] = value(choose)
            break
    path.write_bytes(json.dumps(content).encode())


def _text(choose: random.Random, path: Path, ground: Ground) -> None:
    data = path.read_bytes()
    deep_value = data.replace(b'"versions": {', b'"versions": {"x": ' + deep(choose).encode() + b", ", 1)
    spelled = (deep(choose).encode(), deep_value, data[: choose.randrange(len(data))], b"null", b"[]", b"", data + data)
    path.write_bytes(
        choose.choice(
            (*spelled, b"\xef\xbb\xbf" + data, data.decode().encode("utf-16"), data.replace(b"1", b"9" * 5_000))
        )
    )


def _other_kind(choose: random.Random, path: Path, ground: Ground) -> None:
    content = json.loads(path.read_bytes())
    content["kind"] = choose.choice(
        ("images", "audio", "arrays", "weights", "latents", "adversarial", "x", None, 5, [], {})
    )
    path.write_bytes(json.dumps(content).encode())


def _totals_lie(choose: random.Random, path: Path, ground: Ground) -> None:
    content = json.loads(path.read_bytes())
    content["totals"] = {key: choose.choice((0, 10**9, -1, 2**70, "5", None, True)) for key in content["totals"]}
    path.write_bytes(json.dumps(content).encode())


def _gone(choose: random.Random, path: Path, ground: Ground) -> None:
    path.unlink(missing_ok=True)


def _pipe(choose: random.Random, path: Path, ground: Ground) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _folder(choose: random.Random, path: Path, ground: Ground) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    if choose.random() < 0.7:
        (path / "precious.txt").write_text("somebody's own")


def _link(choose: random.Random, path: Path, ground: Ground) -> None:
    target = ground.outside / "precious.txt"
    if path.is_file() and choose.random() < 0.4:
        target = ground.outside / path.name
        shutil.copyfile(path, target)
    path.unlink(missing_ok=True)
    path.symlink_to(choose.choice((target, target, ground.outside / "nothing", path, "/dev/zero")))


_JSON = (_fields, _fields, _fields, _text, _other_kind, _totals_lie, *EVERYWHERE)
_ODD_PLACES = (_gone, _pipe, _folder, _link, _link)
