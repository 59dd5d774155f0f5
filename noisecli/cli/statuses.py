"""The exit statuses as --help ends with them."""

import click

_RUN = {
    "0": "All done or kept; some may have been skipped.",
    "1": "Done, but some files failed, or the one file named was not made.",
    "2": "Refused before any work; nothing was written.",
    "3": "Stopped during the run; the same command goes on from there.",
    "130, 143": "Ended by ^C or SIGTERM; the same command goes on from there.",
}
_STATUSES = {
    "noisecli": {**_RUN, "1": "Done, but some files failed; of verify: something differs."},
    "latents": {**_RUN, "0": "All done or kept.", "1": "Done, but some files could not be made."},
    "preview": {
        "0": "The sheet is written.",
        "1": "Some files failed; where all did, no sheet is written.",
        "2": "Refused before any work; nothing was written.",
        "3": "Stopped on the way.",
        "130, 143": "Ended by ^C or SIGTERM.",
    },
    "verify": {
        "0": "Nothing differs.",
        "1": "Something does.",
        "2": "Refused before any work: DST holds no run, for example.",
        "3": "Stopped on the way.",
        "130, 143": "Ended by ^C or SIGTERM.",
    },
    "schema": {
        "0": "The schema is printed.",
        "2": "Refused.",
        "3": "Standard output cannot be written.",
        "130, 143": "Ended by ^C or SIGTERM.",
    },
    "merge": {
        "0": "All shards are one run.",
        "2": "Refused; nothing was changed.",
        "3": "Stopped on the way; the same command goes on from there.",
        "130, 143": "Ended by ^C or SIGTERM; the same command goes on from there.",
    },
    "export": {
        "0": "All is written.",
        "2": "Refused; nothing was written.",
        "3": "Stopped on the way.",
        "130, 143": "Ended by ^C or SIGTERM.",
    },
}


def write_exit_statuses(command: str, formatter: click.HelpFormatter) -> None:
    """Write the list of a command's exit statuses; that of a run where it has none of its own."""
    with formatter.section("Exit status"):
        formatter.write_dl(list(_STATUSES.get(command, _RUN).items()))
