"""Which names say that an array holds labels, word by word: y_train, labelIds, speaker_ids. Light."""

import os
import re
from collections.abc import Callable

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LETTERS = re.compile(r"[a-z]+")
_ENTITIES = {"class", "classes", "id", "ids", "idx", "index", "indices"}
_LABELS = {
    *_ENTITIES,
    *("categories", "category", "groundtruth", "gt", "label", "labels", "lbl", "lbls", "target", "targets", "truth"),
    *("y", "ytest", "ytrain", "ytrue", "yval"),
}
_FOLDERS = _LABELS - _ENTITIES - {"target"}
"""Folders of one class, one person or one domain are called class_3, id10270 and target."""
_DATA = {
    *("audio", "ecg", "eeg", "embedding", "embeddings", "feature", "features", "image", "images", "input", "inputs"),
    *("observation", "observations", "pcm", "signal", "signals", "speech", "vector", "vectors", "wav", "waveform"),
    *("waveforms", "wavs", "x", "xtest", "xtrain", "xval"),
}
_NUMBERED = re.compile(rf"(?i)(?<![a-z])(?:{'|'.join(_ENTITIES)})[^a-z0-9]*\d+$")
"""class_3 and id0012 are one class, one person: the data of it, unless they are integers in one row."""
_SET = re.compile(r"(?i)(?:train|test|val|valid|validation|dev)(?:ing)?[^a-z]*")
_Y = re.compile(r"(?<![A-Z])Y(?![a-z])|(?<![A-Za-z])y(?![a-z])")


def says_labels(name: str, words: set[str] = _LABELS) -> bool | None:
    """Whether a name calls an array labels, or data; None where it says neither. Its last word of either sort decides.

    "class_features" is data, "image_ids" are labels.
    """
    for found in (_WORD.findall(name), _LETTERS.findall(name.lower())):
        said = [word in words for word in map(str.lower, found) if word in words or word in _DATA]
        if said:
            return said[-1]
    return None


def path_says_labels(path: str) -> tuple[bool | None, str | None]:
    """Return what a file's name says, else the name of a folder above it, the nearest first; and that folder's path."""
    folder, stem = os.path.split(os.path.splitext(path)[0])
    if (said := says_labels(stem)) is not None:
        return said, None
    while folder:
        above, own = os.path.split(folder)
        if (said := says_labels(own, _FOLDERS)) is not None:
            return said, folder
        folder = above
    return None, None


def is_other_than_labels(name: str, shape: object, shape_of: Callable[[str], object]) -> bool:
    """Whether an array that is called like labels is one of several alike: acc_y beside acc_x, or class_3.

    Parameters
    ----------
    name
        Without a suffix.
    shape_of
        Returns the shape of the array of another name, None where there is none.
    """
    if _NUMBERED.search(name):
        return True
    found = list(_Y.finditer(name))
    if not found:
        return False
    start, end = found[-1].span()
    x, z = (name[:start] + (letter.upper() if name[start] == "Y" else letter) + name[end:] for letter in "xz")
    # beside x alone, y is what a model learns from it; as train_y too
    is_first = not _SET.sub("", os.path.basename(name[:start]))
    return shape_of(z) is not None or (not is_first and shape_of(x) == shape)
