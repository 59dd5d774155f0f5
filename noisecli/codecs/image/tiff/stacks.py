"""What a TIFF's description promises of its images, and whether it still fits."""

import json
import re

from noisecli.codecs.damage import truncated
from noisecli.codecs.image.header import unsupported
from noisecli.codecs.image.tiff.ifd import Page
from noisecli.codecs.image.tiff.layout import BARE, COLOUR, GREYS, STRIPS, Layout

DESCRIPTION = 270
_METAMORPH = 33629
"""How many planes such a file has is the count of this tag."""
_MOST_IMAGES = 1 << 16
_LONGEST = 1 << 16


def images_behind(page: Page, layout: Layout, pages: int) -> tuple[int, bool]:
    """Return how many images a file has, and whether its description fits that.

    ImageJ writes one directory for a stack above 4 GiB, and tifffile for one that is "truncated": the description says
    how many images follow the first, one directly behind the other. Raises FileFailed where some of them are missing,
    FileSkipped where they cannot be found.
    """
    promised = max(_promised(page), page.count(_METAMORPH))
    if not promised or promised == pages:
        return pages, True
    if pages > 1 or layout.compression != BARE:
        return pages, False
    size = layout.planes * layout.row_bytes * layout.height
    if layout.tiled or page.count(_METAMORPH):
        raise unsupported(f"TIFFs of {promised} images with one directory, made of tiles or by MetaMorph, are")
    start = min(page.values(STRIPS, page.count(STRIPS)))
    others = [page.start, *(place for _, _, place in page.entries.values())]
    held = (min((place for place in others if place > start), default=len(page.data)) - start) // size
    if held <= 1:
        return 1, False
    if held < promised:
        raise truncated(f"its description promises {promised} images, and there are bytes for {held}")
    if promised > _MOST_IMAGES:
        raise unsupported(f"TIFFs of more than {_MOST_IMAGES:,} images with one directory are")
    return promised, True


def lies_in_one_piece(page: Page, layout: Layout) -> bool:
    """Whether readers take the images of a stack from one place, as its description tells them, not from its pages."""
    return _promised(page) > 1 and layout.compression == BARE and layout.photometric in (*GREYS, COLOUR)


def _promised(page: Page) -> int:
    """Return how many images a description speaks of; 0 where it speaks of none."""
    if DESCRIPTION not in page.entries or page.entries[DESCRIPTION][0] != 2:
        return 0
    text = page.raw(DESCRIPTION)[:_LONGEST].decode("utf-8", "replace").rstrip("\0 ")
    if text.startswith("ImageJ="):
        found = re.search(r"^images=(\d{1,9})\s*$", text, re.MULTILINE)
        return int(found[1]) if found else 0
    if text.startswith('{"shape":') and '"truncated": true' in text:
        return _shaped(text, page)
    return 0


def _shaped(text: str, page: Page) -> int:
    try:
        total = 1
        for length in json.loads(text)["shape"]:
            total *= int(length)
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
    own = page.value(256) * page.value(257) * page.value(277, 1)
    return total // own if own and total > 0 and total % own == 0 else 0


def depends_on_samples(description: bytes) -> bool:
    """Whether a description says what type the samples are, as OME's does."""
    return b"<OME" in description[:_LONGEST]
