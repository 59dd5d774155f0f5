"""Finished and interrupted runs of every kind, with files beside their outputs that somebody put there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import program
import seeds
from grammars import keras, npz
from grammars.npz import STORED, Member

JOURNAL = ".noisecli-journal"
OWN = {"manifest.jsonl", "sidecars.jsonl", "errors.jsonl", "run.json", JOURNAL}
FILE_KEYS = {"file_name": "sha256", "clean_file_name": "clean_sha256", "std_map_file_name": "std_map_sha256"}
"""The keys of a row that name a file, and those of its digest."""
DEADLINE = 120
TEMPORARY = ".noisecli-tmp-"
_KILLED_AFTER_ROWS = 3

State = dict[str, tuple[str, str]]
"""What is where: a file with its digest, a link with its target, a folder, a pipe."""


@dataclass
class Ground:
    """A source, what a run made of it, and what is known of that run from before anybody touched its files.

    Attributes
    ----------
    words
        The request, without its paths.
    told
        The digest that a row told of each output, clean ones too.
    made_of
        The source of each of them.
    intended
        What an interrupted run meant to make, and told no row of.
    theirs
        Files in the destination that no run made.
    """

    kind: str
    home: Path
    words: list[str]
    told: dict[str, str] = field(default_factory=dict)
    made_of: dict[str, str] = field(default_factory=dict)
    intended: set[str] = field(default_factory=set)
    theirs: list[str] = field(default_factory=list)

    @property
    def source(self) -> Path:
        return self.home / "src"

    @property
    def destination(self) -> Path:
        return self.home / "dst"

    @property
    def outside(self) -> Path:
        """A folder that no command is told of."""
        return self.home / "outside"

    def paths(self, source: Path | None = None) -> list[str | Path]:
        """Return what a request names, in front of its words."""
        folders = [self.destination] if self.kind == "latents" else [source or self.source, self.destination]
        return [self.kind, *folders]

    def restore(self) -> None:
        """Bring the destination back as the run left it."""
        _remove(self.destination)
        shutil.copytree(self.home / "pristine", self.destination, symlinks=True)

    def learn(self) -> None:
        """Read the rows and the journal, put other people's files beside, and keep a copy of it all."""
        journal = program.lines(self.destination / JOURNAL)
        for row in [*program.lines(self.destination / "manifest.jsonl"), *journal]:
            for name, digest in FILE_KEYS.items():
                if name in row:
                    self.told[row[name]] = row[digest]
                    self.made_of[row[name]] = row.get("source") or ""
            for output, beside in row.get("intended", {}).items():
                self.intended.update([output, *(beside if isinstance(beside, list) else filter(None, [beside]))])
        self.intended -= self.told.keys()
        self.intended.update(name for name in state(self.destination) if TEMPORARY in name)
        folders = sorted({os.path.dirname(name) for name in self.told} - {""})
        names = ["notes.txt", "theirs.png", "theirs.npy", ".hidden", "labels/classes.csv", ".noisecli-mine"]
        self.theirs = names + [f"{folder}/{name}" for folder in folders for name in ("new.png", "why.txt")]
        for name in self.theirs:
            path = self.destination / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"somebody's own: {name}")
        self.outside.mkdir(exist_ok=True)
        (self.outside / "precious.txt").write_text("somebody's own, elsewhere\n" * 40)
        shutil.copytree(self.destination, self.home / "pristine", symlinks=True)


def state(folder: Path) -> State:
    """Return what is below a folder; nothing is followed or waited for."""
    found: State = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            mode, relative = os.lstat(path).st_mode, os.path.relpath(path, folder)
            if stat.S_ISLNK(mode):
                found[relative] = ("link", os.readlink(path))
            elif stat.S_ISREG(mode):
                found[relative] = ("file", hashlib.sha256(Path(path).read_bytes()).hexdigest())
            else:
                found[relative] = ("folder" if stat.S_ISDIR(mode) else "pipe", "")
    return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _finished(kind: str, home: Path, words: list[str], files: dict[str, bytes]) -> Ground:
    ground = Ground(kind, home / kind, words)
    _write(ground.source, files)
    program.run(*ground.paths(), *ground.words, deadline=DEADLINE)
    ground.learn()
    return ground


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _images(home: Path) -> Ground:
    good = seeds.pictures()
    files = {
        "a/1.png": good["8.png"],
        "a/2.jpg": good["baseline.jpg"],
        "b/3.png": good["grey.png"],
        "c.bmp": good["colour.bmp"],
    }
    files |= {"b/é 4.png": good["alpha.png"], "d.png": good["bits.png"], "b/empty.png": b"", "notes.txt": b"ours"}
    return _finished("images", home, ["--std", "5,25", "--with-clean", "--with-std-map", "-j", "1"], files)


def _audio(home: Path) -> Ground:
    good = seeds.sounds()
    files = {
        "a/1.wav": good["16.wav"],
        "a/2.ogg": good["vorbis.ogg"],
        "b/3.flac": good["16.flac"],
        "c.wav": good["24.wav"],
    }
    return _finished(
        "audio", home, ["--std", "1%", "--copies", "2", "-j", "1"], files | {"b/cut.wav": good["8.wav"][:90]}
    )


def _arrays(home: Path) -> Ground:
    good = seeds.arrays()
    files = {
        "a/1.npy": good["f4.npy"],
        "a/2.npz": good["stored.npz"],
        "b/3.npy": good["u2.npy"],
        "c.npy": good["f8.npy"],
    }
    return _finished("arrays", home, ["--std", "5%", "--key", "*", "-j", "1"], files | {"text.npy": b"text"})


def _weights(home: Path) -> Ground:
    good = seeds.arrays()
    files = {"a/1.npz": good["deflated.npz"], "b/3.npz": good["stored.npz"], "c.npz": good["stored.npz"]}
    header = json.dumps({"t": {"dtype": "F32", "shape": [10, 5], "data_offsets": [0, 200]}}).encode()
    files["b/2.safetensors"] = struct.pack("<Q", len(header)) + header + good["f4.npy"][-200:]
    if find_spec("h5py"):
        members = [Member(b"config.json", b"{}"), Member(b"model.weights.h5", keras.weights(0), STORED)]
        files["d.keras"] = npz.archive(random.Random(0), members, odd=False)
    return _finished("weights", home, ["--std", "5%", "--with-clean", "-j", "1"], files)


def _latents(home: Path) -> Ground:
    return _finished("latents", home, ["--shape", "10", "--count", "50", "--per-file", "10", "-j", "1"], {})


def _interrupted(home: Path) -> Ground:
    """A run over what an earlier one made, killed after its first rows."""
    ground = Ground("images", home / "interrupted", ["--std", "25", "-j", "1"])
    data = seeds.pictures()["16.png"]
    _write(ground.source, {f"{folder}/{number:02}.png": data for folder in "ab" for number in range(60)})
    while True:
        _remove(ground.destination)
        program.run(*ground.paths(), *ground.words, "--include", "a/0*", deadline=DEADLINE)
        process, began = program.start(*ground.paths(), *ground.words), time.monotonic()
        journal = ground.destination / JOURNAL
        while process.poll() is None and time.monotonic() - began < DEADLINE:
            if journal.exists() and journal.read_bytes().count(b'{"file_name"') >= _KILLED_AFTER_ROWS:
                break
            time.sleep(0.001)
        program.kill_session(process.pid)
        process.wait()
        if journal.exists():
            ground.learn()
            return ground


GROUNDS: dict[str, Callable[[Path], Ground]] = {
    "images": _images,
    "audio": _audio,
    "arrays": _arrays,
    "weights": _weights,
    "latents": _latents,
    "interrupted": _interrupted,
}
