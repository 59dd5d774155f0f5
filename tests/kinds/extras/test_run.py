"""Whole runs over files that an extra reads: never side files, and no word but what is true."""

import io

import numpy as np
import pytest

SAMPLES = np.random.default_rng(4).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path, fill):
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs pillow-heif: the extra named heic")
    source = fill(tmp_path / "in", "a.png")
    buffer = io.BytesIO()
    pillow_heif.encode("RGB", (60, 40), SAMPLES.tobytes(), buffer, quality=-1, chroma=444, matrix_coefficients=0)
    (source / "IMG_1.HEIC").write_bytes(buffer.getvalue())
    return source


@pytest.fixture
def music(tmp_path, fill):
    av = pytest.importorskip("av", reason="needs PyAV: the extra named av")
    source = fill(tmp_path / "in", "a.wav")
    with av.open(str(source / "song.m4a"), "w", format="ipod") as file:
        stream = file.add_stream("alac", rate=16000, layout="mono")
        stream.codec_context.format = "s16p"
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(np.full((1, 4000), 1000, np.int16), "s16p", "mono")
        frame.sample_rate, frame.pts = 16000, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return source


@pytest.mark.parametrize("words", [(), ("--format", "png"), ("--quality", "95")])
def test_photos_are_made_verified_and_made_again_the_same(photos, words, noisy, rows, tree, destination):
    assert noisy("images", photos, destination, "--std", "25", *words).status == 0
    made = rows(destination)
    assert sorted(made) == [f"IMG_1.{'png' if 'png' in words else 'HEIC'}", "a.png"]
    row = next(row for name, row in made.items() if name.startswith("IMG"))
    assert (row["format"], row["warnings"]) == ("png" if "png" in words else "heic", [])
    assert noisy("verify", destination, "--recompute", photos).status == 0
    before = tree(destination)
    assert noisy("images", photos, destination, "--std", "25", *words, "--redo", "-j", "2").status == 0
    assert tree(destination) == before


def test_music_is_made_in_another_format_and_verified(music, noisy, rows, samples, destination):
    assert noisy("audio", music, destination, "--std", "0.01", "--format", "flac").status == 0
    row = rows(destination)["song.flac"]
    assert (row["source"], row["format"], row["shape"], row["sample_rate"]) == ("song.m4a", "flac", [4000, 1], 16000)
    assert noisy("verify", destination, "--recompute", music).status == 0


def test_music_without_a_format_is_skipped_and_never_carried_along(music, noisy, errors, outputs, destination):
    done = noisy("audio", music, destination, "--std", "0.01", "--sidecars", "copy")
    assert done.status == 0
    assert "add --format wav or flac" in errors(destination)["song.m4a"]["message"]
    assert sorted(outputs(destination)) == ["a.wav"]


def test_a_name_that_cannot_be_written_is_refused_before_any_work(music, noisy, destination):
    done = noisy("audio", music / "a.wav", destination.parent / "out.m4a", "--std", "0.01")
    assert done.status == 2
    assert ".m4a is a format that noisecli does not write" in done.err
