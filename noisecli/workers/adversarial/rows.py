"""What a row says of the step: of one image, or of an archive's samples taken together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.gradient.fgsm import Predictions
from noisecli.noise.measure import round_significant, significant_or_none


def describe_step(
    eps: float,
    full_scale: float,
    labels: NDArray[np.int32],
    answered: dict[str, Predictions],
    *,
    place: int | None,
    member: str | None,
) -> dict[str, Any]:
    """Return the row's part about the step.

    Parameters
    ----------
    eps
        In the samples' native unit, of which `full_scale` is 100%.
    labels
        Of the samples, one for an image.
    answered
        What the model says "before", after the "step" alone, and "after" step and noise, of each sample.
    place
        Of an image in its batch: its slot.
    member
        The name of an archive's array.
    """
    row: dict[str, Any] = {"member": member, "place": place, "samples": len(labels)}
    row |= {"eps": eps, "eps_fraction": round_significant(eps / full_scale, 9)}
    row["label"] = int(labels[0]) if member is None else None
    for when, said in answered.items():
        row[f"answer_{when}"] = int(said.classes[0]) if member is None else None
        row[f"loss_{when}"] = significant_or_none(float(np.mean(said.losses, dtype=np.float64)))
        row[f"accuracy_{when}"] = round_significant(float(np.mean(said.classes == labels)), 6)
    changed = answered["before"].classes != answered["after"].classes
    row["changed"] = round_significant(float(np.mean(changed)), 6)
    return row
