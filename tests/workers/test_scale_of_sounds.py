"""Full scale of audio files: floats that hold integers, floats a little beyond 1, 12 bits in 16."""

import io

import numpy as np
import pytest
import soundfile

RATE, FRAMES = 8000, 8000
RNG = np.random.default_rng(13)
LOUD = np.rint(RNG.normal(0, 5000, (FRAMES, 1)).clip(-32000, 32000)).astype("float32")
CONTAINERS = {"wav": "WAV", "aiff": "AIFF", "au": "AU", "caf": "CAF", "w64": "W64"}


@pytest.fixture
def write(tmp_path):
    def write_sound(array, name="a.wav", subtype="FLOAT"):
        path = tmp_path / "src" / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, array, RATE, subtype, format=CONTAINERS[path.suffix[1:]])

    return write_sound


@pytest.fixture
def run(noisy, tmp_path, destination):
    """Run `noisecli audio src dst`; --std 0.01 unless a level is among the arguments."""

    def audio(*arguments):
        level = () if {"--std", "--snr-db"} & set(arguments) else ("--std", "0.01")
        return noisy("audio", tmp_path / "src", destination, *level, *arguments)

    return audio


def read(path, dtype="float64"):
    return soundfile.read(io.BytesIO(path.read_bytes()), dtype=dtype, always_2d=True)[0]


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("level", [("--std", "0.01"), ("--snr-db", "10")])
def test_floats_that_hold_16_bits_are_named(run, write, errors, rows, destination, suffix, level):
    name = f"a.{suffix}"
    write(LOUD, name)
    assert run(*level).status == 1
    entry = errors(destination)[name]
    assert entry["reason"] == "out-of-range"
    assert entry["message"].endswith("far beyond full scale, which is 1; say what it is: --full-scale 32768")
    assert run(*level, "--full-scale", "32768").status == 0
    made, row = read(destination / name), rows(destination)[name]
    added = made - LOUD
    std = 327.68 if level[0] == "--std" else float(np.sqrt(np.square(LOUD.astype(float)).mean() / 10))
    assert row["std"] == pytest.approx(std, rel=1e-7)
    assert row["std_fraction"] == pytest.approx(std / 32768, rel=1e-7)
    assert (row["unit"], row["clipped_fraction"], row["warnings"]) == ("1/32768", 0.0, [])
    assert row["measured_std"] == pytest.approx(added.std(), rel=1e-5)
    assert added.std() == pytest.approx(std, rel=4.5 / (2 * FRAMES) ** 0.5)
    powers = np.square(LOUD.astype(float)).mean() / np.square(added).mean()
    assert row["snr_db"] == pytest.approx(10 * np.log10(powers), rel=1e-5)


@pytest.mark.parametrize("dtype", ["FLOAT", "DOUBLE"])
def test_what_the_source_itself_exceeds_is_not_clipped(run, write, noisy, rows, tmp_path, destination, dtype):
    """A master at +2 dB, and what decoders of lossy files make of a loud sound."""
    clean = np.full((FRAMES, 1), 1.2)
    clean[::4] = 0.5
    clean[:2, 0] = 1.38, -1.3
    write(clean, subtype=dtype)
    assert run("--std", "0.1").status == 0
    made, row = read(destination / "a.wav"), rows(destination)["a.wav"]
    assert row["warnings"] == ["overshoot"]
    assert made.max() == pytest.approx(1.38)
    held = np.isclose(made, 1.38) & (np.arange(FRAMES)[:, None] > 0)
    assert row["clipped_fraction"] == pytest.approx(held.mean(), abs=1.5 / FRAMES)
    # 0.18 below the clip is 1.8 std: 3.6% of these are held, where full scale itself would have held 98%
    loud = (made - clean)[clean == 1.2]
    assert abs(np.median(loud)) < 0.005
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0


def test_a_sound_within_full_scale_ends_there(run, write, rows, destination):
    write(np.full((FRAMES, 1), 0.95))
    assert run("--std", "0.1").status == 0
    assert read(destination / "a.wav").max() == 1
    assert rows(destination)["a.wav"]["warnings"] == []


def test_without_a_clip_nothing_is_wider(run, write, rows, destination):
    write(np.full((FRAMES, 1), 1.2))
    assert run("--std", "0.1", "--no-clip").status == 0
    assert read(destination / "a.wav").max() > 1.4
    assert rows(destination)["a.wav"]["warnings"] == []


@pytest.mark.parametrize(("peak", "scale"), [(100, "128"), (5e6, "8388608"), (2e9, "2147483648"), (1e20, "V")])
def test_the_scale_that_is_likely_is_named(run, write, errors, destination, peak, scale):
    write(LOUD / np.float32(32000) * np.float32(peak))
    assert run().status == 1
    assert errors(destination)["a.wav"]["message"].endswith(f"--full-scale {scale}")


def test_what_is_no_number_is_not_loud(run, write, rows, destination):
    clean = np.zeros((FRAMES, 1))
    clean[:3, 0] = np.nan, np.inf, -np.inf
    write(clean)
    assert run("--std", "0.1").status == 0
    assert rows(destination)["a.wav"]["warnings"] == ["not-finite"]


def test_12_bits_in_16(run, write, errors, rows, noisy, tmp_path, destination):
    clean = np.rint(RNG.normal(0, 700, (FRAMES, 1)).clip(-2048, 2047)).astype("int16")
    write(clean, subtype="PCM_16")
    assert run("--std", "0.25", "--full-scale", "2048").status == 0
    made, row = read(destination / "a.wav", "int16"), rows(destination)["a.wav"]
    assert (made.min(), made.max()) == (-2048, 2048)
    assert (row["std"], row["unit"], row["std_fraction"]) == (512, "1/2048", 0.25)
    assert row["measured_std"] == pytest.approx((made.astype(float) - clean).std(), rel=1e-5)
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0
    for scale, words in (
        ("100", "outside -100..100; say what full scale is"),
        ("40000", "end at 32767, below --full-scale 40000"),
    ):
        assert run("--full-scale", scale).status == 1
        assert words in errors(destination)["a.wav"]["message"]


def test_all_of_16_bits_is_the_default(run, write, rows, destination):
    write(LOUD.astype("int16"), subtype="PCM_16")
    assert run().status == 0
    without = read(destination / "a.wav", "int16")
    assert run("--full-scale", "32768").status == 0
    assert np.array_equal(read(destination / "a.wav", "int16"), without)


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
@pytest.mark.parametrize("form", ["ogg", "mp3"])
def test_encoders_that_take_floats_get_full_scale_1(run, write, destination, subtype, form):
    """A tone at half of 32768 is one at 0.5 there, whatever --full-scale says of integers."""
    tone = np.rint(16384 * np.sin(np.arange(2 * FRAMES)[:, None] / 5)).astype("float32")
    write(tone.astype("int16") if subtype == "PCM_16" else tone, subtype=subtype)
    scale = "20000" if subtype == "PCM_16" else "32768"
    done = run("--std", "0.001", "--full-scale", scale, "--format", form, "--json")
    assert done.status == 0
    made = read(destination / f"a.{form}")
    assert np.abs(made[FRAMES : FRAMES + 4000]).max() == pytest.approx(0.5, abs=0.02)


def test_a_lossy_source_stays_as_loud_as_it_is(run, write, noisy, tmp_path, destination):
    write(np.sin(np.arange(2 * FRAMES)[:, None] / 5) / 2)
    loud, again = tmp_path / "loud", tmp_path / "again"
    assert noisy("audio", tmp_path / "src", loud, "--std", "0.001", "--format", "ogg").status == 0
    assert noisy("audio", loud, again, "--std", "0.001", "--full-scale", "2").status == 0
    assert np.abs(read(again / "a.ogg")).max() == pytest.approx(0.5, abs=0.03)


def test_a_preview_takes_full_scale_too(write, noisy, tmp_path):
    write(LOUD)
    done = noisy("preview", tmp_path / "src", tmp_path / "sheet.png", "--snr-db", "10", "--full-scale", "32768")
    assert done.status == 0
