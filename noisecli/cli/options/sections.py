"""Commands whose options stand under headings, and what makes such options."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from noisecli.cli.outcome import Outcome
from noisecli.cli.statuses import write_exit_statuses

Decorator = Callable[[Any], Any]


GROUPS = ("Arguments", "Strength", "Noise", "Output", "Files", "Running", "Messages")
"""The headings of --help, in their order. Under each, options are in the order that the command declares them."""


class SectionedArgument(click.Argument):
    """An argument that is described."""

    def __init__(self, *args: Any, described: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.described = described


class SectionedOption(click.Option):
    """An option that knows the heading it is listed under, and what it is to single commands."""

    def __init__(self, *args: Any, section: str, own: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section, self._own = section, own or {}

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its text, which may be one of this command's own."""
        usual = self.help
        self.help = self._own.get(str(ctx.command.name), usual)
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = usual


class SectionedCommand(click.Command):
    """A command whose many options are listed under headings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Answer words that it does not know with those that may be meant."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not ctx.resilient_parsing:
                from noisecli.cli.hints import explain

                explain(error, ctx, given)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Carry it out; what was asked for is reported with --json, however it ends."""
        ctx.ensure_object(Outcome).take(ctx.params)
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """End with the exit statuses."""
        write_exit_statuses(str(self.name), formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return --help, under the last heading."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.section = GROUPS[-1]  # type: ignore[attr-defined]
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each heading, in the order of headings, then that of the declarations."""
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, SectionedArgument):
                groups[GROUPS[0]].append((parameter.make_metavar(ctx), parameter.described))
            elif isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)) is not None:
                groups[getattr(parameter, "section", GROUPS[-1])].append(record)
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def argument(name: str, metavar: str, described: str) -> Decorator:
    """Return a path that is an argument of a command."""
    path = click.Path(path_type=str)
    return click.argument(name, metavar=metavar, type=path, cls=SectionedArgument, described=described)


def option(section: str, *names: str, **kwargs: Any) -> Decorator:
    """Return an option that is listed under a heading; `own` are its texts to commands where it has another one."""
    return click.option(*names, cls=SectionedOption, section=section, **kwargs)


def apply(*decorators: Decorator) -> Decorator:
    """Return one decorator of many, in reading order."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
