"""Files that something is said of: there may be a million, and the first few by name are enough to look at."""

from bisect import insort
from collections.abc import Collection
from heapq import nsmallest

from noisecli.storage import escape_name

SHOWN = 20


class Examples:
    """The first names in sorted order, whichever came first, and how many there are."""

    def __init__(self) -> None:
        self.number = 0
        self.names: list[str] = []

    def add(self, name: str) -> None:
        """Count one more."""
        self.number += 1
        if len(self.names) < SHOWN or name < self.names[-1]:
            insort(self.names, name)
            del self.names[SHOWN:]

    @classmethod
    def of(cls, names: Collection[str]) -> "Examples":
        """Return those of all names, as the file system spells them."""
        found = cls()
        found.number = len(names)
        found.names = [escape_name(name) for name in nsmallest(SHOWN, names)]
        return found
