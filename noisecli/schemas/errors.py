"""A row of errors.jsonl, and an entry of `problems`."""

from typing import get_args

from noisecli.errors import FailedReason, SkippedReason
from noisecli.model import Problem
from noisecli.schemas.parts import Schema, properties_of, record

_DESCRIPTIONS = {
    "source": "Path below SRC; of latents, the output. Bytes that are not UTF-8 are written as %FF.",
    "status": "failed: it could not be done; skipped: it is left alone on purpose.",
    "reason": "A fixed word, the same in every version.",
    "message": "What happened and what to do, for people; its words may change.",
}


def schema_of(_: str = "") -> Schema:
    """Return the schema of a problem, the same for every kind."""
    properties = properties_of(Problem, _DESCRIPTIONS, but=("trace",))
    properties["reason"] |= {"enum": [*get_args(FailedReason), *get_args(SkippedReason)]}
    return record(properties)
