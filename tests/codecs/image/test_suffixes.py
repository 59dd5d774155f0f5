"""Suffixes of formats that have several: outputs keep them, and hold what another reader expects behind them."""

import io

import numpy as np
import pytest
from PIL import Image

SOC, JP2, JPEG = b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ", b"\xff\xd8\xff"


def saved(picture, kind, **options):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def source(tmp_path, photo):
    """Return a folder of pictures whose suffixes are rare, and the grey and coloured samples in them."""
    folder = tmp_path / "rare"
    folder.mkdir()
    grey = photo[..., 0].copy()
    codestream, boxes = ({"no_jp2": flag, "irreversible": False} for flag in (True, False))
    files = {
        "a.j2k": saved(photo, "JPEG2000", **codestream),
        "b.JPC": saved(grey, "JPEG2000", **codestream),
        "c.j2c": saved(photo, "JPEG2000", **codestream),
        "d.jpf": saved(photo, "JPEG2000", **boxes),
        "e.jpx": saved(grey, "JPEG2000", **boxes),
        "f.mpo": saved(photo, "JPEG", quality=95, subsampling=0),
        "g.ppm16": b"P6 64 48 65535\n" + (photo.astype(">u2") * 257).tobytes(),
        "h.pgm16": b"P5 64 48 65535\n" + (grey.astype(">u2") * 257).tobytes(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_they_are_read_and_kept(images, noisy, source, rows, errors, destination):
    assert images("--std", "0", source=source).status == 0
    assert errors(destination) == {}
    table = rows(destination)
    assert table.keys() == {path.name for path in source.iterdir()}
    formats = [row["format"] for row in table.values()]
    assert formats == ["j2k", "j2k", "j2k", "jp2", "jp2", "jpeg", "pnm", "pnm"]
    assert not [name for name, row in table.items() if "wrong-suffix" in row["warnings"]]
    for name in table:
        data = (destination / name).read_bytes()
        assert data.startswith(
            SOC if name[0] in "abc" else JP2 if name[0] in "de" else JPEG if name[0] == "f" else b"P"
        )
        made, own = (np.asarray(Image.open(folder / name), np.int32) for folder in (destination, source))
        assert made.shape == own.shape
        assert abs(made - own).max() <= (10 if name == "f.mpo" else 0)
    assert noisy("verify", destination, "--recompute", source).status == 0


def test_they_get_noise(images, source, rows, destination):
    assert images("--std", "10", source=source).status == 0
    for name, row in rows(destination).items():
        made, own = (np.asarray(Image.open(folder / name), np.float64) for folder in (destination, source))
        unit = 257 if name.endswith("16") and made.max() > 255 else 1
        assert row["applied"]
        assert np.std((made - own) / unit) == pytest.approx(10, abs=1.5)


@pytest.mark.parametrize(
    ("name", "to", "start"),
    [("a.j2k", "x.jp2", JP2), ("d.jpf", "x.j2k", SOC), ("a.j2k", "x.jpc", SOC), ("f.mpo", "x.jpg", JPEG)],
)
def test_one_file_to_another_name(noisy, source, tmp_path, name, to, start):
    assert noisy("images", source / name, tmp_path / to, "--std", "0").status == 0
    assert (tmp_path / to).read_bytes().startswith(start)
    made, own = (np.asarray(Image.open(path), np.int32) for path in (tmp_path / to, source / name))
    assert abs(made - own).max() <= (10 if name == "f.mpo" else 0)


def test_as_a_format(images, source, rows, destination):
    words = ["--std", "0", "--format", "j2k", "--include", "d.*", "--include", "h.*"]
    assert images(*words, source=source).status == 0
    assert rows(destination).keys() == {"d.j2k", "h.j2k"}
    for name in ("d.j2k", "h.j2k"):
        assert (destination / name).read_bytes().startswith(SOC)
