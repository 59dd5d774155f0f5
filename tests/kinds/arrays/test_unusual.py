"""Valid arrays and archives that few people write: their samples get noise as numpy reads them, the rest stays."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from scipy import stats

CHANCE = 1e-9
X, Y = np.random.default_rng(0).normal(0, 1, (60, 7)), np.arange(60) % 10


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), **options)
    return buffer.getvalue()


def headed(text, version=1):
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


@pytest.fixture
def packed(tmp_path):
    """Write members, (name, bytes), into an archive in a source folder of its own."""

    def write(*members, compression=zipfile.ZIP_STORED, force_zip64=False):
        source = tmp_path / "unusual"
        source.mkdir(exist_ok=True)
        with zipfile.ZipFile(source / "a.npz", "w", compression) as file:
            for name, data in members:
                with file.open(name, "w", force_zip64=force_zip64) as member:
                    member.write(data)
        return source

    return write


def members_of(path):
    """What numpy reads of an archive; what it would unpickle as its bytes."""
    with np.load(path) as file, zipfile.ZipFile(path) as archive:
        stored = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        assert list(stored) == file.files
        objects = {name for name, info in stored.items() if b"O'" in archive.read(info)[:128]}
        return {name: archive.read(stored[name]) if name in objects else file[name] for name in file.files}


NAMES = np.array(["ab", None, {"c": 1}] * 3, object)
RECORDS_OF_OBJECTS = np.zeros(3, [("a", "O"), ("b", "<f4")])


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
@pytest.mark.parametrize(
    "objects", [NAMES, np.array([[1, 2]] * 9, object), np.array({"a": 1}, object), RECORDS_OF_OBJECTS],
    ids=["names", "lists", "one dict", "records"],
)  # fmt: skip
def test_objects_have_as_many_bytes_as_their_pickle(arrays, packed, rows, destination, objects, compression):
    """A pickle is shorter or longer than 8 bytes an object: neither is damage, nor trailing data."""
    source = packed(("x.npy", npy(X)), ("n.npy", npy(objects)), ("y.npy", npy(Y)), compression=compression)
    assert arrays(source=source).status == 0
    before, after = members_of(source / "a.npz"), members_of(destination / "a.npz")
    assert before["n"] == after["n"]
    assert (before["y"] == after["y"]).all()
    assert 0.4 < (after["x"] - X).std() < 0.6
    assert rows(destination)["a.npz"]["warnings"] == ["integers-kept"]


def test_a_cut_pickle_is_seen_by_its_checksum(arrays, packed, errors, destination):
    source = packed(("x.npy", npy(X)), ("n.npy", npy(NAMES)))
    data = bytearray((source / "a.npz").read_bytes())
    data[data.index(b"ab", data.index(b"n.npy"))] ^= 1
    (source / "a.npz").write_bytes(data)
    assert arrays(source=source).status == 1
    assert errors(destination)["a.npz"]["reason"] == "corrupt"


@pytest.mark.parametrize(
    ("other", "force_zip64"),
    [
        (("__MACOSX/._x.npy", b"\0\5\x16\7" + bytes(9000)), False),
        (("folder/", b""), False),
        (("folder/y.npy", npy(Y)), False),
        (("名.npy", npy(Y)), False),
        (("note.npy", b"no array, which numpy hands out as it is"), False),
        (("e.npy", npy(np.zeros((0, 3)))), False),
        (("y.npy", npy(Y)), True),
        (("y.npy", npy(np.array([(1, 2)], [("温度", "<i8"), ("é", "<f4")]), version=(3, 0))), False),
        (("t.npy", npy(np.arange(500).astype("M8[s]"))), False),
    ],
    ids=["macOS", "folder", "in a folder", "UTF-8", "no array", "empty", "zip64", "version 3", "times"],
)
def test_odd_members_are_carried(arrays, packed, destination, other, force_zip64):
    source = packed(("x.npy", npy(X)), other, force_zip64=force_zip64)
    assert arrays(source=source).status == 0
    before, after = members_of(source / "a.npz"), members_of(destination / "a.npz")
    name = other[0].removesuffix(".npy")
    assert np.asarray(before[name]).tobytes() == np.asarray(after[name]).tobytes()
    assert (before["x"] != after["x"]).all()


HEADERS = [
    b"{'shape': (60, 7),'descr':'<f8','fortran_order':False}",
    b"{ \"descr\" : '<f8' , 'fortran_order' : False , 'shape' : ( 60 , 7 , ) , }\n",
    b"{'descr': 'f8', 'fortran_order': False, 'shape': (60, 7)}" + b" " * 3000,
]


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("text", HEADERS, ids=["other order", "spaces", "no byte order"])
def test_legal_headers_are_kept(arrays, tmp_path, destination, text, version):
    source = tmp_path / "headers"
    source.mkdir()
    (source / "a.npy").write_bytes(headed(text, version) + X.tobytes())
    assert arrays(source=source).status == 0
    assert (destination / "a.npy").read_bytes().startswith(headed(text, version))
    assert 0.4 < (np.load(destination / "a.npy") - np.load(source / "a.npy")).std() < 0.6


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("memory", ["C", "F"])
@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_numbers_get_noise_on_both_parts(one_array, rows, destination, dtype, memory, order):
    rng = np.random.default_rng(1)
    clean = np.array(
        3 + rng.normal(size=(300, 200)) + 1j * rng.normal(size=(300, 200)), f"{order}{dtype}", order=memory
    )
    noisy = one_array(clean, "--std", "0.25")
    assert (noisy.dtype.str, noisy.flags.f_contiguous) == (clean.dtype.str, memory == "F")
    noise = (noisy - clean).ravel()
    for part in (noise.real, noise.imag):
        assert stats.kstest(part, "norm", (0, 0.25)).pvalue > CHANCE
    assert abs(np.corrcoef(noise.real, noise.imag)[0, 1]) < stats.norm.isf(CHANCE) / np.sqrt(noise.size)
    [part] = rows(destination)["a.npy"]["parts"]
    assert (part["dtype"], part["shape"]) == (clean.dtype.str, [300, 200])
    assert part["measured_std"] == pytest.approx(np.concatenate([noise.real, noise.imag]).std(), rel=1e-4)


def test_snr_of_complex_numbers_is_of_their_squared_modulus(one_array, rows, destination):
    rng = np.random.default_rng(2)
    clean = 4 + rng.normal(size=100_000) + 0.1j * rng.normal(size=100_000)
    noise = one_array(clean, "--snr-db", "20") - clean
    assert 10 * np.log10(np.mean(np.abs(clean) ** 2) / np.mean(np.abs(noise) ** 2)) == pytest.approx(20, abs=0.05)
    assert noise.real.std() == pytest.approx(noise.imag.std(), rel=0.02)
    assert rows(destination)["a.npy"]["parts"][0]["snr_db"] == pytest.approx(20, abs=0.05)


@pytest.mark.parametrize("memory", ["C", "F"])
def test_percent_of_complex_numbers_is_of_numpys_std(one_array, rows, destination, memory):
    """Noise of both parts together has the share of x.std(), whatever the means of the parts are; so do columns."""
    rng = np.random.default_rng(3)
    scales = np.array([1, 5, 20])
    clean = 50 + scales * (rng.normal(size=(60_000, 3)) + 2j * rng.normal(size=(60_000, 3)))
    clean = np.array(clean, order=memory)
    noise = one_array(clean, "--std", "10%") - clean
    assert noise.std() == pytest.approx(0.1 * clean.std(), rel=0.01)
    assert rows(destination)["a.npy"]["parts"][0]["std"] == pytest.approx(0.1 * clean.std() / 2**0.5, rel=1e-7)
    noise = one_array(clean, "--std", "10%", "--per-feature") - clean
    assert noise.std(axis=0) == pytest.approx(0.1 * clean.std(axis=0), rel=0.02)
    assert noise.real.std(axis=0) == pytest.approx(noise.imag.std(axis=0), rel=0.02)


def test_complex_numbers_with_other_options(one_array, rows, destination, noisy, tmp_path):
    clean = np.array([np.nan + 1j, 1 + 0j, *np.ones(2000)])
    made = one_array(clean, "--std", "0.5", "--clip", "0..2", "--dtype", "float32")
    assert made.dtype == np.complex64
    assert np.isnan(made[0].real)
    parts = made[1:].view(np.float32)
    assert (parts.min(), parts.max()) == (0, 2)
    assert (
        rows(destination)["a.npy"]["parts"][0] | {"dtype": "<c8", "not_finite": 1}
        == (rows(destination)["a.npy"]["parts"][0])
    )
    assert noisy("verify", destination, "--recompute", tmp_path / "one").status == 0


def test_long_complex_numbers_are_skipped_by_name(arrays, tmp_path):
    source = tmp_path / "long"
    source.mkdir()
    np.save(source / "a.npy", np.ones(9, "clongdouble"))
    done = arrays(source=source)
    assert "a.npy: skipped: has samples of type" in done.err


def test_not_a_number_is_no_part_of_what_was_measured(one_array, rows, destination):
    clean = np.zeros(20_000, np.float32)
    clean[::2] = np.nan
    noise = one_array(clean, "--std", "0.5")[1::2]
    [part] = rows(destination)["a.npy"]["parts"]
    assert part["measured_std"] == pytest.approx(float(noise.std(dtype=float)), rel=1e-4)


def test_what_got_noise_is_named(arrays, packed, tmp_path):
    source = packed(("observations.npy", npy(X)), ("actions.npy", npy(Y)))
    np.save(source / "b.npy", X)
    (source / "c.npz").write_bytes((source / "a.npz").read_bytes())
    done = arrays("--json", source=source)
    assert "noise on: observations (2 files)\n" in done.err
    assert done.summary["noised"] == {"observations": 2}
    assert "noise on" not in arrays("--prob", "0", source=source, to=tmp_path / "none").err
    json.dumps(done.summary)
