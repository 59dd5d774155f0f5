"""White noise behind a filter, in blocks whose borders do not show.

The last bit is the same on every machine. White noise is whole numbers, the response is whole numbers of a small unit,
and products of matrices whose sums a double holds exactly have one result, in whatever order a library adds them up.
What earlier blocks leave to later ones, a state of one number for each slow pole, is multiplied and added element by
element, rounded to whole numbers of a small unit, and spread over the block by one more such product.

Nothing starts or ends: the state before the first sample is drawn as it would be after endless noise.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from noisecli.noise.kernels import integer_noise
from noisecli.noise.models.coloured.design import BEHIND, Response
from noisecli.noise.quantile import normal_from_words
from noisecli.noise.stream import Streams

Float64 = NDArray[np.float64]

_WHITE = 64.0
"""The std of white noise, before it is rounded to whole numbers."""
_WHITE_STD = math.sqrt(_WHITE * _WHITE + 1 / 12)
_PEAK = 9.2
"""More than a normal number can be."""
_BLOCK = 64
_WINDOW = BEHIND + _BLOCK
_HALF = _BLOCK // 2
_GROUP = 64
"""Blocks whose states are computed side by side with those of other groups."""
GROUP_FRAMES = _BLOCK * _GROUP
AT_ONCE = 1 << 17
"""Samples made at a time: they stay in the cache."""
_ROWS = 256
"""Blocks whose products are quickest to take at a time."""
_EXACT_BITS = 52
_POWER_BITS, _STATE_BITS, _LEFT_BITS = 24, 10, 21
"""Behind the point: of powers of poles within a block, of states, and of powers of poles from block to block."""


class Matrices(NamedTuple):
    """A response as what one block does.

    Attributes
    ----------
    out, unit
        From the state, in whole numbers of each pole's own unit, the last BEHIND values before a block and its own to
        the block's output: whole numbers, and what one is of noise of std 1.
    into
        From the values, less the last BEHIND, to what they add to the state, in whole numbers.
    within, left
        From what each block of a group adds to the state before each of them, and behind the last; and what is left
        there of the state before the group.
    state_units
        The units of each pole.
    first
        Makes independent normal numbers a state after endless noise: a lower triangle.
    """

    out: Float64
    unit: float
    into: Float64
    within: Float64
    left: Float64
    state_units: Float64
    first: Float64

    @property
    def poles(self) -> int:
        """How many numbers a state is."""
        return len(self.into)


class ColouredNoise:
    """Noise of one response, to be taken in any number of frames at a time.

    Parameters
    ----------
    streams
        The output's own bits.
    response
        Of the filter.
    channels
        How many independent noises.
    std
        Of the noise.
    """

    def __init__(self, streams: Streams, response: Response, channels: int, std: float) -> None:
        self._streams, self._channels, self._std = streams, channels, std
        self._matrices = matrices_of(response)
        self._before = self._white(BEHIND)
        self._state = self._first_state()
        self._rest = np.empty((channels, 0))

    def take(self, frames: int) -> Float64:
        """Return the next frames, (channels, frames)."""
        parts, missing = [self._rest] if self._rest.size else [], frames - self._rest.shape[1]
        most = max(AT_ONCE // self._channels // GROUP_FRAMES, 1)
        while missing > 0:
            groups = min(-(-missing // GROUP_FRAMES), most)
            parts.append(self._next(groups))
            missing -= groups * GROUP_FRAMES
        found = np.concatenate(parts or [self._rest], axis=1) if len(parts) != 1 else parts[0]
        self._rest = found[:, frames:].copy()
        return found[:, :frames]

    def rms(self, frames: int) -> float:
        """Return the root mean square of the next frames."""
        squares, most = 0.0, max(AT_ONCE // self._channels, 1)
        for start in range(0, frames, most):
            noise = self.take(min(most, frames - start))
            squares += float(np.square(noise, out=noise).sum())
        return math.sqrt(squares / (frames * self._channels)) if frames else 0.0

    def _white(self, frames: int, groups: int = 1) -> NDArray[np.int16]:
        """Return white noise as whole numbers, (channels, frames); group by group, one channel behind the other."""
        drawn = integer_noise(self._streams, frames * self._channels, _WHITE, 0.0)
        return drawn.reshape(groups, self._channels, -1).swapaxes(0, 1).reshape(self._channels, frames)

    def _first_state(self) -> Float64:
        first = self._matrices.first
        normal = normal_from_words(self._streams.more_words.words(self._channels * len(first)))
        state = np.zeros((len(first), self._channels))
        for place, numbers in enumerate(normal.reshape(state.shape)):
            state += first[:, place, None] * numbers
        return state

    def _next(self, groups: int) -> Float64:
        """Return the next groups of blocks, (channels, frames)."""
        frames, made = groups * GROUP_FRAMES, self._matrices
        values = np.concatenate([self._before, self._white(frames, groups)], axis=1)
        self._before = values[:, frames:].copy()
        blocks = frames // _BLOCK
        strides = (values.strides[0], _BLOCK * values.itemsize, values.itemsize)
        known = np.empty((self._channels * blocks, made.poles + _WINDOW))
        windows, half = known[:, made.poles :], made.poles + _WINDOW - _HALF
        windows[:] = as_strided(values, (self._channels, blocks, _WINDOW), strides).reshape(-1, _WINDOW)
        if made.poles:
            known[:, : made.poles] = self._states(made.into @ windows[:, :_BLOCK].T).T
        noise = np.empty((len(known), _BLOCK))
        for start in range(0, len(known), _ROWS):
            few, part = known[start : start + _ROWS], noise[start : start + _ROWS]
            # the first half of a block does not depend on the second
            np.matmul(few[:, :half], made.out[:half, :_HALF], out=part[:, :_HALF])
            np.matmul(few, made.out[:, _HALF:], out=part[:, _HALF:])
            part *= made.unit * self._std
        return noise.reshape(self._channels, frames)

    def _states(self, added: Float64) -> Float64:
        """Return the state before each block, as whole numbers, (poles, blocks); `added` is what each block adds."""
        made = self._matrices
        # within a group, as if nothing had been before it
        added *= 2.0 ** (_STATE_BITS - _POWER_BITS)
        alone = np.rint(added, out=added).reshape(made.poles, -1, _GROUP) @ made.within
        alone *= 2.0**-_LEFT_BITS
        ends = alone[:, :, _GROUP].reshape(made.poles, self._channels, -1)
        before = np.empty((ends.shape[2] + 1, *self._state.shape))
        before[0] = self._state
        for now, then, end in zip(before[:-1], before[1:], np.moveaxis(ends, 2, 0), strict=True):
            np.multiply(now, made.left[:, _GROUP:], out=then)
            np.add(then, end, out=then)
        self._state = before[-1]
        states: Float64 = np.moveaxis(before[:-1], 0, 2).reshape(made.poles, -1, 1) * made.left[:, None, :_GROUP]
        states += alone[:, :, :_GROUP]
        states *= made.state_units[:, None, None]
        return np.rint(states, out=states).reshape(made.poles, -1)


@lru_cache(maxsize=16)
def matrices_of(response: Response) -> Matrices:
    """Return what a block of a response does."""
    h, poles = np.array(response.at(_WINDOW)), response.poles
    powers = _powers(poles, _WINDOW + 1)
    weights = np.array(response.weights) * powers[BEHIND + 1]
    peaks = _PEAK * _WHITE_STD / np.sqrt(1 - powers[1] * powers[1])
    largest = _PEAK * _WHITE * float(np.abs(h).sum()) + float((np.abs(weights) * peaks).sum())
    bits = _EXACT_BITS - math.frexp(largest)[1]
    # half of the digits for the state, half for what is made of it
    halves = [math.frexp(weight / peak)[1] for weight, peak in zip(np.abs(weights), peaks, strict=True)]
    own = np.array([2.0 ** ((bits + half) // 2 + 2) for half in halves])
    out = np.zeros((len(poles) + _WINDOW, _BLOCK))
    out[: len(poles)] = powers[:_BLOCK].T * (weights / own)[:, None]
    for place in range(_BLOCK):
        reach = BEHIND + place + 1
        out[len(poles) : len(poles) + reach, place] = h[:reach][::-1]
    out = np.rint(out * 2.0**bits)
    into = np.rint(powers[_BLOCK - 1 :: -1].T * 2.0**_POWER_BITS)
    first = _triangle(poles) * (_WHITE_STD * 2.0**_STATE_BITS)
    left = _powers(tuple(powers[_BLOCK]), _GROUP + 1).T
    unit = 2.0**-bits / (response.gain * _WHITE_STD)
    return Matrices(out, unit, into, _within(left), left, own * 2.0**-_STATE_BITS, first)


def _within(left: Float64) -> Float64:
    within = np.zeros((len(left), _GROUP, _GROUP + 1))
    for block in range(_GROUP):
        within[:, block, block + 1 :] = np.rint(left[:, : _GROUP - block] * 2.0**_LEFT_BITS)
    return within


def _powers(poles: tuple[float, ...], count: int) -> Float64:
    """Return each pole to the power 0, 1, 2 ..., by multiplying: (count, poles)."""
    powers = np.ones((count, len(poles)))
    for n in range(1, count):
        powers[n] = powers[n - 1] * np.array(poles)
    return powers


def _triangle(poles: tuple[float, ...]) -> Float64:
    """Return Cholesky's factor of the states' covariance under white noise of std 1, 1 / (1 - pole other)."""
    lower = np.zeros((len(poles), len(poles)))
    for row, pole in enumerate(poles):
        for column, other in enumerate(poles[: row + 1]):
            rest = 1 / (1 - pole * other)
            for k in range(column):
                rest -= lower[row, k] * lower[column, k]
            lower[row, column] = math.sqrt(max(rest, 0.0)) if row == column else rest / lower[column, column]
    return lower
