"""Runs with masks: what is made again, where masks lie, what verify, export, preview and Make know of them."""

import csv
import io
import json
import os
import shutil

import numpy as np
import pytest

from tests.run.where.conftest import grey, read, round_part, save

STD = ("--std", "25")


@pytest.fixture
def shots(tmp_path):
    for number, name in enumerate(("a.png", "b.png", "sub/c.png")):
        save(tmp_path / "shots" / name, grey(channels=(3,), seed=number))
    return tmp_path / "shots"


@pytest.fixture
def masks(tmp_path):
    for name in ("a.png", "b.png", "sub/c.png"):
        save(tmp_path / "masks" / name, round_part().astype(np.uint8))
    return tmp_path / "masks"


@pytest.fixture
def masked(noisy, shots, masks, destination):
    """Run with the masks, and more words; return what --json prints."""

    def run(*words, status=0, mask=masks, source=shots, to=destination):
        done = noisy("images", source, to, *STD, "--mask", mask, "--json", *words)
        assert done.status == status, done
        return done.summary

    return run


def shifted(path):
    """Write another mask of the same length, older than everything."""
    before = path.stat().st_size
    for down in range(5, 25):
        save(path, np.roll(round_part(), down, axis=0).astype(np.uint8))
        if path.stat().st_size == before:
            break
    os.utime(path, ns=(10**18, 10**18))


def test_nothing_is_made_twice(masked, destination, tree):
    assert masked()["made"] == 3
    before = tree(destination)
    again = masked()
    assert (again["made"], again["kept"]) == (0, 3)
    assert tree(destination) == before
    assert masked("--patch", "20")["made"] == 3
    assert masked()["made"] == 3
    assert tree(destination) == before


def test_a_mask_that_changed_is_used(masked, masks, destination, rows, tree):
    masked()
    before = rows(destination)
    shifted(masks / "b.png")
    again = masked()
    assert (again["made"], again["kept"]) == (1, 2)
    after = rows(destination)
    assert {name for name in after if after[name] != before[name]} == {"b.png"}
    assert after["b.png"]["settings"] == before["b.png"]["settings"]
    fresh = destination.with_name("fresh")
    masked(to=fresh)
    assert tree(fresh) == tree(destination)


def test_masks_of_another_folder_are_used(masked, masks, destination, tmp_path):
    masked()
    other = tmp_path / "other"
    shutil.copytree(masks, other)
    assert masked(mask=other)["kept"] == 3
    shifted(other / "sub/c.png")
    again = masked(mask=other)
    assert (again["made"], again["kept"]) == (1, 2)
    assert masked()["made"] == 1


def test_a_mask_with_another_suffix_is_on_the_row(masked, masks, destination, rows):
    masked()
    (masks / "a.png").rename(masks / "a.PNG")
    assert masked()["made"] == 1
    assert rows(destination)["a.png"]["mask"] == "a.PNG"


def test_a_mask_that_is_gone_fails_its_image(masked, masks, errors, destination):
    masked()
    (masks / "a.png").unlink()
    foreseen = masked("--dry-run", status=1)
    assert [entry["reason"] for entry in foreseen["problems"]] == ["no-mask"]
    again = masked("--prune", status=1)
    assert (again["failed"], again["kept"], again["pruned"]) == (1, 2, 0)
    assert (destination / "a.png").exists()
    assert errors(destination)["a.png"]["reason"] == "no-mask"
    save(masks / "a.png", round_part().astype(np.uint8))
    assert masked()["failed"] == 0


WAYS = [
    (),
    ("--patch", "20..50"),
    ("--copies", "2", "--std", "5,50", "--with-clean"),
    ("--prob", "50%", "--copies", "3", "--patch", "40"),
    ("--shot", "0.001..0.01", "--patch", "60"),
    ("--speckle", "0.2", "--linear", "--shared-channels-prob", "50%"),
]


@pytest.mark.parametrize("words", WAYS, ids=" ".join)
def test_verify_recomputes(words, masked, noisy, shots, masks, destination):
    masked(*words)
    assert noisy("verify", destination).status == 0
    done = noisy("verify", destination, "--recompute", shots, "--mask", masks, "--json")
    assert done.status == 0, done
    assert done.summary["remade"] == done.summary["rows"]
    refused = noisy("verify", destination, "--recompute", shots)
    assert (refused.status, "--mask DIR" in refused.err) == (2, True)
    missing = noisy("verify", destination, "--recompute", shots, "--mask", masks / "nothing")
    assert (missing.status, "no such folder" in missing.err) == (2, True)
    alone = noisy("verify", destination, "--mask", masks)
    assert (alone.status, "add --recompute" in alone.err) == (2, True)


def test_verify_names_a_mask_that_changed(masked, noisy, shots, masks, destination):
    masked()
    shifted(masks / "b.png")
    (masks / "a.png").unlink()
    done = noisy("verify", destination, "--recompute", shots, "--mask", masks, "--json")
    assert done.status == 1
    found = {entry["file_name"]: entry for entry in done.summary["differences"]}
    assert found.keys() == {"a.png", "b.png"}
    assert found["b.png"]["reason"] == "mask-changed"
    assert found["a.png"]["reason"] == "not-remade"
    assert "no mask a.png" in found["a.png"]["message"]


def test_verify_sees_a_place_that_was_edited(noisy, shots, destination):
    assert noisy("images", shots, destination, *STD, "--patch", "20").status == 0
    assert noisy("verify", destination, "--recompute", shots).status == 0
    mask = noisy("verify", destination, "--recompute", shots, "--mask", shots)
    assert (mask.status, "without masks" in mask.err) == (2, True)
    manifest = destination / "manifest.jsonl"
    first, *others = manifest.read_text().splitlines()
    row = json.loads(first)
    row["patch"][0] += 1
    manifest.write_text("\n".join([json.dumps(row), *others]) + "\n")
    done = noisy("verify", destination, "--recompute", shots)
    assert done.status == 1
    assert "patch" in done.err


@pytest.mark.parametrize("how", [(), ("--sidecars", "copy")])
@pytest.mark.parametrize("form", ["path", "relative", "slash", "link"])
def test_masks_inside_the_source_are_no_sources(how, form, noisy, shots, masks, destination, rows, monkeypatch):
    inside = shots / "about" / "[1] masks*"
    inside.parent.mkdir()
    shutil.move(masks, inside)
    save(shots / "about" / "d.png", grey(channels=(3,)))
    save(inside / "about" / "d.png", round_part().astype(np.uint8))
    spelled = {"path": inside, "relative": "shots/about/[1] masks*", "slash": f"{inside}/", "link": shots / "m"}[form]
    if form == "link":
        (shots / "m").symlink_to("about/[1] masks*")
    monkeypatch.chdir(shots.parent)
    done = noisy("images", "shots", destination, *STD, "--mask", spelled, *how)
    assert done.status == 0, done
    assert rows(destination).keys() == {"a.png", "b.png", "sub/c.png", "about/d.png"}
    copied = destination / "about" / "[1] masks*" / "a.png"
    assert copied.exists() == bool(how)
    if how:
        assert copied.read_bytes() == (inside / "a.png").read_bytes()
    assert noisy("verify", destination, "--recompute", shots, "--mask", inside).status == 0


@pytest.mark.parametrize(
    "stem", [b"odd\xff", b"new\nline", b"-dash", b"a.b.c", "e\u0301".encode(), b"fold\xe9r/a", b"[x]*"]
)
def test_names_of_any_spelling(stem, noisy, shots, masks, destination, rows):
    for folder, image in ((shots, grey(channels=(3,))), (masks, round_part().astype(np.uint8))):
        save(folder / "x.png", image)
        path = os.path.join(os.fsencode(folder), stem + b".png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.rename(folder / "x.png", path)
    for _ in range(2):
        done = noisy("images", shots, destination, *STD, "--mask", masks, "--json")
        assert done.status == 0, done
    assert done.summary["kept"] == 4
    assert all(row["mask"] == row["source"] for row in rows(destination).values())
    assert noisy("verify", destination, "--recompute", shots, "--mask", masks).status == 0


def test_patches_in_tars(noisy, shots, destination, rows):
    assert noisy("images", shots, destination, *STD, "--patch", "20").status == 0
    packed, again = destination.with_name("packed"), destination.with_name("again")
    assert noisy("images", shots, packed, *STD, "--patch", "20", "--tar", "2").status == 0
    places = [row["patch"] for row in rows(destination).values()]
    assert [row["patch"] for row in rows(packed).values()] == places
    assert noisy("images", packed, again, *STD, "--patch", "9").status == 0
    assert {max(row["patch"][2:]) for row in rows(again).values()} <= set(range(1, 10))
    assert noisy("verify", again, "--recompute", packed).status == 0


def test_label_masks_need_none(masked, shots, errors, destination):
    save(shots / "labels" / "a.png", round_part().astype(np.uint8))
    assert masked()["skipped"] == 1
    assert errors(destination)["labels/a.png"]["reason"] == "label-mask"


def test_a_list_of_names(masked, shots, tmp_path, destination, rows):
    (tmp_path / "list").write_bytes(b"sub/c.png\0a.png\0")
    masked("--files0-from", tmp_path / "list")
    assert rows(destination).keys() == {"a.png", "sub/c.png"}


def test_shards_make_the_run(masked, noisy, shots, masks, destination, tree):
    masked()
    parts = destination.with_name("parts")
    for number in (1, 2):
        masked("--shard", f"{number}/2", to=parts)
    assert noisy("merge", parts).status == 0
    assert tree(parts) == tree(destination)


def test_the_schema_and_the_table_know_them(masked, accept_run, noisy, shots, masks, destination):
    for words in ((), ("--patch", "20"), ("--patch", "20", "--prob", "50%")):
        done = noisy("images", shots, destination, *STD, "--mask", masks, "--json", *words)
        accept_run(done, destination)
    run = json.loads((destination / "run.json").read_text())
    [settings] = [entry for entry in run["settings"].values() if entry.get("probability") == 0.5]
    assert (settings["mask"], settings["patch"]) == (True, [20, 20])
    done = noisy("export", destination, "--to", "csv")
    table = list(csv.DictReader(io.StringIO(done.out)))
    assert len(table) == 3
    assert {row["mask"] for row in table} == {"a.png", "b.png", "sub/c.png"}
    assert {len(row["mask_sha256"]) for row in table} == {64}
    assert all(row["patch"] == "" or row["patch"].count("x") == 3 for row in table)
    for form in ("labels", "hf"):
        assert noisy("export", destination, "--to", form).status == 0


def test_a_sheet_shows_them(noisy, shots, masks, tmp_path):
    sheets = {}
    for name, words in {"plain": (), "mask": ("--mask", masks), "patch": ("--patch", "40")}.items():
        done = noisy("preview", shots, tmp_path / f"{name}.png", *STD, *words)
        assert done.status == 0, done
        [sheets[name]] = read(tmp_path / f"{name}.png")
    assert not any(np.array_equal(sheets["plain"], sheets[name]) for name in ("mask", "patch"))
    one = noisy("preview", shots / "a.png", tmp_path / "one.png", *STD, "--mask", masks / "a.png")
    assert one.status == 0, one


def test_one_file(noisy, shots, masks, tmp_path, destination):
    assert noisy("images", shots, destination, *STD, "--mask", masks, "--patch", "30").status == 0
    for number, mask in enumerate((masks, masks / "a.png")):
        out = tmp_path / f"{number}.png"
        assert noisy("images", shots / "a.png", out, *STD, "--mask", mask, "--patch", "30").status == 0
        assert out.read_bytes() == (destination / "a.png").read_bytes()
    into = tmp_path / "into"
    into.mkdir()
    assert noisy("images", shots / "a.png", into, *STD, "--mask", masks / "b.png", "--patch", "30").status == 0
    assert (into / "a.png").read_bytes() == (destination / "a.png").read_bytes()
    done = noisy("images", shots / "sub/c.png", tmp_path / "c.png", *STD, "--mask", masks)
    assert (done.status, "no mask c.png" in done.err) == (1, True)


def test_standard_input(spawned, shots, masks, tmp_path):
    clean = (shots / "a.png").read_bytes()
    done = spawned("images", "-", "-", *STD, "--mask", masks / "a.png", stdin=clean)
    assert done.status == 0
    (tmp_path / "out.png").write_bytes(done.out)
    [made], [source] = read(tmp_path / "out.png"), read(shots / "a.png")
    changed = (made != source).any(axis=-1)
    assert changed.any()
    assert not changed[~round_part()].any()


def test_make_looks_at_masks(masked, noisy, shots, masks, tmp_path, destination):
    masked("--depfile", tmp_path / "dep")
    made_from = (tmp_path / "dep").read_text()
    for path in (masks / "a.png", masks / "sub/c.png", masks, masks / "sub", shots / "a.png"):
        assert f"\n{path}:" in made_from
    one = ("images", shots / "a.png", tmp_path / "one.png", *STD, "--mask", masks, "--depfile", tmp_path / "one.d")
    assert noisy(*one).status == 0
    assert str(masks / "a.png") in (tmp_path / "one.d").read_text()
    inside = noisy("images", shots, destination, *STD, "--mask", masks, "--depfile", masks / "dep")
    assert (inside.status, "lies in the folder of sources or masks" in inside.err) == (2, True)


REFUSED = {
    "nothing": ("nothing", "no such folder"),
    "shots": ("shots", "where the images are"),
    "a-file": ("masks/a.png", "is one file, and SRC a folder"),
    "tars": ("masks/*.tar", "no tar shards"),
    "empty": ("", "no tar shards"),
    "scheme": ("ftp://host/masks", "URLs are read"),
    "its-parent": (".", "DST lies there"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_masks_that_cannot_be(case, refused, shots, masks, destination, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mask, words = REFUSED[case]
    assert words in refused("images", shots, destination, *STD, "--mask", mask)


def test_places_that_cannot_be(refused, noisy, shots, masks, destination, tmp_path):
    for to in (masks, masks / "out", masks / "out.png"):
        source = shots / "a.png" if to.suffix else shots
        assert "DST lies there" in refused("images", source, to, *STD, "--mask", masks)
    (tmp_path / "all/masks").mkdir(parents=True)
    assert "DST lies there" in refused("images", shots, tmp_path / "all", *STD, "--mask", tmp_path / "all/masks")
    itself = ("images", shots / "a.png", masks / "a.png", *STD, "--mask", masks / "a.png", "--force")
    assert "DST lies there" in refused(*itself)
    same = ("images", shots / "a.png", tmp_path / "x.png", *STD, "--mask")
    assert "where the images are" in refused(*same, shots / "a.png")
    assert "where the images are" in refused(*same, shots)
    assert "name the mask itself" in refused("images", "-", tmp_path / "x.png", *STD, "--mask", masks)
    assert "omit --tar" in refused("images", shots, destination, *STD, "--mask", masks, "--tar", "2")
    assert noisy("images", shots, tmp_path / "packed", *STD, "--tar", "2", "--patch", "20").status == 0
    assert "unpack" in refused("images", tmp_path / "packed", destination, *STD, "--mask", masks)


@pytest.mark.parametrize("text", ["0", "-3", "x", "2.5", "9..3", "5,10", "10%", "", "12345678", "3.."])
def test_sides_that_cannot_be(text, refused, shots, destination):
    assert "--patch" in refused("images", shots, destination, *STD, f"--patch={text}")


@pytest.mark.parametrize("command", ["audio", "arrays", "weights", "adversarial"])
@pytest.mark.parametrize("words", [("--mask", "masks"), ("--patch", "20")])
def test_other_commands_do_not_have_them(command, words, refused, shots, destination):
    assert words[0] in refused(command, shots, destination, *STD, *words)


def test_sounds_have_no_sheet_with_them(refused, sample_data, write_wav, tmp_path):
    write_wav(tmp_path / "sounds/a.wav")
    message = refused("preview", tmp_path / "sounds", tmp_path / "look.png", *STD, "--patch", "20")
    assert "for images only" in message


def test_no_settings_hash_without_them_is_another(noisy, shots, tmp_path, rows):
    assert noisy("images", shots, tmp_path / "plain", *STD).status == 0
    run = json.loads((tmp_path / "plain/run.json").read_text())
    [(key, settings)] = run["settings"].items()
    assert not {"mask", "patch"} & settings.keys()
    # as the version before there were masks hashes it
    assert key == "474533aa70fed23d"
