"""What paths on a command line say: which kind a folder holds, and which folder a shell's pattern was."""

import os
import shlex
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice

from noisecli.kinds import KINDS, kinds_of, suffix_of

_LOOKED_AT = 200
_MOST_ENTRIES = 2000
_MOST_GLOBS = 3


def kind_in(path: str) -> str | None:
    """Return the kind that a file is, or that most of the first files of a folder are, by their suffixes."""
    names = [path] if os.path.isfile(path) else islice(_names_in(path), _LOOKED_AT)
    kinds = Counter(kinds[0] for name in names if (kinds := kinds_of(suffix_of(name))))
    return kinds.most_common(1)[0][0] if kinds else None


def _names_in(folder: str) -> Iterator[str]:
    waiting, left = deque([folder]), _MOST_ENTRIES
    while waiting and left > 0:
        try:
            with os.scandir(waiting.popleft()) as entries:
                for entry in islice(entries, left):
                    left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry.name
        except OSError:
            continue


def expanded(command: str, paths: Sequence[str], rest: Sequence[str]) -> str:
    """Return what to type instead of many sources, which a shell has made of a pattern, and DST after them."""
    *sources, destination = paths
    if os.path.isfile(destination):
        sources, destination = [*sources, destination], "DST"
    refused = f"{command} takes one SRC, not {len(sources):,} (a shell makes them of a pattern)"
    folder = _common_folder(sources)
    listed = "list them with --files0-from, relative to SRC" if command in KINDS else "name one"
    if all(source.endswith(".tar") for source in sources):
        listed = "quote the pattern, so that the shell leaves it as it is: 'SRC/{000000..000099}.tar'"
    # the whole file system is not what anybody means
    if folder is None or os.path.realpath(folder) == "/":
        return f"{refused}; {listed}"
    if destination != "DST" and _is_inside(destination, folder):
        destination = os.path.normpath(os.path.join(folder, "..", os.path.basename(destination)))
    chosen = [word for glob in _globs(command, sources, folder) for word in ("--include", glob)]
    again = shlex.join([command, folder, destination, *chosen, *rest])
    return f"{refused}; name their folder: noisecli {again}, or {listed}"


def _globs(command: str, sources: Sequence[str], folder: str) -> list[str]:
    """Return what chooses the sources in their folder, roughly; nothing where that would be a long list."""
    folders = list(dict.fromkeys(os.path.relpath(source, folder) for source in sources if os.path.isdir(source)))
    suffixes = {suffix_of(source) for source in sources if not os.path.isdir(source)}
    known = [f"*{suffix}" for suffix in sorted(suffixes) if command in kinds_of(suffix) or command not in KINDS]
    globs = [*folders, *known]
    plain = not any(set(name) & set("*?[") for name in folders)
    return globs if len(globs) <= _MOST_GLOBS and plain else []


def _common_folder(sources: Sequence[str]) -> str | None:
    try:
        return os.path.commonpath([os.path.dirname(name.rstrip("/")) for name in sources]) or "."
    except ValueError:
        # some are absolute
        return None


def _is_inside(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(folder).rstrip("/") + "/")
