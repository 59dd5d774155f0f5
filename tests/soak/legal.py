"""Legal variations through the whole program: each keeps its samples, or is named; none is called damaged."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import program
from figures import Figures
from PIL import Image, ImageOps
from program import OURS
from variations import VARIATIONS, Varied, varied
from variations.tiff import TURNS

BATCH = 250
DEADLINE = 900
WORDS = {"images": ([], ["--format", "png"]), "audio": ([], ["--format", "wav"]), "arrays": (["--key", "*"],)}
CALLED_DAMAGED = ("corrupt", "truncated", "empty", "wrong-content", "internal-error", "worker-died", "timeout")
_STEP = {"images": 1.01 / 255, "audio": 2.0**-22, "arrays": 0.0}
_LOSSY = {".jpg": (0.012, 0.35), ".jpeg": (0.012, 0.35), ".jpe": (0.012, 0.35), ".jfif": (0.012, 0.35)}
"""Mean and largest difference of a second generation, and between two decoders."""


class Legal:
    """Batches of one format's variations."""

    def __init__(self, name: str, scratch: Path, figures: Figures) -> None:
        self.name, self.figures = name, figures
        self.kind = VARIATIONS[name].kind
        self._scratch = scratch / f"legal-{name.replace(' ', '-')}"

    def batch(self, number: int, seed: int, count: int = BATCH) -> None:
        """Run one folder of variations, in every way of WORDS."""
        source, destination = self._scratch / "src", self._scratch / "dst"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        files: dict[str, Varied] = {}
        for at in range(number * count, (number + 1) * count):
            one = varied(self.name, at, seed)
            files[f"{at:05}-{one.suffix[1:]}{one.suffix}"] = one
            (source / f"{at:05}-{one.suffix[1:]}{one.suffix}").write_bytes(one.data)
        self.figures.count(f"legal {self.name}: files", len(files))
        for words in WORDS[self.kind]:
            if self.name == "tiff" and not words and find_spec("tifffile") is None:
                self.figures.notes.append("legal tiff as they are: left out, tifffile is not installed")
                continue
            shutil.rmtree(destination, ignore_errors=True)
            done = program.run(
                self.kind, source, destination, "--std", "0", "-j", "2", "--json", *words, deadline=DEADLINE
            )
            ended = done.hung or done.traceback or done.status not in (0, 1)
            note = f"{self.name}: {done.status} {done.err[-900:]}"
            self.figures.fault("legal: runs ended by one file", int(ended), note)
            self._judge(source, destination, files, " ".join(words) or "as they are")

    def _judge(self, source: Path, destination: Path, files: dict[str, Varied], way: str) -> None:
        problems = {entry["source"]: entry for entry in program.lines(destination / "errors.jsonl")}
        made = {row["source"]: row["file_name"] for row in program.lines(destination / "manifest.jsonl")}
        fault = self.figures.fault
        for name, one in files.items():
            if name in problems:
                reason, message = problems[name]["reason"], problems[name]["message"]
                damaged = reason in CALLED_DAMAGED
                told = f"{self.name} {name} ({one.told}): {reason}: {message}"
                fault(f"legal {self.name}: called damaged", int(damaged), told, source / name)
                self.figures.count(f"legal {self.name}: named, {reason}")
                continue
            if name not in made:
                fault("legal: files that nothing accounts for", 1, name, source / name)
                continue
            difference = self.difference(destination / made[name], one)
            told = f"{self.name} {name} ({one.told}), {way}: {difference}"
            fault(f"legal {self.name}: silently wrong", int(bool(difference)), told, source / name)
            self.figures.count(f"legal {self.name}: right", int(not difference))
        left = {*program.tree(destination)} - {*made.values()} - OURS
        fault("legal: leftovers in DST", len(left), f"{self.name}: {', '.join(sorted(left)[:5])}")

    def difference(self, output: Path, one: Varied) -> str:
        """Return how an output differs from what its source means; nothing where it does not."""
        try:
            found = _READERS[self.kind](output)
        except Exception as error:
            return f"the output cannot be read: {type(error).__name__}: {error}"
        if self.kind == "arrays":
            return _array_difference(found, one.truth)
        truth = np.asarray(one.truth)
        if self.kind == "images":
            found, truth = plain(found), plain(truth)
        if found.shape != truth.shape:
            return f"{found.shape}, not {truth.shape}"
        apart = np.abs(found - truth)
        largest, mean = float(apart.max(initial=0)), float(apart.mean()) if apart.size else 0.0
        most_mean, most = _LOSSY.get(one.suffix, (1.0, _STEP[self.kind]))
        if one.suffix in (".ogg", ".oga"):
            most_mean, most = (1.0, 2.0**-20) if output.suffix == ".wav" else (0.08, 4.0)
        return "" if largest <= most and mean <= most_mean else f"largest difference {largest:.4f}, mean {mean:.5f}"


def plain(image: Any) -> Any:
    """Grey where all channels are equal, without an alpha that is opaque everywhere: the same picture either way."""
    if image.ndim == 3 and image.shape[2] == 4 and (image[..., 3] == 1).all():
        image = image[..., :3]
    if image.ndim == 3 and image.shape[2] == 3 and np.ptp(image, axis=2).max(initial=0) < 1e-9:
        image = image[..., 0]
    return image


def picture(path: Path) -> Any:
    """Return an output as viewers show it, shares of full scale in RGBA order, by Pillow where it reads the depth."""
    data = path.read_bytes()
    if path.suffix in (".tif", ".tiff"):
        return _tiff(path)
    if path.suffix in (".png", ".pnm", ".pgm", ".ppm", ".pam", ".pfm", ".pbm"):
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        share = decoded / (1.0 if decoded.dtype.kind == "f" else float(np.iinfo(decoded.dtype).max))
        if path.suffix != ".png":
            share = decoded / _highest(data, decoded)
        share = share[..., [2, 1, 0, 3][: share.shape[2]]] if share.ndim == 3 else share
        return _turned(share, data)
    with Image.open(io.BytesIO(data)) as opened:
        shown = ImageOps.exif_transpose(opened)
        return np.asarray(shown.convert("RGB") if shown.mode in ("P", "CMYK") else shown) / 255


def _highest(data: bytes, decoded: Any) -> float:
    """The highest value that a PNM of ours tells: OpenCV hands over the numbers as they are."""
    if decoded.dtype.kind == "f":
        return 1.0
    words = data[:200].split()
    if words[0] == b"P7":
        return float(words[words.index(b"MAXVAL") + 1])
    return float(words[3])


def _turned(share: Any, data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as opened:
        orientation = opened.getexif().get(274, 1)
    return TURNS[orientation](share)


def _tiff(path: Path) -> Any:
    import tifffile

    with tifffile.TiffFile(path) as opened:
        page = opened.pages[0]
        samples = page.asarray()
        if page.planarconfig == 2 and page.samplesperpixel > 1:
            samples = np.moveaxis(samples, 0, -1)
        orientation = int(page.tags[274].value) if 274 in page.tags else 1
        if samples.dtype == bool:
            share = samples.astype(float)
        else:
            share = samples / (1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max))
        if page.photometric == 0:
            share = 1 - share
        if page.colormap is not None:
            share = np.moveaxis(page.colormap[:, samples], 0, -1) / 65535
    return TURNS[orientation](share)


def sound(path: Path) -> Any:
    """Return an output's frames; plain WAV by a reader of its own, the rest by libsndfile."""
    if path.suffix == ".wav":
        return _riff(path.read_bytes())
    import soundfile

    return soundfile.read(path, always_2d=True)[0]


def _riff(data: bytes) -> Any:
    order = ">" if data[:4] == b"RIFX" else "<"
    at, head, body = 12, b"", b""
    while at + 8 <= len(data):
        size = struct.unpack_from(f"{order}I", data, at + 4)[0]
        if data[at : at + 4] == b"fmt ":
            head = data[at + 8 : at + 8 + size]
        elif data[at : at + 4] == b"data":
            body = data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)
    code, channels, _, _, frame, bits = struct.unpack_from(f"{order}HHIIHH", head)
    code = struct.unpack_from(f"{order}H", head, 24)[0] if code == 0xFFFE else code
    width = frame // channels
    if code == 3:
        return np.frombuffer(body, f"{order}f{width}").reshape(-1, channels).astype(float)
    if bits == 8:
        return (np.frombuffer(body, np.uint8).reshape(-1, channels) - 128.0) / 128
    wide = np.zeros((len(body) // width, 4), np.uint8)
    raw = np.frombuffer(body, np.uint8).reshape(-1, width)
    wide[:, 4 - width :] = raw if order == "<" else raw[:, ::-1]
    return wide.view("<i4").reshape(-1, channels) / 2.0**31


def _arrays(path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        return {"": np.load(path)}
    with np.load(path) as loaded:
        return dict(loaded)


def _array_difference(found: dict[str, Any], truth: dict[str, Any]) -> str:
    if found.keys() != truth.keys():
        return f"{sorted(found)}, not {sorted(truth)}"
    for name, array in truth.items():
        other = found[name]
        if (other.dtype.str, other.shape) != (array.dtype.str, array.shape) or other.tobytes() != array.tobytes():
            return f"{name!r}: {other.dtype} {other.shape}, not {array.dtype} {array.shape}, or other values"
    return ""


_READERS: dict[str, Any] = {"images": picture, "audio": sound, "arrays": _arrays}
