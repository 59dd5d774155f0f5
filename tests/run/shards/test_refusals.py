"""What is no part of one run is named, and nothing is done."""

import json
import os

import pytest


@pytest.fixture
def refused(noisy, tree):
    """Refuse a merge, with words, and leave everything as it was."""

    def merge(folder, *words, message):
        before = tree(folder)
        done = noisy("merge", folder, *words)
        assert done.status == 2, done
        assert message in done.err
        assert done.err.count("\n") == 1
        assert tree(folder) == before
        assert not folder.exists() or before

    return merge


@pytest.mark.parametrize(
    ("shard", "words"),
    [
        ("0/3", "counted from 1 to 3"),
        ("4/3", "counted from 1 to 3"),
        ("1/0", "from 1 to 100,000"),
        ("1/999999", "from 1 to 100,000"),
        ("3", "write i/n"),
        ("-1/3", "write i/n"),
        ("a/b", "write i/n"),
        ("1/3/3", "write i/n"),
    ],
)
def test_odd_shards(images, destination, shard, words):
    done = images("--shard", shard)
    assert done.status == 2
    assert words in done.err
    assert not destination.exists()


def test_one_file_has_no_parts(noisy, pictures, tmp_path):
    for destination in (tmp_path / "a.png", tmp_path / "folder"):
        done = noisy("images", pictures / "a.png", destination, "--std", "5", "--shard", "1/2")
        assert done.status == 2
        assert "--shard" in done.err
        assert not destination.exists()


def test_adversarial_runs_have_no_parts(noisy, pictures, destination):
    done = noisy("adversarial", pictures, destination, "--std", "5", "--eps", "1", "--model", "m", "--shard", "1/2")
    assert done.status == 2
    assert "batches of the gradient step are cut from all images" in done.err


def test_shards_and_whole_runs_do_not_mix(images, parts, tree, destination):
    parts("1/3")
    before = tree(destination)
    for words in ([], ["--shard", "1/4"], ["--manifest", "metadata.jsonl"], ["--force"], ["--dry-run"]):
        done = images(*words)
        assert done.status == 2, words
        assert "holds manifest.shard-1-of-3.jsonl" in done.err
        assert "noisecli merge" in done.err
    done = images("--shard", "2/3", "--manifest", "metadata.jsonl")
    assert done.status == 2
    assert images("--manifest", "manifest.shard-2-of-3.jsonl").status == 2
    assert tree(destination) == before
    assert images("--shard", "2/3").status == 0


def test_no_shard_goes_on_from_a_whole_run(images, tree, destination):
    assert images().status == 0
    before = tree(destination)
    done = images("--shard", "1/3")
    assert done.status == 2
    assert "go on without --shard" in done.err
    assert tree(destination) == before


def test_another_manifest_is_another_run(noisy, images, write_wav, parts, tmp_path, tree, destination):
    """Shards of sounds beside those of pictures, and each merged by itself."""
    for number in range(6):
        write_wav(tmp_path / f"sounds/{number}.wav", number)
    parts("1/2")
    for number in (1, 2):
        words = ["--manifest", "audio.jsonl", "--shard", f"{number}/2"]
        assert noisy("audio", tmp_path / "sounds", destination, "--std", "1%", *words).status == 0
    parts("2/2")
    assert noisy("merge", destination, "--manifest", "audio.jsonl").status == 0
    assert noisy("merge", destination).status == 0
    whole = tmp_path / "whole"
    assert images(to=whole).status == 0
    assert noisy("audio", tmp_path / "sounds", whole, "--std", "1%", "--manifest", "audio.jsonl").status == 0
    assert tree(destination) == tree(whole)


def test_files_of_somebody_else_stay(images, destination, tree):
    destination.mkdir()
    (destination / "mine.txt").write_text("mine")
    assert images("--shard", "1/2").status == 2
    (destination / "mine.txt").unlink()
    assert images("--shard", "1/2").status == 0
    (destination / "b.png").write_bytes(b"mine")
    before = tree(destination)
    done = images("--shard", "2/2")
    assert done.status == 2
    assert "b.png" in done.err
    assert tree(destination) == before


def test_side_files_with_names_of_shards_are_refused(images, pictures, destination):
    for name in ("manifest.jsonl", "manifest.shard-2-of-2.jsonl", "run.json"):
        (pictures / name).write_text("{}")
        for number in (1, 2):
            done = images("--shard", f"{number}/2", "--sidecars", "copy")
            assert done.status == 2
            assert name in done.err
        (pictures / name).unlink()


def test_nothing_to_merge(refused, noisy, images, tmp_path):
    refused(tmp_path / "none", message="holds no shards of manifest.jsonl")
    assert images(to=tmp_path / "whole").status == 0
    assert noisy("merge", tmp_path / "whole").status == 0
    assert noisy("merge", tmp_path / "whole", "--manifest", "other.jsonl").status == 2


def test_shards_that_are_missing_are_named(refused, parts, destination):
    parts("2/4")
    refused(destination, message="shards 1/4, 3/4, 4/4 are missing: run the same command again for each (or name")
    parts("1/4", "3/4")
    refused(destination, message="shard 4/4 is missing")


def test_a_shard_that_was_stopped_is_named(refused, images, fill, pictures, parts, destination):
    (pictures / "broken.png").write_bytes(b"broken")
    stopped = [number for number in (1, 2) if images("--shard", f"{number}/2", "--on-error", "stop").status == 3]
    assert len(stopped) == 1
    refused(destination, message=f"shard {stopped[0]}/2 was stopped before its end")


def test_shards_of_two_numbers(refused, parts, tmp_path):
    parts("1/2", to=tmp_path / "a")
    parts("2/3", to=tmp_path / "b")
    refused(tmp_path / "none", tmp_path / "a", tmp_path / "b", message="of runs in 2 and in 3 parts")


def test_one_shard_in_two_folders(refused, parts, tmp_path):
    parts("1/2", to=tmp_path / "a")
    parts("1/2", "2/2", to=tmp_path / "b")
    refused(tmp_path / "none", tmp_path / "a", tmp_path / "b", message="shard 1/2 is in")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "1"], "seed 0 and 1"),
        (["--std", "24"], "other options"),
        (["--copies", "2"], "other options"),
        (["--exclude", "a.png"], "other options"),
        (["--sidecars", "copy"], "other options"),
        (["--format", "bmp"], "format None and bmp"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_shards_of_other_options(refused, parts, tmp_path, words, message):
    parts("1/2", to=tmp_path / "a")
    parts("2/2", to=tmp_path / "b", words=words)
    refused(tmp_path / "none", tmp_path / "a", tmp_path / "b", message=f"are not of one run: {message}")


def test_sources_that_came_between_shards(refused, parts, fill, pictures, destination):
    parts("1/2")
    fill(pictures, "late.png")
    parts("2/2")
    refused(destination, message="or the files in SRC changed")
    parts("1/2", "2/2")


def test_latents_of_another_count(refused, noisy, destination):
    words = ["latents", destination, "--shape", "3", "--per-file", "5"]
    assert noisy(*words, "--count", "20", "--shard", "1/2").status == 0
    assert noisy(*words, "--count", "30", "--shard", "2/2").status == 0
    refused(destination, message="other options")


def change_run(folder, shard, change):
    path = folder / f"manifest.shard-{shard}.run.json"
    run = json.loads(path.read_text())
    change(run)
    path.write_text(json.dumps(run))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run["versions"].update(numpy="1.0"), "numpy"),
        (lambda run: run.update(noisecli="0.0"), "version of noisecli"),
        (lambda run: run.update(kind="audio"), "command images and audio"),
        (lambda run: run.pop("shard"), "is not that of shard 2/2"),
        (lambda run: run["shard"].update(number=1), "is not that of shard 2/2"),
        (lambda run: run["totals"].update(outputs=9), "its run.json counts 9"),
        (lambda run: run.clear(), "has lost its manifest or run.json"),
    ],
)
def test_run_json_that_says_otherwise(refused, parts, destination, change, message):
    parts("1/2", "2/2")
    change_run(destination, "2-of-2", change)
    refused(destination, message=message)


def test_files_that_are_gone_or_others(refused, noisy, images, parts, destination):
    parts("1/2", "2/2")
    content = (destination / "b.png").read_bytes()
    (destination / "b.png").unlink()
    refused(destination, message="b.png: is gone; run shard 2/2 again")
    (destination / "b.png").write_bytes(content + b"x")
    refused(destination, message="b.png: is not what its row says; run shard 2/2 again")
    (destination / "b.png").unlink()
    parts("2/2")
    assert noisy("merge", destination).status == 0


def test_a_row_in_two_shards(refused, parts, destination):
    parts("1/2", "2/2")
    first, second = (destination / f"manifest.shard-{number}-of-2.jsonl" for number in (1, 2))
    second.write_bytes(first.read_bytes() + second.read_bytes())
    change_run(destination, "2-of-2", lambda run: run["totals"].update(outputs=5))
    refused(destination, message="both shard 1/2 and shard 2/2 list it")


def test_names_that_are_taken(refused, noisy, parts, tmp_path, tree):
    parts("1/2", to=tmp_path / "a")
    parts("2/2", to=tmp_path / "b")
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "mine.txt").write_text("mine")
    refused(whole, tmp_path / "a", tmp_path / "b", message="noisecli did not make; choose a new folder\n")
    (whole / "mine.txt").unlink()
    # a run of noisecli, so that the folder is ours, yet not that name
    assert noisy("latents", whole, "--shape", "3", "--count", "3", "--manifest", "z.jsonl").status == 0
    (whole / "b.png").write_bytes(b"mine")
    before = {name: tree(tmp_path / name) for name in "ab"}
    refused(whole, tmp_path / "a", tmp_path / "b", message="b.png: already exists, and is not what shard 2/2 made")
    assert {name: tree(tmp_path / name) for name in "ab"} == before
    (whole / "b.png").unlink()
    (whole / "manifest.jsonl").write_text("mine")
    refused(whole, tmp_path / "a", tmp_path / "b", message="manifest.jsonl")
    (whole / "manifest.jsonl").unlink()
    assert noisy("merge", whole, tmp_path / "a", tmp_path / "b").status == 0
    assert noisy("verify", whole).status == 0


def test_folders_in_one_another(refused, parts, tmp_path):
    parts("1/2", to=tmp_path / "dst/a")
    parts("2/2", to=tmp_path / "dst/b")
    refused(tmp_path / "dst", tmp_path / "dst/a", tmp_path / "dst/b", message="one lies in the other")


def test_folders_without_shards(refused, parts, tmp_path):
    parts("1/2", to=tmp_path / "a")
    refused(tmp_path / "a", tmp_path / "none", message="no such folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "a", tmp_path / "empty", message="holds no shards")
    parts("2/2", to=tmp_path / "c", words=["--manifest", "metadata.jsonl"])
    refused(tmp_path / "a", tmp_path / "c", message="add --manifest metadata.jsonl")


def test_links_out_of_the_folder_are_not_followed(noisy, parts, tmp_path, tree):
    parts("1/2", to=tmp_path / "a")
    parts("2/2", to=tmp_path / "b")
    outside, whole = tmp_path / "outside", tmp_path / "whole"
    outside.mkdir()
    assert noisy("latents", whole, "--shape", "3", "--count", "3", "--manifest", "z.jsonl").status == 0
    (whole / "cats").symlink_to(outside)
    done = noisy("merge", whole, tmp_path / "a", tmp_path / "b")
    assert done.status == 3
    assert "symbolic link" in done.err
    assert os.listdir(outside) == []
    (whole / "cats").unlink()
    assert noisy("merge", whole, tmp_path / "a", tmp_path / "b").status == 0
    assert noisy("verify", whole).status == 0


@pytest.mark.parametrize("entry", ["FOLDER", "null", "[3]", '[["x"]]', "[[1, 2]]", "{}"])
def test_an_edited_journal_of_a_merge_removes_no_shards(noisy, images, parts, tmp_path, tree, entry):
    """Only rows that the whole manifest has prove that shards were merged."""
    parts("1/2", "2/2", to=tmp_path / "others")
    assert images("--seed", "1", to=tmp_path / "whole").status == 0
    before = tree(tmp_path / "others")
    merged = json.dumps([[str(tmp_path / "others"), 2]]) if entry == "FOLDER" else entry
    journal = f'{{"merging": true, "temporaries": ".noisecli-tmp-ab-"}}\n{{"merged": {merged}}}\n'
    (tmp_path / "whole/.noisecli-journal").write_text(journal)
    assert noisy("merge", tmp_path / "whole").status == 0
    assert tree(tmp_path / "others") == before
    assert not (tmp_path / "whole/.noisecli-journal").exists()
    assert noisy("verify", tmp_path / "whole").status == 0
