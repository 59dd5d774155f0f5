"""Files of arrays, and the settings of kinds whose files may hold several."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from noisecli.codecs.ways_out import DATA_WAYS_OUT
from noisecli.kinds.record import Encoded, Kind, tuples
from noisecli.kinds.unread import ARCHIVES


class ArraysSettings(NamedTuple):
    """Which arrays of a file get noise, and how.

    Attributes
    ----------
    choose, leave
        Globs of names; without `choose`, what the kind chooses by itself.
    limits
        Lowest and highest value of a noisy sample.
    per_feature
        A share of each column's own std instead of the whole array's.
    """

    choose: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    per_feature: bool = False

    def fingerprint_fields(self) -> dict[str, Any]:
        """Every field, as run.json holds it."""
        return {"parts": self._asdict()}

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self | None:
        """Return the settings that fingerprint_fields() gave."""
        return None if recorded.get("parts") is None else cls(**tuples(recorded["parts"]))


ARRAYS = Kind(
    name="arrays",
    summary="Noisy copies of arrays: features, observations, actions in .npy and .npz.",
    noun="array file",
    nouns="array files",
    formats={".npy": Encoded("npy"), ".npz": Encoded("npz")},
    has_label_arrays=True,
    refused={**DATA_WAYS_OUT, **ARCHIVES},
    codec="noisecli.codecs.arrays",
    maker="noisecli.workers.arrays:ArraysMaker",
    is_data=True,
    unrounded="--dtype float32",
    keeps_format=True,
    std_map=".npy",
    option_of_arrays="--key",
    own=ArraysSettings,
)
