"""Arguments that are missing, and those that are left over."""

import os
import re
import shlex
from collections.abc import Sequence
from typing import get_args

import click

from noisecli.cli.hints.options import arguments_of, joined, usage_of
from noisecli.cli.hints.paths import expanded
from noisecli.errors import shown
from noisecli.model import Quantity

_NUMBER = re.compile(r"[+-]?\d*\.?\d+%?\Z")
_DASHES = ("\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")


def explain_arguments(error: click.UsageError, context: click.Context, arguments: Sequence[str]) -> str | None:
    """Return what is wrong with the arguments of a command, and the way out; None where it is something else."""
    command = context.command
    if isinstance(error, click.MissingParameter):
        return _missing(error, command, arguments)
    if type(error) is not click.UsageError:
        return None
    values, left_over, _ = command.make_parser(context).parse_args(list(arguments))
    if not left_over:
        return None
    given = [str(values[p.name]) for p in command.params if isinstance(p, click.Argument) and p.name] + left_over
    dashed = next((word for word in given if word.startswith(_DASHES)), None)
    if dashed is not None:
        hyphened = "--" + dashed.lstrip("".join(_DASHES) + "-")
        return f"{shown(dashed)} begins with a dash, not with hyphens; write {hyphened}"
    if all(map(_NUMBER.match, left_over)) and "SRC" in arguments_of(command):
        numbers = f"{shown(' '.join(left_over))}: left over"
        if any(values.get(name) is not None for name in get_args(Quantity)):
            return f"{numbers}; levels are joined by commas, as in --std 5,15,25"
        return f"{numbers}; a level is an option: --std {left_over[0]}"
    if len(arguments_of(command)) == 1:
        return _one_place(command, given)
    return _too_many(command, given, [name for name in ("include", "exclude") if values.get(name)], arguments)


def _missing(error: click.MissingParameter, command: click.Command, arguments: Sequence[str]) -> str | None:
    if not isinstance(error.param, click.Argument):
        return None
    name = str(command.name)
    line = f"Missing argument {error.param.metavar!r}: {usage_of(command)}"
    # the folder may have the name of the command
    if arguments and not arguments[0].startswith("-") and os.path.isdir(name):
        line += f"; for the folder {name}/ it is noisecli {shlex.join([name, name, *arguments])}"
    return line


def _too_many(command: click.Command, given: Sequence[str], patterns: Sequence[str], arguments: Sequence[str]) -> str:
    name, extra = str(command.name), given[2:]
    if patterns and os.path.isdir(given[0]) and all(map(os.path.exists, extra)):
        options = joined((f"--{pattern}" for pattern in patterns), "or")
        return f"{shown(extra[0])}: left over; quote the pattern of {options}, or the shell makes names of it"
    *sources, destination = given
    if all(map(os.path.exists, sources)):
        return expanded(name, given, _without(arguments, given))
    whole = " ".join(sources)
    if os.path.exists(whole):
        again = shlex.join([name, whole, destination, *_without(arguments, given)])
        return f"a name with spaces needs quotes: noisecli {again}"
    return f"{shown(' '.join(extra))}: left over; it is {usage_of(command)}, and names with spaces need quotes"


def _one_place(command: click.Command, given: Sequence[str]) -> str:
    """A command that has DST alone was given more."""
    name, first, second = str(command.name), *map(shown, given[:2])
    if len(given) == 2 and name == "verify":
        return f"DST is the only argument; SRC goes with --recompute: noisecli verify {second} --recompute {first}"
    if len(given) == 2 and name == "export":
        return f"DST is the only argument; a file for the table goes with --output: --output {second}"
    nothing_read = " (latents are made from no source)" if name == "latents" else ""
    return f"DST is the only argument{nothing_read}: {usage_of(command)}; {shown(' '.join(given[1:]))} is left over"


def _without(arguments: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return the options of a command line, in their order."""
    rest, following = [], iter(given)
    expected = next(following, None)
    for word in arguments:
        if word == expected:
            expected = next(following, None)
        else:
            rest.append(word)
    return rest
