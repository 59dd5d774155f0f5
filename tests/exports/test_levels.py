"""What was drawn, and whether anything was added, in every export; and no label that is empty."""

import json

import pytest

EPS = {"eps": 8.0, "eps_fraction": 0.031}


@pytest.fixture
def change(destination):
    """Change every row of the manifest."""

    def edit(**changes):
        manifest = destination / "manifest.jsonl"
        rows = [json.loads(line) | changes for line in manifest.read_text().splitlines()]
        manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    return edit


def test_what_was_drawn_is_in_every_export(images, animals, export, table, rows, destination):
    assert images("--std", "5..50", "--with-clean", source=animals).status == 0
    found = rows(destination)
    drawn = [row["drawn"] for row in found.values()]
    assert len({*drawn}) == 7
    pairs = table(export("--to", "pairs").out)
    assert list(pairs[0]) == ["clean", "noisy", "level", "drawn"]
    assert [float(pair["drawn"]) for pair in pairs] == drawn
    labels = table(export("--to", "labels").out)
    assert list(labels[0]) == ["file", "label", "class", "level", "drawn"]
    # a clean file has its noisy one's
    assert [float(row["drawn"]) for row in labels] == [value for value in drawn for _ in range(2)]
    assert [float(row["drawn"]) for row in table(export("--to", "csv").out)] == drawn
    assert export("--to", "hf").status == 0
    for tree in ("clean", "noisy"):
        lines = (destination / tree / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["drawn"] for line in lines] == drawn


def test_chance_draws_nothing(images, animals, export, table):
    assert images("--snr-db", "10..30", "--prob", "0.5", "--seed", "3", source=animals).status == 0
    found = table(export("--to", "labels").out)
    assert {row["label"] for row in found} == {"0", "1"}
    assert all((row["drawn"] == "") == (row["label"] == "0") for row in found)


def test_columns_that_say_nothing_are_left_out(images, fill, export, table, tmp_path):
    assert images("--with-clean", source=fill(tmp_path / "flat", "a.png", "train/b.png")).status == 0
    assert list(table(export("--to", "pairs").out)[0]) == ["clean", "noisy"]
    assert list(table(export("--to", "labels").out)[0]) == ["file", "label", "level"]
    assert "class" not in table(export("--to", "csv").out)[0]


def test_levels_of_a_sweep(images, animals, export, table):
    assert images("--std", "0,25", "--with-clean", source=animals).status == 0
    pairs = table(export("--to", "pairs").out)
    assert {(pair["level"], pair["noisy"].split("/")[0]) for pair in pairs} == {
        ("std=0", "std-0"),
        ("std=25", "std-25"),
    }


@pytest.mark.parametrize("words", [["--std", "0,25"], ["--var", "0,9,99"], ["--std", "0..50", "--levels", "3"]])
def test_labels_of_a_sweep_with_a_level_of_none(images, animals, export, table, samples, destination, words):
    assert images(*words, source=animals).status == 0
    found = table(export("--to", "labels").out)
    assert {row["label"] for row in found} == {"0", "1"}
    for row in found:
        tree, _, below = row["file"].partition("/")
        changed = (samples(destination / row["file"]) != samples(animals / below)).any()
        assert (row["label"] == "1") == changed == (not tree.endswith("-0"))


def test_labels_of_severities_that_begin_with_none(images, animals, export, table):
    assert images("--severity", "0..1", source=animals).status == 0
    found = table(export("--to", "labels").out)
    assert {(row["label"], row["drawn"]) for row in found} == {("0", "0.0"), ("1", "1.0")}


@pytest.mark.parametrize("words", [["--std", "5,25"], ["--std", "0"], ["--snr-db", "0,10"]])
def test_labels_need_files_of_both_sorts(images, animals, export, words):
    assert images(*words, source=animals).status == 0
    done = export("--to", "labels")
    assert (done.status, done.out) == (2, "")
    assert "--std 0,25" in done.err


def test_a_step_is_a_change_without_noise(images, animals, export, table, change):
    """Adversarial outputs of --std 0 are not what their sources are."""
    assert images("--std", "0", "--with-clean", source=animals).status == 0
    assert {row["label"] for row in table(export("--to", "labels").out)} == {"0"}
    change(**EPS)
    found = table(export("--to", "labels").out)
    assert [row["label"] for row in found] == ["0", "1"] * 7
