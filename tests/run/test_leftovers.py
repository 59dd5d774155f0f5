"""Outputs of earlier requests, whose source is there and chosen: told in one line, and removed by --prune alone."""

import errno
import json
import os

import pytest


def _own(files):
    """Return the names of outputs among files."""
    return {name for name in files if not name.endswith((".jsonl", ".json", ".txt"))}


EARLIER = [
    (["--copies", "5"], ["--copies", "3"], 10),
    (["--copies", "2"], [], 10),
    (["--std", "5,10,15"], ["--std", "10,15"], 5),
    (["--std", "5"], ["--std", "5,10"], 5),
    (["--name", "{stem}_noisy{ext}"], [], 5),
    (["--format", "bmp"], [], 5),
    (["--with-clean"], [], 5),
    (["--seed", "7", "--name", "{stem}.seven{ext}"], ["--seed", "8"], 5),
]


@pytest.mark.parametrize(("first", "then", "number"), EARLIER, ids=str)
def test_what_an_earlier_request_made(images, tree, outputs, destination, tmp_path, first, then, number):
    """Told after each run, counted by a dry run, removed by --prune: then the folder is as if it were made once."""
    assert images(*then, to=tmp_path / "once").status == 0
    assert images(*first).status == 0
    assert images(*then).status == 0
    stand = _own(tree(destination))
    done = images(*then, "--json")
    assert (done.status, done.summary["leftovers"], done.summary["orphans"], done.summary["made"]) == (0, number, 0, 0)
    told = [line for line in done.err.splitlines() if "earlier requests" in line]
    assert told == [
        f"{number} outputs of earlier requests (other copies, levels or names) are still in {destination}; "
        "--prune removes them, --dry-run --prune counts them"
    ]
    assert _own(tree(destination)) == stand
    # as many as there are of this request may need more than --prune
    force = ["--force"] if 2 * number > json.loads((destination / "run.json").read_text())["totals"]["outputs"] else []
    assert images(*then, "--prune", *force, "--dry-run", "--json").summary["pruned"] == number
    assert _own(tree(destination)) == stand
    done = images(*then, "--prune", *force, "--json")
    assert (done.status, done.summary["pruned"], done.summary["leftovers"]) == (0, number, 0)
    assert "earlier requests" not in done.err
    assert tree(destination) == tree(tmp_path / "once")


@pytest.mark.parametrize("words", [["--include", "cats"], ["--limit", "2"], ["--files0-from"]], ids=" ".join)
def test_a_run_over_some_sources_says_nothing_of_the_others(images, tmp_path, outputs, destination, words):
    if words == ["--files0-from"]:
        (tmp_path / "list").write_bytes(b"cats/c.png\0cats/d.png\0")
        words = [*words, tmp_path / "list"]
    assert images("--copies", "3").status == 0
    before = outputs(destination)
    done = images("--copies", "2", *words, "--json")
    assert (done.status, done.summary["leftovers"], done.summary["orphans"]) == (0, 2, 0)
    done = images("--copies", "2", *words, "--prune", "--json")
    gone = before.keys() - outputs(destination).keys()
    chosen = ("a-3.png", "b-3.png") if words[0] == "--limit" else ("cats/c-3.png", "cats/d-3.png")
    assert (done.summary["pruned"], gone) == (2, set(chosen))
    assert images("--copies", "3", *words, "--prune", "--json").summary["pruned"] == 0


def test_what_fails_keeps_what_earlier_runs_made_of_it(images, pictures, outputs, destination):
    assert images("--copies", "3").status == 0
    before = outputs(destination)
    (pictures / "a.png").write_bytes(b"cut off")
    done = images("--copies", "2", "--prune", "--json")
    assert (done.status, done.summary["pruned"], done.summary["leftovers"]) == (1, 4, 0)
    gone = {f"{stem}-3.png" for stem in ("b", "e", "cats/c", "cats/d")}
    assert outputs(destination) == {name: data for name, data in before.items() if name not in gone}


def test_a_run_that_is_stopped_removes_nothing(images, pictures, outputs, destination):
    assert images("--copies", "3").status == 0
    before = outputs(destination)
    (pictures / "a.png").write_bytes(b"cut off")
    assert images("--copies", "2", "--prune", "--on-error", "stop").status == 3
    assert outputs(destination) == before


def test_what_is_not_ours_to_remove(images, rows, outputs, destination):
    """An output that was edited, one whose row was, one that another manifest lists."""
    assert images("--copies", "3").status == 0
    (destination / "a-3.png").write_bytes(b"retouched by hand")
    manifest = destination / "manifest.jsonl"
    row = next(line for line in manifest.read_text().splitlines(keepends=True) if '"b-3.png"' in line)
    manifest.write_text(manifest.read_text().replace(row, row.replace('"b.png"', '"a.png"')))
    (destination / "other.run.json").write_bytes((destination / "run.json").read_bytes())
    (destination / "other.jsonl").write_text(row.replace("b-3.png", "cats/c-3.png"))
    assert images("--copies", "2", "--prune", "--dry-run", "--json").summary["pruned"] == 2
    done = images("--copies", "2", "--prune", "--json")
    assert done.summary["pruned"] == 2
    assert {name for name in outputs(destination) if "-3" in name} == {"a-3.png", "b-3.png", "cats/c-3.png"}
    # the edited file has no row by now: it is nobody's but its editor's
    assert "a-3.png" not in rows(destination)
    assert "2 outputs of earlier requests (other copies, levels or names) stay: changed since" in done.err


def test_more_than_half_needs_force(images, tree, destination):
    assert images("--copies", "3").status == 0
    before = tree(destination)
    for words in ([], ["--dry-run"]):
        done = images("--prune", *words)
        assert done.status == 2
        assert "would remove 15 of the 15 outputs" in done.err
        assert tree(destination) == before


def test_another_source_folder_with_the_same_names(images, png, outputs, destination, tmp_path):
    assert images("--copies", "3").status == 0
    before = outputs(destination)
    other = tmp_path / "other"
    other.mkdir()
    for number, name in enumerate(["a.png", "b.png"]):
        (other / name).write_bytes(png(50 + number))
    done = images("--copies", "2", "--prune", source=other)
    assert done.status == 2
    assert "does not look like the folder that" in done.err
    assert outputs(destination) == before


def test_what_a_file_system_without_capitals_takes_for_one(images, pictures, outputs, destination):
    """The earlier name and that of this request lead to one file there, as two links to a file do here."""
    (pictures / "a.png").rename(pictures / "a.PNG")
    assert images().status == 0
    assert images("--format", "png").status == 0
    (destination / "a.PNG").unlink()
    os.link(destination / "a.png", destination / "a.PNG")
    before = outputs(destination)
    assert images("--format", "png", "--prune", "--json").summary["pruned"] == 0
    assert outputs(destination) == before


def test_a_name_that_is_not_utf8(images, pictures, png, outputs, destination):
    with open(os.fsencode(pictures) + b"/q\xff.png", "wb") as file:
        file.write(png(9))
    assert images("--copies", "2").status == 0
    assert (
        images("--copies", "2", "--include", "q*", "--std", "25", "--name", "{copy}{stem}{ext}", "--json").summary[
            "leftovers"
        ]
        == 2
    )
    assert images("--copies", "3", "--include", "q*", "--prune", "--json").summary["pruned"] == 2
    assert {name for name in outputs(destination) if "q" in name} == {f"q%FF-{copy}.png" for copy in (1, 2, 3)}


def test_what_may_not_be_removed_is_told_with_its_name(images, errors, outputs, destination, monkeypatch):
    assert images("--copies", "3").status == 0
    real = os.unlink

    def unlink(path, **options):
        if os.fspath(path) == "a-3.png":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    done = images("--copies", "2", "--prune", "--json")
    monkeypatch.undo()
    assert (done.status, done.summary["pruned"]) == (1, 4)
    assert errors(destination)["a.png"]["message"].startswith("its earlier output a-3.png cannot be removed")
    assert images("--copies", "2", "--prune", "--json").summary["pruned"] == 1


def test_latents_of_a_larger_request(noisy, outputs, destination):
    words = ["latents", destination, "--shape", "4", "--per-file", "10", "--count"]
    assert noisy(*words, "100").status == 0
    done = noisy(*words, "60", "--json")
    assert (done.status, done.summary["leftovers"], done.summary["orphans"]) == (0, 4, 0)
    assert (
        f"4 outputs of earlier requests (other --count or --per-file) are still in {destination}; --prune" in done.err
    )
    assert noisy(*words, "60", "--prune", "--dry-run", "--json").summary["pruned"] == 4
    assert len(outputs(destination)) == 10
    assert noisy(*words, "60", "--prune", "--json").summary["pruned"] == 4
    assert outputs(destination).keys() == {f"latents-{number:05}.npy" for number in range(6)}
