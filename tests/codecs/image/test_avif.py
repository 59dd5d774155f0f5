"""AVIF: what counts is the primary item's own, found by walking; and its stream must be as big as the boxes say."""

import contextlib
import struct

import cv2
import numpy as np
import pytest

from noisecli.codecs.image import avif
from noisecli.codecs.image.av1 import sequences
from noisecli.codecs.image.detect import read_header
from noisecli.errors import FileFailed, FileProblem, FileSkipped
from noisecli.model import Limits

SIZE = (b"ispe", struct.pack(">III", 0, 9000, 9000))
TURN = (b"irot", b"\1")
PROFILE = (b"colr", b"prof" + b"somebody's profile")
DEEP = (b"av1C", b"\x81\0\x40\0")


def read(data, **limits):
    return read_header(data, Limits(**limits))


def corrupt(data):
    with pytest.raises(FileFailed) as caught:
        read(data)
    assert caught.value.reason == "corrupt"
    return caught.value.message


class TestStream:
    @pytest.mark.parametrize("real", [(16000, 16000), (64, 65), (8, 8)])
    def test_another_size_than_the_boxes(self, avif_file, real):
        assert f"{real[0]} x {real[1]}" in corrupt(avif_file(64, 64, real))

    def test_a_lie_of_a_real_file(self, photo, encode, open_picture):
        data = encode(".avif", photo)
        at = data.index(b"ispe") + 8
        open_picture(data, ".avif")
        corrupt(data[:at] + struct.pack(">II", 16, 16) + data[at + 8 :])

    @pytest.mark.parametrize("depth", [8, 10, 12])
    @pytest.mark.parametrize("shape", [(33, 70), (48, 64, 3), (48, 64, 4)])
    def test_sequence_headers_of_an_encoder(self, encode, depth, shape):
        picture = np.zeros(shape, np.uint8 if depth == 8 else np.uint16)
        data = encode(".avif", picture, cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_SPEED, 9)
        start = data.index(b"mdat") + 4
        found = next(sequences(data[start:]))
        assert (found.height, found.width, found.depth) == (*shape[:2], depth)

    @pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4"}, {"range": "limited"}, {"codec": "auto"}])
    def test_another_writer(self, photo, pillow_file, open_picture, options):
        assert open_picture(pillow_file(photo, "AVIF", **options), ".avif").spec.shape == photo.shape

    def test_another_depth_than_the_boxes(self, avif_file):
        data = avif_file(64, 64)
        assert "bits" in corrupt(data.replace(b"av1C\x81\0\0\0", b"av1C\x81\0\x40\0"))

    def test_no_stream(self, avif_file):
        data = avif_file(64, 64)
        corrupt(data[:-11] + b"\x12" + data[-10:])

    def test_data_behind_the_end(self, avif_file):
        data = avif_file(64, 64)
        with pytest.raises(FileFailed):
            read(data[:-4])


class TestWalk:
    @pytest.mark.parametrize("hidden", [SIZE, TURN, PROFILE, DEEP, (b"clap", bytes(32)), (b"imir", b"\1")])
    @pytest.mark.parametrize("where", ["free", "properties"])
    def test_what_is_not_the_primary_items(self, avif_file, hidden, where):
        """In a box that means nothing, or a property of no item."""
        kind, body = hidden
        whole = struct.pack(">I4s", 8 + len(body), kind) + body
        data = (
            avif_file(64, 64, boxes=[(b"free", whole)]) if where == "free" else avif_file(64, 64, properties=[hidden])
        )
        header = read(data)
        assert (header.width, header.height, header.orientation, header.full_scale) == (64, 64, 1, None)
        assert header.metadata == read(avif_file(64, 64)).metadata

    def test_what_is(self, avif_file):
        header = read(avif_file(64, 64, own=[TURN, PROFILE]))
        assert (header.orientation, header.metadata.icc) == (8, PROFILE[1][4:])
        assert read(avif_file(64, 64, own=[(b"clap", bytes(32))])).metadata.lost

    @pytest.mark.parametrize("kind", [b"pitm", b"iloc", b"iinf", b"iprp"])
    def test_boxes_twice_or_missing(self, avif_file, kind):
        corrupt(avif_file(64, 64, boxes=[(kind, bytes(14))]))
        corrupt(avif_file(64, 64).replace(kind, b"free"))

    @pytest.mark.parametrize("size", [0, 1, 2, 7, 9, 1 << 31, (1 << 32) - 1])
    @pytest.mark.parametrize("kind", [b"meta", b"iprp", b"ipco", b"ipma", b"ispe", b"iloc", b"iinf", b"infe", b"pitm"])
    def test_sizes_that_lie(self, avif_file, kind, size):
        data = bytearray(avif_file(64, 64))
        struct.pack_into(">I", data, data.index(kind) - 4, size)
        with contextlib.suppress(FileProblem):  # 0 is right for the last box of another
            assert read(bytes(data)).width == 64

    def test_tables_of_millions(self, avif_file):
        many = b"".join(struct.pack(">I4s", 8, b"free") for _ in range(300_000))
        assert "entries" in corrupt(
            avif_file(64, 64, boxes=[(b"iprp", struct.pack(">I4s", 8 + len(many), b"ipco") + many)])
        )

    def test_places_of_no_bytes(self, avif_file):
        """Sixty thousand items with as many pieces each, of which none takes a byte."""
        table = struct.pack(">IBBH", 0, 0, 0, 60_000) + b"".join(
            struct.pack(">HHH", item, 0, 65_535) for item in range(60_000)
        )
        corrupt(avif_file(64, 64, boxes=[(b"iloc", table)]))


class TestWhatOpenCvDoesNotTakeForAnAvif:
    def late(self, data):
        """Return the same file with its meta box behind its data."""
        at = data.index(b"meta") - 4
        (size,) = struct.unpack_from(">I", data, at)
        return data[: at + 4] + b"free" + data[at + 8 :] + data[at : at + size]

    def test_a_meta_box_behind_the_data(self, photo, encode, frames_of, open_picture):
        data = encode(".avif", photo)
        late = self.late(data)
        assert cv2.imdecode(np.frombuffer(late, np.uint8), cv2.IMREAD_UNCHANGED) is None
        source = open_picture(late, ".avif")
        np.testing.assert_array_equal(frames_of(source)[0], frames_of(open_picture(data, ".avif"))[0])
        assert source.warnings == ()

    def test_a_meta_box_in_the_middle_moves_what_is_around_it(self, photo, encode):
        """Data in front of the box and behind it is found again."""
        data = encode(".avif", photo)
        late = self.late(data) + struct.pack(">I4s", 8 + 600, b"free") + bytes(600)
        for each in (data, late):
            moved = avif.with_room(each)
            assert moved.index(b"meta") < 64
            decoded = cv2.imdecode(np.frombuffer(moved, np.uint8), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(decoded, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))


def test_tiles_that_share_their_data(photo, pillow_file):
    """An encoder stores equal tiles once."""
    data = pillow_file(photo, "AVIF")
    items, _ = avif.items_of(data)
    items.kinds[9], items._owned[9], items.places[9] = b"av01", items._owned[1], items.places[1]
    depths, pixels = avif._check_streams(items, [1, 9])
    assert (depths, pixels) == ([8, 8], 2 * 48 * 64)
    start, size = items.places[1].pieces[0]
    items.places[9] = items.places[1]._replace(pieces=((start + 1, size - 1),))
    with pytest.raises(FileFailed, match="overlap"):
        avif._check_streams(items, [1, 9])


def test_grey_with_transparency_is_named(photo, pillow_file, open_picture):
    data = pillow_file(np.dstack([photo[..., 0], photo[..., 1]]), "AVIF", mode="RGBA")
    at = data.index(b"av1C") + 6
    grey = data[:at] + bytes((data[at] | 0x10,)) + data[at + 1 :]
    with pytest.raises(FileSkipped, match=r"grey AVIFs with transparency are left alone.*; convert it to PNG"):
        open_picture(grey, ".avif")


def test_a_gain_map_is_lost_by_name(photo, encode, copy):
    data = encode(".avif", photo)
    at = data.index(b"iinf") - 4
    (size,) = struct.unpack_from(">I", data, at)
    (count,) = struct.unpack_from(">H", data, at + 12)
    infe = struct.pack(">I4sIHH4s", 21, b"infe", 2 << 24, 99, 0, b"tmap") + b"\0"
    iinf = struct.pack(">I", size + len(infe)) + data[at + 4 : at + 12] + struct.pack(">H", count + 1)
    iinf += data[at + 14 : at + size] + infe
    items, _ = avif.items_of(data)
    assert b"tmap" not in items.kinds.values()
    start = data.index(b"meta") - 4
    (length,) = struct.unpack_from(">I", data, start)
    longer = data[:start] + struct.pack(">I", length + len(infe)) + data[start + 4 : at] + iinf + data[at + size :]
    assert avif._lost_items(avif.items_of(longer)[0], []) == {"gain-map"}
