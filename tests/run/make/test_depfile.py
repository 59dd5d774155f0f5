"""--depfile FILE: what it names, in Make's spelling; where it may be, and what it never replaces."""

import os
import shutil
import subprocess

import pytest

from noisecli.run.make.depfile import Depfile

FIRST_LINE = "# noisecli depfile"
ODD = """\
a b|a  b| a|a$b|a$(x)b|a#b|a%b|a:b|a::b|a\\b|a\\ b|a\\#b|a\\:b|a\\%b|a\\$b|a[1]b|a*b|a?b|a=b|d/a=b|=|a:=b|a ?= b
x $(y) = z|dog (1).png|(1).png|a,b|a&b|a'b|a"b|a{b}c|a!b|-x|export|a\u00e9b|split=train/a b#c%d:e[f]$g.png
x]|x]y|]|x\\]|x=]|[x]|R&|a &|&|&&|x\\&|a\\=b|\\=|+=|?=b|!=|:=b"""
UNSPEAKABLE = ["a\nb.png", "a\tb.png", "a;b.png", "a|b.png", "a /x.png", "a\\/x.png", "a\\[b].png", "a\\*.png"]


@pytest.fixture
def depfile(tmp_path):
    return tmp_path / "noisy.d"


def named(depfile):
    """Return target and prerequisites of a depfile of plain names, each of which has an empty rule."""
    first, rule, *rest = depfile.read_text().split("\n\n")
    comment, _, text = first.partition("\n")
    assert comment == FIRST_LINE
    target, *paths = text.split(" \\\n ")
    assert [rule, *rest] == [f"{path}:" for path in paths[:-1]] + [f"{paths[-1]}:\n"]
    return target.removesuffix(":"), paths


def make(folder, *words):
    command = ["make", "--no-print-directory", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is missing: apt-get install make")
@pytest.mark.parametrize(
    "place", ["only", "target", *(pytest.param(place, marks=pytest.mark.slow) for place in ("second", "in a folder"))]
)
def test_every_name_as_make_reads_it(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Makefile").write_text("all:\n-include x.d\n.DEFAULT:\n\t@echo none $@\n")
    for name in ODD.replace("\n", "|").split("|"):
        path = tmp_path / ("d/" + name if place == "in a folder" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        os.utime(path, (100, 100))
        relative = os.path.relpath(path, tmp_path)
        target, source = ("o", relative) if place != "target" else (relative, "s")
        (tmp_path / "s").touch()
        os.utime("s", (100, 100))
        sources = ["s", source] if place == "second" else [source]
        for each, time in ((target, 200), (source, 100)):
            (tmp_path / each).touch()
            os.utime(each, (time, time))
        Depfile("x.d", target, force=False).write(lambda sources=sources: sources)
        # a recipe under a name that needs no spelling: the rule itself comes from the depfile
        quoted = target.replace("$", "$$").replace("'", "'\\''")
        (tmp_path / "Makefile").write_text(f"-include x.d\n%:\n\t@echo ran '{quoted}'\n")
        if place == "target" and {"=", "%"} <= set(name):
            # no goal that a command line can name, nor one by default
            continue
        goal = [] if "=" in target else ["--", target]
        said = [make(tmp_path, *goal)]
        os.utime(source, (300, 300))
        said.append(make(tmp_path, *goal))
        os.unlink(source)
        said.append(make(tmp_path, *goal))
        assert "is up to date" in said[0] or "Nothing to be done" in said[0], (name, said)
        assert [each.startswith("ran") for each in said[1:]] == [True, True], (name, said)


@pytest.mark.parametrize("name", UNSPEAKABLE)
def test_a_name_that_make_has_no_spelling_for_is_left_out_by_a_word(images, pictures, png, depfile, name):
    path = pictures / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(png(9))
    done = images("--depfile", depfile)
    assert done.status == 0
    assert "1 file not in the depfile: Make has no spelling for such names" in done.err
    assert name.partition("/")[0] + ("\n" if "/" in name else "") not in depfile.read_text()
    assert "a.png" in depfile.read_text()


@pytest.mark.parametrize("name", ["define", ".PHONY", ".ONESHELL"])
def test_a_word_of_makes_own_is_no_name(tmp_path, name):
    assert Depfile(str(tmp_path / "x.d"), "o", force=False).write(lambda: ["a", name]) == 1
    assert name not in (tmp_path / "x.d").read_text()


def test_what_it_names(noisy, pictures, fill, depfile, monkeypatch, tmp_path):
    fill(pictures, "cats/c.txt", "empty/.hidden", "sound.wav")
    monkeypatch.chdir(tmp_path)
    words = ["images", "src", "dst/", "--std", "25", "--depfile", "noisy.d"]
    assert noisy(*words).status == 0
    target, paths = named(depfile)
    assert target == "dst/manifest.jsonl"
    assert sorted(paths[:3]) == ["src", "src/cats", "src/empty"]
    assert paths[3:] == [f"src/{name}" for name in ("a.png", "b.png", "cats/c.png", "cats/d.png", "e.png")]
    assert noisy(*words, "--sidecars", "copy").status == 0
    assert set(named(depfile)[1]) == {*paths, "src/cats/c.txt"}
    (tmp_path / "list").write_bytes(b"a.png\0cats/c.png\0")
    assert noisy(*words, "--files0-from", "list", "--manifest", "few.jsonl", "--force").status == 0
    assert named(depfile) == ("dst/few.jsonl", ["src/a.png", "src/cats/c.png", "list"])
    monkeypatch.chdir(pictures)
    assert noisy("images", ".", "../new", "--std", "25", "--depfile", "../noisy.d").status == 0
    assert named(depfile)[1][0] == "."
    assert named(depfile)[1][3:] == ["a.png", "b.png", "cats/c.png", "cats/d.png", "e.png"]


def test_it_is_written_anew_only_where_it_differs(images, pictures, fill, depfile):
    assert images("--depfile", depfile, "--dry-run").status == 0
    assert not depfile.exists()
    assert images().status == 0
    assert images("--depfile", depfile, "--json").summary["made"] == 0
    before, content = os.stat(depfile), depfile.read_bytes()
    assert images("--depfile", depfile).status == 0
    assert (os.stat(depfile).st_ino, os.stat(depfile).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    depfile.write_bytes(content[:-20])
    assert images("--depfile", depfile).status == 0
    assert depfile.read_bytes() == content
    (pictures / "e.png").unlink()
    assert images("--depfile", depfile).status == 0
    assert b"e.png" not in depfile.read_bytes()


def test_an_unfinished_run_leaves_it(images, pictures, depfile):
    (pictures / "e.png").write_bytes(b"")
    assert images("--depfile", depfile, "--on-error", "stop").status == 3
    assert not depfile.exists()
    assert images("--depfile", depfile).status == 1
    assert "e.png" in depfile.read_text()


def test_what_it_never_replaces(images, pictures, depfile, tmp_path, destination, tree):
    depfile.write_text("all: mine\n")
    before = tree(tmp_path)
    done = images("--depfile", depfile)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "noisecli did not write it" in done.err
    places = [pictures / "x.d", pictures / "cats/x.d", destination / "x.d", tmp_path, pictures / "a.png", "-", ""]
    for place in places:
        done = images("--depfile", place, "--force")
        assert (done.status, done.err.count("\n"), "--depfile" in done.err) == (2, 1, True), place
    assert images("--depfile", pictures / "a.png", "--force", source=pictures / "a.png").status == 2
    assert tree(tmp_path) == before
    assert images("--depfile", depfile, "--force").status == 0
    assert depfile.read_text().startswith(FIRST_LINE)


def test_one_file(noisy, pictures, png, depfile, tmp_path):
    source, output = pictures / "a.png", tmp_path / "n.png"
    words = ["images", source, output, "--std", "25"]
    assert noisy(*words).status == 0
    plain = output.read_bytes()
    done = noisy(*words)
    assert (done.status, "--depfile" in done.err, "--force" in done.err) == (2, True, True)
    assert noisy(*words, "--depfile", depfile).status == 2
    assert noisy(*words, "--depfile", depfile, "--force").status == 0
    assert output.read_bytes() == plain
    source.write_bytes(png(9))
    assert noisy(*words).status == 2
    assert output.read_bytes() == plain
    assert noisy(*words, "--depfile", depfile).status == 0
    changed = output.read_bytes()
    assert changed != plain
    assert depfile.read_text().splitlines()[2:] == [f"{output}: \\", f" {source}", "", f"{source}:"]
    output.write_bytes(plain)
    assert noisy(*words, "--depfile", depfile).status == 2
    assert output.read_bytes() == plain
    source.write_bytes(b"")
    output.write_bytes(changed)
    assert noisy(*words, "--depfile", depfile).status == 1
    assert output.read_bytes() == changed


def test_one_file_of_a_pipe_and_into_one(spawned, pictures, depfile, tmp_path):
    data = (pictures / "a.png").read_bytes()
    words = ["images", "-", tmp_path / "n.png", "--std", "25", "--depfile", depfile]
    for _ in range(2):
        assert spawned(*words, stdin=data).status == 0
        assert depfile.read_text().splitlines()[2:] == [f"{tmp_path}/n.png:"]
    done = spawned("images", pictures / "a.png", "-", "--std", "25", "--depfile", depfile)
    assert (done.status, done.out) == (2, b"")


def test_one_file_never_writes_it_over_itself(noisy, pictures, tmp_path):
    before = (pictures / "a.png").read_bytes()
    for place in (pictures / "a.png", tmp_path / "n.png"):
        done = noisy("images", pictures / "a.png", tmp_path / "n.png", "--std", "5", "--depfile", place, "--force")
        assert done.status == 2
    assert (pictures / "a.png").read_bytes() == before
    assert not (tmp_path / "n.png").exists()


def test_one_file_whose_run_was_killed_before_the_depfile_was_written(
    noisy, pictures, png, depfile, tmp_path, monkeypatch
):
    """Whichever output it left, that of before or the new one, is known as made here."""
    source, output = pictures / "a.png", tmp_path / "n.png"
    words = ["images", source, output, "--std", "25", "--depfile", depfile]

    def killed(*_):
        raise KeyboardInterrupt

    for seed in (7, 8):
        source.write_bytes(png(seed))
        before = output.read_bytes() if output.exists() else None
        with monkeypatch.context() as patch:
            patch.setattr(Depfile, "write", killed)
            assert noisy(*words).status == 130
        made = output.read_bytes()
        assert made != before
        if before is not None:
            output.write_bytes(before)
            assert noisy(*words, "--dry-run").status == 0
            output.write_bytes(made)
        assert noisy(*words).status == 0
        assert output.read_bytes() == made
        assert depfile.read_text().count("sha256") == 1
    output.write_bytes(png(9))
    assert noisy(*words).status == 2
