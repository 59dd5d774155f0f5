"""Small files that decode to much: refused by their headers, before anything is allocated; legal ones are not."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from noisecli.codecs.image.detect import read_header
from noisecli.errors import FileFailed
from noisecli.model import Limits

SIDE, MOST = 600, 1 << 20
"""1,080,000 bytes in colour, and a limit just below."""


def deflated(length):
    """Return so many zeros, deflated."""
    deflater = zlib.compressobj(9)
    pieces = [deflater.compress(bytes(1 << 20)) for _ in range(length >> 20)]
    return b"".join([*pieces, deflater.compress(bytes(length & 0xFFFFF)), deflater.flush()])


def refused(data, reason="too-large", **limits):
    with pytest.raises(FileFailed) as caught:
        read_header(data, Limits(**limits))
    assert caught.value.reason == reason
    return caught.value.message


@pytest.fixture(scope="module")
def flat_png(png_chunk):
    def made(width, height, bits=8, colour=2, before=()):
        row = 1 + width * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] // 8
        header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
        chunks = [(b"IHDR", header), *before, (b"IDAT", deflated(row * height)), (b"IEND",)]
        return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in chunks)

    return made


def webp(*chunks):
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(each)) + each + b"\0" * (len(each) & 1)
                              for kind, each in chunks)  # fmt: skip
    return b"RIFF" + struct.pack("<I", len(body)) + body


def vp8l(width, height):
    return b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(range(1, 60))


def jpeg_of(encode, side, channels):
    """Return the header of a JPEG of this size on entropy data that could hold it."""
    picture = np.zeros((16, 16, 3) if channels == 3 else (16, 16), np.uint8)
    data = encode(".jpg", picture)
    frame = data.index(b"\xff\xc0")
    blocks = 3 * (side // 8 + 1) ** 2
    sized = data[: frame + 5] + struct.pack(">HH", side, side) + data[frame + 9 : -2]
    return sized + b"\x28" * (blocks // 4) + b"\xff\xd9"


class TestEveryFormat:
    """Each says by its header how many bytes it decodes to."""

    def bombs(self, name, flat_png, encode, tiff_file, avif_file):
        if name == "png":
            return flat_png(SIDE, SIDE)
        if name == "png of 16 bits":
            return flat_png(SIDE, SIDE // 2, 16)
        if name == "png of a palette":
            return flat_png(SIDE, SIDE, 8, 3, [(b"PLTE", bytes(6))])
        if name == "png of grey and alpha":
            return flat_png(SIDE, SIDE, 8, 4)
        if name == "png of grey with tRNS":
            return flat_png(SIDE, SIDE, 8, 0, [(b"tRNS", bytes(2))])
        if name == "webp":
            return webp(vp8l(SIDE, SIDE))
        if name == "jpeg":
            return jpeg_of(encode, SIDE, 3)
        if name == "tiff":
            size = {256: (4, [SIDE]), 257: (4, [SIDE]), 278: (4, [SIDE]), 259: (3, [8])}
            return tiff_file(np.zeros((400, 400, 3), np.uint8), 2, more=size)
        if name == "tiff of one wide tile":
            tile = {322: (4, [4096]), 323: (4, [4096]), 324: (4, [8]), 325: (4, [90_000]), 259: (3, [8])}
            return tiff_file(np.zeros((30, 1000, 3), np.float64), 2, 3, more={**tile, 256: (4, [1]), 257: (4, [1])})
        if name == "bmp":
            rows = b"".join(b"\xff\0" * (SIDE // 255) + bytes((SIDE % 255, 0, 0, 0)) for _ in range(SIDE)) + b"\0\1"
            sizes = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(rows), 0, 0, 256, 0)
            return struct.pack("<2sIII", b"BM", 1078 + len(rows), 0, 1078) + sizes + bytes(1024) + rows
        if name == "gif":
            data = encode(".gif", np.zeros((16, 16, 3), np.uint8))
            at = data.index(b"\x2c")
            big = struct.pack("<HH", SIDE, SIDE)
            data = data[:6] + big + data[10 : at + 5] + big + data[at + 9 :]
            return data[:-1] + (b"!\xfe\xff" + bytes(255) + b"\0") * 800 + data[-1:]
        if name == "jp2":
            data = bytearray(encode(".jp2", np.zeros((64, 64, 3), np.uint8)))
            start = data.index(b"\xff\x4f\xff\x51")
            struct.pack_into(">IIII", data, start + 8, SIDE, SIDE, 0, 0)
            return bytes(data)
        assert name == "avif"
        return avif_file(SIDE, SIDE)

    @pytest.mark.parametrize(
        "name",
        [
            *("png", "png of 16 bits", "png of a palette", "png of grey and alpha", "png of grey with tRNS"),
            *("webp", "jpeg", "tiff", "tiff of one wide tile", "bmp", "gif", "jp2", "avif"),
        ],
    )
    def test_refused(self, name, flat_png, encode, tiff_file, avif_file):
        data = self.bombs(name, flat_png, encode, tiff_file, avif_file)
        assert "--max-decoded" in refused(data, max_decoded=MOST)
        read_header(data, Limits(max_decoded=1 << 30))

    def test_pages_are_counted_together(self, flat_png, pillow_file):
        from PIL import Image

        page = Image.new("RGB", (600, 600))
        data = pillow_file(page, "TIFF", save_all=True, append_images=[page] * 3, compression="tiff_deflate")
        assert read_header(data, Limits()).decoded >= 4 * 600 * 600 * 3
        refused(data, max_decoded=4 * 600 * 600 * 3 - 1)

    def test_the_limit_by_default(self, flat_png):
        """134,670,000 bytes of colour from 130 kB: just above 128 MiB, far below --max-pixels."""
        assert "134,670,000" in refused(flat_png(6700, 6700))

    def test_a_white_scan_is_no_bomb(self, flat_png):
        """A4 at 600 dots per inch: 35 MB of grey from 34 kB, and 104 MB of colour."""
        assert read_header(flat_png(4960, 7016, 8, 0), Limits()).decoded >= 4960 * 7016
        assert read_header(flat_png(4960, 7016), Limits()).decoded >= 3 * 4960 * 7016


class TestWebp:
    @pytest.mark.parametrize("order", [(1, 0), (0, 1)])
    def test_two_pictures(self, order):
        both = [vp8l(16, 16), vp8l(4000, 4000)]
        assert "two images" in refused(webp(*(both[at] for at in order)), "corrupt")

    @pytest.mark.parametrize("first", [True, False])
    def test_lossy_and_lossless(self, first, encode):
        data = encode(".webp", np.zeros((16, 16, 3), np.uint8), cv2.IMWRITE_WEBP_QUALITY, 80)
        lossy = b"VP8 ", data[20 : 20 + struct.unpack_from("<I", data, 16)[0]]
        refused(webp(*((lossy, vp8l(4000, 4000)) if first else (vp8l(4000, 4000), lossy))), "corrupt")

    def test_canvas_of_another_size(self):
        canvas = b"VP8X", bytes(4) + (15).to_bytes(3, "little") * 2
        read_header(webp(canvas, vp8l(16, 16)), Limits())
        assert "canvas" in refused(webp(canvas, vp8l(4000, 4000)), "corrupt")


class TestMetadata:
    def test_tiff_tags_that_share_a_block(self, tiff_file):
        data = tiff_file(np.zeros((1000, 2600), np.uint8), 1, more={65000 + at: (7, b"12345") for at in range(60)})
        for at in range(60):
            place = data.rindex(struct.pack("<HHI", 65000 + at, 7, 5))
            data = data[:place] + struct.pack("<HHII", 65000 + at, 7, 2_600_000, 8) + data[place + 12 :]
        message = refused(data)
        assert "share" in message
        assert f"{60 * 2_600_000:,}" in message
        assert read_header(data, Limits(max_decoded=1 << 30)).metadata.size == 60 * 2_600_000

    def test_millions_of_empty_segments(self, encode):
        data = encode(".jpg", np.zeros((8, 8, 3), np.uint8))
        empty = b"\xff\xe1\0\2" * 200_000
        header = read_header(data[:2] + empty + data[2:], Limits())
        assert header.metadata.native == empty

    def test_millions_of_stray_bytes(self, encode):
        data = encode(".jpg", np.zeros((8, 8, 3), np.uint8))
        segment = data[2:20]
        assert "oddities" in refused(data[:2] + segment + b"a\xff\xe1\0\2" * 500_000 + data[20:], "corrupt")

    def test_millions_of_texts(self, png_chunk, flat_png):
        texts = png_chunk(b"tEXt") * 100_000
        data = flat_png(2, 2)
        assert read_header(data[:33] + texts + data[33:], Limits()).metadata.native == texts

    @pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
    def test_compressed_texts_are_kept_and_never_inflated(self, kind, open_picture, write_picture, flat_png, png_chunk):
        """libpng would keep eight million bytes of each."""
        body = b"k\0\0" if kind == b"zTXt" else b"k\0\1\0\0\0"
        text = png_chunk(kind, body + deflated(7_900_000))
        data = flat_png(2, 2)
        written, _ = write_picture(open_picture(data[:33] + text * 100 + data[33:]))
        assert written.count(text) == 100

    @pytest.mark.parametrize(
        ("kind", "body"), [(b"iCCP", b"p\0\0"), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0")], ids=["profile", "xmp"]
    )
    def test_many_profiles_inflate_once(self, kind, body, monkeypatch, flat_png):
        inflaters = []
        make = zlib.decompressobj
        monkeypatch.setattr(zlib, "decompressobj", lambda: inflaters.append(1) or make())
        chunk = (kind, body + deflated(1 << 20))
        read_header(flat_png(2, 2, before=[chunk] * 50), Limits())
        assert len(inflaters) == 1
