"""COCO's JSON: images by file_name, annotations by image_id. Each copy is an image of its own, with fresh ids."""

import re
from collections.abc import Iterable
from typing import Any

from noisecli.run.labels.records import dump
from noisecli.run.labels.references import Look, Names, Reading, Swap

_ID_KEY = re.compile("(image|img|annotation|ann)_?ids?", re.IGNORECASE)
"""What keys are called that hold ids of images or annotations."""


def read(content: Any, text: str, look: Look) -> Reading | None:
    """Read what json.loads() made of a file; None where it is no COCO."""
    if not isinstance(content, dict) or not _are_objects(content.get("images"), "file_name"):
        return None
    images, annotations = content["images"], content.get("annotations", [])
    if not images or not _are_objects(annotations):
        return None
    names = look([image["file_name"] for image in images], stems=False)
    masks = [one["file_name"] for one in annotations if isinstance(one.get("file_name"), str)]
    # panoptic: a mask for each image
    behind = look(masks, stems=False) if masks else Names()
    names.join(Names(behind.found, absolute=behind.absolute))
    if not names.found or not _is_plain(content):
        return None

    def write(swap: Swap, copies: int) -> str:
        return dump({**content, **_repeated(images, annotations, swap, copies)}, text)

    return Reading(names, write)


def _are_objects(value: Any, key: str | None = None) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and (key is None or isinstance(each.get(key), str)) for each in value
    )


def _is_plain(content: dict[str, Any]) -> bool:
    """Whether all ids are numbers, or all names, told apart, and nothing else of the file goes by them."""
    images, annotations = content["images"], content.get("annotations", [])
    ids = [image.get("id") for image in images]
    own = [one["id"] for one in annotations if "id" in one]
    of_images, known = [one.get("image_id") for one in annotations], {each for each in ids if _is_id(each)}
    others = (value for key, value in content.items() if key not in ("images", "annotations"))
    return (
        _are_told_apart(ids)
        and _are_told_apart(own)
        and all(_is_id(each) and each in known for each in of_images)
        and not any(_goes_by_images(value) for value in others)
    )


def _is_id(value: Any) -> bool:
    return type(value) in (int, str) or (type(value) is float and value.is_integer())


def _are_told_apart(ids: list[Any]) -> bool:
    return all(map(_is_id, ids)) and len(set(ids)) == len(ids)


def _goes_by_images(value: Any) -> bool:
    """Whether anything inside of a value has the id of an image or of an annotation, or some."""
    if isinstance(value, dict):
        return any(_ID_KEY.fullmatch(key) or _goes_by_images(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_goes_by_images, value))


def _repeated(images: list[Any], annotations: list[Any], swap: Swap, copies: int) -> dict[str, list[Any]]:
    """Return images and annotations for all copies; those of images left out go."""
    image_ids, ids = _Ids(image["id"] for image in images), _Ids(one["id"] for one in annotations if "id" in one)
    new_images, new_annotations = [], []
    for copy in range(copies):
        fresh: dict[Any, Any] = {}
        for image in images:
            name = swap(image["file_name"], copy)
            if name is not None:
                fresh[image["id"]] = image_ids.fresh(image["id"], copy)
                new_images.append({**image, "file_name": name, "id": fresh[image["id"]]})
        for one in annotations:
            if one["image_id"] not in fresh:
                continue
            new = {**one, "image_id": fresh[one["image_id"]] if copy else one["image_id"]}
            if "id" in one:
                new["id"] = ids.fresh(one["id"], copy)
            if isinstance(one.get("file_name"), str):
                new["file_name"] = swap(one["file_name"], copy) or one["file_name"]
            new_annotations.append(new)
    return {"images": new_images, "annotations": new_annotations}


class _Ids:
    """The ids of a list. Those of one copy are above those of the copy before; names get the copy's number."""

    def __init__(self, ids: Iterable[Any]) -> None:
        self._taken = set(ids)
        numbers = [int(each) for each in self._taken if not isinstance(each, str)]
        self._step = max(numbers, default=0) - min([0, *numbers]) + 1

    def fresh(self, own: Any, copy: int) -> Any:
        """Return the id of a copy, which no other entry has; the first one keeps its own."""
        if copy == 0:
            return own
        if not isinstance(own, str):
            return int(own) + copy * self._step
        new = f"{own}-{copy + 1}"
        while new in self._taken:
            new += "x"
        self._taken.add(new)
        return new
