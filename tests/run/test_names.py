"""Names and file systems that must not hurt: each file is done or fails by name, and costs no other."""

import os
import socket
import sys
import unicodedata

import pytest


@pytest.fixture
def write(pictures, png):
    """Write a picture under a name given in bytes."""

    def write_picture(name, data=None):
        path = os.path.join(os.fsencode(pictures), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(png(7) if data is None else data)

    return write_picture


def test_bytes_that_are_not_utf8_are_escaped(images, write, rows, destination):
    write(b"odd\xff.png")
    write(b"fold\xe9r/a.png")
    assert images().status == 0
    found = rows(destination)
    for name in ("odd%FF.png", "fold%E9r/a.png"):
        assert (destination / name).exists()
        assert found[name]["source"] == name
        assert "name-not-utf8" in found[name]["warnings"]
    assert images("--json").summary["kept"] == 7


def test_escaped_names_that_meet_are_refused(images, write, destination):
    write(b"odd\xff.png")
    write(b"odd%FF.png")
    assert images().status == 2
    assert not destination.exists()


def test_failures_under_such_names_are_told(images, write, errors, destination):
    write(b"odd\xff.png", b"")
    assert images().status == 1
    assert errors(destination).keys() == {"odd%FF.png"}


@pytest.mark.parametrize(
    "name",
    [
        "new\nline.png",
        "tab\t.png",
        "-rf.png",
        "--std.png",
        "quote\"'.png",
        "back\\slash.png",
        "{stem}.png",
        "%s.png",
        " space .png",
        "ends.in.dots..png",
        "\u2028.png",
        "emoji🎸.png",
        "bell\x07\x1b[0m.png",
        "*?[].png",
        "CON.png",
    ],
)
def test_odd_names_are_kept(images, write, rows, destination, name):
    write(name.encode())
    assert images().status == 0
    assert name in rows(destination)
    assert (destination / name).exists()
    assert (destination / "manifest.jsonl").read_bytes().count(b"\n") == 6
    assert images("--json").summary["kept"] == 6


def test_source_and_destination_may_have_a_leading_dash(noisy, pictures, monkeypatch, rows, tmp_path):
    monkeypatch.chdir(tmp_path)
    pictures.rename("-src")
    assert noisy("images", "--std", "5", "--", "-src", "-dst").status == 0
    assert len(rows(tmp_path / "-dst")) == 5


def test_a_name_of_255_bytes_is_kept(images, write, rows, destination):
    name = "n" * 251 + ".png"
    write(name.encode())
    assert images().status == 0
    assert name in rows(destination)


def test_an_output_name_that_is_too_long_costs_no_other(images, write, rows, errors, destination):
    write(b"n" * 251 + b".png")
    assert images("--copies", "2").status == 1
    assert len(rows(destination)) == 10
    assert [entry["reason"] for entry in errors(destination).values()] == ["unwritable"]


def test_twins_in_nfc_and_nfd_stay_two(images, write, rows, destination):
    twins = [unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")]
    for name in twins:
        write(name.encode())
    assert images().status == 0
    assert set(twins) <= rows(destination).keys()
    assert (destination / twins[0]).read_bytes() != (destination / twins[1]).read_bytes()


def test_two_sources_for_one_output_are_refused(images, write, destination):
    write(b"a.bmp")
    assert images("--format", "png").status == 2
    assert not destination.exists()


def test_a_loop_of_links_ends(images, pictures, errors, rows, destination):
    (pictures / "cats/up").symlink_to("..")
    (pictures / "cats/self").symlink_to("self")
    (pictures / "here").symlink_to(".")
    assert images().status in (0, 1)
    assert len(rows(destination)) == 5
    assert {source: entry["reason"] for source, entry in errors(destination).items()}.items() >= {
        ("cats/up", "symlink-loop"),
        ("here", "symlink-loop"),
    }


def test_a_link_out_of_the_source_is_skipped_by_name(images, pictures, fill, errors, rows, tmp_path, destination):
    outside = fill(tmp_path / "outside", "secret.png")
    (pictures / "link.png").symlink_to(outside / "secret.png")
    (pictures / "folder").symlink_to(outside)
    done = images()
    assert done.status == 0
    assert len(rows(destination)) == 5
    assert {entry["reason"] for entry in errors(destination).values()} == {"symlink-outside"}
    assert errors(destination).keys() == {"link.png", "folder"}


def test_a_dry_run_counts_a_link_to_a_folder_outside_once(images, pictures, tmp_path):
    (tmp_path / "outside").mkdir()
    (pictures / "class").symlink_to(tmp_path / "outside")
    dry, real = images("--dry-run", "--json").summary, images("--json").summary
    assert [problem["reason"] for problem in dry["problems"]] == ["symlink-outside"]
    assert (dry["skipped"], dry["problems"]) == (real["skipped"], real["problems"])


def test_links_inside_the_source_are_followed(images, pictures, rows, destination):
    (pictures / "link.png").symlink_to("cats/c.png")
    (pictures / "more").symlink_to("cats")
    assert images().status == 0
    assert rows(destination).keys() >= {"link.png", "more/c.png", "more/d.png"}
    assert not (destination / "more").is_symlink()


def test_a_link_to_nothing_is_told(images, pictures, errors, destination):
    (pictures / "dead.png").symlink_to("nowhere.png")
    assert images().status == 1
    assert errors(destination)["dead.png"]["reason"] == "gone"


def test_a_link_where_the_output_goes_is_replaced_not_followed(images, pictures, rows, tmp_path, destination):
    assert images().status == 0
    precious = tmp_path / "precious.png"
    precious.write_bytes(b"precious")
    (destination / "a.png").unlink()
    (destination / "a.png").symlink_to(precious)
    assert images().status == 0
    assert precious.read_bytes() == b"precious"
    assert not (destination / "a.png").is_symlink()


def test_pipes_sockets_and_devices_are_skipped_by_name(images, pictures, errors, destination, monkeypatch):
    os.mkfifo(pictures / "pipe.png")
    (pictures / "device.png").symlink_to("/dev/zero")
    monkeypatch.chdir(pictures)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        assert images().status == 0
    found = {source: entry["reason"] for source, entry in errors(destination).items()}
    assert found == {"pipe.png": "special-file", "socket.png": "special-file", "device.png": "symlink-outside"}


def test_a_pipe_in_a_list_is_skipped_by_name(images, pictures, errors, destination, tmp_path):
    os.mkfifo(pictures / "pipe.png")
    (tmp_path / "list").write_bytes(b"pipe.png\0a.png\0")
    assert images("--files0-from", tmp_path / "list").status == 0
    assert errors(destination)["pipe.png"]["reason"] == "special-file"


def test_an_unreadable_file_fails_by_name(unprivileged, pictures, errors, destination):
    (pictures / "a.png").chmod(0)
    assert unprivileged("images", pictures, destination, "--std", "25").status == 1
    assert errors(destination)["a.png"]["reason"] == "unreadable"


def test_a_destination_inside_the_source_is_refused(images, pictures):
    for folder in (pictures, pictures / "below", pictures / "cats"):
        assert images(to=folder).status == 2


def test_a_file_gone_since_the_walk_costs_itself(faulty, pictures, fill, destination, errors, rows, wait_until):
    fill(pictures, "0-wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "5", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    (pictures / "e.png").unlink()
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    assert errors(destination)["e.png"]["reason"] == "gone"
    assert len(rows(destination)) == 5


def test_a_file_growing_while_it_is_read_costs_itself(faulty, pictures, fill, destination, errors, rows, wait_until):
    grown = fill(pictures, "0-wait-read.png") / "0-wait-read.png"
    process = faulty.start("images", pictures, destination, "--std", "5", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker that has opened the file")
    with open(grown, "ab") as file:
        file.write(b"more")
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    assert errors(destination)["0-wait-read.png"]["reason"] == "changed"
    assert not (destination / "0-wait-read.png").exists()


def test_a_destination_that_cannot_be_written_is_one_line(images, tmp_path, pictures):
    if os.geteuid() == 0:
        target = "/proc/noisecli" if sys.platform == "linux" else pytest.skip("root may write anywhere")
    else:
        target = tmp_path / "closed" / "dst"
        target.parent.mkdir(mode=0o555)
    done = images(to=target)
    assert done.status == 3
    assert done.err.count("\n") == 1
    assert "cannot be written" in done.err


def test_a_folder_where_an_output_goes_costs_one_file(images, errors, rows, tree, destination):
    assert images("--with-clean").status == 0
    for side in ("noisy", "clean"):
        (destination / side / "a.png").unlink()
    (destination / "noisy/a.png").mkdir()
    (destination / "noisy/a.png/inside").touch()
    done = images("--with-clean", "--force")
    assert done.status == 1
    assert errors(destination)["a.png"]["reason"] == "unwritable"
    assert len(rows(destination)) == 4
    assert "clean/a.png" not in tree(destination)


def test_hidden_files_are_left_alone_and_counted(images, pictures, fill, rows, destination):
    fill(pictures, ".hidden.png", ".git/a.png", "cats/._c.png")
    done = images("--json")
    assert done.summary["hidden"] == 3
    assert len(rows(destination)) == 5


def test_upper_case_suffixes_count(images, write, rows, destination):
    write(b"UPPER.PNG")
    assert images().status == 0
    assert "UPPER.PNG" in rows(destination)


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        (["*.png"], {"a.png", "b.png", "cats/c.png", "cats/d.png", "e.png"}),
        (["/a.png"], {"a.png"}),
        (["/c.png"], set()),
        (["./c.png"], set()),
        (["/cats"], {"cats/c.png", "cats/d.png"}),
        (["cats/*"], {"cats/c.png", "cats/d.png"}),
        (["cats/"], {"cats/c.png", "cats/d.png"}),
        (["c*"], {"cats/c.png", "cats/d.png"}),
        (["**/c.png"], {"cats/c.png"}),
        (["?.png"], {"a.png", "b.png", "cats/c.png", "cats/d.png", "e.png"}),
        (["[ab].png"], {"a.png", "b.png"}),
        (["[!ab].png"], {"cats/c.png", "cats/d.png", "e.png"}),
        (["a.png", "e.png"], {"a.png", "e.png"}),
        (["./a.png"], {"a.png"}),
        (["a.pn"], set()),
    ],
)
def test_globs(images, pictures, globs, names):
    words = [word for glob in globs for word in ("--include", glob)]
    done = images("--dry-run", "--json", *words)
    assert done.status == (0 if names else 2)
    if names:
        assert done.summary["planned"] == len(names)
