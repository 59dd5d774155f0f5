"""Labels, transcripts and masks: they stay beside their picture or sound, in every tree, under its names."""

import errno
import json
import os
import stat

import pytest


@pytest.fixture
def labelled(fill, tmp_path):
    """Return pictures with labels beside them, a class list, and masks."""
    names = ("a.png", "a.txt", "b/c.png", "b/c.xml", "b/notes.txt", "classes.txt", "masks/a.png")
    return fill(tmp_path / "labelled", *names)


@pytest.fixture
def side_files(outputs):
    def read(folder):
        return {name: data for name, data in outputs(folder).items() if not name.endswith(".png")}

    return read


def test_left_behind_and_counted(images, labelled, side_files, destination):
    done = images("--json", source=labelled)
    assert (done.summary["sidecars_left"], done.summary["sidecars_copied"]) == (4, 0)
    assert side_files(destination) == {}


def test_copied_as_they_are(images, labelled, side_files, destination):
    done = images("--json", "--sidecars", "copy", source=labelled)
    assert (done.summary["sidecars_left"], done.summary["sidecars_copied"]) == (0, 4)
    assert side_files(destination) == side_files(labelled)
    assert (destination / "a.txt").stat().st_mtime_ns == (labelled / "a.txt").stat().st_mtime_ns


def test_arrays_beside_pictures_are_side_files(images, noisy, fill, tmp_path, destination):
    """Depth maps and masks come as .npy; another command could noise them, this one carries them along."""
    source = fill(tmp_path / "depths", "a.png", "a.npy", "b.npz", "a.txt", "hello.wav")
    left = images("--json", source=source, to=tmp_path / "left").summary
    assert (left["other_kinds"], left["sidecars_left"]) == ({"arrays": 2, "audio": 1}, 1)
    done = images("--json", "--sidecars", "copy", source=source).summary
    assert (done["other_kinds"], done["sidecars_copied"]) == ({"audio": 1}, 3)
    assert (destination / "a.npy").read_bytes() == (source / "a.npy").read_bytes()
    assert noisy("verify", destination).status == 0


def test_linked(images, labelled, destination, tmp_path):
    assert images("--sidecars", "link", source=labelled).status == 0
    link = destination / "b/c.xml"
    assert link.is_symlink()
    assert not os.path.isabs(os.readlink(link))
    assert link.resolve() == labelled / "b/c.xml"
    assert images("--sidecars", "link", source=labelled).status == 0


def test_excluded_masks_are_carried_untouched(images, labelled, destination, outputs):
    done = images("--sidecars", "copy", "--exclude", "masks/**", source=labelled)
    assert done.status == 0
    assert (destination / "masks/a.png").read_bytes() == (labelled / "masks/a.png").read_bytes()
    assert (destination / "a.png").read_bytes() != (labelled / "a.png").read_bytes()


def test_labels_get_the_names_of_the_copies(images, labelled, side_files, destination):
    assert images("--sidecars", "copy", "--copies", "2", source=labelled).status == 0
    assert side_files(destination).keys() == {
        *("a-1.txt", "a-2.txt", "b/c-1.xml", "b/c-2.xml", "b/notes.txt", "classes.txt"),
    }


def test_into_every_tree(images, labelled, side_files, destination):
    words = ["--sidecars", "copy", "--with-clean", "--std", "5,10", "--name", "{stem}_{level}{ext}"]
    assert images(*words, source=labelled).status == 0
    expected = set()
    for level in ("std-5", "std-10"):
        for side in ("clean", "noisy"):
            names = (f"a_{level}.txt", f"b/c_{level}.xml", "b/notes.txt", "classes.txt")
            expected.update(f"{level}/{side}/{name}" for name in names)
    assert side_files(destination).keys() == expected


def test_transcripts_of_sounds(noisy, sample_data, destination):
    assert noisy("audio", sample_data / "audio", destination, "--snr-db", "20", "--sidecars", "copy").status == 0
    for path in (sample_data / "audio").rglob("*.txt"):
        assert (destination / path.relative_to(sample_data / "audio")).read_bytes() == path.read_bytes()


def test_a_changed_label_is_carried_again(images, labelled, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    (labelled / "a.txt").write_text("a new label, longer than before")
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert (destination / "a.txt").read_text() == "a new label, longer than before"


def test_from_copies_to_links_and_back(images, labelled, destination):
    for how in ("copy", "link", "copy"):
        assert images("--sidecars", how, source=labelled).status == 0
        assert (destination / "a.txt").is_symlink() == (how == "link")
    assert (labelled / "a.txt").read_text() == "side file a.txt\n"


def test_one_that_cannot_be_placed_costs_no_other(images, labelled, destination, errors, side_files):
    assert images(source=labelled).status == 0
    (destination / "a.txt").mkdir()
    done = images("--sidecars", "copy", "--force", source=labelled)
    assert done.status == 1
    assert errors(destination).keys() == {"a.txt"}
    assert side_files(destination).keys() == {"b/c.xml", "b/notes.txt", "classes.txt"}
    (destination / "a.txt").rmdir()
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert errors(destination) == {}


def test_a_list_carries_only_what_it_names(images, labelled, tmp_path, side_files, destination):
    (tmp_path / "list").write_bytes(b"a.png\0")
    assert images("--sidecars", "copy", "--files0-from", tmp_path / "list", source=labelled).status == 0
    assert side_files(destination) == {}


def test_clean_and_noisy_mirror_each_other(images, labelled, samples, destination, outputs):
    assert images("--with-clean", source=labelled).status == 0
    made = outputs(destination)
    clean = {name.removeprefix("clean/") for name in made if name.startswith("clean/")}
    noisy = {name.removeprefix("noisy/") for name in made if name.startswith("noisy/")}
    assert clean == noisy == {"a.png", "b/c.png", "masks/a.png"}
    for name in clean:
        assert (samples(destination / "clean" / name) == samples(labelled / name)).all()
        assert (samples(destination / "noisy" / name) != samples(labelled / name)).any()


def test_clean_goes_through_the_same_encoder(noisy, sample_data, destination):
    words = ("--include", "*.jpg", "--with-clean", "--quality", "50")
    assert noisy("images", sample_data / "images", destination, "--std", "0", *words).status == 0
    names = list((destination / "clean").rglob("*.jpg"))
    assert len(names) == 6
    for path in names:
        twin = destination / "noisy" / path.relative_to(destination / "clean")
        assert path.read_bytes() == twin.read_bytes()


@pytest.fixture
def unreadable(monkeypatch):
    """Let reading a file of this name fail; opening it does not."""

    def refuse(path, number):
        real = os.pread
        wanted = os.stat(path)

        def pread(fd, *arguments):
            if os.path.samestat(os.fstat(fd), wanted):
                raise OSError(number, os.strerror(number))
            return real(fd, *arguments)

        monkeypatch.setattr("os.pread", pread)

    return refuse


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_one_that_cannot_be_read_is_that_file_s_problem(
    images, labelled, unreadable, destination, errors, side_files, number
):
    unreadable(labelled / "a.txt", number)
    done = images("--sidecars", "copy", "--json", source=labelled)
    assert (done.status, done.summary["made"], done.summary["sidecars_copied"]) == (1, 3, 3)
    assert {name: entry["reason"] for name, entry in errors(destination).items()} == {"a.txt": "unreadable"}
    assert side_files(destination).keys() == {"b/c.xml", "b/notes.txt", "classes.txt"}


def test_an_edited_copy_of_one_that_cannot_be_read_stays(images, labelled, unreadable, destination, errors):
    assert images("--sidecars", "copy", source=labelled).status == 0
    os.utime(destination / "a.txt")
    unreadable(labelled / "a.txt", errno.EIO)
    done = images("--sidecars", "copy", "--json", source=labelled)
    assert (done.status, done.summary["sidecars_copied"]) == (1, 3)
    assert (destination / "a.txt").read_text() == "side file a.txt\n"


def test_a_full_disk_is_the_destination_s(images, labelled, destination, monkeypatch):
    assert images(source=labelled).status == 0
    real = os.write

    def write(fd, data):
        if bytes(data).startswith(b"side file b"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr("os.write", write)
    done = images("--sidecars", "copy", "--json", source=labelled)
    assert (done.status, done.summary["sidecars_copied"]) == (3, 1)
    assert "b/c.xml: cannot be written: No space left" in done.summary["stopped"]


def test_a_pipe_by_now_is_skipped(faulty, fill, labelled, destination, errors, wait_until):
    fill(labelled, "0-wait-read.png")
    process = faulty.start("images", labelled, destination, "--std", "25", "--sidecars", "copy", "--json", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    (labelled / "a.txt").unlink()
    os.mkfifo(labelled / "a.txt")
    faulty.gate.touch()
    out, _ = process.communicate()
    assert (process.returncode, json.loads(out)["sidecars_copied"]) == (0, 3)
    assert errors(destination)["a.txt"]["reason"] == "special-file"


@pytest.mark.parametrize("in_kernel", [True, False])
def test_a_huge_one_is_copied_in_pieces(images, labelled, destination, monkeypatch, in_kernel):
    size = 3 * (1 << 20) + 17
    content = bytes(range(256)) * (size // 256 + 1)
    (labelled / "a.txt").write_bytes(content[:size])
    if not in_kernel:

        def refuse(*_, **__):
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr("os.copy_file_range", refuse, raising=False)
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert (destination / "a.txt").read_bytes() == content[:size]


def test_one_that_grows_while_it_is_copied(images, labelled, destination, errors, monkeypatch):
    real = os.pread
    wanted = os.stat(labelled / "a.txt")

    def pread(fd, *arguments):
        data = real(fd, *arguments)
        if os.path.samestat(os.fstat(fd), wanted):
            with open(labelled / "a.txt", "a") as file:
                file.write("and on\n")
        return data

    monkeypatch.setattr("os.pread", pread)
    assert images("--sidecars", "copy", source=labelled).status == 1
    assert errors(destination)["a.txt"]["reason"] == "changed"
    assert not (destination / "a.txt").exists()


def test_what_users_attached_comes_along_and_special_bits_do_not(images, labelled, destination):
    try:
        os.setxattr(labelled / "a.txt", "user.origin", b"a hand")
    except (OSError, AttributeError):
        pytest.skip("no extended attributes here")
    (labelled / "a.txt").chmod(0o6755)
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert os.getxattr(destination / "a.txt", "user.origin") == b"a hand"
    assert not (destination / "a.txt").stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
