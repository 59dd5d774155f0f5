"""COCO's JSON: images by file_name, annotations by image_id. Each copy is an image of its own, with fresh ids."""

from typing import Any

from noisecli.run.labels.records import dump
from noisecli.run.labels.references import Look, Names, Reading, Swap


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
    ids = [image.get("id") for image in images]
    if not names.found or not _can_be_told_apart(ids):
        return None

    def write(swap: Swap, copies: int) -> str:
        return dump({**content, **_repeated(images, annotations, swap, copies)}, text)

    return Reading(names, write)


def _are_objects(value: Any, key: str | None = None) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and (key is None or isinstance(each.get(key), str)) for each in value
    )


def _can_be_told_apart(ids: list[Any]) -> bool:
    return all(type(each) is int or type(each) is str for each in ids) and len(set(ids)) == len(ids)


def _repeated(images: list[Any], annotations: list[Any], swap: Swap, copies: int) -> dict[str, list[Any]]:
    """Return images and annotations for all copies; those of images left out go."""
    image_step, step = _step(images), _step(annotations)
    new_images, new_annotations, present = [], [], set()
    for copy in range(copies):
        for image in images:
            name = swap(image["file_name"], copy)
            if name is not None:
                present.add(image["id"])
                new_images.append({**image, "file_name": name, "id": _fresh(image["id"], copy, image_step)})
        for one in annotations:
            image_id = one.get("image_id")
            if not isinstance(image_id, int | str) or image_id not in present:
                continue
            new = {**one, "image_id": _fresh(image_id, copy, image_step)}
            if "id" in one:
                new["id"] = _fresh(one["id"], copy, step)
            if isinstance(one.get("file_name"), str):
                new["file_name"] = swap(one["file_name"], copy) or one["file_name"]
            new_annotations.append(new)
    return {"images": new_images, "annotations": new_annotations}


def _step(entries: list[Any]) -> int:
    """Return by how much the ids of one copy are above those of the copy before."""
    return max((each["id"] for each in entries if type(each.get("id")) is int), default=0) + 1


def _fresh(own: Any, copy: int, step: int) -> Any:
    """Return the id of a copy; the first one keeps its own."""
    if copy == 0:
        return own
    return own + copy * step if type(own) is int else f"{own}-{copy + 1}"
