"""Poisson counts by inverse CDF, from raw bits and single IEEE operations.

A table holds the CDF for 256 rates, 255ths of the largest. The rate of a sample of 8 bits is one of the table's; any
other rate is one of the table's and a small rest, and so is its count: the sum of two independent Poisson counts is a
Poisson count of both rates together.
"""

from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.array_ops import operations
from noisecli.noise.stream import RawBits, Streams

Counts = NDArray[np.uint16]
Words = NDArray[np.uint64]
Float64 = NDArray[np.float64]

STEPS = 255
"""A table's rates: with 8 bits for the rate and 8 for the cell, one look-up in 65,536 entries finds most counts."""
_COARSE_BITS, _FINE_BITS = 8, 12
"""Of 16 random bits, those that choose a cell of the two guides. A cell that the CDF cuts is looked at closer."""
_CUT = np.uint16(1 << 15)
"""In a guide: added to the count at the lower end of a cell that is cut."""
_TINY = 2.0**-60


class Table(NamedTuple):
    """Counts for 256 rates.

    Attributes
    ----------
    cdf
        (rates, counts): P(count <= m) times 2^64, rounded down; the last column is the largest 64-bit number.
    coarse, fine
        The count for each rate and cell, flat, with the mark of cells that are cut.
    """

    cdf: Words
    coarse: Counts
    fine: Counts


@lru_cache(maxsize=4)
def table_of(rates: tuple[float, ...]) -> Table:
    """Return the counts of 256 rates from 0 to 255."""
    cdf = _cdf(np.array(rates))
    return Table(cdf, _guide(cdf, _COARSE_BITS), _guide(cdf, _FINE_BITS))


def _guide(cdf: Words, bits: int) -> Counts:
    firsts = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    lasts = firsts | np.uint64((1 << (64 - bits)) - 1)
    lowest, highest = (np.stack([row.searchsorted(words, side="right") for row in cdf]) for words in (firsts, lasts))
    return (lowest | np.where(lowest == highest, 0, _CUT)).astype(np.uint16).reshape(-1)


def _cdf(rates: Float64) -> Words:
    with localcontext() as context:
        context.prec = 40
        # correctly rounded, unlike the C library's exp
        probability = np.array([float((-Decimal(rate)).exp()) for rate in rates.tolist()])
    total, columns, count = probability.copy(), [], 0
    largest = float(rates.max())
    while count <= largest or probability.max() > 2.0**-70:
        columns.append(total.copy())
        count += 1
        probability = probability * rates / count
        total += probability
    scaled = np.minimum(np.stack(columns, axis=1), 1 - 2.0**-53) * 2.0**64
    words: Words = scaled.astype(np.uint64)
    words[:, -1] = np.uint64(2**64 - 1)
    return words


def draw_counts(streams: Streams, table: Table, index: NDArray[np.uint8], channels: int = 1) -> Counts:
    """Draw a count for each sample, whose rate is one of the table's.

    Parameters
    ----------
    streams
        The output's own bits; each call continues where the last one stopped.
    index
        Which rate.
    channels
        So many samples in a row share their random bits.
    """
    slots = _repeat(streams.slots.uint16(index.size // channels), channels)
    place = slots >> np.uint16(16 - _COARSE_BITS)
    place |= index.astype(np.uint16) << np.uint16(_COARSE_BITS)
    counts = np.empty(index.size, np.uint16)
    operations().look_up(table.coarse, place, counts)
    cut = np.flatnonzero(counts >= _CUT)
    closer = index[cut].astype(np.intp) << _FINE_BITS
    closer |= slots[cut] >> np.uint16(16 - _FINE_BITS)
    found = table.fine.take(closer, mode="clip")
    counts[cut] = found
    open_still = found >= _CUT
    where = cut[open_still]
    word = slots[where].astype(np.uint64) << np.uint64(48)
    word |= _fresh(streams.words, where // channels) >> np.uint64(16)
    counts[where] = _search(table.cdf, index[where], found[open_still] - _CUT, word)
    return counts


def add_rest(streams: Streams, counts: Counts, rates: Float64, largest: float, channels: int = 1) -> None:
    """Add to each count a second one, of its own small rate.

    Parameters
    ----------
    rates
        From 0 to `largest`, which is at most 1.
    """
    cells = _repeat(streams.cells.uint8(rates.size // channels), channels)
    # 1 - x is below e^-x: none for certain, even at the end of the cell
    where = np.flatnonzero(cells + 256 * rates > 255)
    word = cells[where].astype(np.uint64) << np.uint64(56)
    word |= _fresh(streams.more_words, where // channels) >> np.uint64(8)
    counts[where] += _few(rates[where], largest, word)


def _repeat(values: NDArray[Any], channels: int) -> NDArray[Any]:
    return np.repeat(values, channels) if channels > 1 else values


def _fresh(bits: RawBits, places: NDArray[np.intp]) -> Words:
    """Return a word for each of some places, sorted; the same place has the same."""
    first = np.ones(places.size, np.bool_)
    first[1:] = places[1:] != places[:-1]
    fresh: Words = bits.words(int(np.count_nonzero(first)))[np.cumsum(first) - 1]
    return fresh


def _search(cdf: Words, index: NDArray[np.uint8], counts: Counts, words: Words) -> Counts:
    """Return the number of entries of each row that are not above the row's word, `counts` at least."""
    flat, place = cdf.reshape(-1), index.astype(np.intp) * cdf.shape[1] + counts
    rising = np.arange(words.size)
    while rising.size:
        rising = rising[flat[place[rising]] <= words[rising]]
        place[rising] += 1
        # the last column is above every word but one
        rising = rising[words[rising] < flat[-1]]
    found: Counts = (place - index.astype(np.intp) * cdf.shape[1]).astype(np.uint16)
    return found


def _few(rates: Float64, largest: float, words: Words) -> Counts:
    """Return counts of small rates: how many partial sums of e^rate are at most u e^rate."""
    terms = 1
    size = largest
    while size > _TINY:
        terms += 1
        size *= largest / terms
    power = np.ones(rates.size)
    for term in range(terms, 0, -1):
        power *= rates / term
        power += 1
    wanted = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53 * power
    counts, total, term_now = np.zeros(rates.size, np.uint16), np.ones(rates.size), np.ones(rates.size)
    rising = np.flatnonzero(wanted >= total)
    for count in range(1, terms):
        counts[rising] = count
        term_now[rising] *= rates[rising] / count
        total[rising] += term_now[rising]
        rising = rising[wanted[rising] >= total[rising]]
        if not rising.size:
            break
    return counts
