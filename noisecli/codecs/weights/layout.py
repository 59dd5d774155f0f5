"""Where the parameters are in Keras' HDF5 files, and that nothing of them lies in other files."""

from __future__ import annotations

from typing import NamedTuple

import h5py

from noisecli.errors import FileFailed, FileSkipped

_STATE = ("optimizer", "metrics", "seed_generator")
_STATE_ENDINGS = ("_optimizer", "_tracker", "_seed_generator")


class Found(NamedTuple):
    """All datasets of a file by name; `legacy` is the folder of parameters in Keras' older files, None in today's."""

    named: list[tuple[str, h5py.Dataset]]
    legacy: str | None


def find_datasets(root: h5py.File) -> Found:
    """List every dataset once, in the order of the file's groups.

    Raises FileFailed for links and data that lead elsewhere, FileSkipped for what Keras did not write.
    """
    named: list[tuple[str, h5py.Dataset]] = []
    seen: set[int] = set()
    groups: list[tuple[str, h5py.Group]] = [("", root)]
    while groups:
        path, group = groups.pop()
        below = []
        for name in group:
            full = f"{path}{name}"
            _refuse_strange(full, group.get(name, getlink=True))
            found = group[name]
            # a second name of the same thing is no second thing
            if (place := h5py.h5o.get_info(found.id).addr) in seen:
                continue
            seen.add(place)
            if isinstance(found, h5py.Group):
                below.append((f"{full}/", found))
            elif isinstance(found, h5py.Dataset):
                _refuse_elsewhere(full, found)
                named.append((full, found))
        groups.extend(reversed(below))
    legacy = _legacy_folder(root)
    if legacy is None and not any(is_parameter(name, None) for name, _ in named):
        raise FileSkipped("unsupported-format", "is an HDF5 file without the weights of a Keras model; left alone")
    return Found(named, legacy)


def is_parameter(name: str, legacy: str | None) -> bool:
    """Whether a dataset is a layer's own, and not the optimizer's, a metric's or a random generator's.

    Keras 3 keeps variables in groups named vars (layers/dense/vars/0), its older files under the layers' names.
    """
    if legacy is not None:
        return name.startswith(legacy)
    *folders, parent, _ = ("", *name.split("/"))
    return parent == "vars" and not any(folder in _STATE or folder.endswith(_STATE_ENDINGS) for folder in folders)


def _legacy_folder(root: h5py.File) -> str | None:
    if "layer_names" in root.attrs:
        return ""
    weights = root.get("model_weights")
    return "model_weights/" if isinstance(weights, h5py.Group) and "layer_names" in weights.attrs else None


def _refuse_strange(name: str, link: object) -> None:
    """Keras itself follows no links either."""
    if isinstance(link, h5py.ExternalLink):
        raise FileFailed("unsafe", f"{name} is a link into another file, {link.filename}; copy it into one file")
    if isinstance(link, h5py.SoftLink):
        raise FileFailed("unsafe", f"{name} is a symbolic link to {link.path}; copy what it points to")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise FileFailed("corrupt", f"has a tensor name that is no UTF-8: {name!a}; save it anew") from None


def _refuse_elsewhere(name: str, dataset: h5py.Dataset) -> None:
    if dataset.is_virtual or dataset.external:
        raise FileFailed("unsafe", f"{name} has its values in another file; copy them into one file")
