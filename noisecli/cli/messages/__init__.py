"""What is reported to people: the bar and the words on standard error."""

from collections.abc import Mapping
from typing import Any

from noisecli.cli.annotations import annotate_run
from noisecli.cli.messages.labels import tell_labels
from noisecli.cli.messages.problems import report_problems
from noisecli.cli.messages.progress import progress_bar
from noisecli.cli.messages.summary import nothing_made, summary_lines
from noisecli.cli.messages.words import count
from noisecli.cli.outcome import this_outcome
from noisecli.cli.terminal import say
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.shards import split_manifest

__all__ = ["count", "progress_bar", "report", "report_problems", "say_shard", "tell_labels"]


def report(summary: Summary, settings: Settings, options: Mapping[str, Any]) -> None:
    """Print the summary."""
    report_problems(summary, everything=options["verbose"], traces=options["verbose"])
    quiet = options["quiet"]
    for line in nothing_made(summary) if quiet else summary_lines(summary, settings, everything=options["verbose"]):
        say(line)
    if summary.stopped:
        this_outcome().error = f"stopped: {summary.stopped}"
        say(f"noisecli: stopped: {summary.stopped}")
    annotate_run(summary, settings, options)


def say_shard(manifest: str) -> None:
    """Say that a manifest is that of a part, where it is one."""
    shard = split_manifest(manifest)[1]
    if shard is not None:
        say(f"this is shard {shard} alone: noisecli merge makes one run of all shards")
