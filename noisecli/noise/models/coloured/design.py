"""The filter that colours white noise: spectral density as the power `exponent` of the frequency.

A ladder of poles and zeros, three times as far each as the one before, stands for a power of 1 - 1/z (Oustaloup, A. et
al. (2000), Frequency-band complex noninteger differentiator): from the lowest frequency up, its slope is within 0.01 dB
an octave. A short symmetric filter turns the power of 1 - 1/z, which bends near half the rate (Kasdin, N. J. (1995),
Discrete simulation of colored noise), into one of the frequency. Behind the short filter the response is a sum of
exponentials, one for each slow pole: it needs a state of a few numbers, and never ends.

All arithmetic is Python's own on doubles, in a fixed order.
"""

import math
from functools import lru_cache
from typing import NamedTuple

LOWEST = 2.5
"""Hz; the spectral density is flat below."""
_SHARE_OF_RATE = 0.01
"""The most that LOWEST may be of the rate."""
_RATIO = 3.0
_TOP = 1e4
"""Where the ladder ends: far above the 2 that |1 - 1/z| is at most."""
_SIDE = 14
BEHIND = 2 * _SIDE + 4
"""From one more lag on, the response is a sum of exponentials."""
_FITTED = 0.92
"""The share of half the rate up to which the short filter is fitted."""
_NEGLIGIBLE = 2.0**-36
_ROUNDED = 2.0**40
"""Design figures are rounded to this, so that the last bit of a library's power or cosine does not show."""


class Response(NamedTuple):
    """An impulse response h.

    Attributes
    ----------
    taps
        h[0], h[1] ... h[BEHIND].
    poles, weights
        h[n] is the sum of weight pole^n over them for all n above BEHIND; the poles fall.
    """

    taps: tuple[float, ...]
    poles: tuple[float, ...]
    weights: tuple[float, ...]

    def at(self, count: int) -> list[float]:
        """Return the first `count` values."""
        values = list(self.taps[:count])
        terms = [weight * _power(pole, len(values)) for pole, weight in zip(self.poles, self.weights, strict=True)]
        while len(values) < count:
            values.append(sum(terms))
            terms = [term * pole for term, pole in zip(terms, self.poles, strict=True)]
        return values

    @property
    def gain(self) -> float:
        """The std of white noise of std 1 behind the filter."""
        variance = sum(tap * tap for tap in self.taps)
        ends = [weight * _power(pole, len(self.taps)) for pole, weight in zip(self.poles, self.weights, strict=True)]
        for pole, end in zip(self.poles, ends, strict=True):
            for other, its_end in zip(self.poles, ends, strict=True):
                variance += end * its_end / (1 - pole * other)
        return math.sqrt(variance)


@lru_cache(maxsize=16)
def response_of(exponent: float, rate: float) -> Response:
    """Return the filter for white noise.

    Parameters
    ----------
    exponent
        Of the frequency in the spectral density, -2 (brown) to 2 (violet).
    rate
        Frames per second.
    """
    poles, zeros = _ladder(-exponent / 2, 2 * math.pi * min(LOWEST / rate, _SHARE_OF_RATE))
    weights = _residues(poles, zeros)
    short = _short_filter(exponent / 2)
    ladder = _impulse_response(poles, zeros, BEHIND + 1)
    taps = [sum(tap * ladder[n - lag] for lag, tap in enumerate(short[: n + 1])) for n in range(BEHIND + 1)]
    slow = []
    for pole, weight in zip(poles, weights, strict=True):
        behind = weight * sum(tap * _power(1 / pole, lag) for lag, tap in enumerate(short))
        if abs(behind) * _power(pole, BEHIND + 1) > _NEGLIGIBLE:
            slow.append((pole, behind))
    return Response(tuple(taps), tuple(pole for pole, _ in slow), tuple(weight for _, weight in slow))


def _rounded(value: float) -> float:
    return round(value * _ROUNDED) / _ROUNDED


def _power(base: float, times: int) -> float:
    """Multiply again and again: a library's own power may differ in the last bit."""
    result = 1.0
    for _ in range(times):
        result *= base
    return result


def _ladder(power: float, lowest: float) -> tuple[list[float], list[float]]:
    """Return poles and zeros in 1/z of (1 - 1/z)^-power above `lowest`, in radians a frame."""
    step = _rounded(_RATIO ** abs(power))
    below: list[float] = []
    above: list[float] = []
    place = _rounded(lowest)
    while place < _TOP:
        below.append(1 / (1 + place))
        above.append(1 / (1 + place * step))
        place *= _RATIO
    if step == _RATIO:
        # each zero is the next pole
        below, above = below[:1], above[-1:]
    return (below, above) if power > 0 else (above, below)


def _impulse_response(poles: list[float], zeros: list[float], count: int) -> list[float]:
    """Return the first values of the product of (1 - zero/z) / (1 - pole/z)."""
    values = [1.0] + [0.0] * (count - 1)
    for pole, zero in zip(poles, zeros, strict=True):
        before = last = 0.0
        for n, value in enumerate(values):
            last = value - zero * before + pole * last
            before, values[n] = value, last
    return values


def _residues(poles: list[float], zeros: list[float]) -> list[float]:
    """Return the weight of each pole^n, n > 0, in that response."""
    weights = []
    for place, pole in enumerate(poles):
        weight = 1.0
        for other, (its_pole, zero) in enumerate(zip(poles, zeros, strict=True)):
            weight *= 1 - zero / pole
            if other != place:
                weight /= 1 - its_pole / pole
        weights.append(weight)
    return weights


def _short_filter(power: float) -> list[float]:
    """Return a symmetric filter whose gain is (w / 2 sin(w/2))^power, w in radians a frame.

    A sum of cosines that has the value at Chebyshev's nodes in cos w.
    """
    middle, half = (1 + math.cos(math.pi * _FITTED)) / 2, (1 - math.cos(math.pi * _FITTED)) / 2
    rows: list[list[float]] = []
    for node in range(_SIDE + 1):
        w = math.acos(middle + half * math.cos(math.pi * (node + 0.5) / (_SIDE + 1)))
        rows.append([math.cos(k * w) for k in range(_SIDE + 1)] + [(w / (2 * math.sin(w / 2))) ** power])
    cosines = [_rounded(value) for value in _solved(rows)]
    halves = [value / 2 for value in cosines[1:]]
    return [*halves[::-1], cosines[0], *halves]


def _solved(rows: list[list[float]]) -> list[float]:
    """Solve linear equations, the right side in the last column, by elimination."""
    size = len(rows)
    for column in range(size):
        best = max(range(column, size), key=lambda place: abs(rows[place][column]))
        rows[column], rows[best] = rows[best], rows[column]
        pivot = rows[column]
        for row in rows[column + 1 :]:
            factor = row[column] / pivot[column]
            row[:] = [value - factor * its_own for value, its_own in zip(row, pivot, strict=True)]
    values = [0.0] * size
    for place in reversed(range(size)):
        known = sum(rows[place][k] * values[k] for k in range(place + 1, size))
        values[place] = (rows[place][size] - known) / rows[place][place]
    return values
