"""Generate sample_data: python sample_data/generate.py (to compare only: --check).

images/boats, images/balloons   two classes of images: colour PNG and JPEG; `fog.png` is grey, `deep.png` has 16 bits,
                                `upright.jpg` lies on its side and is turned by its EXIF orientation 6, `sticker.png` is
                                transparent. The .txt beside an image is its YOLO label, classes.txt names the classes.
audio/strings, audio/vowels     two classes of audio: WAV of 16 and 24 bits and float, FLAC, OGG, mono and stereo, 8 to
                                16 kHz. The .txt beside a file is its transcript.
broken/images, broken/audio     a whole file beside one cut off at 60%, to see what an error looks like.

Everything is drawn and played by the modules beside this one, so anybody may use it for anything.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray
from pictures import Box, draw, draw_sticker
from scenes import CLASSES, SCENES, STICKER
from sounds import Sound, duet, guitar, melody, sing

HERE = Path(__file__).resolve().parent
PARTS = ("images", "audio", "broken")
EXIF_ORIENTATION_6 = b"II*\0\x08\0\0\0" + b"\1\0" + b"\x12\1\3\0\1\0\0\0\6\0\0\0" + b"\0\0\0\0"
ENCODING = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 9],
}
OGG_SERIAL = 1
TOLERANCE = 0.005

Pixels = NDArray[Any]


def make_files() -> dict[str, bytes]:
    """Every file, by its path below sample_data."""
    files = make_images() | make_sounds()
    return files | break_files(files)


def make_images() -> dict[str, bytes]:
    """Pictures and their labels. The one on its side has none: tools disagree about which way its boxes should lie."""
    files = {"images/classes.txt": "".join(f"{name.removesuffix('s')}\n" for name in CLASSES).encode()}
    for name, scene in SCENES.items():
        picture, boxes = draw(scene)
        files[f"images/{name}"] = encode_picture(name, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if name != "boats/upright.jpg":
            label = Path(name).with_suffix(".txt").as_posix()
            files[f"images/{label}"] = yolo_label(CLASSES.index(scene.kind), boxes, scene.width, scene.height)
    sticker = cv2.cvtColor(draw_sticker(200, STICKER), cv2.COLOR_RGBA2BGRA)
    files["images/balloons/sticker.png"] = encode(".png", to_integers(sticker, np.uint8))
    return files


def encode_picture(name: str, picture: Pixels) -> bytes:
    """The bytes of a picture (blue first), in the kind its name stands for."""
    suffix = Path(name).suffix
    if name == "boats/deep.png":
        return encode(suffix, to_integers(picture, np.uint16))
    pixels = to_integers(picture, np.uint8)
    if name == "boats/fog.png":
        return encode(suffix, cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
    if name == "boats/upright.jpg":
        return encode(suffix, np.ascontiguousarray(np.rot90(pixels)), exif=EXIF_ORIENTATION_6)
    return encode(suffix, pixels)


def to_integers(picture: Pixels, dtype: type[np.uint8 | np.uint16]) -> Pixels:
    """0..1 to the full range of an integer type."""
    pixels: Pixels = np.rint(picture * np.iinfo(dtype).max).astype(dtype)
    return pixels


def encode(suffix: str, pixels: Pixels, exif: bytes = b"") -> bytes:
    """JPEG or PNG, with EXIF if there is any."""
    kinds, chunks = ([cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif, np.uint8)]) if exif else ([], [])
    _, data = cv2.imencodeWithMetadata(suffix, pixels, kinds, chunks, ENCODING[suffix])
    return data.tobytes()


def yolo_label(class_number: int, boxes: list[Box], width: int, height: int) -> bytes:
    """One line for each box: class, centre and size as shares of the picture's."""
    lines = []
    for left, top, right, bottom in boxes:
        centre = (left + right) / 2 / width, (top + bottom) / 2 / height
        size = (right - left) / width, (bottom - top) / height
        lines.append(" ".join([str(class_number), *(f"{value:.6f}" for value in (*centre, *size))]) + "\n")
    return "".join(lines).encode()


def make_sounds() -> dict[str, bytes]:
    """Sounds and what is heard in them."""
    scale, tune = ["C4", "D4", "E4", "F4", "G4"], ["E4", "D4", "C4", "D4", "E4", "E4"]
    chord, evening = ["C3", "G3", "E4", "C5"], ["A3", "C4", "E4", "A4"]
    recordings: dict[str, tuple[Sound, int, str, str]] = {
        "strings/scale.wav": (melody(scale, 1.5, 16000), 16000, "PCM_16", " ".join(scale)),
        "strings/tune.wav": (melody(tune, 1.4, 16000), 16000, "PCM_24", " ".join(tune)),
        "strings/chord.flac": (guitar(chord, 1.5, 16000), 16000, "PCM_16", " ".join(chord)),
        "strings/evening.ogg": (guitar(evening, 2.0, 16000), 16000, "VORBIS", " ".join(evening)),
        "vowels/aeiou.wav": (sing("aeiou", (118, 132, 96), 2.0, 8000), 8000, "PCM_16", "a e i o u"),
        "vowels/question.wav": (sing("ao", (190, 180, 290), 1.0, 11025), 11025, "FLOAT", "a o?"),
        "vowels/hurray.flac": (sing("uai", (210, 300, 220), 1.2, 16000), 16000, "PCM_16", "u a i!"),
        "vowels/duet.ogg": (duet("oai", (110, 123, 110), (220, 247, 277), 1.6, 16000), 16000, "VORBIS", "o a i"),
    }
    files = {}
    for name, (sound, rate, subtype, transcript) in recordings.items():
        path = Path("audio", name)
        files[path.as_posix()] = encode_sound(sound, rate, path.suffix[1:].upper(), subtype)
        files[path.with_suffix(".txt").as_posix()] = f"{transcript}\n".encode()
    return files


def encode_sound(sound: Sound, rate: int, container: str, subtype: str) -> bytes:
    """The bytes of a sound: rounded to integers here, and the same every time."""
    samples: NDArray[Any] = sound.astype(np.float32)
    if subtype == "PCM_16":
        samples = np.rint(sound * 2**15).astype(np.int16)
    elif subtype == "PCM_24":
        samples = np.rint(sound * 2**23).astype(np.int32) << 8
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    data = bytearray(file.getvalue())
    if subtype == "FLOAT":
        forget_time(data)
    if container == "OGG":
        settle_serial(data)
    return bytes(data)


def forget_time(wav: bytearray) -> None:
    """Zero the time of day that libsndfile writes into the PEAK chunk, after its name, size and version."""
    stamp = wav.index(b"PEAK") + 12
    wav[stamp : stamp + 4] = bytes(4)


def settle_serial(ogg: bytearray) -> None:
    """Replace the serial number that libsndfile draws by lot, and the checksum of every page that carries it."""
    page = 0
    while page < len(ogg):
        lacing = ogg[page + 27 : page + 27 + ogg[page + 26]]
        end = page + 27 + len(lacing) + sum(lacing)
        ogg[page + 14 : page + 18] = OGG_SERIAL.to_bytes(4, "little")
        ogg[page + 22 : page + 26] = bytes(4)
        ogg[page + 22 : page + 26] = ogg_checksum(ogg[page:end]).to_bytes(4, "little")
        page = end


def ogg_checksum(page: bytes | bytearray) -> int:
    """CRC-32 of RFC 3533: polynomial 04c11db7, not reflected, starting at 0."""
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1) ^ (0x104C11DB7 if checksum & 0x80000000 else 0)
    return checksum


def break_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """A whole picture and a whole sound, and beside each another one, cut off at 60%."""
    picture, sound = files["images/boats/regatta.jpg"], files["audio/strings/scale.wav"]
    return {
        "broken/images/whole.jpg": files["images/balloons/dusk.jpg"],
        "broken/images/cut.jpg": picture[: len(picture) * 6 // 10],
        "broken/audio/whole.wav": files["audio/vowels/aeiou.wav"],
        "broken/audio/cut.wav": sound[: len(sound) * 6 // 10],
    }


def find_differences(folder: Path) -> list[str]:
    """What in the folder is not as it would be made; by its samples, as encoders change from version to version."""
    stored = read_files(folder)
    wanted = make_images() | make_sounds()
    if missing := sorted(wanted.keys() - stored.keys()):
        return [f"{name}: missing" for name in missing]
    broken = break_files(stored)
    extra = [f"{name}: not made here" for name in sorted(stored.keys() - wanted.keys() - broken.keys())]
    changed = [f"{name}: differs" for name in sorted(wanted) if not is_alike(name, stored[name], wanted[name])]
    return extra + changed + [f"{name}: differs" for name in sorted(broken) if stored.get(name) != broken[name]]


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file of the three parts, by its path below the folder."""
    paths = [path for part in PARTS for path in (folder / part).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def is_alike(name: str, stored: bytes, wanted: bytes) -> bool:
    """Text: the same bytes. Images and audio files: the same kind, and samples that differ by rounding at most."""
    if stored == wanted:
        return True
    if name.endswith(".txt"):
        return False
    decode = decode_sound if name.startswith("audio/") else decode_picture
    (kind, samples), (wanted_kind, wanted_samples) = decode(stored), decode(wanted)
    if kind != wanted_kind or samples.shape != wanted_samples.shape:
        return False
    return bool(np.sqrt(np.mean((samples - wanted_samples) ** 2)) <= TOLERANCE)


def decode_picture(data: bytes) -> tuple[object, Pixels]:
    """Depth and orientation; samples as shares of full scale."""
    pixels: Pixels | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return "not a picture", np.zeros(0)
    return (pixels.dtype, EXIF_ORIENTATION_6 in data), pixels / np.iinfo(pixels.dtype).max


def decode_sound(data: bytes) -> tuple[object, NDArray[np.float64]]:
    """Rate, container and subtype; samples as shares of full scale."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return (file.samplerate, file.format, file.subtype), file.read()
    except soundfile.LibsndfileError:
        return "not a sound", np.zeros(0)


def write_files(folder: Path) -> None:
    """Write everything below the folder."""
    for name, data in make_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="default: where this script is")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where the files differ")
    arguments = parser.parse_args()
    if not arguments.check:
        write_files(arguments.folder)
        return 0
    differences = find_differences(arguments.folder)
    print("\n".join(differences), end="\n" if differences else "", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
