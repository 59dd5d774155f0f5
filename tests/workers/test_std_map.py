"""The map beside an output is the std of the noise on every sample: against many copies, against the formulas."""

import math
import os

import cv2
import numpy as np
import pytest

COPIES = 200
UNCLIPPED = ("--dtype", "float32", "--format", "tiff", "--no-clip")
SIGMAS = 6
"""How many standard errors a figure may be off: one in 10^9 is, and there are some thousand."""
NOISES = {
    "white": ["--std", "20"],
    "shot": ["--shot", "0.02"],
    "speckle": ["--speckle", "15%"],
    "all": ["--std", "5", "--shot", "0.01", "--speckle", "0.2"],
    "channels": ["--channel-std", "2,10,40"],
    "channels and shot": ["--channel-std", "2,10,40", "--shot", "0.002"],
    "grey": ["--shot", "0.01", "--shared-channels"],
    "full scale": ["--std", "10%", "--shot", "0.01", "--full-scale", "128"],
    "corruption shot": ["--corruption", "shot", "--severity", "2"],
    "corruption speckle": ["--corruption", "speckle", "--severity", "1"],
    "linear": ["--std", "1", "--shot", "0.003", "--linear"],
}


@pytest.fixture
def colourful(tmp_path):
    """Make an image whose samples are all different from channel to channel, 40 to 128."""
    folder = tmp_path / "colourful"
    folder.mkdir()
    x = np.random.default_rng(3).permutation(np.repeat(np.arange(40, 128, dtype=np.uint8), 3)).reshape(8, 11, 3)
    assert cv2.imwrite(os.fspath(folder / "a.png"), x)
    return folder


def light_of(samples):
    """Undo the curve of sRGB, as its standard says it, on both sides of 0."""
    u = np.abs(samples)
    return np.sign(samples) * np.where(u <= 0.04045, u / 12.92, ((u + 0.055) / 1.055) ** 2.4)


QUICK = {"white", "all", "channels", "corruption shot"}


def kurtosis_of(words, clean):
    """Return the excess kurtosis of the noise on each sample: that of photons is the inverse of their number."""
    return 1 / (clean * 25) if "corruption" in words[0] and "shot" in words else 0.0


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NOISES]
)
def test_the_map_is_the_std_of_many_copies(noisy, colourful, samples, destination, rows, name):
    words = NOISES[name]
    done = noisy("images", colourful, destination, *words, *UNCLIPPED, "--copies", COPIES, "--with-std-map")
    assert done.status == 0, done
    found = rows(destination)
    maps = {(destination / row["std_map_file_name"]).read_bytes() for row in found.values()}
    assert len(maps) == 1
    stds = samples(destination / "std-map/a-1.tiff").astype(float)
    clean = cv2.imread(os.fspath(colourful / "a.png")) / (128 if name == "full scale" else 255)
    noisy_samples = np.array([samples(destination / row) for row in found], dtype=float)
    assert (stds.shape, noisy_samples.shape) == (clean.shape, (COPIES, *clean.shape))
    if name == "linear":
        clean, noisy_samples = light_of(clean), light_of(noisy_samples)
    # the mean is known, so that the mean square is a sum of COPIES squares
    ratios = np.square(noisy_samples - clean).mean(axis=0) / np.square(stds)
    errors = np.sqrt((2 + kurtosis_of(words, clean) * np.ones(clean.shape)) / COPIES)
    # skewed: of few squares a sum is further off above than below
    assert (np.abs(ratios - 1) < SIGMAS * errors * 1.4).all()
    independent = clean.size / (3 if name == "grey" else 1)
    assert abs(ratios.mean() - 1) < SIGMAS * math.sqrt(np.square(errors).mean() / independent)
    for channel in range(3):
        assert abs(ratios[..., channel].mean() - 1) < SIGMAS * math.sqrt(np.square(errors).mean() / (clean.size / 3))


FORMULAS = {
    "white": (["--std", "25"], lambda u: np.full(u.shape, 25 / 255)),
    "variance": (["--var", "625"], lambda u: np.full(u.shape, 25 / 255)),
    "severity": (["--severity", "3"], lambda u: np.full(u.shape, 0.18)),
    "all": (
        ["--std", "5", "--shot", "0.01", "--speckle", "0.2"],
        lambda u: np.sqrt((5 / 255) ** 2 + 0.01 * u + 0.04 * u**2),
    ),
    "photons": (["--corruption", "shot", "--severity", "3"], lambda u: np.sqrt(u / 12)),
    "linear": (["--shot", "0.01", "--linear"], lambda u: np.sqrt(0.01 * light_of(u))),
    "none": (["--std", "0"], np.zeros_like),
}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("name", FORMULAS)
def test_the_map_is_the_formula_of_every_sample(noisy, tmp_path, samples, destination, name, dtype):
    words, formula = FORMULAS[name]
    u = np.random.default_rng(4).random((40, 30, 3))
    scale = 1 if dtype == "float32" else np.iinfo(dtype).max
    x = (u * scale).astype(dtype)
    (tmp_path / "src").mkdir()
    suffix = ".tiff" if dtype == "float32" else ".png"
    assert cv2.imwrite(os.fspath(tmp_path / f"src/a{suffix}"), x)
    assert noisy("images", tmp_path / "src", destination, *words, "--with-std-map").status == 0
    stds = samples(destination / "std-map/a.tiff")
    assert stds.dtype == np.float32
    np.testing.assert_allclose(stds, formula(x.astype(float) / scale), rtol=3e-7)


def test_snr_and_chance(noisy, tmp_path, samples, destination, rows):
    (tmp_path / "src").mkdir()
    for number in range(8):
        image = np.full((16, 16), 40 + 20 * number, np.uint8)
        image[3] = 255
        assert cv2.imwrite(os.fspath(tmp_path / f"src/{number}.png"), image)
    words = ("--snr-db", "10..20", "--prob", "0.5", "--with-std-map")
    assert noisy("images", tmp_path / "src", destination, *words).status == 0
    found = rows(destination)
    assert {row["applied"] for row in found.values()} == {True, False}
    for row in found.values():
        stds = samples(destination / row["std_map_file_name"])
        assert stds.shape == (16, 16)
        np.testing.assert_allclose(stds, row["std_fraction"], rtol=3e-7)
        assert bool(stds.any()) == row["applied"]


@pytest.mark.parametrize("channels", [(), (3,), (4,)], ids=["grey", "colours", "alpha"])
@pytest.mark.parametrize("where", ["patch", "mask"])
def test_outside_of_a_patch_or_a_mask_is_no_noise(noisy, tmp_path, samples, destination, rows, where, channels):
    for name in ("src", "masks"):
        (tmp_path / name).mkdir()
    x = np.random.default_rng(5).integers(60, 200, (40, 30, *channels), dtype=np.uint8)
    inside = np.zeros((40, 30), np.bool_)
    assert cv2.imwrite(os.fspath(tmp_path / "src/a.png"), x)
    words = ["--patch", "16"]
    if where == "mask":
        inside[5:20, 10:25] = True
        assert cv2.imwrite(os.fspath(tmp_path / "masks/a.png"), inside * np.uint8(255))
        words = ["--mask", tmp_path / "masks"]
    assert noisy("images", tmp_path / "src", destination, "--shot", "0.05", *words, "--with-std-map").status == 0
    if where == "patch":
        left, top, width, height = rows(destination)["noisy/a.png"]["patch"]
        inside[top : top + height, left : left + width] = True
    stds = samples(destination / "std-map/a.tiff")
    colours = x[..., :3] if channels else x
    expected = np.sqrt(0.05 * colours / 255)
    expected[~inside] = 0
    np.testing.assert_allclose(stds, expected, rtol=3e-7)
    changed = samples(destination / "noisy/a.png") != x
    assert not changed[~inside].any()
    assert changed[inside].any()


def test_alpha_is_left_out_and_other_channels_are_where_they_were(noisy, tmp_path, samples, destination):
    (tmp_path / "src").mkdir()
    x = np.random.default_rng(5).integers(0, 256, (20, 14, 4), dtype=np.uint8)
    assert cv2.imwrite(os.fspath(tmp_path / "src/a.png"), x)
    assert cv2.imwrite(os.fspath(tmp_path / "src/b.png"), x[..., :3])
    assert noisy("images", tmp_path / "src", destination, "--shot", "0.01", "--with-std-map").status == 0
    stds = samples(destination / "std-map/a.tiff")
    np.testing.assert_allclose(stds, np.sqrt(0.01 * x[..., :3] / 255), rtol=3e-7)
    assert (destination / "std-map/a.tiff").read_bytes() == (destination / "std-map/b.tiff").read_bytes()


def test_other_readers_see_the_same(noisy, tmp_path, destination):
    tifffile = pytest.importorskip("tifffile")
    (tmp_path / "src").mkdir()
    x = np.random.default_rng(5).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    bands = np.random.default_rng(6).integers(0, 256, (20, 30, 6), dtype=np.uint8)
    pages = np.random.default_rng(7).integers(0, 65536, (4, 20, 30), dtype=np.uint16)
    assert cv2.imwrite(os.fspath(tmp_path / "src/a.png"), x[..., ::-1])
    tifffile.imwrite(tmp_path / "src/bands.tif", bands, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite(tmp_path / "src/pages.tif", pages, photometric="minisblack")
    assert noisy("images", tmp_path / "src", destination, "--shot", "0.01", "--with-std-map").status == 0
    for name, clean in (("a", x / 255), ("bands", bands / 255), ("pages", pages / 65535)):
        stds = tifffile.imread(destination / f"std-map/{name}.tiff")
        np.testing.assert_allclose(stds, np.sqrt(0.01 * clean), rtol=3e-7)


@pytest.mark.parametrize("form", ["jpg", "png", "bmp", "tiff"])
def test_a_map_lies_as_the_samples_of_its_image_lie(noisy, tmp_path, samples, destination, form):
    """An image on its side is turned where its format cannot say so; OpenCV 5 opens no TIFF that says so."""
    (tmp_path / "src").mkdir()
    x = np.random.default_rng(5).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = cv2.imencode(".jpg", x)[1].tobytes()
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "src/a.jpg").write_bytes(data[:2] + segment + data[2:])
    words = ("--shot", "0.01", "--format", form, "--with-std-map")
    assert noisy("images", tmp_path / "src", destination, *words).status == 0
    clean = samples(tmp_path / "src/a.jpg") / 255
    lying = np.rot90(clean, -1) if form == "bmp" else clean
    stds = cv2.imread(os.fspath(destination / "std-map/a.tiff"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(stds, np.sqrt(0.01 * lying), rtol=3e-7)


ARRAYS = {
    "white": (["--std", "0.5"], lambda x: np.full(x.shape, 0.5)),
    "shot": (["--shot", "0.01"], lambda x: np.sqrt(0.01 * np.abs(x))),
    "speckle": (["--std", "0.2", "--speckle", "0.1"], lambda x: np.sqrt(0.04 + 0.01 * x**2)),
    "of its own": (["--std", "10%"], lambda x: np.full(x.shape, 0.1 * x.std())),
    "by column": (
        ["--std", "10%", "--per-feature"],
        lambda x: np.broadcast_to(0.1 * x.reshape(-1, x.shape[-1]).std(axis=0), x.shape),
    ),
}


@pytest.mark.parametrize("stored", ["<f4", ">f8", "<i2", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", ARRAYS)
def test_maps_of_arrays(noisy, tmp_path, destination, name, order, stored):
    words, formula = ARRAYS[name]
    (tmp_path / "src/in").mkdir(parents=True)
    x = np.asfortranarray if order == "F" else np.ascontiguousarray
    x = x((np.random.default_rng(6).normal(3, 40, (60, 7, 5)) * np.arange(1, 6)).astype(stored))
    np.save(tmp_path / "src/in/x.npy", x)
    assert noisy("arrays", tmp_path / "src", destination, *words, "--with-std-map").status == 0
    stds = np.load(destination / "std-map/in/x.npy")
    assert (stds.dtype, stds.shape, stds.flags.f_contiguous) == (np.float32, x.shape, order == "F")
    np.testing.assert_allclose(stds, formula(x.astype(float)), rtol=1e-6)


def test_maps_of_what_arrays_may_hold(noisy, tmp_path, destination):
    """NaN has no noise; a complex number has two stds."""
    (tmp_path / "src").mkdir()
    rng = np.random.default_rng(7)
    z = (rng.normal(0, 9, (20, 3)) + 1j * rng.normal(0, 1, (20, 3))).astype("c16")
    x = np.array([[1.0, np.nan, np.inf, 4.0]])
    np.save(tmp_path / "src/z.npy", z)
    np.save(tmp_path / "src/x.npy", x)
    np.save(tmp_path / "src/empty.npy", np.zeros((0, 3)))
    assert noisy("arrays", tmp_path / "src", destination, "--shot", "0.01", "--with-std-map").status == 0
    stds = np.load(destination / "std-map/z.npy")
    assert stds.dtype == np.complex64
    np.testing.assert_allclose(stds, 0.1 * (np.sqrt(np.abs(z.real)) + 1j * np.sqrt(np.abs(z.imag))), rtol=1e-6)
    np.testing.assert_allclose(np.load(destination / "std-map/x.npy"), [[0.1, 0, 0, 0.2]], rtol=1e-6)
    assert np.load(destination / "std-map/empty.npy").shape == (0, 3)
