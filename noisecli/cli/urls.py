"""What a URL has no place for is refused before any work; of one with a password, no more is shown than its scheme."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

from noisecli.storage import folder_at, is_url

_WITH_PASSWORD = re.compile(r"(?:--[\w-]+=|-\w)?([A-Za-z][A-Za-z0-9+.-]*://)[^/\s]*[@:]")


def refuse_passwords(words: Sequence[str]) -> None:
    """Raise Refused for a URL on a command line that holds what may be a password."""
    for word in words:
        if match := _WITH_PASSWORD.match(word):
            folder_at(f"{match[1]}@")  # refuses the scheme, or what stands before an @


def refuse_local_options(options: Mapping[str, Any], source: str, destination: str) -> None:
    """Refuse options that speak of files on this machine, where SRC or DST is a URL, and URLs as their values."""
    if is_url(options.get("files0_from") or ""):
        raise click.UsageError("--files0-from: reads a file on this machine; name one, or give the list on -")
    depfile = options.get("depfile")
    url = next((each for each in (source, destination, depfile or "") if is_url(each)), None)
    if url is None:
        return
    store = f"{url.partition('://')[0]}://"
    if depfile is not None:
        raise click.UsageError(f"--depfile: Make looks at files on this machine, not at {store} objects; omit it")
    if options.get("sidecars") == "link":
        raise click.UsageError(f"--sidecars link: {store} has no symbolic links; use --sidecars copy")
    if options.get("follow_links") and is_url(source):
        raise click.UsageError(f"--follow-links: {store} has no symbolic links; omit it")


def require_path(path: str, what: str) -> None:
    """Refuse a URL where a file on this machine is needed."""
    if is_url(path):
        raise click.UsageError(f"{what}: is a file on this machine; copy it here, and name that")
