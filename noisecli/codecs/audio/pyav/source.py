"""A file that PyAV decodes -> samples, block by block. The only page that knows PyAV."""

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import av
import av.logging
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile
from noisecli.codecs.audio.form import KS
from noisecli.codecs.audio.header import Header, Places
from noisecli.codecs.audio.pyav.container import Container
from noisecli.codecs.audio.source import BLOCK_SAMPLES
from noisecli.codecs.audio.subtypes import LAYOUTS, describe_samples
from noisecli.codecs.damage import corrupt, not_decoded, truncated
from noisecli.codecs.limits import refuse_bomb
from noisecli.codecs.stderr import caught
from noisecli.errors import FileSkipped, one_line
from noisecli.model import Limits
from noisecli.words import warning

_SUBTYPES = {"u8": "PCM_U8", "s16": "PCM_16", "s32": "PCM_32", "flt": "FLOAT", "dbl": "DOUBLE"}
_OPTIONS = {"err_detect": "crccheck+bitstream+buffer+explode", "flags": "bitexact"}
_SPEAKERS = ("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR")
_TAGS = ("title", "artist", "album", "date", "comment", "genre", "copyright")
_RENAMED = {"track": "tracknumber", "encoder": "software"}
_TECHNICAL = frozenset(("major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration"))
_TECHNICAL |= {"sample_count", "sample_rate", "sample_n_bytes", "sample_sig_bits", "channel_count"}
_TECHNICAL |= {"isvbr", "devicemanufacturer", "wmfsdkversion", "wmfsdkneeded"}
_PREFIX = re.compile(r"\[[^]]*? @ 0x[0-9a-f]+\] ")
"""The address in front of ffmpeg's messages is another one in every process."""
_WAY_OUT = "convert it: ffmpeg -i IN OUT.wav"
_SLACK = 1.0
"""Seconds: what encoders add and take off at both ends is less; a fragment of a stream is more."""

av.logging.restore_default_callback()
av.logging.set_libav_level(av.logging.ERROR)


class PyavSource:
    """One opened file; see noisecli.codecs.Source and noisecli.codecs.audio.source.AudioSource, which it is like."""

    container = ""
    endian = "FILE"

    def __init__(self, file: InputFile, container: Container, limits: Limits, trailing: bool) -> None:
        self._file, self._limits, self._kind = file, limits, container
        self.format = container.format
        with closing(self._open()) as opened:
            stream = _only_sound(opened)
            self.tags, lost = _read_tags(opened, stream)
            first = next(self._frames(opened, stream), None)
            if first is None:
                raise corrupt("there are no samples in it")
            self._shape = _shape_of(first)
            self.subtype = _subtype_of(stream, first)
        self.header = Header(container.format, lost_metadata=frozenset(lost), places=_places_of(first))
        self.spec = describe_samples(self.subtype, -1, first.layout.nb_channels, first.sample_rate)
        unknown = [] if container.counted else [warning("unknown-length", ["sample count"])]
        self.warnings: Sequence[str] = [*(["trailing-data"] if trailing else []), *unknown]

    def _open(self) -> Any:
        """Open with the demuxer that the content asks for: none that opens other files is ever chosen."""
        try:
            reader = _Reader(self._file.fileno(), self._file.size)
            return caught(lambda: av.open(reader, format=self._kind.demuxer, options=_OPTIONS))[0]
        except (av.FFmpegError, ValueError) as error:
            raise not_decoded("ffmpeg", _said(error), _WAY_OUT) from None

    def _frames(self, opened: Any, stream: Any) -> Iterator[Any]:
        """Yield the decoder's frames; nothing that it says or leaves out passes."""
        stream.codec_context.thread_count = 1
        stream.codec_context.options = _OPTIONS
        demuxed = opened.demux(stream)
        packets, seen = 0, 0
        while (packet := _strictly(lambda: next(demuxed, None))) is not None:
            if packet.is_corrupt:
                raise truncated("a packet is cut")
            packets += packet.size > 0
            for frame in _decoded(packet):
                seen += frame.samples
                yield frame
        promised = len(stream.index_entries) if self.format == "m4a" else 0
        if packets < promised:
            raise truncated(f"{promised:,} packets are promised, {packets:,} are there")
        length = stream.duration * stream.time_base if self.format == "m4a" and stream.duration else 0
        if length > seen / max(1, stream.codec_context.sample_rate) + _SLACK:
            raise truncated(f"{float(length):.1f} s are promised, less is there")

    def blocks(self) -> Iterator[NDArray[Any]]:
        channels = self.spec.shape[1]
        rows = max(1, BLOCK_SAMPLES // channels)
        buffer = np.empty((rows, channels), self.spec.dtype)
        filled = seen = 0
        with closing(self._open()) as opened:
            for frame in self._frames(opened, _only_sound(opened)):
                if _shape_of(frame) != self._shape:
                    words = "changes its sample rate or its channels on the way; split it there"
                    raise FileSkipped("unsupported-samples", words)
                samples = self._native(frame)
                seen += len(samples)
                refuse_bomb(seen * buffer.itemsize * channels, self._file.size, self._limits)
                while len(samples):
                    taken = min(len(samples), rows - filled)
                    buffer[filled : filled + taken] = samples[:taken]
                    samples, filled = samples[taken:], filled + taken
                    if filled == rows:
                        yield buffer
                        filled = 0
        if filled:
            yield buffer[:filled]

    def _native(self, frame: Any) -> NDArray[Any]:
        """Return a frame as (frames, channels) in native units."""
        samples: NDArray[Any] = frame.to_ndarray()
        samples = samples.T if frame.format.is_planar else samples.reshape(-1, self.spec.shape[1])
        if self.subtype == "PCM_U8":
            return samples.astype(np.int16) - 128
        return samples >> LAYOUTS[self.subtype].shift if self.subtype == "PCM_24" else samples

    def close(self) -> None:
        """Nothing stays open between two walks over the samples."""


class _Reader(io.RawIOBase):
    """A file for PyAV on a descriptor whose own position others move."""

    def __init__(self, descriptor: int, size: int) -> None:
        super().__init__()
        self._descriptor, self._size, self._position = descriptor, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._position)
        data = os.pread(self._descriptor, left if size < 0 else min(size, left), self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position


def _only_sound(opened: Any) -> Any:
    """Return the one audio stream. Raises FileSkipped where there are others, or moving images."""
    if any(not _is_cover(stream) for stream in opened.streams.video):
        words = "holds a video; take its sound out: ffmpeg -i IN -vn OUT.wav"
        raise FileSkipped("unsupported-samples", words)
    if len(opened.streams.audio) != 1:
        words = f"holds {len(opened.streams.audio)} audio tracks; take one out: ffmpeg -i IN -map 0:a:0 OUT.wav"
        raise FileSkipped("unsupported-samples", words)
    stream = opened.streams.audio[0]
    if stream.codec_context is None:
        raise FileSkipped("unsupported-samples", "has samples that ffmpeg has no decoder for; convert them first")
    return stream


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _read_tags(opened: Any, stream: Any) -> tuple[dict[str, str], set[str]]:
    """Return the text tags by libsndfile's names, and what else there is, which no output holds."""
    found = {name.lower(): text for name, text in {**stream.metadata, **opened.metadata}.items() if text}
    if found.get("language") == "und":
        del found["language"]
    tags = {_RENAMED.get(name, name): text for name, text in found.items() if name in (*_TAGS, *_RENAMED)}
    lost = {one_line(name, 40) for name in found.keys() - _TECHNICAL - _RENAMED.keys() - set(_TAGS)}
    lost |= {"cover"} if opened.streams.video else set()
    lost |= {"chapters"} if opened.chapters() else set()
    return tags, set(sorted(lost)[:20])


def _shape_of(frame: Any) -> tuple[Any, ...]:
    return frame.sample_rate, frame.layout.nb_channels, frame.format.packed.name


def _places_of(frame: Any) -> Places | None:
    """Return the loudspeakers, which ffmpeg has in the order of their bits; None where it has no name for one."""
    names = [channel.name for channel in frame.layout.channels]
    if not set(names) <= set(_SPEAKERS):
        return None
    return Places(sum(1 << _SPEAKERS.index(name) for name in set(names)), KS)


def _subtype_of(stream: Any, frame: Any) -> str:
    """Return soundfile's word for the samples. Those of 24 bits lie in the upper ones of 32."""
    subtype = _SUBTYPES.get(frame.format.packed.name)
    if subtype is None:
        raise FileSkipped("unsupported-samples", f"has samples of type {frame.format.name}; {_WAY_OUT}")
    extra = stream.codec_context.extradata or b""
    if subtype == "PCM_32" and stream.codec_context.name == "alac" and len(extra) > 17 and extra[17] <= 24:
        return "PCM_24"
    if subtype == "PCM_32" and stream.codec_context.name == "flac" and len(extra) >= 34:
        bits = (int.from_bytes(extra[-34:][10:18], "big") >> 36 & 0x1F) + 1
        return "PCM_24" if bits <= 24 else subtype
    return subtype


def _decoded(packet: Any) -> list[Any]:
    try:
        frames: list[Any] = _strictly(packet.decode)
    except av.error.EOFError:
        return []
    return frames


def _strictly(call: Callable[[], Any]) -> Any:
    """Call ffmpeg; whatever it calls an error, by an exception or in print alone, fails the file."""
    try:
        result, text = caught(call)
    except av.error.EOFError:
        raise
    except av.error.PatchWelcomeError as error:
        raise not_decoded("ffmpeg", _said(error), _WAY_OUT) from None
    except av.FFmpegError as error:
        raise corrupt(f"decoding stops ({_said(error)})") from None
    if text.strip():
        raise corrupt(f"decoding fails ({_clean(text.decode(errors='replace'))})")
    return result


def _said(error: Exception) -> str:
    return _clean(str(getattr(error, "strerror", None) or error))


def _clean(text: str) -> str:
    return one_line(_PREFIX.sub("", text.strip().splitlines()[0] if text.strip() else "no reason given"), 160)
