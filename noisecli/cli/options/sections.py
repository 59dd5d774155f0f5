"""Commands whose options stand under headings, and what makes such options."""

from collections.abc import Callable
from typing import Any

import click

from noisecli.cli.outcome import Outcome
from noisecli.cli.statuses import write_exit_statuses

Decorator = Callable[[Any], Any]


class SectionedOption(click.Option):
    """An option that knows the heading it is listed under."""

    def __init__(self, *args: Any, section: str = "Other", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


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

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each section, in the order they were declared."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            # click from 8.5 on gives arguments a record too
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Other"), []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def option(section: str, *names: str, **kwargs: Any) -> Decorator:
    """Return an option that is listed under a heading."""
    return click.option(*names, cls=SectionedOption, section=section, **kwargs)


def apply(*decorators: Decorator) -> Decorator:
    """Return one decorator of many, in reading order."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
