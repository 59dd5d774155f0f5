"""Cross-entropy of sparse integer labels, in Keras's operations, which every backend runs and differentiates.

The loss is J = -log p_y = log(1 + exp(margin)) with margin = log sum_{k != y} exp z_k - z_y, the log odds against the
label. By the chain rule grad J = (1 - p_y) grad margin: both have the same sign everywhere. But 1 - p_y rounds to 0 for
a confident model long before the margin's gradient does, so the margin is differentiated.
"""

from typing import Any

from noisecli.gradient.victim import Victim


def margins(victim: Victim, outputs: Any, labels: Any) -> Any:
    """Return each sample's margin, which grows with its loss; the loss itself where only probabilities are known.

    Parameters
    ----------
    outputs
        Of the model: (samples, classes), or (samples, 1) or (samples,) of a binary one.
    labels
        int32, (samples,).
    """
    from keras import ops

    outputs = ops.cast(outputs, "float32")
    if victim.binary:
        output = ops.reshape(outputs, (-1,))
        if victim.answers == "logits":
            return ops.cast(1 - 2 * labels, "float32") * output
        return -ops.log(ops.where(labels == 1, output, 1 - output))
    own = ops.take_along_axis(outputs, labels[:, None], axis=1)[:, 0]
    if victim.answers == "probabilities":
        return -ops.log(own)
    is_own = ops.arange(victim.classes) == labels[:, None]
    return ops.logsumexp(ops.where(is_own, -float("inf"), outputs), axis=1) - own


def losses(victim: Victim, margin: Any) -> Any:
    """Return J of each sample, by its margin. Nothing is clipped, unlike in keras.losses."""
    from keras import ops

    return ops.softplus(margin) if victim.answers == "logits" else margin


def chosen(victim: Victim, outputs: Any) -> Any:
    """Return the class that the model predicts for each sample."""
    from keras import ops

    if not victim.binary:
        return ops.argmax(outputs, axis=-1)
    middle = 0.0 if victim.answers == "logits" else 0.5
    return ops.cast(ops.reshape(outputs, (-1,)) > middle, "int32")
