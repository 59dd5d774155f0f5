"""What is printed."""

from noisecli.cli.options.sections import apply, option
from noisecli.cli.values import word_of

_REPORT = "Messages"

JSON = option(_REPORT, "--json", "as_json", is_flag=True, help="Print the summary to standard output, as JSON.")
ANNOTATIONS = option(
    _REPORT, "--annotations", type=word_of(["github", "none"]),
    help="Report problems to GitHub Actions too.  [default: github where GITHUB_ACTIONS is true]",
)  # fmt: skip
QUIET = option(_REPORT, "-q", "--quiet", is_flag=True, help="Print problems only.")
VERBOSE = option(_REPORT, "-v", "--verbose", is_flag=True, help="Print all problems and warnings, and tracebacks.")
PROGRESS = option(
    _REPORT, "--progress", type=word_of(["auto", "always", "never"]), default="auto", show_default=True,
    help="Show a progress bar; auto: on a terminal.",
)  # fmt: skip

COMMON_OUTPUT = apply(QUIET, VERBOSE, PROGRESS, JSON, ANNOTATIONS)
