"""The first word of a command line where it is no command."""

import os
import shlex
from collections.abc import Sequence
from itertools import takewhile

from noisecli.cli import COMMANDS
from noisecli.cli.hints import words
from noisecli.cli.hints.options import joined
from noisecli.cli.hints.paths import expanded, kind_in
from noisecli.errors import shown
from noisecli.kinds import KINDS, kinds_of, suffix_of
from noisecli.storage import is_url

_MOST_REPEATED = 12
_READING = tuple(kind.name for kind in KINDS.values() if kind.has_sources and kind.name != "adversarial")


def explain_command(arguments: Sequence[str]) -> str:
    """Return what to write instead of a first word that is no command."""
    word, rest = arguments[0], arguments[1:]
    typed = word.lower().replace("_", "-")
    if typed in ("help", "version"):
        about = rest[:1] if typed == "help" and rest and rest[0] in COMMANDS else []
        return f"No such command {shown(word)}: write noisecli {_again([*about, f'--{typed}'])}"
    if word == "-" or is_url(word) or os.path.exists(word):
        return _path(word, rest)
    if typed in COMMANDS or typed in words.COMMANDS:
        return f"No such command {shown(word)}: {_write(words.COMMANDS.get(typed, (typed,)), rest)}"
    if (suffix_of(word) and kinds_of(suffix_of(word))) or "/" in word:
        return f"{shown(word)}: does not exist, and the command comes first: noisecli {_READING[0]} SRC DST"
    from difflib import get_close_matches

    near = get_close_matches(typed, [*COMMANDS, *words.COMMANDS], n=1)
    if near:
        return f"No such command {shown(word)}: {_write(words.COMMANDS.get(near[0], (near[0],)), rest)}"
    return f"No such command {shown(word)}: the commands are {joined(COMMANDS)}; see noisecli --help"


def explain_early_option(name: str, arguments: Sequence[str]) -> str:
    """Return what to write instead of an option before the command."""
    bare = name.strip("-").lower()
    if bare in COMMANDS:
        return f"No such option {shown(name)}: {bare} is a command: noisecli {bare}"
    for place, word in enumerate(arguments):
        if word in COMMANDS:
            again = _again([*arguments[place:], *arguments[:place]])
            return f"{shown(name)}: options come after the command: noisecli {again}"
        if place and not word.startswith("-") and os.path.exists(word) and (kind := kind_in(word)):
            again = _again([kind, *arguments[place:], *arguments[:place]])
            return f"{shown(name)}: the command comes first: noisecli {again}"
    return f"No such option {shown(name)}: the command comes first, then SRC, DST and options; see noisecli --help"


def _write(commands: Sequence[str], rest: Sequence[str]) -> str:
    if len(commands) == 1:
        return f"write noisecli {_again([commands[0], *rest])}"
    kinds = (f"{name} ({COMMANDS[name].rstrip('.')})" for name in commands)
    return f"write one of {joined(kinds, 'or')}"


def _path(path: str, rest: Sequence[str]) -> str:
    """A path where the command goes: what it holds says which."""
    kind = None if path == "-" else kind_in(path)
    if kind is None:
        return f"{shown(path)}: the command comes first: noisecli {'|'.join(_READING)} {_again([path, *rest])}"
    paths = [path, *takewhile(lambda word: not word.startswith("-"), rest)]
    if len(paths) > 2 and all(map(os.path.exists, paths[:-1])):
        return f"the command comes first, and {expanded(kind, paths, rest[len(paths) - 1 :])}"
    noun = KINDS[kind].noun
    article = "an" if noun[0] in "aeiou" else "a"
    what = f"is {article} {noun}" if os.path.isfile(path) else f"holds {KINDS[kind].nouns}"
    return f"{shown(path)}: {what}; the command comes first: noisecli {_again([kind, path, *rest])}"


def _again(arguments: Sequence[str]) -> str:
    """Return a command line that can be pasted, unless it is very long."""
    if len(arguments) > _MOST_REPEATED:
        return f"{shlex.join(arguments[:3])} ..."
    return shlex.join(arguments)
