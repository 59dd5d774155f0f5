"""2,000 photographs: the floor, the peers and noisecli with the same encoder settings."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from data import Data
from race import HERE, NOISECLI, Contestant, Course, Times, race
from table import Goal, Section, against, print_race, race_details

STD = 25
IMAGEMAGICK = "ImageMagick"
Options = dict[str, str]


def peer(name: str, mode: str, options: Options, jobs: int) -> Contestant:
    """A way of peers_images.py; jobs 0 is the plain loop."""
    words = [word for option in options.items() for word in option]
    script = [sys.executable, "-P", str(HERE / "peers_images.py"), mode]
    return Contestant(name, lambda src, dst: [*script, str(src), str(dst), "--jobs", str(jobs), *words])


def noisecli(name: str, options: list[str], jobs: int) -> Contestant:
    words = ["--std", str(STD), "-j", str(jobs), "--quiet", *options]
    return Contestant(name, lambda src, dst: [NOISECLI, "images", str(src), str(dst), *words])


def imagemagick(options: Options, jobs: int) -> list[Contestant]:
    """`mogrify` under `xargs -P`, where there is one."""
    if not shutil.which("mogrify"):
        return []
    sampling = {"420": "2x2,1x1,1x1", "444": "1x1"}[options["--subsampling"]]
    encoder = f"-quality {options['--quality']} -sampling-factor {sampling}"
    noise = "-attenuate 1 +noise Gaussian"
    line = f'find "$0" -name "*.jpg" -print0 | xargs -0 -P{jobs} -n50 mogrify -path "$1" {encoder} {noise}'
    return [Contestant(IMAGEMAGICK, lambda src, dst: ["sh", "-c", line, str(src), str(dst)], "std of its own")]


def std_on_disk(source: Path, output: Path) -> float | None:
    """Return the std of what the output differs by, in grey levels, the clip and the codec's own error in it."""
    before: Any = cv2.imread(str(source))
    after: Any = cv2.imread(str(output))
    return None if before is None or after is None else float(np.std(after.astype(np.float64) - before))


class Photographs:
    """The races on one set of photographs."""

    def __init__(self, data: Data, runs: int, jobs: int, scratch: Path) -> None:
        self._source, self._tiny = data.photographs(), data.tiny_photographs()
        self._files = sum(1 for _ in self._source.iterdir())
        self._runs, self._jobs, self._scratch = runs, jobs, scratch

    def run(self) -> Section:
        section = self._jpeg("95", "420", {"floor": 0.75, "textbook": 3.5, "albumentations": 2.4, IMAGEMAGICK: 5}, [])
        section.add(self._jpeg("98", "444", {"floor": 0.87}, self._one_worker()))
        section.add(self._png())
        return section

    def _peers(self, options: Options) -> list[Contestant]:
        modes = ["floor", "float32", "albumentations", "textbook"]
        return [peer(mode, mode, options, self._jobs) for mode in modes]

    def _one_worker(self) -> list[Contestant]:
        options = {"--quality": "98", "--subsampling": "444"}
        return [peer("floor, 1 worker", "floor", options, 1), noisecli("noisecli, 1 worker", [], 1)]

    def _jpeg(self, quality: str, subsampling: str, wanted: dict[str, float], more: list[Contestant]) -> Section:
        options = {"--quality": quality, "--subsampling": subsampling}
        ours = noisecli("noisecli", [word for option in options.items() for word in option], self._jobs)
        if more:
            ours = noisecli("noisecli", [], self._jobs)
        peers = [*self._peers(options), peer("textbook, no pool", "textbook", options, 0)]
        contestants = [ours, *peers, *imagemagick(options, self._jobs), *more]
        label = f"JPEG {quality} {':'.join(subsampling)}"
        section, times = self._race(label, ".jpg", contestants, wanted)
        if more:
            section.goals += _workers(self._jobs, times)
        return section

    def _png(self) -> Section:
        contestants = [
            noisecli("noisecli", ["--format", "png"], self._jobs),
            *self._peers({"--format": "png"}),
        ]
        return self._race("PNG", ".png", contestants, {"floor": 0.88})[0]

    def _race(
        self, label: str, suffix: str, contestants: list[Contestant], wanted: dict[str, float]
    ) -> tuple[Section, dict[str, Times]]:
        title = f"{self._files:,} photographs to {label}, std {STD}, {self._jobs} workers"
        course = Course(title, self._source, self._tiny, self._files, suffix, std_on_disk)
        times = race(course, contestants, self._runs, self._scratch)
        notes = {one.name: one.note for one in contestants} | {"floor": "one noisy picture for all"}
        print_race(title, times, notes, "std on disk")
        goals = against(f"{self._files:,} photographs to {label}", times, wanted)
        return Section(goals, {title: race_details(times)}), times


def _workers(jobs: int, times: dict[str, Times]) -> list[Goal]:
    """How much the others bring; the floor tells how much this machine has to give."""
    work = f"{jobs} workers instead of 1"
    ratios = {name: times[f"{name}, 1 worker"].median / times[name].median for name in ("noisecli", "floor")}
    return [
        Goal(work, "noisecli", ratios["noisecli"], 1.85 if jobs == 2 else None, "x"),
        Goal(work, "the floor", ratios["floor"], None, "x"),
    ]
