"""Files that name many others, rewritten for two copies: bytes to bytes."""

import json

import pytest

from noisecli.run.labels import forms, inside, kaldi
from noisecli.run.labels.references import Index, renamed

SOURCES = ("images/train/a.png", "images/train/my cat.png", "images/val/d-1.png", "000123.png")
GONE = ("images/gone/x.png",)
OTHERS = ("masks/a.png", "train.txt")


def look_in(name):
    index = Index([*SOURCES, *GONE], OTHERS)
    return lambda references, stems=True: index.look(name, references, stems=stems)


def rewritten(name, text, copies=2):
    """Return what a file becomes; None where it is of no form, and what is missing where it is not whole."""
    reading = forms.read(name, text.encode(), look_in(name), {})
    if reading is None:
        return None
    if not reading.names.is_whole:
        return reading.names.missing or reading.names.absolute

    def swap(reference, copy):
        path = reading.names.found.get(reference)
        if path is None or path in GONE:
            return reference if path is None else None
        stem, _, suffix = path.rpartition(".")
        return renamed(reference, path, f"{stem}_{copy}.{suffix}")

    return reading.write(swap, copies)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sets/train.txt", "a\nd-1", "a_0\na_1\nd-1_0\nd-1_1"),
        ("t.txt", "my cat\n\na\n", "my cat_0\nmy cat_1\n\na_0\na_1\n"),
        ("t.txt", "images/train/my cat.png\n", "images/train/my cat_0.png\nimages/train/my cat_1.png\n"),
        (
            "t.txt",
            "data/obj/images/train/a.png\r\n",
            "data/obj/images/train/a_0.png\r\ndata/obj/images/train/a_1.png\r\n",
        ),
        ("images/train/t.txt", "a.png 3\n", "a_0.png 3\na_1.png 3\n"),
        ("lists/t.txt", "../images/val/d-1.png\n", "../images/val/d-1_0.png\n../images/val/d-1_1.png\n"),
        (
            "t.lst",
            "images/train/a.png masks/a.png\n",
            "images/train/a_0.png masks/a_0.png\nimages/train/a_1.png masks/a_1.png\n",
        ),
        ("metadata.csv", "a|one|two\nd-1|a|\n", "a_0|one|two\na_1|one|two\nd-1_0|a|\nd-1_1|a|\n"),
        ("t.txt", "images/gone/x.png\nimages/train/a.png\n", "images/train/a_0.png\nimages/train/a_1.png\n"),
        ("l.csv", "id,label\n000123,cat\n", "id,label\n000123_0,cat\n000123_1,cat\n"),
        ("l.csv", '"image";"n"\r\n"a.png";"1,5"\r\n', '"image";"n"\r\n"a_0.png";"1,5"\r\n"a_1.png";"1,5"\r\n'),
        (
            "l.tsv",
            "n\tpath\tmask\n1\timages/train/a.png\tmasks/a.png\n",
            "n\tpath\tmask\n1\timages/train/a_0.png\tmasks/a_0.png\n1\timages/train/a_1.png\tmasks/a_1.png\n",
        ),
        ("l.json", '{"a.png": 3, "d-1.png": [1]}', '{"a_0.png": 3, "a_1.png": 3, "d-1_0.png": [1], "d-1_1.png": [1]}'),
        ("l.json", '[{"image":"a.png","n":1}]\n', '[{"image":"a_0.png","n":1},{"image":"a_1.png","n":1}]\n'),
        (
            "m.jsonl",
            '{"image": "images/train/a.png", "x": "a b"}',
            '{"image": "images/train/a_0.png", "x": "a b"}\n{"image": "images/train/a_1.png", "x": "a b"}\n',
        ),
    ],
)
def test_rewritten(name, text, expected):
    assert rewritten(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("labels/train/q.txt", "0 .5 .5 .1 .1\n", None),
        ("classes.txt", "cat\ndog\na\n", None),
        ("README.txt", "a\nfile of words, and more words\n", None),
        ("notes.csv", "id,label\n1,cat\n", None),
        ("c.json", '{"model": "a", "lr": 1e-3, "b": []}', None),
        ("broken.json", '{"images": [', None),
        ("t.txt", "images/train/a.png\nimages/train/nowhere.png\n", ["images/train/nowhere.png"]),
        ("t.txt", "https://example.org/images/train/a.png\n", None),
        ("t.txt", "/data/images/train/a.png\n", "/data/images/train/a.png"),
        ("t.txt", "C:\\data\\a.png\n", "C:\\data\\a.png"),
    ],
)
def test_left_as_it_is(name, text, expected):
    assert rewritten(name, text) == expected


@pytest.mark.parametrize("indent", [None, 2])
def test_coco_ids_are_fresh_and_the_same_each_time(indent):
    images = [{"id": "b", "file_name": "a.png"}, {"id": "c", "file_name": "gone/x.png"}]
    annotations = [{"id": 5, "image_id": "b"}, {"id": 9, "image_id": "c"}, {"id": 2, "image_id": "b"}]
    text = json.dumps({"images": images, "annotations": annotations}, indent=indent)
    made = rewritten("a.json", text)
    assert made == rewritten("a.json", text)
    assert made.count("\n") > 5 if indent else "\n" not in made
    assert json.loads(made) == {
        "images": [{"id": "b", "file_name": "a_0.png"}, {"id": "b-2", "file_name": "a_1.png"}],
        "annotations": [
            *({"id": 5, "image_id": "b"}, {"id": 2, "image_id": "b"}),
            *({"id": 15, "image_id": "b-2"}, {"id": 12, "image_id": "b-2"}),
        ],
    }


@pytest.mark.parametrize(
    ("label", "old", "new"),
    [
        (
            "a.xml",
            "<a><filename> a.jpg </filename><filename>a.jpg</filename>",
            "<a><filename> a-1.jpg </filename><filename>a.jpg</filename>",
        ),
        ("a.xml", "<filename>a</filename>", "<filename>a-1</filename>"),
        ("a.xml", "<filename>b.jpg</filename>", "<filename>b.jpg</filename>"),
        (
            "a.json",
            '{"label": "a.jpg", "image": {"file_name": "x/a.jpg"}}',
            '{"label": "a.jpg", "image": {"file_name": "x/a-1.jpg"}}',
        ),
        (
            "a.json",
            '{"imagePath":"..\\\\i\\\\a.jpg","imageData":\n"aGk="}',
            '{"imagePath":"..\\\\i\\\\a-1.jpg","imageData":\nnull}',
        ),
        ("a.json", '{"file": "aa.jpg"}', '{"file": "aa.jpg"}'),
        ("a.txt", "a.jpg", "a.jpg"),
    ],
)
def test_inside_of_a_label(label, old, new):
    assert inside.rewrite(label, old.encode(), "i/a.jpg", "i/a-1.jpg").decode() == new


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.txt", "\ufeffa.png\nd-1.png\n", "\ufeffa_0.png\na_1.png\nd-1_0.png\nd-1_1.png\n"),
        ("t.txt", "zzz.png\na.png\n", ["zzz.png"]),
        ("t.txt", "zzz\na\nd-1\n", ["zzz"]),
        ("l.csv", '\ufeff"file_name","n"\r\n"a.png","1"\r\n',
         '\ufeff"file_name","n"\r\n"a_0.png","1"\r\n"a_1.png","1"\r\n'),
        # numbers that are the stems of other files
        ("l.csv", "id,file_name\n000123,a.png\na,000123.png\n",
         "id,file_name\n000123,a_0.png\n000123,a_1.png\na,000123_0.png\na,000123_1.png\n"),
        ("l.csv", "id,file_name\na,a.png\n", "id,file_name\na_0,a_0.png\na_1,a_1.png\n"),
    ],
)  # fmt: skip
def test_marks_first_lines_and_numbers(name, text, expected):
    assert rewritten(name, text) == expected


def coco(images, annotations, **others):
    return json.dumps({"images": images, "annotations": annotations, **others})


@pytest.mark.parametrize(("first", "second"), [("x", "x-2"), (-3, 1), (7, 8), (1.0, 2), ("a", "b")])
def test_ids_of_coco_never_meet(first, second):
    images = [{"id": first, "file_name": "a.png"}, {"id": second, "file_name": "d-1.png"}]
    marks = [{"id": number, "image_id": image["id"]} for number in (-1, 5) for image in images]
    for number, mark in enumerate(marks):
        mark["id"] = number - 1
    made = json.loads(rewritten("c.json", coco(images, marks), copies=3))
    ids = [image["id"] for image in made["images"]]
    assert len(set(ids)) == len(ids) == 6
    own = [mark["id"] for mark in made["annotations"]]
    assert len(set(own)) == len(own) == 12
    assert sorted(map(str, (mark["image_id"] for mark in made["annotations"]))) == sorted(map(str, ids * 2))


@pytest.mark.parametrize(
    "text",
    [
        coco([{"id": 1, "file_name": "a.png"}], [{"id": 1, "image_id": "1"}]),
        coco([{"id": 1, "file_name": "a.png"}], [{"id": 1.5, "image_id": 1}]),
        coco([{"id": 1, "file_name": "a.png"}], [{"id": None, "image_id": 1}]),
        coco([{"id": 1, "file_name": "a.png"}], [], pairs=[{"image_id": 1}]),
        coco([{"id": 1, "file_name": "a.png"}], [], groups={"all": [{"img_ids": [1]}]}),
        coco([{"id": 1, "file_name": "a.png"}], [], scores=[{"ann_id": 1}]),
        coco([{"id": 1, "file_name": "a.png", "note": "\ud800"}], []),
        '{"images": [{"id": 1, "file_name": "a.png", "note": "\\udc80"}], "annotations": []}',
        '{"images": [{"id": 1, "file_name": "a.png", "area": 1e400}], "annotations": []}',
        '{"images": [{"id": 1, "file_name": "a.png", "n": 1, "n": 2}], "annotations": []}',
        '{"file_name": "a.png", "n": 1, "n": 2}\n',
    ],
)
def test_json_that_would_lose_something_is_of_no_form(text):
    assert rewritten("c.json", text) is None


def test_ids_of_kaldi_stay_where_there_is_one_copy():
    index = Index(["wav/r1.wav", "wav/r2.wav"], [])
    look = lambda references, stems=True: index.look("wav.scp", references, stems=stems)  # noqa: E731
    table, segments = "rec1 wav/r1.wav\nrec2 wav/r2.wav\n", "rec1-u1 rec1 0 1\nrec1-u2 rec1 1 2\n"
    ids = kaldi.ids_of(table, segments, look)

    def made(name, text):
        reading = forms.read(name, text.encode(), look, ids)
        return reading.write(lambda own, copy: own.replace("r1.wav", "r1.flac").replace("r2.wav", "r2.flac"), 1)

    assert made("wav.scp", table) == "rec1 wav/r1.flac\nrec2 wav/r2.flac\n"
    for name, text in {
        "segments": segments,
        "text": "rec1-u1 a\nrec1-u2 b\n",
        "spk2utt": "s rec1-u1 rec1-u2\n",
    }.items():
        assert made(name, text) == text


VOC = {
    "<a><filename>{}</filename></a>": ("f.jpg", "f-1.jpg"),
    "<a><filename>JPEGImages/{}</filename></a>": ("f.jpg", "f-1.jpg"),
    "<a><!-- <filename>f.jpg</filename> --><filename>\n {} </filename></a>": ("f.jpg", "f-1.jpg"),
    "<a><filename><![CDATA[{}]]></filename></a>": ("f.jpg", "f-1.jpg"),
    "<a><filename>{}</filename><x>f.jpg</x></a>": ("f.JPG", "f-1.jpg"),
}


@pytest.mark.parametrize("text", VOC)
def test_voc_spells_its_image_in_many_ways(text):
    old, new = VOC[text]
    made = inside.rewrite("f.xml", text.replace("{}", old).encode(), "p/f.jpg", "p/f-1.jpg")
    assert made.decode() == text.replace("{}", new)


def test_voc_in_its_own_encoding():
    head = '<?xml version="1.0" encoding="ISO-8859-1"?><a><filename>{}</filename></a>'
    made = inside.rewrite("é.xml", head.format("é.jpg").encode("latin-1"), "é.jpg", "é-1.jpg")
    assert made == head.format("é-1.jpg").encode("latin-1")
    euro = '<?xml version="1.0" encoding="windows-1252"?><filename>{}</filename>'
    made = inside.rewrite("€.xml", euro.format("€.jpg").encode("cp1252"), "€.jpg", "€-1.jpg")
    assert made == euro.format("€-1.jpg").encode("cp1252")
    plain = inside.rewrite("x.xml", b"<filename><![CDATA[a&b.jpg]]></filename>", "a&b.jpg", "a&b-1.jpg")
    assert plain == b"<filename><![CDATA[a&b-1.jpg]]></filename>"
    assert inside.rewrite("x.xml", b"<filename>o&apos;x.jpg</filename>", "o'x.jpg", "o'x-1.jpg") == (
        b"<filename>o'x-1.jpg</filename>"
    )
