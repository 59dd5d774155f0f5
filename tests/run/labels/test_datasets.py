"""Data sets in the forms that are common, noised in several copies: each read back by the rules of its own loaders."""

import csv
import json
import re
from pathlib import Path

import pytest

NAMED = ["--copies", "2", "--sidecars", "copy"]


@pytest.fixture
def write(png, write_wav):
    """Write a tree of {name: text}; None stands for an image or sound."""

    def written(folder, content):
        for number, (name, text) in enumerate(content.items()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text)
            elif path.suffix == ".wav":
                write_wav(path, number)
            else:
                path.write_bytes(png(number))
        return folder

    return written


def names(folder, suffix):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*{suffix}"))


def lines(path):
    return path.read_text().splitlines()


YOLO = {
    "images/train/a.png": None,
    "images/train/b.c.png": None,
    "images/val/d.png": None,
    "labels/train/a.txt": "0 .5 .5 .1 .1\n",
    "labels/train/b.c.txt": "1 .5 .5 .2 .2\n2 .1 .1 .1 .1",
    "labels/val/d.txt": "",
    "train.txt": "./images/train/a.png\n./images/train/b.c.png",
    "val.txt": "images/val/d.png\r\n",
    "data.yaml": "train: images/train\nnames: [cat, dog, a]\n",
    "classes.txt": "cat\ndog\na b\n",
}


def yolo_label(image):
    """As ultralytics' img2label_paths()."""
    return re.sub(r"(.*)\bimages/", r"\1labels/", image, count=1).rsplit(".", 1)[0] + ".txt"


@pytest.mark.parametrize(
    ("words", "stems", "trees"),
    [
        (["--copies", "2"], ["a-1", "a-2", "b.c-1", "b.c-2"], [""]),
        (["--name", "n_{stem}{ext}", "--format", "bmp"], ["n_a", "n_b.c"], [""]),
        (
            ["--with-clean", "--std", "5,10", "--copies", "2"],
            ["a-1", "a-2", "b.c-1", "b.c-2"],
            ["std-5/clean/", "std-5/noisy/", "std-10/clean/", "std-10/noisy/"],
        ),
    ],
)
def test_yolo(images, write, tmp_path, destination, words, stems, trees):
    source = write(tmp_path / "yolo", YOLO)
    done = images("--sidecars", "copy", *words, source=source)
    assert (done.status, "copied as it is" in done.err) == (0, False), done.err
    suffix = ".bmp" if "bmp" in words else ".png"
    for tree in trees:
        root = destination / tree
        found = names(root, suffix)
        assert [image for image in found if "train/" in image] == [f"images/train/{stem}{suffix}" for stem in stems]
        for image in found:
            own = Path(image).stem.removeprefix("n_").removesuffix("-1").removesuffix("-2")
            label = yolo_label(image)
            assert (root / label).read_text() == YOLO[f"{Path(label).parent}/{own}.txt"]
        assert len(names(root / "labels", ".txt")) == len(found)
        for part in ("train", "val"):
            listed = [line.removeprefix("./") for line in lines(root / f"{part}.txt")]
            assert listed == [image for image in found if f"/{part}/" in image]
        assert (root / "data.yaml").read_text() == YOLO["data.yaml"]
        assert (root / "classes.txt").read_text() == YOLO["classes.txt"]
    assert (destination / trees[0] / "train.txt").read_text().startswith("./images/train/")
    assert (destination / trees[0] / "val.txt").read_bytes().endswith(b"\r\n")


VOC_XML = "<annotation>\n\t<filename>{}</filename>\n\t<object><name>{}</name></object>\n</annotation>"


MASK = "P2 4 4 255\n" + "0 15\n" * 8
"""Indices of two classes."""


def voc():
    tree = {}
    for stem in ("2007_01", "2007_02", "2007_03"):
        tree |= {f"V/JPEGImages/{stem}.png": None, f"V/Annotations/{stem}.xml": VOC_XML.format(f"{stem}.png", stem)}
        tree |= {f"V/SegmentationObject/{stem}.npy": stem, f"V/SegmentationClass/{stem}.pgm": MASK}
    tree["V/ImageSets/Main/train.txt"] = "2007_01\n2007_03\n"
    tree["V/ImageSets/Main/cat_train.txt"] = "2007_01  1\n2007_03 -1\n"
    return tree


def test_voc(images, noisy, write, tmp_path, destination):
    source = write(tmp_path / "voc", voc())
    done = images(*NAMED, source=source)
    assert done.status == 0
    root = destination / "V"
    listed = lines(root / "ImageSets/Main/train.txt")
    assert listed == ["2007_01-1", "2007_01-2", "2007_03-1", "2007_03-2"]
    assert lines(root / "ImageSets/Main/cat_train.txt") == [
        *("2007_01-1  1", "2007_01-2  1", "2007_03-1 -1", "2007_03-2 -1"),
    ]
    stems = [Path(name).stem for name in names(root / "JPEGImages", ".png")]
    assert len(stems) == 6
    assert set(listed) < set(stems)
    for stem in stems:
        own = stem[:-2]
        assert (root / f"Annotations/{stem}.xml").read_text() == VOC_XML.format(f"{stem}.png", own)
        assert (root / f"SegmentationObject/{stem}.npy").read_text() == own
        assert (root / f"SegmentationClass/{stem}.pgm").read_text() == MASK
    assert names(root, ".xml") == [f"Annotations/{stem}.xml" for stem in stems]
    assert len(names(root, ".pgm")) == 6
    assert noisy("verify", destination).status == 0


def coco():
    return {
        "info": {"year": 2017},
        "images": [
            {"id": 7, "file_name": "x.png", "width": 16, "coco_url": "http://example.org/x.png"},
            {"id": 3, "file_name": "y.png", "width": 16},
        ],
        "annotations": [
            {"id": 11, "image_id": 7, "category_id": 1, "bbox": [0, 0, 1.5, 2]},
            {"id": 12, "image_id": 7, "category_id": 2, "bbox": [0, 0, 3, 4]},
            {"id": 15, "image_id": 3, "category_id": 1, "bbox": [1, 1, 1, 1]},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def boxes_by_image(content):
    ids = [image["id"] for image in content["images"]]
    assert len(set(ids)) == len(ids)
    own = [one["id"] for one in content["annotations"]]
    assert len(set(own)) == len(own)
    assert {one["image_id"] for one in content["annotations"]} <= set(ids)
    return {
        image["file_name"]: [one["bbox"] for one in content["annotations"] if one["image_id"] == image["id"]]
        for image in content["images"]
    }


def test_coco(images, write, tmp_path, destination, tree):
    instances = "annotations/instances_train.json"
    content = {"train/x.png": None, "train/y.png": None, instances: json.dumps(coco())}
    source = write(tmp_path / "coco", content)
    assert images(*NAMED, source=source).status == 0
    made = json.loads((destination / instances).read_text())
    before = boxes_by_image(coco())
    assert boxes_by_image(made) == {
        f"{stem}-{copy}.png": before[f"{stem}.png"] for copy in (1, 2) for stem in ("x", "y")
    }
    assert all((destination / "train" / image["file_name"]).is_file() for image in made["images"])
    assert (made["info"], made["categories"]) == (coco()["info"], coco()["categories"])
    first = tree(destination)
    assert images(*NAMED, source=source).status == 0
    assert tree(destination) == first


def test_coco_of_some_images(images, write, tmp_path, destination):
    content = {"train/x.png": None, "train/y.png": None, "a.json": json.dumps(coco(), indent=1)}
    done = images(*NAMED, "--include", "*x.png", source=write(tmp_path / "coco", content))
    made = json.loads((destination / "a.json").read_text())
    assert list(boxes_by_image(made)) == ["x-1.png", "x-2.png"]
    assert len(made["annotations"]) == 4
    assert "a.json: 1 of 2 names in it are left out, as their files are" in done.err


def test_labelme(images, write, tmp_path, destination):
    clean = {"imagePath": "..\\pics\\a.png", "shapes": [{"label": "a.png"}], "imageData": "aGVsbG8="}
    beside = {"imagePath": "b.png", "shapes": [], "imageData": None}
    content = {"pics/a.png": None, "pics/b.png": None, "json/a.json": json.dumps(clean, indent=2)}
    content["pics/b.json"] = json.dumps(beside)
    source = write(tmp_path / "labelme", content)
    done = images(*NAMED, source=source)
    assert "json/a.json and others like it hold the clean image (imageData)" in done.err
    for copy in (1, 2):
        made = json.loads((destination / f"json/a-{copy}.json").read_text())
        assert made["imagePath"] == f"..\\pics\\a-{copy}.png"
        assert made["imageData"] is None
        made = json.loads((destination / f"pics/b-{copy}.json").read_text())
        assert made == {**beside, "imagePath": f"b-{copy}.png"}
    assert not (destination / "pics/b.json").exists()
    once = tmp_path / "once"
    assert "hold the clean image (imageData)" in images("--sidecars", "copy", source=source, to=once).err
    assert (once / "json/a.json").read_text() == content["json/a.json"].replace('"aGVsbG8="', "null")
    assert (once / "pics/b.json").read_text() == content["pics/b.json"]


def test_librispeech(noisy, write, tmp_path, destination):
    transcripts = "84-1-0000 GO DO YOU HEAR\n84-1-0001 BUT IN LESS THAN 0\n"
    content = {"84/1/84-1-0000.wav": None, "84/1/84-1-0001.wav": None, "84/1/84-1.trans.txt": transcripts}
    source = write(tmp_path / "libri", content)
    assert noisy("audio", source, destination, "--snr-db", "10", *NAMED, "--format", "flac").status == 0
    text = dict(line.split(" ", 1) for line in lines(destination / "84/1/84-1.trans.txt"))
    for path in destination.rglob("*.flac"):
        assert text.pop(path.stem) == {"0": "GO DO YOU HEAR", "1": "BUT IN LESS THAN 0"}[path.stem[-3]]
    assert text == {}


def test_kaldi(noisy, write, tmp_path, destination):
    """The folder passes what validate_data_dir.sh asks for: sorted, the same utterances everywhere."""
    content = {
        **dict.fromkeys(("wav/s1-a.wav", "wav/s1-a-0.wav", "wav/s2-c.wav"), None),
        "data/wav.scp": "s1-a wav/s1-a.wav\ns1-a-0 wav/s1-a-0.wav\ns2-c sox wav/s2-c.wav -t wav - |\n",
        "data/text": "s1-a hello\ns1-a-0 s1-a\ns2-c one two\n",
        "data/utt2spk": "s1-a s1\ns1-a-0 s1\ns2-c s2\n",
        "data/spk2utt": "s1 s1-a s1-a-0\ns2 s2-c\n",
        "data/spk2gender": "s1 f\ns2 m\n",
    }
    source = write(tmp_path / "kaldi", content)
    done = noisy("audio", source, destination, "--snr-db", "10", *NAMED)
    assert (done.status, "copied as it is" in done.err) == (0, False), done.err
    data = destination / "data"
    tables = {name: dict(line.split(" ", 1) for line in lines(data / name)) for name in ("wav.scp", "text", "utt2spk")}
    utterances = {"s1-a-1", "s1-a-2", "s1-a-0-1", "s1-a-0-2", "s2-c-1", "s2-c-2"}
    for name, table in tables.items():
        assert table.keys() == utterances
        assert lines(data / name) == sorted(lines(data / name))
    for utterance, words in tables["wav.scp"].items():
        (path,) = (word for word in words.split() if word.endswith(".wav"))
        assert Path(path).stem == utterance
        assert (destination / path).is_file()
    assert tables["text"]["s1-a-0-2"] == "s1-a"
    assert lines(data / "spk2utt") == ["s1 s1-a-1 s1-a-2 s1-a-0-1 s1-a-0-2", "s2 s2-c-1 s2-c-2"]
    assert (data / "spk2gender").read_text() == content["data/spk2gender"]


def test_kaldi_with_segments(noisy, write, tmp_path, destination):
    """Utterances are parts of recordings, and have ids of their own."""
    content = {
        "r1.wav": None,
        "data/wav.scp": "rec r1.wav\n",
        "data/segments": "u1 rec 0.0 0.1\nu2 rec 0.1 0.2\n",
        "data/text": "u1 rec\nu2 u1 two\n",
        "data/spk2utt": "s u1 u2\n",
    }
    source = write(tmp_path / "kaldi", content)
    done = noisy("audio", source, destination, "--snr-db", "10", *NAMED)
    assert (done.status, "copied as it is" in done.err) == (0, False), done.err
    data = destination / "data"
    assert lines(data / "wav.scp") == ["rec-1 r1-1.wav", "rec-2 r1-2.wav"]
    assert lines(data / "segments") == [
        *("u1-1 rec-1 0.0 0.1", "u1-2 rec-2 0.0 0.1", "u2-1 rec-1 0.1 0.2", "u2-2 rec-2 0.1 0.2"),
    ]
    assert lines(data / "text") == ["u1-1 rec", "u1-2 rec", "u2-1 u1 two", "u2-2 u1 two"]
    assert lines(data / "spk2utt") == ["s u1-1 u1-2 u2-1 u2-2"]


def test_kaldi_by_absolute_paths_is_left_as_a_whole(noisy, write, tmp_path, destination):
    content = {"u1-long.wav": None, "wav.scp": "u1-long /data/u1-long.wav\n", "text": "u1-long hello\n"}
    source = write(tmp_path / "kaldi", content)
    done = noisy("audio", source, destination, "--snr-db", "10", *NAMED)
    assert "wav.scp: names" in done.err
    assert "by absolute paths (/data/u1-long.wav), which lead to SRC, not to noisy copies" in done.err
    assert "text: goes by wav.scp" in done.err
    assert [(destination / name).read_text() for name in ("wav.scp", "text")] == [content["wav.scp"], content["text"]]


def test_hugging_face(images, write, tmp_path, destination):
    """metadata.csv and metadata.jsonl: file_name is relative to their own folder, and every file is named once."""
    content = {
        **dict.fromkeys(("train/a.png", "train/sub/b.png", "test/c.png"), None),
        "train/metadata.csv": 'file_name,text\na.png,"one, two"\nsub/b.png,"a.png\nnext"\n',
        "test/metadata.jsonl": '{"file_name": "c.png", "objects": {"bbox": [[1, 2.50, 3, 4]]}, "n": "\u00e9"}\n',
    }
    source = write(tmp_path / "hf", content)
    assert images(*NAMED, source=source).status == 0
    with (destination / "train/metadata.csv").open(newline="") as file:
        rows = [(row["file_name"], row["text"]) for row in csv.DictReader(file)]
    assert rows == [
        *(("a-1.png", "one, two"), ("a-2.png", "one, two")),
        *(("sub/b-1.png", "a.png\nnext"), ("sub/b-2.png", "a.png\nnext")),
    ]
    assert sorted(name for name, _ in rows) == names(destination / "train", ".png")
    entries = [json.loads(line) for line in lines(destination / "test/metadata.jsonl")]
    assert [entry.pop("file_name") for entry in entries] == ["c-1.png", "c-2.png"]
    assert entries == [{"objects": {"bbox": [[1, 2.5, 3, 4]]}, "n": "\u00e9"}] * 2


UNCHANGED = {
    **YOLO,
    "annotations.json": json.dumps({"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}, indent=3),
    "metadata.csv": "file_name,x\nimages/train/a.png, 1\n",
}


def test_names_that_stay_leave_all_as_it_is(images, write, tmp_path, destination):
    source = write(tmp_path / "same", UNCHANGED)
    done = images("--sidecars", "copy", "--std", "5,10", source=source)
    assert "copied as it is" not in done.err
    for name, text in UNCHANGED.items():
        for level in ("std-5", "std-10"):
            assert text is None or (destination / level / name).read_bytes() == text.encode()


def test_what_cannot_be_kept_true_is_said_before_the_run_starts(images, write, tmp_path, destination):
    content = {
        "a.png": None,
        "b.png": None,
        "half.csv": "image,class\na.png,1\ngone.png,2\n",
        "absolute.txt": "/data/a.png\n/data/b.png\n",
        "cvat.xml": '<annotations><image name="a.png"/></annotations>',
        "l/x.txt": "1",
        "l/a.txt": "1",
        "m/n/o/p/a.txt": "far from any image",
        "k/1/same.png": None,
        "k/2/same.png": None,
        "k/3/same.txt": "1",
    }
    source = write(tmp_path / "odd", content)
    words = [*NAMED, "--dry-run"]
    told = images(*words, source=source).err.splitlines()
    end = "it is copied as it is, and its entries lead to no file with --copies 2"
    assert f"half.csv: 1 of 2 names in it lead to nothing in SRC (the first: gone.png); {end}" in told
    assert f"cvat.xml: names images in a form that is not rewritten; {end}" in told
    assert any(line.startswith("absolute.txt: names images by absolute paths (/data/a.png)") for line in told)
    assert f"k/3/same.txt: may belong to k/1/same.png and k/2/same.png; {end}" in told
    assert not destination.exists()
    assert images(*NAMED, source=source).status == 0
    for name in ("half.csv", "absolute.txt", "cvat.xml", "k/3/same.txt", "m/n/o/p/a.txt"):
        assert (destination / name).read_text() == content[name]
    assert {path.name for path in (destination / "l").iterdir()} == {"x.txt", "a-1.txt", "a-2.txt"}


def test_what_exclude_names_is_no_label_of_other_images(images, write, tmp_path, destination):
    photos = ["images/train/a.png", "images/train/c.png", "images/val/a.png", "images/val/b.png", "images/train.png"]
    source = write(tmp_path / "src", dict.fromkeys(photos) | {"train.yaml": "a: 1\n", "scripts/train.py": "pass\n"})
    assert images(*NAMED, "--exclude", "images/val/**", source=source).status == 0
    assert names(destination / "images/val", ".png") == ["a.png", "b.png"]
    assert (destination / "train.yaml").exists()
    assert (destination / "scripts/train.py").exists()


@pytest.mark.parametrize(
    "content", ["01 -1\n02 1\n", "01,cat\n", "number,cls\n01,cat\n", "\ufefffile_name,n\naaaaaa.png,1\n"]
)
def test_lists_that_cannot_be_read_are_named(images, write, tmp_path, content):
    source = write(tmp_path / "src", dict.fromkeys(("01.png", "02.png", "aaaaaa.png")))
    encoding = "utf-16-le" if "aaaaaa" in content else "utf-8"
    (source / "t.csv").write_text(content, encoding=encoding)
    assert "t.csv: " in images(*NAMED, source=source).err


def test_lists_that_name_what_failed_are_told_of(images, write, tmp_path):
    source = write(tmp_path / "src", {"a.png": None, "b.png": None, "t.csv": "file_name,n\na.png,1\nb.png,2\n"})
    assert "not there" not in images(*NAMED, source=source).err
    (source / "b.png").write_bytes(b"x")
    assert "name the 1 image that failed name outputs that are not there" in images(*NAMED, source=source).err


def test_what_has_no_partner_is_counted_and_named(images, write, tmp_path):
    content = {f"images/{stem}.png": None for stem in "abcd"} | {f"labels/{stem}.txt": "0" for stem in "abcx"}
    source = write(tmp_path / "alone", content)
    done = images("--sidecars", "copy", source=source)
    assert "1 label without its image, 1 image without its label (-v names them)" in done.err
    named = images("--sidecars", "copy", "-v", source=source).err.splitlines()
    assert "labels/x.txt: is a label of no image here" in named
    assert "images/d.png: has no label, as most beside it have" in named


def test_links_where_nothing_is_rewritten(images, write, tmp_path, destination):
    source = write(tmp_path / "yolo", YOLO)
    done = images("--sidecars", "link", "--copies", "2", source=source)
    assert "2 side files are rewritten: copies, not links" in done.err
    assert (destination / "labels/train/a-2.txt").is_symlink()
    assert (destination / "labels/train/a-2.txt").read_text() == YOLO["labels/train/a.txt"]
    assert not (destination / "train.txt").is_symlink()
    assert lines(destination / "train.txt")[:2] == ["./images/train/a-1.png", "./images/train/a-2.png"]


def test_what_is_too_large_is_not_looked_into(images, write, tmp_path, destination, monkeypatch):
    monkeypatch.setattr("noisecli.run.labels.forms.LONGEST", 1 << 20)
    content = {"a.png": None, "list.txt": "a.png\n" * 200_000, "short.txt": "a.png\n"}
    source = write(tmp_path / "large", content)
    assert "list.txt: is larger than 1 MiB, and not looked into" in images(*NAMED, source=source).err
    assert (destination / "list.txt").read_text() == content["list.txt"]
    assert lines(destination / "short.txt") == ["a-1.png", "a-2.png"]


def test_labels_have_what_their_image_has_in_front_of_its_suffix(images, write, tmp_path, destination):
    source = write(tmp_path / "s", {"a.png": None, "a.txt": "1", "b.png": None, "b.txt": "2"})
    images(*NAMED, "--name", "{stem}{ext}-{copy}{ext}", source=source)
    stems = [name.removesuffix(".png") for name in names(destination, ".png")]
    assert stems == ["a.png-1", "a.png-2", "b.png-1", "b.png-2"]
    assert names(destination, ".txt") == [f"{stem}.txt" for stem in stems]


def test_templates_that_part_labels_from_images_are_told_of(images, write, tmp_path, destination):
    source = write(tmp_path / "s", {"a.png": None, "a.txt": "1"})
    words = ["--sidecars", "copy", "--dry-run", "--name"]
    assert "does not end in {ext}" in images(*words, "n{ext}{stem}", source=source).err
    assert "does not end in {ext}" not in images(*words, "n{stem}{ext}", source=source).err


def test_long_coco_that_is_not_rewritten_is_told_of(images, write, tmp_path, destination):
    """Its names are behind more annotations than are looked into of a file of no known form."""
    marks = [{"id": number, "image_id": 1} for number in range(50_000)]
    content = {"annotations": [*marks, {"id": None, "image_id": 1}], "images": [{"id": 1, "file_name": "a.png"}]}
    source = write(tmp_path / "s", {"a.png": None, "c.json": json.dumps(content)})
    said = images(*NAMED, source=source).err
    assert "c.json: names images in a form that is not rewritten" in said
    assert json.loads((destination / "c.json").read_text()) == content
