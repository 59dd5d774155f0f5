"""Masks of every form: what is not black, as viewers show it, is inside. Missing, odd and hostile ones fail by name."""

import os
import struct
import zlib

import cv2
import numpy as np
import pytest

from tests.run.where.conftest import HEIGHT, WIDTH, grey, read, round_part, save

INSIDE = round_part()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(kind, bits, rows, *chunks):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + data + chunk(b"IEND", b"")


def one_bit_tiff(photometric):
    """A TIFF of one strip, of 1 bit a sample; with photometric 0, a 0 is white."""
    bits = INSIDE if photometric else ~INSIDE
    data = np.packbits(bits, axis=1).tobytes()
    entries = [(256, 4, WIDTH), (257, 4, HEIGHT), (258, 3, 1), (259, 3, 1), (262, 3, photometric), (273, 4, 8)]
    entries += [(277, 3, 1), (278, 4, HEIGHT), (279, 4, len(data))]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + bytes(4)


def gif():
    """A GIF of black and another colour, its codes of 8 bits: the table is cleared before they would need more."""
    pixels = INSIDE.astype(np.uint8).reshape(-1)
    codes = b"".join(b"\x80" + pixels[at : at + 120].tobytes() for at in range(0, pixels.size, 120)) + b"\x81"
    blocks = b"".join(bytes([len(codes[at : at + 255])]) + codes[at : at + 255] for at in range(0, len(codes), 255))
    size = struct.pack("<HH", WIDTH, HEIGHT)
    palette = bytes([0, 0, 0, 9, 8, 7]) + bytes(3 * 126)
    return b"GIF89a" + size + b"\xf6\0\0" + palette + b"," + bytes(4) + size + b"\0\7" + blocks + b"\0;"


def encoded(suffix, image):
    return cv2.imencode(suffix, image)[1].tobytes()


def of_value(value, dtype="uint8", channels=()):
    image = np.zeros((HEIGHT, WIDTH, *channels), dtype)
    image[INSIDE] = value
    return image


PALETTE = chunk(b"PLTE", bytes([0, 0, 0, 9, 8, 7]))
FORMS = {
    "grey.png": encoded(".png", of_value(1)),
    "bit.png": png(0, 1, np.packbits(INSIDE, axis=1)),
    "deep.png": encoded(".png", of_value(1, "uint16")),
    "palette.png": png(3, 8, INSIDE.astype(np.uint8), PALETTE),
    "one-channel.png": encoded(".png", of_value((0, 0, 1), channels=(3,))),
    "opaque.png": encoded(".png", of_value((0, 3, 0, 0), channels=(4,)) + np.array([0, 0, 0, 255], np.uint8)),
    "bitmap.bmp": encoded(".bmp", of_value(255, channels=(3,))),
    "black-is-zero.tif": one_bit_tiff(1),
    "white-is-zero.tiff": one_bit_tiff(0),
    "float.tif": encoded(".tiff", of_value(0.5, "float32")),
    "bitmap.pbm": b"P4\n%d %d\n" % (WIDTH, HEIGHT) + np.packbits(~INSIDE, axis=1).tobytes(),
    "lossless.webp": encoded(".webp", of_value(255, channels=(3,))),
    "still.gif": gif(),
    "Capitals.PNG": encoded(".png", of_value(1)),
}


@pytest.fixture
def shot(tmp_path):
    """Lay out one image, and one file as its mask."""

    def lay(mask, content, image=None, name="shots/a.png"):
        save(tmp_path / name, grey(channels=(3,)) if image is None else image)
        (tmp_path / "masks").mkdir(exist_ok=True)
        (tmp_path / "masks" / f"a{os.path.splitext(mask)[1]}").write_bytes(content)
        return tmp_path / "shots", tmp_path / "masks"

    return lay


@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_black_is_inside(form, noisy, shot, destination, rows):
    shots, masks = shot(form, FORMS[form])
    done = noisy("images", shots, destination, "--std", "25", "--mask", masks)
    assert done.status == 0, done
    [clean], [made] = read(shots / "a.png"), read(destination / "a.png")
    changed = (made != clean).any(axis=-1)
    assert not changed[~INSIDE].any()
    assert changed[INSIDE].mean() > 0.99
    row = rows(destination)["a.png"]
    assert row["mask"] == f"a{os.path.splitext(form)[1]}"
    assert "lossy-mask" not in row["warnings"]


def test_a_jpeg_is_taken_and_named(noisy, shot, destination, rows):
    shots, masks = shot("a.jpg", encoded(".jpg", of_value(255)))
    done = noisy("images", shots, destination, "--std", "25", "--mask", masks)
    assert done.status == 0
    assert "lossy-mask" in rows(destination)["a.png"]["warnings"]
    assert "a PNG keeps them" in done.err


def test_a_black_mask_is_no_noise(noisy, shot, destination, rows):
    shots, masks = shot("a.png", encoded(".png", of_value(0)))
    done = noisy("images", shots, destination, "--std", "25", "--mask", masks)
    assert done.status == 0
    assert "as its mask is black" in done.err
    row = rows(destination)["a.png"]
    assert (row["applied"], row["inside_fraction"], row["measured_std"]) == (False, 0.0, 0.0)
    assert (read(shots / "a.png")[0] == read(destination / "a.png")[0]).all()


@pytest.mark.slow
def test_a_mask_that_packs_better_than_any_image(noisy, tmp_path, destination):
    # 160 million bytes decoded, of a few thousand
    height, width = 10_000, 16_000
    shots = save(tmp_path / "shots/a.png", np.zeros((height, width), np.uint8)).parent
    (shots / "a.png").write_bytes((shots / "a.png").read_bytes() + bytes(2_000_000))
    mask = np.zeros((height, width), np.uint8)
    mask[5:10, 5:10] = 1
    save(tmp_path / "masks/a.png", mask)
    done = noisy("images", shots, destination, "--std", "25", "--mask", tmp_path / "masks")
    assert done.status == 0, done


def turned(value, image):
    """A JPEG that is shown as EXIF's orientation says."""
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)
    data = encoded(".jpg", image)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


@pytest.mark.parametrize("value", range(1, 9))
def test_masks_and_places_lie_as_viewers_show_the_image(value, noisy, tmp_path, destination, rows):
    shots, masks = tmp_path / "shots", tmp_path / "masks"
    shots.mkdir()
    (shots / "a.jpg").write_bytes(turned(value, grey(channels=(3,))))
    shown = cv2.imread(os.fspath(shots / "a.jpg"))
    assert (shown.shape[:2] == (WIDTH, HEIGHT)) == (value > 4)
    inside = round_part(*shown.shape[:2])
    save(masks / "a.png", inside.astype(np.uint8))
    # a BMP has no orientation: its pixels are turned
    words = ("--std", "25", "--format", "bmp")
    assert noisy("images", shots, destination, *words, "--mask", masks).status == 0
    assert ((cv2.imread(os.fspath(destination / "a.bmp")) != shown).any(axis=-1) <= inside).all()
    assert (cv2.imread(os.fspath(destination / "a.bmp")) != shown).any(axis=-1).sum() > 0.99 * inside.sum()
    patched = tmp_path / "patched"
    assert noisy("images", shots, patched, *words, "--patch", "33").status == 0
    rows_of, columns = np.nonzero((cv2.imread(os.fspath(patched / "a.bmp")) != shown).any(axis=-1))
    left, top = columns.min(), rows_of.min()
    found = [left, top, columns.max() + 1 - left, rows_of.max() + 1 - top]
    assert rows(patched)["a.bmp"]["patch"] == found


GOOD = FORMS["grey.png"]
HOSTILE = {
    "cut": GOOD[: len(GOOD) // 2],
    "empty": b"",
    "page": b"<!DOCTYPE html><html></html>",
    "huge": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**30, 2**30, 8, 0, 0, 0, 0)),
    "bad-sum": GOOD[:40] + bytes([GOOD[40] ^ 1]) + GOOD[41:],
    "smaller": encoded(".png", np.ones((HEIGHT, WIDTH - 1), np.uint8)),
    "sideways": encoded(".png", np.ones((WIDTH, HEIGHT), np.uint8)),
    "pages": cv2.imencodemulti(".tiff", [of_value(1), of_value(1)])[1].tobytes(),
    "not-numbers": encoded(".tiff", np.full((HEIGHT, WIDTH), np.nan, np.float32)),
}


def test_what_is_no_use_fails_its_image_alone(noisy, tmp_path, destination, errors, rows):
    shots, masks = tmp_path / "shots", tmp_path / "masks"
    names = [*HOSTILE, "folder", "pipe", "link-to-nothing", "missing", "twice", "good"]
    for name in names:
        save(shots / f"{name}.png", grey(channels=(3,)))
        save(masks / f"{name}.png", of_value(1))
    for name, content in HOSTILE.items():
        (masks / f"{name}.png").write_bytes(content)
    for name in ("folder", "pipe", "link-to-nothing", "missing"):
        (masks / f"{name}.png").unlink()
    (masks / "folder.png").mkdir()
    os.mkfifo(masks / "pipe.png")
    (masks / "link-to-nothing.png").symlink_to("nowhere.png")
    save(masks / "twice.tif", of_value(1))
    (masks / "good.txt").write_text("about the mask")
    (masks / "missing.json").write_text("{}")
    done = noisy("images", shots, destination, "--std", "25", "--mask", masks)
    assert done.status == 1
    assert rows(destination).keys() == {"good.png"}
    found = errors(destination)
    assert found.keys() == {f"{name}.png" for name in names} - {"good.png"}
    reasons = {name.removesuffix(".png"): entry["reason"] for name, entry in found.items()}
    assert reasons.pop("missing") == "no-mask"
    assert reasons.pop("twice") == "ambiguous"
    assert set(reasons.values()) == {"bad-mask"}
    assert {entry["status"] for entry in found.values()} == {"failed"}
    said = {name: entry["message"] for name, entry in found.items()}
    assert "missing.png, or other image of this name" in said["missing.png"]
    assert "twice.png and twice.tif" in said["twice.png"]
    assert f"is {WIDTH - 1} x {HEIGHT}, and the image {WIDTH} x {HEIGHT}" in said["smaller.png"]
    assert "2 frames" in said["pages.png"]
    assert all(name in message for name, message in said.items())


def test_a_folder_without_masks(noisy, tmp_path, destination, errors):
    save(tmp_path / "shots/sub/a.png", grey())
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/sub").write_text("a file of the folder's name")
    assert noisy("images", tmp_path / "shots", destination, "--std", "5", "--mask", tmp_path / "masks").status == 1
    assert errors(destination)["sub/a.png"]["reason"] == "no-mask"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_listed(noisy, tmp_path, destination, errors):
    save(tmp_path / "shots/a.png", grey())
    (tmp_path / "masks").mkdir(mode=0o300)
    assert noisy("images", tmp_path / "shots", destination, "--std", "5", "--mask", tmp_path / "masks").status == 1
    assert "check its permissions" in errors(destination)["a.png"]["message"]
