"""The command line. Commands load when they are called; errors become exit statuses in one place, main()."""

import errno
import gc
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from noisecli import __version__
from noisecli.cli.outcome import Outcome
from noisecli.cli.statuses import write_exit_statuses
from noisecli.cli.terminal import say, say_block
from noisecli.errors import NoisecliError, Refused
from noisecli.kinds import KINDS

COMMANDS = {
    **{kind.name: kind.summary for kind in KINDS.values()},
    "preview": "Draw originals beside their noisy copies, on one sheet.",
    "verify": "Check every file against the manifest.",
    "export": "Write the manifest in a form that training libraries read.",
    "merge": "Make one run of shards.",
    "schema": "Print the JSON Schema of what noisecli writes and prints.",
}


class Interrupted(BaseException):
    """SIGTERM or SIGHUP; SIGINT is Python's KeyboardInterrupt."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class LazyGroup(click.Group):
    """Imports a command's module when it is called, and not for the list of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"noisecli.cli.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Answer an option before the command with its place."""
        given = list(args)
        if any("://" in os.fsdecode(word) for word in given):
            from noisecli.cli.urls import refuse_passwords

            refuse_passwords(given)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not ctx.resilient_parsing:
                from noisecli.cli.hints import explain_early_option

                raise Refused(explain_early_option(error.option_name, given)) from None
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Answer what is not a command with the one that may be meant."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from noisecli.cli.hints import explain_command

            raise Refused(explain_command(args))
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """End with the exit statuses."""
        write_exit_statuses("noisecli", formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="noisecli")
def cli() -> None:
    """Make noisy copies of datasets: exact Gaussian noise on images, audio files, arrays and weights.

    The output bytes do not depend on the number of jobs, a broken file does not stop the others, and a manifest records
    what was done to each file.

    \b
    noisecli images photos noisy --std 25
    noisecli audio speech noisy --snr-db 10..30
    noisecli arrays features noisy --std 5%
    """  # noqa: D301
    try:
        os.getcwd()
    except OSError as error:
        raise Refused(f"the current folder cannot be read ({error.strerror}), it may be gone; cd to another") from error


def main() -> NoReturn:
    """Run the command line and exit with the status that README.md promises."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP for us, and that shall stay so
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    words = sys.argv[1:]
    outcome = Outcome(words[0] if words and words[0] in COMMANDS else None, words)
    status, error = _carry_out(words, outcome)
    if error is not None:
        say(f"noisecli: {error}")
        _annotate(outcome, error)
        outcome.emit_after(status, error)
    _flush_and_exit(status)


def _annotate(outcome: Outcome, error: str) -> None:
    if "annotations" in outcome.options:
        from noisecli.cli.annotations import annotate_error, are_wanted

        if are_wanted(outcome.options):
            annotate_error(outcome.command, error)


def _carry_out(words: list[str], outcome: Outcome) -> tuple[int, str | None]:
    """Return the exit status, and what went wrong where a command was ended by an error."""
    try:
        status = cli.main(words or ["--help"], standalone_mode=False, obj=outcome) or 0
        outcome.emit(status)
        return status, None
    except click.ClickException as error:
        # click lists choices on lines of their own
        message = error.format_message().rstrip(".").replace("\n\t", " ")
        return 2, f"{message}; see --help"
    except (KeyboardInterrupt, Interrupted, click.Abort) as stop:
        return _stopped_by(stop)
    except NoisecliError as error:
        return error.exit_status, str(error)
    except (BrokenPipeError, SystemExit):
        # the only exit that click takes by itself here is its answer to a closed pipe
        return _nobody_listens(), None
    except (OSError, MemoryError) as error:
        return 3, _refusal_of_the_system(error)
    except Exception as error:
        # what interrupts the making of a class, while modules load, Python 3.11 wraps
        wrapped = error.__cause__
        return _stopped_by(wrapped) if isinstance(wrapped, KeyboardInterrupt | Interrupted) else (3, _report(error))


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def _stopped_by(stop: BaseException) -> tuple[int, str]:
    number = stop.number if isinstance(stop, Interrupted) else int(signal.SIGINT)
    goes_on = (
        "" if {"preview", "verify", "export", "schema"} & set(sys.argv[1:2]) else "; the same command goes on from here"
    )
    return 128 + number, f"stopped by {signal.Signals(number).name}{goes_on}"


def _refusal_of_the_system(error: OSError | MemoryError) -> str:
    """Return what the system would not do, in a line; -v shows where that was."""
    if {"-v", "--verbose"} & set(sys.argv):
        _show_where(error)
    if isinstance(error, MemoryError):
        return "no memory left; use fewer --jobs, or end other programs"
    named = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    hint = "; raise ulimit -n, or use fewer --jobs" if error.errno in (errno.EMFILE, errno.ENFILE) else ""
    return f"{named}{error.strerror or error}{hint}"


def _report(error: Exception) -> str:
    """The last resort: an error of ours, with all that a report of it needs."""
    from platform import platform, python_version

    from noisecli.engines.process import WorkerBug

    _show_where(error)
    # what a worker raised comes as its traceback, whose last line names it
    raised = str(error).strip().rpartition("\n")[2]
    what = raised if isinstance(error, WorkerBug) else f"{type(error).__name__}: {error}"
    command = next((f"noisecli {word}" for word in sys.argv[1:] if word in COMMANDS), "noisecli")
    made_by = f"noisecli {__version__}, Python {python_version()}, {platform()}"
    whose = f"an error of {command}, not of your data; please report it with the lines above ({made_by})"
    return f"{what}: {whose}"


def _show_where(error: Exception) -> None:
    from traceback import format_exception

    say_block("".join(format_exception(error)))


def _nobody_listens() -> int:
    """Standard output was closed early, as by head: quiet, like other tools."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _flush_and_exit(status: int) -> NoReturn:
    # what is left goes with the process: looking for garbage in it first would take 5 ms
    gc.freeze()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        status = _nobody_listens()
    except OSError as error:
        say(f"noisecli: standard output cannot be written: {error.strerror}")
        status = 3
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
