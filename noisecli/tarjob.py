"""What tasks whose outputs go into one tar have in common."""

from typing import NamedTuple


class TarJob(NamedTuple):
    """The tar that a task's output goes into, together with all others of one chunk.

    Attributes
    ----------
    name
        What a problem of all of it names: the tar that is read; where files are packed, the one that is written.
    members
        Where files are packed: those that go into it, samples together. Else it is the members of the tar `name`.
    omitted
        Members that are left out.
    unnoised
        Members of the kind that go along as they are: masks, and what is excluded. Any other without a task was not
        there when the tar was listed.
    is_probe
        Whether nothing is written: it shows which sample ends its worker.
    """

    name: str
    members: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()
    unnoised: tuple[str, ...] = ()
    is_probe: bool = False
