"""Long sounds and many short ones: the floor, the peers and noisecli, PCM_16 in and out."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from data import Data
from race import HERE, NOISECLI, Contestant, Course, race
from table import Goal, Section, against, print_race, race_details

SNR_DB = 20
SOX_AMPLITUDE = 0.02
MODES = {
    "floor": "one noisy sound for all, no fsync",
    "floor-fsync": "as soundfile.write() does",
    "float32": "",
    "textbook": "",
    "audiomentations": "",
}


def peer(mode: str, note: str, jobs: int) -> Contestant:
    script = [sys.executable, "-P", str(HERE / "peers_audio.py"), mode]
    words = ["--jobs", str(jobs), "--snr-db", str(SNR_DB)]
    return Contestant(mode, lambda src, dst: [*script, str(src), str(dst), *words], note)


def noisecli(jobs: int) -> Contestant:
    words = ["--snr-db", str(SNR_DB), "-j", str(jobs), "--quiet"]
    return Contestant("noisecli", lambda src, dst: [NOISECLI, "audio", str(src), str(dst), *words])


def sox(jobs: int) -> list[Contestant]:
    """A file at a time, as its users write it: white noise of one amplitude mixed with the sound."""
    if not shutil.which("sox"):
        return []
    noise = f'sox "$1" -p synth whitenoise vol {SOX_AMPLITUDE}'
    each = f'{noise} | sox -m -v 1 "$1" -v 1 -t sox - "$0/$(basename "$1")"'
    line = f"find \"$0\" -name '*.wav' -print0 | xargs -0 -P{jobs} -n1 sh -c '{each}' \"$1\""
    note = "uniform noise of one amplitude"
    return [Contestant("SoX", lambda src, dst: ["sh", "-c", line, str(src), str(dst)], note)]


def snr_on_disk(source: Path, output: Path) -> float | None:
    """Return the signal-to-noise ratio of the output in dB, the clip in it."""
    before: Any = soundfile.read(source)[0]
    noise: Any = soundfile.read(output)[0] - before
    power = float(np.mean(noise**2))
    return float(10 * np.log10(np.mean(before**2) / power)) if power and before.any() else None


def run(data: Data, runs: int, jobs: int, scratch: Path) -> Section:
    contestants = [noisecli(jobs), *(peer(mode, note, jobs) for mode, note in MODES.items()), *sox(jobs)]
    notes = {one.name: one.note for one in contestants}
    section = Section()
    courses = [
        ("WAVs of 30 s", data.long_sounds(), {"floor": 0.5, "audiomentations": 3.0}),
        ("WAVs of 0.4 s", data.short_sounds(), {"floor": 0.75, "textbook": 1.0}),
    ]
    for label, source, wanted in courses:
        files = sum(1 for _ in source.iterdir())
        title = f"{files:,} {label}, {SNR_DB} dB, {jobs} workers"
        course = Course(title, source, data.tiny_sounds(), files, ".wav", snr_on_disk)
        times = race(course, contestants, runs, scratch)
        print_race(title, times, notes, "dB on disk")
        work = f"{files:,} {label}"
        section.goals += against(work, times, wanted)
        with_fsync = times["floor-fsync"].median / times["noisecli"].median
        section.goals.append(Goal(work, "of the speed of the floor with fsync", with_fsync, None))
        section.details[title] = race_details(times)
    return section
