"""JSON Schema (2020-12) of what noisecli writes and prints: one page and one line of SCHEMAS each.

Types and fixed words come from the records that the code itself uses; an object has no other keys than these.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from noisecli import __version__
from noisecli.kinds import KINDS
from noisecli.schemas import errors, row, run, sidecars, summary
from noisecli.schemas.parts import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Described(NamedTuple):
    """Something that has a schema.

    Attributes
    ----------
    title
        What it is, for people.
    schema_of
        Returns the schema for one of `variants`, or for what is the same in all of them, where there are none.
    """

    title: str
    schema_of: Callable[[str], Schema]
    variants: tuple[str, ...] = ()


SCHEMAS: Mapping[str, Described] = {
    "row": Described("a row of manifest.jsonl", row.schema_of, tuple(KINDS)),
    "errors": Described("a row of errors.jsonl", errors.schema_of),
    "sidecars": Described("a row of sidecars.jsonl", sidecars.schema_of),
    "run": Described("run.json", run.schema_of, tuple(KINDS)),
    "summary": Described("what --json prints", summary.schema_of, summary.COMMANDS),
}


def schema_of(name: str, variant: str | None = None) -> Schema:
    """Return a whole schema, for one kind or command, or for whichever it is."""
    described = SCHEMAS[name]
    head = {"$schema": DIALECT, "title": described.title, "$comment": f"noisecli {__version__}"}
    if variant is not None or not described.variants:
        return head | described.schema_of(variant or "")
    variants = {each: described.schema_of(each) for each in described.variants}
    return head | {"oneOf": [{"$ref": f"#/$defs/{each}"} for each in variants], "$defs": variants}
