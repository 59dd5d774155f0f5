"""--annotations github: problems as workflow commands of GitHub Actions, and a table in the job's summary.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the escapes are those of its toolkit.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from noisecli.cli.terminal import say, say_command, visible
from noisecli.kinds import KINDS
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import escape_name, folder_at, is_url, split_location
from noisecli.verify.report import Report

_SHOWN = 10
"""What GitHub shows of one severity, of one step."""
_IN_TABLE = 20
_LONGEST_CELL = 300
_EXPECTED = ("label-mask", "labels")
"""Skipped for these reasons, a file is left alone on purpose."""
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}
_MARKDOWN = {letter: f"&#{ord(letter)};" for letter in "\\`*_[]<>&|~$:@#"}

Severity = Literal["error", "warning", "notice"]
Cells = Sequence[object]


class _Finding(NamedTuple):
    """A file that something is wrong with; `path` is None for standard input."""

    severity: Severity
    path: str | None
    name: str
    status: str
    reason: str
    message: str


def are_wanted(options: Mapping[str, Any]) -> bool:
    """Whether problems are reported to GitHub; by itself where its runner is what runs us."""
    asked = options.get("annotations")
    return asked == "github" or (asked is None and os.environ.get("GITHUB_ACTIONS") == "true")


def annotate_error(command: str | None, message: str) -> None:
    """Annotate what ended a command."""
    say_command(_command("error", message, title=_title(command or "")))


def annotate_run(summary: Summary, settings: Settings, options: Mapping[str, Any], command: str | None = None) -> None:
    """Annotate the problems of a run, and write what it did."""
    if not are_wanted(options):
        return
    command = command or settings.kind
    if summary.stopped is not None:
        annotate_error(command, f"stopped: {summary.stopped}")
    found = [
        _Finding(
            "error" if problem.status == "failed" else "warning",
            _path_of(settings, problem.source, is_file=summary.is_one_file and not settings.choice.is_one_file),
            problem.source,
            problem.status,
            problem.reason,
            problem.message,
        )
        for problem in sorted(summary.problems, key=lambda problem: (problem.status, problem.source))
    ]
    _annotate(command, [finding for finding in found if finding.reason not in _EXPECTED])
    made = "would be made" if summary.dry_run else "made"
    columns = {made: summary.made, "kept": summary.kept, "failed": summary.failed, "skipped": summary.skipped}
    heading = f"{settings.source} to {settings.destination}" if settings.destination else settings.source
    _write_summary(command, heading, {**columns, "mean strength": _strength(summary)}, found)


def annotate_differences(report: Report, destination: str, options: Mapping[str, Any]) -> None:
    """Annotate what differs from a manifest."""
    if not are_wanted(options):
        return
    folder = folder_at(destination)
    found = [
        _Finding("error", folder.location_of(each.file_name), each.file_name, "differs", each.reason, each.message)
        for each in report.differences
    ]
    _annotate("verify", found)
    columns = {"rows": report.rows, "recomputed": report.remade, "differences": len(found)}
    _write_summary("verify", destination, columns, found)


def _path_of(settings: Settings, source: str, *, is_file: bool) -> str | None:
    """Return the path of a problem's file: below the source folder, or the one file of SRC itself."""
    if not KINDS[settings.kind].has_sources:
        return folder_at(settings.destination).location_of(source)
    if settings.source == "-":
        return None
    folder = split_location(settings.source)[0] if is_file else settings.source
    return folder_at(folder).location_of(source)


def _annotate(command: str, found: Iterable[_Finding]) -> None:
    """Print a line for each, as many as GitHub shows, and one that says how many more there are."""
    numbers: dict[Severity, int] = {}
    for severity, path, _, status, reason, message in found:
        numbers[severity] = numbers.get(severity, 0) + 1
        if numbers[severity] <= _SHOWN:
            title = _title(command, status, reason)
            where = {} if path is None else {"file": _relative(path)}
            say_command(_command(severity, message, **where, title=title))
    more = [f"{number - _SHOWN:,} more {severity}s" for severity, number in numbers.items() if number > _SHOWN]
    if more:
        say_command(_command("notice", f"{' and '.join(more)} are not shown here", title=_title(command)))


def _title(command: str, *words: str) -> str:
    return ": ".join([f"noisecli {command}".rstrip(), *[" ".join(words)] * bool(words)])


def _command(severity: Severity, message: str, **properties: str) -> str:
    """Return a workflow command, which ends with its line whatever is in it."""
    told = ",".join(f"{name}={_replaced(value, _PROPERTY)}" for name, value in properties.items())
    return f"::{severity} {told}::{_replaced(message, _DATA)}"


def _replaced(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(letter, letter) for letter in text)


def _relative(path: str) -> str:
    """Return a path relative to the workspace; as it is where it lies outside."""
    if is_url(path):
        return escape_name(path)
    root = os.path.abspath(os.environ.get("GITHUB_WORKSPACE") or ".")
    whole = os.path.abspath(path)
    inside = os.path.relpath(whole, root) if whole.startswith(f"{root.rstrip('/')}/") else whole
    return escape_name(inside)


def _strength(summary: Summary) -> str:
    """Return what is left of each level's noise after clip and rounding, on average."""
    parts = (f"{level}: {means.kept:.1%} in the samples" for level, means in sorted(summary.strength.items()))
    return "; ".join(parts)


def _write_summary(command: str, heading: str, columns: Mapping[str, object], found: Sequence[_Finding]) -> None:
    """Append a table of what was done, and one of the first problems, to the summary of the job."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    text = (
        f"### noisecli {command}: {_cell(escape_name(heading))}\n\n{_table(list(columns), [list(columns.values())])}\n"
    )
    if found:
        rows = [(each.name, each.status, each.reason, each.message) for each in found[:_IN_TABLE]]
        text += f"{_table(['file', 'status', 'reason', 'message'], rows)}\n"
    if len(found) > _IN_TABLE:
        text += f"{len(found) - _IN_TABLE:,} more are not shown here.\n\n"
    try:
        # nobody waits here for whoever reads a pipe
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        with open(fd, "wb", buffering=0) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        say(f"noisecli: GITHUB_STEP_SUMMARY {escape_name(path)} cannot be written: {why}")


def _table(header: Cells, rows: Iterable[Cells]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    """Return a text that is nothing but text in a cell of Markdown, on one line."""
    text = f"{value:,}" if isinstance(value, int) else visible(str(value))
    text = text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 3]}..."
    return _replaced(text, _MARKDOWN)
