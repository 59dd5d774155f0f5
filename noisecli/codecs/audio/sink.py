"""Samples -> an audio file, encoded like its source or as the encoding asks."""

from contextlib import suppress
from typing import Any, NoReturn

import numpy as np
import soundfile
from numpy.typing import NDArray

from noisecli.codecs import OutputFile
from noisecli.codecs.audio.encoding import Target
from noisecli.codecs.audio.libsndfile import Stream, explain
from noisecli.codecs.audio.spool import Spool
from noisecli.codecs.audio.subtypes import LOSSY, TRANSFORMED, layout_of
from noisecli.codecs.audio.tags import split_tags
from noisecli.codecs.audio.written import check_written, settle
from noisecli.errors import FileFailed
from noisecli.model import SampleSpec
from noisecli.words import warning

_LARGEST_FOR_LAME = 1e6
"""Times full scale; from about 1e8 LAME ends its process."""
_UNREADABLE_WHEN_EMPTY = ("flac", "mp3", "OPUS")


class AudioSink:
    """One output; see noisecli.codecs.Sink."""

    def __init__(self, file: OutputFile, target: Target, spec: SampleSpec, tags: dict[str, str], key: bytes) -> None:
        self.format = target.format
        self.lossy = target.subtype in LOSSY
        self.order = target.channels.order
        lost = target.channels.lost
        self.warnings: list[str] = [warning("channel-layout", lost)] if lost else []
        self._target = target
        self._spec = spec
        self._layout = layout_of(spec)
        self._scaled = target.subtype in TRANSFORMED and spec.full_scale != 1
        self._dtype = self._layout.dtype
        if self._scaled and not spec.is_float:
            self._dtype = "float32" if self._layout.bits <= 24 else "float64"
        self._key = key
        self._frames = 0
        self._file = file
        self._descriptor = file.fileno()
        self._spool = Spool(self._descriptor)
        self._scratch: NDArray[Any] | None = None
        self._stream = self._open()
        self._set_tags(tags)

    def _open(self) -> Stream:
        target = self._target
        try:
            return Stream(
                self._spool,
                "w",
                samplerate=self._spec.sample_rate,
                channels=self._spec.shape[-1],
                subtype=target.subtype,
                endian=target.endian,
                format=target.container,
                compression_level=target.compression_level,
                # MP3 keeps most at a variable rate
                bitrate_mode="VARIABLE" if target.container == "MP3" else None,
            )
        except soundfile.LibsndfileError as error:
            self._spool.check()
            asked = f"{self._spec.shape[-1]} channels at {self._spec.sample_rate:,} Hz"
            words = f"{target.subtype} cannot hold {asked} ({explain(error)}); choose wav"
            raise FileFailed("no-encoder", words) from None

    def _set_tags(self, tags: dict[str, str]) -> None:
        kept, lost = split_tags(tags, self.format)
        for name, value in kept.items():
            try:
                setattr(self._stream, name, value)
            except soundfile.LibsndfileError:
                lost.add(name)
        if lost:
            self.warnings.append(warning("metadata-lost", lost))

    def write(self, block: NDArray[Any]) -> None:
        """Take the next (frames, channels) block, in the spec's native units."""
        if self.order:
            block = np.take(block, self.order, axis=1)
        if self._target.subtype in TRANSFORMED and self._spec.is_float:
            self._refuse_what_ends_encoders(block)
        if self._frames + len(block) > self._target.most_frames:
            words = f"has more samples than {self._target.container} can count; choose w64, rf64 or caf"
            raise FileFailed("no-encoder", words)
        try:
            self._stream.buffer_write(self._align(block), self._dtype)
        except (soundfile.LibsndfileError, AssertionError) as error:
            self._fail(error)
        self._spool.check()
        self._frames += len(block)

    def _refuse_what_ends_encoders(self, block: NDArray[Any]) -> None:
        if not np.isfinite(block).all():
            raise FileFailed("not-finite", f"{self.format} cannot hold NaN or infinity; choose wav, or repair it")
        if self.format == "mp3" and np.abs(block).max(initial=0) > _LARGEST_FOR_LAME * self._spec.full_scale:
            raise FileFailed("out-of-range", "has samples far beyond full scale, which MP3 cannot hold; choose wav")

    def _align(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return the block as libsndfile wants it: native byte order, integers moved to the upper end of their type.

        Lossy encoders get floats: libsndfile 1.2.2 makes garbage of stereo MP3 written from 16-bit integers.
        """
        if self._scaled:
            scaled: NDArray[Any] = np.divide(block, self._spec.full_scale, dtype=self._dtype)
            return scaled
        if not self._layout.shift:
            return np.ascontiguousarray(block, self._dtype)
        if self._scratch is None or len(self._scratch) < len(block):
            self._scratch = np.empty(block.shape, self._dtype)
        shifted: NDArray[Any] = np.left_shift(block, self._layout.shift, out=self._scratch[: len(block)])
        return shifted

    def _fail(self, error: object) -> NoReturn:
        """Raise the system's reason where there is one; libsndfile keeps its own to itself."""
        self._spool.check()
        raise OSError(f"libsndfile could not write the samples ({error})") from None

    def finish(self) -> None:
        """Close the encoder, make the file reproducible, and check that all arrived."""
        target = self._target
        if self._frames == 0 and (self.format in _UNREADABLE_WHEN_EMPTY or target.subtype in _UNREADABLE_WHEN_EMPTY):
            raise FileFailed("no-encoder", f"has no samples, which {self.format} cannot hold; choose wav")
        try:
            self._stream.close()
        except soundfile.LibsndfileError as error:
            self._fail(error)
        self._spool.flush()
        settle(self._descriptor, target, self._frames, self._key)
        if check_written(self._descriptor, target, self._spec, self._frames) != self._frames:
            self.warnings.append("padded")

    def abort(self) -> None:
        """Close the encoder; its errors no longer matter."""
        self._spool.drop()
        with suppress(soundfile.LibsndfileError):
            self._stream.close()
