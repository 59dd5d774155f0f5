"""Stand-ins for files, and makers of pictures that no library would write."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from noisecli.codecs import image
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Encoding, Limits

KEY = bytes(16)


class MemoryInput:
    def __init__(self, data, suffix):
        self.data, self.size, self.suffix = data, len(data), suffix

    def read(self):
        return self.data

    def fileno(self):
        raise AssertionError("pictures are read by read()")


class MemoryOutput:
    def __init__(self):
        self.writes = []

    def write(self, data):
        self.writes.append(bytes(data))

    def fileno(self):
        raise AssertionError("pictures are written by write()")


@pytest.fixture(scope="session")
def open_picture():
    def open_it(data, suffix=".png", **limits):
        return image.open_source(MemoryInput(data, suffix), Limits(**limits))

    return open_it


@pytest.fixture(scope="session")
def frames_of():
    def frames(source):
        return [np.array(block) for block in source.blocks()]

    return frames


@pytest.fixture(scope="session")
def write_picture():
    """Return (bytes, sink) of a source's blocks, or of others, encoded."""

    def write(source, blocks=None, spec=None, **encoding):
        output = MemoryOutput()
        sink = image.create_sink(output, source, spec or source.spec, Encoding(**encoding), KEY)
        for block in source.blocks() if blocks is None else blocks:
            sink.write(block)
        sink.finish()
        assert len(output.writes) == 1
        return output.writes[0], sink

    return write


@pytest.fixture(scope="session")
def copy(open_picture, write_picture):
    """Return (bytes, sink, source) of a file decoded and encoded again."""

    def through(data, suffix=".png", **encoding):
        source = open_picture(data, suffix)
        written, sink = write_picture(source, **encoding)
        return written, sink, source

    return through


@pytest.fixture(scope="session")
def photo():
    """Smooth colour with a little grain, 48 x 64."""
    random = np.random.default_rng(7)
    coarse = random.uniform(20, 235, (8, 10, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + random.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def encode():
    def encoded(suffix, picture, *options):
        done, buffer = cv2.imencode(suffix, picture, list(options))
        assert done
        return buffer.tobytes()

    return encoded


@pytest.fixture(scope="session")
def pillow_file():
    def saved(picture, kind, mode=None, **options):
        made = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        stream = io.BytesIO()
        (made.convert(mode) if mode else made).save(stream, kind, **options)
        return stream.getvalue()

    return saved


@pytest.fixture(scope="session")
def pillow_read():
    def read(data, mode=None):
        with Image.open(io.BytesIO(data)) as opened:
            opened.load()
            return opened.convert(mode) if mode else opened.copy()

    return read


@pytest.fixture(scope="session")
def png_chunk():
    def chunk(kind, body=b""):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return chunk


@pytest.fixture(scope="session")
def png_file(png_chunk):
    """Return a PNG of raw rows (each with its filter byte), with chunks before and after the picture."""

    def made(width, height, bits, colour, rows, before=(), after=()):
        header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
        chunks = [png_chunk(b"IHDR", header), *(png_chunk(*each) for each in before)]
        chunks += [png_chunk(b"IDAT", zlib.compress(rows)), *(png_chunk(*each) for each in after), png_chunk(b"IEND")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

    return made


@pytest.fixture(scope="session")
def tiff_file():
    """Return an uncompressed one-page TIFF; `more` maps tags to (type, values) and overrides."""
    letters = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B"}

    def made(samples, photometric, sample_format=1, order="<", more=None):
        height, width = samples.shape[:2]
        count = samples.shape[2] if samples.ndim == 3 else 1
        body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
        bits = samples.dtype.itemsize * 8
        tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * count), 259: (3, [1]), 262: (3, [photometric])}
        tags |= {273: (4, [8]), 277: (3, [count]), 278: (4, [height]), 279: (4, [len(body)]), 284: (3, [1])}
        tags |= {339: (3, [sample_format] * count), **(more or {})}
        start = 8 + len(body) + len(body) % 2
        entries, values, beyond = b"", b"", start + 6 + 12 * len(tags)
        for tag, (kind, numbers) in sorted(tags.items()):
            raw = b"".join(struct.pack(order + letters[kind], number) for number in numbers)
            entries += struct.pack(order + "HHI", tag, kind, len(numbers))
            entries += raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(order + "I", beyond + len(values))
            values += raw + b"\0" * (len(raw) % 2) if len(raw) > 4 else b""
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start) + body
        return head.ljust(start, b"\0") + struct.pack(order + "H", len(tags)) + entries + bytes(4) + values

    return made


@pytest.fixture(scope="session")
def avif_file():
    """Return an AVIF whose one AV1 stream is a sequence header: enough to be judged by, not to be decoded.

    `properties` stand in front of the image's own, which it does not have; `boxes` stand in front of all in meta.
    """

    def box(kind, body):
        return struct.pack(">I4s", 8 + len(body), kind) + body

    def stream(width, height):
        # profile 0, a still picture with a reduced header, level 0, 16 bits for each side, no tools, 8 bits
        bits = f"00011{0:05b}{15:04b}{15:04b}{width - 1:016b}{height - 1:016b}".ljust(72, "0")
        return b"\x12\0\x0a" + bytes((len(bits) // 8,)) + int(bits, 2).to_bytes(len(bits) // 8, "big")

    def made(width, height, real=None, properties=(), own=(), boxes=()):
        data = stream(*(real or (width, height)))
        owned = [(b"ispe", struct.pack(">III", 0, width, height)), (b"av1C", b"\x81\0\0\0"), *own]
        listed = [*properties, *owned]
        links = struct.pack(">IIHB", 0, 1, 1, len(owned)) + bytes(range(len(properties) + 1, len(listed) + 1))
        iprp = box(b"iprp", box(b"ipco", b"".join(box(*each) for each in listed)) + box(b"ipma", links))
        infe = box(b"infe", struct.pack(">IHH4s", 2 << 24, 1, 0, b"av01") + b"\0")
        ftyp = box(b"ftyp", b"avif" + bytes(4) + b"avifmif1")

        def meta(place):
            iloc = box(b"iloc", struct.pack(">IBBHHHHII", 0, 0x44, 0, 1, 1, 0, 1, place, len(data)))
            iinf = box(b"iinf", struct.pack(">IH", 0, 1) + infe)
            pitm = box(b"pitm", struct.pack(">IH", 0, 1))
            return box(b"meta", bytes(4) + b"".join(box(*each) for each in boxes) + pitm + iloc + iinf + iprp)

        place = len(ftyp) + len(meta(0)) + 8
        return ftyp + meta(place) + box(b"mdat", data)

    return made


@pytest.fixture(scope="session")
def exif_of():
    """Return EXIF with nothing but an orientation and a camera's name."""

    def made(orientation):
        entries = struct.pack(">HHI", 0x010F, 2, 6) + struct.pack(">I", 38)
        entries += struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
        return b"MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4) + b"Maker\0"

    return made


@pytest.fixture
def fails(open_picture):
    def check(data, reason, suffix=".png", **limits):
        with pytest.raises(FileFailed) as caught:
            open_picture(data, suffix, **limits)
        assert caught.value.reason == reason
        assert "\n" not in caught.value.message

    return check


@pytest.fixture
def skipped(open_picture):
    def check(data, reason, suffix=".png"):
        with pytest.raises(FileSkipped) as caught:
            open_picture(data, suffix)
        assert caught.value.reason == reason

    return check
