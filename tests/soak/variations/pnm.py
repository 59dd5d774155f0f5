"""PNM: all of P1 to P7 and PFM, comments, odd white space, any highest value."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from variations.drawn import picture

_HIGHEST = (1, 3, 7, 15, 100, 254, 255, 256, 1000, 1023, 4095, 65534, 65535)


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    kind = choose.choice(("P1", "P2", "P3", "P4", "P5", "P6", "P7", "PF", "Pf"))
    if kind in ("PF", "Pf"):
        return _floats(choose, kind)
    most = 1 if kind in ("P1", "P4") else choose.choice(_HIGHEST)
    channels = {"P3": 3, "P6": 3}.get(kind, 1)
    if kind == "P7":
        return _arbitrary(choose, most)
    samples = picture(choose, channels, most)
    height, width = samples.shape[:2]
    blank = choose.choice((" ", "\n", "\t", " # a comment\n", "\n#\n#two\n", "\r\n"))
    head = f"{kind}{blank}{width}{blank}{height}"
    head += "" if most == 1 and kind in ("P1", "P4") else f"{blank}{most}"
    truth = samples[..., 0] / most if channels == 1 else samples / most
    if kind in ("P1", "P4"):
        ink = 1 - samples[..., 0]
        if kind == "P1":
            between = choose.choice(("", " "))
            lines = (between.join(map(str, row)) for row in ink)
            return ".pbm", (head + "\n" + "\n".join(lines) + "\n").encode(), truth, kind
        return ".pbm", head.encode() + b"\n" + np.packbits(ink.astype(np.uint8), axis=1).tobytes(), truth, kind
    told = f"{kind}, highest {most}"
    if kind in ("P2", "P3"):
        text = "\n".join(" ".join(map(str, row.ravel())) for row in samples)
        return ".pnm", (head + "\n" + text + "\n").encode(), truth, told
    body = samples.astype(">u2" if most > 255 else "u1").tobytes()
    return choose.choice((".pnm", ".ppm" if channels == 3 else ".pgm")), head.encode() + b"\n" + body, truth, told


def _arbitrary(choose: random.Random, most: int) -> tuple[str, bytes, Any, str]:
    tuples = {1: "GRAYSCALE", 2: "GRAYSCALE_ALPHA", 3: "RGB", 4: "RGB_ALPHA"}
    depth = choose.choice(tuple(tuples))
    samples = picture(choose, depth, most)
    height, width = samples.shape[:2]
    lines = [f"WIDTH {width}", f"HEIGHT {height}", f"DEPTH {depth}", f"MAXVAL {most}", f"TUPLTYPE {tuples[depth]}"]
    choose.shuffle(lines)
    head = "P7\n" + "".join(f"{line}\n" for line in lines) + "ENDHDR\n"
    share = samples / most
    truth = share[..., 0] if depth == 1 else share[..., [0, 0, 0, 1]] if depth == 2 else share
    body = samples.astype(">u2" if most > 255 else "u1").tobytes()
    return choose.choice((".pam", ".pnm")), head.encode() + body, truth, f"P7 of depth {depth}, highest {most}"


def _floats(choose: random.Random, kind: str) -> tuple[str, bytes, Any, str]:
    samples = picture(choose, 3 if kind == "PF" else 1, 1 << 16) / (1 << 16)
    order, scale = choose.choice((("<", "-1.0"), (">", "1.0")))
    body = samples[::-1].astype(f"{order}f4").tobytes()
    head = f"{kind}\n{samples.shape[1]} {samples.shape[0]}\n{scale}\n".encode()
    return (
        ".pnm",
        head + body,
        samples if kind == "PF" else samples[..., 0],
        f"{kind}, {order}",
    )
