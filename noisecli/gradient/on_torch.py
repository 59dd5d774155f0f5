"""The gradient on Keras's torch backend."""

from __future__ import annotations

from typing import Any

import keras
import torch

from noisecli.gradient.loss import chosen, losses, margins
from noisecli.gradient.victim import Victim


class Backend:
    """Loss, prediction and gradient of one model."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim

    def look(self, x: Any, labels: Any) -> tuple[Any, Any]:
        """Return each sample's loss and prediction."""
        with torch.no_grad():
            margin, outputs = self._margins(keras.ops.convert_to_tensor(x), labels)
            return losses(self._victim, margin), chosen(self._victim, outputs)

    def gradient(self, x: Any, labels: Any) -> tuple[Any, Any, Any]:
        """Return each sample's loss and prediction, and an array with the sign of its loss's gradient by x."""
        inputs = keras.ops.convert_to_tensor(x).requires_grad_(True)
        margin, outputs = self._margins(inputs, labels)
        # without training samples are independent: the sum's gradient holds each sample's own
        (gradient,) = torch.autograd.grad(margin.sum(), inputs)
        return losses(self._victim, margin), chosen(self._victim, outputs), gradient

    def _margins(self, inputs: Any, labels: Any) -> tuple[Any, Any]:
        outputs = self._victim.model(inputs, training=False)
        return margins(self._victim, outputs, keras.ops.convert_to_tensor(labels)), outputs


def versions() -> dict[str, str]:
    """Return the version of the library that computes."""
    return {"torch": torch.__version__}
