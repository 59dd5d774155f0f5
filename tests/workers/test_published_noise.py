"""The corruptions of ImageNet-C on a photograph, beside its formulas in plain numpy, rounded instead of truncated."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

PHOTOGRAPHS = Path(__file__).parents[2] / "sample_data" / "images"
STRENGTHS = {
    "gaussian": (0.08, 0.12, 0.18, 0.26, 0.38),
    "shot": (60, 25, 12, 5, 3),
    "impulse": (0.03, 0.06, 0.09, 0.17, 0.27),
    "speckle": (0.15, 0.2, 0.35, 0.45, 0.6),
}
MOST_Z = 5


def published(name, x, c, draws):
    """Return what Hendrycks and Dietterich (2019) make of an image in 0..1, before samples become integers."""
    if name == "gaussian":
        return x + draws.normal(size=x.shape, scale=c)
    if name == "shot":
        return draws.poisson(x * c) / c
    if name == "speckle":
        return x + x * draws.normal(size=x.shape, scale=c)
    # skimage.util.random_noise(mode="s&p"): a share c is struck, half of it white
    struck, white = draws.random(x.shape) < c, draws.random(x.shape) < 0.5
    return np.where(struck, white.astype(float), x)


def rounded(y):
    return np.rint(np.clip(y, 0, 1) * 255).astype(np.uint8)


def distances(ours, theirs):
    """Return how many standard errors two sets of samples are apart: in mean, in std, in their histograms."""
    one, other = (each.astype(np.float64).ravel() for each in (ours, theirs))
    error = ((one.var() + other.var()) / one.size) ** 0.5
    fourth = ((one - one.mean()) ** 4).mean() / one.var() ** 2
    of_std = one.std() * ((fourth - 1) / 4 * 2 / one.size) ** 0.5
    counts, others = (np.bincount(each.astype(np.int64), minlength=256) for each in (one, other))
    seen = counts + others > 0
    chi_square = ((counts - others)[seen] ** 2 / (counts + others)[seen]).sum()
    bins = seen.sum() - 1
    return (
        abs(one.mean() - other.mean()) / error,
        abs(one.std() - other.std()) / of_std,
        (chi_square - bins) / (2 * bins) ** 0.5,
    )


@pytest.mark.parametrize("name", STRENGTHS)
def test_a_photograph_at_all_severities(noisy, rows, destination, tmp_path, name):
    folder = tmp_path / "photos"
    folder.mkdir()
    photograph = next(path for path in sorted(PHOTOGRAPHS.rglob("*")) if path.suffix in (".png", ".jpg"))
    image = cv2.imread(os.fspath(photograph))
    cv2.imwrite(os.fspath(folder / "a.png"), image)
    assert noisy("images", folder, destination, "--corruption", name, "--severity", "1,2,3,4,5").status == 0
    draws = np.random.default_rng(15)
    by_level = {row["level"].partition(",")[0]: file for file, row in rows(destination).items()}
    for severity, strength in enumerate(STRENGTHS[name], 1):
        ours = cv2.imread(os.fspath(destination / by_level[f"severity={severity}"]))
        theirs = rounded(published(name, image / 255, strength, draws))
        assert max(distances(ours, theirs)) < MOST_Z, severity
        # and truncating, as the published set does, is half a grey level darker
        truncated = np.uint8(np.clip(published(name, image / 255, strength, draws), 0, 1) * 255)
        if name != "impulse":
            assert 0.2 < ours.mean() - truncated.mean() < 0.8
