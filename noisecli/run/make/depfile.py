"""--depfile: what an output is made from, in the form that Make includes and Ninja reads."""

import os
import re
from collections.abc import Callable, Iterable, Iterator

from noisecli.errors import FileProblem, Refused
from noisecli.run.sources import Listing
from noisecli.settings import Settings
from noisecli.storage import escape_name, file_at, folder_at

# Ninja knows no comments: without a colon, their words are targets, which it passes over
_FIRST_LINE = b"# noisecli depfile\n"
_DIGEST = re.compile(rb"# sha256 of the output ([0-9a-f]{64})\n")
_UNSPEAKABLE = re.compile(r"[\0-\x1f\x7f;|]|[ \\)&]\Z|\A~|\\[\]=]")
"""What Make has no spelling for. A name that ends in a parenthesis is that of a member of an archive, one that ends
in & begins a group of targets."""
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
        self._target, self._fsync, self._shown = target, fsync, escape_name(path)
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

    def _read(self) -> str | None:
        """Return the digest that the file records, empty where it has none; None where it is no depfile of ours."""
        try:
            with self._folder.open_own(self._name) as file:
                if file.read(len(_FIRST_LINE)) != _FIRST_LINE:
                    return None
                match = _DIGEST.match(file.readline(256))
        except OSError:
            return None
        return match[1].decode() if match else ""

    def proves(self, path: str) -> bool:
        """Whether a file is, to the byte, the output that was made when this was written."""
        folder, name = file_at(path)
        try:
            return bool(self._recorded) and folder.own_digest(name) == self._recorded
        except (OSError, FileProblem):
            return False

    def write(self, paths: Paths, digest: str | None = None) -> int:
        """Write it, unless it has this content; return how many paths Make has no spelling for. Raises Stopped."""
        left_out = sum(1 for path in paths() if _UNSPEAKABLE.search(path))
        if not self._folder.holds(self._name, _lines(self._target, paths, digest)):
            self._folder.write_own(self._name, _lines(self._target, paths, digest), fsync=self._fsync)
        return left_out


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
    if any(folder.contains(parent) for folder in walked):
        raise Refused(
            f"--depfile {escape_name(path)}: lies in the source folder, which changes whenever it is written; name a "
            "file outside of it"
        )
    inside = os.path.relpath(os.path.join(os.path.realpath(parent.location), name), os.path.realpath(source.location))
    if inside in found.sources:
        raise Refused(f"--depfile {escape_name(path)}: is a source; choose another name")
    target = destination.location_of(settings.output.manifest)
    return Depfile(path, target, force=settings.running.force, fsync=settings.running.fsync)


def _lines(target: str, paths: Paths, digest: str | None) -> Iterator[bytes]:
    yield _FIRST_LINE
    if digest is not None:
        yield f"# sha256 of the output {digest}\n".encode()
    yield os.fsencode(f"{_spelled(target, is_target=True)}:")
    is_first = True
    for path in _speakable(paths):
        yield os.fsencode(f" \\\n {_spelled(path, is_first=is_first)}")
        is_first = False
    yield b"\n"
    # without a rule of its own, a source that is gone would stop Make; see gcc -MP
    for path in _speakable(paths):
        yield os.fsencode(f"\n{_spelled(path, is_target=True)}:\n")


def _speakable(paths: Paths) -> Iterator[str]:
    return (path for path in paths() if not _UNSPEAKABLE.search(path))


def _spelled(path: str, *, is_target: bool = False, is_first: bool = False) -> str:
    """Return a path as a Makefile spells it: in a target and a first prerequisite, = would begin a variable."""
    is_glob = any(letter in path for letter in "*?[")

    def spell(match: re.Match[str]) -> str:
        backslashes, letter = match.groups()
        if letter == "$":
            return f"{backslashes}$$"
        if letter == "=":
            return f"{backslashes}$(subst x,=,x)" if is_target or is_first else match[0]
        if letter == "]" and not is_glob:
            # Make takes the backslash away only where it looks for files
            return match[0]
        if letter in "*?[]":
            return f"{backslashes}\\{letter}"
        if letter == "%" and not is_target:
            return match[0]
        return f"{backslashes}{backslashes}\\{letter}"

    return _SPECIAL.sub(spell, path)
