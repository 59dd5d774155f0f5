"""run.json says whether its run came to its end; verify and export refuse one that did not."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from noisecli.exports import EXPORTS
from noisecli.manifest.ledger import Ledger

WORDS = {
    "images": ["--std", "25", "--with-clean"],
    "audio": ["--std", "1%"],
    "arrays": ["--std", "1"],
    "weights": ["--std", "5%"],
}


@pytest.fixture
def fill_kind(tmp_path, png, write_wav):
    """Return a folder of three files of a kind, of which the first may be empty."""

    def write(kind, *, broken):
        source = tmp_path / "in"
        source.mkdir(exist_ok=True)
        for number, name in enumerate("abc"):
            if kind == "images":
                (source / f"{name}.png").write_bytes(png(number))
            elif kind == "audio":
                write_wav(source / f"{name}.wav", number)
            elif kind == "arrays":
                np.save(source / f"{name}.npy", np.arange(40, dtype=np.float32).reshape(5, 8) + number)
            else:
                save_file({"w": np.arange(40, dtype=np.float32) + number}, source / f"{name}.safetensors")
        if broken:
            next(source.glob("a.*")).write_bytes(b"")
        return source

    return write


@pytest.fixture
def refused(noisy, tree):
    """Check that verify and every export refuse a folder in one line, and change nothing."""

    def check(folder, *arguments):
        before = tree(folder)
        for words in (["verify"], ["verify", "--json"], ["verify", "--recompute", folder.parent], *_exports()):
            done = noisy(words[0], folder, *words[1:], *arguments)
            assert (done.status, done.err.count("\n")) == (2, 1), (words, done)
            if "--json" in words:
                assert done.err == f"noisecli: {done.summary['error']}\n"
            else:
                assert done.out == "", (words, done)
            assert "run the same command again" in done.err
        assert tree(folder) == before

    return check


def _exports():
    return [["export", "--to", name] for name in EXPORTS]


def finished(folder, name="run.json"):
    return json.loads((folder / name).read_text())["finished"]


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("stop", [["--on-error", "stop"], ["--max-failures", "1"]], ids=lambda words: words[0])
def test_a_stopped_run_is_refused_until_it_is_whole(noisy, refused, fill_kind, tree, destination, tmp_path, kind, stop):
    source = fill_kind(kind, broken=True)
    assert noisy(kind, source, destination, *WORDS[kind], *stop, "-j", "1").status == 3
    assert finished(destination) is False
    refused(destination)
    fill_kind(kind, broken=False)
    assert noisy(kind, source, destination, *WORDS[kind]).status == 0
    assert noisy(kind, source, tmp_path / "undisturbed", *WORDS[kind]).status == 0
    assert tree(destination) == tree(tmp_path / "undisturbed")
    assert finished(destination) is True
    assert noisy("verify", destination, "--recompute", source).status == 0
    assert noisy("export", destination, "--to", "csv").status == 0


def test_failures_are_recorded_in_a_finished_run(images, noisy, pictures, destination):
    (pictures / "a.png").write_bytes(b"")
    assert images("--max-failures", "2").status == 1
    assert finished(destination) is True
    assert noisy("verify", destination).status == 0
    assert noisy("export", destination, "--to", "csv").status == 0


def test_where_a_broken_file_stops_it_each_time_the_message_says_how_to_finish(images, noisy, pictures, destination):
    (pictures / "e.png").write_bytes(b"")
    assert images("--on-error", "stop").status == 3
    assert "without --on-error stop" in noisy("verify", destination).err
    assert images().status == 1
    assert noisy("verify", destination).status == 0


@pytest.mark.parametrize("after", [0, 1])
def test_latents_that_were_interrupted(noisy, refused, monkeypatch, tree, destination, tmp_path, after):
    words = ["--shape", "10", "--count", "30", "--per-file", "10", "-j", "1"]
    note_made, made = Ledger.note_made, []

    def interrupted(self, output):
        if len(made) == after:
            raise KeyboardInterrupt
        made.append(output)
        note_made(self, output)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "note_made", interrupted)
        assert noisy("latents", destination, *words).status == 130
    assert finished(destination) is False
    refused(destination)
    assert noisy("latents", destination, *words).status == 0
    assert noisy("latents", tmp_path / "undisturbed", *words).status == 0
    assert tree(destination) == tree(tmp_path / "undisturbed")
    assert noisy("verify", destination, "--recompute").status == 0


def test_a_finished_run_that_a_stopped_one_went_over(images, refused, pictures, png, tree, destination):
    """Its outputs are whole, and yet not those of the sources as they are now."""
    assert images().status == 0
    before = tree(destination)
    (pictures / "a.png").write_bytes(b"")
    (pictures / "b.png").write_bytes(png(77))
    assert images("--on-error", "stop", "-j", "1").status == 3
    refused(destination)
    (pictures / "a.png").write_bytes(png(0))
    (pictures / "b.png").write_bytes(png(1))
    assert images().status == 0
    assert tree(destination) == before


def test_a_stop_over_a_run_in_which_nothing_changed(images, noisy, refused, monkeypatch, tree, destination):
    """All is kept as far as it looked; what it did not come to may have changed."""
    assert images().status == 0
    before = tree(destination)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "check_in_place", lambda self: interrupt(patch))
        assert images().status == 130
    assert finished(destination) is False
    refused(destination)
    assert images().status == 0
    assert tree(destination) == before


def interrupt(patch):
    patch.undo()
    raise KeyboardInterrupt


def test_runs_of_earlier_versions_count_as_finished(images, noisy, destination):
    assert images().status == 0
    run = json.loads((destination / "run.json").read_text())
    del run["finished"]
    (destination / "run.json").write_text(json.dumps(run))
    assert noisy("verify", destination).status == 0
    assert noisy("export", destination, "--to", "csv").status == 0


def test_each_manifest_has_its_own_end(images, noisy, refused, fill, tmp_path, destination):
    assert images().status == 0
    sounds = fill(tmp_path / "sounds", "b.wav")
    (sounds / "a.wav").write_bytes(b"")
    words = ["--std", "1%", "--manifest", "sounds.jsonl", "--on-error", "stop"]
    assert noisy("audio", sounds, destination, *words).status == 3
    assert (finished(destination), finished(destination, "sounds.run.json")) == (True, False)
    refused(destination, "--manifest", "sounds.jsonl")
    assert noisy("export", destination, "--to", "csv").status == 0
