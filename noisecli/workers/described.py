"""What a row says of an output's samples, and what its file decodes to."""

from typing import Any

from noisecli.kinds import FORMATS
from noisecli.model import SampleSpec
from noisecli.workers import Row

LOSSY = frozenset(form.name for form in FORMATS.values() if form.lossy)
_ALWAYS_COLOUR = ("webp", "gif")


def described(spec: SampleSpec, frames: int) -> Row:
    """Return type, shape and rate; `frames` are those of an audio file."""
    if spec.sample_rate is None:
        return {"dtype": spec.dtype, "shape": list(spec.shape)}
    return {"dtype": spec.dtype, "shape": [frames, *spec.shape[1:]], "sample_rate": spec.sample_rate}


def fits(row: Row, key: str, value: Any) -> bool:
    """Whether what a file decodes to is what its row says, or what its format makes of that."""
    recorded, form, is_audio = row[key], row.get("format"), "sample_rate" in row
    if value == recorded or (key == "dtype" and is_audio and form in LOSSY):
        return True
    if key != "shape" or not isinstance(recorded, list):
        return False
    if is_audio:
        return "padded" in (row.get("warnings") or ()) and value[1:] == recorded[1:]
    # an upright copy of an image that lay on its side has width and height exchanged
    same = [sorted(recorded, key=str), sorted([*recorded, 3], key=str) if form in _ALWAYS_COLOUR else None]
    return sorted(value, key=str) in same
