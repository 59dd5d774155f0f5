"""WebP animations of one frame."""

import struct

import numpy as np
import pytest

from noisecli.errors import FileSkipped

HEAD = 12


def piece(kind, body):
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def pieces_of(data):
    position = HEAD
    while position < len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        yield kind, data[position + 8 : position + 8 + size]
        position += 8 + size + (size & 1)


def animation(still, size, canvas=None, place=(0, 0), before=b"", copies=1):
    """Return a still WebP as an animation."""

    def sides(width, height):
        return (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")

    image = b"".join(piece(*each) for each in pieces_of(still) if each[0] != b"VP8X")
    at = b"".join((side // 2).to_bytes(3, "little") for side in place)
    frame = piece(b"ANMF", at + sides(*size) + b"\x64\0\0\0" + image) * copies
    parts = piece(b"VP8X", b"\x12\0\0\0" + sides(*(canvas or size))) + before + piece(b"ANIM", bytes(6)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WEBP" + parts


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("alpha", [True, False])
def test_one_frame_is_an_image(lossless, alpha, photo, pillow_file, open_picture, frames_of):
    picture = np.dstack([photo, photo[..., 0]]) if alpha else photo
    still = pillow_file(picture, "WEBP", lossless=lossless)
    source = open_picture(animation(still, (64, 48), before=piece(b"ICCP", b"profile")) + b"more", ".webp")
    assert np.array_equal(frames_of(source)[0][..., :3], frames_of(open_picture(still, ".webp"))[0][..., :3])
    assert source.warnings == ("trailing-data",)


@pytest.mark.parametrize("other", [{"canvas": (80, 60)}, {"place": (2, 2)}])
def test_one_frame_on_part_of_a_canvas_is_named(other, photo, pillow_file, open_picture):
    data = animation(pillow_file(photo, "WEBP"), (64, 48), **other)
    with pytest.raises(FileSkipped, match="is an animation of one frame; save it as a still image"):
        open_picture(data, ".webp")


def test_frames_in_frames_end(photo, pillow_file, skipped):
    data = pillow_file(photo, "WEBP")
    for _ in range(2):
        data = animation(data, (64, 48))
    skipped(data, "animated", ".webp")
