"""What noisecli arrays does to samples: exactly the noise asked for, on every type, in every order."""

import numpy as np
import pytest
from scipy import stats

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float16", "float32", "float64"]
CHANCE = 1e-9
"""Of a failure by bad luck; the seeds are fixed all the same."""


def middle(dtype, shape):
    """Samples far from the limits of their type, of a few different values."""
    start = np.iinfo(dtype).max // 2 if dtype.startswith("u") else 0
    values = np.arange(int(np.prod(shape))) % 3
    return (values.astype(dtype) + np.dtype(dtype).type(start)).reshape(shape)


def added(noisy, clean):
    """The noise on integers, exactly, whatever their type."""
    return noisy.astype(object) - clean.astype(object)


@pytest.mark.parametrize("memory", ["C", "F"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_type_byte_order_and_memory_order_stay(one_array, dtype, order, memory):
    clean = np.array(np.arange(120).reshape(4, 5, 6) % 100, np.dtype(dtype).newbyteorder(order), order=memory)
    noisy = one_array(clean, "--std", "3")
    assert (noisy.dtype.str, noisy.shape) == (clean.dtype.str, clean.shape)
    assert (noisy.flags.c_contiguous, noisy.flags.f_contiguous) == (memory == "C", memory == "F")
    assert (noisy != clean).mean() > 0.7
    assert np.abs(noisy.astype(float) - clean.astype(float)).max() < 100


@pytest.mark.parametrize("std", [0.3, 2.5, 25])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_get_rounded_gaussian_noise(one_array, dtype, std):
    """Chi-square of the differences against P(k) = Phi((k + 1/2) / std) - Phi((k - 1/2) / std)."""
    clean = middle(dtype, (200, 1000))
    if clean.dtype.itemsize == 1:
        std = min(std, 8)
    k = added(one_array(clean, "--std", std), clean).astype(float).ravel()
    widest = int(np.ceil(std * stats.norm.isf(20 / k.size)))
    edges = np.concatenate([[-np.inf], np.arange(-widest, widest) + 0.5, [np.inf]])
    expected = k.size * np.diff(stats.norm.cdf(edges / std))
    found = np.histogram(k, edges)[0]
    assert stats.chisquare(found, expected * (k.size / expected.sum())).pvalue > CHANCE


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_get_gaussian_noise(one_array, dtype):
    clean = np.zeros((300, 700), dtype)
    noise = one_array(clean, "--std", "0.25", "--mean", "0.5").astype(float).ravel()
    if dtype == "float16":
        # 11 binary digits: the distribution is a staircase
        error = stats.norm.isf(CHANCE) / np.sqrt(noise.size)
        assert abs(noise.mean() - 0.5) < 0.25 * error + 1e-4
        assert abs(noise.std() / 0.25 - 1) < error + 1e-4
    else:
        assert stats.kstest(noise, "norm", (0.5, 0.25)).pvalue > CHANCE


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
def test_wide_integers_at_their_limits_never_wrap(one_array, dtype):
    limits = np.iinfo(dtype)
    clean = np.repeat(np.array([limits.min, limits.max], dtype), 2000)
    noisy = one_array(clean, "--std", "1000")
    k = added(noisy, clean)
    low, high = k[:2000], k[2000:]
    assert low.min() == 0
    assert 2000 < low.max() < 9200
    assert high.max() == 0
    assert -9200 < high.min() < -2000
    for held in ((low == 0).sum(), (high == 0).sum()):
        assert stats.binomtest(int(held), 2000, stats.norm.cdf(0.5 / 1000)).pvalue > CHANCE


def test_wide_integers_keep_their_last_digit(one_array):
    """2^62 + 1 is no double; noise of less than half a step leaves it."""
    clean = np.full(1000, 2**62 + 1, np.int64)
    assert (one_array(clean, "--std", "0.05") == clean).all()


def test_not_finite_samples_stay_and_are_counted(one_array, rows, destination):
    clean = np.linspace(-1, 1, 1000, dtype=np.float32)
    clean[[3, 30, 300]] = np.nan, np.inf, -np.inf
    noisy = one_array(clean, "--std", "5%", "--clip", "-1..1")
    assert np.isnan(noisy[3])
    assert noisy[30] == np.inf
    assert noisy[300] == -np.inf
    assert np.isfinite(np.delete(noisy, [3, 30, 300])).all()
    [row] = rows(destination).values()
    assert row["warnings"] == ["not-finite"]
    assert row["parts"][0]["not_finite"] == 3
    assert row["parts"][0]["std"] == pytest.approx(0.05 * np.std(np.delete(clean, [3, 30, 300]), dtype=float), rel=1e-6)


def test_all_nan_stays(one_array, rows, destination):
    clean = np.full(10, np.nan)
    assert np.isnan(one_array(clean, "--std", "5%")).all()
    assert rows(destination)["a.npy"]["applied"] is False


@pytest.mark.parametrize(
    "array", [np.float64(3), np.zeros((0, 4), np.float32), np.int16(-7)], ids=["0-d", "empty", "int"]
)
def test_arrays_without_axes_or_samples(one_array, array):
    noisy = one_array(array, "--std", "2")
    assert (noisy.shape, noisy.dtype) == (array.shape, array.dtype)


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32"])
def test_clip_holds_noisy_samples(one_array, rows, destination, dtype):
    clean = np.full(5000, 10, dtype)
    noisy = one_array(clean, "--std", "5", "--clip", "4..12")
    assert (noisy.min(), noisy.max()) == (4, 12)
    clipped = rows(destination)["a.npy"]["parts"][0]["clipped_fraction"]
    # integers are rounded before they are held: 12.5 goes to 12
    half = 0.5 if dtype != "float32" else 0
    expected = stats.norm.sf((2 + half) / 5) + stats.norm.sf((6 + half) / 5)
    assert abs(clipped - expected) < stats.norm.isf(CHANCE) * np.sqrt(expected / 5000)


@pytest.mark.parametrize("words", [("--std", "40%"), ("--var", "16%")])
@pytest.mark.parametrize("dtype", ["float64", ">f4", "int32"])
def test_percent_is_of_the_arrays_own_std(one_array, rows, destination, dtype, words):
    clean = (np.random.default_rng(1).normal(1e6, 500, 100_000)).astype(dtype)
    noisy = one_array(clean, *words)
    [part] = rows(destination)["a.npy"]["parts"]
    own = clean.astype(float).std()
    assert part["std"] == pytest.approx(0.4 * own, rel=1e-7)
    assert rows(destination)["a.npy"]["std_fraction"] == pytest.approx(0.4)
    noise = noisy.astype(float) - clean.astype(float)
    assert abs(noise.std() / part["std"] - 1) < stats.norm.isf(CHANCE) / np.sqrt(2 * noise.size) + 0.001
    assert part["measured_std"] == pytest.approx(noise.std(), rel=1e-4)


def test_snr_is_of_the_rms(one_array, rows, destination):
    clean = np.random.default_rng(1).normal(3, 4, 200_000)
    noise = one_array(clean, "--snr-db", "20") - clean
    assert rows(destination)["a.npy"]["parts"][0]["std"] == pytest.approx(np.sqrt((clean**2).mean()) / 10, rel=1e-7)
    assert rows(destination)["a.npy"]["parts"][0]["snr_db"] == pytest.approx(20, abs=0.05)
    assert abs(noise.std() / 0.5 - 1) < 0.02


def test_float32_holds_the_sum_itself(one_array):
    clean = np.full(3000, 250, np.uint8)
    noisy = one_array(clean, "--std", "10", "--dtype", "float32")
    assert noisy.dtype == np.float32
    assert noisy.max() > 256
    assert (noisy != np.rint(noisy)).any()


@pytest.mark.parametrize("memory", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int8"])
def test_per_feature_is_percent_of_each_columns_std(one_array, rows, destination, dtype, memory):
    """Columns of std 0, 2, 8 and 20; the rows fill more than one block."""
    count = 300_000
    scales = np.array([0, 2, 8, 20])
    clean = np.random.default_rng(2).normal(0, 1, (count, 4)) * scales
    clean = np.array(np.rint(clean) if "int" in dtype else clean, dtype, order=memory)
    noisy = one_array(clean, "--std", "50%", "--per-feature")
    assert (noisy[:, 0] == clean[:, 0]).all()
    if dtype == "int8":
        noisy, clean = noisy[:, :3], clean[:, :3]
    noise = (noisy.astype(float) - clean.astype(float))[:, 1:]
    expected = 0.5 * clean.astype(float)[:, 1:].std(axis=0)
    rounding = 1 / 12 if "int" in dtype else 0
    error = stats.norm.isf(CHANCE) / np.sqrt(2 * count)
    assert (np.abs(noise.std(axis=0) / np.sqrt(expected**2 + rounding) - 1) < error).all()
    correlations = np.corrcoef(noise.T)[np.triu_indices(noise.shape[1], 1)]
    assert (np.abs(correlations) < stats.norm.isf(CHANCE) / np.sqrt(count)).all()
    assert rows(destination)["a.npy"]["std_fraction"] == 0.5


def test_per_feature_integers_are_rounded_once(one_array):
    """Chi-square of one column against P(k) for its own std."""
    rng = np.random.default_rng(3)
    clean = np.stack([rng.permutation(np.repeat([-10, 10], 50_000)), np.zeros(100_000)], axis=1).astype(np.int16)
    k = added(one_array(clean, "--std", "7%", "--per-feature"), clean)
    assert (k[:, 1] == 0).all()
    edges = np.concatenate([[-np.inf], np.arange(-2, 2) + 0.5, [np.inf]])
    expected = 100_000 * np.diff(stats.norm.cdf(edges / 0.7))
    assert stats.chisquare(np.histogram(k[:, 0].astype(float), edges)[0], expected).pvalue > CHANCE


def test_one_dimension_is_one_feature(one_array):
    clean = np.random.default_rng(4).normal(0, 10, 50_000)
    noise = one_array(clean, "--std", "10%", "--per-feature") - clean
    assert abs(noise.std() / (clean.std() * 0.1) - 1) < stats.norm.isf(CHANCE) / np.sqrt(2 * clean.size)


def test_float16_overflow_is_counted_not_fatal(one_array, rows, destination):
    clean = np.full(1000, 65504, np.float16)
    noisy = one_array(clean, "--std", "100")
    assert rows(destination)["a.npy"]["parts"][0]["not_finite"] == np.isinf(noisy).sum() > 0


def test_noise_does_not_depend_on_blocks(one_array, arrays, tmp_path):
    """The first samples of a long array get the noise that a short one of the same name gets."""
    short = np.zeros(1000, np.float32)
    noisy = one_array(short)
    (tmp_path / "long").mkdir()
    np.save(tmp_path / "long/a.npy", np.zeros(700_000, np.float32))
    assert arrays(source=tmp_path / "long", to=tmp_path / "long-dst").status == 0
    assert (np.load(tmp_path / "long-dst/a.npy")[:1000] == noisy).all()
