"""A dry run decides as the run does, and only reads."""

import os
import stat

import pytest

COUNTERS = ("planned", "made", "kept", "replaced", "pruned", "input_bytes")


@pytest.fixture
def foreseen(images, tree, tmp_path):
    """Check that a dry run says what the run then does, and changes nothing; return its summary."""

    def everything():
        found = sorted(os.walk(tmp_path))
        paths = [os.path.join(folder, name) for folder, _, names in found for name in names]
        return tree(tmp_path), found, {path: os.lstat(path)[: stat.ST_MTIME + 1] for path in paths if "dst" in path}

    def check(*words):
        before = everything()
        dry = images(*words, "--dry-run", "--json")
        after = everything()
        assert before[:2] == after[:2]
        assert {p: (s[stat.ST_MODE], s[stat.ST_MTIME]) for p, s in before[2].items()} == {
            p: (s[stat.ST_MODE], s[stat.ST_MTIME]) for p, s in after[2].items()
        }
        done = images(*words, "--json")
        assert done.status == dry.status == 0, (dry, done)
        assert {name: dry.summary[name] for name in COUNTERS} == {name: done.summary[name] for name in COUNTERS}
        assert (dry.summary["dry_run"], dry.summary["held"]) == (True, False)
        return tuple(dry.summary[name] for name in COUNTERS[1:5])

    return check


def test_what_would_be_made_kept_and_replaced(foreseen, pictures, destination, png):
    assert foreseen() == (5, 0, 0, 0)
    assert foreseen() == (0, 5, 0, 0)
    assert foreseen("--copies", "2") == (10, 0, 0, 0)
    (pictures / "a.png").write_bytes(png(9))
    assert foreseen() == (1, 4, 1, 0)
    os.utime(pictures / "b.png")
    assert foreseen() == (0, 5, 0, 0)
    assert foreseen("--std", "5") == (5, 0, 5, 0)
    assert foreseen("--std", "5", "--redo") == (5, 0, 5, 0)
    (destination / "e.png").write_bytes(b"edited")
    assert foreseen("--std", "5", "--limit", "5", "--checksum") == (1, 4, 1, 0)
    (pictures / "cats/c.png").unlink()
    # the copies of an earlier request are more than half of all
    assert foreseen("--std", "5", "--prune", "--force") == (0, 4, 0, 11)
    assert foreseen("--format", "jpg") == (4, 0, 0, 0)
    assert foreseen("--format", "jpg") == (0, 4, 0, 0)


def test_permissions_stay(images, pictures, destination):
    assert images().status == 0
    (pictures / "a.png").chmod(0o600)
    (destination / "a.png").chmod(0o644)
    assert images("--dry-run").status == 0
    assert stat.S_IMODE((destination / "a.png").stat().st_mode) == 0o644
    assert images().status == 0
    assert stat.S_IMODE((destination / "a.png").stat().st_mode) == 0o600


def test_refused_as_the_run_would_be(images, fill, pictures, destination):
    assert images().status == 0
    fill(pictures, "new.png")
    (destination / "new.png").write_bytes(b"mine")
    dry, done = images("--dry-run"), images()
    assert (dry.status, dry.err) == (done.status, done.err) == (2, dry.err)
    assert images("--force", "--dry-run").status == 0
    assert (destination / "new.png").read_bytes() == b"mine"


def test_while_another_run_holds_the_destination(images, fill, pictures, destination, faulty, wait_until, tree):
    assert images("--limit", "2").status == 0
    fill(pictures, "wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "its worker")
    before = tree(destination)
    done = images("--dry-run", "--json")
    assert tree(destination) == before
    assert done.status == 0
    assert done.summary["held"]
    assert done.summary["kept"] >= 2
    assert done.summary["made"] + done.summary["kept"] == 6
    assert "another run is writing" in done.err
    assert process.poll() is None
    (destination.parent / "state/gate").touch()


def test_latents(noisy, tmp_path):
    words = ("latents", tmp_path / "z", "--shape", "10", "--per-file", "30", "--json", "--count")
    assert noisy(*words, "100").status == 0
    for count, expected in (("100", (0, 4, 0)), ("110", (1, 3, 1)), ("200", (4, 3, 1))):
        summary = noisy(*words, count, "--dry-run").summary
        assert (summary["made"], summary["kept"], summary["replaced"]) == expected
    assert noisy(*words, "30", "--dry-run", "--prune", "--force").summary["pruned"] == 3
