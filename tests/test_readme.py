"""The manual's examples run as they are, for somebody who has images and audio files, and what it names exists."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

from tests import reference

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
_BELOW = sorted(path for folder in ("noisecli", "tests") for path in (ROOT / folder).rglob("*.md"))
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "README.md", *_BELOW)}
FOR_NEWCOMERS = PAGES["noisecli/README.md"]
# languages of blocks that no test runs, and why
NOT_RUN = {"console": "needs a network, a model, minutes, or this repository", "text": "is to be read"}
RUN = ("sh", "python", "makefile", "yaml")
LEFT_OUT = ("morning.*", "valley.*", "winter.*", "upright.*", "sticker.*")
"""Photos of whose like there are others."""


def blocks(*languages: str) -> list[str]:
    """The blocks in these languages on all pages, the manual's first."""
    found = (block for text in PAGES.values() for block in re.findall(r"(?ms)^```(\w*)\n(.*?)^```", text))
    return [code for language, code in found if language in languages]


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
    shutil.copytree(ROOT / "sample_data/images", home / "photos", ignore=shutil.ignore_patterns(*LEFT_OUT))
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


def test_every_block_is_run_or_says_why_not() -> None:
    opened = [language for text in PAGES.values() for language in re.findall(r"(?m)^ *```(.*)$", text)]
    assert set(opened[::2]) <= {*RUN, *NOT_RUN}
    assert set(opened[1::2]) == {""}


@pytest.mark.xdist_group("readme")
def test_every_example_runs(somebody: Path) -> None:
    for code in blocks("sh"):
        done = run_block("sh", code, somebody)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
    assert len(list((somebody / "sweep").glob("std-*/**/*.[jp][pn]g"))) == 4 * 7
    assert (somebody / "pairs/std-15/clean").is_dir()
    assert len(list((somebody / "ensemble").glob("a-*.safetensors"))) == 10
    assert (somebody / "head/config.json").read_text() == "{}"
    assert (somebody / "piped.jpg").stat().st_size > 10_000


@pytest.mark.xdist_group("readme")
def test_the_job_for_ci_runs(somebody: Path) -> None:
    steps = [line for code in blocks("yaml") for line in re.findall(r"(?m)^ *- run: (noisecli .*)$", code)]
    assert len(steps) >= 2
    done = run_block("sh", "\n".join(["rm -rf noisy", *steps]), somebody)
    assert done.returncode == 0, done.stderr


def test_the_makefile_builds_and_settles(somebody: Path, tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is missing: apt-get install make")
    [makefile] = blocks("makefile")
    (tmp_path / "Makefile").write_text(makefile)
    shutil.copytree(somebody / "photos", tmp_path / "photos")
    command = f'PATH="{somebody}/bin:$PATH" make noisy/manifest.jsonl single/boats/noon.jpg single/boats/sunset.jpg'
    photo = tmp_path / "photos/boats/noon.jpg"
    shutil.copy(tmp_path / "photos/boats/sunset.jpg", photo)
    assert [run_block("sh", command, tmp_path).stdout.count("noisecli images") for _ in range(2)] == [3, 0]
    os.utime(photo)
    assert [run_block("sh", command, tmp_path).stdout.count("noisecli images") for _ in range(2)] == [2, 0]


@pytest.mark.parametrize("code", blocks("python"))
def test_a_loop_draws_other_noise_every_time(code: str, tmp_path: Path) -> None:
    if "import torch" in code and find_spec("torch") is None:
        pytest.skip("needs pip install '.[recipes]'")
    code += "assert (epochs[0] != epochs[1]).any(), 'every epoch has the same noise'\n"
    code += "assert len({image.numpy().tobytes() for epoch in epochs for image in epoch}) == 2 * 64\n"
    done = run_block("python", code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_what_the_code_knows_is_as_the_manual_says() -> None:
    assert PAGES["noisecli/cli/README.md"] == reference.options_page(), "run make reference"
    assert reference.manual_with_formats(README) == README, "run make reference"


def test_the_manual_is_one_sitting() -> None:
    assert len(README.splitlines()) <= 250


def test_every_link_leads_to_a_page() -> None:
    for page, text in PAGES.items():
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_no_name_that_no_registry_has() -> None:
    sources = (path.read_text() for path in (ROOT / "noisecli").rglob("*.py"))
    assert [text for text in (*PAGES.values(), *sources) if re.search(r"pip install '?noisecli", text)] == []


def test_the_two_commands_come_first() -> None:
    first_block = README.split("```")[1]
    assert "make demo" in first_block
    assert "make test" in first_block
    second_block = README.split("```")[3].splitlines()
    assert second_block[1:] == [
        "noisecli preview photos look.png --std 5,25,50",
        "noisecli images photos noisy --std 25",
    ]


def test_every_path_it_names_exists() -> None:
    text = "\n".join(PAGES.values())
    named = re.findall(r"\b(?:noisecli|tests|sample_data)/[\w./-]*\w", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
    below = re.findall(r"`([\w/]+(?:\.py|/))`", FOR_NEWCOMERS)
    assert len(below) > 30
    assert [path for path in below if not (ROOT / path).exists() and not (ROOT / "noisecli" / path).exists()] == []


def test_the_walk_through_the_house_names_what_is_there() -> None:
    """Each `page.py`, `name()` is defined on that page, and each table that a line is added to."""
    steps = re.findall(r"`([\w/]+)\.py`,\s+`([\w.]+)\(\)`", FOR_NEWCOMERS)
    tables = re.findall(r"`([A-Z]+)` in `([\w/]+)\.py`", FOR_NEWCOMERS)
    records = re.findall(r"`([A-Z]\w+\.\w+)` \(`([\w/]+)\.py`\)", FOR_NEWCOMERS)
    patterns = re.findall(r"`(\w+)\(\)` as in `([\w/]+)\.py`", FOR_NEWCOMERS)
    assert (len(re.findall(r"^\d+\. ", FOR_NEWCOMERS, re.MULTILINE)), len(tables), len(records)) == (12, 6, 2)
    for page, name in [*steps, *((page, name) for name, page in (*tables, *patterns))]:
        module = import_module("noisecli." + page.replace("/", ".").removesuffix(".__init__"))
        attrgetter(name)(module)
    for name, page in records:
        record, _, field = name.partition(".")
        assert field in getattr(import_module("noisecli." + page.replace("/", ".")), record).__dataclass_fields__
