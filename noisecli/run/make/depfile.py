"""--depfile: what an output is made from, in the form that Make includes and Ninja reads."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from noisecli.errors import FileProblem, Refused
from noisecli.run.sources import Listing
from noisecli.settings import Settings
from noisecli.storage import escape_name, file_at, folder_at

# Ninja knows no comments: without a colon, their words are targets, which it passes over
_FIRST_LINE = b"# noisecli depfile\n"
_DIGEST = re.compile(rb"# sha256 of the output ([0-9a-f]{64})\n")
_UNSPEAKABLE = re.compile(r"[\0-\x1f\x7f;|]|[ \\)]\Z|\A~|\\.*[*?[]|[*?[].*\\|\Adefine\Z|\A\.[A-Z_]+\Z")
"""What Make has no spelling for: a name that ends in a parenthesis is that of a member of an archive, a backslash goes
where Make matches a pattern, and define and .PHONY are words of its own."""
_OPERATOR = re.compile(r"[+?:!]*=")
_SPECIAL = re.compile(r"(\\*)([ #:%$*?\[\]=])")

Paths = Callable[[], Iterable[str]]


class Depfile:
    """A file of Make's that names what an output is made from.

    Parameters
    ----------
    target
        The output's path as it was typed: for Make, another spelling is another target.

    Raises
    ------
    Refused
        Where something else has the file's name and there is no `force`; where Make has no spelling for the target.
    """

    def __init__(self, path: str, target: str, *, force: bool, fsync: bool = False) -> None:
        self._folder, self._name = file_at(path)
        self._path, self._target, self._fsync, self._shown = path, target, fsync, escape_name(path)
        if _UNSPEAKABLE.search(target):
            raise Refused(f"--depfile: Make has no spelling for {escape_name(target)!r}; choose another name for DST")
        if self._folder.has(self._name, follow=True) and not self._folder.is_file(self._name):
            raise Refused(f"--depfile {self._shown}: is no regular file; choose another name")
        self._recorded = self._read()
        if self._recorded is None and self._folder.has(self._name) and not force:
            raise Refused(
                f"--depfile {self._shown}: already exists, and noisecli did not write it; choose another name, or "
                "add --force"
            )

    def _read(self) -> list[str] | None:
        """Return the digests that the file records; None where it is no depfile of ours."""
        digests: list[str] = []
        try:
            with self._folder.open_own(self._name) as file:
                if file.read(len(_FIRST_LINE)) != _FIRST_LINE:
                    return None
                while match := _DIGEST.match(file.readline(256)):
                    digests.append(match[1].decode())
        except OSError:
            return None
        return digests

    def proves(self, path: str) -> bool:
        """Whether a file is, to the byte, an output that was made when this was written."""
        folder, name = file_at(path)
        try:
            return bool(self._recorded) and folder.own_digest(name) in (self._recorded or ())
        except (OSError, FileProblem):
            return False

    def announcing(self, paths: Sequence[str]) -> Callable[[str, str], None]:
        """Return what notes the digest of an output here before it takes its name; plain data, for a worker.

        Until write(), the digests of before are noted too: whichever file a kill leaves is known as ours.
        """
        return partial(_note, self._path, self._target, tuple(paths), tuple(self._recorded or ()), self._fsync)

    def write(self, paths: Paths, digest: str | None = None) -> int:
        """Write it, unless it has this content; return how many paths Make has no spelling for. Raises Stopped."""
        left_out = sum(1 for path in paths() if _UNSPEAKABLE.search(path))
        digests = [] if digest is None else [digest]
        if not self._folder.holds(self._name, _lines(self._target, paths, digests)):
            self._folder.write_own(self._name, _lines(self._target, paths, digests), fsync=self._fsync)
        return left_out


def _note(
    path: str, target: str, paths: Sequence[str], before: Sequence[str], fsync: bool, _: str, digest: str
) -> None:
    folder, name = file_at(path)
    digests = list(dict.fromkeys([digest, *before]))
    folder.write_own(name, _lines(target, lambda: paths, digests), fsync=fsync)


def depfile_of(settings: Settings, found: Listing) -> Depfile | None:
    """Return the depfile that a run with a manifest was asked for; None without. Raises Refused, as for its place."""
    path = settings.running.depfile
    if path is None:
        return None
    parent, name = folder_at(os.path.dirname(path)), os.path.basename(path)
    source, destination = folder_at(settings.source), folder_at(settings.destination)
    if destination.contains(parent):
        raise Refused(f"--depfile {escape_name(path)}: lies in DST, which holds outputs alone; name a file beside it")
    walked = [folder_at(folder) for folder in found.followed] + [source] * (settings.choice.names is None)
    if settings.noise.mask is not None:
        walked.append(folder_at(settings.noise.mask))
    if any(folder.contains(parent) for folder in walked):
        raise Refused(
            f"--depfile {escape_name(path)}: lies in the folder of sources or masks, which changes whenever it is "
            "written; name a file outside of it"
        )
    inside = os.path.relpath(os.path.join(os.path.realpath(parent.location), name), os.path.realpath(source.location))
    if inside in found.sources:
        raise Refused(f"--depfile {escape_name(path)}: is a source; choose another name")
    target = destination.location_of(settings.output.manifest)
    return Depfile(path, target, force=settings.running.force, fsync=settings.running.fsync)


def _lines(target: str, paths: Paths, digests: Iterable[str]) -> Iterator[bytes]:
    yield _FIRST_LINE
    for digest in digests:
        yield f"# sha256 of the output {digest}\n".encode()
    yield os.fsencode(_rule(target))
    is_first = True
    for path in _speakable(paths):
        yield os.fsencode(f" \\\n {_spelled(path, is_first=is_first)}")
        is_first = False
    yield b"\n"
    # without a rule of its own, a source that is gone would stop Make; see gcc -MP
    for path in _speakable(paths):
        yield os.fsencode(f"\n{_rule(path)}\n")


def _speakable(paths: Paths) -> Iterator[str]:
    return (path for path in paths() if not _UNSPEAKABLE.search(path))


def _rule(target: str) -> str:
    """Return how a target's rule begins; & before a colon would group targets."""
    return f"{_spelled(target, is_target=True)}{' ' if target.endswith('&') else ''}:"


def _spelled(path: str, *, is_target: bool = False, is_first: bool = False) -> str:
    """Return a path as a Makefile spells it: in a target, a first prerequisite and a first letter, = sets a variable.

    Where Make matches no pattern, a backslash before ] stays.
    """
    is_pattern = any(letter in path for letter in "*?[")
    sets = is_target or is_first or _OPERATOR.match(path) is not None

    def spell(match: re.Match[str]) -> str:
        backslashes, letter = match.groups()
        if letter == "$":
            return f"{backslashes}$$"
        if letter == "=":
            return f"{backslashes}$(subst x,=,x)" if sets or backslashes else match[0]
        if letter in "*?[]":
            return f"{backslashes}\\{letter}" if is_pattern else match[0]
        if letter == "%" and not is_target:
            return match[0]
        return f"{backslashes}{backslashes}\\{letter}"

    return _SPECIAL.sub(spell, path)
