"""The soak's own tools: grammars that surprise and repeat themselves, and a judge that knows what may be deleted."""

import io
import json
import random
from collections import Counter

import attempt
import edits
import figures
import grammars
import ground
import legal
import numpy as np
import pytest
import spoil
import variations
from PIL import Image

SAMPLE = 100
SEED = 0
LARGER = {"npy": 320, "keras": 210, "pnm": 210}
"""Where what once escaped is rarer."""
WRONG = ("escape", "unlike", "leftover")

grammar = pytest.mark.parametrize("name", grammars.GRAMMARS)


def made(name, seed, number=SAMPLE):
    for package in grammars.GRAMMARS[name].needs:
        pytest.importorskip(package)
    return [grammars.made(name, at, seed) for at in range(number)]


@grammar
def test_a_grammar_makes_other_inputs_each_time_and_the_same_ones_for_a_seed(name):
    first = made(name, SEED)
    assert made(name, SEED) == first
    assert len({data for _, (_, data) in first}) >= SAMPLE * 0.7
    assert made(name, SEED + 1) != first


@grammar
def test_nothing_of_a_small_sample_escapes_some_is_made_and_most_is_answered(name, tmp_path):
    found, attempts, sample = Counter(), {}, LARGER.get(name, SAMPLE)
    for number, (kind, (suffix, data)) in enumerate(made(name, SEED, sample)):
        if kind not in attempts:
            attempts[kind] = attempt.Attempts(kind, tmp_path / kind)
        word, told = attempts[kind](suffix, data)
        assert word not in WRONG, f"number {number}, {len(data)} bytes: {told}"
        found[word] += 1
    assert sample * 0.05 <= found["made"] <= sample * 0.6, found
    assert len(found) >= 3, found


def finished(tmp_path):
    """A ground that no run made: two outputs of two sources, one that an interrupted run meant to make, a stranger."""
    one = ground.Ground("arrays", tmp_path, ["--std", "1"])
    one.told = {"a.npy": "digest of a", "sub/b.npy": "digest of b"}
    one.made_of = {"a.npy": "a.npy", "sub/b.npy": "sub/b.npy"}
    one.intended = {"half.npy"}
    one.theirs = ["notes.txt"]
    return one


STANDING = {
    "a.npy": ("file", "digest of a"),
    "sub": ("folder", ""),
    "sub/b.npy": ("file", "digest of b"),
    "half.npy": ("file", "digest of half"),
    "notes.txt": ("file", "digest of notes"),
    "manifest.jsonl": ("file", "digest of rows"),
}
DELETED, KEPT_SOURCE, REPLACED, SAME, READ_ONLY, TEMPORARY = (
    "edits: files deleted whose digest no row told",
    "edits: outputs deleted whose source is not gone",
    "edits: files replaced without --force whose digest no row told",
    "edits: outputs that became other bytes by the same request",
    "edits: commands that only read, or refused, and changed something",
    "edits: temporary files left",
)


@pytest.mark.parametrize(
    ("command", "changes", "status", "fault"),
    [
        ("again", {"manifest.jsonl": ("file", "other rows")}, 0, None),
        ("again", {"notes.txt": None}, 0, DELETED),
        ("--prune", {"notes.txt": None}, 0, DELETED),
        ("--prune", {"a.npy": None}, 0, KEPT_SOURCE),
        ("again", {"half.npy": None}, 0, None),
        ("one source gone, --prune", {"a.npy": None}, 0, None),
        ("one source gone, --prune", {"sub/b.npy": None, "sub": None}, 0, KEPT_SOURCE),
        ("one source gone", {"a.npy": None}, 0, KEPT_SOURCE),
        ("SRC of others, --prune", {"a.npy": None}, 0, KEPT_SOURCE),
        ("another seed", {"a.npy": ("file", "other noise")}, 0, None),
        ("another seed", {"notes.txt": ("file", "an output")}, 0, REPLACED),
        ("--force", {"notes.txt": ("file", "an output")}, 0, None),
        ("--force", {"notes.txt": None}, 0, DELETED),
        ("--redo", {"a.npy": ("file", "other noise")}, 0, SAME),
        ("--redo", {"new.npy": ("file", "an output")}, 0, None),
        ("--redo", {".noisecli-tmp-1": ("file", "half")}, 3, TEMPORARY),
        ("--redo", {"manifest.jsonl": ("file", "other rows")}, 2, READ_ONLY),
        ("--dry-run --prune", {"a.npy": None}, 0, READ_ONLY),
        ("verify", {"manifest.jsonl": ("file", "other rows")}, 1, READ_ONLY),
        ("export hf", {"metadata.jsonl": ("file", "a table")}, 0, None),
        ("export csv", {"metadata.jsonl": ("file", "a table")}, 0, READ_ONLY),
    ],
)
def test_the_judge_knows_what_a_command_may_change(command, changes, status, fault, tmp_path):
    after = {path: entry for path, entry in (STANDING | changes).items() if entry is not None}
    faults = edits.judged(finished(tmp_path), command, STANDING, after, status)
    assert list(faults) == ([] if fault is None else [fault])


def test_the_judge_sees_somebodys_file_in_an_outputs_place(tmp_path):
    before = STANDING | {"a.npy": ("file", "somebody's own")}
    one = finished(tmp_path)
    assert list(edits.judged(one, "again", before, STANDING, 0)) == [REPLACED]
    assert list(edits.judged(one, "--force", before, STANDING, 0)) == []
    gone = {path: entry for path, entry in before.items() if path != "a.npy"}
    assert list(edits.judged(one, "one source gone, --prune", before, gone, 0)) == [DELETED]


def test_edits_touch_nothing_but_noisecli_s_own_files_and_differ(tmp_path):
    rows = ({"file_name": "a.npy", "source": "a.npy", "sha256": "0"}, {"file_name": "sub/b.npy", "bytes": 3})
    problem = {"source": "c.npy", "status": "failed", "reason": "empty", "message": "is empty"}
    run = {"noisecli": "0", "kind": "arrays", "settings": {}, "totals": {"outputs": 2}, "versions": {"zlib": "1"}}
    pristine = {
        "manifest.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "errors.jsonl": json.dumps(problem) + "\n",
        "run.json": json.dumps(run),
        "notes.txt": "somebody's own",
    }
    told = []
    for number in range(200):
        one = finished(tmp_path / str(number))
        one.destination.mkdir(parents=True)
        one.outside.mkdir()
        (one.outside / "precious.txt").write_text("somebody's own")
        for name, text in pristine.items():
            (one.destination / name).write_text(text)
        before = ground.state(one.destination)
        told.append(spoil.spoil(random.Random(number), one))
        after = ground.state(one.destination)
        changed = {path.partition("/")[0] for path in {*before, *after} if before.get(path) != after.get(path)}
        assert changed <= ground.OWN, told[-1]
        assert (one.outside / "precious.txt").read_text() == "somebody's own"
    assert len(set(told)) > 40


FORMATS = pytest.mark.parametrize("name", variations.VARIATIONS)


class TestLegalVariations:
    """Files as a format allows them and few programs write them."""

    @FORMATS
    def test_they_are_others_each_time_and_the_same_for_a_seed(self, name):
        first = [variations.varied(name, at, SEED) for at in range(40)]
        again = [variations.varied(name, at, SEED) for at in range(40)]
        assert [one.data for one in first] == [one.data for one in again]
        assert len({one.data for one in first}) >= 30
        assert len({one.told for one in first}) >= 10

    @pytest.mark.parametrize("name", ["bmp", "jpeg", "png", "pnm"])
    def test_pillow_sees_in_them_what_their_writer_meant(self, name):
        """It refuses some, and reads floats of PNM as well; what it reads it reads alike."""
        seen = 0
        for at in range(60):
            one = variations.varied(name, at, SEED)
            try:
                found = seen_by_pillow(one.data)
            except (OSError, SyntaxError, ValueError):
                continue
            truth = legal.plain(np.asarray(one.truth))
            if found.shape == truth.shape:
                seen += 1
                assert np.abs(found - truth).max() < 0.01, one.told
        assert seen > 30

    @pytest.mark.slow
    @FORMATS
    def test_none_is_called_damaged_or_comes_out_wrong(self, name, tmp_path):
        one = figures.Figures(tmp_path, SEED)
        legal.Legal(name, tmp_path, one).batch(0, SEED, count=15)
        assert not one.failed, one.notes

    def test_the_judge_sees_a_sample_that_differs(self, tmp_path):
        one = variations.varied("png", 3, SEED)
        path = tmp_path / "a.png"
        path.write_bytes(one.data)
        judge = legal.Legal("png", tmp_path, figures.Figures(tmp_path, SEED))
        assert not judge.difference(path, one)
        wrong = np.array(one.truth)
        wrong[0, 0] = 1 - wrong[0, 0]
        assert judge.difference(path, one._replace(truth=wrong))


def seen_by_pillow(data):
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        image = opened
        if image.mode in ("P", "PA", "LA", "1", "CMYK") or "transparency" in image.info:
            alpha = "transparency" in image.info or image.mode in ("LA", "PA")
            image = image.convert("RGBA" if alpha else "L" if image.mode == "1" else "RGB")
        samples = np.asarray(image)
    full = {"f": 1.0, "b": 1.0, "i": 65535.0}.get(samples.dtype.kind) or float(np.iinfo(samples.dtype).max)
    return legal.plain(samples / full)
