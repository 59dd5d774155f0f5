"""What differs from the manifest, and the report that holds it. Light: it travels between processes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from noisecli.errors import FailedReason
from noisecli.model.files import listed_files
from noisecli.settings import Settings

Row = dict[str, Any]
_LARGEST = 1 << 40
Reason = Literal[
    "gone",
    "unreadable",
    "size-differs",
    "digest-differs",
    "undecodable",
    "row-differs",
    "bad-row",
    "listed-twice",
    "rows-missing",
    "not-listed",
    "stale-export",
    "source-gone",
    "source-changed",
    "source-unreadable",
    "mask-changed",
    "unknown-settings",
    "other-model",
    "not-remade",
    "noise-differs",
    "timeout",
    "worker-died",
    "out-of-memory",
    "internal-error",
]
"""The fixed words of a difference, for programs."""


class Difference(NamedTuple):
    """One thing that is not as the manifest says; where a bug of ours kept us from looking, with its traceback."""

    file_name: str
    reason: Reason
    message: str
    trace: str = ""

    @property
    def line(self) -> str:
        """The difference on one line, whatever the name holds."""
        name = self.file_name if self.file_name.isprintable() else self.file_name.encode("unicode_escape").decode()
        return f"{name}: {self.message}"

    def as_entry(self) -> dict[str, str]:
        """Return what --json reports of it."""
        return {"file_name": self.file_name, "reason": self.reason, "message": self.message}


class Check(NamedTuple):
    """A row whose files are looked at, and the settings it is recomputed with, when it is."""

    row: Row
    settings: Settings | None


def size_of(row: Row) -> int:
    """Return about how many bytes are read for a row; what somebody wrote there is not believed without limit."""
    sizes = (*(file.bytes for file in listed_files(row)), row.get("source_bytes"))
    return sum(min(size, _LARGEST) for size in sizes if isinstance(size, int) and size > 0)


def lost_reason(reason: FailedReason) -> Reason:
    """Return the word for a row whose check was lost, with its worker or without."""
    match reason:
        case "timeout" | "out-of-memory" | "internal-error":
            return reason
    return "worker-died"


@dataclass
class Checked:
    """What a worker says of a chunk: what differs, and how many outputs were recomputed, or could not be compared."""

    differences: list[Difference] = field(default_factory=list)
    remade: int = 0
    not_comparable: int = 0


@dataclass
class Report:
    """What was found.

    Attributes
    ----------
    rows
        Rows of the manifest.
    sidecars
        Side files on record.
    remade, not_comparable
        Outputs recomputed and compared; outputs that another version of a library encoded or decoded with loss.
    versions
        Of the libraries that made them, as run.json says.
    """

    rows: int = 0
    sidecars: int = 0
    remade: int = 0
    not_comparable: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def differ(self, file_name: str, reason: Reason, message: str, trace: str = "") -> None:
        """Note a difference."""
        self.differences.append(Difference(file_name, reason, message, trace))

    @property
    def exit_status(self) -> int:
        """0 when nothing differs, else 1."""
        return 1 if self.differences else 0

    def as_json(self) -> dict[str, Any]:
        """Return the whole as plain data."""
        return {
            "rows": self.rows,
            "sidecars": self.sidecars,
            "remade": self.remade,
            "not_comparable": self.not_comparable,
            "counts": dict(sorted(Counter(difference.reason for difference in self.differences).items())),
            "differences": [difference.as_entry() for difference in self.differences],
        }
