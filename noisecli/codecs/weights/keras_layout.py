"""Where the parameters are in Keras' HDF5 files, and that none of them are in other files."""

from collections.abc import Iterator

import h5py

from noisecli.codecs.limits import MOST_PARTS
from noisecli.errors import FileFailed, shown

_STATE = ("optimizer", "metrics", "seed_generator")
_STATE_ENDINGS = ("_optimizer", "_tracker", "_seed_generator")
_DEEPEST = 256
_MOST_OBJECTS = 4 * MOST_PARTS
"""Keras puts two or three groups around every variable."""


def walk(root: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield every dataset once, in the order of the file's groups.

    Raises FileFailed for links and data that point elsewhere, and for more groups than a file of weights has.
    """
    seen: set[int] = set()
    paths = [""]
    while paths:
        path = paths.pop()
        group = root[path] if path else root
        below = []
        for raw in group.id:
            full = f"{path}{raw.decode('utf-8', 'surrogateescape')}"
            _refuse_links(full, group, raw)
            # its header is enough: opening each takes three times as long
            found = h5py.h5o.get_info(group.id, raw)
            # a second name of the same object is not a second object
            if found.addr in seen:
                continue
            seen.add(found.addr)
            if found.type == h5py.h5o.TYPE_GROUP:
                below.append(f"{full}/")
            elif found.type == h5py.h5o.TYPE_DATASET:
                dataset = group[raw]
                _refuse_elsewhere(full, dataset)
                yield full, dataset
        _refuse_too_many(len(seen), path)
        paths.extend(reversed(below))


def _refuse_too_many(objects: int, path: str) -> None:
    if objects > _MOST_OBJECTS or path.count("/") > _DEEPEST:
        message = f"holds more than {_MOST_OBJECTS:,} groups and datasets, or groups {_DEEPEST} deep; split it"
        raise FileFailed("too-large", message)


def is_parameter(name: str, legacy: str | None) -> bool:
    """Whether a dataset is a layer's own, and not the optimizer's, a metric's or a random generator's.

    Keras 3 keeps variables in groups named vars (layers/dense/vars/0), its older files under the layers' names.
    """
    if legacy is not None:
        return name.startswith(legacy)
    *folders, parent, _ = ("", *name.split("/"))
    return parent == "vars" and not any(folder in _STATE or folder.endswith(_STATE_ENDINGS) for folder in folders)


def legacy_folder(root: h5py.File) -> str | None:
    """Return the folder of parameters in Keras' older files; None in today's."""
    if "layer_names" in root.attrs:
        return ""
    if not isinstance(root.get("model_weights", getlink=True), h5py.HardLink):
        return None
    weights = root["model_weights"]
    return "model_weights/" if isinstance(weights, h5py.Group) and "layer_names" in weights.attrs else None


def _refuse_links(full: str, group: h5py.Group, raw: bytes) -> None:
    """Keras itself follows no links either."""
    name = shown(full)
    if raw in (b"", b".") or b"/" in raw:
        raise FileFailed("corrupt", f"has an empty or impossible name, {name!r}; save it again")
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise FileFailed("corrupt", f"has a tensor name that is not UTF-8, {name!r}; save it again") from None
    if group.id.links.get_info(raw).type == h5py.h5l.TYPE_HARD:
        return
    link = group.get(raw, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        words = f"is a link into another file, {shown(link.filename)}; copy it into one file"
        raise FileFailed("unsafe", f"{name} {words}")
    if isinstance(link, h5py.SoftLink):
        raise FileFailed("unsafe", f"{name} is a symbolic link to {shown(link.path)}; copy what it points to")


def _refuse_elsewhere(name: str, dataset: h5py.Dataset) -> None:
    if dataset.is_virtual or dataset.external:
        raise FileFailed("unsafe", f"{shown(name)} has its values in another file; copy them into one file")
