"""Files that failed or were skipped, on standard error."""

from noisecli.cli.terminal import say, say_block
from noisecli.run.summary import Summary

_PROBLEMS_SHOWN = 20


def report_problems(summary: Summary, *, everything: bool, traces: bool = False) -> None:
    """Name the sources that failed or were skipped, a line each; bugs of ours with their traceback where asked."""
    # of many, those that failed are shown first
    problems = sorted(summary.problems, key=lambda problem: (problem.status, problem.source))
    shown = problems if everything else problems[:_PROBLEMS_SHOWN]
    for problem in shown:
        say(f"{problem.source}: {problem.status}: {problem.message}")
        if traces and problem.trace:
            say_block(problem.trace)
    if len(shown) < len(summary.problems):
        more = len(summary.problems) - len(shown)
        say(f"... and {more:,} more: -v lists them, errors.jsonl has them all")
