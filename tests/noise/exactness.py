"""How well noisy integers follow their formula: chi-square against P(y | x), by scipy, for many inputs x.

`python -m tests.noise.exactness --samples 1e8` prints a table of |z|; the tests use the same cases.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import chi2, norm, poisson

from noisecli.model import SampleSpec
from noisecli.noise.draw import Draw
from noisecli.noise.models import Noise, NoiseParameters, field_of
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import OfCamera, SignalDependent

INPUTS = {
    "uint8": (0, 1, 17, 128, 254, 255),
    "uint16": (0, 1, 2, 17, 255, 256, 4096, 20_000, 32_768, 50_000, 65_534, 65_535),
}
BLOCK = 1 << 20


class Case(NamedTuple):
    """A noise, and its std as a share of full scale."""

    name: str
    std: float
    noise: Noise


def camera(name: Any, number: int) -> tuple[float, Noise]:
    return OfCamera(name).draw(0.0, lambda place: ((0.37, 0.0, 0.61), (0.93, 0.0, 0.22))[number][place])


CASES = [
    Case("shot .01", 0.0, SignalDependent(shot=0.01)),
    Case("speckle .15", 0.0, SignalDependent(speckle=0.15)),
    Case("shot .01, std .04", 0.04, SignalDependent(shot=0.01)),
    Case("speckle .2, std .04", 0.04, SignalDependent(speckle=0.2)),
    Case("shot .01, speckle .2, std .04", 0.04, SignalDependent(0.01, 0.2)),
    Case("camera brooks", *camera("brooks", 0)),
    Case("camera sidd", *camera("sidd", 1)),
    *[Case(f"poisson {photons:g}", 0.0, Poisson(photons)) for photons in (60.0, 12.0, 3.0)],
    *[Case(f"impulse {amount}", 0.0, Impulse(amount)) for amount in (0.03, 0.09, 0.27)],
    *[Case(f"speckle severity {c}", 0.0, SignalDependent(speckle=c)) for c in (0.35, 0.6)],
    Case("linear, shot .001, std .01", 0.01, SignalDependent(shot=0.001, linear=True)),
    Case("linear, speckle .3, std .05", 0.05, SignalDependent(speckle=0.3, linear=True)),
]


def spec_of(dtype: str) -> SampleSpec:
    full_scale = float(np.iinfo(dtype).max)
    return SampleSpec(dtype, (BLOCK,), full_scale, 0.0, full_scale)


def seen(case: Case, dtype: str, value: int, samples: int) -> np.ndarray[Any, Any]:
    """Return how often each y came out of samples of one value."""
    spec = spec_of(dtype)
    key = zlib.crc32(f"{case.name} {dtype} {value}".encode()).to_bytes(16, "little")
    drawn = Draw(True, case.std * spec.full_scale, 0.0, case.noise)
    field = field_of(case.noise.word, NoiseParameters(key, spec, drawn))
    counts = np.zeros(int(spec.high) + 1)
    for start in range(0, samples, BLOCK):
        x = np.full(min(BLOCK, samples - start), value, dtype)
        counts += np.bincount(field.add(x), minlength=len(counts))
    return counts


def expected(case: Case, dtype: str, value: int) -> np.ndarray[Any, Any]:
    """Return P(y | x) of every y, by the formula."""
    scale = spec_of(dtype).full_scale
    size, u = int(scale) + 1, value / scale
    if isinstance(case.noise, Impulse):
        p = np.zeros(size)
        p[value] = 1 - case.noise.amount
        p[[0, -1]] += case.noise.amount / 2
        return p
    if isinstance(case.noise, Poisson):
        counts = np.arange(400)
        y = np.minimum(np.rint(counts * scale / case.noise.photons), scale).astype(int)
        return np.bincount(y, poisson.pmf(counts, u * case.noise.photons), minlength=size)
    noise = case.noise
    assert isinstance(noise, SignalDependent)
    curve: Callable[[Any], Any] = srgb_light if noise.linear else lambda share: share
    light = curve(np.array([u]))[0]
    std = (case.std**2 + noise.shot * light + noise.speckle**2 * light**2) ** 0.5
    borders = (curve((np.arange(size - 1) + 0.5) / scale) - light) / std if std else None
    if borders is None:
        return (np.arange(size) == value).astype(float)
    edges = np.concatenate([[-np.inf], borders, [np.inf]])
    low, high = edges[:-1], edges[1:]
    return np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))


def srgb_light(u: Any) -> Any:
    """IEC 61966-2-1, with the power function of the C library."""
    return np.where(u > 0.04045, ((u + 0.055) / 1.055) ** 2.4, u / 12.92)


def sigmas(counts: np.ndarray[Any, Any], p: np.ndarray[Any, Any], least: float = 10.0) -> tuple[float, int]:
    """Return the chi-square as a normal deviate, and its degrees of freedom.

    Neighbours join until a bin expects enough. What must never come out and did is infinitely far off.
    """
    total = counts.sum()
    if counts[p == 0].any():
        return np.inf, 0
    wanted, counts = p[p > 0] / p.sum() * total, counts[p > 0]
    starts, sum_so_far, rest = [0], 0.0, np.cumsum(wanted[::-1])[::-1]
    for place, here in enumerate(wanted[:-1]):
        sum_so_far += here
        if sum_so_far >= least and rest[place + 1] >= least:
            starts.append(place + 1)
            sum_so_far = 0.0
    wanted, counts = np.add.reduceat(wanted, starts), np.add.reduceat(counts, starts)
    freedom = len(wanted) - 1
    if not freedom:
        return 0.0, 0
    statistic = float(((counts - wanted) ** 2 / wanted).sum())
    # the smaller tail keeps its digits
    upper = chi2.sf(statistic, freedom)
    return float(norm.isf(upper) if upper < 0.5 else norm.ppf(chi2.cdf(statistic, freedom))), freedom


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=float, default=1e8)
    parser.add_argument("--only", default="", help="part of the name of a noise")
    parser.add_argument("--dtype", choices=list(INPUTS), action="append")
    args = parser.parse_args()
    for case in (case for case in CASES if args.only in case.name):
        for dtype in args.dtype or INPUTS:
            values = INPUTS[dtype]
            found = [sigmas(seen(case, dtype, x, int(args.samples)), expected(case, dtype, x)) for x in values]
            words = " ".join(f"{x}:{abs(z):.2f}/{freedom}" for x, (z, freedom) in zip(values, found, strict=True))
            print(f"{case.name:30} {dtype:6} largest |z| {max(abs(z) for z, _ in found):.2f}  {words}", flush=True)


if __name__ == "__main__":
    main()
