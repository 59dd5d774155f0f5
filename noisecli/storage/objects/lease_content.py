"""What the object of a lease says, and which version of it that is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

Version = dict[str, str]


class Content(NamedTuple):
    """What the object says.

    Attributes
    ----------
    journal
        Which journal it goes with.
    holder
        Whose folder of journals that lies in: all who use that one know of each other by the journal's lock.
    run
        Which process wrote it.
    renewal
        How often: a version is not to come again.
    """

    journal: str = ""
    holder: str = ""
    run: str = ""
    renewal: int = 0

    @classmethod
    def read(cls, data: bytes) -> Content:
        """Return what the object's bytes say; an empty one where they are not of ours."""
        try:
            found = json.loads(data)
            return cls(str(found["journal"]), str(found["holder"]), str(found["run"]), int(found["renewal"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return cls()

    def written(self) -> bytes:
        """Return the object's bytes."""
        return json.dumps(self._asdict()).encode()


def version_of(answer: Mapping[str, Any]) -> Version:
    """Return what a store calls a version, for a put under the condition that it is the last."""
    return {word: answer[word] for word in ("e_tag", "version") if answer.get(word)}
