"""Noise that grows with the signal: var = std^2 + shot |u| + speckle^2 u^2, whatever the samples and blocks are."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from noisecli.errors import FileFailed
from noisecli.noise.models.signal_dependent import SignalDependent
from noisecli.noise.quantile import normal_from_words
from noisecli.noise.scaled import Stds, integer_type, scaled_integers

BOTH = SignalDependent(0.01, 0.2)
LINEAR = replace(BOTH, linear=True)
CHANNELS = SignalDependent(0.001, channel_stds=(0.0, 0.05, 0.2))
DTYPES = ["uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]
COUNT = 100_000
SLOTS = np.arange(65536, dtype=np.uint16)


def scale_of(dtype):
    return 1.0 if dtype[0] == "f" else float(np.iinfo(dtype).max)


def ramp(dtype, shape, signed=False):
    """Return samples over the whole range, the same on every machine."""
    count = int(np.prod(shape))
    u = (np.arange(count) * 40_503 % 65_536) / 65_535.0
    u = 2 * u - 1 if signed else u
    return (u * scale_of(dtype) * (0.999 if dtype in ("int64", "uint64") else 1)).astype(dtype).reshape(shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("u", [-0.4, 0.0, 0.1, 0.5])
def test_the_std_is_the_formula_s(noise_field, operations, dtype, u):
    if u < 0 and dtype[0] == "u":
        pytest.skip("unsigned")
    scale, std = scale_of(dtype), 0.02 if u >= 0.1 or dtype[0] != "u" else 0.0
    x = np.full(COUNT, u * scale).astype(dtype)
    y = noise_field(x, BOTH, std * scale, clip=False, low=None if dtype[0] != "f" else -1.0).add(x)
    added = (y.astype(np.longdouble) - x.astype(np.longdouble)).astype(float) / scale
    exact = (std**2 + 0.01 * abs(u) + 0.04 * u * u) ** 0.5
    # 8 bits: rounding adds a twelfth, and x is not u exactly
    assert abs(added.std() - exact) <= 5 * exact / (2 * COUNT) ** 0.5 + 0.2 / scale * (dtype[-1] == "8")
    assert abs(added.mean()) < 5 * (exact + 1e-9) / COUNT**0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1e-12, 1e12, 1e30])
def test_speckle_has_no_scale(noise_field, dtype, size):
    x = np.full(COUNT, size, dtype)
    y = noise_field(x, SignalDependent(speckle=0.1), clip=False).add(x)
    assert abs((y.astype(float) / size - 1).std() / 0.1 - 1) < 5 / (2 * COUNT) ** 0.5


@pytest.mark.parametrize("noise", [BOTH, LINEAR], ids=["plain", "linear"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_no_number_stays(noise_field, noise, dtype):
    x = np.full(30_000, 0.5, dtype)
    x[::7], x[1::7], x[2::7] = np.nan, np.inf, -np.inf
    field = noise_field(x, noise, 0.1)
    y = field.add(x)
    bad = ~np.isfinite(x)
    np.testing.assert_array_equal(y[bad], x[bad])
    assert np.isfinite(y[~bad]).all()
    assert field.measure.not_finite == np.count_nonzero(bad)


@pytest.mark.parametrize("noise", [BOTH, LINEAR, CHANNELS, replace(CHANNELS, linear=True)], ids=str)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_blocks_do_not_show(noise_field, operations, dtype, shared, noise):
    shape = (313, 250, 3)
    x, more = ramp(dtype, shape), {"std": 0.03 * scale_of(dtype), "mean": 0.01 * scale_of(dtype)}
    whole, parts = (noise_field(x, noise, shared_channels=shared, **more) for _ in range(2))
    expected = whole.add(x)
    pieces = [parts.add(block) for block in np.split(x, [1, 2, 2, 99, 262, 310])]
    np.testing.assert_array_equal(np.concatenate(pieces), expected)
    assert parts.measure.clipped == whole.measure.clipped
    assert (expected != x).mean() > 0.5


@pytest.mark.parametrize("noise", [BOTH, LINEAR, CHANNELS, replace(CHANNELS, linear=True)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_same_without_opencv(noise_field, dtype, noise, request):
    x = ramp(dtype, (100, 101, 3))
    expected = noise_field(x, noise, 0.03 * scale_of(dtype)).add(x)
    request.getfixturevalue("without_opencv")
    np.testing.assert_array_equal(noise_field(x, noise, 0.03 * scale_of(dtype)).add(x), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_grey_noise_is_one_n_for_all_channels(noise_field, dtype):
    """Samples of one pixel that are equal stay equal, and others get the same n times a std of their own."""
    x = np.repeat(ramp(dtype, (200, 200, 1)), 3, axis=2)
    y = noise_field(x, BOTH, 0.03 * scale_of(dtype), shared_channels=True).add(x)
    np.testing.assert_array_equal(y, np.repeat(y[..., :1], 3, axis=2))
    if dtype == "float64":
        x[..., 1] /= 2
        field = noise_field(x, BOTH, 0.03, shared_channels=True, clip=False)
        n = (field.add(x) - x) / field.std_map(x)
        np.testing.assert_allclose(n[..., 1], n[..., 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shared", [False, True])
def test_every_channel_has_its_std(noise_field, dtype, shared):
    noise, scale = SignalDependent(channel_stds=(0.01, 0.05, 0.1)), scale_of(dtype)
    x = np.full((200, 300, 3), 0.5 * scale).astype(dtype)
    y = noise_field(x, noise, shared_channels=shared).add(x)
    found = (y.astype(float) - x).std(axis=(0, 1)) / scale
    np.testing.assert_allclose(found, (0.01, 0.05, 0.1), rtol=5 / (2 * 60_000) ** 0.5 + 0.003)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 4), (20, 30, 2)])
def test_stds_must_fit_the_channels(noise_field, shape):
    x = np.zeros(shape, np.uint8)
    with pytest.raises(FileFailed, match="3 stds"):
        noise_field(x, SignalDependent(channel_stds=(0.01, 0.05, 0.1))).add(x)


@pytest.mark.parametrize("noise", [BOTH, LINEAR, CHANNELS], ids=str)
def test_alpha_is_untouched(noise_field, noise):
    x = ramp("uint8", (60, 50, 4))
    field = noise_field(x, noise, 25, noisy_channels=3)
    y = field.add(x)
    np.testing.assert_array_equal(y[..., 3], x[..., 3])
    assert field.measure.count == 60 * 50 * 3
    stds = field.std_map(x)
    assert (stds[..., 3] == 0).all()
    assert (stds[..., 1:3] > 0).all()


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_missing_samples_stay(noise_field, dtype):
    x = ramp(dtype, (200, 200))
    x[::3] = -32_000
    field = noise_field(x, BOTH, 0.03 * scale_of(dtype), nodata=-32_000.0, clip=False, low=0)
    y = field.add(x)
    assert (y[::3] == -32_000).all()
    assert (y[1::3] != -32_000).all()
    assert (field.std_map(x)[::3] == 0).all()
    assert field.measure.not_finite == x[::3].size


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64", "int32"])
def test_the_map_has_the_std_of_every_pixel(noise_field, dtype):
    scale, x = scale_of(dtype), ramp(dtype, (30, 40, 3), signed=dtype[0] != "u")
    stds = noise_field(x, BOTH, 0.03 * scale).std_map(x)
    u = np.abs(x / scale)
    assert stds.dtype == np.float32
    np.testing.assert_allclose(stds, scale * np.sqrt(0.03**2 + 0.01 * u + 0.04 * u * u), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_clipped_samples_are_counted(noise_field, dtype):
    x, std = ramp(dtype, (300, 300)), 0.1 * scale_of(dtype)
    field, other = (noise_field(x, BOTH, std, std / 8) for _ in range(2))
    y, free = field.add(x), x + other._values(x.reshape(-1), 1).astype(int).reshape(x.shape)
    np.testing.assert_array_equal(y, free.clip(0, int(scale_of(dtype))))
    assert field.measure.clipped == np.count_nonzero(y != free)
    assert field.measure.clipped_fraction > 0.1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8", "float64"])
@pytest.mark.parametrize("linear", [False, True])
def test_no_noise_changes_nothing(noise_field, dtype, linear):
    x = ramp(dtype, (256, 256), signed=dtype == "int8")
    field = noise_field(x, SignalDependent(linear=linear), 0.0)
    np.testing.assert_allclose(field.add(x), x, atol=1e-7 if dtype == "float64" else 0)
    assert field.measure.clipped == 0


def rows(cells, inside):
    """Streams that say what they are told to, and the same bits inside every slot."""
    return SimpleNamespace(
        slots=SimpleNamespace(uint16=lambda count: SLOTS[:count]),
        cells=SimpleNamespace(uint8=lambda count: np.full(count, cells, np.uint8)),
        words=SimpleNamespace(words=lambda count: np.full(count, inside, np.uint64)),
    )


def check_all_slots(stds, mean, cell, inside):
    """Every slot and cell gives the k that the quantile of the whole word gives."""
    largest = float(stds.max())
    k = scaled_integers(rows(cell, inside), Stds(stds.astype(np.float32), stds.__getitem__, largest), mean)
    assert k.dtype == integer_type(largest, mean)
    word = SLOTS.astype(np.uint64) << np.uint64(48)
    if k.dtype == np.int32:
        word |= np.uint64(cell << 40 | inside >> 24)
    elif k.dtype == np.float64:
        word = np.full(SLOTS.size, inside, np.uint64)
    else:
        word |= np.uint64(inside >> 16)
    np.testing.assert_array_equal(k, np.rint(normal_from_words(word) * stds + mean))


@pytest.mark.parametrize(
    "largest", [0.0, 1e-9, 0.3, 5.0, 13.0, 25.1, 499.0, 500.5, 6425.0, 30_000.0, 49_999.0, 60_000.0]
)
@pytest.mark.parametrize("mean", [0.0, 0.5, -3.3, 9999.9, 12_000.0])
@pytest.mark.parametrize("inside", [0, 2**64 - 1])
def test_slots_and_cells(operations, largest, mean, inside):
    stds = largest * np.linspace(1, 0.1, SLOTS.size)
    for cell in (0, 77, 255):
        check_all_slots(stds, mean, cell, inside)


@pytest.mark.slow
@pytest.mark.parametrize("largest", [501.0, 6425.0, 49_999.0])
@pytest.mark.parametrize("inside", [0, 2**64 - 1])
def test_all_cells(largest, inside):
    for cell in range(256):
        check_all_slots(np.full(SLOTS.size, largest), 0.0, cell, inside)
