"""Headers and directories that no library writes: each is one failed or skipped file, in words of a sensible length."""

import io
import random
import struct
import tempfile
import zipfile
from contextlib import closing

import numpy as np
import pytest
from grammars import npy as npy_grammar
from grammars import npz, safetensors

from noisecli.codecs import arrays, weights
from noisecli.errors import FileProblem
from noisecli.kinds import KINDS
from noisecli.kinds.arrays import ArraysSettings
from noisecli.model import Limits
from noisecli.workers.array_choice import choose_arrays


class File:
    """Bytes as an input or an output."""

    def __init__(self, data=b"", suffix=""):
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        self._file.write(data)
        self._file.seek(0)
        self.suffix, self.size = suffix, len(data)

    def fileno(self):
        return self._file.fileno()

    def close(self):
        self._file.close()


def through(codec, data, suffix, kind="arrays"):
    """Open bytes, choose, write them anew; return "made", or why not."""
    with closing(File(data, suffix)) as file, closing(File()) as output:
        try:
            with closing(codec.open_source(file, Limits())) as source:
                chosen, _ = choose_arrays(KINDS[kind], ArraysSettings(choose=("*",)), source.parts, "a")
                sink = codec.create_sink(output, source)
                try:
                    for part in source.parts:
                        noisy = part.name in chosen
                        sink.begin(part, part.spec if noisy else None)
                        for block in part.blocks() if noisy else ():
                            sink.write(block)
                    sink.finish()
                finally:
                    sink.abort()
        except FileProblem as problem:
            answer = problem
        else:
            return "made"
    assert 0 < len(answer.message) <= 1000
    answer.message.encode()
    return answer.reason


def headed(text, data=b""):
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


def header(descr="'<f4'", order="False", shape="(1,)"):
    return headed(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}", bytes(64))


@pytest.mark.parametrize(
    "fields",
    [
        {"descr": "()"},
        {"descr": "('<f4',)"},
        {"descr": "[()]"},
        {"descr": "[('a', '<f4', -1)]"},
        {"descr": "[[[['<f4']]]]"},
        {"order": "None"},
        {"shape": f"(0, {'9' * 6000})"},
        {"shape": f"(0, 0x{'9' * 6000})"},
        {"shape": "(0, 9223372036854775808)"},
        {"shape": "(0, 4611686018427387904, 4)"},
        {"shape": "(" + "1, " * 65 + ")"},
    ],
    ids=lambda fields: str(fields)[:50],
)
def test_headers_that_numpy_cannot_make_an_array_of_fail(fields):
    assert through(arrays, header(**fields), ".npy") == "corrupt"


ODD_DTYPES = [
    *("'?'", "'no type'", "'datetime64[ns/7]'", "'<f4' '<f4'", "'a' * 9", "'\\N{SNOWMAN}'", "'<f4\\x00'", "'<T16'"),
    *("'<M8[1000000000000s]'", "'|V2147483648'", "('<f4', '<i4')", "('<f4', {'a': ('<i2', 0)})", "[['a', '<f4']]"),
    *("(('<f4',),)", "('<f4', (2147483647, 3))", "[('a', '<f4', (2147483647, 2147483647))]", "'<T'", "'T'"),
    *("[('a', '<f4', (0,))]", "[('a\\n', '<f4')]", "[('', '<f4')]"),
]


@pytest.mark.parametrize("descr", ODD_DTYPES)
def test_odd_types_are_one_answer(descr):
    assert through(arrays, header(descr=descr), ".npy") in ("made", "corrupt", "unsupported-samples", "unsafe")


@pytest.mark.parametrize(
    "descr",
    ["[('\\ud800', '<f4')]", f"[('a', [('b', '<f4', {(1,) * 40})], {(1,) * 40})]", "[('a', '<f4', (4194305,))]"],
    ids=["lone surrogate", "axes in axes", "large records"],
)
def test_fields_that_cannot_be_named_or_taken_apart_are_none(descr):
    assert through(arrays, header(descr, shape="(0,)"), ".npy") == "unsupported-samples"


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [("é".encode("latin-1"), 1, "made"), ("é".encode(), 3, "made"), ("é".encode("latin-1"), 3, "corrupt")],
    ids=["latin-1", "UTF-8", "neither"],
)
def test_names_are_read_as_their_version_spells_them(text, version, expected):
    text = b"{'descr': [('" + text + b"', '<f4')], 'fortran_order': False, 'shape': (3,), }"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    data = b"\x93NUMPY" + bytes([version, 0]) + length + text + bytes(12)
    assert through(arrays, data, ".npy") == expected
    if expected == "made":
        with closing(File(data)) as file, closing(arrays.open_source(file, Limits())) as source:
            assert [part.name for part in source.parts] == ["é"]


@pytest.mark.parametrize("shape", ["(0, 9223372036854775807)", "(" + "1, " * 64 + ")", "()"])
def test_headers_that_numpy_can_make_an_array_of_are_done(shape):
    descr = "'|u1'" if shape.startswith("(0") else "'<f4'"
    assert through(arrays, header(descr, shape=shape), ".npy") == "made"


NESTED = ["(" * 9990, "[" * 9990, "-" * 9990 + "1", "{1:" * 3000, "1+" * 4000 + "1", "lambda:" * 900]


@pytest.mark.parametrize("text", NESTED, ids=lambda text: text[:3])
def test_headers_nested_without_end_fail(text):
    assert through(arrays, headed(text), ".npy") == "corrupt"


def zipped(*members, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array))
    return buffer.getvalue()


X = npy(np.ones(5, np.float32))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        (b"", b"only text", "unsupported-samples"),
        (b".npy", npy(np.array(["text"])), "unsupported-samples"),
        (b"x.npy", npy(np.array(["text"])), "unsupported-samples"),
        (b".npy", X, "made"),
        (b"/etc/x.npy", X, "made"),
        (b"../x.npy", X, "made"),
        (b"n" * 65_000 + b".npy", X, "made"),
        # as an old program wrote it, a byte for each letter: in UTF-8 they are more than a zip has room for
        (b"\x84" * 40_000 + b".npy", X, "too-large"),
    ],
    ids=["nameless text", "no name, text", "text", "no name", "absolute", "parent", "long", "too long"],
)
def test_archives_of_one_odd_member(name, data, expected):
    archive = npz.archive(random.Random(0), [npz.Member(name, data)], odd=False)
    assert through(arrays, archive, ".npz") == expected
    assert through(weights, archive, ".npz", "weights") == expected


def test_members_in_members_fail_before_one_is_read():
    """As in a bomb without recursion: what one member holds is another member, here once only."""
    data = bytearray(zipped(("outer.npy", X + zipped(("inner.npy", X))[: 30 + 9 + len(X)]), ("other.npy", X)))
    assert through(arrays, bytes(data), ".npz") == "made"
    inner = data.index(b"PK\3\4", 4)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = data.index(b"PK\1\2", archive.start_dir + 4)
    data[entry + 42 : entry + 46] = struct.pack("<I", inner)
    data[entry + 46 : entry + 55] = b"inner.npy"
    assert through(arrays, bytes(data), ".npz") == "corrupt"


def test_more_members_than_memory_holds_fail(monkeypatch):
    monkeypatch.setattr("noisecli.codecs.limits.MOST_PARTS", 100)
    members = [(f"{number}.npy", X) for number in range(101)]
    assert through(arrays, zipped(*members[1:]), ".npz") == "made"
    assert through(arrays, zipped(*members), ".npz") == "too-large"


def test_a_directory_longer_than_memory_holds_fails_before_it_is_read():
    data = bytearray(zipped(("x.npy", X)) + bytes(1 << 25))
    entry = data.index(b"PK\5\6")
    # the directory ends where its end begins
    data[entry:] = bytes(1 << 25) + data[entry : entry + 22]
    data[-10:-6] = struct.pack("<I", (1 << 25) + 40)
    assert through(arrays, bytes(data), ".npz") == "too-large"


MAKERS = {
    "npy": (arrays, "arrays", npy_grammar.make),
    "npz": (arrays, "arrays", npz.make),
    "npz of weights": (weights, "weights", npz.make),
    "safetensors": (weights, "weights", safetensors.make),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_grammar_makes_is_one_answer(name, seed):
    codec, kind, make = MAKERS[name]
    files = (make(random.Random(f"{seed} {name} {number}")) for number in range(250))
    answers = {through(codec, data, suffix, kind) for suffix, data in files}
    assert {"made", "corrupt"} < answers
