"""Text tags: the ten strings that libsndfile knows, and who holds which of them."""

_RIFF = frozenset(("title", "copyright", "software", "artist", "comment", "date", "album", "tracknumber", "genre"))
_ALL = _RIFF | {"license"}
_HELD: dict[str, frozenset[str]] = {
    "wav": _RIFF,
    "rf64": _RIFF,
    "aiff": frozenset(("title", "copyright", "artist", "comment")),
    "caf": _ALL,
    "flac": _ALL,
    "ogg": _ALL,
    "mp3": _RIFF - {"copyright", "software"},
}
_ENCODER_STAMPS = ("libsndfile", "LAME", "Lavf", "libFLAC", "Xiph", "libopus")
_LONGEST_SOFTWARE = 100
"""libsndfile puts its own name behind another program's, and cuts both together at 127 bytes."""
_LONGEST = 250
"""WAV and CAF silently drop a longer header of strings, AIFF gets unreadable; FLAC and Ogg take any."""


def split_tags(tags: dict[str, str], target: str) -> tuple[dict[str, str], set[str]]:
    """Return the tags that a format holds, and the names of others. An encoder's own name is no loss."""
    kept = {name: value for name, value in tags.items() if _is_held(target, name, value)}
    lost = {name for name, value in tags.items() if name not in kept and not _is_stamp(name, value)}
    return kept, lost


def _is_held(target: str, name: str, value: str) -> bool:
    """Bytes that were not UTF-8 came in as U+FFFD; MP3 and parts of AIFF take ASCII alone, MP3 no date but a year."""
    if name not in _HELD.get(target, ()) or "\ufffd" in value:
        return False
    if target not in ("flac", "ogg") and len(value.encode()) > _LONGEST:
        return False
    if name == "software" and "libsndfile" not in value and len(value.encode()) > _LONGEST_SOFTWARE:
        return False
    if target == "mp3" and name == "date" and len(value) != 4:
        return False
    return value.isascii() or not (target == "mp3" or (target, name) == ("aiff", "copyright"))


def _is_stamp(name: str, value: str) -> bool:
    return name == "software" and any(stamp in value for stamp in _ENCODER_STAMPS)
