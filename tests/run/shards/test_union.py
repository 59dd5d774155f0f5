"""Shards, merged, are the run that was never in parts: every byte, every name, every link."""

import json
import os
import re

import pytest

CASES = [
    ("images", []),
    ("images", ["--with-clean", "--sidecars", "copy", "--std", "5,50", "--copies", "2"]),
    ("images", ["--sidecars", "copy", "--format", "jpg", "--name", "{stem}-noisy{ext}", "--std", "9"]),
    ("images", ["--sidecars", "link", "--std", "9"]),
    ("audio", ["--sidecars", "copy", "--copies", "2"]),
    ("arrays", []),
    ("weights", ["--sidecars", "copy"]),
    ("latents", []),
    ("images", ["--with-std-map", "--with-clean", "--sidecars", "copy", "--std", "5,50"]),
    ("arrays", ["--with-std-map"]),
]
IDS = [" ".join([kind, *words]) for kind, words in CASES]
QUICK_APART = (1, 4, 7)
"""Of folders apart: side files that are copied, two kinds, and no source; the slow tests have all."""
UNIONS = [
    pytest.param(*case, apart, marks=pytest.mark.slow if apart and place not in QUICK_APART else (), id=name)
    for apart, what in ((False, "one folder"), (True, "apart"))
    for place, (case, name) in enumerate(zip(CASES, (f"{what}-{name}" for name in IDS), strict=True))
]


def listed(folder):
    """Return all below a folder: bytes of files, targets of links."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in (*names, *folders):
            path = os.path.join(parent, name)
            own = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[own] = os.readlink(path)
            elif os.path.isdir(path):
                found[own] = None
            else:
                with open(path, "rb") as file:
                    found[own] = file.read()
    return found


@pytest.fixture
def whole(run_kind, tmp_path):
    def make(kind, words):
        done = run_kind(kind, tmp_path / "whole", *words)
        assert done.status in (0, 1), done
        return done

    return make


@pytest.mark.parametrize(("kind", "words", "apart"), UNIONS)
def test_the_union_is_the_whole_run(noisy, run_kind, whole, tmp_path, kind, words, apart):
    expected = whole(kind, words)
    folders = [tmp_path / (f"part-{number}" if apart else "dst") for number in (1, 2, 3)]
    for number, folder in enumerate(folders, 1):
        done = run_kind(kind, folder, *words, "--shard", f"{number}/3", "--json")
        assert done.status in (0, 1), done
        assert done.summary["shard"] == f"{number}/3"
    done = noisy("merge", tmp_path / "dst", *(folders if apart else []), "--json")
    assert (done.status, done.summary["shards"]) == (0, 3), done
    assert listed(tmp_path / "dst") == listed(tmp_path / "whole")
    assert sorted(os.listdir(tmp_path)) == sorted({"dst", "whole"} | ({"src"} if kind != "latents" else set()))
    again = run_kind(kind, tmp_path / "dst", *words, "--json")
    assert (again.status, again.summary["made"]) == (expected.status, 0)
    assert again.summary["kept"] == done.summary["outputs"] > 5
    assert listed(tmp_path / "dst") == listed(tmp_path / "whole")


def test_each_shard_has_its_own_share(run_kind, whole, tmp_path, errors, rows):
    whole("images", ["--sidecars", "copy"])
    seen, problems = [], []
    for number in (1, 2, 3):
        run_kind("images", tmp_path / "dst", "--sidecars", "copy", "--shard", f"{number}/3")
        stem = f"shard-{number}-of-3"
        seen += rows(tmp_path / "dst", f"manifest.{stem}.jsonl")
        problems += errors(tmp_path / "dst", f"manifest.{stem}.errors.jsonl")
        assert json.loads((tmp_path / f"dst/manifest.{stem}.run.json").read_text())["shard"]["number"] == number
    assert sorted(seen) == sorted(rows(tmp_path / "whole"))
    assert len(seen) == len(set(seen))
    assert sorted(problems) == sorted(errors(tmp_path / "whole"))
    assert len(problems) > 5


@pytest.mark.parametrize(("kind", "words"), [("images", ["--include", "train"]), ("latents", [])], ids=str)
def test_an_empty_shard_is_a_success(noisy, run_kind, whole, tmp_path, kind, words):
    whole(kind, words)
    many, empty = 16, 0
    for number in range(1, many + 1):
        done = run_kind(kind, tmp_path / "dst", *words, "--shard", f"{number}/{many}", "--json")
        assert done.status in (0, 1), done
        if not done.summary["planned"]:
            empty += 1
            assert (tmp_path / f"dst/manifest.shard-{number}-of-{many}.jsonl").read_bytes() == b""
    assert empty
    assert noisy("merge", tmp_path / "dst").status == 0
    assert listed(tmp_path / "dst") == listed(tmp_path / "whole")


def test_verify_and_export_of_a_shard(noisy, parts, destination):
    parts("1/2")
    missing = noisy("verify", destination)
    assert missing.status == 2
    assert "holds 1 of 2 shards; noisecli merge" in missing.err
    missing = noisy("export", destination, "--to", "csv")
    assert missing.status == 2
    assert "noisecli merge" in missing.err
    manifest = ["--manifest", "manifest.shard-1-of-2.jsonl"]
    assert noisy("verify", destination, *manifest).status == 0
    parts("2/2")
    done = noisy("verify", destination, *manifest)
    assert done.status == 0
    assert "shard 1/2" in done.err
    table = noisy("export", destination, "--to", "csv", *manifest)
    assert table.status == 0
    assert "shard 1/2" in table.err
    refused = noisy("export", destination, "--to", "hf", *manifest)
    assert refused.status == 2
    assert "noisecli merge" in refused.err
    (destination / "strange.png").write_bytes(b"x")
    assert noisy("verify", destination, *manifest).status == 1
    assert noisy("merge", destination).status == 0
    (destination / "strange.png").unlink()
    assert noisy("verify", destination).status == 0


def test_a_dry_run_of_a_shard(images, parts, destination, tree):
    parts("1/2")
    before = tree(destination)
    one, two = (images("--shard", f"{number}/2", "--dry-run", "--json").summary for number in (1, 2))
    assert (one["made"], two["kept"]) == (0, 0)
    assert one["kept"] + two["made"] == 5
    assert one["kept"] == one["planned"]
    assert tree(destination) == before


def test_prune_removes_of_its_own_shard_alone(images, fill, pictures, parts, destination, rows, outputs):
    fill(pictures, *(f"more/{number}.png" for number in range(10)))
    parts("1/2", "2/2")
    owner = {}
    for number in (1, 2):
        owner.update(dict.fromkeys(rows(destination, f"manifest.shard-{number}-of-2.jsonl"), number))
    for name in ("a.png", "b.png"):
        (pictures / name).unlink()
    before = outputs(destination).keys()
    assert (owner["a.png"], owner["b.png"]) == (1, 2)
    done = images("--shard", "1/2", "--prune", "--json")
    assert (done.status, done.summary["pruned"]) == (0, 1)
    assert outputs(destination).keys() == before - {"a.png"}
    done = images("--shard", "2/2", "--prune", "--json")
    assert (done.status, done.summary["pruned"]) == (0, 1)
    assert outputs(destination).keys() == before - {"a.png", "b.png"}


def test_hashes_stay(parts, destination, rows):
    """A file never changes its shard from one version to the next."""
    parts("1/2", "2/2")
    found = {number: [*rows(destination, f"manifest.shard-{number}-of-2.jsonl")] for number in (1, 2)}
    assert found == {1: ["a.png"], 2: ["b.png", "cats/c.png", "cats/d.png", "e.png"]}


def test_shards_are_of_like_size():
    from noisecli.shards import Shard

    names = [f"train/{number:06}.jpg" for number in range(20_000)]
    shards = [Shard(number, 7) for number in range(1, 8)]
    owners = [[shard.number for shard in shards if shard.has_name(name)] for name in names]
    assert all(len(each) == 1 for each in owners)
    sizes = [owners.count([shard.number]) for shard in shards]
    assert min(sizes) > 0.93 * 20_000 / 7
    assert max(sizes) < 1.07 * 20_000 / 7


def test_schemas_hold(run_kind, accept, tmp_path, noisy):
    for number in (1, 2):
        done = run_kind("images", tmp_path / "dst", "--shard", f"{number}/2", "--json")
        accept("summary", "images", done.summary)
        accept("run", "images", json.loads((tmp_path / f"dst/manifest.shard-{number}-of-2.run.json").read_text()))
    accept("summary", "merge", noisy("merge", tmp_path / "dst", "--json").summary)
    accept("run", "images", json.loads((tmp_path / "dst/run.json").read_text()))
    assert not re.search("shard", (tmp_path / "dst/run.json").read_text())


def test_make_looks_again_at_what_changed_since_the_first_shard(noisy, images, pictures, parts, destination):
    """The manifest is as old as the first shard, so a source that changed between it and the merge is newer."""
    parts("2/2", "1/2")
    times = [(destination / f"manifest.shard-{number}-of-2.jsonl").stat().st_mtime_ns for number in (1, 2)]
    assert times[1] < times[0]
    (pictures / "b.png").touch()
    assert noisy("merge", destination).status == 0
    assert (destination / "manifest.jsonl").stat().st_mtime_ns == times[1]
    assert (destination / "manifest.jsonl").stat().st_mtime_ns < (pictures / "b.png").stat().st_mtime_ns
    assert images("--json").summary["kept"] == 5
