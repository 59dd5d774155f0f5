"""From what was typed to the right word, in one line. Nothing here loads unless a command line was refused.

`words.py` is the table, `options.py`, `arguments.py` and `commands.py` look into it.
"""

from collections.abc import Sequence

import click

from noisecli.cli.hints.arguments import explain_arguments
from noisecli.cli.hints.commands import explain_command, explain_early_option
from noisecli.cli.hints.options import explain_option
from noisecli.errors import Refused

__all__ = ["explain", "explain_command", "explain_early_option"]


def explain(error: click.UsageError, context: click.Context, arguments: Sequence[str]) -> None:
    """Raise Refused with a better line than click's own where a command's arguments were refused and there is one."""
    command = context.command
    if isinstance(error, click.NoSuchOption):
        raise Refused(explain_option(error.option_name, command, arguments))
    if (line := explain_arguments(error, context, arguments)) is not None:
        raise Refused(line)
