"""A row of sidecars.jsonl."""

from noisecli.manifest.sidecars import SideRow
from noisecli.schemas.parts import Schema, hex_digits, of_type, properties_of, record

_DESCRIPTIONS = {
    "file_name": "Path of the side file below DST.",
    "source": "Path below SRC of the file it came from.",
    "how": "A copy of its source, a symbolic link to it, or content rewritten for the outputs' names.",
    "bytes": "Bytes of the file; of a link, of what it leads to.",
}


def schema_of(_: str = "") -> Schema:
    """Return the schema of a side file's row, the same for every kind."""
    properties = properties_of(SideRow, _DESCRIPTIONS, but=("sha256", "sources"))
    properties["sha256"] = hex_digits(64, "SHA-256 of the file; of a link, of what it leads to.")
    properties["sources"] = of_type(dict[str, str], "Of rewritten content, the SHA-256 of each source of it.")
    return record(properties, optional=("sources",))
