"""Which files."""

import click

from noisecli.cli.options.sections import apply, argument, option

_CHOICE = "Files"

INCLUDE = option(_CHOICE, "--include", multiple=True, metavar="GLOB", help="Only these files; may be repeated.")
EXCLUDE = option(
    _CHOICE,
    "--exclude",
    multiple=True,
    metavar="GLOB",
    help="Not these, which count as side files; may be repeated.",
    own={"verify": "Do not report these where no row lists them; may be repeated."},
)
FILES0 = option(
    _CHOICE, "--files0-from", metavar="FILE|-", help="Take the files of this NUL-separated list, relative to SRC."
)
FOLLOW_LINKS = option(_CHOICE, "--follow-links", is_flag=True, help="Follow symbolic links that lead out of SRC too.")
LIMIT = option(_CHOICE, "--limit", type=click.IntRange(1), metavar="N", help="The first N files only.")

COMMON_CHOICE = apply(INCLUDE, EXCLUDE, LIMIT, FILES0, FOLLOW_LINKS)
PATHS = apply(
    argument("source", "SRC", "A folder, walked in sorted order; one file; or - for standard input."),
    argument("destination", "DST", "A folder, which mirrors SRC's tree; for one file, a file name or - too."),
)
FOLDER_PATHS = apply(
    argument("source", "SRC", "A folder that has a folder for each class; or .npz files of samples and labels."),
    argument("destination", "DST", "A folder, which mirrors SRC's tree."),
)
FINISHED = argument("destination", "DST", "The folder of a finished run.")
