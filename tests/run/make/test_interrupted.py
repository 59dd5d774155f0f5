"""A rule that was interrupted is not done, and the next make finishes it; nothing is lost where make removes files."""

import os
import shutil
import signal

import pytest

from noisecli.manifest.ledger import Ledger
from tests.run.make.test_rules import DEPFILE, MANIFEST, PATTERN, STAMP

PHOTOS = ("a.png", "b.png", "cats/wait-write.png")
FORMS = {
    "depfile": DEPFILE,
    "manifest": MANIFEST,
    "stamp": STAMP,
    "precious": DEPFILE + ".PRECIOUS: noisy/manifest.jsonl\n",
    "delete on error": MANIFEST + ".DELETE_ON_ERROR:\n",
}
QUICK = "depfile"


def some(forms, quick):
    return [pytest.param(form, marks=() if form == quick else pytest.mark.slow) for form in forms]


def outputs_of(tree):
    return {name: data for name, data in tree.items() if name.endswith(".png")}


@pytest.fixture
def unfinished(ground, tmp_path, wait_until):
    """Return a ground on which the first build was interrupted."""

    def interrupted(makefile, number=signal.SIGINT, photos=PHOTOS):
        rule = ground(makefile, *photos, state=tmp_path / "state")
        rule.interrupt(wait_until, number)
        return rule

    return interrupted


@pytest.mark.parametrize("form", some(FORMS, QUICK))
def test_the_first_build(unfinished, tree, fresh, form):
    rule = unfinished(FORMS[form])
    (rule.photos / "a.png").write_bytes((rule.photos / "b.png").read_bytes())
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == fresh()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_by_another_signal(unfinished, wait_until, tree, fresh, form, number):
    rule = unfinished(FORMS[form], number)
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == fresh()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("change", ["a source", "the recipe"])
def test_a_later_build(ground, png, tmp_path, wait_until, noisy, tree, form, number, change):
    """With another recipe, which no source is newer than, the manifest alone can say that it is due."""
    rule = ground(FORMS[form], *PHOTOS, state=tmp_path / "state")
    (rule.state / "gate").touch()
    assert rule.settle() == 1
    for name in ("gate", "reached-write"):
        (rule.state / name).unlink()
    makefile = rule.folder / "Makefile"
    std = "25"
    if change == "a source":
        for number_of, name in enumerate(PHOTOS):
            (rule.photos / name).write_bytes(png(50 + number_of))
    else:
        std = "30"
        target = "stamp" if form == "stamp" else "noisy/manifest.jsonl"
        makefile.write_text(makefile.read_text().replace("--std 25", "--std 30") + f"{target}: Makefile\n")
    rule.interrupt(wait_until, number)
    if form != "stamp":
        os.utime(makefile, (1, 1))
    assert rule.settle() == 1
    assert noisy("images", rule.photos, tmp_path / "fresh", "--std", std).status == 0
    assert tree(rule.folder / "noisy") == tree(tmp_path / "fresh")


@pytest.mark.slow
def test_one_rule_for_each_file(unfinished, tree, fresh):
    rule = unfinished(PATTERN, photos=("a.png", "b.png", "wait-write.png"))
    rule.build()
    assert rule.build() == 0
    assert outputs_of(tree(rule.folder / "noisy")) == outputs_of(fresh())


def test_a_manifest_that_make_removed_after_a_finished_run(images, pictures, destination, tree):
    """As .DELETE_ON_ERROR does after exit status 1: outputs of sources as they are stay, and the rest is made."""
    assert images().status == 0
    before = tree(destination)
    (destination / "manifest.jsonl").unlink()
    assert images().status == 0
    assert tree(destination) == before


@pytest.mark.parametrize("words", [["--on-error", "stop"], ["--max-failures", "1"]])
def test_a_stop_leaves_a_manifest_older_than_any_source(images, pictures, destination, tree, png, words):
    (pictures / "e.png").write_bytes(b"")
    assert images(*words, "-j", "1").status == 3
    assert os.stat(destination / "manifest.jsonl").st_mtime == 0
    (pictures / "e.png").write_bytes(png(4))
    # what make does with the target of a rule that it had to end
    (destination / "manifest.jsonl").unlink()
    (pictures / "a.png").write_bytes(png(9))
    done = images("--json")
    assert (done.status, done.summary["made"] + done.summary["kept"]) == (0, 5)
    assert os.stat(destination / "manifest.jsonl").st_mtime > os.stat(pictures / "a.png").st_mtime
    here = tree(destination)
    shutil.rmtree(destination)
    assert images().status == 0
    assert tree(destination) == here


def killed(*_):
    raise KeyboardInterrupt


def test_prune_after_a_kill(images, pictures, destination, monkeypatch):
    """The journal of a run that was killed lists nothing for another manifest."""
    assert images().status == 0
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "publish", killed)
        assert images("--redo").status == 130
    assert (destination / ".noisecli-journal").stat().st_size > 0
    (pictures / "e.png").unlink()
    (pictures / "cats/d.png").unlink()
    done = images("--prune", "--json")
    assert (done.status, done.summary["pruned"]) == (0, 2)
    assert not (destination / "cats/d.png").exists()
