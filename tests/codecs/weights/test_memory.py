"""Memory stays flat: a file of 400 MB passes through a process that may not hold it."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

pytestmark = pytest.mark.slow

SIZE = 400_000_000
ALLOWED = 200_000_000
"""The interpreter with numpy and h5py takes some 60 MB, HDF5's cache of chunks 64 MB at most."""

REWRITE = r"""
import re, sys
from noisecli.codecs import weights
from noisecli.model import Limits
from noisecli.storage import OutputFile, SourceFile

with SourceFile(sys.argv[1], 1 << 40) as file, OutputFile(sys.argv[2]) as output:
    source = weights.open_source(file, Limits())
    sink = weights.create_sink(output, source)
    for part in source.parts:
        sink.begin(part, part.spec)
        for block in part.blocks():
            sink.write(block + block.dtype.type(1))
    sink.finish()
    # unlike ru_maxrss, this does not begin with what the parent process had
    peak = re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())
    print(int(peak[1]) * 1024, output.commit()[0])
    sink.abort()
    source.close()
"""


def write_safetensors(path, dtype="F32"):
    width = {"F32": 4, "BF16": 2}[dtype]
    header = {"w": {"dtype": dtype, "shape": [SIZE // width], "data_offsets": [0, SIZE]}}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + SIZE)


def write_hdf5(path, **options):
    h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")
    with h5py.File(path, "w") as file:
        data = file.create_dataset("vars/0", shape=(SIZE // 40_000, 10_000), dtype="f4", **options)
        for start in range(0, len(data), 1000):
            data[start : start + 1000] = np.full((1000, 10_000), start, "f4")


def write_keras(path):
    inner = path.with_suffix(".h5")
    write_hdf5(inner)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "model.weights.h5")
    inner.unlink()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("single.safetensors", write_safetensors),
        ("half.safetensors", lambda path: write_safetensors(path, "BF16")),
        ("plain.weights.h5", write_hdf5),
        ("compressed.weights.h5", lambda path: write_hdf5(path, chunks=(1000, 1000), compression="lzf")),
        ("model.keras", write_keras),
    ],
)
def test_a_large_file_passes_through_a_small_process(name, write, tmp_path):
    path = tmp_path / name
    write(path)
    command = [sys.executable, "-c", REWRITE, str(path), str(tmp_path / f"new-{name}")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    peak, size = map(int, done.stdout.split())
    assert peak < ALLOWED
    assert name.startswith("compressed") or size == path.stat().st_size
