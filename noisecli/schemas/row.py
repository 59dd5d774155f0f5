"""A row of the manifest, by kind: the documentation of its keys."""

from typing import get_args

from noisecli.kinds import KINDS
from noisecli.kinds.adversarial import ADVERSARIAL
from noisecli.kinds.arrays import ArraysSettings
from noisecli.kinds.audio import AUDIO
from noisecli.kinds.images import IMAGES
from noisecli.kinds.latents import LATENTS
from noisecli.levels.noises import WORDS
from noisecli.model import Quantity
from noisecli.model.files import BESIDE
from noisecli.schemas.parts import Schema, hex_digits, of_type, or_null, record
from noisecli.words import Warn

_LEVEL = f"^({'|'.join((*get_args(Quantity), *(word for word in WORDS if word != 'linear')))})="
_OPTIONAL = (*(key for keys in BESIDE for key in keys), "mask", "mask_sha256", "patch", "inside_fraction")
_SHAPE = of_type(tuple[int, ...], "Lengths of the axes: of an image height, width and channels; of audio files frames.")

_NAMES: dict[str, Schema] = {
    "file_name": of_type(str, "Path of the output below DST, with slashes."),
    "source": of_type(str | None, "Path of the source below SRC; null of latents. Bytes not UTF-8 are %FF."),
    "clean_file_name": of_type(str, "Path below DST of the clean file beside it; only with --with-clean."),
    "std_map_file_name": of_type(
        str, "Path below DST of the std of the noise on every sample, float32; only with --with-std-map."
    ),
}
_ENDS: dict[str, Schema] = {
    "warnings": {
        "type": "array",
        "items": {"type": "string", "pattern": f"^({'|'.join(get_args(Warn))})(: .+)?$"},
        "description": "A fixed word each, and what it speaks of behind a colon.",
    },
    "settings": hex_digits(16, "Hash of the settings; run.json spells them out under it."),
    "source_bytes": of_type(int | None, "Bytes of the source; null of latents."),
    "source_sha256": or_null(hex_digits(64, "SHA-256 of the source; null of latents.")),
    "clean_bytes": of_type(int, "Bytes of the clean file; only with --with-clean."),
    "clean_sha256": hex_digits(64, "SHA-256 of the clean file; only with --with-clean."),
    "std_map_bytes": of_type(int, "Bytes of the map of std; only with --with-std-map."),
    "std_map_sha256": hex_digits(64, "SHA-256 of the map of std; only with --with-std-map."),
    "bytes": of_type(int, "Bytes of the output."),
    "sha256": hex_digits(64, "SHA-256 of the output."),
}
_STREAM: dict[str, Schema] = {
    "key": hex_digits(32, "Key of the noise stream, 128 bits."),
    "copy": of_type(int, "Number of the copy, from 1 on.", minimum=1),
}
_STD: dict[str, Schema] = {
    "std": of_type(float, "Standard deviation of the noise added, in `unit`.", minimum=0),
    "mean": of_type(float, "Mean of the noise added, in `unit`."),
}
_OWN: dict[str, Schema] = {
    "shot": of_type(float, "Variance of the noise at full scale that grows with the signal, a share of it.", minimum=0),
    "speckle": of_type(float, "Std of the noise as a share of each sample.", minimum=0),
    "linear": of_type(bool, "Whether the noise was added in linear light; std, shot and speckle count in it then."),
    "channel_std_fractions": of_type(tuple[float, ...], "A std for each channel, instead of `std`, of full scale."),
    "photons": of_type(float, "How many photons are expected at full scale; 0 is no noise.", minimum=0),
    "amount": of_type(float, "Share of the samples that become black or white.", minimum=0, maximum=1),
    "slope": of_type(float, "Slope of the noise's spectral density, in dB an octave."),
    "shared_channels": of_type(bool, "Whether all channels got the same noise; only where that was drawn."),
}
"""Keys that rows of one noise have, those of others not."""
_APPLIED = of_type(bool, "Whether noise changed any sample, before encoding.")
_MEASURED: dict[str, Schema] = {
    "clipped_fraction": of_type(float, "Share of samples that the clip changed.", minimum=0, maximum=1),
    "measured_std": of_type(
        float | None, "Standard deviation of noisy less clean, after clip and rounding, before encoding, in `unit`."
    ),
}
_SNR_DB = of_type(float | None, "Signal-to-noise ratio in dB, before encoding; null where it is undefined.")
_OF_ACTIVE: dict[str, Schema] = {
    "snr_of": {"const": "active", "description": "What the ratio asked for is of; only with --snr-of active."},
    "active_snr_db": of_type(float | None, "Signal-to-noise ratio in dB over the parts that are not silence."),
}
_DTYPE = of_type(str, "Type of the samples.")

_PART = {
    "name": of_type(str, "Name in the archive; empty of a .npy."),
    "dtype": of_type(str, "Type of its elements, as the format spells it."),
    "shape": _SHAPE | {"description": "Lengths of its axes."},
    **_STD,
    **_OWN,
    "applied": _APPLIED,
    **_MEASURED,
    "snr_db": _SNR_DB,
    "not_finite": of_type(int, "How many of its samples are NaN or infinite; these stay as they are."),
}
_OF_ARRAYS: dict[str, Schema] = {
    "std_fraction": of_type(
        float | None, "std as a share of each array's own; null where the level is in the data's unit.", minimum=0
    ),
    **_STREAM,
    "applied": _APPLIED,
    "parts": {"type": "array", "items": record(_PART, optional=_OWN), "description": "The arrays chosen to get noise."},
    "parts_unchanged": of_type(int, "How many other arrays were copied as they are."),
}
_OF_LATENTS = {**_STD, **_STREAM, "applied": _APPLIED, "measured_std": _MEASURED["measured_std"]}
_OF_SAMPLES = {
    **_STD,
    **_OWN,
    "std_fraction": of_type(float, "std as a share of full scale.", minimum=0),
    **_STREAM,
    "applied": _APPLIED,
    **_MEASURED,
}
_PSNR_DB = of_type(float | None, "Peak signal-to-noise ratio in dB, before encoding; null where it is undefined.")
_WHERE: dict[str, Schema] = {
    "mask": of_type(str, "With --mask: path of the mask below DIR."),
    "mask_sha256": hex_digits(64, "SHA-256 of the mask's file."),
    "patch": of_type(
        tuple[int, ...] | None,
        "With --patch: column and row where the square begins, its width and height, inside the image as viewers show "
        "it; null where the output gets no noise.",
    ),
    "inside_fraction": of_type(
        float,
        "With --mask or --patch: share of the pixels that get noise. Of them alone is all that is measured: "
        "clipped_fraction, measured_std, psnr_db, snr_db.",
        minimum=0,
        maximum=1,
    ),
}
_STEP: dict[str, Schema] = {
    "member": of_type(str | None, "Of an .npz: the array of samples."),
    "place": of_type(int | None, "Of an image: its slot in the batch whose gradients were computed together."),
    "samples": of_type(int, "How many samples: 1 of an image."),
    "eps": of_type(float, "Size of the gradient step, in `unit`.", minimum=0),
    "eps_fraction": of_type(float, "eps as a share of full scale.", minimum=0),
    "label": of_type(int | None, "Of an image: index of its class."),
    "changed": of_type(
        float, "Share of samples whose answer is another at the end than at first.", minimum=0, maximum=1
    ),
}
for _when, _words in {"before": "at first", "step": "after the step alone", "after": "after step and noise"}.items():
    _STEP |= {
        f"answer_{_when}": of_type(int | None, f"Of an image: the class that the model answers {_words}."),
        f"loss_{_when}": of_type(float | None, f"The model's loss {_words}; of an .npz the mean."),
        f"accuracy_{_when}": of_type(float, f"Share of right answers {_words}.", minimum=0, maximum=1),
    }


def schema_of(kind: str) -> Schema:
    """Return the schema of a kind's rows."""
    about: dict[str, Schema] = {
        "kind": {"const": kind, "description": "The command that made it."},
        "format": of_type(str, "Format of the output."),
    }
    noise: dict[str, Schema] = {
        "noise": of_type(str, "Which noise."),
        "unit": of_type(str, "What std and mean are counted in: 1, or a share of full scale, as 1/255."),
        "level": of_type(str, "The level as it was asked for.", pattern=_LEVEL),
    }
    noise["drawn"] = of_type(
        float | None, "What was drawn from a range, in the level's own unit; null where nothing was."
    )
    samples, measured = _by_kind(kind)
    return record(
        {**_NAMES, **about, **samples, **noise, **measured, **_ENDS}, optional=(*_OPTIONAL, *_OWN, *_OF_ACTIVE)
    )


def _by_kind(kind: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return the keys about an output's samples, and those about their noise."""
    array = {"dtype": _DTYPE, "shape": _SHAPE}
    if KINDS[kind].own is ArraysSettings:
        return {}, _OF_ARRAYS
    if kind == LATENTS.name:
        return {**array, "first": of_type(int, "Number of its first latent.")}, _OF_LATENTS
    if kind == AUDIO.name:
        sound = {
            "sample_rate": of_type(int, "Frames in a second."),
            "duration": of_type(float, "Length in seconds.", minimum=0),
        }
        return {**array, **sound}, {**_OF_SAMPLES, "snr_db": _SNR_DB, **_OF_ACTIVE}
    step = _STEP if kind == ADVERSARIAL.name else {}
    where = _WHERE if kind == IMAGES.name else {}
    return array, {**_OF_SAMPLES, "psnr_db": _PSNR_DB, "snr_db": _SNR_DB, **where, **step}
