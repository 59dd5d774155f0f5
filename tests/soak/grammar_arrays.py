"""Arrays and archives that a grammar makes: sound ones, and headers that lie in every way one can spell."""

from __future__ import annotations

import random
import struct
import zlib

Choose = random.Random

NUMBERS = (0, 1, 2, 3, 5, 7, -1, 255, 65536, 2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64, 10**19)
_DTYPES = (
    "'<f4'", "'<f8'", "'>f4'", "'|u1'", "'<i8'", "'<f2'", "'=i4'", "'<f16'", "'<c8'", "'|b1'", "'<U0'", "'|V0'",
    "'|S0'", "'<U3'", "'|O'", "'<M8[s]'", "'<m8'", "'<M8[1000000000000s]'", "'<U999999999'", "'|V2147483648'",
    "'f4,f4'", "'(2,)f4'", "'(2,3)<f4'", "'3<f4'", "()", "('<f4',)", "('<f4', (2,))", "('<f4', 2)", "('<f4', ())",
    "('<f4', (0,))", "[]", "[('a', '<f4')]", "[('a', '<f4'), ('b', '<i4')]", "[('', '<f4')]",
    "[('a', '<f4', (2,))]", "[(('title', 'a'), '<f4')]", "[['a', '<f4']]", "[('a', [('b', '<f4')])]",
    "[('a', '<f4'), ('a', '<f4')]", "[[[['<f4']]]]", "None", "5", "-1", "True", "1.5", "1j", "''", "'?'",
    "'no type'", "b'<f4'", "{'names': ['a'], 'formats': ['<f4']}", "{}", "{'a': ('<f4', 0)}", "('<f4', '<i4')",
    "('<f4', {'a': ('<i2', 0)})", "'<f4\\x00'", "'\\ud800'", "'datetime64[ns/7]'", "'<f4' '<f4'", "...",
    "[('a', '|O')]", "('|O', (2,))", "'a' * 9", "'\\N{SNOWMAN}'", "(('<f4',),)", "[('a',)]", "[()]",
    "[('a', '<f4', -1)]", "'<T'", "'T'", "'<T16'", "[('a', '<f4', (2147483647, 2147483647))]",
    "('<f4', (2147483647, 3))", "'i0'", "'<f3'",
)  # fmt: skip
_LITERALS = ("False", "True", "None", "0", "1", "''", "'a'", "()", "[]", "{}", "...", "1.5", "1j", "b''", "-1", "set()")
TEXT = (
    "", "x", "y", "x.npy", "data", "../x", "/etc/passwd", "a\nb", "\x1b[31mred", "\0", "x\0y", "ü", "\ud800",
    "x" * 300, "arr_0", ".npy", "labels", "con", " ", "*", "[x]", "model.weights.h5", "config.json", "data.pkl",
    "__metadata__", "folder/",
)  # fmt: skip


def _number(choose: Choose) -> int:
    return choose.choice(NUMBERS) if choose.random() < 0.7 else choose.randrange(-10, 1000)


def npy(choose: Choose) -> bytes:
    """Return a .npy whose header, length field, version or data may be anything."""
    text = _npy_header(choose).encode(choose.choice(("latin-1", "utf-8")), "replace")
    if choose.random() < 0.05:
        place = choose.randrange(len(text) + 1)
        text = text[:place] + bytes([choose.randrange(256)]) + text[place + choose.randrange(2) :]
    major = choose.choice((1, 1, 1, 2, 3, 0, 4, 255))
    length = len(text) if choose.random() < 0.9 else choose.choice((0, 1, 9999, 10001, 65535, 2**32 - 1, len(text) + 1))
    field = struct.pack("<H", length & 0xFFFF) if major == 1 else struct.pack("<I", length & 0xFFFFFFFF)
    data = bytes(choose.choice((0, 1, 4, 24, 64, 96, 4096)))
    start = b"\x93NUMPY" + bytes([major, choose.choice((0, 0, 0, 0, 1))]) + field
    return start + text + data


def _npy_header(choose: Choose) -> str:
    draw = choose.random()
    if draw < 0.03:
        depth = choose.choice((10, 90, 200, 1000, 3000, 9000))
        return (
            choose.choice(("(", "[", "{", "-", "~", "not ", "x[", "lambda:", "f'{", "1+", "a.", "'a' ", "1,"))[:9]
            * depth
        )
    if draw < 0.06:
        return choose.choice(_LITERALS)
    entries = [("descr", choose.choice(_DTYPES)), ("fortran_order", choose.choice(_LITERALS[:2]))]
    entries.append(("shape", _npy_shape(choose)))
    if choose.random() < 0.1:
        entries[1] = ("fortran_order", choose.choice(_LITERALS))
    if choose.random() < 0.05:
        del entries[choose.randrange(3)]
    if choose.random() < 0.05:
        entries.append((choose.choice(("descr", "extra", "shape")), choose.choice(_LITERALS)))
    choose.shuffle(entries)
    keys = ("{!r}", "{!r}", "{!r}", "{!r}", "b{!r}", "({!r},)") if choose.random() < 0.05 else ("{!r}",)
    return "{" + ", ".join(f"{choose.choice(keys).format(name)}: {value}" for name, value in entries) + ", }\n"


def _npy_shape(choose: Choose) -> str:
    draw = choose.random()
    if draw < 0.1:
        return choose.choice(_LITERALS)
    if draw < 0.2:
        digits = choose.choice((19, 20, 400, 4299, 4300, 4301, 6000, 9000))
        return choose.choice(("({},)", "(0, {})", "({}, 0)", "(0x{},)", "(0, 0x{})", "(1, {})")).format("9" * digits)
    if draw < 0.25:
        return "(" + "1, " * choose.choice((31, 32, 33, 64, 65, 66, 1000)) + ")"
    axes = [choose.choice((1, 2, 3, 4, 6)) for _ in range(choose.choice((0, 1, 1, 2, 2, 3)))]
    if draw < 0.6:
        axes = [_number(choose) if choose.random() < 0.5 else axis for axis in axes]
    words = [str(axis) for axis in axes]
    if words and choose.random() < 0.1:
        words[0] = choose.choice(
            ("True", "1.0", "1L", "1e3", "None", "'1'", "1_0", "0o17", "0b1", "--1", "1+1", "2j", "nan")
        )
    return "(" + "".join(f"{word}, " for word in words) + ")"


def sound_npy(choose: Choose) -> bytes:
    """Return a .npy that is right."""
    count = choose.choice((0, 1, 6, 100))
    text = f"{{'descr': {choose.choice(_DTYPES[:7])!s}, 'fortran_order': False, 'shape': ({count},), }}\n".encode()
    size = {"2": 2, "4": 4, "8": 8, "1": 1}[text.split(b"'")[3][-1:].decode()]
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(count * size)


def npz(choose: Choose) -> bytes:
    """Return a zip whose members and directory may be anything."""
    members = [
        (member_name(choose), sound_npy(choose) if choose.random() < 0.6 else npy(choose))
        for _ in range(choose.choice((0, 1, 1, 2, 2, 3, 5)))
    ]
    if members and choose.random() < 0.1:
        members[0] = (members[0][0], b"only text")
    return archive(choose, members)


def member_name(choose: Choose) -> bytes:
    name = choose.choice(TEXT) if choose.random() < 0.6 else f"m{choose.randrange(9)}"
    if choose.random() < 0.02:
        name = "n" * choose.choice((255, 4096, 65520))
    raw = (name + choose.choice((".npy", ".npy", ".npy", "", ".txt", ".NPY"))).encode("utf-8", "surrogatepass")
    return raw if choose.random() < 0.95 else raw + b"\xff\xfe"


def archive(choose: Choose, members: list[tuple[bytes, bytes]], *, lies: float = 0.3) -> bytes:
    """Return a zip of these members; each field of it is another than it should be now and then."""

    def lie(value: int, bits: int) -> int:
        if choose.random() < lies / 12:
            value = choose.choice(
                (0, 1, value + 1, value - 1, 2**31, 2**bits - 1, 2**16 - 1, choose.randrange(2**bits))
            )
        return value % 2**bits

    out, directory = bytearray(choose.choice((b"", b"", b"", b"", b"MZ prepended"))), bytearray()
    count = 0
    for name, data in members:
        method = choose.choice((0, 8, 8, 0, 0, 8, 12, 14, 99)) if choose.random() < lies else choose.choice((0, 8))
        packed = _packed(data, method)
        flags = choose.choice((0, 0, 0x800, 0x800, 8, 1, 0x40, 0x2000)) if choose.random() < lies else 0
        extra = choose.choice(
            (b"", b"", b"\1\0\x08\0" + bytes(8), b"\1\0\xff\0", b"\1\0", b"\xff" * 9, b"\1\0\x1c\0" + b"\xff" * 28)
        )
        extra = extra if choose.random() < lies else b""
        crc, place = zlib.crc32(data), len(out)
        time, date = (choose.randrange(65536), choose.randrange(65536)) if choose.random() < lies else (0, 33)
        common = (
            time,
            date,
            lie(crc, 32),
            lie(len(packed), 32),
            lie(len(data), 32),
            lie(len(name), 16),
            lie(len(extra), 16),
        )
        here = (0, 0, 0) if flags & 8 else (crc, len(packed), len(data))
        out += struct.pack(
            "<4s5H3I2H", b"PK\3\4", 20, flags, method, time, date, *map(lie, here, (32,) * 3), len(name), len(extra)
        )
        out += name + extra + packed
        if flags & 8:
            out += struct.pack("<4s3I", b"PK\7\x08", lie(crc, 32), len(packed), len(data))
        for _ in range(choose.choice((1, 1, 1, 1, 1, 2)) if choose.random() < lies else 1):
            comment = choose.choice((b"", b"a comment")) if choose.random() < lies else b""
            directory += struct.pack(
                "<4s6H3I5H2I", b"PK\1\2", lie(20, 16), lie(20, 16), flags, method, *common, len(comment),
                lie(0, 16), 0, lie(0, 32), lie(place, 32),
            )  # fmt: skip
            directory += name + extra + comment
            count += 1
    start = len(out)
    out += directory
    out += struct.pack(
        "<4s4H2IH",
        b"PK\5\6",
        lie(0, 16),
        lie(0, 16),
        lie(count, 16),
        lie(count, 16),
        lie(len(directory), 32),
        lie(start, 32),
        lie(0, 16),
    )
    out += choose.choice((b"", b"", b"", b"behind"))
    return bytes(out)


def _packed(data: bytes, method: int) -> bytes:
    if method != 8:
        return data
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def flipped(choose: Choose, data: bytes) -> bytes:
    """Return the bytes with some of them changed; the structures in front of HDF5 more often."""
    out = bytearray(data)
    for _ in range(choose.choice((1, 1, 2, 4, 16))):
        place = choose.randrange(min(len(out), choose.choice((64, 1024, len(out)))))
        if choose.random() < 0.3:
            new = choose.choice((0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)).to_bytes(8, "little")
            out[place : place + 8] = new[: max(0, len(out) - place)]
        else:
            out[place] = choose.choice((0, 1, 0xFF, 0x7F, choose.randrange(256)))
    return bytes(out[: choose.randrange(len(out))] if choose.random() < 0.05 else out)
