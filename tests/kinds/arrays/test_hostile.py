"""Arrays that must not hurt: each fails, or is skipped, by name; the others are done."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest

X = np.random.default_rng(0).normal(0, 1, (100, 3))


@pytest.fixture
def hostile(arrays, tmp_path, errors, rows):
    """Put one file's bytes beside a sound one; return its status, reason, and the row it got."""

    def run(data, *words, name="bad.npy"):
        source, destination = tmp_path / "hostile", tmp_path / "hostile-dst"
        source.mkdir(exist_ok=True)
        np.save(source / "good.npy", X)
        (source / name).write_bytes(data)
        done = arrays(*words, source=source, to=destination)
        assert "Traceback" not in done.err
        found = rows(destination)
        assert "good.npy" in found
        problem = errors(destination).get(name)
        assert (problem is None) == (name in found)
        assert done.status == (1 if problem and problem["status"] == "failed" else 0)
        return (problem["status"], problem["reason"]) if problem else ("made", found[name]["warnings"])

    return run


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), **options)
    return buffer.getvalue()


def headed(text, version=b"\1\0", data=b""):
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


def npz(compressed=True, **members):
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **members)
    return buffer.getvalue()


def test_python_objects_fail_and_are_never_loaded(hostile, tmp_path):
    class Loaded:
        def __reduce__(self):
            return os.mkdir, (os.fspath(tmp_path / "loaded"),)

    assert hostile(npy(np.array([Loaded()], object))) == ("failed", "unsafe")
    assert not (tmp_path / "loaded").exists()


@pytest.mark.parametrize(
    "array",
    [np.ones(3, bool), np.array(["a"]), np.zeros(3, "f4,i4"), np.zeros(3, "M8[s]"), np.zeros(3, "V2")],
    ids=["bool", "text", "structured", "times", "void"],
)
def test_what_is_no_number_is_skipped(hostile, array):
    assert hostile(npy(array)) == ("skipped", "unsupported-samples")


@pytest.mark.skipif(np.dtype("longdouble").itemsize == 8, reason="longdouble is float64 here")
def test_longdouble_is_skipped(hostile):
    assert hostile(npy(np.ones(3, "longdouble"))) == ("skipped", "unsupported-samples")


@pytest.mark.parametrize("cut", [0, 3, 7, 9, 50, 127, 128, 130, -1])
def test_cut_arrays_fail(hostile, cut):
    expected = "empty" if cut == 0 else "truncated"
    assert hostile(npy(X)[:cut]) == ("failed", expected)


def test_bytes_behind_are_told(hostile):
    assert hostile(npy(X) + b"xyz") == ("made", ["trailing-data"])


def test_a_second_array_behind_is_not_lost_in_silence(hostile):
    assert hostile(npy(X) + npy(X)) == ("skipped", "unsupported-samples")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[1]",
        b"(" * 3000,
        b"-" * 9000 + b"1",
        b"\xff\xfe",
        b"{'descr': '<f8', 'fortran_order': 3, 'shape': (1,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': 5, }",
        b"{'descr': 'no type', 'fortran_order': False, 'shape': (1,), }",
        b"{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,), }",
    ],
    ids=lambda text: repr(text[:60]),
)
def test_headers_that_are_none_fail(hostile, text):
    assert hostile(headed(text, data=bytes(64))) == ("failed", "corrupt")


@pytest.mark.parametrize("shape", ["(10**9, 10**9, 10**9)", "(1 << 62,)", "(4611686018427387904, 4)"])
def test_shapes_beyond_the_file_fail(hostile, shape):
    status, reason = hostile(headed(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()))
    assert status == "failed"
    assert reason in ("truncated", "corrupt")


def test_long_headers_and_unknown_versions_fail(hostile):
    assert hostile(headed(b" " * 60_000)) == ("failed", "corrupt")
    assert hostile(headed(b"", version=b"\x09\0")) == ("failed", "corrupt")


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_done(hostile, version):
    assert hostile(npy(X, version=version)) == ("made", [])


def test_headers_of_python_2_are_done(hostile):
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }"
    assert hostile(headed(text, data=bytes(24))) == ("made", [])


def test_other_content_fails(hostile):
    assert hostile(b"\x89PNG\r\n\x1a\n" + bytes(100)) == ("failed", "wrong-content")
    assert hostile(npz(x=X), name="bad.npy") == ("made", ["wrong-suffix"])
    assert hostile(npy(X), name="bad.npz") == ("made", ["wrong-suffix"])


def test_bombs_fail_before_they_inflate(hostile):
    """2 GB of zeros in 2 MB: the directory tells, and no member is opened."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("x.npy", "w", force_zip64=True) as member,
    ):
        member.write(headed(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2000000000,), }"))
        member.write(bytes(1 << 20))
    data = bytearray(buffer.getvalue())
    # the size in the directory, which stands behind everything else
    entry = data.rindex(b"PK\1\2")
    data[entry + 24 : entry + 28] = struct.pack("<I", 2_000_000_100)
    assert hostile(bytes(data), name="bad.npz") == ("failed", "too-large")
    assert hostile(bytes(data), "--max-decoded", "3000000000", name="bad.npz") == ("failed", "truncated")


def test_inflated_sizes_are_held_to_their_limit(hostile):
    data = npz(x=np.zeros(1 << 20))
    assert hostile(data, "--max-decoded", "1000000", name="bad.npz") == ("failed", "too-large")
    assert hostile(data, name="bad.npz")[0] == "made"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("member", ["x", "y"])
def test_damaged_members_fail_whether_noised_or_carried(hostile, compressed, member):
    data = bytearray(npz(compressed, x=X, y=np.arange(5000)))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        info = file.getinfo(f"{member}.npy")
    data[info.header_offset + info.compress_size // 2 + 60] ^= 0x10
    assert hostile(bytes(data), "--key", "x", name="bad.npz") == ("failed", "corrupt")


@pytest.mark.parametrize("cut", [30, 1000, -1, -10, -60])
def test_cut_archives_fail(hostile, cut):
    assert hostile(npz(x=X, y=np.arange(50))[:cut], name="bad.npz") == ("failed", "corrupt")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("x.npy", "x.npy"), ("x.npy", "x")])
def test_two_members_of_one_name_fail(hostile, names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, npy(X))
    assert hostile(buffer.getvalue(), name="bad.npz") == ("failed", "corrupt")


def test_members_that_end_early_fail(hostile):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("x.npy", npy(X)[:-8])
    assert hostile(buffer.getvalue(), name="bad.npz") == ("failed", "truncated")


def test_directories_that_point_out_of_the_file_fail(hostile):
    data = bytearray(npz(x=X))
    entry = data.rindex(b"PK\5\6")
    data[entry + 16 : entry + 20] = struct.pack("<I", 1 << 31)
    assert hostile(bytes(data), name="bad.npz") == ("failed", "corrupt")


def test_encrypted_archives_fail(hostile):
    data = bytearray(npz(x=X))
    for start in (data.index(b"PK\3\4") + 6, data.rindex(b"PK\1\2") + 8):
        data[start] |= 1
    assert hostile(bytes(data), name="bad.npz") == ("failed", "unreadable")


def test_compression_that_numpy_does_not_write_is_skipped(hostile):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("x.npy", npy(X))
    assert hostile(buffer.getvalue(), name="bad.npz") == ("skipped", "unsupported-format")


def test_archives_without_numbers_are_skipped(hostile):
    assert hostile(npz(names=np.array(["a"])), name="bad.npz") == ("skipped", "unsupported-samples")
    with io.BytesIO() as buffer:
        zipfile.ZipFile(buffer, "w").close()
        assert hostile(buffer.getvalue(), name="bad.npz") == ("skipped", "unsupported-samples")


def test_noise_too_large_for_the_type_fails(hostile):
    assert hostile(npy(X.astype(np.float32)), "--std", "1e38") == ("failed", "out-of-range")
    assert hostile(npy(np.array([1e308, -1e308])), "--std", "10%") == ("failed", "out-of-range")


def test_a_clip_that_leaves_nothing_fails(hostile):
    assert hostile(npy(np.arange(6, dtype=np.uint8).reshape(2, 3)), "--clip", "300..400") == ("failed", "out-of-range")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_an_array_that_cannot_be_read_is_no_fault_of_its_output(tmp_path, monkeypatch, suffix):
    """The disk refuses in the midst of an array that is carried over as it is."""
    from noisecli.codecs import arrays as codec
    from noisecli.errors import FileFailed
    from noisecli.model import Limits
    from noisecli.storage import OutputFile, SourceFile

    path = tmp_path / f"a{suffix}"
    path.write_bytes(npy(X) if suffix == ".npy" else npz(False, x=X))

    def refuse(*_):
        raise OSError(5, "Input/output error")

    with SourceFile(os.fspath(path), 1 << 40) as file, OutputFile(os.fspath(tmp_path / "out")) as output:
        source = codec.open_source(file, Limits())
        sink = codec.create_sink(output, source)
        monkeypatch.setattr(os, "pread", refuse)
        with pytest.raises(FileFailed, match="cannot be read"):
            sink.begin(source.parts[0], None)
        sink.abort()
        source.close()


def test_a_file_that_shrinks_while_it_is_read_fails(tmp_path):
    """Reading past the end is an error of the file: nothing is mapped, and no signal kills the worker."""
    from noisecli.codecs import arrays
    from noisecli.errors import FileFailed
    from noisecli.model import Limits
    from noisecli.storage import SourceFile

    path = tmp_path / "a.npy"
    np.save(path, np.zeros(1_000_000))
    with SourceFile(os.fspath(path), 1 << 40) as file:
        [part] = arrays.open_source(file, Limits()).parts
        blocks = part.blocks()
        next(blocks)
        os.truncate(path, 2_000_000)
        with pytest.raises(FileFailed, match="ends before"):
            list(blocks)
