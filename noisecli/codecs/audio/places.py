"""Which loudspeaker each channel belongs to, when samples go from one container into another."""

from typing import NamedTuple

from noisecli.codecs.audio.form import KS
from noisecli.codecs.audio.header import Places

_USUAL: dict[int, tuple[int, ...]] = {
    1: (0x4, 0x1, 0),
    2: (0x3, 0),
    3: (0x7,),
    4: (0x33, 0x603),
    5: (0x37, 0x607),
    6: (0x3F, 0x60F),
    7: (0x70F,),
    8: (0x63F,),
}
"""Masks of the loudspeakers that FLAC and Ogg give so many channels, the first the one to write. More have none."""
_OGG: dict[int, tuple[int, ...]] = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}
"""The order of Vorbis I, 4.3.9, which is that of Opus, as positions in that of WAV."""
_TELLING = ("WAVEX", "RF64")
_STEREO = 2


class Channels(NamedTuple):
    """How the channels of an output are written."""

    order: tuple[int, ...] | None
    """The source's channels in this order; None: as they are."""
    places: Places | None
    """What the header says of them; None: what libsndfile writes."""
    lost: tuple[str, ...]
    """What the output does not say, or says without the source."""


def places_of(form: str, places: Places | None, channels: int) -> Places | None:
    """Return the places that a file's channels have: by its own words, or by its format."""
    if places is None and form in ("flac", "ogg"):
        return Places(_usual(channels)[0], KS)
    return places


def must_tell(places: Places | None, channels: int) -> bool:
    """Whether a bare WAV would leave a reader without what it needs to know."""
    return places is not None and (channels > _STEREO or not _is_usual(places, channels))


def choose_channels(source: str, target: str, container: str, places: Places | None, channels: int) -> Channels:
    """Return how to write channels of these places, read from format `source`, into a container of format `target`."""
    usual = places is None or _is_usual(places, channels)
    telling = container in _TELLING
    lost = () if usual or telling or places is None else (f"mask 0x{places.mask:x}",)
    order = None
    if (source == "ogg") != (target == "ogg") and usual:
        order = _OGG.get(channels)
        if order and source == "ogg":
            order = tuple(order.index(channel) for channel in range(channels))
        if order and places is None:
            lost = ("assumed",)
    return Channels(order, places if telling else None, lost)


def _usual(channels: int) -> tuple[int, ...]:
    return _USUAL.get(channels, (0,))


def _is_usual(places: Places, channels: int) -> bool:
    return places.guid == KS and places.mask in _usual(channels)
