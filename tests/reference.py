"""What the manual takes from the code's own tables: `make reference` writes it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import click

from noisecli.cli import COMMANDS
from noisecli.kinds import KINDS

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ROOT / "noisecli/cli/README.md"
MANUAL = ROOT / "README.md"
FORMATS_ROW = re.compile(r"(?m)^\| `noisecli \w+` \| .*\n")

_HEAD = """# Options

Made by `make reference` from the options themselves. `noisecli COMMAND --help` shows those of one command; the
[manual](../../README.md) says what they are for.
"""


def commands() -> dict[str, click.Command]:
    return {name: import_module(f"noisecli.cli.{name}").command for name in COMMANDS}


def options_page() -> str:
    """Every option under its heading, once for each text that it has."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name, command in commands().items():
        context = click.Context(command, info_name=name)
        for option in command.params:
            record = option.get_help_record(context) if isinstance(option, click.Option) else None
            if record is not None:
                found.setdefault(getattr(option, "section", "Other"), {}).setdefault(record, []).append(name)
    return _HEAD + "".join(_section(heading, records) for heading, records in found.items())


def _section(heading: str, records: dict[tuple[str, str], list[str]]) -> str:
    rows = [
        f"| `{_cell(option)}` | {_cell(text)} | {'all' if len(names) == len(COMMANDS) else ', '.join(names)} |"
        for (option, text), names in records.items()
    ]
    return f"\n## {heading}\n\n| option | | commands |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def formats_rows() -> str:
    """A row of the manual's table for each kind that reads files."""
    rows, told = [], dict[str, frozenset[str]]()
    for kind in KINDS.values():
        if not (kind.has_sources and kind.formats):
            continue
        others = [name for name, suffixes in told.items() if suffixes < kind.formats.keys()]
        left = [suffix for suffix in kind.formats if not any(suffix in told[name] for name in others)]
        reads = " ".join([*(f"those of `{name}`," for name in others), *(f"`{suffix}`" for suffix in left)])
        same = [name for name in others if KINDS[name].writes == kind.writes]
        writes = f"as `{same[0]}`" if same else " ".join(f"`{word}`" for word in kind.writes) or "as it is read"
        rows.append(f"| `noisecli {kind.name}` | {reads} | {writes} |\n")
        told[kind.name] = frozenset(kind.formats)
    return "".join(rows)


def manual_with_formats(text: str) -> str:
    """Return the manual with the rows of its table of formats replaced."""
    first = FORMATS_ROW.search(text)
    assert first is not None, "the manual has no table of formats"
    return text[: first.start()] + formats_rows() + FORMATS_ROW.sub("", text[first.start() :])


if __name__ == "__main__":
    OPTIONS.write_text(options_page())
    MANUAL.write_text(manual_with_formats(MANUAL.read_text()))
