"""The function for people who write their own loop."""

import numpy as np
import pytest

from noisecli import add_gaussian_noise, add_signal_dependent_noise

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f2", "f4", "f8", "g"]


@pytest.fixture
def rng():
    return np.random.default_rng(91)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", INTEGERS + FLOATS)
def test_every_dtype_and_byte_order(rng, kind, order):
    dtype = np.dtype(order + kind)
    x = np.full((30, 40), 50, dtype)
    y = add_gaussian_noise(x, 5, rng=rng)
    assert (y.dtype, y.shape) == (dtype, x.shape)
    assert abs(float(y.astype(np.float64).std()) - 5) < 5 * 5 / (2 * x.size) ** 0.5
    assert abs(float(y.astype(np.float64).mean()) - 50) < 5 * 5 / x.size**0.5
    assert (x == 50).all()


@pytest.mark.parametrize("kind", ["u2", "i4", "f4", "f8"])
def test_byte_order_does_not_change_values(kind):
    x = np.arange(1000)
    little, big = (
        add_gaussian_noise(x.astype(order + kind), 5, rng=np.random.default_rng(1)).astype("f8") for order in "<>"
    )
    np.testing.assert_array_equal(little, big)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3, 4, 5), (1000,)])
def test_any_shape(rng, shape):
    for dtype in ("uint8", "float32"):
        y = add_gaussian_noise(np.ones(shape, dtype), 0.1, rng=rng)
        assert isinstance(y, np.ndarray)
        assert (y.shape, y.dtype) == (shape, dtype)


@pytest.mark.parametrize("dtype", ["int16", "float64"])
def test_memory_layout_does_not_change_values(dtype):
    x = np.arange(60_000).reshape(200, 300).astype(dtype)
    views = [x, np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x[::-1][::-1]]
    noisy = [add_gaussian_noise(view, 9, rng=np.random.default_rng(5)) for view in views]
    for y in noisy[1:]:
        np.testing.assert_array_equal(y, noisy[0])


def test_lists_are_arrays_too(rng):
    assert add_gaussian_noise([1.0, 2.0], 0.1, rng=rng).dtype == np.float64


def test_noise_is_fresh_at_every_call(rng):
    x = np.zeros(100_000)
    a, b = add_gaussian_noise(x, 1, rng=rng), add_gaussian_noise(x, 1, rng=rng)
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / x.size**0.5


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.Philox, np.random.SFC64, np.random.MT19937])
def test_same_generator_state_same_noise(bits):
    x = np.zeros(1000, np.int32)
    a, b = (add_gaussian_noise(x, 100, rng=np.random.Generator(bits(3))) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert np.count_nonzero(a) > 900


def test_128_bits_of_the_generator_are_used(rng):
    other = np.random.default_rng(91)
    other.bit_generator.random_raw(2)
    add_gaussian_noise(np.zeros(1000), 1, rng=rng)
    assert rng.integers(2**62) == other.integers(2**62)


@pytest.mark.parametrize(
    ("dtype", "clip", "lowest", "highest"),
    [
        ("uint8", None, 0, 255),
        ("uint8", (10, 20), 10, 20),
        ("uint8", (-5, 1000), 0, 255),
        ("uint8", (9.5, 20.5), 10, 20),
        ("int64", (-3, 3), -3, 3),
        ("uint64", (0, 2**64), 0, None),
        ("int64", (-np.inf, 3), None, 3),
        ("float32", (0, 1), 0, 1),
        ("float64", (-np.inf, 1), None, 1),
        ("float16", (-1, 1), -1, 1),
        ("float32", None, None, None),
    ],
)
def test_clip(rng, dtype, clip, lowest, highest):
    y = add_gaussian_noise(np.full(20_000, 1, dtype), 300, rng=rng, clip=clip)
    if lowest is not None:
        assert y.min() == lowest
    if highest is not None:
        assert y.max() == highest
    if clip is None and dtype == "float32":
        assert (y.min() < -900, y.max() > 900) == (True, True)


def test_mean(rng):
    x = np.full(100_000, 100, np.uint8)
    assert abs(add_gaussian_noise(x, 5, mean=10.5, rng=rng).mean() - 110.5) < 5 * 5.1 / x.size**0.5


def test_what_is_no_number_stays(rng):
    x = np.array([np.nan, np.inf, -np.inf, 0.5])
    y = add_gaussian_noise(x, 0.1, rng=rng, clip=(0, 1))
    np.testing.assert_array_equal(y[:3], x[:3])


@pytest.mark.parametrize("x", [np.zeros(3, bool), np.zeros(3, complex), np.array(["a"]), np.array([None])])
def test_other_types_are_refused(rng, x):
    with pytest.raises(TypeError, match="integers and real floats"):
        add_gaussian_noise(x, 1, rng=rng)


@pytest.mark.parametrize(("std", "mean"), [(-1, 0), (np.nan, 0), (np.inf, 0), (1, np.nan), (1, np.inf)])
def test_bad_parameters_are_refused(rng, std, mean):
    with pytest.raises(ValueError, match="std must be finite"):
        add_gaussian_noise(np.zeros(3), std, mean=mean, rng=rng)


@pytest.mark.parametrize(("dtype", "clip"), [("float64", (1, 0)), ("uint8", (300, 400)), ("int8", (0.2, 0.8))])
def test_an_empty_clip_is_refused(rng, dtype, clip):
    with pytest.raises(ValueError, match="clip"):
        add_gaussian_noise(np.zeros(3, dtype), 1, rng=rng, clip=clip)


def test_a_clip_that_is_no_number_is_refused(rng):
    with pytest.raises(ValueError, match="clip"):
        add_gaussian_noise(np.zeros(3), 1, rng=rng, clip=(np.nan, 1))


class TestSignalDependent:
    """add_signal_dependent_noise(): the arguments of add_gaussian_noise(), and what grows with the signal."""

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("kind", INTEGERS + FLOATS)
    def test_every_dtype_and_byte_order(self, rng, kind, order):
        dtype = np.dtype(order + kind)
        x = np.full((100, 400), 50, dtype)
        y = add_signal_dependent_noise(x, 3, shot=0.02, speckle=0.08, full_scale=400, rng=rng)
        assert (y.dtype, y.shape) == (dtype, x.shape)
        exact = (3**2 + 0.02 * 400 * 50 + (0.08 * 50) ** 2) ** 0.5
        added = y.astype(np.float64) - 50
        low = -50 if kind[0] == "u" else -179
        reference = np.random.default_rng(2).normal(0, exact, 400_000).clip(low, 77 if kind == "i1" else 205)
        assert abs(added.std() - reference.std()) < 5 * exact / (2 * x.size) ** 0.5
        assert (x == 50).all()

    @pytest.mark.parametrize("kind", ["u2", "i4", "f4", "f8"])
    def test_byte_order_does_not_change_values(self, kind):
        x, more = np.arange(1000), {"shot": 0.01, "full_scale": 1000.0}
        little, big = (
            add_signal_dependent_noise(x.astype(order + kind), 5, rng=np.random.default_rng(1), **more).astype("f8")
            for order in "<>"
        )
        np.testing.assert_array_equal(little, big)

    @pytest.mark.parametrize(
        ("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("int16", 32768), ("float32", 1), ("float64", 1)]
    )
    def test_full_scale_is_the_type_s(self, dtype, white):
        x = (np.linspace(0, 0.9, 2000) * white).astype(dtype)
        given, own = (
            add_signal_dependent_noise(x, shot=0.01, rng=np.random.default_rng(1), **more)
            for more in ({"full_scale": white}, {})
        )
        np.testing.assert_array_equal(given, own)

    @pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3, 4, 5)])
    def test_any_shape(self, rng, shape):
        for dtype in ("uint8", "float32"):
            assert add_signal_dependent_noise(np.ones(shape, dtype), 0.1, shot=0.1, rng=rng).shape == shape

    def test_clip_and_mean(self, rng):
        y = add_signal_dependent_noise(np.full(20_000, 15, np.uint8), 30, mean=1.0, rng=rng, clip=(10, 20))
        assert (y.min(), y.max()) == (10, 20)
        y = add_signal_dependent_noise(np.full(100_000, 0.5), 0.1, mean=0.25, rng=rng)
        assert abs(y.mean() - 0.75) < 5 * 0.1 / 100_000**0.5

    def test_noise_is_fresh_and_128_bits_of_the_generator_are_used(self, rng):
        other = np.random.default_rng(91)
        other.bit_generator.random_raw(2)
        first = add_signal_dependent_noise(np.ones(1000), 1, shot=0.5, rng=rng)
        assert rng.integers(2**62) == other.integers(2**62)
        assert (add_signal_dependent_noise(np.ones(1000), 1, shot=0.5, rng=rng) != first).any()

    @pytest.mark.parametrize(
        "more",
        [{"std": -1}, {"std": np.nan}, {"shot": -1}, {"speckle": np.inf}, {"full_scale": 0}, {"mean": np.nan}],
    )
    def test_bad_parameters_are_refused(self, rng, more):
        with pytest.raises(ValueError, match="must be finite"):
            add_signal_dependent_noise(np.zeros(3), rng=rng, **more)

    @pytest.mark.parametrize("x", [np.zeros(3, bool), np.zeros(3, complex), np.array(["a"])])
    def test_other_types_are_refused(self, rng, x):
        with pytest.raises(TypeError, match="add_signal_dependent_noise takes integers and real floats"):
            add_signal_dependent_noise(x, 1, rng=rng)
