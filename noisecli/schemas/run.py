"""run.json: the settings of the rows, versions and totals."""

from typing import Any

from noisecli.kinds import KINDS
from noisecli.model import Encoding
from noisecli.schemas.parts import Schema, of_type, or_null, properties_of, record
from noisecli.settings import NoiseSettings

_SETTINGS = {
    "seed": "What all noise depends on.",
    "probability": "Chance that an output gets noise at all.",
    "shared_channels": "Whether all channels of a pixel or frame have the same noise.",
    "clip": "Whether floats are held inside full scale.",
    "dtype": "float32 where the sum itself is written; null: as the source.",
    "full_scale": "The value of full scale where it was given.",
    "range": "Black and white where they were given.",
    "shared_probability": "Chance that all channels of an output have the same noise, where it was given.",
    "mask": "Set where images get noise inside their masks alone; rows say which these are.",
    "patch": "The least and the most pixels of the side of the squares that alone get noise.",
    "snr_of": "What a signal-to-noise ratio is of, where it is not all of a file.",
    "format": "Format of the outputs where it was given.",
    "quality": "Quality of lossy formats where it was given.",
    "subsampling": "Colour resolution of JPEG where it was given.",
}
_OWN = {
    "parts": "Of arrays and weights: which arrays get noise, and how.",
    "latents": "Shape and type of one latent.",
    "adversary": "The gradient step, and the SHA-256 of the model.",
}
_OWN_FIELDS = {
    "choose": "Globs of arrays that get noise; where there are none, what the command chooses by itself.",
    "leave": "Globs of arrays that get none.",
    "limits": "Lowest and highest value of a noisy sample; null: no limits.",
    "per_feature": "Whether std is a share of each column's own.",
    "shape": "Of one latent.",
    "dtype": "Type of their numbers.",
    "model_sha256": "SHA-256 of the model's file.",
    "backend": "What computed the gradient.",
    "eps": "Size of the step, a share of full scale.",
    "classes": "Names of the classes, in the model's order.",
    "input_range": "Lowest and highest value that the model takes.",
    "answers": "What the model's last layer gives.",
    "batch_size": "Samples whose gradients were computed together.",
    "samples_key": "Name of the samples in an .npz.",
    "labels_key": "Name of the labels in an .npz.",
}
_OWN_OF = {"arrays": "parts", "weights": "parts", "latents": "latents", "adversarial": "adversary"}


def schema_of(kind: str) -> Schema:
    """Return the schema of a kind's run.json."""
    shares = {
        "std": of_type(float, "Standard deviation on disk, as a share of what was added."),
        "correlated": of_type(float, "The share of the noise added that is still there."),
    }
    totals = {
        "outputs": of_type(int, "Rows of the manifest."),
        "applied": of_type(int, "Outputs that noise changed."),
        "bytes": of_type(int, "Bytes of all outputs."),
        "failed": of_type(int, "Sources that failed."),
        "skipped": of_type(int, "Sources that were left alone."),
        "sidecars": of_type(int, "Rows of sidecars.jsonl, where there are any."),
    }
    properties: dict[str, Schema] = {
        "noisecli": of_type(str, "Version that wrote it."),
        "stream": of_type(int, "Version of the random stream."),
        "kind": {"const": kind, "description": "The command."},
        "finished": of_type(bool, "Whether the run came to its end."),
        "versions": of_type(dict[str, str], "Versions of the libraries that made the outputs."),
        "settings": {
            "type": "object",
            "propertyNames": {"pattern": "^[0-9a-f]{16}$"},
            "additionalProperties": _settings(kind),
            "description": "What each hash of `settings` in rows stands for.",
        },
        "survival": {
            "type": "object",
            "additionalProperties": or_null(record(shares)),
            "description": "What lossy outputs kept of the noise, of those measured; null where none was added.",
        },
        "totals": record(totals, optional=("sidecars",)) | {"description": "Of the state that was reached."},
        "sidecars_sha256": of_type(str, "SHA-256 of sidecars.jsonl, where there is one."),
        "sources": of_type(int, "From how many source folders the outputs were made, where several.", minimum=2),
    }
    shard = {
        "number": of_type(int, "Which shard, from 1.", minimum=1),
        "of": of_type(int, "Of how many.", minimum=1),
        "settings": of_type(str, "The hash of the settings."),
        "plan": of_type(str, "A hash of the whole run's options and list of files: the same in all of its shards."),
    }
    properties["tars"] = of_type(bool, "Set where the outputs are members of tar shards.")
    properties["shard"] = record(shard) | {
        "description": "Of a shard: which part of a run it is, until they are merged."
    }
    return record(properties, optional=("sidecars_sha256", "sources", "shard", "tars"))


def _settings(kind: str) -> Schema:
    recorded = properties_of(NoiseSettings, _SETTINGS, but=("levels", "copies"))
    recorded["seed"].pop("minimum")
    recorded["mask"] |= {"type": "boolean"}
    encoding = properties_of(Encoding, _SETTINGS)
    common = {
        "kind": {"const": kind, "description": "The command."},
        "stream": of_type(int, "Version of the random stream."),
        "mean": of_type(float, "Mean of the noise, a share of full scale."),
        "with_clean": of_type(bool, "Whether clean files were written beside."),
        "with_std_map": {"const": True, "description": "Set where maps of std were written beside."},
    }
    own: dict[str, Schema] = {}
    if KINDS[kind].own is not None:
        name = _OWN_OF[kind]
        own = {name: _own(KINDS[kind].own, name) | {"description": _OWN[name]}}
    newer = ("range", "mask", "patch", "shared_probability", "with_std_map", "snr_of")
    return record({**common, **recorded, **encoding, **own}, optional=newer)


def _own(settings: Any, name: str) -> Schema:
    left_out = {"latents": ("number", "per_file"), "adversary": ("model",)}.get(name, ())
    return record(properties_of(settings, _OWN_FIELDS, but=left_out))
