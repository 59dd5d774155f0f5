"""What full scale, black and white are: images of signed integers and of floats, with --full-scale and --range."""

import json
from struct import pack
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from noisecli.model import Level, SampleSpec
from noisecli.settings import NoiseSettings, Settings
from noisecli.workers.adversarial.attack import Attack

RNG = np.random.default_rng(12)
SIDE = 64
HOUNSFIELD = RNG.integers(-1024, 3072, (SIDE, SIDE)).astype("<i2")
HOUNSFIELD[0, :2] = -1024, 3071
CENTRED = RNG.uniform(-0.7, 0.7, (SIDE, SIDE)).astype("<f4")
CENTRED[0, :2] = -0.998, 0.999
ALLOWED = 4.5 / (2 * SIDE * SIDE) ** 0.5
"""A measured std is within it of the true one, as a share of it."""


@pytest.fixture
def tiff(tmp_path):
    """Write a grey TIFF of one strip by hand into src."""

    def write(array, name="a.tiff"):
        height, width = array.shape
        form = {"u": 1, "i": 2, "f": 3}[array.dtype.kind]
        shorts = {256: width, 257: height, 258: array.itemsize * 8, 259: 1, 262: 1, 277: 1, 278: height, 339: form}
        entries = {tag: pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in shorts.items()}
        entries |= {tag: pack("<HHII", tag, 4, 1, value) for tag, value in {273: 8, 279: array.nbytes}.items()}
        directory = pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
        path = tmp_path / "src" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"II*\0" + pack("<I", 8 + array.nbytes) + array.tobytes() + directory)
        return path

    return write


@pytest.fixture
def run(noisy, tmp_path, destination):
    """Run `noisecli images src dst`; --std 25 unless a level is among the arguments."""

    def images(*arguments):
        level = () if {"--std", "--snr-db"} & set(arguments) else ("--std", "25")
        return noisy("images", tmp_path / "src", destination, *level, *arguments)

    return images


def message(errors, destination, name="a.tiff"):
    entry = errors(destination)[name]
    assert entry["reason"] == "out-of-range"
    return entry["message"]


def check_row(row, clean, made, std, full_scale):
    """Compare a row with numpy's figures of the samples themselves."""
    added = made.astype(np.float64) - clean
    assert row["std"] == pytest.approx(std, rel=1e-8)
    assert row["std_fraction"] == pytest.approx(std / full_scale, rel=1e-8)
    assert row["measured_std"] == pytest.approx(added.std(), rel=1e-5)
    power = np.square(added).mean()
    assert row["snr_db"] == pytest.approx(10 * np.log10(np.square(clean.astype(np.float64)).mean() / power), rel=1e-5)
    assert row["psnr_db"] == pytest.approx(10 * np.log10(full_scale**2 / power), rel=1e-5)


def test_signed_samples_ask_for_their_scale(run, tiff, errors, rows, samples, destination):
    tiff(HOUNSFIELD)
    assert run().status == 1
    assert "signed samples, from -1024 to 3071" in message(errors, destination)
    assert "--range -1024..3071" in message(errors, destination)
    assert run("--range", "-1024..3071").status == 0
    made = samples(destination / "a.tiff")
    assert made.dtype == "int16"
    assert (made.min(), made.max()) == (-1024, 3071)
    row = rows(destination)["a.tiff"]
    check_row(row, HOUNSFIELD, made, 25 / 255 * 4095, 4095)
    assert row["unit"] == "1/4095"
    inside = (HOUNSFIELD > 976) & (HOUNSFIELD < 1071)
    spread = (made - HOUNSFIELD.astype(int))[inside].std()
    assert spread == pytest.approx(25 / 255 * 4095, rel=4.5 / (2 * inside.sum()) ** 0.5)


def test_signed_samples_with_a_full_scale_reach_as_far_below_zero(run, tiff, rows, samples, destination):
    tiff(HOUNSFIELD)
    assert run("--full-scale", "3072", "--std", "100").status == 0
    made = samples(destination / "a.tiff")
    assert (made.min(), made.max()) == (-3072, 3072)
    check_row(rows(destination)["a.tiff"], HOUNSFIELD, made, 100 / 255 * 3072, 3072)


def test_all_of_a_signed_type_is_a_full_scale_too(run, tiff, rows, destination):
    tiff(HOUNSFIELD)
    assert run("--full-scale", "32768").status == 0
    assert rows(destination)["a.tiff"]["std"] == pytest.approx(25 / 255 * 32768)


def test_a_ratio_needs_no_scale(run, tiff, rows, samples, noisy, tmp_path, destination):
    tiff(HOUNSFIELD)
    assert run("--snr-db", "20").status == 0
    rms = np.sqrt(np.square(HOUNSFIELD.astype(float)).mean())
    check_row(rows(destination)["a.tiff"], HOUNSFIELD, samples(destination / "a.tiff"), rms / 10, 32768)
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0


def test_floats_on_both_sides_of_zero(run, tiff, errors, rows, samples, destination):
    tiff(CENTRED)
    for words in ((), ("--full-scale", "1")):
        assert run(*words).status == 1
        assert "from -0.998 to 0.999, outside 0..1" in message(errors, destination)
        # the floats nearest to these are a little further out
        assert message(errors, destination).endswith("--range -1..1")
    assert run("--range", "-0.999..1").status == 0
    assert run("--range", "-1..1").status == 0
    made = samples(destination / "a.tiff")
    assert made.dtype == "float32"
    assert made.min() >= -1
    assert made.max() <= 1
    check_row(rows(destination)["a.tiff"], CENTRED, made, 25 / 255 * 2, 2)


def test_the_way_out_holds_every_sample(run, tiff, errors, destination):
    """Numbers in a message have fewer digits than samples, and are rounded outwards."""
    tiff(np.array([[-0.12345678, 300.00002], [1e-9, -7.7]], "<f4"))
    assert run().status == 1
    words = message(errors, destination).rpartition("--range ")[2]
    assert words == "-7.7..301"
    assert run("--range", words).status == 0


def test_samples_outside_of_a_range_are_named(run, tiff, errors, destination):
    tiff(HOUNSFIELD)
    tiff(HOUNSFIELD // 2, "b.tiff")
    assert run("--range", "-1000..4000").status == 1
    assert "from -1024 to 3071, outside -1000..4000" in message(errors, destination)
    assert message(errors, destination).endswith("--range -1024..4000")
    assert errors(destination).keys() == {"a.tiff"}


@pytest.mark.parametrize("limits", ["-40000..40000", "0.2..0.8", "0..32768"])
def test_a_range_beyond_the_type_is_named(run, tiff, errors, destination, limits):
    tiff(np.zeros((8, 8), "<i2"))
    assert run("--range", limits).status == 1
    assert f"hold -32768..32767, not --range {limits}" in message(errors, destination)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0..1", "--full-scale", "1"], "--range and --full-scale exclude each other"),
        (["1..0"], "the lower end comes first"),
        (["5"], "--range 0..1"),
        (["0..10%"], "--range 0..1"),
    ],
)
def test_what_is_no_range_is_refused(run, tiff, destination, words, said):
    tiff(HOUNSFIELD)
    done = run("--range", *words)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert said in done.err
    assert not destination.exists()


def test_unsigned_samples_in_a_range(run, tiff, rows, samples, destination):
    clean = RNG.integers(1000, 2001, (SIDE, SIDE)).astype("<u2")
    tiff(clean)
    assert run("--range", "1000..2000").status == 0
    made = samples(destination / "a.tiff")
    assert (made.min(), made.max()) == (1000, 2000)
    check_row(rows(destination)["a.tiff"], clean, made, 25 / 255 * 1000, 1000)


def test_floats_of_a_range_keep_their_unit_and_others_are_divided(
    run, tiff, rows, samples, noisy, tmp_path, destination
):
    tiff(HOUNSFIELD)
    floats = ("--dtype", "float32", "--no-clip")
    assert run("--range", "-1024..3071", *floats).status == 0
    made = samples(destination / "a.tiff")
    check_row(rows(destination)["a.tiff"], HOUNSFIELD, made, 25 / 255 * 4095, 4095)
    assert (made - HOUNSFIELD).std() == pytest.approx(25 / 255 * 4095, rel=ALLOWED)
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0
    assert run("--full-scale", "4096", *floats).status == 0
    made = samples(destination / "a.tiff")
    check_row(rows(destination)["a.tiff"], HOUNSFIELD / np.float32(4096), made, 25 / 255, 1)


def test_doubles_with_a_full_scale_are_not_divided_when_they_become_floats(run, tiff, rows, samples, destination):
    clean = RNG.uniform(0, 80, (SIDE, SIDE)).astype("<f8")
    tiff(clean)
    assert run("--full-scale", "80", "--dtype", "float32").status == 0
    check_row(rows(destination)["a.tiff"], clean, samples(destination / "a.tiff"), 25 / 255 * 80, 80)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_has_no_part_in_the_range(run, tiff, rows, samples, destination, value):
    clean = RNG.uniform(0, 1, (8, 8)).astype("<f4")
    clean[3, 4] = value
    tiff(clean)
    assert run().status == 0
    made = samples(destination / "a.tiff")
    assert (np.isfinite(made) == np.isfinite(clean)).all()
    assert made[3, 4] == value or np.isnan(value)
    assert rows(destination)["a.tiff"]["warnings"] == ["not-finite"]


def test_runs_resume_and_are_recomputed(run, tiff, noisy, tmp_path, destination):
    tiff(HOUNSFIELD)
    words = ("--range", "-1024..3071", "--json")
    assert run(*words).summary["made"] == 1
    assert run(*words).summary["kept"] == 1
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0
    recorded = json.loads((destination / "run.json").read_text())["settings"]
    assert [fields["range"] for fields in recorded.values()] == [[-1024, 3071]]
    assert run("--range", "-1024..3072", "--json").summary["made"] == 1


def test_a_request_without_a_range_has_the_hash_that_it_had():
    def key(**more):
        return Settings("images", "", "", NoiseSettings((Level("std", 0.1, 0.1, "10%"),), **more)).key

    assert key() == key(range=None) == "474533aa70fed23d"
    assert len({key(), key(range=(0.0, 1.0)), key(range=(0.0, 2.0))}) == 3


def test_a_part_of_16_bits_keeps_its_samples_in_avif(noisy, samples, tmp_path, destination):
    """AVIF says how many bits it has, and a range of them changes nothing about that."""
    clean = RNG.integers(64, 3000, (SIDE, SIDE)).astype(np.uint16)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.png").write_bytes(cv2.imencode(".png", clean)[1].tobytes())
    words = ("--std", "0", "--format", "avif")
    assert noisy("images", tmp_path / "src", tmp_path / "deep", *words, "--range", "64..4095").status == 0
    assert np.array_equal(samples(tmp_path / "deep/a.avif"), clean)
    assert noisy("images", tmp_path / "deep", destination, "--std", "0", "--full-scale", "3000").status == 0
    assert np.array_equal(samples(destination / "a.avif"), clean)


def test_a_model_is_given_black_and_white_at_the_ends_of_its_input_range():
    attack = SimpleNamespace(adversary=SimpleNamespace(input_range=(-2.0, 2.0)))
    spec = SampleSpec("int16", (3,), 4095.0, -1024.0, 3071.0)
    given = Attack.input_of(attack, np.array([-1024, 3071, 1023], np.int16), spec)
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, [-2, 2, -2 + 4 * 2047 / 4095], rtol=1e-6)
