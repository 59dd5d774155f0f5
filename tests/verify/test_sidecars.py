"""verify looks at side files as at outputs: there, whole, and still what SRC holds."""

import json
import os

import pytest


@pytest.fixture
def labelled(fill, tmp_path):
    return fill(tmp_path / "labelled", "a.png", "a.txt", "b.txt", "c.txt", "d.txt", "masks/a.png")


@pytest.fixture
def verify(noisy, destination):
    def run(*words):
        done = noisy("verify", destination, "--json", *words)
        found = {entry["file_name"]: entry["reason"] for entry in done.summary["differences"]}
        return done.status, found, done.summary["sidecars"], done.err

    return run


@pytest.mark.parametrize("how", ["copy", "link"])
def test_what_is_not_as_on_record_is_named(images, verify, labelled, destination, how):
    words = ("--sidecars", how, "--exclude", "masks/**")
    assert images(*words, source=labelled).status == 0
    for more in ((), ("--recompute", labelled)):
        status, found, count, err = verify(*more)
        assert (status, found, count) == (0, {}, 5)
        assert "1 row and 5 side files verified" in err
    (destination / "a.txt").unlink()
    (destination / "b.txt").write_text("longer than it was before, and other words")
    data = (destination / "c.txt").read_bytes()
    (destination / "c.txt").write_bytes(b"x" + data[1:])
    (destination / "masks/a.png").unlink()
    (destination / "masks/a.png").symlink_to("nothing")
    expected = {"a.txt": "gone", "b.txt": "size-differs", "c.txt": "digest-differs", "masks/a.png": "gone"}
    assert verify()[:3] == (1, expected, 5)


def test_what_changed_in_the_source_is_named(images, verify, labelled, destination):
    assert images("--sidecars", "copy", "--copies", "2", source=labelled).status == 0
    (labelled / "a.txt").write_text("another label")
    (labelled / "b.txt").unlink()
    os.chmod(labelled / "c.txt", 0o600)
    assert verify()[:2] == (0, {})
    expected = {"a-1.txt": "source-changed", "a-2.txt": "source-changed", "b.txt": "source-gone"}
    assert verify("--recompute", labelled)[:2] == (1, expected)


def test_rows_that_were_lost_are_counted(images, verify, labelled, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    lines = (destination / "sidecars.jsonl").read_text().splitlines(keepends=True)
    (destination / "sidecars.jsonl").write_text("".join(lines[1:]))
    assert verify()[:2] == (1, {"sidecars.jsonl": "digest-differs"})
    (destination / "sidecars.jsonl").unlink()
    assert verify()[:2] == (1, {"sidecars.jsonl": "rows-missing"})
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert verify()[:3] == (0, {}, len(lines))


def test_side_files_of_another_manifest_are_listed_too(images, verify, labelled, destination):
    words = ("--sidecars", "copy", "--exclude", "masks/**", "--manifest", "other.jsonl", "--name", "{stem}_x{ext}")
    assert images(source=labelled).status == 0
    (destination / "masks/a.png").unlink()
    lines = (destination / "manifest.jsonl").read_text().splitlines(keepends=True)
    (destination / "manifest.jsonl").write_text("".join(line for line in lines if "masks" not in line))
    run = json.loads((destination / "run.json").read_text())
    run["totals"]["outputs"] = 1
    (destination / "run.json").write_text(json.dumps(run))
    assert images(*words, source=labelled).status == 0
    assert (destination / "masks/a_x.png").exists()
    assert verify()[:2] == (0, {})
