"""Kaldi's data folders: wav.scp says which file an id means, and text, utt2spk, segments, spk2utt go by those ids.

A copy of an utterance is one of its own: an id that is the file's stem becomes the copy's stem, any other id gets the
copy's number behind it, where there are several. What was sorted, as Kaldi asks for, is sorted again.
"""

import os
import re
from collections.abc import Iterator, Mapping

from noisecli.run.labels.references import Look, Names, Reading, Swap

TABLE, SEGMENTS, _BY_SPEAKER = "wav.scp", "segments", "spk2utt"
_PIECES = re.compile(r"\S+|\s+")


def ids_of(table: str, segments: str, look: Look) -> dict[str, str]:
    """Return which source each id of wav.scp means, and each of segments.

    Empty where that is not known of all, or paths are absolute.
    """
    ids: dict[str, str] = {}
    for own, rest in _lines(table):
        named = look(rest.split(), stems=False) if rest else Names()
        found = named.found or look([own], stems=True).found
        if not found or named.absolute:
            return {}
        ids[own] = next(iter(found.values()))
    for own, rest in _lines(segments):
        recording = rest.split(None, 1)[0] if rest else ""
        if recording not in ids:
            return {}
        ids[own] = ids[recording]
    return ids


def read(base: str, text: str, ids: Mapping[str, str], look: Look) -> Reading | None:
    """Read one file of the folder; None where its lines do not go by ids."""
    lines = list(_lines(text))
    if not lines:
        return None
    firsts = [rest for _, rest in lines] if base == _BY_SPEAKER else [own for own, _ in lines]
    own_ids = [each for first in firsts for each in first.split()]
    if not all(each in ids for each in own_ids):
        return None
    names = Names({each: ids[each] for each in own_ids})
    if base == TABLE:
        tokens = look([token for _, rest in lines for token in rest.split() if "." in token], stems=False)
        names.join(Names(tokens.found, absolute=tokens.absolute))
    elif base == SEGMENTS:
        recordings = {rest.split(None, 1)[0] for _, rest in lines if rest}
        names.join(Names({each: ids[each] for each in recordings if each in ids}))
    return Reading(names, lambda swap, copies: _write(base, text, names, swap, copies))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        if line.strip():
            own, *rest = line.split(None, 1)
            yield own, "".join(rest)


def _write(base: str, text: str, names: Names, swap: Swap, copies: int) -> str:
    def fresh(own: str, copy: int) -> str | None:
        new = swap(own, copy)
        is_stem = os.path.splitext(os.path.basename(names.found[own]))[0] == own
        if new is None or is_stem:
            return new
        return own if copies == 1 else f"{own}-{copy + 1}"

    def piece_of(place: int, piece: str, copy: int) -> str:
        """A recording's id in segments, and the path in wav.scp."""
        if piece not in names.found or base not in (TABLE, SEGMENTS):
            return piece
        return (swap(piece, copy) if base == TABLE else fresh(piece, copy) if place == 1 else piece) or piece

    old = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    new: list[str] = []
    for line in old:
        own, *rest = _PIECES.findall(line.strip())
        if base == _BY_SPEAKER:
            every = (fresh(each, copy) for each in "".join(rest).split() for copy in range(copies))
            if utterances := [each for each in every if each is not None]:
                new.append(" ".join([own, *utterances]))
            continue
        for copy in range(copies):
            if (first := fresh(own, copy)) is not None:
                new.append(first + "".join(piece_of(place, piece, copy) for place, piece in enumerate(rest)))
    if old == sorted(old, key=os.fsencode):
        new.sort(key=os.fsencode)
    return "".join(f"{line}\n" for line in new)
