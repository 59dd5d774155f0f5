"""An audio file -> samples, block by block."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from noisecli.codecs import InputFile
from noisecli.codecs.audio.detect import inspect
from noisecli.codecs.audio.flac import SampleHash
from noisecli.codecs.audio.header import Correction, Header
from noisecli.codecs.audio.libsndfile import UNSUPPORTED, Stream, explain, open_input
from noisecli.codecs.audio.subtypes import HOLDS, LAYOUTS, LOSSY, TRANSFORMED, describe_samples, layout_of
from noisecli.codecs.damage import corrupt, not_decoded, truncated
from noisecli.codecs.limits import refuse_bomb
from noisecli.codecs.stderr import caught
from noisecli.errors import FileSkipped
from noisecli.model import Limits, SampleSpec

BLOCK_SAMPLES = 1 << 17
"""Samples in a block, all channels together: 256 kB of int16, within 1.15 of reading and writing the whole at once."""

_REWINDABLE = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
"""Subtypes whose samples have fixed places. Other decoders are reopened: a seek changes what some return."""

_DAMAGE = b"error:"
_WAY_OUT = "try another decoder, or copy it again if that fails too: ffmpeg -i IN OUT.wav"


class AudioSource:
    """One opened audio file; see noisecli.codecs.Source.

    `container`, `subtype` and `endian` are soundfile's words for what the file is, `header` is what the container check
    found, and `tags` are the text tags that libsndfile carries over.
    """

    def __init__(self, file: InputFile, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._descriptor = file.fileno()
        self.header: Header = inspect(self._descriptor, file.size)
        self._stream = self._open()
        self._position = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        self._is_fresh = True
        self.format = self.header.format
        self.container: str = self._stream.format
        self.subtype: str = self._stream.subtype
        self.endian: str = self._stream.endian
        self._whole: NDArray[Any] | None = None
        self._check_subtype()
        self.spec: SampleSpec = describe_samples(
            self.subtype, self._count_frames(), self._stream.channels, self._stream.samplerate
        )
        self._refuse_bomb(self.spec.shape[0])
        self._md5 = self.header.md5
        self.tags = {name: text for name, text in self._stream.copy_metadata().items() if text}
        trailing = ("trailing-data",) if self.header.trailing_data else ()
        self.warnings: Sequence[str] = [*trailing, *self.header.warnings]

    def _check_subtype(self) -> None:
        if self.subtype not in LAYOUTS or self.subtype not in HOLDS[self.format]:
            self.close()
            words = f"has {self.subtype} samples in {self.format}, which cannot be written back; convert it first"
            raise FileSkipped("unsupported-samples", words)

    def _count_frames(self) -> int:
        """Return libsndfile's count unless the container knows better; it never reads beyond its own."""
        frames: int = self._stream.frames
        known = self.header.frames
        if known is None or known < 0:
            return frames if known is None else -1
        if frames < known:
            self.close()
            if self.format != "mp3":
                raise truncated(f"{known:,} frames are promised, {frames:,} can be read")
            words = "is an MP3 without a frame count; rewrite it (ffmpeg -c copy adds it)"
            raise FileSkipped("unsupported-samples", words)
        return known

    def blocks(self) -> Iterator[NDArray[Any]]:
        if self._whole is not None:
            yield self._whole
            return
        self._rewind()
        promised = self.spec.shape[0]
        layout = layout_of(self.spec)
        buffer = self._create_buffer()
        summed = SampleHash(layout.bits) if self._md5 else None
        seen = 0
        while seen != promised:
            block = self._read(buffer if promised < 0 else buffer[: promised - seen])
            if not len(block):
                break
            seen += len(block)
            if promised < 0:
                self._refuse_bomb(seen)
            if layout.shift:
                np.right_shift(block, layout.shift, out=block)
            if summed:
                summed.update(block)
            if len(block) == promised:
                # a short file is read once
                self._whole = block
                block.flags.writeable = False
            yield block
        if seen < max(promised, self.header.least):
            raise truncated(f"{max(promised, self.header.least):,} frames are promised, {seen:,} are there")
        if summed:
            if summed.digest() != self._md5:
                raise corrupt("its samples are not those that its MD5 was made of")
            # once is enough
            self._md5 = None

    def _create_buffer(self) -> NDArray[Any]:
        promised, channels = self.spec.shape
        rows = max(1, BLOCK_SAMPLES // channels)
        return np.empty((min(rows, promised) if promised >= 0 else rows, channels), self.spec.dtype)

    def _refuse_bomb(self, frames: int) -> None:
        decoded = frames * self.spec.shape[1] * np.dtype(self.spec.dtype).itemsize
        refuse_bomb(decoded, self._file.size, self._limits)

    def _rewind(self) -> None:
        if not self._is_fresh:
            if self.subtype.startswith(_REWINDABLE) and self.format != "flac":
                self._stream.seek(0)
            else:
                self._stream.close()
                self._stream = self._open()
            self._position = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        self._is_fresh = False

    def _read(self, buffer: NDArray[Any]) -> NDArray[Any]:
        """Read one block; the caller may have moved the descriptor since the last one."""
        os.lseek(self._descriptor, self._position, os.SEEK_SET)
        try:
            block: NDArray[Any] = self._decode(buffer)
        except soundfile.LibsndfileError as error:
            if self.format == "flac":
                # each frame has its sum
                raise corrupt(f"decoding stops ({explain(error)})") from None
            raise not_decoded("libsndfile", explain(error), _WAY_OUT) from None
        self._position = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        return block

    def _decode(self, buffer: NDArray[Any]) -> NDArray[Any]:
        """Decode one block; errors in an MP3's frames are only printed."""
        if self.format != "mp3":
            return self._stream.read_into(buffer, self.spec.dtype)
        block, text = caught(
            lambda: self._stream.read_into(buffer, self.spec.dtype), lambda line: _DAMAGE in line or None
        )
        if _DAMAGE in text:
            said = text.partition(_DAMAGE)[2].decode(errors="replace").split("!")[0].strip()
            raise corrupt(f"decoding fails ({said})")
        return block

    def _open(self) -> Stream:
        try:
            stream = caught(lambda: open_input(self._descriptor, self.header.correction))[0]
            if self.header.correction is None and stream.subtype in LOSSY - TRANSFORMED:
                # libsndfile goes on where a seek of its own fails: such outputs are read back to be measured
                stream.close()
                stream = caught(lambda: open_input(self._descriptor, Correction()))[0]
        except soundfile.LibsndfileError as error:
            if error.code in UNSUPPORTED:
                words = f"has samples that libsndfile does not decode ({explain(error)}); {_WAY_OUT}"
                raise FileSkipped("unsupported-samples", words) from None
            raise not_decoded("libsndfile", explain(error), _WAY_OUT) from None
        if stream.subtype == "OPUS" and stream.frames > 0:
            # the first read of a stream that does not begin at 0 would keep the encoder's delay
            stream.seek(0)
        return stream

    def close(self) -> None:
        self._whole = None
        self._stream.close()
