"""The .keras format: a zip of JSON files and model.weights.h5. Everything but the weights stays as it was.

Keras stores the weights uncompressed, and noise changes no size: so the output is a copy of the archive in which they
are overwritten in place. Other archives are repacked, member by member.
"""

import contextlib
import copy as records
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence

from noisecli.codecs import InputFile, OutputFile, StoredArray, zips
from noisecli.codecs.region import Region, Scratch, copy, open_scratch, read_at, stretches, write_at
from noisecli.codecs.weights.hdf5 import HDF5Sink, HDF5Source
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits

WEIGHTS = "model.weights.h5"

_CENTRAL_BYTES = 46
_CENTRAL_MAGIC = b"PK\x01\x02"
_COPY_BYTES = 1 << 20


class KerasSource:
    """One opened archive; see noisecli.codecs.ArraysSource. `in_place`: the weights can be overwritten there."""

    format = "keras"

    def __init__(self, file: InputFile, limits: Limits) -> None:
        self.warnings: Sequence[str] = []
        self.descriptor, self.size = file.fileno(), file.size
        with contextlib.ExitStack() as held:
            self.archive = zips.open_archive(self.descriptor)
            held.callback(zips.close_archive, self.archive)
            with zips.zip_damage_as_problems():
                self.weights = _check_members(self.archive, file.size, limits)
                self.start = zips.data_start(self.descriptor, self.weights)
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
            and not weights.flag_bits & zips.SIZES_AFTER
            and end <= self.archive.start_dir
            and all(
                info.header_offset >= end
                or zips.data_start(self.descriptor, info) + info.compress_size <= weights.header_offset
                for info in others
            )
        )

    def close(self) -> None:
        self._held.close()


class KerasSink(HDF5Sink):
    """One output; see noisecli.codecs.ArraysSink."""

    format = "keras"

    def __init__(self, file: OutputFile, source: KerasSource) -> None:
        self._descriptor, self._source = file.fileno(), source
        self._held = contextlib.ExitStack()
        try:
            super().__init__(self._begin_weights(), source.most_written)
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

    def finish(self) -> None:
        """Make the archive whole around its new weights."""
        super().finish()
        if self._source.in_place:
            _update_checksums(self._descriptor, self._source)
        else:
            _repack(self._descriptor, self._source.archive, self._source.weights, self._scratch)
        self._held.close()

    def abort(self) -> None:
        super().abort()
        self._held.close()


def _check_members(archive: zipfile.ZipFile, size: int, limits: Limits) -> zipfile.ZipInfo:
    """Return the weights' entry, when every member is whole and none is there twice."""
    members = archive.infolist()
    zips.check_members(members, [info.filename for info in members], size, limits)
    for info in members:
        name = shown(info.filename)
        if info.flag_bits & zips.ENCRYPTED:
            raise FileSkipped("unsupported-format", f"has an encrypted member, {name}; left alone")
        if info.compress_type not in (*zips.PLAIN, zipfile.ZIP_BZIP2):
            raise FileSkipped("unsupported-format", f"has {name} packed in a way that is not read; repack it")
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


def _update_checksums(descriptor: int, source: KerasSource) -> None:
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
    raise FileFailed("corrupt", "is not a valid zip archive (its directory); save it again")


def _inflated(archive: zipfile.ZipFile, weights: zipfile.ZipInfo, held: contextlib.ExitStack) -> Scratch:
    """Return the weights as a file of their own, which `held` closes: HDF5 jumps about, inflating does not."""
    scratch = held.enter_context(open_scratch())
    for piece in zips.read_member(archive, weights):
        scratch.write(piece)
        scratch.check()
    return scratch


def _repack(descriptor: int, archive: zipfile.ZipFile, weights: zipfile.ZipInfo, content: Scratch) -> None:
    """Write every member again, in order, as compressed and as dated as it was."""
    with os.fdopen(os.dup(descriptor), "w+b") as output, zips.create_archive(output) as packed:
        packed.comment = archive.comment
        for info in archive.infolist():
            content.seek(0)
            own = iter(lambda: content.read(_COPY_BYTES), b"")
            with packed.open(records.copy(info), "w", force_zip64=info.file_size > 1 << 31) as target:
                target.writelines(own if info is weights else zips.read_member(archive, info))
    content.check()
