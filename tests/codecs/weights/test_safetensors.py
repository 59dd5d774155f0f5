"""The .safetensors format: what is chosen is overwritten, all else keeps its bytes, and nothing broken passes."""

import json
import struct

import numpy as np
import pytest

from noisecli.errors import FileSkipped
from tests.fixtures.files import failure

RNG = np.random.default_rng(5)
NUMPY = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


def tensor(name, dtype, shape):
    """Return a tensor for safetensors_bytes(): normal floats, anything for other types."""
    if dtype in NUMPY:
        return name, dtype, shape, RNG.normal(size=shape).astype(NUMPY[dtype]).tobytes()
    if dtype == "BF16":
        return name, dtype, shape, (RNG.normal(size=shape).astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    bits = {"BOOL": 8}.get(dtype) or int(dtype.strip("FUIC").split("_")[0])
    return name, dtype, shape, RNG.integers(0, 2, int(np.prod(shape)) * bits // 8, dtype=np.uint8).tobytes()


@pytest.fixture
def mixed(safetensors_bytes):
    """Return a file of every type, in an order that is no other order."""
    return safetensors_bytes(
        tensor("z.weight", "F32", [3, 5]),
        tensor("a.mask", "BOOL", [7]),
        tensor("m.weight", "BF16", [4, 4]),
        tensor("ids", "I64", [3]),
        tensor("b.weight", "F64", [2, 3]),
        tensor("scalar", "F32", []),
        tensor("empty", "F32", [0, 9]),
        tensor("h.weight", "F16", [8]),
        tensor("f8", "F8_E4M3", [6]),
        tensor("c", "C64", [2]),
        metadata={"format": "pt", "licence": "öffentlich"},
        pad=5,
    )


def test_written_again_without_a_change_it_has_the_same_bytes(mixed, new_path, rewrite):
    path = new_path(".safetensors")
    path.write_bytes(mixed)
    assert rewrite(path).read_bytes() == mixed


@pytest.mark.parametrize("low_byte", [0x50, 0x80, 0x89, *range(8, 256, 24)])
@pytest.mark.parametrize("suffix", [".safetensors", ""])
def test_the_length_in_front_may_spell_any_other_formats_beginning(low_byte, suffix, open_bytes):
    """The first byte is the low one of the header's length: one file in 32 begins like a pickle."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    length = 0x4B00 + low_byte if low_byte == 0x50 else 256 + low_byte
    data = struct.pack("<Q", length) + header.ljust(length) + np.ones(2, "<f4").tobytes()
    assert [part.name for part in open_bytes(data, suffix).parts] == ["a"]


def test_only_floats_of_16_32_and_64_bits_may_get_noise(mixed, open_bytes):
    parts = open_bytes(mixed).parts
    assert [part.name for part in parts][:3] == ["z.weight", "a.mask", "m.weight"]
    noisy = {part.name: part.dtype for part in parts if part.spec is not None}
    assert noisy == {
        "z.weight": "F32",
        "m.weight": "BF16",
        "b.weight": "F64",
        "scalar": "F32",
        "empty": "F32",
        "h.weight": "F16",
    }


def test_the_safetensors_package_reads_what_was_changed_and_what_was_not(mixed, new_path, rewrite):
    package = pytest.importorskip("safetensors", reason="needs safetensors: the extra named test")
    path = new_path(".safetensors")
    path.write_bytes(mixed)
    new = rewrite(path, lambda block: block + block.dtype.type(1), leave=["b.weight"])
    before, after = (dict(package.deserialize(file.read_bytes())) for file in (path, new))
    assert after.keys() == before.keys()
    assert {name for name in before if before[name]["data"] != after[name]["data"]} == {
        "z.weight",
        "m.weight",
        "scalar",
        "h.weight",
    }
    for name, dtype in (("z.weight", "<f4"), ("h.weight", "<f2")):
        old, fresh = (np.frombuffer(bytes(file[name]["data"]), dtype) for file in (before, after))
        np.testing.assert_array_equal(fresh, old + old.dtype.type(1))
    with package.safe_open(new, "numpy") as file:
        assert file.metadata() == {"format": "pt", "licence": "öffentlich"}


def test_numpy_arrays_of_any_layout_come_back_equal(new_path, rewrite):
    numpy = pytest.importorskip("safetensors.numpy", reason="needs safetensors: the extra named test")
    x = RNG.normal(size=(40, 30)).astype(np.float32)
    layouts = {"rows": x, "columns": np.ascontiguousarray(x.T), "strided": x[::2, ::3].copy()}
    path = new_path(".safetensors")
    numpy.save_file(layouts, path)
    back = numpy.load_file(rewrite(path, lambda block: block * 2))
    for name, array in layouts.items():
        np.testing.assert_array_equal(back[name], array * 2)


def test_a_tensor_of_many_blocks(safetensors_bytes, new_path, rewrite):
    data = RNG.normal(size=1_300_001).astype("<f4")
    path = new_path(".safetensors")
    path.write_bytes(safetensors_bytes(("first", "F32", [1], b"abcd"), ("w", "F32", [len(data)], data.tobytes())))
    new = rewrite(path, lambda block: block + 1, leave=["first"]).read_bytes()
    assert new[-len(data) * 4 :] == (data + np.float32(1)).tobytes()
    assert new[: -len(data) * 4] == path.read_bytes()[: -len(data) * 4]


@pytest.mark.parametrize("kept", [0, 4, 8, 20, -1, -9])
def test_a_file_cut_short_fails(kept, safetensors_bytes, open_bytes):
    data = safetensors_bytes(tensor("w", "F32", [6]))[:kept]
    assert failure(lambda: open_bytes(data)) == ("truncated" if kept else "empty")


def test_a_header_of_2_to_the_60_bytes(open_bytes):
    assert failure(lambda: open_bytes(struct.pack("<Q", 1 << 60) + b"{}" + bytes(100))) == "corrupt"


def with_header(text, data=bytes(16)):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape=4, start=0, end=16, name="a"):
    return f'"{name}": {{"dtype": "F32", "shape": [{shape}], "data_offsets": [{start}, {end}]}}'


def header(*entries):
    return f"{{{', '.join(entries)}}}"


LIES = {
    "overlap": header(entry(2, 0, 8), entry(3, 4, 16, "b")),
    "gap": header(entry(1, 0, 4), entry(2, 8, 16, "b")),
    "the same place": header(entry(), entry(name="b")),
    "bytes of no tensor": header(entry(3, 0, 12)),
    "one name twice": header(entry(), entry()),
    "one word of metadata twice": header('"__metadata__": {"k": "1", "k": "2"}', entry()),
    "too few bytes": header(entry(5)),
    "negative shape": header(entry(-4)),
    "fraction of a shape": header(entry("4.0")),
    "truth for a shape": header(entry("true, 4")),
    "no number": header(entry("NaN")),
    "too many dimensions": header(entry(", ".join(["1"] * 65 + ["4"]))),
    "number without end": header(entry("9" * 5000)),
    "backwards": header(entry(4, 16, 0)),
    "no offsets": '{"a": {"dtype": "F32", "shape": [4]}}',
    "half a character": header(entry(name="\\ud800")),
    "deep": '{"a": ' + "[" * 100_000,
    "no entry": '{"a": 7}',
    "no object": "[1]",
    "no JSON": "{",
    "no UTF-8": b"{\xff}",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_headers_that_lie_fail(lie, open_bytes):
    assert failure(lambda: open_bytes(with_header(lie))) == "corrupt"


def test_offsets_beyond_the_end_are_a_cut_file(open_bytes):
    assert failure(lambda: open_bytes(with_header(header(entry(1 << 58, 0, 1 << 60))))) == "truncated"


def test_a_type_of_the_future_is_carried_over(open_bytes):
    [part] = open_bytes(with_header('{"a": {"dtype": "F3_E1M1", "shape": [9], "data_offsets": [0, 16]}}')).parts
    assert part.spec is None


def test_a_file_that_shrinks_while_it_is_read_fails(safetensors_bytes, new_path, open_path):
    path = new_path(".safetensors")
    path.write_bytes(safetensors_bytes(tensor("w", "F32", [6])))
    [part] = open_path(path).parts
    path.write_bytes(path.read_bytes()[:-4])
    assert failure(lambda: list(part.blocks())) == "truncated"


@pytest.mark.parametrize("start", [b"\x80\x02ctorch", b"\x80\x05\x95"])
def test_pickles_are_never_opened_whatever_their_name(start, open_bytes):
    with pytest.raises(FileSkipped, match="safetensors"):
        open_bytes(start + bytes(50))


@pytest.mark.parametrize("data", [b"<html>" * 20, bytes(64), b"GGUF" + bytes(60)])
def test_other_content_fails(data, open_bytes):
    assert failure(lambda: open_bytes(data, ".h5")) == "wrong-content"


def test_the_content_tells_the_format(safetensors_bytes, open_bytes):
    source = open_bytes(safetensors_bytes(tensor("w", "F32", [6])), ".npz")
    assert source.format == "safetensors"


def test_the_header_may_name_tensors_in_any_order(open_bytes, values):
    text = header(entry(2, 8, 16, "b"), entry(2, 0, 8, "a"))
    assert list(json.loads(text)) == ["b", "a"]
    source = open_bytes(with_header(text, np.arange(4, dtype="<f4").tobytes()))
    assert [(part.name, *values(part)) for part in source.parts] == [("a", 0, 1), ("b", 2, 3)]
