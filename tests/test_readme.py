"""The README's examples run as they are, for somebody who has images and audio files, and what it names exists."""

import json
import re
import shutil
import struct
import subprocess
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

from noisecli.cli import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.DOTALL)
FOR_NEWCOMERS = README.partition("\n## Working on it\n")[2]


def small_model() -> bytes:
    """Lay out a .safetensors of three tensors."""
    sizes = {"block.weight": 64, "norm.weight": 8, "lm_head.weight": 32}
    header, end = {}, 0
    for name, size in sizes.items():
        header[name] = {"dtype": "F32", "shape": [size], "data_offsets": [end, end + 4 * size]}
        end += 4 * size
    text = json.dumps(header).encode()
    values = (0.1 * (i % 7) for i in range(end // 4))
    return len(text).to_bytes(8, "little") + text + b"".join(struct.pack("<f", value) for value in values)


@pytest.fixture(scope="module")
def somebody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("somebody")
    shutil.copytree(ROOT / "sample_data/images", home / "photos")
    shutil.copytree(ROOT / "sample_data/audio", home / "speech")
    shutil.copy(ROOT / "sample_data/images/boats/regatta.jpg", home / "dog.jpg")
    (home / "models").mkdir()
    (home / "model.safetensors").write_bytes(small_model())
    shutil.copy(home / "model.safetensors", home / "models/a.safetensors")
    (home / "models/config.json").write_text("{}")
    write_features(home / "features")
    (home / "bin").mkdir()
    (home / "bin/noisecli").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m noisecli "$@"\n')
    (home / "bin/noisecli").chmod(0o755)
    return home


def write_features(folder: Path) -> None:
    """Features with their classes, and an archive in which only its owner knows what is a label."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for name in ("train", "test"):
        x, y = rng.normal(0, [1, 5, 20], (300, 3)).astype(np.float32), rng.integers(0, 10, 300)
        np.savez_compressed(folder / f"{name}.npz", x=x, y=y)
    (folder.parent / "episodes").mkdir()
    np.savez(folder.parent / "episodes/1.npz", observations=rng.normal(0, 1, (50, 4)), rewards=rng.normal(0, 1, 50))
    np.save(folder.parent / "features.npy", rng.normal(0, 1, (100, 3)))


def run_block(language: str, code: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
    environment = {"PATH": f"{home}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.xdist_group("readme")
def test_every_example_runs(somebody: Path) -> None:
    assert len(BLOCKS) >= 6
    for language, code in BLOCKS:
        done = run_block(language, code, somebody)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
    assert len(list((somebody / "look").glob("std-*/**/*.[jp][pn]g"))) == 12
    assert (somebody / "pairs/std-15/clean").is_dir()
    assert len(list((somebody / "ensemble").glob("a-*.safetensors"))) == 10
    assert (somebody / "head/config.json").read_text() == "{}"
    assert (somebody / "piped.jpg").stat().st_size > 10_000
    assert '"exit_status": 0' in (somebody / "summary.json").read_text()


def test_every_option_of_the_help_is_in_the_readme() -> None:
    for name in COMMANDS:
        command = import_module(f"noisecli.cli.{name}").command
        for parameter in command.params:
            names = [name for name in parameter.opts if name.startswith("-")]
            assert not names or any(name in README for name in names), names


def test_the_two_commands_come_first() -> None:
    first_block = README.split("```")[1]
    assert "make demo" in first_block
    assert "make test" in first_block


def test_every_path_it_names_exists() -> None:
    named = re.findall(r"\b(?:noisecli|tests|sample_data)/[\w./-]*\w", README)
    assert [path for path in named if not (ROOT / path).exists()] == []
    below = re.findall(r"`([\w/]+(?:\.py|/))`", FOR_NEWCOMERS)
    assert len(below) > 30
    assert [path for path in below if not (ROOT / path).exists() and not (ROOT / "noisecli" / path).exists()] == []


def test_the_walk_through_the_house_names_what_is_there() -> None:
    """Each `page.py`, `name()` is defined on that page, and each table that a line is added to."""
    steps = re.findall(r"`([\w/]+)\.py`,\s+`([\w.]+)\(\)`", FOR_NEWCOMERS)
    tables = re.findall(r"`([A-Z]+)` in `([\w/]+)\.py`", FOR_NEWCOMERS)
    records = re.findall(r"`([A-Z]\w+\.\w+)` \(`(\w+)\.py`\)", FOR_NEWCOMERS)
    patterns = re.findall(r"`(\w+)\(\)` as in `([\w/]+)\.py`", FOR_NEWCOMERS)
    assert (len(re.findall(r"^\d+\. ", FOR_NEWCOMERS, re.MULTILINE)), len(tables), len(records)) == (12, 5, 2)
    for page, name in [*steps, *((page, name) for name, page in (*tables, *patterns))]:
        module = import_module("noisecli." + page.replace("/", ".").removesuffix(".__init__"))
        attrgetter(name)(module)
    for name, page in records:
        record, _, field = name.partition(".")
        assert field in getattr(import_module(f"noisecli.{page}"), record).__dataclass_fields__
