"""Where a file's time goes inside a worker; a process of its own, which writes JSON.

The worker runs in this process, with a clock around its parts. A clock that is started inside another stops that one,
so each second is counted once. Parts that are not there any more are named and left out.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import importlib
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from noisecli.kinds import KINDS, load
from noisecli.model import Encoding, Level, Task
from noisecli.run import plan, sources
from noisecli.settings import NoiseSettings, OutputSettings, Running, Settings
from noisecli.workers.worker import Making

FILES = 1_000
CHUNK = 32

PARTS: dict[str, list[str]] = {
    "read": ["noisecli.storage:SourceFile." + name for name in ("__init__", "read", "check_unchanged", "close")],
    "noise": [
        "noisecli.noise.models.gaussian:NoiseField.__init__",
        "noisecli.noise.models.gaussian:NoiseField.add",
        "noisecli.workers.samples:draw",
    ],
    "measure": [
        "noisecli.noise.measure:Measure.note*",
        "noisecli.workers.samples:SampleMaker.rms",
    ],
    "survival (16 files a run)": ["noisecli.workers.samples:SampleMaker.survival"],
    "digest": ["noisecli.storage.output:*sha256", "noisecli.storage.source:*sha256"],
    "write and rename": ["noisecli.storage:OutputFile." + name for name in ("__init__", "write", "commit", "discard")],
    "row": ["noisecli.workers.samples:build_samples_row", "noisecli.workers.rows:to_line"],
}
DECODE, ENCODE = "header and decode", "encode"
ORDER = ["read", "digest", DECODE, "noise", "measure", ENCODE, "write and rename", "row", "survival (16 files a run)"]


class Clock:
    """Seconds of each stage; the innermost one runs."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stack = ["rest"]
        self._since = 0.0
        self._known: set[type] = set()

    def start(self) -> None:
        self.seconds.clear()
        self._since = time.perf_counter()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.seconds[self._stack[-1]] += now - self._since
        self._since = now

    def stop(self) -> None:
        self._turn()

    def around(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same function with the clock on the stage while it runs."""

        @functools.wraps(call)
        def clocked(*args: Any, **options: Any) -> Any:
            self._turn()
            self._stack.append(stage)
            try:
                return call(*args, **options)
            finally:
                self._turn()
                self._stack.pop()

        return clocked

    def around_each(self, stage: str, generate: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Return the same generator with the clock on the stage while it makes an item."""

        def clocked(*args: Any) -> Iterator[Any]:
            step = self.around(stage, functools.partial(next, generate(*args), None))
            while (item := step()) is not None:
                yield item

        return clocked

    def around_methods(self, stage: str, made: object, names: tuple[str, ...], each: tuple[str, ...] = ()) -> None:
        """Clock the methods of whatever class an object turns out to be of, once."""
        kind = type(made)
        if kind in self._known:
            return
        self._known.add(kind)
        for name in names:
            setattr(kind, name, self.around(stage, getattr(kind, name)))
        for name in each:
            setattr(kind, name, self.around_each(stage, getattr(kind, name)))


def put_clocks(clock: Clock, codec: Any) -> list[str]:
    """Put clocks around the parts; return the names of those that are not there."""
    missing = []
    for stage, places in PARTS.items():
        for place in places:
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module)
            *outer, name = path.split(".")
            for step in outer:
                owner = getattr(owner, step, None)
            names = [one for one in dir(owner) if fnmatch.fnmatchcase(one, name)]
            missing += [] if names else [path]
            for one in names:
                setattr(owner, one, clock.around(stage, getattr(owner, one)))
    _put_clocks_on_codec(clock, codec)
    return missing


def _put_clocks_on_codec(clock: Clock, codec: Any) -> None:
    open_source, create_sink = clock.around(DECODE, codec.open_source), clock.around(ENCODE, codec.create_sink)

    def opened(*args: Any) -> Any:
        source = open_source(*args)
        clock.around_methods(DECODE, source, ("close",), ("blocks",))
        return source

    def created(*args: Any) -> Any:
        sink = create_sink(*args)
        clock.around_methods(ENCODE, sink, ("write", "finish", "abort"))
        return sink

    codec.open_source, codec.create_sink = opened, created


def settings_of(kind: str, source: str, destination: str, level: str, encoding: Encoding) -> Settings:
    strength = float(level) / 255 if kind == "images" else float(level)
    levels = (Level("std" if kind == "images" else "snr_db", strength, strength, level),)
    return Settings(
        kind, source, destination, NoiseSettings(levels), OutputSettings(encoding=encoding), running=Running(jobs=1)
    )


def tasks_of(settings: Settings) -> list[Task]:
    found = sources.walk(settings.source, settings.kind, settings.choice)
    return list(plan.Plan(settings, found).tasks())[:FILES]


def work(making: Making, tasks: list[Task]) -> float:
    begin = time.perf_counter()
    for start in range(0, len(tasks), CHUNK):
        making.work(tasks[start : start + CHUNK])
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["images", "audio"])
    parser.add_argument("source")
    parser.add_argument("scratch")
    parser.add_argument("--level", required=True)
    parser.add_argument("--format")
    parser.add_argument("--quality", type=int)
    parser.add_argument("--subsampling")
    args = parser.parse_args()
    encoding = Encoding(args.format, args.quality, args.subsampling)
    with tempfile.TemporaryDirectory(dir=args.scratch) as destination:
        settings = settings_of(args.kind, args.source, destination, args.level, encoding)
        tasks = tasks_of(settings)
        making = Making(settings, None, "tmp-")
        work(making, tasks[:CHUNK])
        bare = work(making, tasks)
        clock = Clock()
        missing = put_clocks(clock, load(KINDS[args.kind].codec))
        work(making, tasks[:CHUNK])
        clock.start()
        whole = work(making, tasks)
        clock.stop()
    micro = {stage: seconds / len(tasks) * 1e6 for stage, seconds in clock.seconds.items()}
    ordered = {stage: micro[stage] for stage in [*ORDER, "rest"] if stage in micro}
    timed = {"without clocks": bare / len(tasks) * 1e6, "with clocks": whole / len(tasks) * 1e6}
    print(json.dumps({"files": len(tasks), "us": ordered, **timed, "missing": missing}))


if __name__ == "__main__":
    main()
