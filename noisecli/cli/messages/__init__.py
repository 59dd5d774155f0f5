"""What is reported to people and programs: the bar and the words on standard error, --json on standard output."""

import json
from collections.abc import Mapping
from typing import Any

from noisecli.cli.messages.labels import tell_labels
from noisecli.cli.messages.problems import report_problems
from noisecli.cli.messages.progress import progress_bar
from noisecli.cli.messages.summary import nothing_made, summary_lines
from noisecli.cli.messages.words import count
from noisecli.cli.terminal import acts, say
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage.stdout import print_whole

__all__ = ["count", "print_json", "progress_bar", "report", "report_problems", "tell_labels"]


def report(summary: Summary, settings: Settings, options: Mapping[str, Any]) -> None:
    """Print the summary."""
    if options["as_json"] and settings.destination != "-":
        print_json(summary.as_json())
    report_problems(summary, everything=options["verbose"], traces=options["verbose"])
    quiet = options["quiet"]
    for line in nothing_made(summary) if quiet else summary_lines(summary, settings, everything=options["verbose"]):
        say(line)
    if summary.stopped:
        say(f"noisecli: stopped: {summary.stopped}")


def print_json(content: Any) -> None:
    """Print content as JSON on one line: the same for whoever parses it, and harmless for a terminal."""
    text = json.dumps(content, ensure_ascii=False)
    if not text.isprintable():
        text = "".join(json.dumps(letter)[1:-1] if acts(letter) else letter for letter in text)
    print_whole([text.encode() + b"\n"])
