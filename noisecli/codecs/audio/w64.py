"""Sony Wave64: 64-bit chunk sizes against the file's size."""

from collections.abc import Iterator

from noisecli.codecs.audio.form import Form, count_frames, fill_block, read_form
from noisecli.codecs.audio.header import (
    Chunk,
    Correction,
    Header,
    Window,
    check_total,
    fitting,
    lost_names,
    require_samples,
)
from noisecli.codecs.audio.wav import CARRIED
from noisecli.codecs.damage import corrupt, truncated
from noisecli.words import warning

_UNSAID = (0, (1 << 64) - 1, (1 << 63) - 1)
"""Sizes written by programs that cannot go back to correct them."""
_FACT_SIZE = 8
_NAMES_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_LEVEL = bytes.fromhex("abf76ad7")


def check_w64(window: Window) -> Header:
    """Check a file: sizes count their own 24 bytes, chunks begin on multiples of 8.

    libsndfile plays all that follows the samples as samples, so their number is taken from here.
    """
    total = window.number(16, 8)
    streamed = total in _UNSAID
    if not streamed:
        check_total(total, window, padding=7)
    held: dict[bytes, Chunk] = {}
    end, lost = 40, set[bytes]()
    for chunk in fitting(iterate_w64(window, streamed), window, b"data"):
        held[chunk.name] = chunk
        lost |= {chunk.name} - (CARRIED - {b"LIST"})
        end = chunk.end + (-chunk.end % 8)
    if b"fmt " not in held:
        raise truncated("the file has no samples in it")
    form, data = read_form(window, held[b"fmt "]), require_samples(held.get(b"data"), end, window)
    fact = window.number(held[b"fact"].start, 8) if b"fact" in held and held[b"fact"].size >= _FACT_SIZE else None
    said = window.number(data.start - 8, 8) - 24
    return Header(
        "w64",
        _count_frames(form, data, fact),
        trailing_data=end < window.size or form.ends_in_part(data.size),
        lost_metadata=lost_names(lost),
        warnings=(*form.warnings, *([warning("unknown-length", ["data size"])] if data.size != said else [])),
        correction=_correct(form, held[b"fmt "], data, said),
        places=form.places,
    )


def _correct(form: Form, place: Chunk, data: Chunk, said: int) -> Correction | None:
    """Of an extensible format libsndfile reads the depth alone, and takes floats for integers."""
    correction = fill_block(form, data, width=8, extra=24) or Correction()
    if form.places:
        correction = correction._replace(patches=((place.start, form.encoding.to_bytes(2, "little")),))
    elif data.size != said and not correction.patches:
        correction = correction._replace(patches=((data.start - 8, (data.size + 24).to_bytes(8, "little")),))
    return correction if correction.patches else None


def _count_frames(form: Form, data: Chunk, fact: int | None) -> int | None:
    """Return the frames in a data chunk."""
    if not form.frames_are_fixed:
        return count_frames(form, data.size, fact)
    if form.frame_bytes == 0 or form.sample_bytes != (form.bits + 7) // 8:
        raise corrupt("the size of a frame is not that of its channels")
    return data.size // form.frame_bytes


def iterate_w64(window: Window, streamed: bool = False) -> Iterator[Chunk]:
    """Yield the chunks in order; of what was streamed, the samples run to the file's end."""
    position = 40
    while position + 24 <= window.size:
        name, tail = window.read(position, 4), window.read(position + 4, 12)
        size = window.number(position + 16, 8)
        if tail != _NAMES_TAIL and name != _LEVEL:
            return
        if streamed and name == b"data" and size in _UNSAID:
            size = window.size - position
        if size < 24:
            raise corrupt("a chunk smaller than its own header")
        yield Chunk(name, position + 24, size - 24)
        position += size + (-size % 8)
