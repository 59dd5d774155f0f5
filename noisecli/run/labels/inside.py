"""A label of one source that names it inside: VOC's <filename>, labelme's imagePath, other JSON's file_name.

Only the name is replaced, byte for byte the rest stays; but for labelme's imageData, which is the clean image itself.
"""

import json
import os
import re
from functools import partial
from xml.sax.saxutils import escape, unescape

_FILENAME = re.compile(rb"<!--.*?-->|(<filename>\s*(?:<!\[CDATA\[)?)([^<\]]*?)((?:\]\]>)?\s*</filename>)", re.DOTALL)
_IMAGE_DATA = re.compile(rb'("imageData"\s*:\s*)"[^"]*"')
_KEY_AND_FOLDER = (
    rb'("[^"\\\n]*(?i:file|path|name|image|img|audio|sound|wav)[^"\\\n]*"\s*:\s*'
    rb'"(?:(?:[^"\\\n]|\\\\)*(?:/|\\\\))?)'
)

_LATIN = re.compile(rb"""<\?xml[^>]*encoding=["'](?i:iso-8859-1|latin-?1|windows-1252)["']""")
_ENTITIES = {"&apos;": "'", "&quot;": '"'}

SUFFIXES = (".xml", ".json")


def holds_image(content: bytes) -> bool:
    """Whether it is a labelme file that holds the image as base64."""
    return b'"imagePath"' in content and _IMAGE_DATA.search(content) is not None


def rewrite(label: str, content: bytes, source: str, output: str) -> bytes:
    """Return a label's content with the name of the source's output in place of the source's."""
    old, new = os.path.basename(source), os.path.basename(output)
    suffix = os.path.splitext(label)[1].lower()
    if suffix == ".xml":
        return _in_xml(content, old, new)
    if suffix == ".json":
        return _in_json(content, old, new)
    return content


def _in_xml(content: bytes, old: str, new: str) -> bytes:
    """VOC names the file, ImageNet its stem."""
    match = next((found for found in _FILENAME.finditer(content) if found[1] is not None), None)
    encoding = "latin-1" if _LATIN.match(content) else "utf-8"
    if match is None:
        return content
    own = unescape(match[2].decode(encoding, "surrogateescape"), _ENTITIES)
    folder, name = own[: own.rfind("/") + 1], own[own.rfind("/") + 1 :]
    if name.lower() == old.lower():
        name = new
    elif name == os.path.splitext(old)[0]:
        name = os.path.splitext(new)[0]
    else:
        return content
    others = "xmlcharrefreplace" if encoding == "latin-1" else "surrogateescape"
    spelled = escape(folder + name).encode(encoding, others)
    return content[: match.start(2)] + spelled + content[match.end(2) :]


def _in_json(content: bytes, old: str, new: str) -> bytes:
    if b'"imagePath"' in content:
        content = _IMAGE_DATA.sub(rb"\1null", content)
    for ascii_only in (True,) if old.isascii() else (True, False):
        spelled = (json.dumps(name, ensure_ascii=ascii_only)[1:-1] for name in (old, new))
        own, its = (name.encode("utf-8", "surrogateescape") for name in spelled)
        content = re.sub(_KEY_AND_FOLDER + re.escape(own) + rb'"', partial(_with_name, its), content)
    return content


def _with_name(name: bytes, match: re.Match[bytes]) -> bytes:
    return match[1] + name + b'"'
