"""Names that a file system takes for one: a.png and A.png, where the case of letters does not count."""

import unicodedata
from collections.abc import Iterable

from noisecli.errors import Refused


def refuse_twins(outputs: Iterable[str], reserved: Iterable[str], what: str) -> None:
    """Refuse outputs that would be one file, or a file and the folder of another, where case does not count.

    `reserved` are the names of noisecli's own files; `what` is the destination, for the message.
    """
    taken = {_folded(name): name for name in reserved}
    folders: dict[str, str] = {}
    for output in outputs:
        folded = _folded(output)
        if taken.setdefault(folded, output) != output:
            raise Refused(_collision(taken[folded], output, what))
        end = folded.rfind("/")
        while end > 0 and folded[:end] not in folders:
            folders[folded[:end]] = output
            end = folded.rfind("/", 0, end)
    for folder, output in folders.items():
        if folder in taken:
            raise Refused(_collision(taken[folder], output, what))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _collision(first: str, second: str, what: str) -> str:
    return (
        f"{first} and {second} would be one file in {what}, where capitals and small letters are the same; rename one, "
        "leave one out with --exclude, or choose a folder on another file system"
    )
