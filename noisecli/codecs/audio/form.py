"""The format chunk of WAV and W64: what a sample is, and how many frames are in so many bytes."""

from typing import NamedTuple

from noisecli.codecs.audio.header import Chunk, Correction, Places, Window
from noisecli.errors import FileSkipped
from noisecli.words import warning

_PCM, _MS_ADPCM, _FLOAT, _IMA_ADPCM, _GSM, _EXTENSIBLE = 0x01, 0x02, 0x03, 0x11, 0x31, 0xFFFE
_READ = {_PCM, _MS_ADPCM, _FLOAT, 0x06, 0x07, _IMA_ADPCM, _GSM, 0x38, 0x40, 0x55}
_IN_EXTENSIBLE = {_PCM, _FLOAT, 0x06, 0x07}
_FIXED = {_PCM, _FLOAT, 0x06, 0x07}
KS = bytes.fromhex("000010008000 00aa00389b71")
"""The last 12 bytes of a subformat's GUID; the first four are the encoding."""
AMBISONIC = bytes.fromhex("2107d3118644 c8c1ca000000")
_LARGEST_SAMPLE, _DEEPEST = 8, 32
_GSM_BLOCK, _GSM_SAMPLES = 65, 320


class Form(NamedTuple):
    """The fields of a format chunk."""

    encoding: int
    """Of what is extensible, the subformat's."""
    channels: int
    frame_bytes: int
    """Bytes of a frame, or of a block of several."""
    bits: int
    """Of a sample, as its container has them."""
    valid: int
    """Of those, how many are used."""
    block_frames: int
    """Frames in a block, 0 where there is no such field."""
    places: Places | None
    """Of what is extensible."""

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample with its padding, 0 where the fields contradict each other."""
        return self.frame_bytes // self.channels if self.channels and not self.frame_bytes % self.channels else 0

    @property
    def frames_are_fixed(self) -> bool:
        """Whether each frame has the same size, that of a block."""
        return self.encoding in _FIXED

    def ends_in_part(self, size: int) -> bool:
        """Whether so many bytes are whole frames and part of one; a pad byte that was counted is none."""
        over = size % self.frame_bytes if self.frames_are_fixed and self.frame_bytes else 0
        return over > 0 and not (over == 1 and size % 2 == 0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Samples of odd depths come back in as many bits as their bytes have: noise uses them all."""
        full = (self.bits + 7) // 8 * 8
        odd = self.encoding == _PCM and 0 < self.valid < full
        return (warning("depth", [f"{self.valid} to {full} bits"]),) if odd else ()


def read_form(window: Window, chunk: Chunk, big: bool = False) -> Form:
    """Read a format chunk. Raises FileSkipped, naming it, for what libsndfile does not decode or decodes wrongly."""
    encoding, channels = window.number(chunk.start, 2, big), window.number(chunk.start + 2, 2, big)
    frame_bytes, bits = (window.number(chunk.start + at, 2, big) for at in (12, 14))
    places, valid = None, bits
    block_frames = window.number(chunk.start + 18, 2, big) if chunk.size >= 20 else 0
    if encoding == _EXTENSIBLE:
        if chunk.size < 40:
            raise _not_read("an extensible WAV that does not say its encoding")
        encoding, guid = window.number(chunk.start + 24, 4, big), window.read(chunk.start + 28, 12)
        if big:
            guid = guid[1::-1] + guid[3:1:-1] + guid[4:]
        if guid not in (KS, AMBISONIC) or encoding not in _IN_EXTENSIBLE:
            raise _not_read(f"a WAV of the extensible encoding 0x{encoding:04x}")
        places, valid = Places(window.number(chunk.start + 20, 4, big), guid), block_frames
    if encoding not in _READ:
        raise _not_read(f"a WAV of encoding 0x{encoding:04x}")
    form = Form(encoding, channels, frame_bytes, bits, valid, block_frames, places)
    _check_depth(form)
    return form


def _check_depth(form: Form) -> None:
    """Of samples with bytes to spare, libsndfile takes each byte for one of a sample."""
    if form.encoding == _PCM and form.bits > _DEEPEST:
        raise _not_read(f"a WAV of {form.bits}-bit integers")
    if form.encoding == _FLOAT and form.bits not in (32, 64):
        raise _not_read(f"a WAV of {form.bits}-bit floats")
    if form.encoding in (_PCM, _FLOAT) and (form.bits + 7) // 8 < form.sample_bytes <= _LARGEST_SAMPLE:
        words = f"has samples of {form.bits} bits in {form.sample_bytes} bytes each, which programs read differently"
        raise FileSkipped("unsupported-samples", f"{words}; write it with no bytes to spare first")


def _not_read(what: str) -> FileSkipped:
    return FileSkipped("unsupported-samples", f"is {what}; convert it first (ffmpeg -i IN -c:a pcm_s24le OUT.wav)")


def count_frames(form: Form, size: int, fact: int | None) -> int | None:
    """Return the frames in so many bytes of whole blocks and part of one; None where that is libsndfile's to say.

    `fact` is the count in a file's fact chunk. It holds where it ends inside the last block; programs also write the
    samples of all channels there, bytes, or nothing that makes sense.
    """
    if not form.frame_bytes or not form.block_frames or not form.channels:
        return None
    blocks, rest = divmod(size, form.frame_bytes)
    part = _count_part(form, rest)
    if part is None:
        return None
    most = blocks * form.block_frames + part
    least = most - (part or form.block_frames)
    return fact if fact is not None and least < fact <= most else most


def _count_part(form: Form, rest: int) -> int | None:
    """Frames that are whole in the first bytes of a block."""
    channels = form.channels
    if form.encoding == _IMA_ADPCM:
        # a header of 4 bytes with one sample, then 4 bytes of 8 samples, for each channel in turn
        return min(1 + (rest - 4 * channels) // (4 * channels) * 8, form.block_frames) if rest >= 4 * channels else 0
    if form.encoding == _MS_ADPCM:
        # a header of 7 bytes with two samples for each channel, then half a byte a sample
        return min(2 + (rest - 7 * channels) * 2 // channels, form.block_frames) if rest >= 7 * channels else 0
    if form.encoding == _GSM and (form.frame_bytes, form.block_frames) == (_GSM_BLOCK, _GSM_SAMPLES):
        # two frames of 32.5 bytes
        return _GSM_SAMPLES // 2 if rest > _GSM_BLOCK // 2 else 0
    return None


def fill_block(form: Form, data: Chunk, width: int = 4, extra: int = 0, big: bool = False) -> Correction | None:
    """Return the file with its last block whole: libsndfile drops what there is of one, or makes up the rest.

    A chunk's size has `width` bytes, and counts `extra` more than its content.
    """
    if form.encoding not in (_MS_ADPCM, _GSM) or not form.frame_bytes or not data.size % form.frame_bytes:
        return None
    fill = -data.size % form.frame_bytes
    size = (data.size + fill + extra).to_bytes(width, "big" if big else "little")
    return Correction(patches=((data.start - width, size),), end=data.end, fill=fill)
