"""The .keras format: the weights inside are overwritten, every other member stays, and no archive hurts."""

import io
import struct
import zipfile

import numpy as np
import pytest

from noisecli.errors import FileSkipped
from noisecli.model import Limits
from tests.fixtures.files import failure

h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")

RNG = np.random.default_rng(7)
WEIGHTS = "model.weights.h5"
KERNEL = "layers/dense/vars/0"
DATE = (2001, 2, 3, 4, 5, 6)


def fill_model(file):
    file[KERNEL] = RNG.normal(size=(16, 8)).astype("f4")
    file["layers/dense/vars/1"] = np.zeros(8, "f4")
    file["optimizer/vars/0"] = RNG.normal(size=(16, 8)).astype("f4")


class Pipe(io.BytesIO):
    """What has no way back: zipfile writes sizes and checksums behind each member then."""

    def tell(self):
        raise OSError


@pytest.fixture
def pack(hdf5_bytes):
    """Pack an archive; `first` puts the weights before the other members."""

    def packed(fill=fill_model, compression=zipfile.ZIP_STORED, first=False, name=WEIGHTS, seekable=True):
        others = {"metadata.json": b'{"keras_version": "3"}', "config.json": b"{}" * 500, "assets/words.txt": b"a\nb\n"}
        weights = {name: hdf5_bytes(fill)}
        buffer = io.BytesIO() if seekable else Pipe()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.comment = b"a comment"
            for member, data in ({**weights, **others} if first else {**others, **weights}).items():
                info = zipfile.ZipInfo(member, DATE)
                info.compress_type = compression
                info.external_attr = 0o640 << 16
                info.comment = b"of a member"
                archive.writestr(info, data)
        return buffer.getvalue()

    return packed


def chunked(file):
    file.create_dataset(KERNEL, data=RNG.normal(size=(500, 40)).astype("f4"), chunks=(50, 40), compression="gzip")


def members(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {
            info.filename: (info.date_time, info.compress_type, info.external_attr, info.comment, archive.read(info))
            for info in archive.infolist()
        }


def kernel(path):
    with h5py.File(io.BytesIO(members(path)[WEIGHTS][-1])) as file:
        return file[KERNEL][()]


KINDS = {
    "stored": {},
    "stored, the weights first": {"first": True},
    "deflated": {"compression": zipfile.ZIP_DEFLATED},
    "bzip2": {"compression": zipfile.ZIP_BZIP2},
    "compressed inside": {"fill": chunked, "first": True},
    "written into a pipe": {"seekable": False},
}


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_the_weights_change_and_every_other_member_stays(options, pack, new_path, rewrite):
    path = new_path(".keras")
    path.write_bytes(pack(**options))
    new, again = (rewrite(path, lambda block: block + 1) for _ in range(2))
    before, after = members(path), members(new)
    assert list(after) == list(before)
    for name, (*described, data) in before.items():
        assert list(after[name][:-1]) == described
        assert name == WEIGHTS or after[name][-1] == data
    np.testing.assert_array_equal(kernel(new), kernel(path) + np.float32(1))
    assert new.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(new) as archive:
        assert archive.comment == b"a comment"


def test_stored_weights_are_overwritten_in_place(pack, new_path, rewrite):
    path = new_path(".keras")
    path.write_bytes(pack())
    assert rewrite(path).read_bytes() == path.read_bytes()
    old, new = path.read_bytes(), rewrite(path, lambda block: block + 1).read_bytes()
    assert len(new) == len(old)
    start = old.index(b"\x89HDF")
    # in front of the weights, their checksum alone
    assert sum(a != b for a, b in zip(old[:start], new[:start], strict=True)) <= 4


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_byte_in_any_member_fails(compression, pack, open_bytes):
    data = bytearray(pack(compression=compression))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        places = [info.header_offset + 30 + len(info.filename) + 2 for info in archive.infolist()]
    for place in places:
        broken = data.copy()
        broken[place] ^= 0xFF
        assert failure(lambda: open_bytes(bytes(broken), ".keras")) == "corrupt"  # noqa: B023


@pytest.mark.parametrize("kept", [2, 40, 3000, -12, -200])
def test_cut_short(kept, pack, open_bytes):
    data = pack()[:kept]
    assert failure(lambda: open_bytes(data, ".keras")) in ("corrupt", "truncated", "wrong-content")


def test_a_bomb_fails_before_it_inflates(pack, open_bytes):
    buffer = io.BytesIO(pack(compression=zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(1 << 20))
    data = buffer.getvalue()
    assert open_bytes(data, ".keras").format == "keras"
    assert failure(lambda: open_bytes(data, ".keras", Limits(max_decoded=1 << 20))) == "too-large"
    directory = data.rindex(b"PK\x01\x02")
    lying = data[: directory + 24] + struct.pack("<I", 0xF0000000) + data[directory + 28 :]
    assert failure(lambda: open_bytes(lying, ".keras")) == "too-large"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_fails(pack, open_bytes):
    buffer = io.BytesIO(pack())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("config.json", b"[]")
    assert failure(lambda: open_bytes(buffer.getvalue(), ".keras")) == "corrupt"


def test_another_member_that_shares_the_weights_bytes_fails(pack, open_bytes):
    """The directory may say that two members begin at one place."""
    data = bytearray(pack(first=True))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        weights, other = archive.getinfo(WEIGHTS), archive.getinfo("metadata.json")
        inner = weights.header_offset + 30 + len(WEIGHTS) + 2048
    # a whole member, hidden where the HDF5 file has room
    local = data[other.header_offset :][: 30 + len(other.filename) + other.file_size]
    with h5py.File(io.BytesIO(zipfile.ZipFile(io.BytesIO(data)).read(WEIGHTS))) as file:
        place = file["optimizer/vars/0"].id.get_offset() + weights.header_offset + 30 + len(WEIGHTS)
    assert place > inner - 2048
    data[place : place + len(local)] = local
    start = weights.header_offset + 30 + len(WEIGHTS)
    crc = struct.pack("<I", zipfile.crc32(bytes(data[start : start + weights.file_size])))
    data[weights.header_offset + 14 : weights.header_offset + 18] = crc
    directory = data.index(b"PK\x01\x02")
    data[directory + 16 : directory + 20] = crc
    entry = data.index(b"PK\x01\x02", directory + 4)
    data[entry + 42 : entry + 46] = struct.pack("<I", place)
    assert failure(lambda: open_bytes(bytes(data), ".keras")) == "corrupt"


def test_a_member_under_a_password_is_left_alone(pack, open_bytes):
    data = bytearray(pack())
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    with pytest.raises(FileSkipped):
        open_bytes(bytes(data), ".keras")


def test_weights_in_another_form_are_left_alone_by_name(pack, open_bytes):
    data = pack(name="model.weights.npz")
    with pytest.raises(FileSkipped, match=r"model\.weights\.h5"):
        open_bytes(data, ".keras")


def test_an_archive_without_weights_fails(pack, open_bytes):
    assert failure(lambda: open_bytes(pack(name="weights.h5"), ".keras")) == "wrong-content"
    data = pack()
    directory = data.index(b"PK\x01\x02")
    # a comment of its first member that swallows the others
    swallowed = data[: directory + 33] + b"\x10" + data[directory + 34 :]
    assert failure(lambda: open_bytes(swallowed, ".keras")) in ("wrong-content", "corrupt")


def test_a_zip_of_torch_is_a_pickle(new_path, open_path):
    path = new_path(".keras")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02")
    with pytest.raises(FileSkipped, match="safetensors"):
        open_path(path)
