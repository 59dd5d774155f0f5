"""Print the table of uses in README.md here: what each recipe runs, and what the noise bought, over a few seeds."""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Recipe, measured

RECIPES = (
    "classifier",
    "curve",
    "corruptions",
    "fresh",
    "finetune",
    "two_views",
    "boxes",
    "denoiser",
    "camera_denoiser",
    "anomaly",
    "speech",
    "tabular",
    "adversarial",
    "instance_noise",
    "robust_weights",
    "ensemble",
    "control",
)


@dataclass(frozen=True)
class Spread:
    """A figure's mean and standard deviation over the seeds; formatted as `71.2 ± 0.8%`."""

    values: tuple[float, ...]

    def __format__(self, spec: str) -> str:
        mean = format(statistics.mean(self.values), spec)
        spread = format(statistics.stdev(self.values), spec)
        return f"{mean.removesuffix('%')}±{spread}"


def run(names: list[str], seeds: list[int]) -> Iterator[dict[str, Any]]:
    """Yield for each recipe its command lines and its figures, one for each seed."""
    for name in names:
        runs = [measured(recipe_of(name), seed) for seed in seeds]
        yield {"name": name, "commands": runs[0][1], "figures": [figures for figures, _ in runs]}


def recipe_of(name: str) -> Recipe:
    recipe: Recipe = importlib.import_module(name).RECIPE
    return recipe


def row(told: dict[str, Any]) -> str:
    """Return a recipe's line of the table."""
    recipe = recipe_of(told["name"])
    figures = {key: Spread(tuple(seed[key] for seed in told["figures"])) for key in told["figures"][0]}
    bought = recipe.bought.format(**figures)
    commands = "<br>".join(f"`{line}`" for line in told["commands"])
    return f"| {recipe.use} (`{told['name']}.py`) | {commands or '`add_gaussian_noise` in the loop'} | {bought} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", help="all, unless named")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", action="store_true", help="print the figures of every seed, a line for each recipe")
    parser.add_argument("--from", dest="figures", type=Path, help="make the table of what --json printed before")
    args = parser.parse_args()
    if args.figures:
        tellings = map(json.loads, args.figures.read_text().splitlines())
    else:
        tellings = run(args.recipes or list(RECIPES), args.seeds)
    if not args.json:
        print("| use | command | what it bought |\n| --- | --- | --- |")
    for told in tellings:
        print(json.dumps(told) if args.json else row(told), flush=True)


if __name__ == "__main__":
    main()
