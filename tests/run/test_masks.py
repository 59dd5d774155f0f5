"""Label masks are left without noise, by name and content; photographs in folders of their names are not."""

import shutil
import struct
import zlib

import cv2
import numpy as np
import pytest

HEIGHT, WIDTH = 40, 48


def png(indices, bits=8, palette=b""):
    """Lay out a PNG of grey values, or of a palette's indices."""
    packed = b"".join(b"\0" + np.packbits(_bits(row, bits)).tobytes() for row in indices)
    head = struct.pack(">IIBBBBB", indices.shape[1], indices.shape[0], bits, 3 if palette else 0, 0, 0, 0)
    chunks = [(b"IHDR", head), *([(b"PLTE", palette)] if palette else []), (b"IDAT", zlib.compress(packed))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in [*chunks, (b"IEND", b"")]
    )


def _bits(row, bits):
    return (row[:, None] >> np.arange(bits - 1, -1, -1)) & 1


def mask(classes=3):
    indices = np.zeros((HEIGHT, WIDTH), np.uint16)
    for number in range(1, classes):
        indices[number * 3 : number * 3 + 9, 2 * number : 2 * number + 20] = number
    return indices


def photo(seed=0, channels=3):
    return cv2.GaussianBlur(
        np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, channels), np.uint8), (3, 3), 0
    )


def encoded(suffix, image):
    return cv2.imencode(suffix, image)[1].tobytes()


def digit():
    """Draw a stroke of 28 x 28 pixels with soft edges, as handwritten digits are."""
    image = cv2.line(np.zeros((28, 28), np.uint8), (8, 6), (18, 20), 255, 2)
    drawn = cv2.GaussianBlur(image, (5, 5), 0) // 5
    assert 16 < len(np.unique(drawn)) <= 64
    return drawn


@pytest.fixture
def dataset(tmp_path):
    """Return a function that writes files by name into a folder."""

    def write(**more):
        source = tmp_path / "dataset"
        files = {"images/a.jpg": encoded(".jpg", photo(1)), "images/b.png": encoded(".png", photo(2)), **more}
        for name, data in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        return source

    return write


NAMES = [
    *("masks/a.png", "mask/train/a.png", "labels/a.png", "SegmentationClass/a.png", "VOC/SegmentationObject/a.png"),
    *("Annotations/480p/bear/00000.png", "gt/a.png", "gtFine/x_gtFine_labelIds.png", "ground_truth/a.png"),
    *("images/a_mask.png", "images/a.png", "ann_dir/train/a.png", "ann/a.png", "lbl/a.png", "lbls/a.png"),
    *("segm/a.png", "parsing/a.png", "stuffthingmaps/val/a.png", "manual1/a.png", "1st_manual/21.png"),
    *("silhouettes/a.png", "alpha/a.png", "matte/a.png", "mattes/a.png", "coded/a_P.png", "coded/b_L.png"),
    *("without_mask/masks/a.png",),
]


def test_masks_get_no_noise(images, dataset, errors, rows, destination):
    done = images("--json", source=dataset(**dict.fromkeys(NAMES, png(mask()))))
    assert (done.status, done.summary["made"], done.summary["masks"]) == (0, 2, len(NAMES))
    assert rows(destination).keys() == {"images/a.jpg", "images/b.png"}
    assert {name: entry["reason"] for name, entry in errors(destination).items()} == dict.fromkeys(NAMES, "label-mask")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if place % 6 == 0 else pytest.mark.slow) for place, name in enumerate(NAMES)]
)
def test_a_mask_gets_no_noise(images, dataset, errors, rows, destination, name):
    source = dataset(**{name: png(mask())})
    done = images("--json", source=source)
    assert (done.status, done.summary["made"], done.summary["masks"], done.summary["skipped"]) == (0, 2, 1, 1)
    assert rows(destination).keys() == {"images/a.jpg", "images/b.png"}
    [(skipped, entry)] = errors(destination).items()
    assert (skipped, entry["status"], entry["reason"]) == (name, "skipped", "label-mask")
    assert "3 values" in entry["message"]
    assert "1 label mask left without noise: --sidecars copy takes it along" in done.err
    assert not (destination / name).exists()


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".png", png(mask(2), 1)),
        (".png", png(mask(4), 2)),
        (".png", png(mask(5), 8, bytes(range(48)))),
        (".png", png(1000 * mask(3), 16)),
        (".png", encoded(".png", np.dstack([85 * mask(4).astype(np.uint8)] * 3))),
        (".bmp", encoded(".bmp", mask().astype(np.uint8))),
        (".tif", encoded(".tif", mask().astype(np.uint8))),
        (".gif", encoded(".gif", np.dstack([100 * mask().astype(np.uint8)] * 3))),
        (".pgm", b"P5 48 40 255\n" + mask().astype(np.uint8).tobytes()),
        (
            ".webp",
            cv2.imencode(".webp", np.dstack([mask().astype(np.uint8)] * 3), [cv2.IMWRITE_WEBP_QUALITY, 101])[
                1
            ].tobytes(),
        ),
        (".jp2", encoded(".jp2", mask().astype(np.uint8))),
    ],
    ids=["1 bit", "2 bits", "palette", "16 bits", "colours", "bmp", "tiff", "gif", "pgm", "webp", "jp2"],
)
def test_masks_of_every_form(images, dataset, errors, destination, suffix, data):
    assert images(source=dataset(**{f"masks/m{suffix}": data})).status == 0
    assert {name: entry["reason"] for name, entry in errors(destination).items()} == {f"masks/m{suffix}": "label-mask"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("masks/face.jpg", encoded(".jpg", photo(3))),
        ("masks/face.png", encoded(".png", photo(3))),
        ("masks/grey.png", encoded(".png", photo(3, 1))),
        ("masks/few.jpg", encoded(".jpg", mask().astype(np.uint8))),
        ("masks/tiny.png", png(np.arange(64, dtype=np.uint16).reshape(8, 8) % 17)),
        ("masks/depth.tif", encoded(".tif", mask().astype(np.float32) / 4)),
        ("images/a.png", encoded(".png", photo(4))),
        ("images/flat.png", png(mask())),
        ("damask/flat.png", png(mask())),
        ("with_mask/a.png", png(mask())),
        ("withoutMask/a.png", png(mask())),
        ("mask_weared_incorrect/a.png", png(mask())),
        ("other/c_P.png", png(mask())),
        ("labels/7/digit.png", encoded(".png", digit())),
    ],
)
def test_what_is_no_mask_gets_noise(images, dataset, rows, errors, destination, name, data):
    assert images(source=dataset(**{name: data})).status == 0
    assert rows(destination)[name]["applied"]
    assert errors(destination) == {}


def instances(side=300, each=20, step=30):
    """Number the squares of a grid, on an even ground."""
    image = np.zeros((side, side), np.uint16)
    for number in range((side // step) ** 2):
        top, left = divmod(number, side // step)
        image[top * step : top * step + each, left * step : left * step + each] = 1001 + number * 37 % 101
    return image


def coloured(numbers):
    return np.dstack([numbers % 251, numbers // 251, numbers * 7 % 256]).astype(np.uint8)


@pytest.mark.parametrize("folder", ["gtFine", "instances", "masks"])
@pytest.mark.parametrize(
    ("suffix", "image"),
    [(".png", instances()), (".tif", instances()), (".png", coloured(instances())), (".png", instances(each=30))],
    ids=["png", "tiff", "colours", "no ground"],
)
def test_a_mask_of_many_instances_gets_no_noise(images, dataset, errors, folder, suffix, image, destination):
    assert images(source=dataset(**{f"{folder}/m{suffix}": encoded(suffix, image)})).status == 0
    [(name, entry)] = errors(destination).items()
    assert (name, entry["reason"]) == (f"{folder}/m{suffix}", "label-mask")
    assert any(f"{count} values" in entry["message"] for count in (100, 101))


def test_a_twin_of_many_values_is_an_image(images, dataset, rows, destination):
    assert images(source=dataset(**{"images/a.png": encoded(".png", instances())})).status == 0
    assert "images/a.png" in rows(destination)


def test_masks_that_nothing_names_are_hinted_at(images, dataset):
    done = images("--std", "25", source=dataset(**{"y/a.png": png(mask())}))
    assert "1 image has more noise than signal" in done.err
    assert "label masks, whose few values are low, are among such images: --exclude GLOB --sidecars copy" in done.err


@pytest.mark.parametrize("globs", [["masks/**"], ["**", "masks/**"], ["*.png", "mask*/m.png"], ["m.png"]])
def test_a_glob_that_names_masks_asks_for_noise(images, dataset, rows, destination, globs):
    words = [word for glob in globs for word in ("--include", glob)]
    done = images("--json", *words, source=dataset(**{"masks/m.png": png(mask())}))
    assert (done.status, done.summary["masks"]) == (0, 0)
    assert rows(destination)["masks/m.png"]["applied"]


@pytest.mark.parametrize("glob", ["*.png", "**", "m*"])
def test_a_glob_that_does_not_say_masks_does_not_ask(images, dataset, errors, destination, glob):
    assert images("--include", glob, source=dataset(**{"masks/mm.png": png(mask())})).status == 0
    assert errors(destination).keys() == {"masks/mm.png"}


def test_a_twin_alone_is_asked_for(images, dataset, rows, destination):
    source = dataset(**{"images/a.png": png(mask())})
    assert images("--include", "*.png", source=source).status == 0
    assert rows(destination)["images/a.png"]["applied"]


@pytest.mark.parametrize("how", ["copy", "link"])
@pytest.mark.parametrize("words", [[], ["--with-clean"], ["--std", "5,10", "--with-clean"]])
def test_carried_along_as_side_files_are(images, noisy, dataset, tree, destination, how, words):
    source = dataset(**{"masks/a.png": png(mask()), "images/a.png": png(mask(2), 1), "images/a.txt": b"label"})
    done = images("--json", "--sidecars", how, *words, source=source)
    assert (done.status, done.summary["sidecars_copied"], done.summary["masks"]) == (0, 3, 2)
    trees = [""]
    if words:
        levels = ["std-5/", "std-10/"] if "--std" in words else [""]
        trees = [level + side for level in levels for side in ("clean/", "noisy/")]
    for below in trees:
        for name in ("masks/a.png", "images/a.png", "images/a.txt"):
            assert (destination / below / name).read_bytes() == (source / name).read_bytes()
            assert (destination / below / name).is_symlink() == (how == "link")
    assert noisy("verify", destination).status == 0
    before = tree(destination)
    again = images("--json", "--sidecars", how, *words, source=source)
    assert (again.status, again.summary["made"], again.summary["masks"]) == (0, 0, 2)
    assert tree(destination) == before


def test_beside_its_image_it_gets_the_names_of_the_copies(images, dataset, destination):
    source = dataset(**{"images/a.png": png(mask())})
    assert images("--sidecars", "copy", "--copies", "2", source=source).status == 0
    for copy in (1, 2):
        assert (destination / f"images/a-{copy}.png").read_bytes() == (source / "images/a.png").read_bytes()


def test_a_changed_mask_is_carried_again(images, dataset, destination):
    source = dataset(**{"masks/a.png": png(mask())})
    for classes in (3, 4):
        (source / "masks/a.png").write_bytes(png(mask(classes)))
        assert images("--sidecars", "copy", source=source).status == 0
        assert (destination / "masks/a.png").read_bytes() == png(mask(classes))


def test_one_that_had_noise_is_not_replaced_without_force(images, noisy, dataset, rows, destination):
    source = dataset(**{"masks/a.png": png(mask())})
    assert images("--include", "**", "--include", "masks/**", source=source).status == 0
    before = (destination / "masks/a.png").read_bytes()
    assert images("--sidecars", "copy", source=source).status == 2
    assert (destination / "masks/a.png").read_bytes() == before
    assert images("--sidecars", "copy", "--force", source=source).status == 0
    assert (destination / "masks/a.png").read_bytes() == png(mask())
    assert rows(destination).keys() == {"images/a.jpg", "images/b.png"}
    assert noisy("verify", destination).status == 0


def test_one_that_cannot_be_copied_failed(images, dataset, errors, destination):
    source = dataset(**{"masks/a.png": png(mask())})
    (destination / "masks/a.png").mkdir(parents=True)
    done = images("--sidecars", "copy", "--force", source=source)
    assert done.status == 1
    assert errors(destination)["masks/a.png"]["status"] == "failed"


def test_a_dry_run_counts_as_the_run_does(images, dataset, destination):
    source = dataset(**{"masks/a.png": png(mask()), "a.txt": b"label"})
    dry = images("--json", "--dry-run", "--sidecars", "copy", source=source).summary
    assert not destination.exists()
    real = images("--json", "--sidecars", "copy", source=source).summary
    for key in ("planned", "masks", "skipped", "sidecars_copied", "problems"):
        assert dry[key] == real[key], key


def test_the_limit_counts_what_gets_noise(images, dataset, rows, destination):
    source = dataset(**{f"annotations/{number}.png": png(mask()) for number in range(3)})
    assert images("--limit", "1", source=source).status == 0
    assert rows(destination).keys() == {"images/a.jpg"}


def test_a_folder_of_masks_alone_says_so(images, dataset, destination):
    source = dataset(**{"masks/a.png": png(mask())})
    shutil.rmtree(source / "images")
    done = images(source=source)
    assert done.status == 0
    assert "nothing was made" in done.err


def test_a_list_of_names_is_no_wish(images, dataset, tmp_path, errors, rows, destination):
    source = dataset(**{"masks/a.png": png(mask())})
    (tmp_path / "list").write_bytes(b"images/a.jpg\0masks/a.png\0")
    assert images("--files0-from", tmp_path / "list", source=source).status == 0
    assert (rows(destination).keys(), errors(destination).keys()) == ({"images/a.jpg"}, {"masks/a.png"})


@pytest.mark.parametrize("to", ["noisy.png", "folder"])
def test_one_file_that_is_named_gets_noise_and_a_word(noisy, dataset, tmp_path, samples, to):
    source = dataset(**{"masks/a.png": png(mask())})
    done = noisy("images", source / "masks/a.png", tmp_path / to, "--std", "25")
    assert done.status == 0
    assert "looks like a label mask" in done.err
    made = tmp_path / to if to == "noisy.png" else tmp_path / to / "a.png"
    assert (samples(made) != mask()).any()
    plain = noisy("images", source / "images/b.png", tmp_path / "plain.png", "--std", "25")
    assert (plain.status, "mask" in plain.err) == (0, False)


def test_one_that_cannot_be_read_fails_by_name(images, dataset, errors, destination):
    source = dataset(**{"masks/cut.png": png(mask())[:-30], "masks/html.png": b"<html>"})
    assert images(source=source).status == 1
    assert {name: entry["status"] for name, entry in errors(destination).items()} == {
        "masks/cut.png": "failed",
        "masks/html.png": "failed",
    }


def test_verify_still_names_images_that_no_row_lists(noisy, images, dataset, destination):
    source = dataset(**{"masks/a.png": png(mask())})
    assert images("--sidecars", "copy", source=source).status == 0
    shutil.copy(source / "images/b.png", destination / "masks/b.png")
    done = noisy("verify", destination, "--json")
    assert [entry["file_name"] for entry in done.summary["differences"]] == ["masks/b.png"]


def test_a_preview_shows_none(noisy, dataset, tmp_path):
    source = dataset(**{"annotations/a.png": png(mask())})
    done = noisy("preview", source, tmp_path / "sheet.png", "--std", "25", "--rows", "3")
    assert done.status == 0
    assert "2 files" in done.err


def test_failures_are_shown_before_many_masks(images, dataset):
    names = {f"masks/{number:02}.png": png(mask()) for number in range(30)}
    done = images(source=dataset(**names, **{"z.png": b"no image"}))
    assert done.status == 1
    assert "z.png: failed" in done.err
