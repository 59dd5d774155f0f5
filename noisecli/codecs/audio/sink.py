"""Sounds out: one file being encoded like its source, or as the encoding asks."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import numpy as np
import soundfile
from numpy.typing import NDArray

from noisecli.codecs import OutputFile
from noisecli.codecs.audio.detect import inspect
from noisecli.codecs.audio.stamps import settle
from noisecli.codecs.audio.stream import Stream, explain, is_system_error, open_input, open_output
from noisecli.codecs.audio.subtypes import LOSSY, PADDED, TRANSFORMED, layout_of
from noisecli.codecs.audio.tags import split_tags
from noisecli.codecs.audio.target import Target
from noisecli.errors import FileFailed
from noisecli.model import SampleSpec, Warn

_ENCODERS = ("FLAC", "OGG", "MP3")
_UNREADABLE_WHEN_EMPTY = ("flac", "mp3", "OPUS")


class SoundSink:
    """One output; see noisecli.codecs.Sink."""

    def __init__(self, file: OutputFile, target: Target, spec: SampleSpec, tags: dict[str, str], key: bytes) -> None:
        self.format = target.format
        self.lossy = target.subtype in LOSSY
        self.warnings: list[Warn] = []
        self._target = target
        self._spec = spec
        self._layout = layout_of(spec)
        self._lossy_dtype = "float32" if self._layout.bits <= 24 else "float64"
        self._key = key
        self._frames = 0
        self._file = file
        self._descriptor = file.fileno()
        self._scratch: NDArray[Any] | None = None
        self._stream = self._open()
        self._set_tags(tags)

    def _open(self) -> Stream:
        target = self._target
        try:
            return open_output(
                self._descriptor,
                samplerate=self._spec.sample_rate,
                channels=self._spec.shape[-1],
                subtype=target.subtype,
                endian=target.endian,
                format=target.container,
                compression_level=target.compression_level,
                bitrate_mode=target.bitrate_mode,
            )
        except soundfile.LibsndfileError as error:
            if is_system_error(error):
                self._fail(error)
            raise FileFailed(
                "no-encoder",
                f"{target.subtype} cannot hold {self._spec.shape[-1]} channels at {self._spec.sample_rate:,} Hz"
                f" ({explain(error)}): choose wav",
            ) from None

    def _set_tags(self, tags: dict[str, str]) -> None:
        kept, lost = split_tags(tags, self.format)
        for name, value in kept.items():
            try:
                setattr(self._stream, name, value)
            except soundfile.LibsndfileError:
                lost = True
        if lost:
            self.warnings.append("metadata-lost")

    def write(self, block: NDArray[Any]) -> None:
        """Take the next (frames, channels) block, in the spec's native units."""
        if self._target.subtype in TRANSFORMED and self._spec.is_float and not np.isfinite(block).all():
            raise FileFailed("not-finite", f"{self.format} cannot hold NaN or infinity: choose wav, or mend the source")
        if self._frames + len(block) > self._target.most_frames:
            raise FileFailed(
                "no-encoder", f"more samples than {self._target.container} can count: choose w64, rf64 or caf"
            )
        try:
            self._stream.write(self._align(block))
        except (soundfile.LibsndfileError, AssertionError) as error:
            self._fail(error)
        self._frames += len(block)

    def _align(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return the block as libsndfile wants it: native byte order, integers moved to the upper end of their type.

        Lossy encoders get floats: libsndfile 1.2.2 makes garbage of stereo MP3 written from 16-bit integers.
        """
        if self._target.subtype in TRANSFORMED and not self._spec.is_float:
            scaled: NDArray[Any] = np.divide(block, self._spec.full_scale, dtype=self._lossy_dtype)
            return scaled
        if not self._layout.shift:
            return np.ascontiguousarray(block, self._layout.dtype)
        if self._scratch is None or len(self._scratch) < len(block):
            self._scratch = np.empty(block.shape, self._layout.dtype)
        shifted: NDArray[Any] = np.left_shift(block, self._layout.shift, out=self._scratch[: len(block)])
        return shifted

    def _fail(self, error: object) -> NoReturn:
        """Writing fails when the disk does; libsndfile keeps the cause to itself, one more write brings it out."""
        os.pwrite(self._descriptor, bytes(1 << 16), os.fstat(self._descriptor).st_size)
        raise OSError(f"libsndfile could not write the samples ({error})") from None

    def finish(self) -> None:
        """Close the encoder, check that all arrived, and take the clock and the dice out of the file."""
        target = self._target
        if self._frames == 0 and (self.format in _UNREADABLE_WHEN_EMPTY or target.subtype in _UNREADABLE_WHEN_EMPTY):
            raise FileFailed("no-encoder", f"a sound of no samples cannot be written as {self.format}: choose wav")
        try:
            self._stream.close()
        except soundfile.LibsndfileError as error:
            self._fail(error)
        self._check_whole()
        settle(self._descriptor, target, self._frames, self._key)
        if target.subtype in PADDED:
            self._warn_padded()

    def _check_whole(self) -> None:
        """A disk that fills up while an encoder closes leaves a short file and no word of it."""
        size = os.fstat(self._descriptor).st_size
        if size < self._frames * self._target.frame_bytes:
            self._fail("the file is too short")
        if self._target.container not in _ENCODERS:
            return
        try:
            inspect(self._descriptor, size)
            if self._target.container == "FLAC":
                self._read_last_frame()
        except (FileFailed, soundfile.LibsndfileError) as error:
            self._fail(error)

    def _read_last_frame(self) -> None:
        written = open_input(self._descriptor)
        try:
            written.seek(self._frames - 1)
            written.read(1)
        finally:
            written.close()

    def _warn_padded(self) -> None:
        written = open_input(self._descriptor)
        if written.frames != self._frames:
            self.warnings.append("padded")
        written.close()

    def abort(self) -> None:
        """Let go of the encoder; whatever it says does not matter any more."""
        try:
            self._stream.close()
        except soundfile.LibsndfileError:
            return
