"""One source -> its outputs. The only place where codecs, noise and files meet; it runs in worker processes."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from noisecli import codecs
from noisecli.errors import FileFailed, FileProblem, Refused
from noisecli.model import Made, Outcome, Problem, SampleSpec, Survival, Task
from noisecli.noise.field import NoiseField
from noisecli.noise.level import Draw, draw
from noisecli.noise.measure import square_sum
from noisecli.noise.stream import Streams
from noisecli.noise.survival import survival
from noisecli.run.lock import hold_as_worker
from noisecli.run.memory import keep_freed_memory, limit_memory, memory_share
from noisecli.run.rows import Written, build_row, to_line
from noisecli.run.settings import Settings
from noisecli.run.worker_entry import Done, worker_prefix
from noisecli.storage import OutputFile, SourceFile, escape_name, leads_out, output_error

AnyArray = NDArray[Any]


_WAYS_OUT = {
    "images": "OpenCV cannot be loaded here. Install what it needs: apt-get install libgl1 libglib2.0-0\n"
    "or take the wheel without windows: pip uninstall -y opencv-python && pip install opencv-python-headless",
    "audio": "libsndfile cannot be loaded here. Install it: apt-get install libsndfile1\n"
    "or take a wheel that holds it: pip install --force-reinstall soundfile",
}


class _State:
    """Set once in each worker process."""

    settings: Settings
    prefix: str
    codec: codecs.Codec


_state = _State()


def start(settings: Settings, journal: str | None, run_prefix: str) -> None:
    """Make this process a worker: known to later runs by its lock, its temporary files by their prefix."""
    if journal is not None:
        hold_as_worker(journal)
    keep_freed_memory()
    limit_memory(memory_share(settings.running.jobs))
    _state.settings, _state.prefix = settings, worker_prefix(run_prefix, os.getpid())


def prepare() -> codecs.Codec:
    """Load the codec of the request's kind. Raises Refused, naming what is to be installed."""
    kind = _state.settings.kind
    try:
        _state.codec = codecs.load(kind)
    except (ImportError, OSError) as error:
        raise Refused(f"{_WAYS_OUT[kind]} ({error})") from None
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    return _state.codec


def work(tasks: list[Task]) -> Done:
    """Do a chunk of tasks, sources in a row together. Raises Stopped, and what is a bug of ours."""
    prepare()
    outcomes: list[Outcome] = []
    for source, group in itertools.groupby(tasks, key=lambda task: task.source):
        outcomes.extend(_do_source(source, list(group)))
    versions = {"numpy": np.__version__, **_state.codec.versions()}
    return Done(outcomes, versions)


def _do_source(source: str, tasks: list[Task]) -> Iterator[Outcome]:
    """Yield an outcome for each task, or what was made before the problem, and the problem once."""
    running = _state.settings.running
    # the default action of SIGALRM ends a process even where C code spins; the engine knows it by the exit code
    signal.setitimer(signal.ITIMER_REAL, running.timeout * len(tasks) + tasks[0].size / 1e6)
    try:
        with SourceFile(os.path.join(_state.settings.source, source), running.limits.max_bytes) as file:
            decoded = _state.codec.open_source(file, running.limits)
            try:
                for task in tasks:
                    yield _make(task, file, decoded)
            finally:
                decoded.close()
    except FileProblem as problem:
        yield Problem(escape_name(source), problem.status, problem.reason, problem.message)
    except OSError as error:
        # of the source: what concerns an output is an error of its own by now
        message = f"cannot be read: {error.strerror or error}; look after the disk"
        yield Problem(escape_name(source), "failed", "unreadable", message)
    except MemoryError:
        message = "needs more memory than there is; lower --max-pixels, or leave it out with --exclude"
        yield Problem(escape_name(source), "failed", "out-of-memory", message)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _make(task: Task, file: SourceFile, source: codecs.Source) -> Made:
    spec = spec_of_output(source)
    rms = _rms(source, spec) if task.level.quantity == "snr_db" else None
    drawn = draw(task.level, spec, Streams(task.key), _state.settings.noise.probability, rms)
    if not math.isfinite(drawn.std):
        raise FileFailed("out-of-range", "has samples too large for the arithmetic of doubles; scale them down")
    row, lossy = make_drawn(task, file, source, spec, drawn)
    told: dict[str, Survival | None] = {}
    if task.measure_survival:
        told[task.output] = _survival(task, source, spec, drawn) if lossy and drawn.applied else None
    return Made(task.output, to_line(row), told, tuple(row["warnings"]), drawn.applied)


def spec_of_output(source: codecs.Source) -> SampleSpec:
    """Return what an output's samples mean. Raises FileFailed where the request does not fit them."""
    spec = _effective_spec(source.spec)
    if not _state.settings.noise.clip and not spec.is_float:
        raise FileFailed("no-encoder", "has integer samples, which cannot hold an unclipped sum; add --dtype float32")
    _check_range(source, spec)
    return spec


def make_drawn(
    task: Task, file: SourceFile, source: codecs.Source, spec: SampleSpec, drawn: Draw
) -> tuple[dict[str, Any], bool]:
    """Write an output, and the clean one beside it. Return its row, and whether its encoding is lossy."""
    field = _field(task, spec, drawn)
    written = _write(task, file, source, spec, field if drawn.applied else None)
    return build_row(_state.settings, task, file, drawn, field.measure, written), written.lossy


def _write(task: Task, file: SourceFile, source: codecs.Source, spec: SampleSpec, field: NoiseField | None) -> Written:
    """Stream the source through the noise into its output, and into the clean one beside it."""
    with contextlib.ExitStack() as stack:
        noisy = stack.enter_context(_Writer(task.output, task, source, spec))
        clean = None
        if task.clean_output is not None:
            clean = stack.enter_context(_Writer(task.clean_output, task, source, spec))
        frames = 0
        for block in _blocks(source, spec):
            frames += len(block)
            noisy.write(block if field is None else field.add(block))
            if clean is not None:
                clean.write(block)
        file.check_unchanged()
        # the clean one first: a row is written only for the noisy one, when both stand
        clean_size_and_digest = clean.commit() if clean is not None else None
        size_and_digest = noisy.commit()
        warnings: list[str] = sorted({*source.warnings, *noisy.sink.warnings})
    return Written(spec, noisy.sink.format, noisy.sink.lossy, frames, warnings, size_and_digest, clean_size_and_digest)


@lru_cache(maxsize=1024)
def _folder_leads_out(root: str, folder: str) -> bool:
    """Ask once for each folder of a run."""
    return leads_out(root, os.path.join(folder, "output"))


class _Writer:
    """A sink on an output file; whatever goes wrong, nothing half-written keeps the output's name."""

    def __init__(self, name: str, task: Task, source: codecs.Source, spec: SampleSpec) -> None:
        settings = _state.settings
        path = os.path.join(settings.destination, name)
        if _folder_leads_out(settings.destination, os.path.dirname(name)):
            raise FileFailed("foreign-file", "its folder in DST is a symbolic link out of it; remove the link")
        self._path = path
        self._file = OutputFile(path, prefix=_state.prefix, fsync=settings.running.fsync)
        try:
            with self._telling():
                self.sink = _state.codec.create_sink(self._file, source, spec, settings.output.encoding, task.key)
        except BaseException:
            self._file.discard()
            raise

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Encoders that write by themselves let the system's own errors through."""
        try:
            yield
        except OSError as error:
            raise output_error(error, self._path) from error

    def write(self, block: AnyArray) -> None:
        with self._telling():
            self.sink.write(block)

    def commit(self) -> tuple[int, str]:
        with self._telling():
            self.sink.finish()
        return self._file.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sink.abort()
        self._file.discard()


def _effective_spec(spec: SampleSpec) -> SampleSpec:
    """What the samples mean after --full-scale and --dtype."""
    noise = _state.settings.noise
    if noise.full_scale is not None:
        if not spec.is_float and noise.full_scale > spec.high:
            raise FileFailed(
                "out-of-range", f"has {spec.dtype} samples, which end below --full-scale {noise.full_scale:g}"
            )
        spec = replace(spec, full_scale=noise.full_scale, high=noise.full_scale)
    return spec.as_float32() if noise.dtype == "float32" else spec


def _check_range(source: codecs.Source, spec: SampleSpec) -> None:
    """Float pictures come in many scales; guessing one would change what a level means."""
    if spec.sample_rate is not None or not (source.spec.is_float or _state.settings.noise.full_scale):
        return
    high = source.spec.full_scale if _state.settings.noise.full_scale is None else _state.settings.noise.full_scale
    for block in source.blocks():
        lowest, highest = np.nanmin(block), np.nanmax(block)
        if lowest < 0 or highest > high:
            raise FileFailed(
                "out-of-range",
                f"has samples from {lowest:g} to {highest:g}, outside 0..{high:g}; say what white is: --full-scale V",
            )


def _blocks(source: codecs.Source, spec: SampleSpec) -> Iterator[AnyArray]:
    """Yield the source's blocks in the samples of spec."""
    if spec.dtype == source.spec.dtype:
        yield from source.blocks()
        return
    # as_float32() has made full scale 1
    scale = np.float32(_state.settings.noise.full_scale or source.spec.full_scale)
    for block in source.blocks():
        yield block.astype(np.float32) / scale


def _rms(source: codecs.Source, spec: SampleSpec) -> float:
    """Root mean square over the whole file and all its channels that get noise, DC included."""
    count, squares = 0, 0.0
    for block in _blocks(source, spec):
        coloured = block[..., : spec.noisy_channels] if block.ndim == 3 else block
        flat = np.ascontiguousarray(coloured).reshape(-1)
        count += flat.size
        squares += square_sum(flat)
    return (squares / count) ** 0.5 if count else 0.0


def _survival(task: Task, clean: codecs.Source, spec: SampleSpec, drawn: Draw) -> Survival | None:
    """Read a lossy output back, and draw its noise once more, to tell what is left of it."""
    path = os.path.join(_state.settings.destination, task.output)
    limits = _state.settings.running.limits
    field = _field(task, spec, drawn)
    with (
        SourceFile(path, limits.max_bytes) as file,
        contextlib.closing(_state.codec.open_source(file, limits)) as decoded,
    ):
        pairs = zip(_blocks(clean, spec), decoded.blocks(), strict=False)
        return survival((x, field.add(x), y) for x, y in pairs)


def _field(task: Task, spec: SampleSpec, drawn: Draw) -> NoiseField:
    noise = _state.settings.noise
    streams = Streams(task.key)
    return NoiseField(streams, spec, drawn.std, drawn.mean, clip=noise.clip, shared_channels=noise.shared_channels)
