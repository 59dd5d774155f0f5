"""Small files that would take much memory or disk: refused on what they say of themselves, the way out named."""

import io
import json
import os
import struct
import tempfile
import zipfile
import zlib

import numpy as np
import pytest

from noisecli.codecs import limits
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits
from tests.fixtures.files import failure

SUFFIX = ".weights.h5"


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="needs h5py: the extra named weights")


def safetensors(header, data=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


@pytest.mark.parametrize(
    "metadata",
    [5, "text", [], {"a": 5}, {"a": None}, {"a": {"b": "c"}}, {"a": "\ud800"}],
    ids=json.dumps,
)
def test_metadata_that_is_no_text_fails_as_in_the_safetensors_package(metadata, open_bytes):
    package = pytest.importorskip("safetensors", reason="needs safetensors: the extra named test")
    data = safetensors({"__metadata__": metadata, "a": EMPTY})
    with pytest.raises(package.SafetensorError):
        package.deserialize(data)
    assert failure(lambda: open_bytes(data)) == "corrupt"


@pytest.mark.parametrize(
    "header",
    [
        b'{"a": {"dtype": "F32", "shape": [-0], "data_offsets": [0, 0]}}',
        b'{"a": {"dtype": "f32", "shape": [0], "data_offsets": [0, 0]}}',
        b'{"a": {"dtype": "", "shape": [0], "data_offsets": [0, 0]}}',
        b'{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0], "\\ud800": 1}}',
    ],
)
def test_what_the_safetensors_package_refuses_fails(header, open_bytes):
    package = pytest.importorskip("safetensors", reason="needs safetensors: the extra named test")
    data = safetensors(header)
    with pytest.raises(package.SafetensorError):
        package.deserialize(data)
    assert failure(lambda: open_bytes(data)) == "corrupt"


def test_a_header_that_would_not_fit_into_memory_fails_before_it_is_parsed(open_bytes):
    data = safetensors(b'{"__metadata__": {"a": "' + b"x" * limits.MOST_JSON_BYTES + b'"}}')
    assert failure(lambda: open_bytes(data), "several files") == "too-large"


@pytest.mark.parametrize("names", [["n" * 65_536], [f"{number}{'n' * 60_000}" for number in range(80)]])
def test_names_that_are_longer_than_any_format_has_room_for_fail(names, open_bytes, monkeypatch):
    monkeypatch.setattr(limits, "_ALL_NAMES", 1 << 22)
    data = safetensors(dict.fromkeys(names, EMPTY))
    assert failure(lambda: open_bytes(data), "shorter names") == "too-large"


@pytest.mark.slow
def test_more_tensors_than_memory_holds_fail(open_bytes):
    assert len(open_bytes(safetensors({str(number): EMPTY for number in range(100_000)})).parts) == 100_000
    data = safetensors({str(number): EMPTY for number in range(100_001)})
    assert failure(lambda: open_bytes(data), "100,001 arrays") == "too-large"


def test_messages_show_no_more_of_a_name_than_can_be_read(open_bytes):
    data = safetensors({"n" * 60_000: {**EMPTY, "shape": [1]}})
    assert failure(lambda: open_bytes(data), r"nnn\.\.\.nnn") == "corrupt"
    assert len(shown("n" * 1000)) == 80
    assert shown(10**5000) == "a int too large to show"
    assert shown("a\ud800b") == "a\\ud800b"
    assert len(FileFailed("corrupt", "n" * 10**6).message) == 1000


def packed(length, filters, chunks):
    """Return a dataset of ten values in chunks that are larger than it is."""

    def fill(file):
        data = file.create_dataset("vars/0", (10,), "f4", maxshape=(None,), chunks=(length,), **filters)
        if chunks:
            data[:] = 1

    return fill


@pytest.mark.parametrize("filters", [{}, {"compression": "gzip"}, {"compression": "lzf"}], ids=str)
def test_a_chunk_that_is_larger_than_memory_holds_fails(filters, h5py, hdf5_bytes, open_bytes):
    data = hdf5_bytes(packed(40_000_000, filters, chunks=False))
    assert failure(lambda: open_bytes(data, SUFFIX), "--max-decoded 160000000") == "too-large"
    assert open_bytes(data, SUFFIX, Limits(max_decoded=160_000_000)).parts


@pytest.mark.parametrize("filters", [{}, {"shuffle": True}, {"fletcher32": True}], ids=str)
def test_a_chunk_that_inflates_to_more_than_it_says_fails(filters, h5py, hdf5_bytes, open_bytes):
    """HDF5 goes on inflating, and takes the memory, before it compares."""

    def fill(file):
        data = file.create_dataset("vars/0", (1000,), "f4", chunks=(1000,), compression="gzip", **filters)
        packer, piece = zlib.compressobj(9), bytes(1 << 20)
        raw = b"".join(packer.compress(piece) for _ in range(70)) + packer.flush()
        data.id.write_direct_chunk((0,), raw + (b"sums" if "fletcher32" in filters else b""))

    data = hdf5_bytes(fill)
    assert failure(lambda: open_bytes(data, SUFFIX), "inflates to more") == "corrupt"


def test_what_inflates_to_what_it_says_is_done(h5py, hdf5_bytes, open_bytes, values):
    """A thousandth of its size: as much as deflate can."""
    zeros = np.zeros(18_000_000, "f4")
    data = hdf5_bytes(lambda file: file.create_dataset("vars/0", data=zeros, chunks=zeros.shape, compression="gzip"))
    assert len(data) > 70_000
    [part] = open_bytes(data, SUFFIX).parts
    assert not values(part).any()


def test_chunks_are_counted_as_they_are_written_whole(h5py, hdf5_bytes, open_bytes):
    def fill(file):
        for number in range(40):
            file.create_dataset(f"layers/{number}/vars/0", (1,), "f4", maxshape=(None,), chunks=(1_000_000,))

    data = hdf5_bytes(fill)
    assert failure(lambda: open_bytes(data, SUFFIX), "160,000,000 bytes") == "too-large"


@pytest.mark.parametrize("byte", [4, 5, 6])
def test_a_size_that_lies_makes_no_file_without_end(byte, h5py, hdf5_bytes, new_path, rewrite):
    """HDF5 gives a tensor that was never written as much room as its layout says, whatever its shape."""
    path = new_path(SUFFIX)
    data = bytearray(hdf5_bytes(lambda file: file.create_dataset("vars/0", (10, 3), "f8"), libver="earliest"))
    data[data.index(b"\xff" * 8 + struct.pack("<Q", 240)) + 8 + byte] = 1
    path.write_bytes(data)
    assert failure(lambda: rewrite(path), "beyond its end") == "corrupt"


def test_a_size_beyond_64_bits_is_no_small_one(h5py, hdf5_bytes, open_bytes):
    shape = (1 << 32, 1 << 31)
    data = hdf5_bytes(lambda file: file.create_dataset("vars/0", shape, "f4", chunks=(1, 1)))
    assert failure(lambda: open_bytes(data, SUFFIX)) == "too-large"


def test_what_is_carried_over_is_copied_and_never_unpacked(h5py, hdf5_bytes, new_path, rewrite):
    def fill(file):
        file["layers/dense/vars/0"] = np.ones(3, "f4")
        file.create_dataset("optimizer/vars/0", (10,), "f4", maxshape=(None,), chunks=(1 << 27,), compression="gzip")

    path = new_path(SUFFIX)
    path.write_bytes(hdf5_bytes(fill))
    new = rewrite(path, lambda block: block + 1)
    with h5py.File(new) as file:
        assert file["layers/dense/vars/0"][:].tolist() == [2, 2, 2]
        assert file["optimizer/vars/0"].chunks == (1 << 27,)


@pytest.mark.parametrize("option", [{"scaleoffset": 3}, {"compression": "szip"}], ids=str)
def test_other_packing_is_left_alone_by_name(option, h5py, hdf5_bytes, open_bytes):
    if option.get("compression") == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
        pytest.skip("this h5py packs no szip")
    data = hdf5_bytes(lambda file: file.create_dataset("vars/0", data=np.ones((64, 64), "f4"), **option))
    with pytest.raises(FileSkipped, match="h5repack -f NONE"):
        open_bytes(data, SUFFIX)


def test_groups_without_end_fail(h5py, hdf5_bytes, open_bytes, monkeypatch):
    deep = hdf5_bytes(lambda file: file.create_group("a/" * 300))
    assert failure(lambda: open_bytes(deep, SUFFIX), "deep") == "too-large"
    monkeypatch.setattr("noisecli.codecs.weights.keras_layout._MOST_OBJECTS", 60)
    many = hdf5_bytes(lambda file: [file.create_group(f"layers/{number}") for number in range(61)])
    assert failure(lambda: open_bytes(many, SUFFIX), "more than 60") == "too-large"


def test_links_are_never_followed_even_where_the_layout_is_looked_up(h5py, hdf5_bytes, open_bytes, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other.create_group("g").attrs["layer_names"] = ["a"]

    def fill(file):
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "g")

    assert failure(lambda: open_bytes(hdf5_bytes(fill), SUFFIX), "link into another file") == "unsafe"


@pytest.fixture
def deflated(h5py, hdf5_bytes, new_path):
    """Return a .keras whose weights are packed, so that they need a temporary file."""
    path, inner = new_path(".keras"), hdf5_bytes(lambda file: file.create_dataset("vars/0", data=np.ones(9000, "f4")))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", inner)
        archive.writestr("config.json", "{}")
    return path


def test_without_a_temporary_folder_neither_source_nor_output_is_blamed(deflated, open_path, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path / "none"))
    assert failure(lambda: open_path(deflated), "set TMPDIR") == "unwritable"


def test_a_temporary_folder_that_is_full_is_named(deflated, open_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "r+b", buffering=0))  # noqa: SIM115
    assert failure(lambda: open_path(deflated), "set TMPDIR") == "unwritable"


def test_members_packed_by_lzma_are_left_alone(h5py, open_bytes):
    """Its dictionary may have 4 GB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("model.weights.h5", b"x")
    with pytest.raises(FileSkipped, match="packed in a way"):
        open_bytes(buffer.getvalue(), ".keras")


def test_damage_in_bzip2_is_damage(h5py, hdf5_bytes, open_bytes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("model.weights.h5", hdf5_bytes(lambda file: file.create_group("vars")))
    data = bytearray(buffer.getvalue())
    data[60:64] = b"BZZZ"
    assert failure(lambda: open_bytes(bytes(data), ".keras"), "broken archive") == "corrupt"
