"""The .keras format: a zip of JSON files and model.weights.h5. Everything but the weights stays as it was.

Keras stores the weights uncompressed, and noise changes no size: so the output is a copy of the archive in which they
are overwritten in place. Other archives are packed anew, member by member.
"""

from __future__ import annotations

import contextlib
import copy as records
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from noisecli.codecs import InputFile, OutputFile, StoredArray
from noisecli.codecs.region import Region, Scratch, copy, open_scratch, read_at, stretches, write_at
from noisecli.codecs.weights.hdf5 import HDF5Sink, HDF5Source
from noisecli.codecs.zip_output import create_archive
from noisecli.codecs.zips import (
    ENCRYPTED,
    PLAIN,
    SIZES_BEHIND,
    check_members,
    close_archive,
    data_start,
    open_archive,
    read_member,
    zip_damage_as_problems,
)
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits, SampleSpec, Warn

WEIGHTS = "model.weights.h5"

_CENTRAL_BYTES = 46
_CENTRAL_MAGIC = b"PK\x01\x02"
_COPY_BYTES = 1 << 20


class KerasSource:
    """One opened archive; see noisecli.codecs.ArraysSource.

    Attributes
    ----------
    in_place
        Whether the weights can be overwritten where they stand.
    """

    format = "keras"

    def __init__(self, file: InputFile, limits: Limits) -> None:
        self.warnings: Sequence[Warn] = []
        self.descriptor, self.size = file.fileno(), file.size
        with contextlib.ExitStack() as held:
            self.archive = open_archive(self.descriptor)
            held.callback(close_archive, self.archive)
            with zip_damage_as_problems():
                self.weights = _check_members(self.archive, file.size, limits)
                self.start = data_start(self.descriptor, self.weights)
            self._inner = HDF5Source(self._open_weights(held), self.weights.file_size, limits)
            held.callback(self._inner.close)
            self.most_written = self._inner.most_written
            self.parts: Sequence[StoredArray] = self._inner.parts
            self.in_place = self._is_plain() and self._inner.keeps_size
            self._held = held.pop_all()

    def _open_weights(self, held: contextlib.ExitStack) -> Region:
        if self.weights.compress_type == zipfile.ZIP_STORED:
            return Region(self.descriptor, self.start, self.weights.file_size)
        return _inflated(self.archive, self.weights, held)

    def _is_plain(self) -> bool:
        """Whether the weights are stored as they are, with their sizes in front, apart from every other member."""
        weights, end = self.weights, self.start + self.weights.file_size
        others = (info for info in self.archive.infolist() if info is not weights)
        return (
            weights.compress_type == zipfile.ZIP_STORED
            and not weights.flag_bits & SIZES_BEHIND
            and end <= self.archive.start_dir
            and all(
                info.header_offset >= end
                or data_start(self.descriptor, info) + info.compress_size <= weights.header_offset
                for info in others
            )
        )

    def close(self) -> None:
        """Let go of both libraries' sides."""
        self._held.close()


class KerasSink:
    """One output; see noisecli.codecs.ArraysSink."""

    format = "keras"
    lossy = False

    def __init__(self, file: OutputFile, source: KerasSource) -> None:
        self.warnings: Sequence[Warn] = []
        self._descriptor, self._source = file.fileno(), source
        self._held = contextlib.ExitStack()
        try:
            self._inner = HDF5Sink(self._begin_weights(), source.most_written)
        except BaseException:
            self._held.close()
            raise

    def _begin_weights(self) -> Region:
        source = self._source
        if source.in_place:
            copy(source.descriptor, self._descriptor, 0, source.size)
            return Region(self._descriptor, source.start, source.weights.file_size)
        self._scratch = _inflated(source.archive, source.weights, self._held)
        return self._scratch

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        """Begin a tensor, or leave it as it is."""
        self._inner.begin(part, spec)

    def write(self, block: NDArray[Any]) -> None:
        """Take the tensor's next values."""
        self._inner.write(block)

    def finish(self) -> None:
        """Make the archive whole around its new weights."""
        self._inner.finish()
        if self._source.in_place:
            _mend_checksums(self._descriptor, self._source)
        else:
            _pack_anew(self._descriptor, self._source.archive, self._source.weights, self._scratch)
        self._held.close()

    def abort(self) -> None:
        """Let go after an error."""
        self._inner.abort()
        self._held.close()


def _check_members(archive: zipfile.ZipFile, size: int, limits: Limits) -> zipfile.ZipInfo:
    """Return the weights' entry, when every member is whole and none is there twice."""
    members = archive.infolist()
    check_members(members, [info.filename for info in members], size, limits)
    for info in members:
        name = shown(info.filename)
        if info.flag_bits & ENCRYPTED:
            raise FileSkipped("unsupported-format", f"has a member under a password, {name}; left alone")
        if info.compress_type not in (*PLAIN, zipfile.ZIP_BZIP2):
            raise FileSkipped("unsupported-format", f"has {name} packed in a way that is not read; pack it anew")
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise FileFailed("corrupt", f"its member {name} has two sizes; save it again")
    if WEIGHTS not in archive.namelist():
        if any(info.filename.startswith("model.weights.") for info in members):
            raise FileSkipped("unsupported-format", f"holds its weights in another form than {WEIGHTS}; left alone")
        raise FileFailed("wrong-content", f"holds no {WEIGHTS}; save the model again with Keras 3")
    damaged = archive.testzip()
    if damaged is not None:
        raise FileFailed("corrupt", f"its member {shown(damaged)} does not match its checksum; copy it again")
    return archive.getinfo(WEIGHTS)


def _mend_checksums(descriptor: int, source: KerasSource) -> None:
    """Write the new CRC-32 of the weights in front of them and in the directory."""
    crc, end = 0, source.start + source.weights.file_size
    for at, length in stretches(source.start, end, _COPY_BYTES):
        crc = zlib.crc32(read_at(descriptor, at, length), crc)
    packed = struct.pack("<I", crc)
    write_at(descriptor, packed, source.weights.header_offset + 14)
    write_at(descriptor, packed, _directory_entry(source) + 16)


def _directory_entry(source: KerasSource) -> int:
    """Return where the directory speaks of the weights."""
    place = source.archive.start_dir
    for info in source.archive.infolist():
        fixed = read_at(source.descriptor, place, _CENTRAL_BYTES)
        if not fixed.startswith(_CENTRAL_MAGIC):
            break
        if info is source.weights:
            return place
        place += _CENTRAL_BYTES + sum(struct.unpack_from("<HHH", fixed, 28))
    raise FileFailed("corrupt", "is no sound zip archive (its directory); save it again")


def _inflated(archive: zipfile.ZipFile, weights: zipfile.ZipInfo, held: contextlib.ExitStack) -> Scratch:
    """Return the weights as a file of their own, which `held` closes: HDF5 jumps about, inflating does not."""
    scratch = held.enter_context(open_scratch())
    for piece in read_member(archive, weights):
        scratch.write(piece)
        scratch.check()
    return scratch


def _pack_anew(descriptor: int, archive: zipfile.ZipFile, weights: zipfile.ZipInfo, content: Scratch) -> None:
    """Write every member again, in order, as compressed and as dated as it was."""
    with os.fdopen(os.dup(descriptor), "w+b") as output, create_archive(output) as packed:
        packed.comment = archive.comment
        for info in archive.infolist():
            entry = records.copy(info)
            content.seek(0)
            pieces = iter(lambda: content.read(_COPY_BYTES), b"") if info is weights else read_member(archive, info)
            with packed.open(entry, "w", force_zip64=info.file_size > 1 << 31) as target:
                for piece in pieces:
                    target.write(piece)
    content.check()
