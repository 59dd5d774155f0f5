"""Headers of .npy: a dict of Python literals in front of samples."""

from __future__ import annotations

import random
import struct

from grammars.pieces import chance, damaged

MAGIC = b"\x93NUMPY"
_NUMBERS = ("'<f4'", "'<f8'", "'>f4'", "'<f2'", "'<i4'", "'>i2'", "'|u1'", "'|i1'", "'<u8'", "'<i8'")
_OTHERS = (
    *("'|b1'", "'<c8'", "'<c16'", "'<U3'", "'|S4'", "'|V8'", "'|O'", "'<M8[ns]'", "'<m8[D]'", "'<f16'", "'<g'", "'f4'"),
    *("'float32'", "'single'", "'=f4'", "'i'", "'<f3'", "'<i0'", "'|V0'", "'<U0'", "'|S0'", "'|S-1'", "'<f4,<f4'"),
    *("'(2,)f4'", "'2f4'", "'(0,)f4'", "'3<f4,(2,2)i2'", "'f4,'", "','", "''", "' '", "'<'", "'object'", "'O8'"),
    *("'<M8[1000000ns]'", "'<M8[x]'", "'|V99999999999'", "'<U536870912'", "'void'", "'str'", "'\\ud800'", "'é'"),
)
_LITERALS = (
    *("()", "('<f4',)", "('<f4', (2,))", "('<f4', (2, 3))", "('<f4', 2)", "('<f4', ())", "('<f4', (0,))"),
    *("('<f4', (-1,))", "('<f4', {})", "('<f4', (2**40,))", "('<f4', (99999999999,))", "('|O', (2,))", "[]", "{}"),
    *("[('a', '<f4')]", "[('a', '<f4'), ('b', '|i1')]", "[('a', '<f4', (2,))]", "[('', '<f4')]", "[('a', '|O')]"),
    *("[('a', '<f4'), ('a', '<f4')]", "[(('title', 'a'), '<f4')]", "[(('a', 'a'), '<f4')]", "[((1, 2), '<f4')]"),
    *(
        "[('a', [('b', '<f4')])]",
        "[()]",
        "[('a',)]",
        "['<f4']",
        "[[]]",
        "[('a', '<f4', ())]",
        "[('a', '<f4', (2,), 1)]",
    ),
    *("{'names': ['a'], 'formats': ['<f4']}", "{'names': ['a'], 'formats': ['<f4'], 'offsets': [99999999]}"),
    *("{'names': ['a', 'b'], 'formats': ['<f4', '|O'], 'offsets': [0, 0]}", "{'a': ('<f4', 0)}", "{'a': 1}"),
    *("{'names': 5, 'formats': 5}", "{'names': ['a'], 'formats': ['<f4'], 'itemsize': 2}", "b'<f4'", "(('<f4',), 2)"),
    *("None", "True", "1", "1.5", "-1", "1j", "...", "set()", "{'<f4'}", "{1, 2}", "(None, 2)", "(('<f4', 2), 3)"),
)
_SHAPES = (
    *("()", "(0,)", "(1,)", "(3,)", "(2, 3)", "(0, 5)", "(5, 0, 7)", "(1, 1, 1, 1)", "[3]", "3", "None", "'3'", "(3)"),
    *("(-1,)", "(3, -1)", "(True,)", "(False, 3)", "(3.0,)", "('3',)", "(None,)", "((3,),)", "(3, (1,))", "([],)"),
    *("(3L,)", "(3L, 2L)", "(0x3,)", "(0o3,)", "(1_0,)", "(1e1,)", "(3,)*2", "(1+1,)", "(2**70,)", "{3}", "(3,)  # x"),
    *("(4294967296,)", "(9223372036854775807,)", "(9223372036854775808,)", "(4294967296, 4294967296)", "(3j,)"),
    *("(0, 9223372036854775807)", "(0, 9223372036854775808)", "(0, 99999999999999999999999999)", "(٣,)", "(３,)"),
)


def make(choose: random.Random) -> tuple[str, bytes]:
    return ".npy", content(choose)


def content(choose: random.Random) -> bytes:
    """Return a file: its header mostly right in all but one or two places."""
    odd = [chance(choose, 0.18) for _ in range(6)]
    descr = _descr(choose) if odd[0] else choose.choice(_NUMBERS)
    shape = _shape(choose) if odd[1] else choose.choice(("(3,)", "(2, 3)", "(4, 1, 2)", "()", "(0, 3)"))
    order = _order(choose) if odd[2] else choose.choice(("False", "False", "True"))
    text = _text(choose, descr, shape, order) if odd[3] else _written(descr, shape, order)
    data = _framed(choose, text.encode("utf-8", "surrogatepass"), odd=odd[4])
    data += choose.randbytes(_needed(descr, shape) if chance(choose, 0.85) else choose.choice((0, 1, 24, 200)))
    return damaged(data, choose) if odd[5] and chance(choose, 0.4) else data


def _descr(choose: random.Random) -> str:
    way = choose.random()
    if way < 0.4:
        return choose.choice(_LITERALS)
    if way < 0.8:
        return choose.choice(_OTHERS)
    if way < 0.9:
        inner = choose.choice((*_NUMBERS, *_OTHERS, *_LITERALS))
        return choose.choice(("({}, (2,))", "[('a', {})]", "({},)", "[{}]", "(({}, 2), (3,))")).format(inner)
    depth = choose.choice((20, 99, 150, 2_400))
    opening, closing = choose.choice((("(", ",)"), ("[", "]"), ("[('a', ", ")]"), ("((", ", 2), 2)")))
    return opening * min(depth, 4_000 // len(opening)) + "'<f4'" + closing * min(depth, 4_000 // len(opening))


def _shape(choose: random.Random) -> str:
    way = choose.random()
    if way < 0.6:
        return choose.choice(_SHAPES)
    if way < 0.75:
        digits = choose.choice((19, 20, 400, 4_300, 4_301, 6_000, 9_000))
        return choose.choice(("({},)", "(0, {})", "({}, 0)", "(-{},)", "(1, {}, 3)")).format("9" * digits)
    if way < 0.9:
        return "(" + "1, " * choose.choice((32, 33, 64, 65, 66, 500)) + choose.choice(("", "0", "2")) + ")"
    depth = choose.choice((10, 99, 101, 201, 3_000))
    return "(" * depth + "3" + ",)" * depth


def _order(choose: random.Random) -> str:
    return choose.choice(
        ("0", "1", "None", "'True'", "[]", "()", "true", "2", "{}", "-1", "1.0", "False, 'x': 1", "not 1")
    )


def _written(descr: str, shape: str, order: str) -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def _text(choose: random.Random, descr: str, shape: str, order: str) -> str:
    """Return a dict of another form, or none."""
    pairs = [f"'descr': {descr}", f"'fortran_order': {order}", f"'shape': {shape}"]
    way = choose.randrange(10)
    if way == 0:
        choose.shuffle(pairs)
    elif way == 1:
        pairs.pop(choose.randrange(3))
    elif way == 2:
        pairs.append(
            choose.choice(("'x': 1", "'descr': '<f4'", "'shape': (2,)", "1: 2", "'a': __import__('os')", "**{}"))
        )
    elif way == 3:
        return f"{{{', '.join(pairs)}}}  # {'c' * choose.choice((1, 3_000))}"
    elif way == 4:
        return choose.choice(
            ("", " ", "\n", "{", "}", "None", "[]", "()", "{}", "5", "'x'", "x", "\0", "{'descr'", "#")
        )
    elif way == 5:
        return choose.choice(("\ufeff", "\t", "\r\n", "\\\n", " " * 5_000, "(" * 300)) + _written(descr, shape, order)
    elif way == 6:
        return choose.choice(
            ("dict(descr='<f4')", "{'descr': f'{1}'}", "lambda: 0", "{'descr': '<f4'} | {}", "[x for x in y]")
        )
    elif way == 7:
        return (
            "{"
            + ", ".join(pairs).replace("'descr'", choose.choice(("b'descr'", "u'descr'", "r'descr'", "'d' 'escr'")))
            + "}"
        )
    elif way == 8:
        return "{" + ",\n".join(pairs) + choose.choice(("}}", "", "} 1", "}\0\0", "};{}", "}\n\n}"))
    else:
        return "-" * choose.choice((1, 200, 9_000)) + _written(descr, shape, order)
    return f"{{{', '.join(pairs)}}}"


def _framed(choose: random.Random, text: bytes, *, odd: bool) -> bytes:
    version = choose.choice(((1, 0), (1, 0), (2, 0), (3, 0)))
    length = "<H" if version == (1, 0) else "<I"
    if not odd:
        text = text[: 0xFFFF - 128]
        text += b" " * (-(len(text) + 1 + 8 + struct.calcsize(length)) % 64) + b"\n"
        return MAGIC + bytes(version) + struct.pack(length, len(text)) + text
    version = choose.choice((version, (0, 0), (1, 1), (2, 1), (3, 1), (4, 0), (255, 255)))
    size = choose.choice(
        (len(text), len(text) - 1, len(text) + 1, 0, 1, 9_999, 10_000, 10_001, 65_535, 2**31, 2**32 - 1)
    )
    limit = 0xFFFF if length == "<H" else 0xFFFFFFFF
    return MAGIC + bytes(version) + struct.pack(length, max(0, size) & limit) + text


def _needed(descr: str, shape: str) -> int:
    """Return the bytes that plain headers ask for."""
    digits = descr.strip("'<>|")[1:]
    plain = shape.strip("()").replace(" ", "").split(",")
    if not digits.isdecimal() or not all(part.isascii() and (part.isdecimal() or not part) for part in plain):
        return 24
    product = int(digits)
    for part in plain:
        product *= int(part[:9]) if part else 1
    return min(product, 4_096)
