"""Whether another machine is fit to work for a run: the same programs there, and the same folders under their names."""

import contextlib
import hashlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata

from noisecli import __version__
from noisecli.storage import escape_name, is_tar_location, is_url, stopping

_LIBRARIES = ("numpy", "opencv-python", "opencv-python-headless", "soundfile", "isal", "h5py", "av", "pillow-heif")
"""What outputs' bytes depend on."""
_SAMPLE_BYTES = 1 << 16


Sample = tuple[str, str, int, str]
"""A folder, the name of a file in it that every machine has to find there, its size, and the digest of its beginning.

No class of ours: machines without noisecli are sent it too.
"""


def versions() -> dict[str, str]:
    """Return what has to be installed in the same version everywhere."""
    found = {"noisecli": __version__, "Python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for library in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[library] = metadata.version(library)
    return found


def samples(folders: Iterable[str]) -> list[Sample]:
    """Return one file of each folder that is a path here."""
    found = []
    for folder in map(_around_tars, filter(None, folders)):
        if not is_url(folder) and (name := _first_file(folder)) is not None:
            found.append(_sample(folder, name))
    return found


@contextlib.contextmanager
def probes(folders: Iterable[tuple[str, str]]) -> Iterator[list[Sample]]:
    """Yield files written into folders for the time being, each with a prefix of the run's temporary files.

    By their names and contents, which are random, another folder of the same name is told apart.
    """
    made = []
    try:
        for location, prefix in folders:
            folder = _around_tars(location)
            if not is_url(folder):
                name = f"{prefix}probe-{secrets.token_hex(6)}"
                with stopping(folder), open(os.path.join(folder, name), "xb") as file:
                    made.append((folder, name))
                    file.write(secrets.token_bytes(16))
        yield [_sample(folder, name) for folder, name in made]
    finally:
        for folder, name in made:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def difference(versions: dict[str, str], folder: str, samples: Iterable[Sample]) -> str | None:
    """Return what is otherwise on this machine than where the arguments come from; None where nothing is.

    Parameters
    ----------
    folder
        What relative paths are relative to.
    """
    own = globals()["versions"]()
    for name, wanted in versions.items():
        if own.get(name) != wanted:
            there = f"has {name} {own[name]}" if name in own else f"has no {name}"
            return f"{there}, and the run {wanted}: install the same version on all machines"
    for where, name, *content in samples:
        try:
            is_same = _sample(os.path.join(folder, where), name)[2:] == tuple(content)
        except OSError:
            is_same = False
        if not is_same:
            named = escape_name(where)
            return f"does not see the folder {named}: name folders that all machines share, or use --engine local"
    return None


def _around_tars(location: str) -> str:
    """Return the folder that tars lie in; another location is one itself."""
    return os.path.dirname(location) or "." if is_tar_location(location) else location


def _first_file(folder: str) -> str | None:
    """Return the name of some file below a folder, which may be very large."""
    below = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file() and not entry.name.startswith("."):
                return entry.name
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.name)
    for own in sorted(below):
        if (name := _first_file(os.path.join(folder, own))) is not None:
            return os.path.join(own, name)
    return None


def _sample(folder: str, name: str) -> Sample:
    with open(os.path.join(folder, name), "rb") as file:
        content = file.read(_SAMPLE_BYTES)
        return folder, name, os.fstat(file.fileno()).st_size, hashlib.sha256(content).hexdigest()
