"""The gradient step on the backend that KERAS_BACKEND names, beside the paper's formula by hand on that backend.

Keras takes its backend at import, so test_backends.py runs this page once for each, in a process of its own.
"""

import os

import keras
import numpy as np
import pytest
from keras import layers

from noisecli.errors import Refused
from noisecli.gradient.fgsm import Attacker
from noisecli.gradient.victim import as_victim, load_victim

BACKEND = os.environ["KERAS_BACKEND"]
EPS = 0.1


@pytest.fixture
def rng():
    return np.random.default_rng(20150320)


def dense(shape, outputs, activation, hidden=16, seed=1):
    """Return a small network whose weights are not all alike."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Flatten(),
            layers.Dense(hidden, activation="tanh", bias_initializer="glorot_uniform"),
            layers.Dense(outputs, activation=activation, bias_initializer="glorot_uniform"),
        ]
    )


def attacker(model, answers, low=0.0, high=1.0):
    return Attacker(as_victim(model, answers), BACKEND, low, high)


def network(xp, tanh, x, weights):
    """The network above by hand: logits."""
    w1, b1, w2, b2 = weights
    return tanh(x.reshape(x.shape[0], -1) @ w1 + b1) @ w2 + b2


def by_hand(weights, x, y):
    """Loss and x + eps sign(grad_x J) in a few lines of the backend's own, no Keras; labels of 2 classes: one logit."""
    binary = weights[-1].shape == (1,)
    if BACKEND == "torch":
        import torch

        inputs = torch.tensor(x, requires_grad=True)
        z = network(torch, torch.tanh, inputs, [torch.tensor(w) for w in weights])
        if binary:
            each = torch.nn.functional.binary_cross_entropy_with_logits(
                z[:, 0], torch.tensor(y, dtype=z.dtype), reduction="none"
            )
        else:
            each = torch.nn.functional.cross_entropy(z, torch.tensor(y, dtype=torch.long), reduction="none")
        each.sum().backward()
        return each.detach().numpy(), (inputs + EPS * inputs.grad.sign()).detach().numpy(), inputs.grad.numpy()
    import jax
    import jax.numpy as jnp

    def loss(inputs):
        z = network(jnp, jnp.tanh, inputs, weights)
        if binary:
            return -jnp.where(y == 1, jax.nn.log_sigmoid(z[:, 0]), jax.nn.log_sigmoid(-z[:, 0]))
        return -jax.nn.log_softmax(z)[jnp.arange(len(y)), y]

    gradient = jax.grad(lambda inputs: loss(inputs).sum())(x)
    return np.asarray(loss(x)), np.asarray(x + EPS * jnp.sign(gradient)), np.asarray(gradient)


CASES = {
    "softmax": ((8, 8, 1), 10, "softmax", "probabilities"),
    "logits": ((8, 8, 1), 10, None, "logits"),
    "colour": ((6, 5, 3), 4, "softmax", "probabilities"),
    "binary sigmoid": ((8, 8), 1, "sigmoid", "probabilities"),
    "binary logit": ((8, 8), 1, None, "logits"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_formula_of_the_paper(rng, case):
    shape, outputs, activation, answers = CASES[case]
    model = dense(shape, outputs, activation)
    weights = [np.asarray(keras.ops.convert_to_numpy(w)) for w in model.weights]
    x = rng.random((32, *shape), dtype=np.float32)
    y = rng.integers(0, max(outputs, 2), 32, dtype=np.int32)
    losses, moved, gradient = by_hand(weights, x, y)
    attack = attacker(model, answers, -1.0, 2.0)
    signs, before, _, finite = attack.step(x, y, EPS)
    assert finite.all()
    assert np.allclose(before.losses, losses, rtol=1e-5, atol=1e-6)
    # a gradient that is 0 but for rounding may come out on either side
    sure = np.abs(gradient) > 1e-6
    assert sure.mean() > 0.99
    assert np.abs(attack.moved(x, signs, EPS) - moved)[sure].max() < 1e-6
    assert attack.look(attack.moved(x, signs, EPS), y).losses.mean() > before.losses.mean()


def test_the_step_ends_at_the_range(rng):
    attack = attacker(dense((8, 8, 1), 10, None), "logits")
    x = rng.random((8, 8, 8, 1), dtype=np.float32)
    signs, *_ = attack.step(x, np.zeros(8, np.int32), EPS)
    moved = attack.moved(x, signs, 0.7)
    assert (moved.min(), moved.max()) == (0, 1)


def test_where_the_gradient_is_0_the_sign_is_0(rng):
    model = dense((8, 8, 1), 10, "softmax")
    kernel, bias = model.layers[1].get_weights()
    dead = rng.random(64) < 0.5
    kernel[dead] = 0
    model.layers[1].set_weights([kernel, bias])
    x = rng.random((16, 8, 8, 1), dtype=np.float32)
    attack = attacker(model, "probabilities")
    signs, *_ = attack.step(x, rng.integers(0, 10, 16, dtype=np.int32), EPS)
    assert not signs.reshape(16, 64)[:, dead].any()
    assert (np.abs(signs.reshape(16, 64)[:, ~dead]) == 1).mean() > 0.99
    assert np.array_equal(attack.moved(x, signs, EPS).reshape(16, 64)[:, dead], x.reshape(16, 64)[:, dead])


@pytest.mark.parametrize("softmax", ["in the layer", "a layer", "a nested model"])
def test_a_confident_model_is_attacked_all_the_same(rng, softmax):
    """Its probabilities are 1 and 0 to the last bit; behind its logits there is a gradient."""
    model = dense((8, 8, 1), 10, "softmax" if softmax == "in the layer" else None)
    model.layers[-1].set_weights([200 * w for w in model.layers[-1].get_weights()])
    if softmax == "a layer":
        model = keras.Sequential([model, layers.Softmax()])
    elif softmax == "a nested model":
        outer = keras.Input((8, 8, 1))
        inner = keras.Sequential([layers.Input((10,)), layers.Activation("softmax")])
        model = keras.Model(outer, inner(model(outer)))
    x = rng.random((16, 8, 8, 1), dtype=np.float32)
    sure_of = np.asarray(keras.ops.convert_to_numpy(keras.ops.argmax(model(x), -1))).astype(np.int32)
    signs, before, _, _ = attacker(model, "probabilities").step(x, sure_of, EPS)
    assert np.median(before.losses) < 1e-6
    assert (np.abs(signs) == 1).mean() > 0.99


def test_probabilities_that_no_layer_lets_go_of_are_differentiated_as_they_are(rng):
    model = dense((8, 8, 1), 4, None)
    quotient = layers.UnitNormalization()(layers.Activation("sigmoid")(model.outputs[0]))
    model = keras.Model(model.inputs[0], quotient)
    x, y = rng.random((4, 8, 8, 1), dtype=np.float32), np.arange(4, dtype=np.int32)
    signs, before, _, _ = attacker(model, "probabilities").step(x, y, EPS)
    own = keras.ops.convert_to_numpy(model(x))[np.arange(4), y]
    assert np.allclose(before.losses, -np.log(own), rtol=1e-5)
    assert (np.abs(signs) == 1).mean() > 0.99


def test_nothing_is_trained_and_nothing_drawn(rng):
    """Dropout lets everything through, batch normalisation uses and keeps what it learned."""
    keras.utils.set_random_seed(3)
    learned = [layers.BatchNormalization(), layers.Dropout(0.5), layers.GaussianNoise(0.5)]
    plain = dense((8, 8, 1), 10, None)
    trained = keras.Sequential([layers.Input((8, 8, 1)), *learned, plain])
    mean, variance = rng.random(1, dtype=np.float32), rng.random(1, dtype=np.float32) + 1
    learned[0].set_weights([np.ones(1), np.zeros(1), mean, variance])
    x, y = rng.random((8, 8, 8, 1), dtype=np.float32), np.arange(8, dtype=np.int32)
    signs, first, _, _ = attacker(trained, "logits").step(x, y, EPS)
    again, second, _, _ = attacker(trained, "logits").step(x, y, EPS)
    normal = ((x - mean) / np.sqrt(variance + 1e-3)).astype(np.float32)
    plain_signs, expected, _, _ = attacker(plain, "logits").step(normal, y, EPS)
    assert np.array_equal(signs, again)
    assert np.array_equal(first.losses, second.losses)
    assert np.allclose(first.losses, expected.losses, rtol=1e-4)
    assert (signs == plain_signs).mean() > 0.99
    assert np.array_equal(learned[0].get_weights()[2], mean)


def test_a_hole_in_a_batch_changes_nothing_for_the_others(rng):
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [layers.Input((12, 12, 3)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(5)]
    )
    attack = attacker(model, "logits")
    x, y = rng.random((32, 12, 12, 3), dtype=np.float32), rng.integers(0, 5, 32, dtype=np.int32)
    signs, whole, _, _ = attack.step(x, y, EPS)
    for hole in (0, 13, 31):
        holed, labels = x.copy(), y.copy()
        holed[hole], labels[hole] = 0, 0
        others = np.arange(32) != hole
        holed_signs, answered, _, _ = attack.step(holed, labels, EPS)
        assert np.array_equal(holed_signs[others], signs[others])
        assert np.array_equal(answered.losses[others], whole.losses[others])


def test_a_gradient_that_is_no_number_is_told(rng):
    model = dense((8, 8, 1), 4, None)
    x = rng.random((3, 8, 8, 1), dtype=np.float32)
    x[1, 2, 3] = np.nan
    signs, _, _, finite = attacker(model, "logits").step(x, np.zeros(3, np.int32), EPS)
    assert finite.tolist() == [True, False, True]
    assert not np.isnan(signs).any()


def test_digits_are_misread_after_the_step_and_not_before():
    datasets = pytest.importorskip("sklearn.datasets", reason="pip install '.[recipes]'")
    digits = datasets.load_digits()
    x, y = (digits.images[..., None] / 16).astype(np.float32), digits.target.astype(np.int32)
    model = dense((8, 8, 1), 10, "softmax", hidden=64)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:1200], y[:1200], epochs=15, batch_size=32, verbose=0)
    attack, test, labels = attacker(model, "probabilities"), x[1200:], y[1200:]
    signs, before, _, _ = attack.step(test, labels, EPS)
    after = attack.look(attack.moved(test, signs, EPS), labels)
    accuracies = [float((answered.classes == labels).mean()) for answered in (before, after)]
    print("accuracy before and after", BACKEND, accuracies)
    assert accuracies[0] > 0.85
    assert accuracies[1] < accuracies[0] - 0.2
    noise = np.random.default_rng(0).choice([-EPS, EPS], test.shape)
    shaken = attack.look((test + noise).clip(0, 1).astype(np.float32), labels)
    assert (shaken.classes == labels).mean() > accuracies[0] - 0.1, "signs at random do no such harm"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda i: keras.Model([i, keras.Input((2,))], layers.Dense(2)(layers.Flatten()(i))), "2 inputs"),
        (lambda i: keras.Model(i, [layers.Flatten()(i), layers.Dense(2)(layers.Flatten()(i))]), "2 outputs"),
        (lambda i: keras.Model(i, layers.Conv2D(3, 3)(i)), "outputs an array"),
    ],
)
def test_what_is_no_classifier_is_refused(make, words):
    with pytest.raises(Refused, match=words):
        as_victim(make(keras.Input((8, 8, 1))), "logits")


def test_what_keras_cannot_load_is_refused(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(Refused, match=f"Keras {keras.__version__} cannot load it"):
        load_victim(str(tmp_path / "m.keras"), "logits")


def test_a_lambda_layer_does_not_load_even_so(tmp_path):
    keras.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x + 1)]).save(tmp_path / "m.keras")
    with pytest.raises(Refused, match="cannot load it"):
        load_victim(str(tmp_path / "m.keras"), "logits")
