"""What the summary says where the noise that is there is not the noise that was asked for."""

import numpy as np
import pytest
import soundfile

RNG = np.random.default_rng(15)
PERCENT = 0.01


@pytest.fixture
def grey(tmp_path):
    """Write a grey image into src by hand."""

    def write(array, name="a.pgm"):
        path = tmp_path / "src" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"P5 %d %d 255\n" % array.shape[::-1] + array.astype(np.uint8).tobytes())

    return write


def read(path, shape):
    return np.frombuffer(path.read_bytes()[-shape[0] * shape[1] :], np.uint8).reshape(shape).astype(float)


def test_clipping_is_told_by_level_with_the_ratio_that_is_there(noisy, grey, rows, tmp_path, destination):
    pictures = {name: RNG.integers(0, 256, (64, 64)) for name in ("a.pgm", "b.pgm")}
    for name, picture in pictures.items():
        grey(picture, name)
    grey(np.full((64, 64), 128), "middle.pgm")
    done = noisy("images", tmp_path / "src", destination, "--std", "1,20", "--json")
    assert list(done.summary["clipped"]) == ["std=20"]
    clipped, in_db, kept = [], [], []
    for name, picture in pictures.items():
        made = read(destination / "std-20" / name, picture.shape)
        row = rows(destination)[f"std-20/{name}"]
        added = made - picture
        in_db.append(10 * np.log10(np.square(picture.astype(float)).mean() / np.square(added).mean()))
        assert row["snr_db"] == pytest.approx(in_db[-1], rel=1e-5)
        assert row["clipped_fraction"] > PERCENT
        clipped.append(row["clipped_fraction"])
        kept.append(added.std() / 20)
    told = done.summary["clipped"]["std=20"]
    assert told["outputs"] == 2
    assert told["snr_db"] == pytest.approx(np.mean(in_db), rel=1e-5)
    assert told["kept"] == pytest.approx(np.mean(kept), rel=1e-5)
    middle = rows(destination)["std-20/middle.pgm"]
    there, share = np.mean([*kept, middle["measured_std"] / 20]) * 20, np.mean([*clipped, middle["clipped_fraction"]])
    assert f"\nstd 20 asked, {there:.1f} on average after clipping ({share:.1%} of samples clipped).\n" in done.err
    way_out = "--dtype float32 --format tiff --no-clip keeps all noise\n"
    assert f"\n2 images have more than 1% of their samples clipped: {way_out}" in done.err
    without = noisy("images", tmp_path / "src", destination, "--std", "20", "--dtype", "float32", "--format", "tiff",
                    "--no-clip", "--force")  # fmt: skip
    assert "clipped" not in without.err


def test_a_sound_that_is_clipped_has_another_ratio_than_asked(noisy, rows, tmp_path, destination):
    (tmp_path / "src").mkdir()
    clean = np.rint(RNG.uniform(-32768, 32767, (8000, 1))).astype("int16")
    soundfile.write(tmp_path / "src/a.wav", clean, 8000, "PCM_16")
    done = noisy("audio", tmp_path / "src", destination, "--snr-db", "-3")
    made = soundfile.read(destination / "a.wav", dtype="int16", always_2d=True)[0]
    there = 10 * np.log10(np.square(clean.astype(float)).sum() / np.square(made - clean.astype(float)).sum())
    assert there > -1
    assert rows(destination)["a.wav"]["snr_db"] == pytest.approx(there, rel=1e-5)
    share = rows(destination)["a.wav"]["clipped_fraction"]
    sentence = f"SNR -3 dB asked, {there:.1f} dB after clipping ({share:.1%} of samples clipped)."
    assert done.err.splitlines()[0].endswith(sentence)
    assert "1 audio file has more than 1% of its samples clipped" in done.err
    assert "1 audio file has an SNR more than 0.5 dB from what was asked, by clipping or rounding" in done.err
    assert "more noise than signal" not in done.err


def test_more_noise_than_signal_is_told_where_nobody_asked_for_it(noisy, grey, rows, tmp_path, destination):
    grey(RNG.integers(0, 8, (64, 64)), "dark.pgm")
    grey(RNG.integers(100, 150, (64, 64)), "light.pgm")
    done = noisy("images", tmp_path / "src", destination, "--std", "25")
    there = rows(destination)["dark.pgm"]["snr_db"]
    assert there < 0
    line = f"1 image has more noise than signal (an SNR of {there:.1f} dB); where the level's unit is not theirs, "
    assert line + "--full-scale V says what full scale is, and --snr-db goes by the signal\n" in done.err
    assert "more noise" not in noisy("images", tmp_path / "src", destination, "--snr-db", "-5").err
    assert "more noise" not in noisy("images", tmp_path / "src", destination, "--std", "1").err


def test_arrays_in_another_unit(noisy, tmp_path, destination):
    (tmp_path / "src").mkdir()
    np.save(tmp_path / "src/a.npy", RNG.random((100, 4)))
    done = noisy("arrays", tmp_path / "src", destination, "--std", "25")
    assert "1 array file has more noise than signal" in done.err
    assert "--std 5% is a share of each array's own std" in done.err
    assert "more noise" not in noisy("arrays", tmp_path / "src", destination, "--std", "2000%").err
