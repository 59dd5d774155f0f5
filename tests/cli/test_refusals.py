"""What cannot end well is refused before any work: status 2, one line that says a way out, nothing written."""

import os

import pytest


@pytest.mark.parametrize("below", ["", "noisy", "cats/noisy", "../src", "."])
def test_destination_inside_the_source(refused, pictures, below):
    refused("images", pictures, os.path.join(pictures, below), "--std", "5")


def test_destination_inside_the_source_by_a_link(refused, pictures, tmp_path):
    (tmp_path / "link").symlink_to(pictures)
    refused("images", pictures, tmp_path / "link" / "noisy", "--std", "5")
    refused("images", tmp_path / "link", pictures, "--std", "5")


def test_a_folder_whose_name_begins_like_the_source_is_no_part_of_it(noisy, pictures, tmp_path):
    assert noisy("images", pictures, tmp_path / "src-noisy", "--std", "5").status == 0


def test_destination_that_is_not_ours(refused, noisy, pictures, destination):
    destination.mkdir()
    (destination / "thesis.txt").write_text("mine")
    assert "--force" in refused("images", pictures, destination, "--std", "5")
    assert noisy("images", pictures, destination, "--std", "5", "--force").status == 0
    assert (destination / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("content", ["", "{}", "[]", "not json", '{"kind": "images"}'])
def test_a_run_json_of_somebody_else_proves_nothing(refused, pictures, destination, content):
    destination.mkdir()
    (destination / "run.json").write_text(content)
    refused("images", pictures, destination, "--std", "5")


def test_an_empty_folder_is_anybodys(noisy, pictures, destination):
    destination.mkdir()
    assert noisy("images", pictures, destination, "--std", "5").status == 0


def test_a_foreign_file_where_an_output_goes(refused, images, fill, pictures, destination, samples):
    assert images().status == 0
    fill(pictures, "new.png")
    (destination / "new.png").write_bytes(b"mine")
    message = refused("images", pictures, destination, "--std", "25")
    assert "new.png" in message
    assert "--force" in message
    assert images("--force").status == 0
    assert samples(destination / "new.png") is not None


def test_a_foreign_file_is_not_lost_by_force_when_its_source_fails(images, pictures, destination, rows):
    assert images().status == 0
    (pictures / "new.png").write_bytes(b"broken")
    (destination / "new.png").write_bytes(b"mine")
    assert images("--force").status == 1
    assert (destination / "new.png").read_bytes() == b"mine"
    assert "new.png" not in rows(destination)


def test_two_sources_for_one_output(refused, noisy, tmp_path, fill, write_wav, destination):
    source = fill(tmp_path / "in", "a.png", "x/b.png")
    (source / "a.bmp").write_bytes(b"")
    message = refused("images", source, destination, "--std", "5", "--format", "png")
    assert "a.bmp" in message
    assert "a.png" in message
    assert noisy("images", source, destination, "--std", "5", "--format", "png", "--exclude", "*.bmp").status == 0


def test_a_file_that_would_become_a_folder(refused, tmp_path, fill, destination):
    source = fill(tmp_path / "in", "a.bmp.png", "a.bmp/x/y.png")
    (source / "a.jpg").write_bytes(b"")
    (source / "a.png").mkdir()
    (source / "a.png/b.jpg").write_bytes(b"")
    assert "a.png" in refused("images", source, destination, "--std", "5", "--format", "png")


@pytest.mark.parametrize(
    "template",
    [
        "",
        "x",
        "{stem}",
        "{ext}",
        "{stem}{ext",
        "{stem}{extension}",
        "{0}{stem}{ext}",
        "{}{stem}{ext}",
        "a/{stem}{ext}",
        "{stem.x}{ext}",
        "{stem[0]}{ext}",
        "{stem:d}{ext}",
        "{stem}{ext}{copy:s}",
        "{stem:.1}{ext}",
    ],
)
def test_names_that_cannot_be_made_or_told_apart(refused, tmp_path, fill, destination, template):
    source = fill(tmp_path / "in", "aa.png", "ab.png")
    refused("images", source, destination, "--std", "5", "--name", template)


def test_copies_need_a_number_in_their_name(refused, pictures, destination):
    message = refused("images", pictures, destination, "--std", "5", "--copies", "2", "--name", "{stem}{ext}")
    assert "{copy}" in message


def test_no_source(refused, tmp_path, destination):
    (tmp_path / "empty").mkdir()
    assert "no images" in refused("images", tmp_path / "empty", destination, "--std", "5")
    refused("images", tmp_path / "none", destination, "--std", "5")


def test_the_other_kind_is_named(refused, fill, tmp_path, destination):
    source = fill(tmp_path / "in", "a.wav", "b.wav", "c.txt")
    message = refused("images", source, destination, "--std", "5")
    assert "2 audio files: noisecli audio" in message


def test_nothing_chosen(refused, pictures, destination):
    message = refused("images", pictures, destination, "--std", "5", "--include", "dogs/**")
    assert "5 left out" in message


def test_a_side_file_that_meets_an_output(refused, pictures, destination):
    (pictures / "masks").mkdir()
    (pictures / "a-1.png").write_bytes(b"a mask")
    words = ["--std", "5", "--copies", "2", "--sidecars", "copy", "--exclude", "a-1.png"]
    assert "a-1.png" in refused("images", pictures, destination, *words)


def test_two_side_files_that_meet(refused, fill, pictures, destination):
    fill(pictures, "a.txt", "a-2.txt")
    message = refused("images", pictures, destination, "--std", "5", "--copies", "2", "--sidecars", "copy")
    assert "a-2.txt" in message


@pytest.mark.parametrize("name", ["manifest.jsonl", "errors.jsonl", "run.json"])
def test_a_side_file_that_meets_our_own_files(refused, noisy, pictures, destination, name):
    (pictures / name).write_text("{}")
    refused("images", pictures, destination, "--std", "5", "--sidecars", "copy")
    assert noisy("images", pictures, destination, "--std", "5").status == 0


def test_an_edited_label_in_the_destination(refused, images, fill, pictures, destination):
    fill(pictures, "a.txt")
    assert images("--sidecars", "copy").status == 0
    (destination / "a.txt").write_text("edited here")
    os.utime(destination / "a.txt", ns=(2**62, 2**62))
    assert "a.txt" in refused("images", pictures, destination, "--std", "25", "--sidecars", "copy")


def test_another_kind_needs_a_manifest_of_its_own(refused, noisy, rows, fill, tree, tmp_path, destination):
    source = fill(tmp_path / "in", "a.png", "a.wav")
    assert noisy("images", source, destination, "--std", "5").status == 0
    assert "--manifest audio.jsonl" in refused("audio", source, destination, "--snr-db", "5")
    assert noisy("audio", source, destination, "--snr-db", "5", "--manifest", "sounds.jsonl").status == 0
    assert tree(destination).keys() == {
        *("a.png", "manifest.jsonl", "run.json"),
        *("a.wav", "sounds.jsonl", "sounds.run.json"),
    }
    assert rows(destination).keys() == {"a.png"}
    assert rows(destination, "sounds.jsonl").keys() == {"a.wav"}
    (source / "b.wav").write_bytes(b"")
    assert noisy("audio", source, destination, "--snr-db", "5", "--manifest", "sounds.jsonl").status == 1
    assert (destination / "sounds.errors.jsonl").exists()
    assert not (destination / "errors.jsonl").exists()


@pytest.mark.parametrize("name", ["m.json", "x/m.jsonl", ".jsonl", "/m.jsonl"])
def test_manifest_is_a_name_in_the_destination(refused, pictures, destination, name):
    refused("images", pictures, destination, "--std", "5", "--manifest", name)


def test_metadata_that_hugging_face_would_ignore(refused, noisy, fill, tmp_path, destination):
    source = fill(tmp_path / "in", "train/a.png", "test/b.png")
    message = refused("images", source, destination, "--std", "5", "--manifest", "metadata.jsonl")
    assert "train" in message or "test" in message
    assert noisy("images", source / "train", destination, "--std", "5", "--manifest", "metadata.jsonl").status == 0
    assert (destination / "metadata.jsonl").exists()


def test_a_list_that_leads_out_of_the_source(refused, pictures, destination, tmp_path):
    for name in (b"../secret.png", b"/etc/passwd", b"cats/../../x.png"):
        (tmp_path / "list").write_bytes(name + b"\0")
        refused("images", pictures, destination, "--std", "5", "--files0-from", tmp_path / "list")


def test_a_list_that_is_not_there(refused, pictures, destination, tmp_path):
    refused("images", pictures, destination, "--std", "5", "--files0-from", tmp_path / "none")


def test_an_empty_list(refused, pictures, destination, tmp_path):
    (tmp_path / "list").write_bytes(b"")
    refused("images", pictures, destination, "--std", "5", "--files0-from", tmp_path / "list")


def test_destination_that_is_a_file(refused, pictures, tmp_path):
    (tmp_path / "dst.txt").write_text("mine")
    refused("images", pictures, tmp_path / "dst.txt", "--std", "5")
    refused("images", pictures, tmp_path / "dst.txt" / "below", "--std", "5")


def test_unknown_words(refused, pictures, destination):
    refused("images", pictures, destination, "--std", "5", "--sdt", "5")
    refused("picture", pictures, destination, "--std", "5")
    refused("images", pictures)
