"""Chunks that are not where they should be: behind samples of a size nobody wrote, or without the byte before them."""

from collections.abc import Sequence

from noisecli.codecs.audio.header import Correction, Window

_BEHIND = (
    *b"LIST|id3 |ID3 |bext|iXML|axml|cue |smpl|inst|fact|PEAK|JUNK|acid|afsp|cart|_PMX|DISP|plst".split(b"|"),
    *b"COMT|MARK|INST|NAME|AUTH|(c) |ANNO|APPL|MIDI|AESD".split(b"|"),
)
_LOOKED_AT = 1 << 23


def end_of_samples(window: Window, start: int, big: bool = False) -> int:
    """Return where samples end whose size nobody wrote: at the first of known chunks, all whole, that end the file."""
    base = max(start, window.size - _LOOKED_AT)
    tail = window.read(base, window.size - base)
    ends = {window.size}
    for place in sorted((base + at for name in _BEHIND for at in _find_all(tail, name)), reverse=True):
        if place + 8 <= window.size:
            size = window.number(place + 4, 4, big)
            if not ends.isdisjoint((place + 8 + size, place + 8 + size + (size & 1))):
                ends.add(place)
    return min(ends)


def _find_all(data: bytes, name: bytes) -> Sequence[int]:
    found, at = [], data.find(name)
    while at >= 0:
        found.append(at)
        at = data.find(name, at + 1)
    return found


def pad(window: Window, places: Sequence[int], correction: Correction | None) -> Correction | None:
    """Return the file with a byte more at each of these places: libsndfile looks for the next chunk behind it."""
    if not places:
        return correction
    correction = correction or Correction()
    head = b"".join(
        window.read(begin, end - begin) + b"\0" for begin, end in zip((0, *places[:-1]), places, strict=True)
    )
    moved = tuple((at + sum(place <= at for place in places), patch) for at, patch in correction.patches)
    end = None if correction.end is None else correction.end + len(places)
    return correction._replace(start=-len(places), patches=((0, head), *moved), end=end)
