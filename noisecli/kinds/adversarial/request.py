"""From the words of a request to the settings of its gradient step; a model is looked at, and not loaded yet."""

import json
import os
import zipfile
from collections.abc import Collection, Mapping
from typing import Any

from noisecli.codecs.limits import MOST_JSON_BYTES
from noisecli.codecs.zips import PLAIN, close_archive, open_archive, zip_damage_as_problems
from noisecli.errors import FileProblem, Refused, shown
from noisecli.gradient import model_config
from noisecli.gradient.backend import choose_backend, require_backend
from noisecli.gradient.input_range import read_input_range
from noisecli.kinds.adversarial import AdversarySettings
from noisecli.storage import escape_name, file_sha256, folder_at

_SAVE = "load it where it was made and save it again: model.save('m.keras')"
_DIGITS = 12
"""Of a digest, what is shown."""
_WAYS_OUT = {
    ".weights.h5": "holds weights without their model; load them into it and save that: model.save('m.keras')",
    ".h5": f"is Keras's old format, which loads whatever code it names; {_SAVE}",
    ".hdf5": f"is Keras's old format, which loads whatever code it names; {_SAVE}",
    ".pt": "is PyTorch's pickle, which is code; build the network in Keras, give it the weights and save a .keras",
    ".pth": "is PyTorch's pickle, which is code; build the network in Keras, give it the weights and save a .keras",
    ".pkl": f"is a pickle, which is code; {_SAVE}",
    ".onnx": "is not a model that Keras trains; build the network in Keras, give it the weights and save a .keras",
    ".tflite": f"is not a model that has gradients; {_SAVE}",
}


def adversary_settings(
    model: str,
    source: str,
    *,
    eps: float,
    classes: str | None,
    input_range: tuple[float, float] | None,
    answers: model_config.Answers | None,
    members: Mapping[str, str],
    batch_size: int,
) -> AdversarySettings:
    """Return the settings of the step.

    Parameters
    ----------
    model
        Path of a .keras file.
    source
        The folder whose folders are the classes, unless `classes` names them.
    classes
        Names, comma-separated, or a file with a name on each line, in the order of the model's answers.
    input_range, answers
        None: as the model's own description says.

    Raises
    ------
    Refused
        For what is not a .keras file, contains code, or does not say what is needed; where no backend is installed.
    """
    _refuse_other_formats(model)
    try:
        config = _read_config(model)
        model_config.refuse_code(config)
        taken = read_input_range(config) if input_range is None else input_range
        given = model_config.answers(config) if answers is None else answers
    except Refused as error:
        # one line, whatever the file holds
        raise Refused(f"{escape_name(model)}: {' '.join(str(error).split())}") from error
    return AdversarySettings(
        model=model,
        model_sha256=file_sha256(model),
        backend=choose_backend(),
        eps=eps,
        classes=_folders(source) if classes is None else _listed(classes),
        input_range=taken,
        answers=given,
        batch_size=batch_size,
        samples_key=members["samples"],
        labels_key=members["labels"],
    )


def digest_of_recorded(model: str, digests: Collection[str], backends: Collection[str]) -> str:
    """Return the digest of the model that a finished run is recomputed with.

    Parameters
    ----------
    digests, backends
        Of the models that run.json records, and what computed their gradients.

    Raises
    ------
    Refused
        For any other model, and what else adversary_settings() refuses; where a backend is not installed.
    """
    _refuse_other_formats(model)
    name = escape_name(model)
    try:
        config = _read_config(model)
        digest = file_sha256(model)
        if digest not in digests:
            made_with = " and ".join(sorted(recorded[:_DIGITS] for recorded in digests))
            words = f"is another model (sha256 {digest[:_DIGITS]}...) than the run was made with ({made_with}...)"
            raise Refused(f"{words}; name that one")
        model_config.refuse_code(config)
    except Refused as error:
        raise Refused(f"--model {name}: {' '.join(str(error).split())}") from error
    for backend in backends:
        require_backend(backend)
    return digest


def describe_model(adversary: AdversarySettings) -> str:
    """Return what is said once of the model before it is loaded."""
    low, high = adversary.input_range
    return (
        f"{escape_name(adversary.model)}: takes {low:g}..{high:g}, answers with {adversary.answers}, gradient on "
        f"{adversary.backend}; a model file is code: load only what you would run"
    )


def _refuse_other_formats(model: str) -> None:
    name = escape_name(model)
    for suffix, way_out in _WAYS_OUT.items():
        if model.lower().endswith(suffix):
            raise Refused(f"{name}: {way_out}")
    if os.path.isdir(model):
        raise Refused(f"{name}: is a folder, such as a SavedModel; {_SAVE}")
    if not model.lower().endswith(".keras") or (os.path.exists(model) and not os.path.isfile(model)):
        raise Refused(f"{name}: is not a .keras file; {_SAVE}")


def _read_config(model: str) -> model_config.Config:
    """Read the description inside of the archive. Raises Refused, without the file's name."""
    try:
        with open(model, "rb") as file:
            archive = open_archive(file.fileno())
            try:
                config = json.loads(_description(archive))
            finally:
                close_archive(archive)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror or error}; name the model's file") from error
    except FileProblem as error:
        raise Refused(f"is not a .keras file that Keras 3 saved: {error.message}") from error
    except (KeyError, ValueError, RecursionError) as error:
        raise Refused(f"is not a .keras file that Keras 3 saved ({shown(error)}); {_SAVE}") from error
    if not isinstance(config, dict):
        raise Refused(f"has no model in it; {_SAVE}")
    return config


def _description(archive: zipfile.ZipFile) -> bytes:
    info = archive.getinfo("config.json")
    if info.file_size > MOST_JSON_BYTES:
        raise Refused(f"describes itself at more length than any model needs: {info.file_size:,} bytes; {_SAVE}")
    if info.compress_type not in PLAIN:
        raise Refused(f"has its config.json packed in a way that is not read; {_SAVE}")
    with zip_damage_as_problems():
        return archive.read(info)


def _folders(source: str) -> tuple[str, ...]:
    """Return the class folders in sorted order, as Keras and torchvision number them."""
    try:
        return tuple(sorted(name for name in folder_at(source).folders() if not name.startswith(".")))
    except OSError:
        return ()


def _lines_of(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_JSON_BYTES + 1)
        if len(data) > MOST_JSON_BYTES:
            raise Refused(f"--classes {path}: is longer than any list of classes")
        names = data.decode().split("\n")
    except UnicodeDecodeError as error:
        raise Refused(f"--classes {path}: is not text in UTF-8; write a name on each line") from error
    except OSError as error:
        raise Refused(f"--classes {path}: cannot be read: {error.strerror}") from error
    names = [name.rstrip("\r") for name in names]
    while names and not names[-1]:
        names.pop()
    return names


def _listed(classes: str) -> tuple[str, ...]:
    names: list[Any] = classes.split(",")
    if os.path.isfile(classes):
        names = _lines_of(classes)
    stripped = tuple(name.strip() for name in names)
    if len(stripped) < 2 or not all(stripped):
        raise Refused(f"--classes {classes}: two names or more, a,b,c or a file with one on each line")
    if len(set(stripped)) < len(stripped):
        twice = next(name for name in stripped if stripped.count(name) > 1)
        raise Refused(f"--classes {classes}: names {twice} twice")
    return stripped
