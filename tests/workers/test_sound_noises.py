"""Audio files: coloured noise, levels of full scale, ratios of active parts, severities; read back from disk."""

import math

import numpy as np
import pytest
import soundfile

RATE = 16000
COLORS = {"pink": -3.0103, "brown": -6.0206, "blue": 3.0103, "violet": 6.0206}
NOISES = {
    **{color: ["--std", "0.01", "--color", color] for color in COLORS},
    "slope": ["--std", "0.01", "--slope", "-4.5"],
    "a range": ["--snr-db", "10..30", "--color", "pink"],
    "a sweep": ["--level-dbfs", "-60,-40", "--slope", "2"],
    "by chance": ["--snr-db", "20", "--color", "brown", "--prob", "50%"],
    "shared": ["--snr-db", "20", "--color", "blue", "--shared-channels"],
    "active": ["--snr-db", "10..30", "--snr-of", "active"],
    "active, coloured": ["--severity", "0..5", "--snr-of", "active", "--color", "pink"],
    "levels": ["--level-dbfs", "-60..-30"],
    "severities": ["--severity", "0,1,3,5"],
    "any severity": ["--severity", "0..5", "--severity-set", "srb"],
    "unclipped": ["--level-dbfs", "-6", "--color", "violet", *["--dtype", "float32", "--no-clip", "--format", "wav"]],
}
QUICK = {"pink", "slope", "a range", "by chance", "active, coloured"}


def read(path):
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def rms(x):
    return float(np.sqrt(np.square(x).mean()))


def db(ratio):
    return 20 * math.log10(ratio)


@pytest.fixture
def sounds(tmp_path):
    """Write files of several kinds, half of one of which is silence."""
    folder, rng = tmp_path / "sounds", np.random.default_rng(5)
    (folder / "more").mkdir(parents=True)
    for name, seconds, channels, subtype, rate in (
        ("a.wav", 3.3, 1, "PCM_16", RATE),
        ("b.flac", 2, 2, "PCM_24", 44100),
        ("more/c.wav", 2.1, 3, "FLOAT", 8000),
        ("d.wav", 0.05, 1, "PCM_16", 8000),
    ):
        x = rng.normal(0, 0.1, (int(seconds * rate), channels))
        x[: len(x) // 2] *= 1e-4 if name == "a.wav" else 1
        soundfile.write(folder / name, x, rate, subtype)
    return folder


@pytest.fixture
def long(tmp_path):
    """Write a minute of a loud hum."""
    folder = tmp_path / "long"
    folder.mkdir()
    soundfile.write(folder / "hum.wav", 0.25 * np.sin(np.arange(60 * RATE) * 0.05), RATE, "PCM_16")
    return folder


@pytest.mark.parametrize(
    "words",
    [pytest.param(words, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, words in NOISES.items()],
)
def test_the_same_for_any_jobs_and_rebuilt_from_their_rows(noisy, sounds, rows, outputs, destination, tmp_path, words):
    with_copies = [*words, "--copies", "2"]
    assert noisy("audio", sounds, destination, *with_copies, "-j", "1").status == 0
    (tmp_path / "list").write_bytes(b"more/c.wav\0d.wav\0b.flac\0a.wav\0")
    other = tmp_path / "other"
    assert noisy("audio", sounds, other, *with_copies, "-j", "2", "--files0-from", tmp_path / "list").status == 0
    assert outputs(destination) == outputs(other)
    assert [*rows(destination).values()] == [*rows(other).values()]
    done = noisy("verify", destination, "--recompute", sounds, "--json")
    assert (done.status, done.summary["remade"]) == (0, len(rows(destination)))
    again = noisy("audio", sounds, destination, *with_copies, "--json")
    assert (again.summary["made"], again.summary["kept"]) == (0, len(rows(destination)))


@pytest.mark.parametrize("color", COLORS)
def test_colours_on_disk(noisy, long, rows, destination, color):
    assert noisy("audio", long, destination, "--snr-db", "20", "--color", color).status == 0
    row = rows(destination)["hum.wav"]
    assert (row["noise"], row["slope"], row["level"]) == (
        f"gaussian-{color}",
        COLORS[color],
        f"snr_db=20,color={color}",
    )
    clean, noise = read(long / "hum.wav"), read(destination / "hum.wav") - read(long / "hum.wav")
    # the std is the filter's: of brown noise a minute may have another
    assert row["std"] == pytest.approx(rms(clean) / 10 * 32768, rel={"brown": 0.2, "pink": 0.05}.get(color, 0.01))
    assert row["measured_std"] == pytest.approx(noise.std() * 32768, rel=1e-5)
    assert row["snr_db"] == pytest.approx(db(rms(clean) / rms(noise)), abs=1e-4)
    assert row["snr_db"] == pytest.approx(20, abs=0.001)
    power = np.abs(np.fft.rfft(noise[:, 0] * np.hanning(len(noise)))) ** 2
    edges = np.geomspace(20, 0.45 * RATE, 20)
    bands = [part.mean() for part in np.split(power, np.rint(edges * 60).astype(int))[1:-1]]
    octaves = np.log2(edges[1:] * edges[:-1]) / 2
    errors = np.sqrt(1 / np.diff(edges))
    assert np.polyfit(octaves, 10 * np.log10(bands), 1, w=1 / errors)[0] == pytest.approx(COLORS[color], abs=0.1)


def test_a_colour_is_another_noise_and_changing_it_makes_files_again(noisy, sounds, outputs, rows, destination):
    made = {}
    for words in (["--color", "pink"], ["--color", "brown"], ["--slope", "-3"], []):
        done = noisy("audio", sounds, destination, "--std", "0.01", *words, "--json")
        assert (done.status, done.summary["made"]) == (0, 4)
        made[" ".join(words)] = outputs(destination)["a.wav"]
    assert len({*made.values()}) == 4
    assert "slope" not in rows(destination)["a.wav"]


def test_a_row_that_somebody_edited(noisy, sounds, destination):
    assert noisy("audio", sounds, destination, "--std", "0.01", "--slope", "-3").status == 0
    manifest = destination / "manifest.jsonl"
    manifest.write_text(
        manifest.read_text().replace('"slope": -3.0', '"slope": -3.5', 1).replace('"slope": -3.0', '"slope": 9', 1)
    )
    done = noisy("verify", destination, "--recompute", sounds)
    assert done.status == 1
    assert "other bytes" in done.err
    assert "slope 9 is not a number from -6.03 to 6.03" in done.err


def test_one_file_and_a_sheet(noisy, sounds, destination, tmp_path):
    out = tmp_path / "noisy.wav"
    assert noisy("audio", sounds / "a.wav", out, "--snr-db", "0", "--color", "pink", "--snr-of", "active").status == 0
    noise = read(out) - read(sounds / "a.wav")
    half = len(noise) // 2
    assert db(rms(read(sounds / "a.wav")[half:]) / rms(noise)) == pytest.approx(0, abs=0.3)
    assert noise[:half].std() == pytest.approx(noise[half:].std(), rel=0.2)
    words = ["--level-dbfs", "-40,-20", "--color", "violet"]
    assert noisy("preview", sounds, tmp_path / "sheet.png", *words).status == 0
    assert noisy("preview", sounds, tmp_path / "other.png", "--severity", "5,1", "--snr-of", "active").status == 0


def test_lossy_and_exports(noisy, sounds, destination):
    done = noisy("audio", sounds, destination, "--level-dbfs", "-30", "--color", "pink", "--format", "ogg", "--json")
    assert done.status == 0
    assert done.summary["survival"]["level_dbfs=-30,color=pink"]["std"] == pytest.approx(1, abs=0.2)
    assert noisy("export", destination, "--to", "csv").status == 0


def test_the_ratio_of_active_parts(noisy, sounds, rows, destination):
    assert noisy("audio", sounds, destination, "--snr-db", "20", "--snr-of", "active").status == 0
    found = rows(destination)
    assert {row["snr_of"] for row in found.values()} == {"active"}
    clean = read(sounds / "a.wav")
    # the window in which the words begin is active too
    active = clean[len(clean) // 2 - len(clean) // 2 % (RATE // 10) :]
    noise = read(destination / "a.wav") - clean
    assert found["a.wav"]["std"] == pytest.approx(rms(active) / 10 * 32768, rel=1e-8)
    assert found["a.wav"]["active_snr_db"] == pytest.approx(db(rms(active) / rms(noise)), abs=1e-4)
    assert found["a.wav"]["active_snr_db"] == pytest.approx(20, abs=0.2)
    assert found["a.wav"]["snr_db"] == pytest.approx(17, abs=0.3)
    assert found["b.flac"]["active_snr_db"] == pytest.approx(found["b.flac"]["snr_db"], abs=1e-4)
    done = noisy("audio", sounds, destination, "--snr-db", "20", "--snr-of", "all", "--json")
    assert (done.summary["made"], "snr_of" in rows(destination)["a.wav"]) == (4, False)
    assert noisy("audio", sounds, destination, "--snr-db", "20", "--json").summary["kept"] == 4


def test_levels_of_full_scale(noisy, sounds, rows, outputs, destination, tmp_path):
    assert noisy("audio", sounds, destination, "--level-dbfs", "-40").status == 0
    found = rows(destination)
    assert {row["std_fraction"] for row in found.values()} == {0.01}
    assert db(rms(read(destination / "b.flac") - read(sounds / "b.flac"))) == pytest.approx(-40, abs=0.1)
    assert noisy("audio", sounds, tmp_path / "std", "--std", "0.01").status == 0
    assert outputs(destination) == outputs(tmp_path / "std")
    assert noisy("audio", sounds, destination, "--level-dbfs", "-60..-30", "--copies", "3").status == 0
    for row in (row for name, row in rows(destination).items() if "-" in name):
        assert -60 <= row["drawn"] <= -30
        assert row["std_fraction"] == pytest.approx(10 ** (row["drawn"] / 20), rel=1e-7)


def test_severities_of_speech_robust_bench(noisy, sounds, rows, outputs, destination, tmp_path):
    done = noisy("audio", sounds, destination, "--severity", "0,1,2,3,4,5")
    assert done.status == 0
    assert "severity 3 asked (SNR 20.0 dB)" in done.err
    found = rows(destination)
    for severity, ratio in zip(range(1, 6), (40, 30, 20, 10, 0), strict=True):
        assert found[f"severity-{severity}/b.flac"]["snr_db"] == pytest.approx(ratio, abs=0.2)
    assert not found["severity-0/b.flac"]["applied"]
    assert noisy("audio", sounds, tmp_path / "ratio", "--snr-db", "20").status == 0
    threes = {name[11:]: data for name, data in outputs(destination).items() if name.startswith("severity-3/")}
    assert threes == outputs(tmp_path / "ratio")
    assert noisy("audio", sounds, destination, "--severity", "0..5", "--copies", "8").status == 0
    drawn = {
        (row["drawn"], round(row["snr_db"] or 99, -1)) for name, row in rows(destination).items() if name[0] == "b"
    }
    assert drawn <= {(0.0, 100), (1.0, 40), (2.0, 30), (3.0, 20), (4.0, 10), (5.0, 0)}
    assert len(drawn) > 2


@pytest.mark.parametrize("words", [["--color", "brown"], []])
def test_silence_stays_as_it_is(noisy, rows, destination, tmp_path, words):
    (tmp_path / "silent").mkdir()
    soundfile.write(tmp_path / "silent" / "a.wav", np.zeros(4000), 8000)
    ratio = ["--severity", "1..5", "--snr-of", "active", *words]
    done = noisy("audio", tmp_path / "silent", destination, *ratio)
    assert "silence has no SNR" in done.err
    row = rows(destination)["a.wav"]
    assert (row["applied"], row["drawn"], row["std"], row["active_snr_db"]) == (False, None, 0, None)
    assert noisy("verify", destination, "--recompute", tmp_path / "silent").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--std", "0.01", "--snr-of", "active"], "--snr-of: goes with --snr-db or --severity"),
        (["--level-dbfs", "-40", "--snr-of", "all"], "--snr-of: goes with --snr-db or --severity"),
        (["--std", "0.01", "--color", "pink", "--slope", "-3"], "--color and --slope exclude each other"),
        (["--std", "0.01", "--color", "pink", "--speckle", "0.1"], "--color and --speckle exclude each other"),
        (["--color", "pink"], "say how strong, with exactly one of --std, --var, --snr-db, --level-dbfs, --severity"),
        (["--level-dbfs", "-40", "--std", "0.01"], "say how strong"),
        (["--level-dbfs", "40"], "levels are below; write -40"),
        (["--level-dbfs", "-2000"], "decibels end at"),
        (["--level-dbfs", "10%"], "decibels take no unit"),
        (["--std", "0.01", "--slope", "0"], "white noise has none"),
        (["--std", "0.01", "--slope", "-7"], "up to 6.03 dB an octave"),
        (["--std", "0.01", "--slope", "steep"], "'steep' is not a level"),
        (["--std", "0.01", "--color", "red"], "'red' is not one of"),
        (["--severity", "6"], "whole numbers from 0 to 5"),
        (["--severity", "2", "--mean", "0.1"], "--mean and --severity exclude each other"),
        (["--severity", "2", "--severity-set", "imagenet-c"], "'imagenet-c' is not"),
    ],
)
def test_refused_in_one_line(refused, sounds, destination, words, said):
    assert said in refused("audio", sounds, destination, *words)


def test_a_sheet_of_images_has_none_of_these(refused, pictures, tmp_path):
    for words in (["--color", "pink", "--std", "5"], ["--level-dbfs", "-40"], ["--snr-db", "5", "--snr-of", "active"]):
        assert "for audio files only" in refused("preview", pictures, tmp_path / "sheet.png", *words)
    words = ["--severity", "1", "--severity-set", "srb"]
    assert "images have imagenet-c and cifar-c" in refused("preview", pictures, tmp_path / "sheet.png", *words)
