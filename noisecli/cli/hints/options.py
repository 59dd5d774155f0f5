"""Options that a command does not have."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

import click

from noisecli.cli import COMMANDS
from noisecli.cli.hints import words
from noisecli.errors import shown

_ORDINALS = ("the first argument", "the second argument")


def explain_option(name: str, command: click.Command, arguments: Sequence[str]) -> str:
    """Return what to write instead of an option that a command does not have."""
    own = _options_of(command)
    as_typed = _whole(name, arguments)
    for word in _spellings(as_typed, name):
        answer = _of_table(word, own, command, as_typed, arguments)
        if answer is not None:
            return f"No such option {shown(as_typed)}: {answer}"
    answer = _near(_spellings(as_typed, name)[0], own) or f"see noisecli {command.name} --help"
    return f"No such option {shown(as_typed)}: {answer}"


def usage_of(command: click.Command) -> str:
    """Return a command and its arguments."""
    return " ".join(["noisecli", str(command.name), *arguments_of(command)])


def arguments_of(command: click.Command) -> list[str]:
    """Return the names of a command's arguments."""
    return [str(parameter.metavar) for parameter in command.params if isinstance(parameter, click.Argument)]


def joined(names: Iterable[str], last: str = "and") -> str:
    """Return names as a sentence lists them."""
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def _options_of(command: click.Command) -> dict[str, click.Option]:
    options = (parameter for parameter in command.params if isinstance(parameter, click.Option))
    return {name: option for option in options for name in option.opts}


def _whole(name: str, arguments: Sequence[str]) -> str:
    """Return the option as it was typed: of -std click names -s, the first letter it does not know."""
    if name.startswith("--"):
        return name
    given = (argument.partition("=")[0] for argument in arguments if argument[:2] != "--" and name[1] in argument[1:])
    return next((word for word in given if word.startswith("-")), name)


def _spellings(as_typed: str, name: str) -> list[str]:
    """Return what an option may have been meant as: -std is --std, and --snr_db is --snr-db."""
    word = as_typed.lower().replace("_", "-")
    if word.startswith("--") or len(word) == 2:
        return [word]
    return [word, f"-{word}", name.lower()]


def _of_table(
    word: str, own: Mapping[str, click.Option], command: click.Command, as_typed: str, arguments: Sequence[str]
) -> str | None:
    """Return the answer that is known for a word, None where there is none."""
    if word in own:
        return _write(own[word], word, as_typed, arguments)
    special = words.OF_COMMANDS.get(str(command.name), {})
    ours = special.get(word, ())
    if not ours:
        if word in words.EXPLAINED:
            found = [name for name in words.EXPLAINED[word] if name in own]
            return _explained(found, own) if found else _elsewhere(words.EXPLAINED[word][0], word, command)
        for known, needed, note in words.NOTES:
            if word in known.split() and needed in own:
                return note
        ours = words.OPTIONS.get(word, ())
    for name in ours:
        if name in own:
            return _write(own[name], name, as_typed, arguments)
    if word in words.DESTINATION or word in words.SOURCE:
        return _place(word, own, command)
    return _elsewhere(word, word, command) or (_elsewhere(ours[0], word, command) if ours else None)


def _write(option: click.Option, name: str, as_typed: str, arguments: Sequence[str]) -> str:
    """Return an option to write, with the value that was typed; what destroys is explained and not offered."""
    if name in words.DESTROYING:
        return _explained([name], {name: option})
    value = None if option.is_flag else _value(as_typed, arguments)
    if value is not None and isinstance(option.type, click.Choice):
        value = value.lower().lstrip(".")
        value = value if value in option.type.choices else None
    if value is not None and name == "--std" and not any(map(str.isdecimal, value)):
        # the name of a noise is no strength
        value = None
    return f"write {name}" if value is None else f"write {name} {shlex.quote(shown(value))}"


def _value(as_typed: str, arguments: Sequence[str]) -> str | None:
    for place, argument in enumerate(arguments):
        word, is_given, value = argument.partition("=")
        if word == as_typed:
            following = arguments[place + 1 : place + 2]
            return value if is_given else next((word for word in following if not word.startswith("-")), None)
    return None


def _explained(names: Iterable[str], own: Mapping[str, click.Option]) -> str:
    """Return what each of some options does, in the words of the help, with what happens without those that destroy."""
    meanings = joined((f"{name} ({_meaning(own[name])})" for name in names), "or")
    around = "; a plain second run redoes what has changed" if "--redo" in names else ""
    return f"there is {meanings}{around}"


def _meaning(option: click.Option) -> str:
    text = str(option.help).partition("  [")[0].rstrip(".")
    return text[0].lower() + text[1:]


def _place(word: str, own: Mapping[str, click.Option], command: click.Command) -> str:
    """Return where source and destination go, which are arguments."""
    names = arguments_of(command)
    if word in words.DESTINATION:
        if "--output" in own:
            return "write --output FILE"
        place = names.index("DST") if "DST" in names else len(names) - 1
        which = _ORDINALS[place] if len(names) > 1 else "the only argument"
        return f"{names[place]} is {which}: {usage_of(command)}"
    if "SRC" in names:
        return f"SRC is the first argument: {usage_of(command)}"
    if "--recompute" in own:
        return "write --recompute SRC"
    return f"there is no SRC here: {usage_of(command)}"


def _elsewhere(name: str, word: str, command: click.Command) -> str | None:
    """Return which other commands have an option."""
    having = [other for other in COMMANDS if name in _options_of(import_module(f"noisecli.cli.{other}").command)]
    subject = "it" if name == word else name
    return f"{subject} is an option of noisecli {joined(having)}, not of {command.name}" if having else None


def _near(word: str, own: Mapping[str, click.Option]) -> str | None:
    """Return what a slip of the fingers may have meant. Only what does no harm is offered."""
    from difflib import get_close_matches

    near = [f"--{name}" for name in get_close_matches(word.strip("-"), [name[2:] for name in own if name[:2] == "--"])]
    if not near:
        return None
    if near[0] in words.DESTROYING:
        return _explained([name for name in words.DESTROYING if name in own], own)
    harmless = [name for name in near if name not in words.DESTROYING]
    return f"did you mean {joined(harmless, 'or')}?"
