"""metadata.jsonl: one in each split folder, every key in every line, every file there."""

import json

import pytest

KEYS = {"file_name", "label", "noisy", "level", "copy", "source", "std", "std_fraction", "measured_std"}


@pytest.fixture
def metadata(destination):
    """Return the lines of every metadata.jsonl, by its folder."""

    def read():
        found = sorted(destination.rglob("metadata.jsonl"))
        lines = {path: path.read_text(encoding="utf-8").splitlines() for path in found}
        return {path.parent.relative_to(destination).as_posix(): list(map(json.loads, lines[path])) for path in found}

    return read


@pytest.mark.parametrize(
    ("names", "words", "folders"),
    [
        (["cat/a.png", "dog/b.png"], [], ["."]),
        (["train/cat/a.png", "train/dog/b.png", "test/cat/c.png"], [], ["test", "train"]),
        (["train/cat/a.png"], ["--std", "5,9"], ["std-5/train", "std-9/train"]),
        (["cat/a.png", "dog/b.png"], ["--with-clean"], ["clean", "noisy"]),
        (["data/val-1/cat/a.png", "data/train-1/cat/b.png"], [], ["data/train-1", "data/val-1"]),
        (["latest/a.png", "z/b.png"], [], ["."]),
    ],
    ids=["no splits", "splits", "sweep of splits", "with clean", "splits below", "no split by its name"],
)
def test_every_split_folder_tells_of_its_own_files(
    images, fill, export, metadata, destination, tmp_path, names, words, folders
):
    assert images(*words, source=fill(tmp_path / "pictures", *names)).status == 0
    assert export("--to", "hf").status == 0
    found = metadata()
    assert list(found) == folders
    told = set()
    for folder, entries in found.items():
        for entry in entries:
            path = destination / folder / entry["file_name"]
            assert path.is_file()
            assert set(entry) == KEYS
            assert None not in entry.values()
            assert entry["label"] == path.parent.name
            assert [type(entry[key]) for key in ("std", "std_fraction", "measured_std")] == [float] * 3
            assert entry["noisy"] == (folder != "clean")
            told.add(path)
    assert told == set(destination.rglob("*.png"))


def test_where_no_picture_has_a_class_there_is_no_label(images, fill, export, metadata, tmp_path):
    assert images(source=fill(tmp_path / "pictures", "a.png", "train/b.png")).status == 0
    assert export("--to", "hf").status == 0
    assert [set(entry) for entries in metadata().values() for entry in entries] == [KEYS - {"label"}] * 2


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["--camera", "sidd"], {"shot", "speckle"}),
        (["--corruption", "shot", "--severity", "2"], {"photons"}),
        (["--corruption", "impulse", "--severity", "2"], {"amount"}),
    ],
)
def test_noises_that_are_not_white_say_how_strong_they_are(
    noisy, pictures, export, metadata, rows, destination, words, own
):
    assert noisy("images", pictures, destination, *words).status == 0
    assert export("--to", "hf").status == 0
    for entry in metadata()["."]:
        assert entry.keys() - KEYS == own
        row = rows(destination)[entry["file_name"]]
        assert {key: row[key] for key in own} == {key: entry[key] for key in own}


def test_a_picture_without_a_class_has_none(images, fill, export, metadata, tmp_path):
    assert images(source=fill(tmp_path / "pictures", "a.png", "cat/b.png", "test/c.png")).status == 0
    done = export("--to", "hf")
    labels = {folder: [entry["label"] for entry in entries] for folder, entries in metadata().items()}
    assert labels == {".": [None, "cat"], "test": [None]}
    assert "test/metadata.jsonl: label null in every line" in done.err


def test_it_is_written_again_without_being_asked_twice(images, pictures, fill, export, metadata):
    assert images(source=pictures).status == 0
    assert export("--to", "hf").status == 0
    fill(pictures, "new/one.png")
    assert images(source=pictures).status == 0
    assert export("--to", "hf").status == 0
    assert "new/one.png" in {entry["file_name"] for entry in metadata()["."]}


def test_captions_that_came_along_are_kept(images, pictures, export, destination):
    captions = '{"file_name": "a.png", "text": "a stripe"}\n'
    (pictures / "metadata.jsonl").write_text(captions)
    assert images("--sidecars", "copy", source=pictures).status == 0
    done = export("--to", "hf")
    assert done.status == 2
    assert "--force" in done.err
    assert (destination / "metadata.jsonl").read_text() == captions
    assert export("--to", "hf", "--force").status == 0
    assert (destination / "metadata.jsonl").read_text() != captions


@pytest.mark.parametrize("change", ["label", "added", "source", "text"])
def test_what_was_changed_by_hand_is_kept(images, fill, export, destination, tmp_path, change):
    assert images(source=fill(tmp_path / "pictures", "cat/a.png", "dog/b.png")).status == 0
    assert export("--to", "hf").status == 0
    path = destination / "metadata.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if change == "added":
        lines.append({**lines[1], "file_name": "mine.png"})
    else:
        lines[1][change] = "mine"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    before = path.read_text()
    done = export("--to", "hf")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert f"line {3 if change == 'added' else 2} " in done.err
    assert path.read_text() == before
    assert export("--to", "hf", "--force").status == 0
    assert path.read_text() != before


def test_another_requests_lines_are_written_anew(images, fill, export, destination, tmp_path):
    pictures = fill(tmp_path / "pictures", "cat/a.png", "dog/b.png")
    assert images(source=pictures).status == 0
    assert export("--to", "hf").status == 0
    before = (destination / "metadata.jsonl").read_text()
    assert images("--seed", "7", source=pictures).status == 0
    assert export("--to", "hf").status == 0
    assert (destination / "metadata.jsonl").read_text() != before


def test_the_manifest_itself_is_kept(images, pictures, export, destination):
    assert images("--manifest", "metadata.jsonl", source=pictures).status == 0
    before = (destination / "metadata.jsonl").read_bytes()
    assert export("--to", "hf", "--manifest", "metadata.jsonl", "--force").status == 2
    assert (destination / "metadata.jsonl").read_bytes() == before


def test_the_run_goes_on_beside_it(images, noisy, pictures, export, destination):
    assert images(source=pictures).status == 0
    assert export("--to", "hf").status == 0
    assert noisy("verify", destination).status == 0
    assert images("--json", source=pictures).summary["kept"] == 5


@pytest.fixture
def pretend(destination):
    """Make a finished run one of another kind, with other values in its first row."""

    def edit(kind, **changes):
        run = json.loads((destination / "run.json").read_text())
        (destination / "run.json").write_text(json.dumps({**run, "kind": kind}))
        manifest = destination / "manifest.jsonl"
        first, *others = manifest.read_text().splitlines()
        manifest.write_text("\n".join([json.dumps(json.loads(first) | changes), *others, ""]))

    return edit


@pytest.mark.parametrize("kind", ["weights", "arrays", "latents", "painting"])
def test_other_kinds_are_refused(images, pictures, export, destination, pretend, kind):
    assert images(source=pictures).status == 0
    pretend(kind)
    done = export("--to", "hf")
    assert done.status == 2
    assert f"not of {kind}" in done.err
    assert not (destination / "metadata.jsonl").exists()


def test_adversarial_images_are_images(images, pictures, export, metadata, pretend):
    """Without noise they still are not what they were: the step is in them."""
    assert images(source=pictures).status == 0
    pretend("adversarial", eps=8.0, applied=False)
    done = export("--to", "hf")
    assert done.status == 0
    assert 'load_dataset("imagefolder"' in done.err
    [entries] = metadata().values()
    assert len(entries) == 5
    assert all(entry["noisy"] for entry in entries)


def test_an_archive_of_adversarial_samples_is_refused_by_its_name(images, pictures, export, destination, pretend):
    assert images(source=pictures).status == 0
    pretend("adversarial", format="npz")
    done = export("--to", "hf")
    assert done.status == 2
    assert "a.png: is an archive of arrays" in done.err
    assert not (destination / "metadata.jsonl").exists()


def test_hugging_face_reads_it(images, fill, export, destination, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets", reason="needs datasets: the extra named readers")
    names = ["train/cat/a.png", "train/dog/b.png", "test/cat/c.png"]
    assert images("--std", "5,25", source=fill(tmp_path / "pictures", *names)).status == 0
    assert export("--to", "hf").status == 0
    loaded = datasets.load_dataset("imagefolder", data_dir=str(destination / "std-25"), cache_dir=str(tmp_path / "c"))
    assert {split: loaded[split]["label"][:] for split in loaded} == {"train": ["cat", "dog"], "test": ["cat"]}
    assert loaded["train"]["std"][:] == [25.0, 25.0]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"label": "dog"', '"label": "tiger"'),
        lambda text: text + '{"file_name": "cat/extra.png", "label": "cat", "noisy": false}\n',
        lambda text: text + "a note\n",
    ],
)
def test_lines_that_were_edited_or_added_stay(images, fill, export, destination, tmp_path, edit):
    source = fill(tmp_path / "pictures", "cat/a.png", "dog/b.png")
    assert images(source=source).status == 0
    assert export("--to", "hf").status == 0
    path = destination / "metadata.jsonl"
    whole = path.read_text()
    path.write_text(edit(whole))
    done = export("--to", "hf")
    assert (done.status, "was added or edited" in done.err) == (2, True)
    assert path.read_text() == edit(whole)
    assert export("--to", "hf", "--force").status == 0
    assert path.read_text() == whole
    # a request that changed is no edit
    assert images("--std", "9", source=fill(source, "dog/c.png")).status == 0
    assert export("--to", "hf").status == 0
    assert path.read_text() != whole


@pytest.mark.parametrize("name", ["manifest.jsonl", "run.json", "cat/a.png", "notes.txt", "sidecars.jsonl"])
def test_a_table_never_replaces_the_runs_own_files(images, fill, export, destination, tmp_path, tree, name):
    source = fill(tmp_path / "pictures", "cat/a.png", "dog/b.png")
    (source / "notes.txt").write_text("notes")
    assert images("--sidecars", "copy", source=source).status == 0
    before = tree(destination)
    assert export("--to", "csv", "-o", destination / name, "--force").status == 2
    assert tree(destination) == before
    assert export("--to", "csv", "-o", destination / "all.csv").status == 0
