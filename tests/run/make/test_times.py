"""The manifest's time, which Make compares: of a finished run it is when that began, of any other none at all."""

import os
import signal
import time

import pytest


@pytest.fixture
def shown(destination):
    return lambda: os.stat(destination / "manifest.jsonl").st_mtime_ns


def newer(path):
    """Give a file a time after the last run, and before the next."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))


@pytest.mark.parametrize("name", ["a.png", "cats", "cats/d.png", "."])
def test_what_is_newer_and_has_no_other_content_is_settled(images, pictures, tree, shown, destination, name):
    assert images().status == 0
    before, first = tree(destination), shown()
    newer(pictures / name)
    assert images().status == 0
    assert shown() >= os.stat(pictures / name).st_mtime_ns > first
    assert tree(destination) == before
    settled = shown()
    assert images().status == 0
    assert shown() == settled


def test_a_source_that_changes_while_the_run_goes_on_is_due_again(images, pictures, shown, monkeypatch):
    from noisecli.manifest.ledger import Ledger

    check = Ledger.check_in_place

    def late(self):
        newer(pictures / "a.png")
        check(self)

    monkeypatch.setattr(Ledger, "check_in_place", late)
    assert images().status == 0
    assert shown() < os.stat(pictures / "a.png").st_mtime_ns
    monkeypatch.undo()


@pytest.mark.parametrize("words", [["--limit", "1"], ["--include", "cats"], ["--exclude", "b.png"]])
def test_a_run_on_some_of_the_sources_settles_nothing(images, pictures, png, shown, depfile_words, words):
    assert images().status == 0
    before = shown()
    (pictures / "b.png").write_bytes(png(9))
    newer(pictures / "a.png")
    newer(pictures / "cats/c.png")
    done = images(*words, "--seed", "1", "--json")
    assert done.summary["made"] > 0
    assert shown() == before
    # with a depfile, this very request is the rule's
    assert images(*words, "--seed", "1", *depfile_words).status == 0
    assert shown() > before


@pytest.fixture
def depfile_words(tmp_path):
    return ["--depfile", tmp_path / "noisy.d"]


def test_outputs_that_are_asked_for_no_more_do_not_keep_the_rule_due(images, pictures, shown):
    assert images("--copies", "3").status == 0
    before = shown()
    newer(pictures / "a.png")
    assert images("--copies", "2").status == 0
    assert shown() > before


def test_a_time_still_to_come_is_told(images, pictures, shown, depfile_words):
    os.utime(pictures / "a.png", (2**33, 2**33))
    done = images(*depfile_words)
    assert done.status == 0
    assert "a.png: has a time still to come" in done.err
    first = shown()
    assert images(*depfile_words, "--json").summary["future"].endswith("src/a.png")
    assert shown() == first
    assert "still to come" not in images().err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="a newer source"),
        pytest.param(["--seed", "1"], id="other settings", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_killed_leaves_what_make_takes_for_due(
    faulty, pictures, fill, png, wait_until, shown, destination, words
):
    fill(pictures, "wait-write.png")
    faulty.gate.touch()
    run = ["images", pictures, destination, "--std", "25", "-j", "1"]
    assert faulty.run(*run).status == 0
    first = shown()
    faulty.gate.unlink()
    (faulty.gate.parent / "reached-write").unlink()
    if not words:
        (pictures / "wait-write.png").write_bytes(png(9))
    process = faulty.start(*run, *words)
    wait_until(lambda: faulty.reached("write"), "the output that waits")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # unchanged where it is older than a source: make removes a target that an interrupted rule has changed
    assert shown() == (0 if words else first)
    faulty.gate.touch()
    assert faulty.run(*run, *words).status == 0
    assert shown() > first


def test_latents_have_no_sources_and_settle_all_the_same(noisy, destination, shown, monkeypatch):
    from noisecli.manifest.ledger import Ledger

    words = ["latents", destination, "--shape", "10", "--count", "30", "-j", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_remove_journal", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        assert noisy(*words).status == 130
    assert shown() == 0
    assert noisy(*words).status == 0
    assert shown() > 0
