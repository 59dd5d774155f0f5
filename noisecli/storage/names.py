"""Relative names: how a manifest spells them, and whether they stay below their folder."""

import os


def escape_name(path: str) -> str:
    """Return a path as UTF-8 can hold it: bytes of the file system that are not UTF-8 become %FF."""
    if path.isascii():
        return path
    raw = os.fsencode(path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
        return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in text)


def is_text(words: str) -> bool:
    """Whether UTF-8 can hold it: JSON may spell half of a character."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_inside(name: object) -> bool:
    """Whether something is a relative path that stays below its folder, and that UTF-8 can hold."""
    if not isinstance(name, str) or "\0" in name or not is_text(name):
        return False
    return not {"", ".", ".."} & set(name.split("/"))


def lies_in(path: str, folder: str) -> bool:
    """Whether a path is that of a folder or of something below it; both have no links and no dots left."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def find_escaped(root: str, name: str, *, strict: bool = False) -> str | None:
    """Return the relative path below `root` that escape_name() spells as `name`; None when there is none.

    A literal %FF and a byte 0xff look the same in a manifest, so names are compared, never spelled back. With `strict`,
    OSError is raised where a folder on the way cannot be listed.
    """
    if os.path.lexists(os.path.join(root, name)):
        return name
    found = [""]
    for part in name.split("/"):
        listed = ((below, _escaped_as(os.path.join(root, below), part, strict)) for below in found)
        found = [os.path.join(below, entry) for below, entries in listed for entry in entries]
    return found[0] if found else None


def _escaped_as(folder: str, escaped: str, strict: bool) -> list[str]:
    try:
        return [entry for entry in os.listdir(folder) if escape_name(entry) == escaped]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        if strict:
            raise
        return []


def escapes_by_symlink(root: str, name: str) -> bool:
    """Whether the folder of a relative path is, by a symbolic link on the way, not below the root any more.

    The answer may be old by the time it is used: what writes or removes goes through noisecli.storage.below.
    """
    return not lies_in(os.path.realpath(os.path.join(root, os.path.dirname(name))), os.path.realpath(root))
