"""TIFFs that are intact and unusual: samples come as the test wrote them, and are written again as they lay."""

import io
import itertools
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from noisecli.codecs.image import exif
from noisecli.codecs.image.tiff import ifd
from noisecli.errors import FileFailed, FileSkipped

DTYPES = ["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]
FORMS = {"u": 1, "i": 2, "f": 3}


@pytest.fixture
def random():
    return np.random.default_rng(12)


def values(random, dtype, shape):
    return (random.integers(0, 128, shape) / (128 if dtype[0] == "f" else 1)).astype(dtype)


@pytest.fixture
def again(copy, open_picture, frames_of):
    """Return the samples of a file, the source and the sink, after a look that its output has the same ones."""

    def through(data, **encoding):
        written, sink, source = copy(data, ".tif", **encoding)
        frames = frames_of(source)
        second = open_picture(written, ".tif")
        assert second.spec == source.spec
        for first, other in zip(frames, frames_of(second), strict=True):
            np.testing.assert_array_equal(first, other)
        return frames, source, sink, written, second

    return through


def in_segments(samples, size, order, planar=False, pack=bytes):
    """Return packed tiles of (height, width, channels), and the tags that describe them."""
    high, wide = size
    pieces = []
    for plane in np.split(samples, samples.shape[2], axis=2) if planar else [samples]:
        for top, left in itertools.product(range(0, len(plane), high), range(0, plane.shape[1], wide)):
            part = plane[top : top + high, left : left + wide]
            missing = ((0, high - part.shape[0]), (0, wide - part.shape[1]), (0, 0))
            pieces.append(pack(np.pad(part, missing).astype(samples.dtype.newbyteorder(order)).tobytes()))
    return pieces


@pytest.fixture
def tiled_file(tiff_file):
    """Return a TIFF in tiles: the ordinary one, with tiles behind it and tags that point there."""

    def made(samples, photometric, size, order="<", planar=False, pack=None, more=None):
        pieces = in_segments(samples, size, order, planar, pack or bytes)
        places = 1 << 20
        tags = {322: (4, [size[1]]), 323: (4, [size[0]]), 325: (4, [len(piece) for piece in pieces])}
        starts = np.cumsum([places, *(len(piece) for piece in pieces[:-1])])
        tags |= {324: (4, [int(start) for start in starts]), 284: (3, [2 if planar else 1])}
        tags |= {259: (3, [8 if pack else 1]), **(more or {})}
        data = tiff_file(samples, photometric, FORMS[samples.dtype.kind], order, tags)
        return data.ljust(places, b"\0") + b"".join(pieces)

    return made


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("pack", [None, zlib.compress])
@pytest.mark.parametrize("planar", [False, True])
def test_tiles_and_planes(dtype, channels, pack, planar, random, tiled_file, again):
    order = ">" if channels == 3 else "<"
    samples = values(random, dtype, (21, 35, channels))
    extra = {338: (3, [0] * (channels - 3))} if channels > 3 else {}
    data = tiled_file(samples, 1 if channels == 1 else 2, (16, 16), order, planar and channels > 1, pack, extra)
    [found], source, sink, _, _ = again(data)
    expected = samples[..., [2, 1, 0, 3, 4][:channels]] if channels > 1 else samples[..., 0]
    np.testing.assert_array_equal(found, expected)
    assert (source.spec.noisy_channels, source.warnings, sink.warnings) == (None, (), ())
    assert found.dtype == np.dtype(dtype)


@pytest.mark.parametrize("bits", [1, 2, 4, 12])
@pytest.mark.parametrize("photometric", [0, 1])
def test_few_bits(bits, photometric, random, tiff_file, copy, open_picture, frames_of):
    """They become bytes or words with a warning; the highest value stays the highest."""
    numbers = random.integers(0, 1 << bits, (5, 13))
    single = (numbers[..., None] >> np.arange(bits - 1, -1, -1) & 1).astype(np.uint8)
    rows = np.packbits(single.reshape(5, -1), axis=1)
    more = {256: (4, [13]), 258: (3, [bits])}
    written, _, source = copy(tiff_file(rows, photometric, more=more), ".tif")
    deep = bits > 8
    assert source.warnings == (f"depth: {bits} to {16 if deep else 8} bits",)
    expected = numbers * 16 + numbers // 256 if deep else numbers * (255 // ((1 << bits) - 1))
    np.testing.assert_array_equal(frames_of(source)[0], expected)
    second = open_picture(written, ".tif")
    np.testing.assert_array_equal(frames_of(second)[0], expected)
    assert (second.warnings, second.header.white_is_zero) == ((), photometric == 0)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_not_turned(orientation, photo, tiff_file, again, copy, pillow_read):
    data = tiff_file(photo, 2, more={274: (3, [orientation])})
    [found], source, sink, _, second = again(data)
    np.testing.assert_array_equal(found[..., ::-1], photo)
    assert second.header.orientation == orientation
    assert (source.warnings, sink.warnings) == ((), ())
    for target in ("png", "webp", "bmp"):
        turned, sink, _ = copy(data, ".tif", format=target)
        np.testing.assert_array_equal(np.array(pillow_read(turned, "RGB")), exif.turn(photo, orientation))
        assert not sink.warnings


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
def test_white_is_zero(dtype, random, tiff_file, again, copy, pillow_read):
    samples = values(random, dtype, (9, 7))
    data = tiff_file(samples, 0, FORMS[dtype[0]])
    [found], _, _, _, second = again(data)
    np.testing.assert_array_equal(found, samples)
    assert second.header.white_is_zero
    if dtype == "u1":
        np.testing.assert_array_equal(np.array(pillow_read(copy(data, ".tif", format="png")[0])), 255 - samples)


@pytest.mark.parametrize(("kind", "noisy"), [(0, None), (1, 3), (2, 3)])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_fourth_band(kind, noisy, dtype, random, tiff_file, again, copy):
    samples = values(random, dtype, (9, 7, 4))
    data = tiff_file(samples, 2, more={338: (3, [kind])})
    [found], source, _, _, second = again(data)
    np.testing.assert_array_equal(found, samples[..., [2, 1, 0, 3]])
    assert source.spec.noisy_channels == noisy
    assert second.header.metadata.tags[0][338] == (3, struct.pack("<H", kind))
    if kind == 0:
        with pytest.raises(FileFailed, match=r"png cannot hold 4 bands; choose --format tiff"):
            copy(data, ".tif", format="png")


def test_grey_with_alpha(random, tiff_file, again):
    samples = values(random, "u1", (9, 7, 2))
    [found], source, _, _, _ = again(tiff_file(samples, 1, more={338: (3, [2])}))
    np.testing.assert_array_equal(found, samples)
    assert source.spec.noisy_channels == 1


def test_alpha_before_other_bands(random, tiff_file, open_picture):
    with pytest.raises(FileSkipped, match="alpha channel in front"):
        open_picture(tiff_file(values(random, "u1", (9, 7, 5)), 2, more={338: (3, [2, 0])}), ".tif")


def test_undefined_samples_are_whole_numbers(random, tiff_file, again):
    samples = values(random, "u2", (9, 7))
    np.testing.assert_array_equal(again(tiff_file(samples, 1, 4))[0][0], samples)


def test_inks_of_16_bits_stay_inks(random, tiff_file, again):
    samples = values(random, "u2", (9, 7, 4))
    [found], source, _, _, second = again(tiff_file(samples, 5))
    np.testing.assert_array_equal(found, samples)
    assert (source.spec.noisy_channels, source.warnings, second.header.layout.photometric) == (None, (), 5)


def test_palette_of_two_bits(tiff_file, open_picture, frames_of):
    colours = np.array([[0, 65535, 0, 257], [0, 0, 65535, 514], [0, 0, 0, 771]])
    more = {256: (4, [4]), 258: (3, [2]), 320: (3, colours.reshape(-1).tolist())}
    source = open_picture(tiff_file(np.array([[0b00011011]], np.uint8), 3, more=more), ".tif")
    expected = [[[0, 0, 0], [0, 0, 255], [0, 255, 0], [3, 2, 1]]]
    np.testing.assert_array_equal(frames_of(source)[0], expected)
    assert source.warnings == ("palette-to-colour",)


def imagej(count):
    return list(b"ImageJ=1.11a\nimages=%d\nslices=%d\nloop=false\n\0" % (count, count))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_stack_behind_one_directory(dtype, channels, order, random, tiff_file, again):
    shape = (3, 6, 5) if channels == 1 else (3, 6, 5, 3)
    samples = values(random, dtype, shape)
    data = tiff_file(samples.reshape(18, *shape[2:]), 2 if channels == 3 else 1, FORMS[dtype[0]], order)
    more = {257: (4, [6]), 278: (4, [6]), 279: (4, [samples[0].nbytes]), 270: (2, imagej(3))}
    data = tiff_file(samples.reshape(18, *shape[2:]), 2 if channels == 3 else 1, FORMS[dtype[0]], order, more)
    found, source, sink, written, second = again(data)
    assert len(list(ifd.pages(written))) == 3
    np.testing.assert_array_equal(np.array(found)[..., ::-1] if channels == 3 else np.array(found), samples)
    assert (source.spec.shape, sink.warnings) == (shape, ())
    assert second.header.metadata.tags[0][270] == (2, bytes(imagej(3)))


def test_shaped_and_truncated(random, tiff_file, again):
    samples = values(random, "u2", (4, 6, 5))
    words = list(b'{"shape": [2, 2, 6, 5], "truncated": true}\0')
    more = {257: (4, [6]), 278: (4, [6]), 279: (4, [60]), 270: (2, words)}
    np.testing.assert_array_equal(np.array(again(tiff_file(samples.reshape(24, 5), 1, more=more))[0]), samples)


def test_stack_that_is_cut(random, tiff_file, fails):
    more = {257: (4, [6]), 278: (4, [6]), 279: (4, [30]), 270: (2, imagej(4))}
    fails(tiff_file(values(random, "u1", (18, 5)), 1, more=more), "truncated", ".tif")


def test_description_of_other_images_is_dropped(random, tiff_file, again):
    _, _, sink, _, second = again(tiff_file(values(random, "u1", (6, 5)), 1, more={270: (2, imagej(4))}))
    assert sink.warnings == ("metadata-lost: description",)
    assert 270 not in second.header.metadata.tags[0]


def test_description_of_another_type_is_dropped(random, tiff_file, open_picture, write_picture):
    source = open_picture(tiff_file(values(random, "u1", (6, 5)), 1, more={270: (2, list(b'<OME Type="uint8"/>\0'))}))
    assert not write_picture(source)[1].warnings
    floats = [block.astype(np.float32) / 255 for block in source.blocks()]
    written, sink = write_picture(source, floats, source.spec.as_float32())
    assert sink.warnings == ("metadata-lost: description",)
    assert b"OME" not in written


def test_colours_of_the_screen_stay(photo, tiff_file, again, copy):
    numbers = {318: [3127, 10000, 3290, 10000], 319: [64, 100, 33, 100, 3, 10, 6, 10, 15, 100, 6, 100]}
    data = bytearray(tiff_file(photo, 2, more={tag: (4, each) for tag, each in numbers.items()}))
    start = struct.unpack_from("<I", data, 4)[0]
    for at in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", data, start)[0], 12):
        tag, _, count = struct.unpack_from("<HHI", data, at)
        if tag in numbers:
            struct.pack_into("<HI", data, at + 2, 5, count // 2)
    _, _, sink, _, second = again(bytes(data))
    assert not sink.warnings
    for tag, each in numbers.items():
        assert second.header.metadata.tags[0][tag] == (5, struct.pack(f"<{len(each)}I", *each))
    assert copy(bytes(data), ".tif", format="png")[1].warnings == ("metadata-lost: chromaticities, white-point",)


def test_statistics_are_lost(photo, tiff_file, copy):
    assert copy(tiff_file(photo, 2, more={281: (3, [255] * 3)}), ".tif")[1].warnings == ("metadata-lost: tag 281",)


@pytest.mark.parametrize("size", [None, (16, 16)])
def test_exif_and_gps(size, photo, tiff_file, tiled_file, copy):
    """Directories of their own move; a maker's notes, which hold places in the old file, do not."""
    inner = struct.pack("<HHHII", 3, 33434, 5, 1, 1 << 19) + struct.pack("<HHIHH", 0x8827, 3, 1, 400, 0)
    inner += struct.pack("<HHII", 37500, 7, 8, 1 << 19) + bytes(4)
    gps = struct.pack("<HHHI4s", 1, 1, 2, 2, b"N\0\0\0") + bytes(4)
    more = {34665: (4, [1 << 18]), 34853: (4, [1 << 17])}
    data = tiff_file(photo, 2, more=more) if size is None else tiled_file(photo, 2, size, more=more)
    data = bytearray(data.ljust((1 << 19) + 8, b"\0"))
    for place, piece in ((1 << 17, gps), (1 << 18, inner), (1 << 19, struct.pack("<II", 1, 60))):
        data[place : place + len(piece)] = piece
    written, sink, _ = copy(bytes(data), ".tif")
    assert sink.warnings == ("metadata-lost: maker-note",)
    with Image.open(io.BytesIO(written)) as opened:
        found = opened.getexif()
        assert {tag: float(value) for tag, value in found.get_ifd(34665).items()} == {33434: 1 / 60, 0x8827: 400}
        assert dict(found.get_ifd(34853)) == {1: "N"}
    assert copy(bytes(data), ".tif", format="png")[1].warnings == ("metadata-lost: exif, gps, maker-note",)


def chained(first, second, kind):
    """Put the page of a second TIFF behind that of the first, marked with a kind of subfile."""
    pages = []
    for data, more in ((first, {}), (second, {254: (4, struct.pack("<I", kind))})):
        [page] = ifd.pages(data)
        place, length = page.value(273), page.value(279)
        pages.append(([data[place : place + length]], {t: (e[0], page.raw(t)) for t, e in page.entries.items()} | more))
    return ifd.joined(pages, 273, 279)


def test_smaller_copies_are_left_out(photo, tiff_file, again):
    data = chained(tiff_file(photo, 2), tiff_file(photo[::2, ::2], 2), 1)
    frames, _, sink, written, _ = again(data)
    np.testing.assert_array_equal(np.array(frames)[0, ..., ::-1], photo)
    assert sink.warnings == ("metadata-lost: overviews",)
    with Image.open(io.BytesIO(written)) as pages:
        assert pages.n_frames == 1


def test_nothing_but_a_preview(photo, tiff_file, open_picture):
    with pytest.raises(FileSkipped, match="camera raw"):
        open_picture(tiff_file(photo, 2, more={254: (4, [1])}), ".tif")


def test_masking_page(photo, tiff_file, open_picture):
    with pytest.raises(FileSkipped, match="mask of another"):
        open_picture(chained(tiff_file(photo, 2), tiff_file(photo, 2), 4), ".tif")


@pytest.mark.parametrize(
    ("dtype", "text", "mark"),
    [
        ("u1", b"0", 0.0),
        ("i2", b"-9999", -9999.0),
        ("f4", b"-3.4028234663852886e+38", float(np.float32(-3.4028234663852886e38))),
    ],
)
def test_mark_of_no_data(dtype, text, mark, random, tiff_file, open_picture):
    samples = values(random, dtype, (6, 5))
    source = open_picture(tiff_file(samples, 1, FORMS[dtype[0]], more={42113: (2, list(text + b"\0"))}), ".tif")
    assert source.spec.nodata == mark


@pytest.mark.parametrize("text", [b"nan", b"-9999", b"1.5", b"1e999", b"none", b""])
def test_mark_that_no_sample_has(text, photo, tiff_file, open_picture):
    assert open_picture(tiff_file(photo, 2, more={42113: (2, list(text + b"\0"))}), ".tif").spec.nodata is None


def test_zstandard_names_its_extra(photo, tiff_file, tmp_path):
    """Without the package: another process, where it cannot be found."""
    (tmp_path / "a.tif").write_bytes(tiff_file(photo, 2, more={259: (3, [50000])}))
    code = (
        "import sys; sys.modules['zstandard'] = None\n"
        "from noisecli.codecs.image import tiff; from noisecli.model import Limits\n"
        "tiff.read(open(sys.argv[1], 'rb').read(), Limits())"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.tif"], capture_output=True, text=True, check=False)
    assert "pip install zstandard" in done.stderr


def test_zstandard(random, tiled_file, again):
    zstandard = pytest.importorskip("zstandard", reason="needs zstandard: the extra named tiff")
    samples = values(random, "u2", (21, 35, 3))
    data = tiled_file(samples, 2, (16, 16), pack=zstandard.compress, more={259: (3, [50000])})
    np.testing.assert_array_equal(again(data)[0][0][..., ::-1], samples)


def test_zstandard_bomb(random, tiled_file, open_picture):
    """No more is unpacked than a tile has room for."""
    zstandard = pytest.importorskip("zstandard", reason="needs zstandard: the extra named tiff")
    data = tiled_file(
        values(random, "u2", (16, 16, 3)),
        2,
        (16, 16),
        pack=lambda _: zstandard.compress(bytes(1 << 28)),
        more={259: (3, [50000])},
    )
    open_picture(data, ".tif")


@pytest.mark.parametrize("target", ["png", "webp", "avif", "jp2", "jpeg"])
def test_colours_multiplied_by_their_alpha_stay_tiff(target, random, tiff_file, copy):
    """Another format would show them darker than they are."""
    stored = random.integers(0, 256, (9, 11, 4), np.uint8)
    data = tiff_file(stored, 2, more={338: (3, [1])})
    with pytest.raises(FileFailed, match="multiplied by their transparency; choose --format tiff"):
        copy(data, ".tif", format=target)
