"""Every call of the operating system that touches the destination fails in turn: nothing is torn, lost or untold."""

import errno
import hashlib
import shutil

import pytest

from noisecli.manifest.entries import placing

ERRORS = ("ENOSPC", "EIO", "EACCES")
WORDS = ["--std", "25", "--fsync", "--with-clean", "--sidecars", "copy", "-j", "1", "--quiet"]


@pytest.fixture
def ground(tmp_path, fill, request, start_driver, make_ground):
    """Return a call on images, in a fresh folder or over an older run."""
    source, destination, driver = tmp_path / "src", tmp_path / "dst", start_driver()
    fill(source, "a.png", "cats/b.png", "cats/b.txt", "skipped.jxl")
    words = ["images", source, destination, *WORDS, *["--with-std-map"] * ("with maps" in request.param)]
    if "over an older run" in request.param:
        fill(source, "gone.png")
        (source / "broken.png").write_bytes(b"no picture")
        assert driver.run([*words, "--std", "5"])[0] == 1
        shutil.copytree(destination, tmp_path / "older")
        fill(source, "z.png", "broken.png")
        (source / "gone.png").unlink()
        (source / "skipped.jxl").unlink()
        words += ["--prune"]
    ground = make_ground(driver, words)
    status, err, _ = ground.first
    assert (status, err) == (0, "") or "skipped" in err
    return ground


WITH_MAPS = pytest.param("with maps, over an older run", marks=pytest.mark.slow)
BOTH = pytest.mark.parametrize("ground", ["fresh", "over an older run", WITH_MAPS], indirect=True)


@BOTH
def test_a_share_of_all_calls(ground):
    """The calls before and after the work, and some of it; the slow test has them all."""
    problems = []
    for role, calls in ground.calls.items():
        for number in range(1, len(calls) + 1, 10):
            problems += ground.run_and_judge(role, number, ERRORS[number // 10 % 3], stays=bool(number // 10 % 2))[1]
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("error", [*ERRORS, "ESTALE"])
@pytest.mark.parametrize("stays", [False, True], ids=["once", "from then on"])
def test_every_call(ground, error, stays):
    problems = []
    for role, calls in ground.calls.items():
        assert len(calls) > 10
        for number in range(1, len(calls) + 1):
            problems += ground.run_and_judge(role, number, error, stays=stays)[1]
    assert not problems, "\n".join(problems)


CALLS = [
    *(("worker", name, number) for name in ("write", "replace", "fsync", "open") for number in (1, 2)),
    *(("parent", "write", number) for number in range(1, 7)),
    *(("parent", "replace", number) for number in (1, 2)),
    *(("parent", "fsync", number) for number in (1, 4, 9)),
]
QUICK = {("worker", "write", 1), ("parent", "replace", 1)}


@pytest.mark.parametrize(
    ("where", "name", "number"),
    [
        pytest.param(*call, marks=() if call in QUICK else pytest.mark.slow, id="-".join(map(str, call)))
        for call in CALLS
    ],
)
def test_a_call_of_the_parent_or_of_either_of_two_workers(
    start_driver, images, pictures, tree, destination, tmp_path, where, name, number
):
    words = ("images", pictures, destination, "--fsync", "-j", "2", "--with-clean")
    assert images("--with-clean", to=tmp_path / "undisturbed").status == 0
    undisturbed = tree(tmp_path / "undisturbed")
    assert images("--with-clean", "--std", "5").status == 0
    old = tree(destination)
    status, err, _ = start_driver().run([*words, "--std", "25"], where, number, errno.ENOSPC, only=name)
    assert status in (1, 3), err
    assert "Traceback" not in err
    for file, data in tree(destination).items():
        if file.endswith(".png"):
            assert data in (old.get(file), undisturbed.get(file)), file
    assert images("--with-clean").status == 0
    assert tree(destination) == undisturbed


def test_what_a_worker_put_in_place_is_known_behind_a_row_that_was_cut_off(images, tree, destination):
    """The parent fails half-way through a row, and a worker goes on to the end of its output."""
    assert images("--with-clean").status == 0
    before = tree(destination)
    manifest = destination / "manifest.jsonl"
    first, *others = manifest.read_bytes().splitlines(keepends=True)
    assert b"noisy/a.png" in first
    manifest.write_bytes(b"".join(others))
    journal = b'{"intended": {"noisy/a.png": "clean/a.png"}}\n' + others[0][:60]
    for name in ("clean/a.png", "noisy/a.png"):
        made = b"of the source as it was then, " + name.encode()
        (destination / name).write_bytes(made)
        journal += placing(name, hashlib.sha256(made).hexdigest())
    (destination / ".noisecli-journal").write_bytes(journal)
    done = images("--with-clean")
    assert (done.status, tree(destination)) == (0, before), done.err
