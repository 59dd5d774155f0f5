"""What a tar holds, by its headers alone: names, and where their bytes lie. What is odd is refused by name."""

import errno
import os
import tarfile
from typing import NamedTuple, Self

from noisecli.errors import FailedReason, FileFailed, shown
from noisecli.storage.names import escape_name, is_inside
from noisecli.storage.source import SourceFile
from noisecli.storage.tar.names import split_key

_PACKINGS = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
_PIECE = 1 << 20
_LONGEST = 1 << 24
"""Bytes of a header's extension, such as a long name: tarfile takes all of it into memory."""
_EXTENSIONS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME}
_EXTENSIONS |= {tarfile.GNUTYPE_LONGLINK}
_BUFFER = 1 << 13
_ZEROS = bytes(tarfile.BLOCKSIZE)
_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)
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
    collected = _Places()
    end = _read_plainly(file.fileno(), collected)
    if end is None:
        collected = _Places()
        end = _read_any(file.fileno(), collected)
    _check_end(file, end)
    if not collected.places:
        raise FileFailed("empty", "is a tar without members")
    return collected.places


class _Places:
    """The members of a tar as they are read. Raises FileFailed for a name that no sample can have."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self._taken: set[tuple[str, str]] = set()
        self._ended: set[str] = set()
        self._last = ""

    def take(self, name: str, offset: int, size: int) -> None:
        """Take the next member."""
        if size < 0:
            raise _broken(False, "a size below zero")
        name = name.removeprefix("./")
        if name.startswith("/") or not is_inside(name if name.isascii() else escape_name(name)):
            raise _bad("unsafe", name, "a name that leads out of its folder")
        key, rest = split_key(name)
        suffix = (key, rest.lower())
        if name in self.places or (key and suffix in self._taken):
            raise _bad("ambiguous", name, "twice")
        if key and key != self._last:
            if key in self._ended:
                words = f"whose key {shown(key)} came before, with others in between: two samples of one"
                raise _bad("ambiguous", name, words)
            self._ended.add(self._last)
            self._last = key
        self._taken.add(suffix)
        self.places[name] = Place(offset, size)


def _read_plainly(fd: int, into: _Places) -> int | None:
    """Read headers as most tars have them, many times as fast as tarfile; return where they end.

    None is returned at the first that is of another sort, or not sound: tarfile knows what to say of it.
    """
    offset = 0
    while True:
        block = os.pread(fd, tarfile.BLOCKSIZE, offset)
        if block == _ZEROS:
            return offset
        number, size = block[_CHECKSUM].strip(b" \0"), block[_SIZE].strip(b" \0")
        if block[156:157] != tarfile.REGTYPE or not (number + size).isdigit():
            return None
        try:
            if int(number, 8) != sum(block) - sum(block[_CHECKSUM]) + 256:
                return None
            length = int(size, 8)
            prefix, name = block[345:500].split(b"\0", 1)[0], block[:100].split(b"\0", 1)[0]
        except ValueError:
            return None
        whole = prefix + b"/" + name if prefix else name
        if whole.endswith(b"/"):
            return None
        offset += tarfile.BLOCKSIZE
        into.take(whole.decode("utf-8", "surrogateescape"), offset, length)
        offset += length + -length % tarfile.BLOCKSIZE


class _Header(tarfile.TarInfo):
    """A header, whose lies about sizes tarfile would believe."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return what a block says. Raises tarfile.TarError."""
        made = super().frombuf(buf, encoding, errors)
        if made.size < 0 or (made.type in _EXTENSIONS and made.size > _LONGEST):
            raise tarfile.ReadError(f"a header of {made.size:,} bytes" if made.size > 0 else "a size below zero")
        return made


def _read_any(fd: int, into: _Places) -> int:
    """Read the headers of any tar; return where they end."""
    try:
        with os.fdopen(os.dup(fd), "rb", buffering=_BUFFER) as opened:
            opened.seek(0)
            with tarfile.open(
                fileobj=opened, mode="r:", tarinfo=_Header, encoding="utf-8", errors="surrogateescape"
            ) as tar:
                while (member := tar.next()) is not None:
                    # tarfile keeps every header it has read
                    tar.members.clear()  # type: ignore[attr-defined]
                    if not member.isdir():
                        _refuse_odd(member)
                        into.take(member.name, member.offset_data, member.size)
                return tar.offset
    except tarfile.ReadError as error:
        is_cut = "unexpected end" in str(error) or "truncated" in str(error)
        raise _broken(is_cut, str(error)) from error
    except (OverflowError, RecursionError) as error:
        raise _broken(False, "a size no file has, or headers without end") from error
    except OSError as error:
        # where tarfile looks for what lies behind a size that no file has
        if error.errno == errno.EINVAL:
            raise _broken(False, "a size no file has") from error
        raise _unreadable(error) from error
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise _broken(False, str(error)) from error


def _refuse_odd(member: tarfile.TarInfo) -> None:
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
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> FileFailed:
    return FileFailed("unreadable", f"cannot be read: {error.strerror or error}; check the disk")
