"""Keras' HDF5 files: layers' variables are overwritten in place, all else keeps its bytes, nothing leads elsewhere."""

import subprocess
import sys

import numpy as np
import pytest

from noisecli.errors import FileSkipped
from noisecli.model import Limits
from tests.fixtures.files import failure

h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")

RNG = np.random.default_rng(6)
SUFFIX = ".weights.h5"


def fill_model(file):
    """Lay a file out as Keras 3 does."""
    for layer, shape in (("dense", (8, 16)), ("dense_1", (16, 2))):
        group = file.create_group(f"layers/{layer}/vars")
        group.attrs["name"] = layer
        group["0"] = RNG.normal(size=shape).astype("f4")
        group["1"] = np.zeros(shape[1], "f4")
    inner = file.create_group("layers/functional/layers/conv/vars")
    inner["0"] = RNG.normal(size=(3, 3, 2, 4)).astype("f2")
    inner.create_dataset("1", data=RNG.normal(size=4).astype("f4").view("u4").astype("u2").view("V2"))
    inner["1"].attrs["dtype"] = "bfloat16"
    file["vars/0"] = np.arange(5, dtype=">f8")
    file["layers/dropout/seed_generator/vars/0"] = np.array([1, 2], "u4")
    file["layers/embedding/vars/0"] = RNG.integers(-9, 9, (4, 4), dtype="i1")
    file["optimizer/vars/0"] = RNG.normal(size=(8, 16)).astype("f4")
    file["loss_tracker/vars/0"] = np.float32(3)
    file["layers/lookup/table"] = np.arange(3.0)


NOISY = {
    "layers/dense/vars/0",
    "layers/dense/vars/1",
    "layers/dense_1/vars/0",
    "layers/dense_1/vars/1",
    "layers/functional/layers/conv/vars/0",
    "layers/functional/layers/conv/vars/1",
    "vars/0",
}


@pytest.fixture(params=["earliest", "v110"])
def model(request, hdf5_bytes, new_path):
    path = new_path(SUFFIX)
    path.write_bytes(hdf5_bytes(fill_model, libver=request.param))
    return path


def datasets(path):
    """Read every dataset and attribute with h5py alone."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update(
                {name: (item[()] if isinstance(item, h5py.Dataset) else None, dict(item.attrs))}
            )
        )
    return found


def test_only_the_variables_of_layers_may_get_noise(model, open_path):
    source = open_path(model)
    assert {part.name for part in source.parts if part.spec is not None} == NOISY
    assert {part.name: part.dtype for part in source.parts}["layers/functional/layers/conv/vars/1"] == "BF16"
    assert len(source.parts) == len(NOISY) + 5
    assert source.warnings == []


def test_written_again_without_a_change_it_has_the_same_bytes(model, rewrite):
    assert rewrite(model).read_bytes() == model.read_bytes()


def test_h5py_reads_what_was_changed_and_what_was_not(model, rewrite):
    before, after = datasets(model), datasets(rewrite(model, lambda block: block + 1, leave=["layers/dense_1/vars/0"]))
    assert list(after) == list(before)
    for name, (old, attributes) in before.items():
        new, new_attributes = after[name]
        assert new_attributes == attributes
        if name in NOISY - {"layers/dense_1/vars/0", "layers/functional/layers/conv/vars/1"}:
            np.testing.assert_array_equal(new, old + old.dtype.type(1))
            assert new.dtype == old.dtype
        elif old is not None and name not in NOISY:
            assert new.tobytes() == old.tobytes()
    name = "layers/functional/layers/conv/vars/1"
    old, new = ((file[name][0].view("<u2").astype("<u4") << 16).view("<f4") for file in (before, after))
    # 8 bits of precision
    np.testing.assert_allclose(new, old + 1, rtol=2**-8)
    np.testing.assert_array_equal(after["layers/dense_1/vars/0"][0], before["layers/dense_1/vars/0"][0])


def test_no_byte_changes_but_those_of_the_tensors(model, rewrite):
    old, new = model.read_bytes(), rewrite(model, lambda block: block + 1).read_bytes()
    with h5py.File(model) as file:
        for name in NOISY:
            data = file[name]
            start, size = data.id.get_offset(), data.id.get_storage_size()
            old, new = (bytes_[:start] + bytes(size) + bytes_[start + size :] for bytes_ in (old, new))
    assert old == new


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (64, 16)},
        {"chunks": (64, 16), "track_times": True},
        {"chunks": (64, 16), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (7, 50), "compression": "lzf", "track_times": True},
        {"maxshape": (None, 50), "chunks": (1000, 50)},
        {"track_times": True},
    ],
    ids=str,
)
def test_however_it_is_laid_out_the_values_and_the_bytes_of_two_runs_agree(options, hdf5_bytes, new_path, rewrite):
    x = RNG.normal(size=(500, 50)).astype("f4")
    path = new_path(SUFFIX)
    path.write_bytes(hdf5_bytes(lambda file: file.create_dataset("layers/dense/vars/0", data=x, **options)))
    news = [rewrite(path, lambda block: block + 1) for _ in range(2)]
    with h5py.File(news[0]) as file:
        np.testing.assert_array_equal(file["layers/dense/vars/0"], x + np.float32(1))
        assert file["layers/dense/vars/0"].compression == options.get("compression")
    assert news[0].read_bytes() == news[1].read_bytes()


def test_a_dataset_that_would_note_the_time_fails(hdf5_bytes, new_path, rewrite):
    def never_written(file):
        file.create_dataset("layers/dense/vars/0", shape=(10,), dtype="f4", track_times=True)

    path = new_path(SUFFIX)
    path.write_bytes(hdf5_bytes(never_written))
    assert failure(lambda: rewrite(path)) == "no-encoder"
    assert rewrite(path, leave=["layers/dense/vars/0"]).read_bytes() == path.read_bytes()


def test_a_dataset_inside_its_header(hdf5_bytes, new_path, rewrite):
    def compact(file):
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.COMPACT)
        plan.set_obj_track_times(False)
        group, space = file.create_group("layers/dense/vars"), h5py.h5s.create_simple((8,))
        made = h5py.h5d.create(group.id, b"0", h5py.h5t.IEEE_F32LE, space, plan)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(8, dtype="f4"))

    path = new_path(SUFFIX)
    path.write_bytes(hdf5_bytes(compact))
    with h5py.File(rewrite(path, lambda block: block + 1)) as file:
        np.testing.assert_array_equal(file["layers/dense/vars/0"], np.arange(1, 9))


@pytest.mark.parametrize("shape", [(1_300_000,), (3, 700_001), (2, 3, 250_000), (700_000, 2), (), (0, 4), (1, 1)])
def test_blocks_follow_the_order_of_indices_whatever_the_shape(
    shape, hdf5_bytes, open_bytes, values, new_path, rewrite
):
    x = np.asarray(RNG.normal(size=shape), "f4")
    data = hdf5_bytes(lambda file: file.create_dataset("vars/0", data=x))
    [part] = open_bytes(data, SUFFIX).parts
    assert part.shape == shape
    np.testing.assert_array_equal(values(part), x.reshape(-1))
    path = new_path(SUFFIX)
    path.write_bytes(data)
    with h5py.File(rewrite(path, lambda block: block + 1)) as file:
        np.testing.assert_array_equal(file["vars/0"], x + np.float32(1))


def test_pieces_of_any_size_may_be_written(hdf5_bytes, open_bytes, keep, new_path):
    from noisecli.codecs import weights
    from noisecli.storage import OutputFile

    x = RNG.normal(size=(3, 600_000)).astype("f4")
    source = open_bytes(hdf5_bytes(lambda file: file.create_dataset("vars/0", data=x)), SUFFIX)
    path = new_path(SUFFIX)
    output = keep(OutputFile(str(path)), "discard")
    sink = keep(weights.create_sink(output, source), "abort")
    [part] = source.parts
    sink.begin(part, part.spec)
    for piece in np.array_split(-x.reshape(-1), 7):
        sink.write(piece)
    sink.finish()
    output.commit()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["vars/0"], -x)


def test_older_files_of_keras(hdf5_bytes, open_bytes):
    def legacy(file, below):
        file.require_group(below or "/").attrs["layer_names"] = ["dense"]
        file[f"{below}/dense/dense/kernel:0"] = RNG.normal(size=(4, 4)).astype("f4")
        file["optimizer_weights/adam/m"] = np.zeros(4, "f4")

    whole = open_bytes(hdf5_bytes(lambda file: legacy(file, "model_weights")), ".h5")
    assert [part.name for part in whole.parts if part.spec] == ["model_weights/dense/dense/kernel:0"]


def test_an_hdf5_file_of_something_else_is_left_alone(hdf5_bytes, open_bytes):
    with pytest.raises(FileSkipped):
        open_bytes(hdf5_bytes(lambda file: file.create_dataset("images", data=np.zeros((4, 4)))), ".h5")


def linked(link):
    def fill(file):
        fill_model(file)
        file["layers/dense_2/vars/0"] = link

    return fill


def elsewhere(file):
    fill_model(file)
    file.create_dataset("layers/x/vars/0", shape=(4,), dtype="f4", external=[("/etc/passwd", 0, 16)])


def virtual(file):
    fill_model(file)
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", shape=(4,))
    file.create_virtual_dataset("layers/x/vars/0", layout)


@pytest.mark.parametrize(
    "fill",
    [
        linked(h5py.ExternalLink("other.h5", "/data")),
        linked(h5py.SoftLink("/layers/dense/vars/0")),
        linked(h5py.SoftLink("/nowhere")),
        elsewhere,
        virtual,
    ],
    ids=["external link", "soft link", "dangling link", "external storage", "virtual dataset"],
)
def test_what_lies_in_other_files_is_refused(fill, hdf5_bytes, open_bytes):
    data = hdf5_bytes(fill)
    assert failure(lambda: open_bytes(data, SUFFIX)) == "unsafe"


def test_a_second_name_is_no_second_tensor_and_a_circle_ends(hdf5_bytes, open_bytes):
    def tied(file):
        file["layers/a/vars/0"] = np.zeros(4, "f4")
        file["layers/b/vars/0"] = file["layers/a/vars/0"]
        file["layers/a/self"] = file["layers"]

    assert [part.name for part in open_bytes(hdf5_bytes(tied), SUFFIX).parts] == ["layers/a/vars/0"]


@pytest.mark.parametrize("kept", [8, 60, 1000, -4, -600])
def test_cut_short(kept, hdf5_bytes, open_bytes):
    data = hdf5_bytes(fill_model)[:kept]
    assert failure(lambda: open_bytes(data, SUFFIX)) in ("truncated", "corrupt")


def test_a_few_bytes_that_claim_a_terabyte(hdf5_bytes, open_bytes):
    huge = hdf5_bytes(lambda file: file.create_dataset("vars/0", shape=(1 << 38,), chunks=(1 << 20,), dtype="f4"))
    assert failure(lambda: open_bytes(huge, SUFFIX)) == "too-large"
    small = hdf5_bytes(lambda file: file.create_dataset("vars/0", data=np.zeros(1 << 16, "f4"), compression="gzip"))
    assert len(open_bytes(small, SUFFIX).parts) == 1
    assert failure(lambda: open_bytes(small, SUFFIX, Limits(max_decoded=1 << 17))) == "too-large"


def test_a_name_that_is_no_text(hdf5_bytes, open_bytes):
    data = hdf5_bytes(lambda file: file.create_dataset(b"vars/\xff", data=np.zeros(3)))
    assert failure(lambda: open_bytes(data, SUFFIX)) == "corrupt"


def test_damaged_chunks_fail_and_nothing_is_left_open(hdf5_bytes, open_bytes):
    x = RNG.normal(size=(64, 64)).astype("f4")
    data = hdf5_bytes(lambda file: file.create_dataset("vars/0", data=x, chunks=(64, 64), fletcher32=True))
    place = data.find(x.tobytes())
    assert place > 0
    [part] = open_bytes(data[:place] + b"\xff\xff" + data[place + 2 :], SUFFIX).parts
    assert failure(lambda: list(part.blocks())) == "corrupt"


@pytest.mark.parametrize("size", [4000, 20_000, 100_000])
def test_a_full_disk_is_the_systems_own_error_and_the_process_lives(size, hdf5_bytes, new_path):
    """HDF5 cannot close a file that it cannot write."""
    x = RNG.normal(size=(300, 300)).astype("f4")
    path = new_path(SUFFIX)
    path.write_bytes(hdf5_bytes(lambda f: f.create_dataset("vars/0", data=x, compression="gzip")))
    program = f"""
import os, sys
real, written = os.pwrite, 0
def pwrite(descriptor, data, offset):
    global written
    written += len(data)
    if written > {path.stat().st_size} + {size}:
        raise OSError(28, "No space left on device")
    return real(descriptor, data, offset)
os.pwrite = pwrite
import noisecli.codecs.weights as weights
from noisecli.model import Limits
from noisecli.storage import OutputFile, SourceFile
with SourceFile(sys.argv[1], 1 << 30) as file, OutputFile(sys.argv[2]) as output:
    source = weights.open_source(file, Limits())
    sink = weights.create_sink(output, source)
    try:
        for part in source.parts:
            sink.begin(part, part.spec)
            for block in part.blocks():
                sink.write(block + 1)
        sink.finish()
    except OSError as error:
        print("errno", error.errno)
    finally:
        sink.abort()
        source.close()
print("alive")
"""
    command = [sys.executable, "-c", program, str(path), str(new_path(SUFFIX))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stdout, done.stderr) == (0, "errno 28\nalive\n", "")
