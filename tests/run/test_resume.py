"""Run again: work already done is not done again, and what changed is."""

import hashlib
import json
import os

import cv2
import numpy as np
import pytest


@pytest.fixture
def stamps(outputs):
    """Return what would change if an output were written anew: inode and time."""

    def read(folder):
        found = {}
        for name in outputs(folder):
            status = os.lstat(folder / name)
            found[name] = (status.st_ino, status.st_mtime_ns)
        return found

    return read


@pytest.fixture
def redone(images, stamps, destination):
    """Run again; return which outputs were written anew, and check the summary against it."""

    def again(*arguments, status=0, **options):
        before = stamps(destination)
        done = images("--json", *arguments, **options)
        assert done.status == status, done
        after = stamps(destination)
        changed = {name for name in after if before.get(name) != after[name]}
        assert done.summary["made"] == len(changed)
        return changed

    return again


ALL = {"a.png", "b.png", "cats/c.png", "cats/d.png", "e.png"}


def test_a_second_run_keeps_all(images, redone, tree, destination):
    assert images().status == 0
    before = tree(destination)
    assert redone() == set()
    assert redone("--checksum") == set()
    assert redone("-j", "3") == set()
    assert tree(destination) == before


def test_a_changed_source_is_redone(images, redone, pictures, rows, png, destination):
    assert images().status == 0
    (pictures / "cats/c.png").write_bytes(png(99))
    assert redone() == {"cats/c.png"}
    digest = hashlib.sha256(png(99)).hexdigest()
    assert rows(destination)["cats/c.png"]["source_sha256"] == digest
    assert redone() == set()


def test_a_changed_source_of_the_same_size_and_time_is_redone(noisy, write_wav, rows, tmp_path, destination):
    """Restored by tar or rsync -t with an old time: the change time gives it away."""
    source = tmp_path / "in"
    write_wav(source / "a.wav", 1)
    write_wav(source / "b.wav", 2)
    assert noisy("audio", source, destination, "--std", "1%").status == 0
    status = (source / "a.wav").stat()
    write_wav(source / "a.wav", 3)
    os.utime(source / "a.wav", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (source / "a.wav").stat().st_size == status.st_size
    done = noisy("audio", source, destination, "--std", "1%", "--json")
    assert (done.summary["made"], done.summary["kept"]) == (1, 1)
    digest = hashlib.sha256((source / "a.wav").read_bytes()).hexdigest()
    assert rows(destination)["a.wav"]["source_sha256"] == digest


def test_a_touched_source_is_kept_after_its_digest(images, redone, pictures):
    assert images().status == 0
    (pictures / "a.png").touch()
    os.utime(pictures / "b.png", ns=(2**62, 2**62))
    assert redone() == set()


@pytest.mark.parametrize(
    "words", [["--seed", "1"], ["--std", "26"], ["--mean", "1"], ["--shared-channels"], ["--prob", "0.99"]]
)
def test_changed_settings_redo_all(images, redone, words):
    assert images().status == 0
    assert redone(*words) == ALL
    assert redone(*words) == set()


def test_back_to_the_old_settings_is_the_old_tree(images, tree, destination):
    assert images().status == 0
    before = tree(destination)
    assert images("--seed", "1").status == 0
    assert images().status == 0
    assert tree(destination) == before


def test_redo(images, redone, tree, destination):
    assert images().status == 0
    before = tree(destination)
    assert redone("--redo") == ALL
    assert tree(destination) == before


def test_checksum_notices_an_output_that_rotted(images, redone, tree, destination):
    assert images("--with-clean").status == 0
    before = tree(destination)
    for name in ("noisy/a.png", "clean/b.png"):
        data = bytearray(before[name])
        data[len(data) // 2] ^= 1
        (destination / name).write_bytes(data)
    assert redone("--with-clean") == set()
    done = images("--with-clean", "--checksum", "--json")
    assert (done.summary["made"], done.summary["kept"]) == (2, 3)
    assert tree(destination) == before


def test_an_output_of_another_size_is_redone(images, redone, tree, destination):
    assert images().status == 0
    before = tree(destination)
    (destination / "a.png").write_bytes(b"short")
    assert redone() == {"a.png"}
    assert tree(destination) == before


def test_a_deleted_output_is_redone(images, redone, tree, destination):
    assert images("--with-clean").status == 0
    before = tree(destination)
    (destination / "noisy/a.png").unlink()
    (destination / "clean/b.png").unlink()
    assert images("--with-clean").status == 0
    assert tree(destination) == before


def test_prune_removes_outputs_whose_source_is_gone(images, pictures, outputs, rows, destination):
    assert images("--with-clean").status == 0
    (pictures / "a.png").unlink()
    assert images("--with-clean").status == 0
    assert "noisy/a.png" in rows(destination)
    done = images("--with-clean", "--prune", "--json")
    assert (done.summary["pruned"], done.summary["kept"]) == (1, 4)
    assert "noisy/a.png" not in rows(destination)
    assert len(outputs(destination)) == 8


def test_prune_of_a_name_that_is_not_utf8(images, pictures, destination, rows, png):
    path = os.fsencode(pictures) + b"/odd\xff.png"
    with open(path, "wb") as file:
        file.write(png(7))
    assert images().status == 0
    assert images("--prune").status == 0
    assert "odd%FF.png" in rows(destination)
    os.unlink(path)
    assert images("--prune").status == 0
    assert rows(destination).keys() == ALL


def test_rows_outside_the_choice_stay(images, redone, rows, tree, destination):
    assert images().status == 0
    before = tree(destination)
    assert redone("--include", "cats", "--redo") == {"cats/c.png", "cats/d.png"}
    assert redone("--limit", "1") == set()
    assert tree(destination) == before


def test_rows_outside_the_choice_go_with_their_files(images, rows, destination):
    assert images().status == 0
    (destination / "e.png").unlink()
    assert images("--include", "cats").status == 0
    assert rows(destination).keys() == ALL - {"e.png"}


def test_a_failed_source_is_tried_again(images, redone, pictures, png, errors, destination):
    (pictures / "a.png").write_bytes(b"")
    assert images().status == 1
    assert redone(status=1) == set()
    (pictures / "a.png").write_bytes(png(0))
    assert redone() == {"a.png"}
    assert errors(destination) == {}


def test_problems_outside_the_choice_stay_told(images, pictures, errors, destination):
    (pictures / "cats/broken.png").write_bytes(b"")
    (pictures / "broken.png").write_bytes(b"")
    assert images().status == 1
    assert images("--include", "e.png").status == 0
    assert errors(destination).keys() == {"broken.png", "cats/broken.png"}
    (pictures / "broken.png").unlink()
    assert images("--include", "e.png").status == 0
    assert errors(destination).keys() == {"cats/broken.png"}


def test_a_source_that_broke_keeps_its_old_output_and_true_row(images, pictures, rows, errors, destination):
    assert images().status == 0
    before = (destination / "a.png").read_bytes()
    (pictures / "a.png").write_bytes(b"broken now")
    assert images().status == 1
    assert (destination / "a.png").read_bytes() == before
    assert rows(destination)["a.png"]["sha256"] == hashlib.sha256(before).hexdigest()
    assert errors(destination).keys() == {"a.png"}


@pytest.mark.parametrize("cut", [1, 2, 30, 400, 0.5, 1.0])
def test_a_torn_manifest_is_repaired(images, tree, destination, cut):
    assert images("--with-clean").status == 0
    before = tree(destination)
    path = destination / "manifest.jsonl"
    data = path.read_bytes()
    last_line = data[:-1].rpartition(b"\n")[2]
    ends = {0.5: len(data) // 2, 1.0: len(data) - len(last_line) + 12}
    path.write_bytes(data[: ends.get(cut, len(data) - cut)])
    done = images("--with-clean")
    assert done.status == 0, done
    assert tree(destination) == before


def test_a_manifest_that_is_gone_is_made_anew(images, tree, destination):
    assert images().status == 0
    before = tree(destination)
    (destination / "manifest.jsonl").unlink()
    assert images().status == 0
    assert tree(destination) == before


def test_rubbish_in_a_manifest_is_no_row(images, tree, destination):
    assert images().status == 0
    before = tree(destination)
    path = destination / "manifest.jsonl"
    path.write_bytes(path.read_bytes() + b'rubbish\n{"file_name": 5}\n[]\n\xff\xfe\n')
    assert images().status == 0
    assert tree(destination) == before


def test_the_journal_of_a_killed_run_is_recovered(images, tree, rows, destination):
    """Its rows count, its outputs without a row are ours and made again, its temporary files go."""
    assert images().status == 0
    before = tree(destination)
    lines = (destination / "manifest.jsonl").read_text().splitlines()
    journal = [
        json.dumps({"temporaries": ".noisecli-tmp-abcd-"}),
        json.dumps({"intended": dict.fromkeys(ALL)}),
        json.dumps({"placing": {"e.png": hashlib.sha256(b"made, and no row written").hexdigest()}}),
        *lines[:3],
        lines[3][:-40],
    ]
    (destination / ".noisecli-journal").write_text("\n".join(journal))
    for name in ("manifest.jsonl", "run.json"):
        (destination / name).unlink()
    (destination / "cats/.noisecli-tmp-abcd-77-0123").write_bytes(b"half")
    (destination / ".noisecli-tmp-abcd-0123").write_bytes(b"half a manifest")
    (destination / "e.png").write_bytes(b"made, and no row written")
    done = images("--json")
    assert (done.summary["kept"], done.summary["made"]) == (3, 2)
    assert tree(destination) == before


def test_a_row_that_a_killed_run_made_untrue_is_not_trusted(images, tree, pictures, samples, destination, tmp_path):
    """Killed between an output's rename and its row: the old row has the same settings and sizes, and other bytes."""
    words = ["--format", "bmp"]
    assert images(*words).status == 0
    assert images(*words, "--seed", "1", to=tmp_path / "other").status == 0
    before = tree(destination)
    (destination / "a.bmp").write_bytes((tmp_path / "other/a.bmp").read_bytes())
    (destination / ".noisecli-journal").write_text(json.dumps({"intended": {"a.bmp": None}}) + "\n")
    assert images(*words).status == 0
    assert tree(destination) == before


def test_settings_of_a_killed_run_are_spelled_out(images, rows, destination, tmp_path):
    """Killed before it wrote a run.json; the next run is another one, and keeps its rows."""
    assert images("--seed", "1", "--limit", "2").status == 0
    run = json.loads((destination / "run.json").read_text())
    rows_made = (destination / "manifest.jsonl").read_text()
    begun = json.dumps({"temporaries": ".noisecli-tmp-abcd-", "settings": run["settings"]})
    (destination / ".noisecli-journal").write_text(f"{begun}\n{rows_made}")
    for name in ("manifest.jsonl", "run.json"):
        (destination / name).unlink()
    assert images("--seed", "2", "--include", "cats").status == 0
    run = json.loads((destination / "run.json").read_text())
    assert {row["settings"] for row in rows(destination).values()} == run["settings"].keys()


def test_leftovers_of_a_killed_run_whose_source_is_gone(images, tree, pictures, destination):
    assert images().status == 0
    before = tree(destination)
    (destination / "gone.png").write_bytes(b"made, and no row written")
    told = {"placing": {"gone.png": hashlib.sha256(b"made, and no row written").hexdigest()}}
    lines = [{"intended": {"gone.png": None, "other.png": None}}, told]
    (destination / ".noisecli-journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (destination / "other.png").write_bytes(b"put there by somebody, after the run was killed")
    assert images().status == 0
    assert tree(destination) == before | {"other.png": b"put there by somebody, after the run was killed"}


def test_more_levels_and_copies_keep_what_stands(images, redone, destination):
    assert images("--std", "5,10").status == 0
    assert redone("--std", "5,10,20") == {f"std-20/{name}" for name in ALL}
    assert redone("--std", "10,5") == set()


def test_fsync_changes_no_byte(images, tree, destination, tmp_path):
    assert images().status == 0
    assert images("--fsync", to=tmp_path / "synced").status == 0
    assert tree(tmp_path / "synced") == tree(destination)


@pytest.mark.parametrize("name", ["../precious.png", "/{root}/precious.png", "x/../../precious.png"])
def test_a_manifest_that_names_files_outside_removes_none_of_them(images, pictures, destination, tmp_path, name):
    assert images().status == 0
    (tmp_path / "precious.png").write_bytes(b"of somebody else")
    name = name.replace("/{root}", str(tmp_path))
    manifest, journal = destination / "manifest.jsonl", destination / ".noisecli-journal"
    row = {**json.loads(manifest.read_text().splitlines()[0]), "source": "gone.png"}
    outside = [{**row, "file_name": name}, {**row, "file_name": "kept.png", "clean_file_name": name}]
    manifest.write_text(manifest.read_text() + "".join(json.dumps(line) + "\n" for line in outside))
    journal.write_text(json.dumps({"intended": {name: None, "b.png": name}}) + "\n" + '{"temporaries": ""}\n')
    assert images("--prune").status == 0
    assert (tmp_path / "precious.png").read_bytes() == b"of somebody else"
    assert all(path.exists() for path in pictures.iterdir())
    assert name not in manifest.read_text()


def test_a_source_that_became_private_makes_its_outputs_so(images, redone, pictures, destination, tree):
    assert images("--with-clean").status == 0
    before = tree(destination)
    (pictures / "a.png").chmod(0o600)
    (pictures / "b.png").chmod(0o640)
    assert redone("--with-clean") == set()
    modes = {name: (destination / name).stat().st_mode & 0o777 for name in before}
    umask = os.umask(0)
    os.umask(umask)
    for side in ("noisy", "clean"):
        assert modes[f"{side}/a.png"] == 0o600
        assert modes[f"{side}/b.png"] == 0o640 & ~umask
        assert modes[f"{side}/e.png"] == 0o644 & ~umask | 0o200
    assert tree(destination) == before


def test_lossless_content_under_a_lossy_suffix_is_done_once(noisy, tmp_path, destination):
    """Its outputs have no share of noise to measure."""
    source = tmp_path / "misnamed"
    source.mkdir()
    for number in range(3):
        image = np.random.default_rng(number).integers(0, 256, (40, 50), np.uint8)
        (source / f"{number}.jpg").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    made = [json.loads(noisy("images", source, destination, "--std", "25", "--json").out)["made"] for _ in range(2)]
    assert made == [3, 0]
