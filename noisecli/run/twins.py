"""Names that a file system takes for one: a.png and A.png, where the case of letters does not count."""

import unicodedata
from collections.abc import Iterable

from noisecli.errors import Refused


def refuse_twins(outputs: Iterable[str], reserved: Iterable[str], what: str) -> None:
    """Refuse outputs that would be one file, or a file and the folder of another, where case does not count.

    `reserved` are the names of noisecli's own files; `what` is the destination, for the message.
    """
    taken = {folded(name): name for name in reserved}
    folders: dict[str, str] = {}
    for output in outputs:
        name = folded(output)
        if taken.setdefault(name, output) != output:
            raise Refused(_collision(taken[name], output, what))
        end = name.rfind("/")
        while end > 0 and name[:end] not in folders:
            folders[name[:end]] = output
            end = name.rfind("/", 0, end)
    for folder, output in folders.items():
        if folder in taken:
            raise Refused(_collision(taken[folder], output, what))


def folded(name: str) -> str:
    """Return what a name has in common with those that a file system may take for the same."""
    return unicodedata.normalize("NFC", name).casefold()


def _collision(first: str, second: str, what: str) -> str:
    return (
        f"{first} and {second} would be one file in {what}, where capitals and small letters are the same; rename one, "
        "leave one out with --exclude, or choose a folder on another file system"
    )
