"""What people and editors make of a manifest, a journal, errors.jsonl or run.json costs no file, and no traceback."""

import hashlib
import json

import pytest

PRECIOUS = b"of somebody else"
ODD = [5, None, [], {}, "", "\ud800", {"x": {"y": [1]}}, [[["x"]]], True, -1e999, 10**400, "x" * 100_000]
ODD_IDS = [str(value)[:12].encode("ascii", "replace").decode() for value in ODD]


def every(*quick):
    """Return all odd values; those that are not among the quick ones are for the slow tests."""
    marks = [() if value in quick else pytest.mark.slow for value in ODD]
    return [pytest.param(*case[:1], id=case[1], marks=case[2]) for case in zip(ODD, ODD_IDS, marks, strict=True)]


@pytest.fixture
def standing(images, tree, destination):
    """Return the tree of a run with a file of somebody else in it."""
    assert images("--with-clean").status == 0
    (destination / "precious.png").write_bytes(PRECIOUS)
    return tree(destination)


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write_lines(path, entries):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


FORMS = {
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "trailing spaces": lambda data: data.replace(b"\n", b"  \t\n"),
    "no last newline": lambda data: data.rstrip(b"\n"),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "other spacing": lambda data: data.replace(b'": ', b'":').replace(b", ", b","),
    "other order of keys": lambda data: b"".join(
        json.dumps(dict(reversed(json.loads(line).items()))).encode() + b"\n" for line in data.splitlines()
    ),
    "empty lines": lambda data: data.replace(b"\n", b"\n\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_that_parses_is_a_row(images, standing, tree, destination, form):
    manifest = destination / "manifest.jsonl"
    manifest.write_bytes(FORMS[form](manifest.read_bytes()))
    done = images("--with-clean", "--json")
    assert (done.status, done.summary["made"], done.summary["kept"]) == (0, 0, 5)
    now = tree(destination)
    if form in ("other spacing", "other order of keys"):
        assert lines_of(manifest) == [json.loads(line) for line in standing["manifest.jsonl"].splitlines()]
        now["manifest.jsonl"] = standing["manifest.jsonl"]
    assert now == standing


@pytest.mark.parametrize("where", ["manifest.jsonl", ".noisecli-journal"])
@pytest.mark.parametrize("words", [[], ["--prune"], ["--redo", "--prune"], ["--include", "cats"]], ids=" ".join)
def test_half_a_row_that_names_somebodys_file(images, standing, tree, destination, where, words):
    path = destination / where
    row = standing["manifest.jsonl"].splitlines()[0].replace(b"noisy/a.png", b"precious.png")
    for half in (row[:60], row[:-1], row + b",", row.replace(b'"sha256"', b'sha256"')):
        path.write_bytes(standing.get(where, b"") + half)
        assert images("--with-clean", *words).status == 0
        assert tree(destination) == standing


@pytest.mark.parametrize("extra", [{}, {"placing": {"precious.png": "0" * 64}}, {"foreign": []}])
def test_a_journal_that_means_to_make_somebodys_file(images, standing, tree, destination, extra):
    intended = {"precious.png": None, "noisy/z.png": "precious.png"}
    write_lines(destination / ".noisecli-journal", [{"intended": intended, **extra}])
    assert images("--with-clean", "--prune").status == 0
    assert tree(destination) == standing


def test_a_journal_that_means_to_make_the_clean_output_of_a_row(images, standing, tree, destination):
    write_lines(destination / ".noisecli-journal", [{"intended": {"clean/a.png": None}}])
    assert images("--with-clean", "--seed", "7").status == 0
    now = tree(destination)
    assert now.keys() == standing.keys()
    assert now["clean/a.png"] == standing["clean/a.png"]
    assert now["noisy/a.png"] != standing["noisy/a.png"]


@pytest.mark.parametrize("named", ["clean/a.png", "noisy/a.png"])
def test_a_journal_that_pairs_a_file_of_a_row_with_one_that_is_not_there(images, standing, tree, destination, named):
    write_lines(destination / ".noisecli-journal", [{"intended": {"ghost.png": named}}])
    assert images("--with-clean", "--redo").status == 0
    assert tree(destination) == standing


def test_somebodys_noisy_file_costs_the_clean_one_beside_it_nothing(images, standing, tree, destination):
    digest = hashlib.sha256(standing["clean/a.png"]).hexdigest()
    lines = [{"intended": {"noisy/a.png": "clean/a.png"}}, {"placing": {"clean/a.png": digest}}]
    write_lines(destination / ".noisecli-journal", lines)
    (destination / "noisy/a.png").write_bytes(b"edited by somebody")
    assert images("--with-clean", "--include", "cats").status == 0
    assert tree(destination) == standing | {"noisy/a.png": b"edited by somebody"}


def test_what_a_worker_put_in_place_before_its_row_was_written_goes(images, standing, tree, destination):
    left = {"noisy/z.png": b"made just before the kill", "clean/z.png": b"and the clean one"}
    entries = [{"intended": {"noisy/z.png": "clean/z.png"}}]
    for name, data in left.items():
        (destination / name).write_bytes(data)
        entries.append({"placing": {name: hashlib.sha256(data).hexdigest()}})
    write_lines(destination / ".noisecli-journal", entries)
    assert images("--with-clean").status == 0
    assert tree(destination) == standing


@pytest.mark.parametrize("lost", ["the manifest", "two rows"])
def test_outputs_whose_rows_are_lost_are_known_by_their_content(images, standing, tree, errors, destination, lost):
    manifest = destination / "manifest.jsonl"
    if lost == "the manifest":
        manifest.unlink()
    else:
        manifest.write_bytes(b"".join(standing["manifest.jsonl"].splitlines(keepends=True)[2:]))
    (destination / "noisy/a.png").write_bytes(PRECIOUS)
    done = images("--with-clean")
    assert done.status == 1
    assert errors(destination).keys() == {"a.png"}
    assert errors(destination)["a.png"]["reason"] == "foreign-file"
    assert (destination / "noisy/a.png").read_bytes() == PRECIOUS
    assert (destination / "noisy/b.png").read_bytes() == standing["noisy/b.png"]
    assert images("--with-clean", "--force").status == 0
    assert tree(destination) == standing


@pytest.mark.parametrize("value", every(5, "\ud800", 10**400))
@pytest.mark.parametrize("words", [["--prune"], ["--seed", "1"], ["--include", "cats", "--prune"]], ids=" ".join)
def test_odd_values_in_rows(images, standing, noisy, pictures, tree, destination, words, value):
    rows = lines_of(destination / "manifest.jsonl")
    for number, key in enumerate(rows[0]):
        rows[number % len(rows)][key] = value
    write_lines(destination / "manifest.jsonl", rows)
    done = images("--with-clean", *words)
    assert done.status in (0, 1, 2), done
    assert_nothing_lost(done, standing, tree(destination), may_change="--seed" in words)
    for command in (["verify", destination], ["export", destination, "--to", "csv"]):
        done = noisy(*command)
        assert done.status in (0, 1, 2)
        assert "Traceback" not in done.err


@pytest.mark.parametrize("value", every("\ud800"))
@pytest.mark.parametrize("name", ["run.json", "errors.jsonl", ".noisecli-journal"])
def test_odd_values_beside_the_manifest(images, standing, noisy, tree, destination, name, value):
    path = destination / name
    if name == "run.json":
        run = json.loads(path.read_text())
        contents = [json.dumps({**run, key: value}) for key in run] + [json.dumps(value)]
        contents += [json.dumps({**run, key: dict.fromkeys(run[key], value)}) for key in ("settings", "totals")]
    elif name == "errors.jsonl":
        entry = dict.fromkeys(("source", "status", "reason", "message"), "x")
        contents = [json.dumps({**entry, key: value}) + "\n" for key in entry] + [json.dumps(value)]
    else:
        words = ("intended", "foreign", "survival", "versions", "settings", "temporaries", "placing", "reason")
        contents = [json.dumps({word: value}) + "\n" for word in words]
        contents += [json.dumps({word: {"noisy/a.png": value}}) + "\n" for word in words]
    for content in contents:
        path.write_text(content)
        done = images("--with-clean", "--prune", "--include", "cats")
        assert done.status in (0, 1, 2), (content[:200], done)
        assert_nothing_lost(done, standing, tree(destination))
        path.write_text(content)
        done = noisy("verify", destination, "--recompute", destination.with_name("src"))
        assert "Traceback" not in done.err
        assert done.status in (0, 1, 2)
        if name == ".noisecli-journal":
            path.unlink()


@pytest.mark.parametrize("name", ["manifest.jsonl", "run.json", "errors.jsonl", ".noisecli-journal"])
@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe" * 50, b"\0" * 5000, b"9" * 5000])
def test_bytes_that_no_parser_likes(images, standing, noisy, tree, destination, name, data):
    (destination / name).write_bytes(data)
    for command in (["verify", destination], ["export", destination, "--to", "csv"]):
        assert "Traceback" not in noisy(*command).err
    done = images("--with-clean", "--prune")
    assert done.status in (0, 2)
    assert_nothing_lost(done, standing, tree(destination))


def test_files_of_ours_that_cannot_be_read_stop_the_run(images, standing, tree, destination, monkeypatch):
    """A disk error is no empty manifest."""
    import errno
    import os

    real = os.open

    def failing(path, *arguments, **options):
        if os.fspath(path).endswith("manifest.jsonl"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", failing)
    done = images("--with-clean", "--prune")
    monkeypatch.undo()
    assert done.status == 3
    assert done.err.count("\n") == 1
    assert tree(destination) == standing


def assert_nothing_lost(done, before, now, *, may_change=False):
    assert "Traceback" not in done.err
    for name, data in before.items():
        if name.endswith(".png"):
            assert name in now
            assert may_change or now[name] == data, name
    assert now["precious.png"] == PRECIOUS


@pytest.mark.parametrize(
    "name", ["a.png", 'quote"d/new\nline.png', "gr\u00f6\u00dfe/\u65e5\u672c.png", "back\\slash\t.png"]
)
def test_what_a_worker_notes_is_read_again(name):
    from noisecli.manifest.entries import Begun, placing

    line = placing(name, "0" * 64)
    assert line.strip(b"\n").count(b"\n") == 0
    # another process may have been cut off in the midst of a line
    for before in (b"", b'{"file_name": "noisy/b.png", "sou'):
        begun = Begun()
        for one in (before + line).splitlines():
            begun.take(one)
        assert begun.placed == {name: "0" * 64}
