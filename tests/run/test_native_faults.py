"""Every write that libsndfile, OpenCV, HDF5 or Python makes below the destination fails in turn: no file is lost."""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from noisecli.codecs.audio.encoding import CONTAINERS
from noisecli.codecs.audio.subtypes import HOLDS

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="needs a C compiler: cc, gcc or clang"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD and /proc are Linux's"),
]

AUDIO = [(name, subtype, 2000) for name, subtypes in HOLDS.items() for subtype in subtypes]
AUDIO += [("wavex", "PCM_24", 2000), ("wav", "PCM_16", 300_000), ("flac", "PCM_16", 300_000)]
"""The long ones are written in several pieces, not in one at the end."""
LEVELS = {"audio": ("--snr-db", "20", "5"), "images": ("--std", "25", "5"), "arrays": ("--std", "0.1", "0.2")}
LEVELS["weights"] = LEVELS["arrays"]


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """Return the path of the library that makes calls fail."""
    path = tmp_path_factory.mktemp("library") / "failing_calls.so"
    source = Path(__file__).parent / "failing_calls.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture
def native_ground(tmp_path, start_driver, make_ground, library):
    """Return a call on src over an older run at another level, its faults below all Python."""

    def make(kind):
        driver = start_driver(LD_PRELOAD=str(library))
        option, level, other = LEVELS[kind]
        words = [kind, tmp_path / "src", tmp_path / "dst", "-j", "1", "--quiet"]
        assert driver.run([*words, option, other])[:2] == (0, "")
        shutil.copytree(tmp_path / "dst", tmp_path / "older")
        ground = make_ground(driver, [*words, option, level])
        assert ground.first[:2] == (0, "")
        assert len(ground.undisturbed) > 2
        return ground

    return make


def write_audio(folder, name, subtype, frames):
    """Write a file of a container and subtype; `name` is noisecli's word for the container."""
    container = {**CONTAINERS, "wavex": "WAVEX"}[name]
    samples = np.random.default_rng(3).normal(0, 0.1, (frames, 1))
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{subtype}-{frames}.{name.replace('wavex', 'wav')}"
    soundfile.write(path, samples, 8000, subtype, format=container)


def write_image(folder, suffix):
    import cv2

    folder.mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / f"a{suffix}"), np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8))


def judge(ground, numbers, *, every_way):
    """Let calls of the worker fail, once and from then on."""
    calls = ground.calls["worker"]
    problems = []
    for number in numbers:
        ways = [("ENOSPC", False), ("EIO", True)]
        for error, stays in ways if every_way else [ways[number % 2]]:
            status, found = ground.run_and_judge("worker", number, error, stays=stays)
            problems += found
            # a reader that can do without a seek is right to go on
            if status == 0 and not calls[number - 1].startswith("lseek"):
                problems.append(f"{calls[number - 1]}, call {number}, {error}: exit status 0")
    return problems


def test_the_library_sees_what_c_code_writes(tmp_path, native_ground):
    write_audio(tmp_path / "src", "flac", "PCM_16", 2000)
    names = {call.split()[0] for call in native_ground("audio").calls["worker"]}
    assert {"pwrite", "lseek"} <= names


def test_a_share_of_the_writes_of_audio(tmp_path, native_ground):
    for name, subtype in [("wav", "PCM_16"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")]:
        write_audio(tmp_path / "src", name, subtype, 2000)
    ground = native_ground("audio")
    writes = [place for place, call in enumerate(ground.calls["worker"], 1) if call.startswith("pwrite")]
    assert len(writes) > len(ground.undisturbed) - 2
    problems = judge(ground, writes, every_way=False)
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "subtype", "frames"), AUDIO)
def test_every_call_of_audio(tmp_path, native_ground, name, subtype, frames):
    write_audio(tmp_path / "src", name, subtype, frames)
    ground = native_ground("audio")
    problems = judge(ground, range(1, len(ground.calls["worker"]) + 1), every_way=True)
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tiff", ".png", ".jpg", ".webp", ".bmp"])
def test_every_call_of_images(tmp_path, native_ground, suffix):
    write_image(tmp_path / "src", suffix)
    ground = native_ground("images")
    problems = judge(ground, range(1, len(ground.calls["worker"]) + 1), every_way=True)
    assert not problems, "\n".join(problems)


@pytest.mark.slow
def test_every_call_of_arrays(tmp_path, native_ground):
    (tmp_path / "src").mkdir()
    values = np.random.default_rng(3).normal(0, 1, (300, 40))
    np.savez_compressed(tmp_path / "src/a.npz", x=values, y=np.arange(5))
    np.savez(tmp_path / "src/b.npz", x=values)
    np.save(tmp_path / "src/c.npy", values)
    ground = native_ground("arrays")
    problems = judge(ground, range(1, len(ground.calls["worker"]) + 1), every_way=True)
    assert not problems, "\n".join(problems)


@pytest.mark.slow
def test_every_call_of_weights(tmp_path, native_ground):
    h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")
    (tmp_path / "src").mkdir()
    inner = io.BytesIO()
    with h5py.File(inner, "w") as file:
        file["layers/dense/vars/0"] = np.random.default_rng(3).normal(0, 1, (300, 40)).astype("float32")
    (tmp_path / "src/m.weights.h5").write_bytes(inner.getvalue())
    for name, packing in (("stored", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(tmp_path / f"src/{name}.keras", "w", packing) as archive:
            archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
            archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": []}}')
            archive.writestr("model.weights.h5", inner.getvalue())
    ground = native_ground("weights")
    problems = judge(ground, range(1, len(ground.calls["worker"]) + 1), every_way=True)
    assert not problems, "\n".join(problems)
