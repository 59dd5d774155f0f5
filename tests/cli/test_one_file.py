"""One file to one file, and standard streams."""

import os
import struct
import wave
import zlib

import pytest


@pytest.fixture
def dog(tmp_path, fill):
    return fill(tmp_path / "in", "dog.png") / "dog.png"


def test_the_textbooks_first_example(noisy, dog, outputs, tmp_path):
    done = noisy("images", dog, tmp_path / "noisy.png", "--std", "50")
    assert done.status == 0
    assert sorted(os.listdir(tmp_path)) == ["in", "noisy.png"]
    assert (tmp_path / "noisy.png").read_bytes() != dog.read_bytes()


def test_one_file_has_the_bytes_of_a_folder_run(noisy, dog, outputs, tmp_path):
    assert noisy("images", dog, tmp_path / "one.png", "--std", "50").status == 0
    assert noisy("images", dog.parent, tmp_path / "all", "--std", "50").status == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "all/dog.png").read_bytes()


def test_one_file_into_a_folder_is_a_run(noisy, dog, rows, tmp_path):
    (tmp_path / "dst").mkdir()
    for folder in (tmp_path / "dst", tmp_path / "new", f"{tmp_path}/odd.png/"):
        assert noisy("images", dog, folder, "--std", "50").status == 0
        assert rows(folder).keys() == {"dog.png"}


def test_the_outputs_name_says_the_format(noisy, dog, samples, tmp_path):
    assert noisy("images", dog, tmp_path / "noisy.bmp", "--std", "50").status == 0
    assert noisy("images", dog, tmp_path / "noisy.png", "--std", "50").status == 0
    assert (tmp_path / "noisy.bmp").read_bytes().startswith(b"BM")
    assert (samples(tmp_path / "noisy.bmp") == samples(tmp_path / "noisy.png")).all()


def test_a_format_that_cannot_be_written_is_refused(noisy, dog, tmp_path):
    assert noisy("images", dog, tmp_path / "noisy.jxl", "--std", "50").status == 2
    assert os.listdir(tmp_path) == ["in"]


def test_a_slip_in_a_suffix_makes_no_folder(noisy, dog, rows, tmp_path):
    done = noisy("images", dog, tmp_path / "noisy.jgp", "--std", "50")
    assert (done.status, ".jgp is no format" in done.err) == (2, True)
    assert os.listdir(tmp_path) == ["in"]
    assert noisy("images", dog, f"{tmp_path}/noisy.jgp/", "--std", "50").status == 0
    assert noisy("images", dog, tmp_path / "noisy.v2", "--std", "50").status == 0
    assert rows(tmp_path / "noisy.v2").keys() == rows(tmp_path / "noisy.jgp").keys() == {"dog.png"}


@pytest.mark.parametrize("words", [["--std", "5,10"], ["--std", "5", "--copies", "2"], ["--std", "5", "--with-clean"]])
def test_several_outputs_need_a_folder(noisy, dog, tmp_path, words):
    done = noisy("images", dog, tmp_path / "noisy.png", *words)
    assert done.status == 2
    assert "folder" in done.err
    assert os.listdir(tmp_path) == ["in"]


@pytest.mark.parametrize(
    "words",
    [["--limit", "1"], ["--manifest", "m.jsonl"], ["--sidecars", "copy"], ["--name", "{stem}{ext}"], ["--prune"]],
)
def test_words_for_folders_are_not_ignored_in_silence(noisy, dog, tmp_path, words):
    done = noisy("images", dog, tmp_path / "noisy.png", "--std", "5", *words)
    assert done.status == 2
    assert words[0] in done.err
    assert os.listdir(tmp_path) == ["in"]


def test_what_stands_is_replaced_only_by_force(noisy, dog, tmp_path):
    target = tmp_path / "noisy.png"
    target.write_bytes(b"precious")
    assert noisy("images", dog, target, "--std", "5").status == 2
    assert target.read_bytes() == b"precious"
    assert noisy("images", dog, target, "--std", "5", "--force").status == 0
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("make", ["same", "link"])
def test_the_source_itself_is_never_replaced(noisy, dog, tmp_path, make):
    target, before = dog, dog.read_bytes()
    if make == "link":
        target = tmp_path / "link.png"
        os.link(dog, target)
    assert noisy("images", dog, target, "--std", "5", "--force").status == 2
    assert dog.read_bytes() == before


def test_dry_run_of_one_file_writes_nothing(noisy, dog, tmp_path):
    done = noisy("images", dog, tmp_path / "noisy.png", "--std", "5", "--dry-run", "--json")
    assert done.status == 0
    assert done.summary["planned"] == 1
    assert os.listdir(tmp_path) == ["in"]


def test_a_broken_file_leaves_nothing(noisy, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    assert noisy("images", broken, tmp_path / "noisy.png", "--std", "5").status == 1
    assert os.listdir(tmp_path) == ["broken.png"]


@pytest.fixture
def animation(tmp_path, png):
    """An APNG of two frames by its header, which is skipped."""
    count = b"acTL" + struct.pack(">II", 2, 0)
    told = struct.pack(">I", 8) + count + struct.pack(">I", zlib.crc32(count))
    (tmp_path / "moves.png").write_bytes(png()[:33] + told + png()[33:])
    return tmp_path / "moves.png"


@pytest.mark.parametrize("to", ["noisy.png", "folder/"])
@pytest.mark.parametrize("word", [(), ("-q",)], ids=str)
def test_one_file_named_that_was_skipped_is_1(noisy, animation, tmp_path, to, word):
    done = noisy("images", animation, f"{tmp_path}/{to}", "--std", "5", *word)
    assert done.status == 1
    assert "moves.png: skipped: " in done.err
    assert "nothing was made: all that was found was skipped (1 file)" in done.err
    assert not (tmp_path / "noisy.png").exists()
    ignored = noisy("images", animation, f"{tmp_path}/{to}", "--std", "5", *word, "--on-error", "ignore")
    assert (ignored.status, ignored.err) == (0, done.err)


@pytest.mark.parametrize(("name", "status"), [("photo.jxl", 1), ("moves.png", 1), ("dog.png", 0)])
def test_one_file_named_of_a_kind_that_is_skipped_into_a_folder(noisy, dog, animation, tmp_path, name, status):
    source = dog if name == "dog.png" else tmp_path / name
    (tmp_path / "photo.jxl").write_bytes(b"jxl")
    words = ["images", source, tmp_path / "folder", "--std", "5"]
    (tmp_path / "folder").mkdir()
    for again in ([], [], ["--levels", "2", "--std", "0..5"]):
        done = noisy(*words, *again, "--json")
        assert (done.status, done.summary["exit_status"]) == (status, status)


def test_a_source_that_became_an_animation_and_keeps_its_old_output(noisy, dog, animation, tmp_path):
    (tmp_path / "folder").mkdir()
    assert noisy("images", dog, tmp_path / "folder", "--std", "5").status == 0
    dog.write_bytes(animation.read_bytes())
    assert noisy("images", dog, tmp_path / "folder", "--std", "5").status == 1
    assert noisy("images", dog.parent, tmp_path / "folder", "--std", "5").status == 0


@pytest.mark.parametrize("what", ["skipped", "failed"])
def test_nothing_through_a_pipe_is_1(spawned, animation, tmp_path, what):
    given = animation.read_bytes() if what == "skipped" else b"\x89PNG\r\n\x1a\nand no more"
    for to in ("-", tmp_path / "noisy.png"):
        done = spawned("images", "-", to, "--std", "25", stdin=given)
        assert (done.status, done.out) == (1, b"")
        assert f"nothing was made: all that was found {'was ' * (what == 'skipped')}{what} (1 file)" in done.err
        ignored = spawned("images", "-", to, "--std", "25", "--on-error", "ignore", stdin=given)
        assert (ignored.status, ignored.out, ignored.err) == (0, b"", done.err)
    assert os.listdir(tmp_path) == ["moves.png"]


def test_a_missing_file_is_refused(noisy, tmp_path):
    assert noisy("images", tmp_path / "none.png", tmp_path / "noisy.png", "--std", "5").status == 2
    assert os.listdir(tmp_path) == []


def test_streams_have_the_bytes_of_a_file_of_that_name(spawn, dog, tmp_path):
    process = spawn("images", "-", "-", "--std", "25", cwd=tmp_path, stdin=-1)
    out, err = process.communicate(dog.read_bytes())
    assert process.returncode == 0
    assert os.listdir(tmp_path) == ["in"]
    (tmp_path / "-").write_bytes(dog.read_bytes())
    assert spawn("images", "./-", "noisy.png", "--std", "25", cwd=tmp_path).wait(60) == 0
    assert out == (tmp_path / "noisy.png").read_bytes()
    assert err.startswith(b"1 image written to standard output (")
    assert err.count(b"\n") == 1


def test_sounds_through_streams(spawn, write_wav, tmp_path):
    write_wav(tmp_path / "in.wav")
    with open(tmp_path / "in.wav", "rb") as given, open(tmp_path / "out.wav", "wb") as taken:
        process = spawn("audio", "-", "-", "--snr-db", "10", "-q", stdin=given, stdout=taken)
        assert process.communicate() == (None, b"")
    with wave.open(os.fspath(tmp_path / "out.wav")) as file:
        assert (file.getnframes(), file.getsampwidth(), file.getframerate()) == (400, 2, 8000)


def test_a_file_to_standard_output_and_back(spawned, spawn, dog, tmp_path):
    process = spawn("images", dog, "-", "--std", "25")
    out, _ = process.communicate()
    assert out.startswith(b"\x89PNG")
    assert out.endswith(b"IEND\xaeB`\x82")
    process = spawn("images", "-", tmp_path / "noisy.png", "--std", "25", stdin=-1)
    process.communicate(dog.read_bytes())
    assert process.returncode == 0
    assert (tmp_path / "noisy.png").exists()


def test_nothing_on_standard_input_is_a_failure(spawn):
    process = spawn("images", "-", "-", "--std", "25", stdin=-1)
    out, err = process.communicate(b"")
    assert (process.returncode, out) == (1, b"")
    assert b"is empty" in err


def test_standard_input_has_a_limit(spawn, dog):
    process = spawn("images", "-", "-", "--std", "25", "--max-bytes", "100", stdin=-1)
    out, err = process.communicate(dog.read_bytes())
    assert (process.returncode, out) == (2, b"")
    assert b"--max-bytes" in err


def test_a_folder_is_no_stream(noisy, pictures):
    assert noisy("images", pictures, "-", "--std", "25").status == 2
