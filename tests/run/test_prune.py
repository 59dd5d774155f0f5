"""--prune removes outputs whose source is gone for certain, and nothing else, whatever happened to SRC or to rows."""

import errno
import json
import os
import shutil

import pytest


@pytest.fixture
def edit(destination):
    """Change the row of an output in the manifest."""

    def change(output, **values):
        path = destination / "manifest.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            if row["file_name"] == output:
                row.update(values)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    return change


def test_only_what_is_gone_goes(images, pictures, outputs, destination):
    assert images("--with-clean").status == 0
    before = outputs(destination)
    (pictures / "a.png").unlink()
    shutil.rmtree(pictures / "cats")
    done = images("--with-clean", "--prune", "--force", "--json")
    assert (done.status, done.summary["pruned"], done.summary["orphans"]) == (0, 3, 0)
    stay = {f"{side}/{name}" for side in ("clean", "noisy") for name in ("b.png", "e.png")}
    assert outputs(destination) == {name: before[name] for name in stay}


@pytest.mark.parametrize(
    "words",
    [
        ["--std", "5..50"],
        ["--std", "10%"],
        ["--std", "25/255", "--seed", "-7"],
        ["--std", "0..50", "--levels", "3"],
        ["--var", "100", "--copies", "2"],
        ["--severity", "3"],
        ["--severity", "1..5", "--severity-set", "cifar-c"],
        ["--snr-db", "10..30.5", "--name", "{copy}_{stem}_noisy{ext}"],
        ["--std", "5", "--mean", "3", "--format", "bmp"],
    ],
    ids=" ".join,
)
def test_a_row_of_any_level_proves_its_source(images, pictures, rows, destination, words):
    assert images(*words).status == 0
    gone = {name for name, row in rows(destination).items() if row["source"] in ("a.png", "cats/c.png")}
    whole = rows(destination)
    (pictures / "a.png").unlink()
    (pictures / "cats/c.png").unlink()
    assert images(*words, "--prune", "--json").summary["pruned"] == len(gone)
    assert rows(destination).keys() == whole.keys() - gone
    assert not any((destination / name).exists() for name in gone)


@pytest.mark.parametrize(("kind", "suffix", "level"), [("audio", "wav", "1%"), ("arrays", "npy", "5..9%")])
def test_other_kinds(noisy, write_wav, tmp_path, destination, rows, kind, suffix, level):
    source = tmp_path / "in"
    for number in range(3):
        path = source / f"{number}.{suffix}"
        write_wav(path, number)
        if kind == "arrays":
            header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100,), }".ljust(117) + b"\n"
            path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(range(200)) * 2)
    assert noisy(kind, source, destination, "--std", level).status == 0
    (source / f"1.{suffix}").unlink()
    assert noisy(kind, source, destination, "--std", level, "--prune", "--json").summary["pruned"] == 1
    assert rows(destination).keys() == {f"0.{suffix}", f"2.{suffix}"}


@pytest.mark.parametrize(
    "values",
    [
        {"source": "never-there.png"},
        {"source": "a.jpg"},
        {"source": ""},
        {"source": None},
        {"source": ["a.png"]},
        {"source": "../src/a.png"},
        {"source": "x" * 5000},
        {"level": "std=24", "source": "gone.png"},
        {"key": "0" * 32, "source": "gone.png"},
        {"settings": "0" * 16, "source": "gone.png"},
        {"copy": 2, "source": "gone.png"},
        {"copy": "1", "source": "gone.png"},
    ],
    ids=lambda values: str(values)[:60],
)
def test_a_row_whose_source_was_edited_proves_nothing(images, edit, outputs, destination, values):
    assert images().status == 0
    before = outputs(destination)
    edit("a.png", **values)
    # not chosen, so that the row is all that is known of it
    done = images("--include", "cats", "--prune", "--json")
    assert (done.status, done.summary["pruned"]) == (0, 0)
    assert outputs(destination) == before
    # chosen, it is made again with a true row
    assert images("--prune").status == 0
    assert outputs(destination) == before


def test_settings_that_were_edited_prove_nothing(images, pictures, outputs, destination):
    assert images().status == 0
    before = outputs(destination)
    run = json.loads((destination / "run.json").read_text())
    for spelled in run["settings"].values():
        spelled["seed"] = 1
    (destination / "run.json").write_text(json.dumps(run))
    (pictures / "a.png").unlink()
    assert images("--include", "cats", "--prune", "--json").summary["pruned"] == 0
    assert outputs(destination) == before


def test_a_source_that_cannot_be_seen_is_not_gone(unprivileged, images, pictures, outputs, destination):
    assert images().status == 0
    before = outputs(destination)
    (pictures / "cats").chmod(0)
    words = ["--std", "25", "--prune", "--include", "[abe].png"]
    unprivileged("images", pictures, destination, *words)
    (pictures / "cats").chmod(0o755)
    assert outputs(destination) == before


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.EACCES, errno.ENAMETOOLONG, errno.ETIMEDOUT])
def test_an_error_of_the_file_system_is_no_proof(images, pictures, outputs, destination, monkeypatch, error):
    assert images().status == 0
    before = outputs(destination)
    (pictures / "a.png").unlink()
    (pictures / "b.png").unlink()
    lstat = os.lstat

    def failing(path, **options):
        if os.fspath(path).endswith("src/a.png"):
            raise OSError(error, os.strerror(error))
        return lstat(path, **options)

    monkeypatch.setattr(os, "lstat", failing)
    assert images("--prune", "--json").summary["pruned"] == 1
    monkeypatch.undo()
    assert outputs(destination) == {name: data for name, data in before.items() if name != "b.png"}


@pytest.mark.parametrize("how", ["renamed", "another folder in its place", "nothing but a file"])
def test_a_source_folder_that_goes_in_mid_run(faulty, images, fill, pictures, outputs, destination, wait_until, how):
    assert images().status == 0
    before = outputs(destination)
    (pictures / "a.png").unlink()
    fill(pictures, "0-wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1", "--prune")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    pictures.rename(pictures.with_name("moved"))
    if how == "another folder in its place":
        pictures.mkdir()
    elif how == "nothing but a file":
        pictures.write_text("a file")
    faulty.gate.touch()
    process.communicate()
    assert {name: outputs(destination).get(name) for name in before} == before


def test_a_source_that_comes_back_in_mid_run(faulty, images, fill, png, pictures, outputs, destination, wait_until):
    assert images().status == 0
    (pictures / "a.png").unlink()
    fill(pictures, "0-wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1", "--prune")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    (pictures / "a.png").write_bytes(png(0))
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 0
    assert "a.png" in outputs(destination)


def test_a_source_that_goes_in_mid_run_keeps_its_output(
    faulty, images, fill, pictures, outputs, destination, wait_until
):
    """It was planned; whether it is gone for good is for the next run to say."""
    fill(pictures, "z.png")
    assert images().status == 0
    before = outputs(destination)
    fill(pictures, "0-wait-read.png")
    (pictures / "z.png").write_bytes(b"changed, and soon gone")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1", "--prune")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    (pictures / "z.png").unlink()
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    assert outputs(destination)["z.png"] == before["z.png"]


def test_a_linked_folder_whose_target_is_away(images, pictures, outputs, destination):
    """A link inside of SRC to a folder that is not mounted at the moment."""
    (pictures / "store").mkdir()
    (pictures / "cats").rename(pictures / "store/cats")
    os.symlink("store/cats", pictures / "cats")
    assert images().status == 0
    before = outputs(destination)
    (pictures / "store").rename(pictures.with_name("unmounted"))
    assert "cats: skipped" in images("--prune", "--force").err
    now = outputs(destination)
    assert {name for name in before if name not in now} == {"store/cats/c.png", "store/cats/d.png"}


@pytest.mark.parametrize("other", ["a subfolder", "another dataset of the same names"])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_another_source_than_the_manifest_was_made_from(
    images, pictures, png, tree, destination, tmp_path, other, force
):
    assert images().status == 0
    before = tree(destination)
    source = pictures / "cats"
    if other != "a subfolder":
        source = tmp_path / "other"
        source.mkdir()
        for number, name in enumerate(["a.png", "b.png"]):
            (source / name).write_bytes(png(50 + number))
    for words in (["--dry-run"], []):
        done = images("--prune", *words, *force, source=source)
        assert done.status == 2
        assert "does not look like the folder that" in done.err
        assert done.err.count("\n") == 1
        assert tree(destination) == before


def test_more_than_half_needs_force(images, pictures, tree, outputs, destination):
    assert images().status == 0
    before = tree(destination)
    for name in ("a.png", "b.png", "e.png"):
        (pictures / name).unlink()
    done = images("--prune")
    assert done.status == 2
    assert "would remove 3 of the 5 outputs" in done.err
    assert tree(destination) == before
    assert images("--prune", "--force", "--json").summary["pruned"] == 3
    assert outputs(destination).keys() == {"cats/c.png", "cats/d.png"}


def test_a_dry_run_counts_and_removes_nothing(images, pictures, tree, destination):
    assert images("--dry-run", "--prune", "--json").summary["pruned"] == 0
    assert not destination.exists()
    assert images().status == 0
    before = tree(destination)
    (pictures / "a.png").unlink()
    (pictures / "cats/c.png").unlink()
    done = images("--dry-run", "--prune", "--json")
    assert (done.status, done.summary["pruned"]) == (0, 2)
    assert "2 outputs would be removed" in done.err
    assert tree(destination) == before


def test_latents_of_somebody_else(noisy, destination, outputs):
    words = ["latents", destination, "--shape", "4", "--per-file", "2"]
    assert noisy(*words, "--count", "10").status == 0
    path = destination / "manifest.jsonl"
    (destination / "latents-00003.npy").rename(destination / "precious.npy")
    path.write_text(path.read_text().replace("latents-00003.npy", "precious.npy"))
    assert noisy(*words, "--count", "6", "--prune", "--json").summary["pruned"] == 1
    assert outputs(destination).keys() == {*(f"latents-0000{n}.npy" for n in range(3)), "precious.npy"}


@pytest.mark.parametrize("ending", ["whole", "killed"])
def test_a_destination_made_from_several_sources(images, pictures, fill, png, outputs, destination, tmp_path, ending):
    """What is gone from one folder may be in the other, whose rows look the same."""
    other = fill(tmp_path / "other", *(f"{number}.png" for number in range(9)))
    assert images().status == 0
    run = json.loads((destination / "run.json").read_text())
    assert "sources" not in run
    done = images(source=other)
    assert done.status == 0
    assert "5 outputs of sources that are not in SRC" in done.err
    if ending == "killed":
        (destination / ".noisecli-journal").write_text(json.dumps({"temporaries": "", "sources": 2}) + "\n")
        (destination / "run.json").write_text(json.dumps(run))
    before = outputs(destination)
    (other / "0.png").unlink()
    for source in (other, pictures):
        done = images("--prune", "--force", source=source)
        assert done.status == 2
        assert "was made from 2 source folders" in done.err
    assert outputs(destination) == before


def test_sources_that_were_all_changed_in_place_are_of_the_same_folder(images, pictures, png, rows, destination):
    assert images().status == 0
    for number, name in enumerate(rows(destination)):
        (pictures / name).write_bytes(png(40 + number))
    assert images().status == 0
    (pictures / "a.png").unlink()
    assert images("--prune", "--json").summary["pruned"] == 1


def test_what_another_manifest_lists_stays(images, pictures, outputs, destination, tmp_path):
    """Two runs at once made the same bytes under the same names, so each lists them."""
    assert images().status == 0
    other = tmp_path / "other"
    shutil.copytree(pictures, other)
    shutil.copy(destination / "run.json", destination / "other.run.json")
    shutil.copy(destination / "manifest.jsonl", destination / "other.jsonl")
    before = outputs(destination)
    (other / "a.png").unlink()
    done = images("--manifest", "other.jsonl", "--prune", "--json", source=other)
    assert (done.status, done.summary["pruned"]) == (0, 0)
    assert outputs(destination) == before


def test_what_this_run_makes_stays_though_it_was_a_clean_file_before(images, fill, pictures, rows, destination):
    words = ["--prob", "0.0001"]
    assert images(*words, "--with-clean").status == 0
    (pictures / "clean").mkdir()
    (pictures / "a.png").rename(pictures / "clean/a.png")
    assert images(*words, "--prune", "--force").status in (0, 1)
    assert (destination / "clean/a.png").exists()


def test_an_export_for_hugging_face_keeps_nothing(images, noisy, pictures, outputs, destination):
    assert images().status == 0
    assert noisy("export", destination, "--to", "hf").status == 0
    (pictures / "b.png").unlink()
    done = images("--prune", "--json")
    assert (done.status, done.summary["pruned"]) == (0, 1)
    assert "b.png" not in outputs(destination)


def test_what_may_not_be_removed_does_not_keep_the_others(images, pictures, outputs, errors, destination, monkeypatch):
    assert images().status == 0
    for name in ("a.png", "cats/c.png"):
        (pictures / name).unlink()
    real = os.unlink

    def unlink(path, **options):
        if os.fspath(path) == "a.png":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    done = images("--prune", "--json")
    monkeypatch.undo()
    assert (done.status, done.summary["pruned"]) == (1, 1)
    assert errors(destination)["a.png"]["reason"] == "unwritable"
    assert "a.png" in outputs(destination)
    assert "cats/c.png" not in outputs(destination)
    assert images("--prune", "--json").summary["pruned"] == 1


def test_a_linked_folder_of_any_spelling_whose_target_is_away(images, pictures, png, outputs, destination):
    store = pictures / ".store"
    store.mkdir()
    (store / "x.png").write_bytes(png(9))
    os.symlink(b".store", os.fsencode(pictures) + b"/q\xff")
    assert images().status == 0
    before = outputs(destination)
    assert "q%FF/x.png" in before
    store.rename(pictures.with_name("unmounted"))
    images("--prune")
    assert outputs(destination) == before


def test_a_row_of_latents_with_a_number_that_none_has(noisy, destination, outputs):
    words = ["latents", destination, "--shape", "4", "--per-file", "2", "--count", "4"]
    assert noisy(*words).status == 0
    path = destination / "manifest.jsonl"
    row = {**json.loads(path.read_text().splitlines()[0]), "file_name": f"latents-{'9' * 5000}.npy"}
    path.write_text(path.read_text() + json.dumps(row) + "\n")
    for more in ([], ["--prune"]):
        assert noisy(*words, *more).status == 0
    assert len(outputs(destination)) == 2
