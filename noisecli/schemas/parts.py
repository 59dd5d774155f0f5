"""What schemas are put together from."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number"},
    str: {"type": "string"},
    NoneType: {"type": "null"},
}


def of_type(hint: Any, description: str = "", **more: Any) -> Schema:
    """Return the schema of a type as JSON holds it; integers are counts, unless `minimum` says otherwise."""
    schema = _of_type(hint) | more
    return schema | {"description": description} if description else schema


def _of_type(hint: Any) -> Schema:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        return _either([_of_type(each) for each in inner])
    if origin in (dict, Counter):
        return {"type": "object", "additionalProperties": _of_type(inner[1] if origin is dict else int)}
    if origin in (list, tuple):
        return {"type": "array", "items": _of_type(inner[0])}
    if is_dataclass(hint):
        # its keys are described where it is used
        return {"type": "object"}
    raise TypeError(f"{hint} has no schema")


def _either(schemas: list[Schema]) -> Schema:
    """Return one schema for several; types alone become a list of types."""
    if all("type" in schema for schema in schemas) and sum(len(schema) > 1 for schema in schemas) <= 1:
        together = {key: value for schema in schemas for key, value in schema.items()}
        return together | {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def record(properties: Mapping[str, Schema], *, optional: Collection[str] = ()) -> Schema:
    """Return the schema of an object that has these keys and no other."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def properties_of(described: Any, descriptions: Mapping[str, str], *, but: Collection[str] = ()) -> dict[str, Schema]:
    """Return the properties of a class's fields, each with its description."""
    hints = get_type_hints(described)
    return {name: of_type(hint, descriptions.get(name, "")) for name, hint in hints.items() if name not in but}


def hex_digits(length: int, description: str) -> Schema:
    """Return the schema of a digest or a key."""
    return {"type": "string", "pattern": f"^[0-9a-f]{{{length}}}$", "description": description}


def or_null(schema: Schema) -> Schema:
    """Return a schema that null passes too."""
    return schema | {"type": [schema["type"], "null"]}
