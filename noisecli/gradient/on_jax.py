"""The gradient on Keras's jax backend."""

from typing import Any

import jax

from noisecli.gradient.loss import chosen, losses, margins
from noisecli.gradient.victim import Victim


class Backend:
    """Loss, prediction and gradient of one model, compiled once for each shape of a batch."""

    def __init__(self, victim: Victim) -> None:
        self._variables = (
            [variable.value for variable in victim.model.trainable_variables],
            [variable.value for variable in victim.model.non_trainable_variables],
        )

        def total(x: Any, labels: Any, variables: Any) -> tuple[Any, tuple[Any, Any]]:
            outputs, _ = victim.model.stateless_call(*variables, x, training=False)
            margin = margins(victim, outputs, labels)
            # without training samples are independent: the sum's gradient holds each sample's own
            return margin.sum(), (losses(victim, margin), chosen(victim, outputs))

        self._look = jax.jit(total)
        self._gradient = jax.jit(jax.value_and_grad(total, has_aux=True))

    def look(self, x: Any, labels: Any) -> tuple[Any, Any]:
        """Return each sample's loss and prediction."""
        _, (each, answers) = self._look(x, labels, self._variables)
        return each, answers

    def gradient(self, x: Any, labels: Any) -> tuple[Any, Any, Any]:
        """Return each sample's loss and prediction, and an array with the sign of its loss's gradient by x."""
        (_, (each, answers)), gradient = self._gradient(x, labels, self._variables)
        return each, answers, gradient


def versions() -> dict[str, str]:
    """Return the versions of the libraries that compute."""
    return {"jax": jax.__version__}
