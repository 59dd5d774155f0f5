"""Shards that cannot be read, samples that fail, and what does not go with tars: each by name."""

import gzip
import tarfile

import pytest


def entry(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.fixture
def noise(noisy, shards, destination):
    def run(*words, source=shards, to=destination):
        return noisy("images", source, to, "--std", "25", *words)

    return run


BAD = {
    "above": ([("../a.png", b"x")], "unsafe", "leads out"),
    "absolute": ([("/a.png", b"x")], "unsafe", "leads out"),
    "inner": ([("a/../../b.png", b"x")], "unsafe", "leads out"),
    "twice": ([("a.png", b"x"), ("a.png", b"y")], "ambiguous", "twice"),
    "case": ([("a.png", b"x"), ("a.PNG", b"y")], "ambiguous", "twice"),
    "apart": ([("a.png", b"x"), ("b.png", b"y"), ("a.cls", b"z")], "ambiguous", "two samples of one"),
    "symlink": ([("a.png", entry("a.png", tarfile.SYMTYPE, "b.png"))], "unsafe", "a link"),
    "hardlink": ([("a.png", b"x"), ("b.png", entry("b.png", tarfile.LNKTYPE, "a.png"))], "unsafe", "a link"),
    "device": ([("a.png", entry("a.png", tarfile.CHRTYPE))], "unsafe", "no ordinary file"),
    "pipe": ([("a.png", entry("a.png", tarfile.FIFOTYPE))], "unsafe", "no ordinary file"),
    "none": ([], "empty", "without members"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_shard_that_cannot_be_trusted_fails_by_name_and_costs_no_other(
    noise, shards, destination, write_tar, errors, rows, case
):
    found, reason, words = BAD[case]
    write_tar(shards / "bad.tar", *found)
    assert noise().status == 1
    assert list(errors(destination)) == ["bad.tar"]
    assert errors(destination)["bad.tar"]["reason"] == reason
    assert words in errors(destination)["bad.tar"]["message"]
    assert not (destination / "bad.tar").exists()
    assert len(rows(destination)) == 12


def test_a_tar_that_is_cut_anywhere_fails_by_name(noise, shards, destination, errors, rows, write_tar, png):
    whole = write_tar(shards / "cut.tar", ("a.png", png(1)), ("a.cls", b"1"), ("b.png", png(2))).read_bytes()
    with tarfile.open(shards / "cut.tar") as tar:
        last = tar.getmembers()[-1]
        end = last.offset_data + last.size + -last.size % 512
    for length in (511, 600, 1024, end - 512, end - 1, end, end + 511):
        (shards / "cut.tar").write_bytes(whole[:length])
        assert noise(to=destination / str(length)).status == 1
        failed = errors(destination / str(length))
        assert {source: entry["reason"] for source, entry in failed.items()} == {"cut.tar": "truncated"}, length
        assert len(rows(destination / str(length))) == 12


@pytest.mark.parametrize("change", ["flipped", "joined", "packed", "zero", "text"])
def test_what_is_no_sound_tar(noise, shards, destination, errors, change):
    path = shards / "000001.tar"
    data = path.read_bytes()
    flipped = bytearray(data)
    flipped[1024 + 3] ^= 4
    path.write_bytes(
        {
            "flipped": bytes(flipped),
            "joined": data + data,
            "packed": gzip.compress(data),
            "zero": b"",
            "text": b"no tar at all " * 100,
        }[change]
    )
    assert noise().status == 1
    reasons = {"flipped": "corrupt", "joined": "corrupt", "packed": "wrong-content", "zero": "empty", "text": "corrupt"}
    assert {source: entry["reason"] for source, entry in errors(destination).items()} == {"000001.tar": reasons[change]}


def test_compressed_tars_are_named_with_how_to_unpack_them(noise, shards, destination, errors):
    data = gzip.compress((shards / "000000.tar").read_bytes())
    for name in ("x.tar.gz", "y.tgz"):
        (shards / name).write_bytes(data)
    assert noise().status == 0
    assert {source: entry["status"] for source, entry in errors(destination).items()} == {
        "x.tar.gz": "skipped",
        "y.tgz": "skipped",
    }
    assert "unpack it first" in errors(destination)["x.tar.gz"]["message"]


def test_a_broken_sample_is_left_out_with_its_labels_and_stays_known(
    noise, shards, destination, write_tar, members, errors, tree
):
    found = [(n, d[:-30] if n == "01.png" else d) for n, d in members(shards / "000000.tar")]
    write_tar(shards / "000000.tar", *found)
    assert noise().status == 1
    assert list(errors(destination)) == ["000000.tar/01.png"]
    expected = [name for name, _ in found if not name.startswith("01")]
    assert [name for name, _ in members(destination / "000000.tar")] == expected
    before = tree(destination)
    done = noise("--json")
    assert (done.status, done.summary["kept"], done.summary["made"], done.summary["failed"]) == (1, 11, 0, 1)
    assert tree(destination) == before
    done = noise("--json", "--redo")
    assert (done.summary["made"], done.summary["failed"]) == (11, 1)
    assert tree(destination) == before


def test_of_two_images_of_a_sample_neither_stays_where_one_fails(
    noise, shards, destination, write_tar, png, errors, members
):
    write_tar(shards / "two.tar", ("a.left.png", png(1)), ("a.right.png", b"broken"), ("b.left.png", png(2)))
    assert noise("--on-error", "ignore").status == 0
    assert set(errors(destination)) == {"two.tar/a.left.png", "two.tar/a.right.png"}
    assert "left out with two.tar/a.right.png" in errors(destination)["two.tar/a.left.png"]["message"]
    assert [name for name, _ in members(destination / "two.tar")] == ["b.left.png"]


def test_a_tar_that_was_cut_and_is_whole_again_is_no_problem_any_more(noise, shards, destination, tree, tmp_path):
    whole = (shards / "000001.tar").read_bytes()
    (shards / "000001.tar").write_bytes(whole[:2000])
    assert noise().status == 1
    (shards / "000001.tar").write_bytes(whole)
    assert noise().status == 0
    noise(to=tmp_path / "at-once")
    assert tree(destination) == tree(tmp_path / "at-once")


def test_no_tar_is_written_for_an_empty_result(noise, shards, destination, write_tar, errors):
    write_tar(shards / "bad.tar", ("a.png", b"broken"), ("a.cls", b"1"))
    write_tar(shards / "texts.tar", ("a.txt", b"words"))
    assert noise().status == 1
    assert not (destination / "bad.tar").exists()
    assert not (destination / "texts.tar").exists()
    assert errors(destination)["texts.tar"]["status"] == "skipped"


def test_a_member_larger_than_max_bytes_fails_alone(noise, shards, destination, write_tar, png, errors):
    write_tar(shards / "big.tar", ("a.png", png(1)), ("b.png", png(2)), ("b.bin", bytes(5000)))
    assert noise("--max-bytes", "4000").status == 1
    assert errors(destination)["big.tar/b.bin"]["reason"] == "too-large"
    assert "left out with" in errors(destination)["big.tar/b.png"]["message"]
    assert "big.tar/a.png" not in errors(destination)
    assert noise().status == 0
    assert errors(destination) == {}


def test_an_image_without_its_suffix_is_no_label(noise, shards, destination, write_tar, png, errors, members):
    write_tar(shards / "x.tar", ("a.png", png(1)), ("a.target", png(2)), ("b.png", png(3)))
    assert noise().status == 0
    assert {source: entry["status"] for source, entry in errors(destination).items()} == {
        "x.tar/a.png": "skipped",
        "x.tar/a.target": "skipped",
    }
    assert [name for name, _ in members(destination / "x.tar")] == ["b.png"]
    assert noise("--exclude", "*.target").status == 0
    assert errors(destination) == {}
    assert [name for name, _ in members(destination / "x.tar")] == ["a.png", "a.target", "b.png"]


def test_stop_and_max_failures_leave_true_rows(noise, noisy, shards, destination, write_tar, png):
    write_tar(shards / "000000.tar", ("a.png", b"broken"), ("b.png", png(1)))
    assert noise("--on-error", "stop").status == 3
    assert noise().status == 1
    assert noisy("verify", destination).status == 0


OPTIONS = {
    "--sidecars copy": "go along",
    "--sidecars link": "go along",
    "--prune": "by hand",
    "--depfile x.d": "--depfile",
    "--tar 5": "holds tars already",
    "--manifest metadata.jsonl": "metadata.jsonl",
}


@pytest.mark.parametrize("words", OPTIONS)
def test_what_does_not_go_with_tars_is_refused_before_any_work(noise, destination, words):
    done = noise(*words.split())
    assert done.status == 2
    assert OPTIONS[words] in done.err
    assert not destination.exists()


def test_lists_and_one_file_forms_are_refused(noise, noisy, shards, destination, tmp_path):
    (tmp_path / "list").write_bytes(b"000000.tar/00.png\0")
    assert "--files0-from" in noise("--files0-from", tmp_path / "list").err
    for target in (tmp_path / "out.tar", "-"):
        done = noise(source=shards / "000000.tar", to=target)
        assert done.status == 2
        assert "folder" in done.err
    assert not (tmp_path / "out.tar").exists()


def test_other_commands_name_what_to_do(noise, noisy, shards, destination, tmp_path):
    assert "unpack" in noisy("preview", shards, tmp_path / "x.png", "--std", "5").err
    assert "does not read tar shards" in noisy("weights", shards / "*.tar", tmp_path / "w", "--std", "5%").err
    noise()
    for form in ("pairs", "labels", "hf"):
        done = noisy("export", destination, "--to", form)
        assert done.status == 2
        assert "--to csv" in done.err
    assert noisy("export", destination, "--to", "csv").out.count("\n") == 13
    done = noisy("export", destination, "--to", "csv", "-o", destination / "000000.tar", "--force")
    assert done.status == 2


def test_files_and_tars_do_not_mix(noise, noisy, shards, destination, fill, pictures, tmp_path, errors):
    fill(pictures, "cats/x.tar")
    (pictures / "y.tar").write_bytes((shards / "000000.tar").read_bytes())
    assert noise(source=pictures, to=tmp_path / "plain").status == 0
    assert "shards" in errors(tmp_path / "plain")["y.tar"]["message"]
    fill(shards, "deep/a.png")
    assert "quote the pattern" in noisy("images", *sorted(shards.glob("*.tar")), destination, "--std", "5").err
    done = noise()
    assert done.status == 2
    assert "deep/a.png" in done.err
    (shards / "deep/a.png").unlink()
    noise()
    assert "holds tar shards" in noise(source=pictures).err
    assert "in no tar" in noise(to=tmp_path / "plain").err


def test_a_folder_named_like_a_tar_is_refused(noise, shards, fill):
    fill(shards, "x.tar/a.png")
    done = noise()
    assert done.status == 2
    assert "x.tar" in done.err


def test_shards_in_folders_of_their_own_are_merged_by_hand(noise, noisy, destination, tmp_path):
    for number in (1, 2):
        noise("--shard", f"{number}/2", to=tmp_path / f"part-{number}")
    done = noisy("merge", destination, tmp_path / "part-1", tmp_path / "part-2")
    assert done.status == 2
    assert "one DST" in done.err


def test_a_stream_of_headers_that_lies_about_sizes(noise, shards, destination, errors):
    info = tarfile.TarInfo("a.png")
    info.size = 1 << 40
    (shards / "liar.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(20_000))
    assert noise().status == 1
    assert errors(destination)["liar.tar"]["reason"] == "truncated"
