"""verify finds what is not as the manifest says, names it, and finds nothing where all is well."""

import json
import os
import shutil
import zlib

import pytest


@pytest.fixture
def verify(noisy, destination):
    """Run `noisecli verify dst --json` with more arguments; the reasons by file are in `found`."""

    def run(*arguments, to=destination):
        done = noisy("verify", to, "--json", *arguments)
        assert done.summary["exit_status"] == done.status
        assert (done.summary["error"] is None) == (done.status < 2)
        if done.status < 2:
            assert len(done.err.splitlines()) >= len(done.summary["differences"])
            done.found = {entry["file_name"]: entry["reason"] for entry in done.summary["differences"]}
        return done

    return run


@pytest.fixture
def edit(rows):
    """Change a row of a manifest."""

    def change(folder, name, **changes):
        entries = rows(folder)
        entries[name] |= changes
        write(folder, entries)

    return change


def write(folder, entries):
    lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries.values())
    (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def forget_sidecars(folder):
    (folder / "sidecars.jsonl").unlink()
    run = json.loads((folder / "run.json").read_text())
    del run["totals"]["sidecars"]
    (folder / "run.json").write_text(json.dumps(run))


def forge(path, edit, folder, name):
    """Write the size and digest of the file that stands there into its row."""
    import hashlib

    data = path.read_bytes()
    edit(folder, name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_nothing_differs(images, verify, pictures):
    images()
    for words in ([], ["-j", "1"], ["-j", "2"], ["--recompute", pictures]):
        done = verify(*words)
        assert (done.status, done.found, done.summary["rows"]) == (0, {}, 5)
        assert "5 rows verified" in done.err
        assert "nothing differs" in done.err
    assert done.summary["remade"] == 5


def test_quiet_says_nothing_but_differences(images, noisy, destination):
    images()
    assert noisy("verify", destination, "-q").err == ""
    flip(destination / "a.png")
    (destination / "b.png").unlink()
    done = noisy("verify", destination, "--quiet")
    assert (done.status, done.out) == (1, "")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["a.png", "b.png"]


def test_what_changed_is_found_and_named(images, verify, destination, png):
    images()
    flip(destination / "a.png")
    os.truncate(destination / "b.png", 100)
    (destination / "cats/c.png").unlink()
    (destination / "cats/extra.png").write_bytes(png())
    (destination / "cats/labels.txt").write_text("side files are nobody's business")
    (destination / "e.png").unlink()
    (destination / "e.png").mkdir()
    done = verify()
    assert done.status == 1
    assert done.found == {
        "a.png": "digest-differs",
        "b.png": "size-differs",
        "cats/c.png": "gone",
        "cats/extra.png": "not-listed",
        "e.png": "unreadable",
    }
    assert done.summary["counts"]["gone"] == 1
    assert "5 differences" in done.err


def test_the_same_command_again_mends_it(images, verify, destination, pictures):
    images()
    flip(destination / "a.png")
    (destination / "b.png").unlink()
    assert verify().status == 1
    images("--checksum")
    assert verify("--recompute", pictures).status == 0


def test_clean_files_too(images, verify, destination, pictures):
    images("--with-clean")
    assert verify("--recompute", pictures).status == 0
    flip(destination / "clean/a.png")
    (destination / "clean/b.png").unlink()
    assert verify().found == {"clean/a.png": "digest-differs", "clean/b.png": "gone"}


def test_undecodable_though_its_digest_is_right(images, verify, edit, destination):
    images()
    data = bytearray((destination / "a.png").read_bytes())
    data[20] ^= 1
    (destination / "a.png").write_bytes(data)
    forge(destination / "a.png", edit, destination, "a.png")
    assert verify().found == {"a.png": "undecodable"}


OTHER_SAMPLES = [{"dtype": "uint16"}, {"shape": [12, 16]}, {"shape": [12, 17, 3]}, {"shape": None}]
EDITS = [
    ({"std": 24.0}, "noise-differs"),
    ({"mean": 1.0}, "noise-differs"),
    ({"applied": False}, "row-differs"),
    ({"key": "0" * 32}, "noise-differs"),
    ({"key": "0"}, "bad-row"),
    ({"noise": "pink"}, "bad-row"),
    ({"noise": ["gaussian"]}, "bad-row"),
    ({"std": float("nan")}, "bad-row"),
    ({"std": 1e300}, "noise-differs"),
    ({"std": None}, "bad-row"),
    ({"source": "../a.png"}, "bad-row"),
    ({"measured_std": 3.0}, "row-differs"),
    ({"settings": "0" * 16}, "unknown-settings"),
    ({"source": "nobody.png"}, "source-gone"),
    ({"source_sha256": "0" * 64}, "source-changed"),
]


def test_rows_that_tell_other_samples(images, verify, edit, fill, destination, tmp_path):
    names = [f"{number}.png" for number in range(len(OTHER_SAMPLES))]
    images(source=fill(tmp_path / "many", *names))
    for name, changes in zip(names, OTHER_SAMPLES, strict=True):
        edit(destination, name, **changes)
    assert verify().found == dict.fromkeys(names, "row-differs")


def test_an_edited_row_does_not_make_the_output(images, verify, edit, fill, destination, tmp_path):
    names = [f"{number:02}.png" for number in range(len(EDITS))]
    source = fill(tmp_path / "many", *names, "untouched.png")
    images(source=source)
    for name, (changes, _) in zip(names, EDITS, strict=True):
        edit(destination, name, **changes)
    assert verify().status == 0
    done = verify("--recompute", source)
    assert done.found == {name: reason for name, (_, reason) in zip(names, EDITS, strict=True)}


def test_lines_that_are_no_rows(images, verify, rows, destination):
    images()
    entries = rows(destination)
    entries["out"] = entries["a.png"] | {"file_name": "../a.png"}
    entries["again"] = entries["a.png"]
    del entries["b.png"]
    write(destination, entries)
    with (destination / "manifest.jsonl").open("a") as file:
        file.write('{"file_name": "torn')
    done = verify()
    assert done.found == {
        "a.png": "listed-twice",
        "b.png": "not-listed",
        "manifest.jsonl": "rows-missing",
    }
    assert done.summary["counts"]["bad-row"] == 2
    assert "line 5 is no row" in done.err


def test_a_row_and_its_file_gone_together(images, verify, rows, destination):
    images()
    entries = rows(destination)
    del entries["a.png"]
    write(destination, entries)
    (destination / "a.png").unlink()
    assert verify().found == {"manifest.jsonl": "rows-missing"}


def test_what_is_no_run_is_refused(images, noisy, verify, destination, tmp_path, fill):
    images()
    (destination / "run.json").rename(tmp_path / "run.json")
    done = verify()
    assert (done.status, done.summary["exit_status"]) == (2, 2)
    assert "run.json" in done.err
    (tmp_path / "run.json").rename(destination / "run.json")
    (destination / "manifest.jsonl").unlink()
    assert verify().status == 2
    assert verify(to=tmp_path / "nowhere").status == 2
    assert verify(to=fill(tmp_path / "foreign", "a.png")).status == 2


def test_an_interrupted_run_is_refused(images, verify, destination):
    images()
    (destination / ".noisecli-journal").write_text("")
    for words in ((), ("--recompute", destination)):
        done = verify(*words)
        assert (done.status, done.summary["exit_status"], done.err.count("\n")) == (2, 2, 1)
        assert "run the same command again" in done.err
    (destination / "run.json").unlink()
    assert verify().status == 2


def test_another_manifest(images, noisy, verify, fill, destination, tmp_path):
    images()
    sounds = fill(tmp_path / "sounds", "s.wav", "t.flac.wav")
    assert noisy("audio", sounds, destination, "--snr-db", "20", "--manifest", "sounds.jsonl").status == 0
    assert verify().status == 0
    done = verify("--manifest", "sounds.jsonl", "--recompute", sounds)
    assert (done.status, done.summary["remade"]) == (0, 2)
    flip(destination / "s.wav")
    assert verify().status == 0
    assert verify("--manifest", "sounds.jsonl").found == {"s.wav": "digest-differs"}
    (destination / "run.json").unlink()
    assert "--manifest sounds.jsonl" in verify().err


def test_side_files_that_are_pictures_are_named_as_in_the_run(images, verify, destination):
    """A version that kept no record of side files does not say that they are some."""
    images("--exclude", "cats/**", "--sidecars", "copy")
    assert (verify().status, verify().summary["sidecars"]) == (0, 2)
    forget_sidecars(destination)
    assert set(verify().found) == {"cats/c.png", "cats/d.png"}
    assert verify("--exclude", "cats/**").status == 0


def test_names_are_one_line_each(images, verify, destination, png):
    images()
    (destination / "new\nline.png").write_bytes(png())
    done = verify()
    assert done.found == {"new\nline.png": "not-listed"}
    assert "new\\nline.png: no row lists it" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ["--std", "5,25"],
        ["--std", "5..50", "--copies", "3", "--seed", "7"],
        ["--std", "25", "--prob", "0.5", "--with-clean", "--shared-channels"],
        ["--severity", "1..3", "--mean", "4", "--format", "jpg", "--quality", "90", "--subsampling", "420"],
        ["--var", "100", "--dtype", "float32", "--no-clip", "--format", "tiff"],
        ["--snr-db", "10..30", "--format", "webp"],
    ],
    ids=" ".join,
)
def test_pictures_come_out_again(images, verify, pictures, rows, destination, words):
    assert images(*words).status == 0
    done = verify("--recompute", pictures)
    assert (done.status, done.found) == (0, {})
    assert done.summary["remade"] == len(rows(destination))


def test_every_sort_of_picture_and_sound_comes_out_again(noisy, verify, sample_data, destination, tmp_path, png):
    photos = tmp_path / "photos"
    shutil.copytree(sample_data / "images/boats", photos)
    (photos / "deep grey.png").write_bytes(png(1, bits=16, colour=0))
    (photos / "see-through.png").write_bytes(png(2, colour=6))
    for kind, source, level in (("images", photos, "--std=25"), ("audio", sample_data / "audio", "--snr-db=10..30")):
        to = tmp_path / kind
        assert noisy(kind, source, to, level, "--sidecars", "copy", "--with-clean").status == 0
        done = verify("--recompute", source, to=to)
        assert (done.status, done.summary["not_comparable"]) == (0, 0)
        assert done.summary["remade"] == done.summary["rows"]


def test_several_settings_in_one_manifest(images, verify, pictures, destination):
    images("--include", "cats")
    images("--exclude", "cats/**", "--seed", "1", "--std", "9")
    assert len(json.loads((destination / "run.json").read_text())["settings"]) == 2
    done = verify("--recompute", pictures)
    assert (done.status, done.summary["remade"]) == (0, 5)


def test_another_seeds_output_under_a_forged_row(images, verify, edit, destination, pictures, tmp_path):
    images()
    images("--seed", "1", to=tmp_path / "other")
    shutil.copy(tmp_path / "other/a.png", destination / "a.png")
    forge(destination / "a.png", edit, destination, "a.png")
    assert verify().status == 0
    assert verify("--recompute", pictures).found == {"a.png": "noise-differs"}


def test_another_seeds_output_under_the_other_seeds_row(images, verify, edit, rows, destination, pictures, tmp_path):
    images()
    images("--seed", "1", to=tmp_path / "other")
    shutil.copy(tmp_path / "other/a.png", destination / "a.png")
    edit(destination, "a.png", **rows(tmp_path / "other")["a.png"])
    assert verify("--recompute", pictures).found == {"a.png": "unknown-settings"}


def test_sources_that_changed_or_went(images, verify, pictures, png):
    images("--copies", "2")
    (pictures / "a.png").write_bytes(png(9))
    (pictures / "b.png").unlink()
    assert verify().status == 0
    assert verify("--recompute", pictures).found == {
        "a-1.png": "source-changed",
        "a-2.png": "source-changed",
        "b-1.png": "source-gone",
        "b-2.png": "source-gone",
    }


def test_a_source_whose_name_is_not_utf8(noisy, verify, png, destination, tmp_path):
    (tmp_path / "src").mkdir()
    with open(os.fsencode(tmp_path / "src") + b"/caf\xe9.png", "wb") as file:
        file.write(png())
    assert noisy("images", tmp_path / "src", destination, "--std", "25").status == 0
    done = verify("--recompute", tmp_path / "src")
    assert (done.status, done.summary["remade"]) == (0, 1)


def made_by_other_libraries(folder):
    run = json.loads((folder / "run.json").read_text())
    run["versions"] = dict.fromkeys(run["versions"], "0.1")
    (folder / "run.json").write_text(json.dumps(run))


def test_other_versions_of_libraries_compare_samples(images, verify, edit, destination, pictures, tmp_path):
    images("--with-clean")
    made_by_other_libraries(destination)
    repack(destination / "noisy/a.png")
    forge(destination / "noisy/a.png", edit, destination, "noisy/a.png")
    assert verify("--recompute", pictures).status == 0
    images("--seed", "1", "--with-clean", to=tmp_path / "other")
    shutil.copy(tmp_path / "other/noisy/b.png", destination / "noisy/b.png")
    forge(destination / "noisy/b.png", edit, destination, "noisy/b.png")
    assert verify("--recompute", pictures).found == {"noisy/b.png": "noise-differs"}


def repack(path):
    """Compress a PNG's samples otherwise."""
    data = path.read_bytes()
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    chunk = b"IDAT" + zlib.compress(zlib.decompress(data[start + 4 : start + 4 + size]), 1)
    packed = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    path.write_bytes(data[: start - 4] + packed + data[start + 8 + size :])
    assert path.read_bytes() != data


def test_other_versions_of_libraries_leave_lossy_files_alone(images, verify, destination, pictures):
    images("--format", "jpg")
    made_by_other_libraries(destination)
    done = verify("--recompute", pictures)
    assert (done.status, done.summary["remade"], done.summary["not_comparable"]) == (0, 0, 5)
    assert "opencv 0.1" in done.err


def test_recompute_refuses_another_random_stream(images, verify, destination, pictures, tmp_path):
    images()
    run = json.loads((destination / "run.json").read_text())
    (destination / "run.json").write_text(json.dumps(run | {"stream": 0}))
    assert verify().status == 0
    done = verify("--recompute", pictures)
    assert done.status == 2
    assert "random stream" in done.err
    assert verify("--recompute", tmp_path / "nowhere").status == 2


def test_nothing_is_left_behind(images, verify, tree, destination, pictures, tmp_path, monkeypatch):
    images()
    before = tree(destination), tree(pictures)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(scratch))
    assert verify("--recompute", pictures).status == 0
    assert not list(scratch.iterdir())
    assert (tree(destination), tree(pictures)) == before


def test_a_file_that_kills_or_hangs_its_worker_costs_only_itself(noisy, faulty, fill, destination, tmp_path):
    source = fill(tmp_path / "src", "a.png", "hang.png", "kill-always.png", "kill-once.png", "z.png")
    assert noisy("images", source, destination, "--std", "25").status == 0
    done = faulty.run("verify", destination, "--json", "--timeout", "60", "-j", "2")
    assert done.status == 1
    found = {entry["file_name"]: entry["reason"] for entry in done.summary["differences"]}
    assert found == {"hang.png": "timeout", "kill-always.png": "worker-died"}
