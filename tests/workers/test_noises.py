"""Noises beside white Gaussian as commands: on record, rebuilt from a row alone, the same whoever makes them."""

import json
import os
import re

import cv2
import numpy as np
import pytest
import soundfile

IMAGES = {
    "shot": ["--shot", "0.01"],
    "a range of shot": ["--shot", "1e-4..0.012", "--std", "2..10"],
    "speckle": ["--speckle", "15%"],
    "all": ["--std", "5", "--shot", "0.005", "--speckle", "0.1"],
    "variance": ["--var", "25", "--shot", "0.005"],
    "channels": ["--channel-std", "2,10,40"],
    "grey by chance": ["--std", "20", "--shared-channels-prob", "50%"],
    "grey": ["--shot", "0.01", "--shared-channels"],
    "brooks": ["--camera", "brooks"],
    "sidd": ["--camera", "sidd", "--linear"],
    "linear": ["--std", "3", "--shot", "0.01", "--linear"],
    "corruption shot": ["--corruption", "shot", "--severity", "3"],
    "corruption impulse": ["--corruption", "impulse", "--severity", "1..5"],
    "corruption speckle": ["--corruption", "speckle", "--severity", "5"],
    "sweep": ["--shot", "0.001,0.01", "--std", "5,10"],
    "chance": ["--camera", "sidd", "--prob", "50%"],
}
ARRAYS = {
    "shot": ["--shot", "0.01"],
    "speckle": ["--speckle", "0.1..0.3"],
    "all": ["--std", "5%", "--shot", "0.01", "--speckle", "0.1"],
}
QUICK = {"a range of shot", "channels", "grey by chance", "sidd", "corruption impulse", "all"}
SIDE = 512


def cases(table):
    return [
        pytest.param(words, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, words in table.items()
    ]


@pytest.fixture
def same(rows):
    """Compare two runs but for what a row says of files."""

    def check(one, other):
        assert rows(one).keys() == rows(other).keys()
        assert all((one / name).read_bytes() == (other / name).read_bytes() for name in rows(one))

    return check


@pytest.fixture
def flat(tmp_path):
    """Make an image of patches of one value each, blue, green and red apart."""
    folder = tmp_path / "flat"
    folder.mkdir()

    def made(dtype, values, suffix=".png"):
        scale = np.iinfo(dtype).max if dtype[0] == "u" else 1.0
        rows = [np.full((64, SIDE, 3), np.array(value) * scale) for value in values]
        assert cv2.imwrite(os.fspath(folder / f"a{suffix}"), np.concatenate(rows).astype(dtype))
        return folder

    return made


@pytest.mark.parametrize("words", cases(IMAGES))
def test_images_are_the_same_for_any_jobs_and_rebuilt_from_their_rows(
    noisy, images, pictures, rows, same, destination, tmp_path, words
):
    with_copies = [*words, "--copies", "2"]
    assert noisy("images", pictures, destination, *with_copies, "-j", "1").status == 0
    names = sorted((os.path.relpath(path, pictures) for path in pictures.rglob("*.png")), reverse=True)
    (tmp_path / "list").write_bytes(b"".join(name.encode() + b"\0" for name in names))
    other = noisy("images", pictures, tmp_path / "other", *with_copies, "-j", "2", "--files0-from", tmp_path / "list")
    assert other.status == 0
    same(destination, tmp_path / "other")
    done = noisy("verify", destination, "--recompute", pictures, "--json")
    assert (done.status, done.summary["remade"]) == (0, len(rows(destination)))
    again = noisy("images", pictures, destination, *with_copies, "--json")
    assert (again.summary["made"], again.summary["kept"]) == (0, len(rows(destination)))


@pytest.mark.parametrize("words", cases(ARRAYS))
def test_arrays_are_the_same_for_any_jobs_and_rebuilt_from_their_rows(noisy, rows, same, destination, tmp_path, words):
    source, draws = tmp_path / "src", np.random.default_rng(1)
    source.mkdir()
    for number, dtype in enumerate(["f4", "f8", "i2", "u1"]):
        np.save(source / f"{number}.npy", (draws.random((300, 7)) * 100).astype(dtype))
    np.savez(source / "z.npz", x=draws.random((50, 3)), y=np.arange(50))
    assert noisy("arrays", source, destination, *words, "-j", "1").status == 0
    assert noisy("arrays", source, tmp_path / "other", *words, "-j", "2").status == 0
    same(destination, tmp_path / "other")
    done = noisy("verify", destination, "--recompute", source, "--json")
    assert (done.status, done.summary["remade"]) == (0, 5)


@pytest.mark.parametrize("words", [["--shot", "0.1..0.2"], ["--std", "5%", "--speckle", "0.1"]])
def test_an_array_without_samples_is_rebuilt_from_its_row(noisy, destination, tmp_path, words):
    source = tmp_path / "src"
    source.mkdir()
    np.save(source / "a.npy", np.zeros((0, 3)))
    np.savez(source / "z.npz", x=np.zeros(0), y=np.linspace(0, 1, 9))
    assert noisy("arrays", source, destination, *words).status == 0
    done = noisy("verify", destination, "--recompute", source, "--json")
    assert (done.status, done.summary["remade"]) == (0, 2)


@pytest.mark.parametrize("form", ["wav", "flac"])
@pytest.mark.parametrize("words", [["--speckle", "0.2"], ["--speckle", "0.05..0.2", "--std", "0.001"]])
def test_sounds_take_speckle(noisy, destination, tmp_path, form, words):
    source = tmp_path / "src"
    source.mkdir()
    sound = np.repeat([0.0, 0.25, -0.5], 40_000)
    soundfile.write(source / f"a.{form}", sound, 16_000, subtype="PCM_16")
    assert noisy("audio", source, destination, *words).status == 0
    row = json.loads((destination / "manifest.jsonl").read_text())
    added = soundfile.read(destination / f"a.{form}")[0] - sound
    for part, value in zip(np.split(added, 3), (0.0, 0.25, -0.5), strict=True):
        exact = np.hypot(row["std"] / 32768, row["speckle"] * value)
        assert part.std() == pytest.approx(exact, rel=5 / (2 * part.size) ** 0.5, abs=1e-5)
    assert noisy("verify", destination, "--recompute", source).status == 0


@pytest.mark.parametrize(("dtype", "suffix"), [("uint8", ".png"), ("uint16", ".png"), ("float32", ".tif")])
@pytest.mark.parametrize("words", [["--std", "5", "--shot", "0.01", "--speckle", "0.1"], ["--camera", "sidd"]])
def test_the_variance_on_disk_is_the_formula_s(noisy, flat, rows, destination, dtype, suffix, words):
    # far enough from black and white that nothing is clipped
    source = flat(dtype, [(0.3, 0.4, 0.5), (0.5, 0.5, 0.3)], suffix)
    assert noisy("images", source, destination, *words, "--no-clip" if dtype == "float32" else "-q").status == 0
    [row] = rows(destination).values()
    read = [cv2.imread(os.fspath(folder / f"a{suffix}"), cv2.IMREAD_UNCHANGED) for folder in (destination, source)]
    scale = 1.0 if dtype == "float32" else np.iinfo(dtype).max
    noisy_samples, clean = (each.astype(np.float64) / scale for each in read)
    for patch in (slice(0, 64), slice(64, 128)):
        for channel in range(3):
            u, added = clean[patch, 0, channel][0], (noisy_samples - clean)[patch, :, channel]
            variance = row["std_fraction"] ** 2 + row["shot"] * u + (row["speckle"] * u) ** 2
            rounding = 0 if dtype == "float32" else 1 / 12 / scale**2
            assert added.var() == pytest.approx(variance + rounding, rel=5 * (2 / added.size) ** 0.5)
            assert abs(added.mean()) < 5 * (variance / added.size) ** 0.5


def test_channels_are_red_green_and_blue(noisy, flat, rows, destination):
    source = flat("uint8", [(0.5, 0.5, 0.5)])
    assert noisy("images", source, destination, "--channel-std", "2,10,30").status == 0
    [row] = rows(destination).values()
    assert row["channel_std_fractions"] == pytest.approx([2 / 255, 10 / 255, 30 / 255])
    blue, green, red = cv2.split(cv2.imread(os.fspath(destination / "a.png")))
    for channel, std in ((red, 2), (green, 10), (blue, 30)):
        assert channel.std() == pytest.approx((std**2 + 1 / 12) ** 0.5, rel=5 / (2 * channel.size) ** 0.5)


def test_an_image_of_other_channels_fails_by_name(noisy, fill, destination, tmp_path):
    grey = tmp_path / "grey"
    grey.mkdir()
    cv2.imwrite(os.fspath(grey / "g.png"), np.full((20, 20), 100, np.uint8))
    done = noisy("images", grey, destination, "--channel-std", "2,10,30")
    assert done.status == 1
    assert "g.png: failed: has 1 channel" in done.err


def test_grey_noise_by_chance(noisy, fill, rows, destination, tmp_path):
    source = fill(tmp_path / "many", *(f"{number:02}.png" for number in range(60)))
    assert noisy("images", source, destination, "--std", "20", "--shared-channels-prob", "0.4").status == 0
    found = rows(destination)
    shared = sum(row["shared_channels"] for row in found.values())
    # a binomial with five standard deviations on both sides
    assert abs(shared - 24) < 5 * (60 * 0.4 * 0.6) ** 0.5
    for name, row in found.items():
        clean, made = (cv2.imread(os.fspath(folder / name)).astype(int) for folder in (source, destination))
        added, unclipped = made - clean, ((made > 0) & (made < 255)).all(axis=2)
        assert (np.ptp(added, axis=2)[unclipped] == 0).all() == row["shared_channels"]


def test_published_severities_are_on_record(noisy, pictures, rows, destination):
    tables = {
        "shot": ("photons", [0, 60, 25, 12, 5, 3], "poisson"),
        "impulse": ("amount", [0, 0.03, 0.06, 0.09, 0.17, 0.27], "impulse"),
        "speckle": ("speckle", [0, 0.15, 0.2, 0.35, 0.45, 0.6], "gaussian-signal-dependent"),
    }
    for name, (key, values, word) in tables.items():
        folder = destination / name
        words = ("--corruption", name, "--severity", "0,1,2,3,4,5", "--include", "a.png")
        assert noisy("images", pictures, folder, *words).status == 0
        found = {row["level"]: row for row in rows(folder).values()}
        assert [found[f"severity={number},corruption={name}"][key] for number in range(6)] == values
        assert {row["noise"] for row in found.values()} == {word}
        assert [row["applied"] for row in found.values()] == [False, *[True] * 5]


def test_the_published_gaussian_noise_is_what_severity_was(images, tree, destination, tmp_path):
    assert images("--severity", "1..5", to=tmp_path / "plain").status == 0
    assert images("--severity", "1..5", "--corruption", "gaussian").status == 0
    assert tree(destination) == tree(tmp_path / "plain")


def test_another_noise_is_made_again_and_the_same_in_other_words_is_not(noisy, pictures, destination):
    def made(*words):
        return noisy("images", pictures, destination, *words, "--json").summary["made"]

    assert made("--shot", "0.01") == 5
    assert made("--shot", "1e-2") == 0
    assert made("--shot", "0.02") == 5
    assert made("--shot", "0.02", "--std", "1") == 5
    assert made("--shot", "0.02", "--std", "1", "--linear") == 5


@pytest.mark.parametrize("change", [{"shot": 0.5}, {"shot": -1.0}, {"linear": 1}, {"noise": "gaussian"}, {"noise": []}])
def test_an_edited_row_is_told(noisy, pictures, destination, change):
    assert noisy("images", pictures, destination, "--shot", "0.01", "--limit", "1").status == 0
    manifest = destination / "manifest.jsonl"
    row = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(row | change) + "\n")
    done = noisy("verify", destination, "--recompute", pictures)
    assert done.status == 1
    assert "Traceback" not in done.err
    assert "a.png" in done.err


REFUSED = {
    "--shot 0.1 --severity 3": "--severity: says how strong white noise is",
    "--shot 0.1 --snr-db 3": "--snr-db: says how strong white noise is",
    "--corruption shot": "goes with --severity",
    "--corruption shot --std 3": "goes with --severity",
    "--corruption shot --severity 3 --severity-set cifar-c": "goes with --corruption gaussian alone",
    "--corruption shot --severity 3 --shot 0.1": "exclude each other",
    "--corruption shot --severity 3 --linear": "exclude each other",
    "--corruption shot --severity 3 --mean 3": "--mean: not with",
    "--camera sidd --shot 0.1": "exclude each other",
    "--camera sidd --std 5": "exclude each other",
    "--camera sidd --corruption shot --severity 1": "exclude each other",
    "--channel-std 1,2,3 --std 5": "exclude each other",
    "--linear": "say how strong",
    "--shot 0..0.1": "starts above 0",
    "--shot 5": "write 5% if that is meant",
    "--speckle 20": "write 20% if that is meant",
    "--speckle 0.1,15": "write 15% if that is meant",
    "--shot -0.1": "from 0 to",
    "--shot 0.2..0.1": "the lower end first",
    "--shot 0.1,0.10": "names a level twice",
    "--shot nan": "is not a level",
    "--shot ,": "is not a level",
    "--channel-std 1,,3": "is not a level",
    "--channel-std 1..2,3": "is not a level",
    "--shot 0.1 --range 5..10": "starts at 0",
    "--corruption impulse --severity 3 --range -1..1": "noises beside white Gaussian",
    "--shot 0.1 --range abc..1": "'abc' is not a level",
    "--shot 0.1 --range 0%..1": "two plain numbers",
    "--shot 1e-4..0.01 --levels 3": "--levels: spreads a range of --std",
    "--camera sidd --levels 3": "--levels: spreads a range of --std",
    "--channel-std 1,2,3 --levels 3": "--levels: spreads a range of --std",
    "--channel-std 0.1,0.2,0.1": "grey levels of 0..255; write 20%",
    "--std 5 --severity-set cifar-c": "--severity-set cifar-c: goes with --severity",
    "--shot 0.1 --severity-set cifar-c": "--severity-set cifar-c: goes with --severity",
    "--std 5 --shot=": "--shot: is empty",
    "--std 5 --speckle=": "--speckle: is empty",
    "--std 5 --channel-std=": "--channel-std: is empty",
    "--std 5 --shared-channels --shared-channels-prob 0.5": "exclude each other",
}


@pytest.mark.parametrize("words", REFUSED)
def test_words_that_say_two_things_are_refused(noisy, pictures, destination, words):
    done = noisy("images", pictures, destination, *words.split())
    assert done.status == 2
    assert re.search(rf"\Anoisecli: .*{re.escape(REFUSED[words])}.*\n\Z", done.err), done.err
    assert not destination.exists()


def test_a_grey_image_has_no_std_for_each_channel(noisy, tmp_path, destination):
    (tmp_path / "src").mkdir()
    cv2.imwrite(str(tmp_path / "src" / "a.png"), np.zeros((8, 8), np.uint8))
    done = noisy("images", tmp_path / "src", destination, "--channel-std", "1,2,3")
    assert done.status == 1
    assert "has 1 channel, and there are 3 stds for them; leave it out with --exclude" in done.err


@pytest.mark.parametrize(
    "words", ["--channel-std 0,0,0", "--channel-std 0.2/255,0.1/255,0", "--std 5 --linear --mean 0.0"]
)
def test_words_that_say_one_thing_are_taken(noisy, pictures, destination, words):
    assert noisy("images", pictures, destination, *words.split(), "--dry-run").status == 0
