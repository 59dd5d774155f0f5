"""What the sources' own metadata says of a file is in the lines of its outputs."""

import json

import pytest

CAPTIONS = 'file_name,text,count,share,good,note\na.png,a cat,1,0.5,True,\ncats/c.png,"two, at least",2,1,False,007\n'


@pytest.fixture
def entries(destination):
    """Return the lines of a metadata.jsonl, by file_name."""

    def read(folder="."):
        lines = (destination / folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        return {entry["file_name"]: entry for entry in map(json.loads, lines)}

    return read


def test_a_table_beside_the_sources(images, pictures, export, entries, destination):
    (pictures / "metadata.csv").write_text(CAPTIONS + "gone.png,,,,,\n")
    assert images("--copies", "2").status == 0
    done = export("--to", "hf", "--metadata", pictures)
    assert done.status == 0
    found = entries()
    keys = ("text", "count", "share", "good", "note")
    for name in ("a-1.png", "a-2.png"):
        assert [found[name][key] for key in keys] == ["a cat", 1, 0.5, True, None]
    assert [found["cats/c-2.png"][key] for key in keys] == ["two, at least", 2, 1.0, False, "007"]
    assert [found["b-1.png"][key] for key in keys] == [None] * 5
    assert len({*map(tuple, found.values())}) == 1
    assert "6 outputs have no entry" in done.err
    assert "1 entry names no source" in done.err


def test_what_comes_from_where(images, fill, export, entries, tmp_path, destination):
    """Lines of splits, in a sweep with clean files; a label is theirs, a level ours; masks lead to their copies."""
    source = fill(tmp_path / "pictures", "train/cat/a.png", "test/b.png", "train/masks/a.png")
    train = {"file_name": "cat/a.png", "label": 7, "level": "x", "objects": {"bbox": [[1, 2]]}}
    (source / "train/metadata.jsonl").write_text(json.dumps(train | {"mask_file_name": "masks/a.png"}) + "\r\n\n")
    (source / "test/metadata.jsonl").write_text(json.dumps({"file_name": "./b.png", "label": 8}))
    words = ("--exclude", "**/masks/**", "--sidecars", "copy", "--exclude", "**/metadata.jsonl")
    assert images("--std", "5,9", "--with-clean", *words, source=source).status == 0
    done = export("--to", "hf", "--metadata", source, "--force")
    assert done.status == 0
    for level in ("5", "9"):
        for tree in ("clean", "noisy"):
            entry = entries(f"std-{level}/{tree}/train")["cat/a.png"]
            assert (entry["label"], entry["level"], entry["objects"]) == (7, f"std={level}", {"bbox": [[1, 2]]})
            assert entry["mask_file_name"] == "masks/a.png"
            assert (destination / f"std-{level}/{tree}/train/masks/a.png").is_file()
            other = entries(f"std-{level}/{tree}/test")["b.png"]
            assert (other["label"], other["objects"], other["mask_file_name"]) == (8, None, None)
    assert "level of" in done.err
    assert "test/metadata.jsonl: mask_file_name, objects null in every line" in done.err
    assert "beside the outputs" not in done.err


def test_files_that_did_not_come_along(images, pictures, export, entries):
    lines = [
        {"file_name": name, "mask_file_name": mask} for name, mask in (("a.png", "m/a.png"), ("b.png", "../b.png"))
    ]
    (pictures / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert images().status == 0
    done = export("--to", "hf", "--metadata", pictures)
    assert [entries()[name]["mask_file_name"] for name in ("a.png", "b.png")] == [None, None]
    assert "2 files are named in" in done.err


def test_one_file_is_that_of_the_root(images, pictures, export, entries, tmp_path):
    (tmp_path / "captions.jsonl").write_text('{"file_name": "cats/d.png", "text": "a dog"}\n')
    assert images().status == 0
    assert export("--to", "hf", "--metadata", tmp_path / "captions.jsonl").status == 0
    assert entries()["cats/d.png"]["text"] == "a dog"


MALFORMED = {
    "metadata.jsonl": [
        ('{"file_name": "a.png"}\n{"file_name": "b.png"\n', "line 2"),
        ('{"file_name": "a.png"}\n\n{"text": "b"}\n', "line 3"),
        ('{"file_name": "../a.png"}\n', "line 1"),
        ('{"file_name": "a.png"}\n{"file_name": "./a.png"}\n', "line 2 names ./a.png once more"),
        ('{"file_name": "a.png", "x": NaN}\n', "line 1"),
        ('{"file_name": "a.png", "x": 1e999}\n', "line 1"),
        ('{"file_name": "a.png", "x": "\\ud800"}\n', "line 1"),
        ("[" * 100_000, "line 1"),
        ("", "no entries"),
        ('{"file_name": "other.png"}\n', "none of its entries"),
    ],
    "metadata.csv": [
        ("file,text\na.png,x\n", "line 1"),
        ("file_name,text,text\na.png,x,y\n", "line 1"),
        ('file_name,text\na.png,"x\ny"\nb.png\n', "line 4 has 1 cells"),
        ('file_name,text\na.png,"x" y\n', "line 2"),
        (b"file_name,text\na.png,\xff\n", "not UTF-8"),
    ],
}


def test_what_is_malformed_is_refused_by_its_line(images, pictures, export, tree, tmp_path, destination):
    assert images().status == 0
    before = tree(destination)
    for name, cases in MALFORMED.items():
        for number, (content, words) in enumerate(cases):
            folder = tmp_path / f"{name}-{number}"
            folder.mkdir()
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
            done = export("--to", "hf", "--metadata", folder)
            assert (done.status, done.err.count("\n")) == (2, 1), (content, done.err)
            assert words in done.err
            assert str(folder) in done.err
    missing = export("--to", "hf", "--metadata", tmp_path / "none")
    assert (missing.status, missing.err) == (
        2,
        f"noisecli: {tmp_path / 'none'}: no such file or folder; name the folder that was noised\n",
    )
    assert export("--to", "csv", "--metadata", pictures).status == 2
    assert tree(destination) == before


def test_a_table_beside_ours_is_not_read_and_not_lost(images, pictures, export, tree, destination):
    (pictures / "metadata.csv").write_text(CAPTIONS)
    assert images("--sidecars", "copy").status == 0
    before = tree(destination)
    for words in ([], ["--force"], ["--metadata", pictures]):
        done = export("--to", "hf", *words)
        assert done.status == 2
        assert "metadata.csv: Hugging Face datasets read no other form beside metadata.jsonl" in done.err
    assert tree(destination) == before


def test_what_was_merged_is_not_lost_by_forgetting_it(images, pictures, export, entries):
    (pictures / "metadata.csv").write_text(CAPTIONS)
    assert images().status == 0
    assert export("--to", "hf", "--metadata", pictures).status == 0
    done = export("--to", "hf")
    assert done.status == 2
    assert "has text, count, share, good, note too" in done.err
    assert export("--to", "hf", "--metadata", pictures).status == 0
    assert entries()["a.png"]["text"] == "a cat"
    assert export("--to", "hf", "--force").status == 0
    assert "text" not in entries()["a.png"]


def test_hugging_face_reads_what_was_merged(images, fill, export, destination, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets", reason="needs datasets: the extra named readers")
    source = fill(tmp_path / "pictures", "train/a.png", "train/b.png", "test/c.png")
    rows = {"train": ["a.png,3,a cat", "b.png,,"], "test": ["c.png,4,a dog"]}
    for split, lines in rows.items():
        (source / split / "metadata.csv").write_text("\n".join(["file_name,age,text", *lines, ""]))
    assert images("--snr-db", "5..15", source=source).status == 0
    assert export("--to", "hf", "--metadata", source).status == 0
    loaded = datasets.load_dataset("imagefolder", data_dir=str(destination), cache_dir=str(tmp_path / "c"))
    assert loaded["train"]["text"][:] == ["a cat", None]
    assert (loaded["train"]["age"][:], loaded["test"]["age"][:]) == ([3, None], [4])
    assert all(5 <= drawn <= 15 for split in loaded for drawn in loaded[split]["drawn"])
    assert loaded["test"][0]["image"].size == (16, 12)
    assert "label" not in loaded["train"].features
