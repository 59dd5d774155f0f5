"""Whether two outputs differ by no more than the sign of a gradient that was almost 0."""

import itertools
from collections.abc import Iterable

import numpy as np

from noisecli.workers.adversarial.maker import AnyArray

_MOST_OTHER_SIGNS = 0.01
"""Share of the samples whose sign another version of a library may turn."""


def are_alike_but_for_signs(ones: Iterable[AnyArray], others: Iterable[AnyArray], eps: float) -> bool:
    """Return whether the samples are the same but for few, which a step of `eps` the other way explains.

    Another version of a library, or another machine, computes other last bits of a gradient.

    Parameters
    ----------
    ones, others
        The blocks of both, in order.
    eps
        In the samples' own unit.
    """
    turned = total = 0
    for one, other in itertools.zip_longest(ones, others):
        if one is None or other is None or (one.shape, one.dtype) != (other.shape, other.dtype):
            return False
        is_whole = one.dtype.kind in "iu"
        rounding = 1.0 if is_whole else float(np.finfo(one.dtype).eps) * max(1.0, float(np.abs(one).max(initial=0)))
        apart = np.abs(one.astype(np.float64) - other)
        if not (apart <= 2 * eps + rounding).all():
            return False
        turned, total = turned + int(np.count_nonzero(apart)), total + apart.size
    return turned <= _MOST_OTHER_SIGNS * total
