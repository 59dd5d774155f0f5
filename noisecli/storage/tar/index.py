"""What a tar holds, by its headers alone: names, and where their bytes lie. What is odd is refused by name."""

import os
import tarfile
from typing import NamedTuple

from noisecli.errors import FailedReason, FileFailed, shown
from noisecli.storage.names import is_inside
from noisecli.storage.source import SourceFile
from noisecli.storage.tar.names import split_key

_PACKINGS = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
_PIECE = 1 << 20
_BUFFER = 1 << 13
_AGAIN = "copy or download it again"
_MAKE = "make the tar again from its files"


class Place(NamedTuple):
    """Where a member's bytes lie."""

    offset: int
    size: int


def read_index(file: SourceFile) -> dict[str, Place]:
    """Return the members of a tar in its order, folders left out. Raises FileFailed."""
    if not file.size:
        raise FileFailed("empty", "has no bytes")
    start = os.pread(file.fileno(), 8, 0)
    for magic, command in _PACKINGS.items():
        if start.startswith(magic):
            raise FileFailed("wrong-content", f"is compressed, and no tar as it stands; unpack it first: {command}")
    try:
        with os.fdopen(os.dup(file.fileno()), "rb", buffering=_BUFFER) as opened:
            opened.seek(0)
            with tarfile.open(
                fileobj=opened, mode="r:", encoding="utf-8", errors="surrogateescape", ignore_zeros=False
            ) as tar:
                places = _places_of(tar)
                end = tar.offset
    except tarfile.ReadError as error:
        is_cut = "unexpected end" in str(error) or "truncated" in str(error)
        raise _broken(is_cut, str(error)) from error
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise _broken(False, str(error)) from error
    _check_end(file, end)
    if not places:
        raise FileFailed("empty", "is a tar without members")
    return places


def _places_of(tar: tarfile.TarFile) -> dict[str, Place]:
    places: dict[str, Place] = {}
    taken: set[tuple[str, str]] = set()
    last, ended = "", set[str]()
    while (member := tar.next()) is not None:
        # tarfile keeps every header it has read
        tar.members.clear()  # type: ignore[attr-defined]
        if member.isdir():
            continue
        name = member.name.removeprefix("./")
        _refuse_odd(member, name)
        key, rest = split_key(name)
        if name in places or (key and (key, rest.lower()) in taken):
            raise _bad("ambiguous", name, "twice")
        if key != last:
            if key in ended:
                raise _bad(
                    "ambiguous", name, f"whose key {shown(key)} came before, with others in between: two samples of one"
                )
            ended.add(last)
            last = key
        taken.add((key, rest.lower()))
        places[name] = Place(member.offset_data, member.size)
    return places


def _refuse_odd(member: tarfile.TarInfo, name: str) -> None:
    if name.startswith("/") or not is_inside(name.encode(errors="surrogateescape").decode(errors="replace")):
        raise _bad("unsafe", member.name, "a name that leads out of its folder")
    if member.issym() or member.islnk():
        raise _bad("unsafe", member.name, "a link; tar --dereference --hard-dereference stores what links lead to")
    if not member.isreg() or member.issparse():
        raise _bad("unsafe", member.name, "which is no ordinary file")


def _bad(reason: FailedReason, name: str, what: str) -> FileFailed:
    return FileFailed(reason, f"holds {shown(name)}, {what}; {_MAKE}")


def _broken(is_cut: bool, words: str) -> FileFailed:
    if is_cut:
        return FileFailed("truncated", f"is cut short, in the middle of a member; {_AGAIN}")
    return FileFailed("corrupt", f"is no sound tar ({words}); {_AGAIN}")


def _check_end(file: SourceFile, end: int) -> None:
    """Refuse a tar without the zeros at its end, and one that has more behind them: nobody would read that."""
    try:
        piece = os.pread(file.fileno(), _PIECE, end)
        if len(piece) < tarfile.BLOCKSIZE:
            raise FileFailed("truncated", f"is cut short: the blocks of zeros at its end are missing; {_AGAIN}")
        if any(piece[: tarfile.BLOCKSIZE]):
            raise FileFailed("corrupt", f"has something at byte {end:,} that is no member; {_AGAIN}")
        while piece:
            if piece.count(0) != len(piece):
                raise FileFailed("corrupt", f"has more after its end, as tars joined by cat have; {_MAKE}")
            end += len(piece)
            piece = os.pread(file.fileno(), _PIECE, end)
    except OSError as error:
        raise FileFailed("unreadable", f"cannot be read: {error.strerror or error}; check the disk") from error
