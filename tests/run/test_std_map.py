"""A map beside an output is one of its row's files: kept, made again, verified, removed and never mixed up with it."""

import hashlib
import json
import os

import numpy as np
import pytest

from noisecli.manifest.entries import placing

MAPS = ("--with-std-map",)
BOTH = ("--with-clean", "--with-std-map")
MAP = "std-map/cats/c.tiff"


def made_and_kept(done):
    assert done.status == 0, done
    return done.summary["made"], done.summary["kept"]


@pytest.mark.parametrize("words", [MAPS, BOTH], ids=["alone", "beside clean files"])
def test_trees_and_rows(images, destination, rows, outputs, words):
    done = images(*words, "--std", "5,25", "--copies", "2")
    assert done.status == 0
    assert "and their maps of std written" in done.err
    assert ("their clean copies" in done.err) == (words == BOTH)
    trees = {"noisy": ".png", "std-map": ".tiff", **({"clean": ".png"} if words == BOTH else {})}
    stems = ("a", "b", "cats/c", "cats/d", "e")
    found = rows(destination)
    assert outputs(destination).keys() == {
        f"std-{std}/{tree}/{stem}-{copy}{suffix}"
        for std in (5, 25)
        for tree, suffix in trees.items()
        for stem in stems
        for copy in (1, 2)
    }
    for name, row in found.items():
        assert row["std_map_file_name"] == name.replace("noisy/", "std-map/").replace(".png", ".tiff")
        data = (destination / row["std_map_file_name"]).read_bytes()
        assert row["std_map_bytes"] == len(data)
        assert row["std_map_sha256"] == hashlib.sha256(data).hexdigest()


def test_the_option_changes_nothing_else(images, destination, rows, tmp_path):
    """Neither an output's bytes, nor the hash of settings where it is not given."""
    assert images(*MAPS, "--shot", "0.01").status == 0
    assert images("--shot", "0.01", to=tmp_path / "plain").status == 0
    plain = rows(tmp_path / "plain")
    assert {row["sha256"] for row in plain.values()} == {row["sha256"] for row in rows(destination).values()}
    assert {row["settings"] for row in plain.values()}.isdisjoint(row["settings"] for row in rows(destination).values())
    [spelled] = json.loads((tmp_path / "plain/run.json").read_bytes())["settings"].values()
    assert "with_std_map" not in spelled


def test_the_same_bytes_from_any_number_of_jobs_and_for_every_schema(images, destination, tree, tmp_path, accept_run):
    words = (*BOTH, "--shot", "0.001..0.01", "--prob", "0.5", "--json")
    done = images(*words, "-j", "1")
    assert images(*words, "-j", "2", to=tmp_path / "other").status == 0
    assert tree(destination) == tree(tmp_path / "other")
    accept_run(done, destination)


@pytest.mark.parametrize("words", [MAPS, BOTH], ids=["alone", "beside clean files"])
def test_what_is_gone_or_changed_is_made_again(images, destination, tree, words):
    assert images(*words).status == 0
    before = tree(destination)
    assert made_and_kept(images(*words, "--json")) == (0, 5)
    (destination / MAP).unlink()
    assert made_and_kept(images(*words, "--json")) == (1, 4)
    assert tree(destination) == before
    (destination / MAP).write_bytes(before[MAP] + b"more")
    assert made_and_kept(images(*words, "--json")) == (1, 4)
    assert tree(destination) == before
    (destination / MAP).write_bytes(bytes(len(before[MAP])))
    assert made_and_kept(images(*words, "--json")) == (0, 5)
    assert made_and_kept(images(*words, "--checksum", "--json")) == (1, 4)
    assert tree(destination) == before


def test_other_settings_make_it_anew(images, destination, tree, tmp_path):
    assert images(*MAPS).status == 0
    assert made_and_kept(images(*MAPS, "--std", "9", "--json")) == (5, 0)
    assert images(*MAPS, "--std", "9", to=tmp_path / "fresh").status == 0
    assert tree(destination) == tree(tmp_path / "fresh")


def test_with_clean_files_from_now_on(images, destination, tree, tmp_path):
    assert images(*MAPS).status == 0
    assert made_and_kept(images(*BOTH, "--json")) == (5, 0)
    assert images(*BOTH, to=tmp_path / "fresh").status == 0
    assert tree(destination) == tree(tmp_path / "fresh")


@pytest.mark.parametrize(("before", "after"), [(BOTH, "--with-clean"), (BOTH, "--with-std-map")])
def test_no_run_leaves_a_map_or_a_clean_file_behind_that_no_row_lists(images, destination, tree, before, after):
    assert images(*before).status == 0
    made = tree(destination)
    for more in ((), ("--force",), ("--dry-run",), ("--redo", "--include", "cats")):
        done = images(after, *more)
        assert done.status == 2
        other = "--with-std-map" if after == "--with-clean" else "--with-clean"
        assert f"add {other}" in done.err
        assert tree(destination) == made
    for name in list(made):
        if name.startswith("std-map/" if after == "--with-clean" else "clean/"):
            (destination / name).unlink()
    assert images(after).status == 0


def test_a_map_whose_row_never_came_is_not_left_behind_by_another_request(images, destination, tree):
    assert images(*BOTH).status == 0
    manifest = destination / "manifest.jsonl"
    _, *others = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(others))
    run = json.loads((destination / "run.json").read_bytes())
    journal = json.dumps({"temporaries": ".noisecli-tmp-0-", "settings": run["settings"]}).encode() + b"\n"
    journal += b'{"intended": {"noisy/a.png": ["clean/a.png", "std-map/a.tiff"]}}\n'
    for name in ("clean/a.png", "noisy/a.png", "std-map/a.tiff"):
        journal += placing(name, hashlib.sha256((destination / name).read_bytes()).hexdigest())
    for line in others:
        row = json.loads(line)
        (destination / row["std_map_file_name"]).unlink()
    (destination / ".noisecli-journal").write_bytes(journal)
    before = tree(destination)
    done = images("--with-clean")
    assert done.status == 2
    assert f"{destination / 'std-map/a.tiff'}: was made beside noisy/a.png" in done.err
    assert tree(destination) == before
    assert images(*BOTH).status == 0


def test_without_any_tree_it_is_an_earlier_output_that_prune_removes(images, noisy, destination, tree):
    assert images(*MAPS).status == 0
    assert images("--std", "9").status == 0
    assert (destination / MAP).exists()
    assert noisy("verify", destination).status == 0
    assert images("--std", "9", "--prune", "--force", "--json").summary["pruned"] == 5
    assert {name.partition("/")[0] for name in tree(destination)}.isdisjoint({"noisy", "std-map"})
    assert noisy("verify", destination).status == 0


def test_prune_removes_the_map_of_a_source_that_is_gone_and_no_other_file(images, pictures, destination, tree):
    assert images(*BOTH).status == 0
    before = tree(destination)
    (destination / "std-map/a.tiff").write_bytes(b"of somebody else")
    (pictures / "a.png").unlink()
    (pictures / "cats/c.png").unlink()
    assert images(*BOTH, "--prune").status == 0
    now = tree(destination)
    assert now["std-map/a.tiff"] == b"of somebody else"
    assert {name for name in before if name not in now} == {
        "noisy/a.png", "clean/a.png", "noisy/cats/c.png", "clean/cats/c.png", MAP,
    }  # fmt: skip


def test_a_file_of_somebody_else_in_its_place(images, noisy, destination, tree, refused, pictures):
    (destination / "std-map/cats").mkdir(parents=True)
    (destination / MAP).write_bytes(b"of somebody else")
    assert images("--include", "a.png", *MAPS, "--force").status == 0
    words = ("images", pictures, destination, "--std", "25", *MAPS)
    assert f"{destination / MAP}: already exists, and noisecli did not make it" in refused(*words)
    assert images(*MAPS, "--force").status == 0
    assert noisy("verify", destination).status == 0


def test_a_file_that_appears_in_its_place_meanwhile(
    faulty, images, fill, pictures, destination, errors, wait_until, rows
):
    fill(pictures, "cats/wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1", *BOTH)
    wait_until(lambda: faulty.reached("read"), "a worker at work")
    theirs = destination / "std-map/cats/wait-read.tiff"
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_bytes(b"of somebody else")
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    assert errors(destination)["cats/wait-read.png"]["reason"] == "foreign-file"
    assert theirs.read_bytes() == b"of somebody else"
    assert "noisy/cats/wait-read.png" not in rows(destination)
    assert not (destination / "clean/cats/wait-read.png").exists()


@pytest.mark.parametrize("left", [("clean/a.png",), ("std-map/a.tiff",), ("clean/a.png", "std-map/a.tiff")])
def test_a_part_that_a_killed_worker_left_is_settled(images, destination, tree, left):
    """What was put in place before the noisy file, and whose row never came: it goes, or is made to the end."""
    assert images(*BOTH).status == 0
    before = tree(destination)
    manifest = destination / "manifest.jsonl"
    first, *others = manifest.read_bytes().splitlines(keepends=True)
    assert b"noisy/a.png" in first
    manifest.write_bytes(b"".join(others))
    journal = b'{"intended": {"noisy/a.png": ["clean/a.png", "std-map/a.tiff"]}}\n'
    for name in ("clean/a.png", "noisy/a.png", "std-map/a.tiff"):
        (destination / name).unlink()
        if name in left:
            (destination / name).write_bytes(b"half of what was meant, " + name.encode())
            journal += placing(name, hashlib.sha256((destination / name).read_bytes()).hexdigest())
    (destination / ".noisecli-journal").write_bytes(journal)
    assert images(*BOTH, "--include", "cats").status == 0
    assert tree(destination).keys() == before.keys() - {"noisy/a.png", "clean/a.png", "std-map/a.tiff"}
    assert images(*BOTH).status == 0
    assert tree(destination) == before


@pytest.mark.parametrize("form", ["null", '"clean/a.png"'])
def test_a_journal_of_an_earlier_version(images, destination, tree, form):
    words = () if form == "null" else ("--with-clean",)
    assert images(*words).status == 0
    before = tree(destination)
    name = "a.png" if form == "null" else "noisy/a.png"
    (destination / ".noisecli-journal").write_bytes(f'{{"intended": {{"{name}": {form}}}}}\n'.encode())
    assert made_and_kept(images(*words, "--json")) == (1, 4)
    assert tree(destination) == before


@pytest.mark.parametrize("damage", ["gone", "other size", "other content"])
def test_verify_names_the_map(images, noisy, destination, damage):
    assert images(*MAPS).status == 0
    data = (destination / MAP).read_bytes()
    if damage == "gone":
        (destination / MAP).unlink()
    else:
        (destination / MAP).write_bytes(data + b"x" if damage == "other size" else bytes(len(data)))
    found = noisy("verify", destination, "--json").summary["differences"]
    reason = {"gone": "gone", "other size": "size-differs", "other content": "digest-differs"}[damage]
    assert [(entry["file_name"], entry["reason"]) for entry in found] == [(MAP, reason)]


def test_recompute_makes_maps_again(images, noisy, pictures, destination, rows):
    """A map that is as its row says, and still not that of the noise, differs."""
    assert images(*BOTH, "--shot", "0.001..0.01", "--prob", "0.7", "--copies", "2").status == 0
    done = noisy("verify", destination, "--recompute", pictures, "--json")
    assert (done.status, done.summary["remade"]) == (0, 10)
    found = rows(destination)
    one, other = [name for name, row in found.items() if row["applied"]][:2]
    theirs = found[other]
    found[one] |= {"std_map_bytes": theirs["std_map_bytes"], "std_map_sha256": theirs["std_map_sha256"]}
    (destination / found[one]["std_map_file_name"]).write_bytes(
        (destination / theirs["std_map_file_name"]).read_bytes()
    )
    (destination / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found.values()))
    assert noisy("verify", destination).status == 0
    differences = noisy("verify", destination, "--recompute", pictures, "--json").summary["differences"]
    assert [(entry["file_name"], entry["reason"]) for entry in differences] == [(one, "noise-differs")]


def test_recompute_by_other_libraries_compares_maps_too(images, noisy, pictures, destination):
    assert images(*MAPS, "--shot", "0.01").status == 0
    run = json.loads((destination / "run.json").read_bytes())
    run["versions"]["opencv"] = "0.1"
    (destination / "run.json").write_text(json.dumps(run))
    done = noisy("verify", destination, "--recompute", pictures, "--json")
    assert (done.status, done.summary["remade"], done.summary["not_comparable"]) == (0, 5, 0)


def test_a_row_whose_map_leads_out(images, noisy, destination, tmp_path, rows):
    assert images(*MAPS).status == 0
    (tmp_path / "precious.tiff").write_bytes(b"of somebody else")
    found = rows(destination)
    found["noisy/a.png"]["std_map_file_name"] = "../precious.tiff"
    (destination / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found.values()))
    assert noisy("verify", destination).status == 1
    assert images(*MAPS, "--force").status == 0
    assert (tmp_path / "precious.tiff").read_bytes() == b"of somebody else"
    assert noisy("verify", destination).status == 0


def test_exports(images, noisy, destination, pictures):
    assert images(*BOTH, "--std", "0..9").status == 0
    pairs = noisy("export", destination, "--to", "pairs").out.splitlines()
    assert pairs[0].startswith("clean,noisy,std_map,level")
    assert pairs[3].startswith("clean/cats/c.png,noisy/cats/c.png,std-map/cats/c.tiff,")
    whole = noisy("export", destination, "--to", "csv", "--absolute").out.splitlines()
    place = whole[0].split(",").index("std_map_file_name")
    assert [os.path.isfile(line.split(",")[place]) for line in whole[1:]] == [True] * 5
    assert noisy("export", destination, "--to", "pairs", "-o", destination / "pairs.csv").status == 0
    assert noisy("verify", destination).status == 0


REFUSED = {
    "impulse": (["--corruption", "impulse", "--severity", "3"], "impulse noise has no std"),
    "a sweep of impulses": (["--corruption", "impulse", "--severity", "0,3"], "impulse noise has no std"),
    "tars": (["--std", "9", "--tar", "5"], "not written into tar shards"),
    "metadata.jsonl": (["--std", "9", "--manifest", "metadata.jsonl"], "Hugging Face"),
    "one file": (["--std", "9"], "--with-std-map: for folders only"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(refused, pictures, destination, name):
    words, said = REFUSED[name]
    one = name == "one file"
    paths = (pictures / "a.png", destination.with_suffix(".png")) if one else (pictures, destination)
    assert said in refused("images", *paths, *words, *MAPS)


def test_commands_without_it(refused, pictures, destination):
    for command in ("audio", "weights", "preview"):
        said = refused(command, pictures, destination, "--std", "0.01", *MAPS)
        assert "noisecli images and arrays" in said


@pytest.mark.parametrize("names", [("a.png", "a.bmp"), ("a.png", "a.tiff/b.png")])
def test_two_maps_of_one_name(refused, tmp_path, png, destination, names):
    for name in names:
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_bytes(png())
    assert "std-map/a.tiff" in refused("images", tmp_path / "src", destination, "--std", "9", *MAPS)


def test_files_of_several_arrays_fail_by_name(noisy, tmp_path, destination, errors, rows):
    (tmp_path / "src").mkdir()
    x = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / "src/a.npy", x)
    np.savez(tmp_path / "src/b.npz", x=x)
    np.save(tmp_path / "src/c.npy", np.zeros(4, [("x", "f4"), ("y", "f4")]))
    done = noisy("arrays", tmp_path / "src", destination, "--std", "1", "--key", "x", *MAPS)
    assert done.status == 1
    assert [row["std_map_file_name"] for row in rows(destination).values()] == ["std-map/a.npy"]
    assert {name: entry["reason"] for name, entry in errors(destination).items()} == {
        "b.npz": "wrong-shape",
        "c.npy": "wrong-shape",
    }
    assert "--exclude" in errors(destination)["b.npz"]["message"]


def test_a_run_over_one_file_into_a_folder(noisy, pictures, destination, rows):
    assert noisy("images", pictures / "a.png", f"{destination}/", "--std", "9", *MAPS).status == 0
    assert [row["std_map_file_name"] for row in rows(destination).values()] == ["std-map/a.tiff"]


def test_an_output_that_is_never_made_has_none_of_its_files(faulty, pictures, destination, tree):
    """An image that kills its worker each time has no file in any of the trees."""
    (pictures / "kill-always.png").write_bytes((pictures / "a.png").read_bytes())
    done = faulty.run("images", pictures, destination, "--std", "5,25", "-j", "2", *BOTH)
    assert done.status == 1
    assert not [name for name in tree(destination) if "kill-always" in name]
