"""The three forms of a rule, with make itself: it runs once for each change, and then there is nothing to do."""

import os

import pytest

MANIFEST = """\
noisy/manifest.jsonl: photos $(wildcard photos/*.png photos/*/*.png)
\t$(NOISECLI) images photos noisy --std 25 --prune -q
\t@echo run >>runs
"""
DEPFILE = """\
noisy/manifest.jsonl: photos
\t$(NOISECLI) images photos noisy --std 25 --prune -q --depfile noisy.d
\t@echo run >>runs
-include noisy.d
"""
STAMP = """\
stamp: photos $(wildcard photos/*.png photos/*/*.png)
\t$(NOISECLI) images photos noisy --std 25 --prune -q && touch $@
\t@echo run >>runs
"""
PATTERN = """\
photos := $(shell find photos -name '*.png')
all: $(photos:photos/%=noisy/%)
noisy/%.png: photos/%.png
\t$(NOISECLI) images $< $@ --std 25 -q --depfile $@.d
\t@echo run >>runs
-include $(photos:photos/%=noisy/%.d)
"""


def touch(path):
    path.touch()
    return path


@pytest.mark.parametrize("makefile", [DEPFILE, pytest.param(MANIFEST, marks=pytest.mark.slow)], ids=["depfile", ""])
def test_a_touched_source_runs_the_rule_once(ground, tree, fresh, makefile):
    rule = ground(makefile)
    assert rule.settle() == 1
    before, inode = tree(rule.folder / "noisy"), os.stat(rule.folder / "noisy/manifest.jsonl").st_ino
    touch(rule.photos / "cats/c.png")
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == before == fresh()
    assert os.stat(rule.folder / "noisy/manifest.jsonl").st_ino == inode


@pytest.mark.slow
@pytest.mark.parametrize("makefile", [DEPFILE, MANIFEST, STAMP], ids=["depfile", "manifest", "stamp"])
def test_a_folder(ground, fill, png, tree, fresh, makefile):
    rule = ground(makefile)
    assert rule.settle() == 1
    touch(rule.photos / "a.png")
    assert rule.settle() == 1
    (rule.photos / "b.png").write_bytes(png(7))
    assert rule.settle() == 1
    fill(rule.photos, "cats/new.png", "dogs/e.png")
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == fresh()
    fill(rule.photos, "dogs/f.png")
    assert rule.settle() == (makefile == DEPFILE or 1)
    (rule.photos / "a.png").unlink()
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == fresh()


@pytest.mark.slow
def test_a_deleted_source_of_a_folder_in_the_folder(ground, tree, fresh):
    rule = ground(DEPFILE)
    assert rule.settle() == 1
    (rule.photos / "cats/d.png").unlink()
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == fresh()


def test_one_rule_for_each_file(ground, png, tree, fresh):
    rule = ground(PATTERN, "a.png", "b.png")
    assert rule.settle("-j", "2") == 2
    (rule.photos / "b.png").write_bytes(png(7))
    assert rule.settle("-j", "2") == 1
    made = {name: data for name, data in tree(rule.folder / "noisy").items() if name.endswith(".png")}
    assert made == {name: data for name, data in fresh().items() if name.endswith(".png")}


@pytest.mark.slow
def test_one_rule_for_each_file_touched_added_deleted_and_edited(ground, fill, png, tree):
    rule = ground(PATTERN, "a.png", "b.png", "c.png")
    assert rule.settle() == 3
    before = tree(rule.folder / "noisy")
    touch(rule.photos / "a.png")
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == before
    (rule.photos / "c.png").unlink()
    fill(rule.photos, "d.png")
    assert rule.settle() == 1
    by_hand = rule.folder / "noisy/a.png"
    by_hand.write_bytes(png(99))
    os.utime(by_hand, (1, 1))
    done = rule.make()
    assert done.status == 2
    assert "noisy/a.png: already exists; it is not what --depfile recorded as made here" in done.out
    assert by_hand.read_bytes() == png(99)


@pytest.mark.slow
def test_a_broken_file_is_an_error_once_and_then_believed(ground, tree, fresh):
    """The run is finished: what is broken is broken until it is changed."""
    rule = ground(MANIFEST.replace("-q\n", "-q || [ $$? -eq 1 ]\n"), "a.png", "b.png")
    (rule.photos / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    assert rule.settle() == 1
    assert tree(rule.folder / "noisy") == fresh(status=1)
    touch(rule.photos / "b.png")
    assert rule.settle() == 1


@pytest.mark.slow
def test_a_broken_file_is_an_error_for_make(ground):
    rule = ground(MANIFEST, "a.png", "b.png")
    (rule.photos / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    assert rule.build(status=2) == 0
    assert rule.build() == 0
