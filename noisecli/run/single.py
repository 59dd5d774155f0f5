"""One file to one file, or through standard input and output: the same worker, no manifest."""

import contextlib
import errno
import os
import secrets
import sys
from dataclasses import replace
from typing import BinaryIO

from noisecli.engines import Lost, open_engine
from noisecli.errors import FileProblem, Refused, Stopped
from noisecli.keys import stream_key
from noisecli.kinds import KINDS, format_of, kinds_of, suffix_of, why_unread
from noisecli.model import Made, Problem, Task
from noisecli.run.make.depfile import Depfile
from noisecli.run.masks import looks_like_mask
from noisecli.run.naming import refuse_existing
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import (
    clean_up_beside,
    escape_name,
    file_at,
    folder_at,
    held_prefix,
    is_same_file,
    is_url,
    split_location,
    stopping,
)
from noisecli.storage.scratch import ScratchFolder
from noisecli.storage.stdout import print_whole
from noisecli.workers import making_job
from noisecli.workers.mask_files import MaskFiles

_STREAM = "-"
_BLOCK = 1 << 20
_WAY_OUT = "choose another name, add --force, or make it with --depfile FILE, which lets the next run replace it"
_NO_PROOF = "it is not what --depfile recorded as made here: choose another name, or add --force"


def run_single(settings: Settings, *, dry_run: bool = False) -> Summary:
    """Make one noisy file; `settings.source` and `destination` are files, or - for a standard stream.

    Raises Refused for what makes several outputs, and for a destination that exists without --force.
    """
    if len(settings.noise.levels) > 1 or settings.noise.copies > 1 or settings.output.with_clean:
        raise Refused("several outputs need a folder; name one for DST")
    source, destination = settings.source, settings.destination
    if (source == _STREAM and sys.stdin is None) or (destination == _STREAM and sys.stdout is None):
        raise Refused("- stands for a standard stream, which is closed here; name a file")
    if destination == _STREAM and sys.stdout.isatty():
        raise Refused("standard output is a terminal; redirect it into a file")
    if _STREAM not in (source, destination) and is_same_file(source, destination):
        raise Refused(f"{escape_name(destination)}: is the source itself; choose another name")
    depfile = _depfile(settings)
    if destination != _STREAM:
        is_ours = depfile is not None and depfile.proves(destination)
        if is_ours:
            settings = replace(settings, running=replace(settings.running, force=True))
        refuse_existing(destination, force=settings.running.force, way_out=_NO_PROOF if depfile else _WAY_OUT)
    if dry_run:
        size = 0 if source == _STREAM else _size(source)
        return Summary(planned=1, made=1, input_bytes=size, dry_run=True, is_one_file=True)
    if _STREAM not in (source, destination):
        return _with_depfile(_make(settings, source, destination, depfile), depfile, settings)
    with ScratchFolder() as scratch:
        if source == _STREAM:
            source = os.path.join(scratch, _STREAM)
            _spool(sys.stdin.buffer, source, settings.running.limits.max_bytes)
        output = os.path.join(scratch, "out", _STREAM) if destination == _STREAM else destination
        summary = _make(settings, source, output, depfile, of_stream=settings.source == _STREAM)
        if destination == _STREAM and summary.made:
            with open(output, "rb") as file:
                print_whole(iter(lambda: file.read(_BLOCK), b""))
    return _with_depfile(summary, depfile, settings)


def _depfile(settings: Settings) -> Depfile | None:
    """Return the depfile that was asked for. Raises Refused."""
    path = settings.running.depfile
    if path is None:
        return None
    if any(is_same_file(path, other) for other in (settings.source, settings.destination)):
        raise Refused(f"--depfile {escape_name(path)}: is SRC or DST itself; choose another name")
    return Depfile(path, settings.destination, force=settings.running.force, fsync=settings.running.fsync)


def _with_depfile(summary: Summary, depfile: Depfile | None, settings: Settings) -> Summary:
    """Write the depfile of what was made, with the proof that it is ours: the next run may replace it."""
    if depfile is not None and summary.made and summary.stopped is None:
        folder, name = file_at(settings.destination)
        with stopping(settings.destination):
            digest = folder.own_digest(name)
        summary.not_in_depfile = depfile.write(lambda: _made_from(settings, settings.source), digest)
    return summary


def _made_from(settings: Settings, source: str) -> tuple[str, ...]:
    """Return the files that an output is made from, but for standard input."""
    files = () if source == _STREAM else (source,)
    if settings.noise.mask is not None:
        # whoever makes it says that there is none
        with contextlib.suppress(FileProblem):
            return *files, MaskFiles(settings.noise.mask).of(os.path.basename(source)).location
    return files


def _spool(stream: BinaryIO, path: str, max_bytes: int) -> None:
    """Decoders need a file they can move about in."""
    with stopping(path), open(path, "wb") as file:
        while block := _read(stream):
            file.write(block)
            if file.tell() > max_bytes:
                raise Refused(f"standard input has more than {max_bytes:,} bytes; raise --max-bytes to allow it")


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(_BLOCK)
    except OSError as error:
        raise Refused(f"standard input cannot be read: {error.strerror}; give it a file or a pipe") from error


def _size(path: str) -> int:
    folder, name = file_at(path)
    found = folder.look(name, follow=True)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return found.st_size


def _of_file(settings: Settings, source: str, output: str) -> Settings:
    """The folders of the two files, and the format that the output's name says."""
    encoding = settings.output.encoding
    ours, theirs = format_of(os.path.splitext(output)[1]), format_of(os.path.splitext(source)[1])
    if not KINDS[settings.kind].keeps_format and encoding.format is None and ours is not None and ours != theirs:
        encoding = replace(encoding, format=ours.name)
    return replace(
        settings,
        source=split_location(source)[0] or ".",
        destination=split_location(output)[0] or ".",
        output=replace(settings.output, encoding=encoding),
        running=replace(settings.running, jobs=1),
    )


def _make(
    settings: Settings, source_path: str, output_path: str, depfile: Depfile | None, *, of_stream: bool = False
) -> Summary:
    settings = _of_file(settings, source_path, output_path)
    source, output = os.path.basename(source_path), os.path.basename(output_path)
    level = settings.noise.levels[0]
    key = stream_key(settings.noise.seed, os.fsencode(source), level.canonical, 1)
    with stopping(source_path):
        size = _size(source_path)
    form = format_of(os.path.splitext(output)[1])
    task = Task(source, output, None, level, 1, key, size, form is not None and (form.lossy or form.partly))
    task = task._replace(replaces=(output,) if settings.running.force else ())
    prefix = f"{held_prefix()}{secrets.token_hex(4)}-"
    if not is_url(output_path):
        clean_up_beside(output_path)
    made_from = _made_from(settings, _STREAM if of_stream else source_path)
    announce = None if depfile is None else depfile.announcing(made_from)
    ignored = settings.running.ignore_errors
    summary = Summary(planned=1, input_bytes=size, is_one_file=True, ignore_errors=ignored)
    try:
        with open_engine(making_job(settings, None, prefix, announce), settings.running) as engine:
            for _, result in engine.run([[task]]):
                if isinstance(result, Lost):
                    summary.note_problem(result.problem_of(source))
                    continue
                for outcome in result.outcomes:
                    _count(summary, outcome, task, settings.kind)
        summary.masks_asked_for = int(summary.made > 0 and looks_like_mask(settings, source))
    except Stopped as stop:
        summary.stopped = str(stop)
    finally:
        folder_at(settings.destination).remove_temporaries([""], prefix)
    return summary


def _count(summary: Summary, outcome: Made | Problem, task: Task, kind: str) -> None:
    if isinstance(outcome, Problem):
        suffix = suffix_of(outcome.source)
        if outcome.reason == "wrong-content" and suffix not in KINDS[kind].formats and kinds_of(suffix):
            message = f"{outcome.message} (by its name it {why_unread(suffix, kind)})"
            outcome = replace(outcome, message=message)
        summary.note_problem(outcome)
        return
    if task.source == _STREAM:
        # a stream has no name that could be wrong
        outcome = replace(outcome, warnings=tuple(word for word in outcome.warnings if word != "wrong-suffix"))
    summary.note_made(outcome)
    for share in outcome.survival.values():
        if share is not None:
            summary.survival[task.level.label] = share
