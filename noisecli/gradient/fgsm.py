"""The fast gradient sign method on one batch, whatever the backend.

Goodfellow, Shlens and Szegedy (2015), Explaining and Harnessing Adversarial Examples, section 4:
x + eps sign(grad_x J(theta, x, y)).
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.gradient.victim import Victim

Float32 = NDArray[np.float32]
Labels = NDArray[np.int32]
Signs = NDArray[np.int8]


class Predictions(NamedTuple):
    """The model's predictions for each sample of a batch.

    Attributes
    ----------
    losses
        float32, (samples,): -log of the probability of the label.
    classes
        int64, (samples,).
    """

    losses: Float32
    classes: NDArray[np.int64]


class StepResult(NamedTuple):
    """The step on a batch.

    Attributes
    ----------
    signs
        int8, in the batch's shape: -1, 0 and 1; 0 where the gradient is exactly 0.
    before, after
        Predictions for the samples as they are, and for clip(x + eps signs), unrounded.
    finite
        bool, (samples,): False where some of the gradient is not finite.
    """

    signs: Signs
    before: Predictions
    after: Predictions
    finite: NDArray[np.bool_]


class Attacker:
    """A model and the backend that differentiates it.

    Parameters
    ----------
    victim
        The model.
    backend
        "torch" or "jax"; Keras must have been imported with it, or not at all yet.
    low, high
        The range of the model's input.
    """

    def __init__(self, victim: Victim, backend: str, low: float, high: float) -> None:
        self._backend: Any = import_module(f"noisecli.gradient.on_{backend}").Backend(victim)
        self._low, self._high = low, high

    def look(self, x: Float32, labels: Labels) -> Predictions:
        """Return the model's predictions.

        Parameters
        ----------
        x
            (samples, ...), in the model's own scale.
        labels
            (samples,).
        """
        return _answered(*self._backend.look(x, labels))

    def step(self, x: Float32, labels: Labels, eps: float) -> StepResult:
        """Return the step and its effect on the predictions. `eps` is in the model's own scale."""
        losses, classes, gradient = self._backend.gradient(x, labels)
        slope = _as_numpy(gradient)
        known = np.isfinite(slope)
        signs = np.sign(np.where(known, slope, 0)).astype(np.int8)
        after = self.look(self.moved(x, signs, eps), labels)
        return StepResult(signs, _answered(losses, classes), after, known.reshape(len(x), -1).all(axis=1))

    def moved(self, x: Float32, signs: Signs, eps: float) -> Float32:
        """Return clip(x + eps signs), unrounded, in the model's own scale."""
        moved: Float32 = (x + np.float64(eps) * signs).clip(self._low, self._high).astype(np.float32)
        return moved


def _answered(losses: Any, classes: Any) -> Predictions:
    return Predictions(_as_numpy(losses).astype(np.float32), _as_numpy(classes).astype(np.int64))


def _as_numpy(tensor: Any) -> NDArray[Any]:
    import keras

    array: NDArray[Any] = keras.ops.convert_to_numpy(tensor)
    return array


def versions(backend: str) -> dict[str, str]:
    """Return the versions of the libraries that a gradient depends on."""
    import keras

    own: dict[str, str] = import_module(f"noisecli.gradient.on_{backend}").versions()
    return {"keras": keras.__version__, **own}
