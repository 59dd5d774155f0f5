"""Which files."""

import click

from noisecli.cli.options.sections import apply, option

_CHOICE = "Which files"

INCLUDE = option(_CHOICE, "--include", multiple=True, metavar="GLOB", help="Only these files; may be repeated.")
EXCLUDE = option(
    _CHOICE, "--exclude", multiple=True, metavar="GLOB", help="Not these: they count as side files; may be repeated."
)
FILES0 = option(
    _CHOICE, "--files0-from", metavar="FILE|-", help="Take the files of this NUL-separated list, relative to SRC."
)
FOLLOW_LINKS = option(_CHOICE, "--follow-links", is_flag=True, help="Follow symbolic links that lead out of SRC too.")
LIMIT = option(_CHOICE, "--limit", type=click.IntRange(1), metavar="N", help="The first N files only.")

COMMON_CHOICE = apply(INCLUDE, EXCLUDE, FILES0, FOLLOW_LINKS, LIMIT)
PATHS = apply(
    click.argument("source", metavar="SRC", type=click.Path(path_type=str)),
    click.argument("destination", metavar="DST", type=click.Path(path_type=str)),
)
