"""Tar shards in and out: the same bytes always, labels carried, made again only where something changed."""

import hashlib
import io
import os
import shutil
import tarfile

import numpy as np
import pytest


@pytest.fixture
def noise(noisy, shards, destination):
    def run(*words, source=shards, to=destination, kind="images"):
        level = () if "--std" in words else ("--std", "25")
        return noisy(kind, source, to, *level, *words)

    return run


def test_a_shard_becomes_a_shard_of_its_name_with_all_its_labels(noise, shards, destination, members, rows):
    assert noise().status == 0
    assert sorted(os.listdir(destination)) == ["000000.tar", "000001.tar", "000002.tar", "manifest.jsonl", "run.json"]
    for name in ("000000.tar", "000001.tar", "000002.tar"):
        clean, noisy = members(shards / name), members(destination / name)
        assert [name for name, _ in noisy] == [name for name, _ in clean]
        for (member, before), (_, after) in zip(clean, noisy, strict=True):
            assert (before == after) == (not member.endswith(".png")), member
            if member.endswith(".png"):
                row = rows(destination)[f"{name}/{member}"]
                assert row["source"] == f"{name}/{member}"
                assert (row["bytes"], row["sha256"]) == (len(after), hashlib.sha256(after).hexdigest())
    assert len(rows(destination)) == 12


def test_headers_say_nothing_of_when_and_who(noise, destination):
    noise()
    with tarfile.open(destination / "000001.tar") as tar:
        for info in tar:
            assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")
            assert (info.mode, info.type, info.pax_headers) == (0o644, tarfile.REGTYPE, {})


def test_bytes_are_the_same_for_any_number_of_workers_and_any_times_of_the_source(
    noise, shards, destination, tree, tmp_path
):
    noise("-j", "1")
    for name in os.listdir(shards):
        os.utime(shards / name, (7, 7))
    noise("-j", "2", to=tmp_path / "again")
    assert tree(destination) == tree(tmp_path / "again")


def test_a_pattern_and_one_shard_are_parts_of_the_folder(noise, shards, destination, members, tmp_path):
    noise()
    assert noise(source=shards / "{000001..000002}.tar", to=tmp_path / "two").status == 0
    assert noise(source=shards / "000002.tar", to=tmp_path / "one").status == 0
    assert {"000001.tar", "000002.tar"} < set(os.listdir(tmp_path / "two"))
    for folder in ("two", "one"):
        assert members(tmp_path / folder / "000002.tar") == members(destination / "000002.tar")
    assert "000000.tar" not in os.listdir(tmp_path / "two")


def test_a_pattern_names_what_is_missing(noise, shards, destination, errors):
    assert noise(source=shards / "{000002..000003}.tar").status == 1
    assert errors(destination)["000003.tar"]["reason"] == "gone"
    assert "000002.tar" in os.listdir(destination)


def test_splits_are_folders_of_shards(noise, shards, destination, members):
    (shards / "train").mkdir()
    (shards / "val").mkdir()
    for name, split in (("000000.tar", "train"), ("000001.tar", "train"), ("000002.tar", "val")):
        (shards / name).rename(shards / split / name)
    assert noise().status == 0
    assert len(members(destination / "train/000001.tar")) == len(members(destination / "val/000002.tar")) == 12


def test_a_link_to_a_tar_outside_is_followed_where_that_is_asked_for(noise, shards, destination, tmp_path, errors):
    (shards / "000001.tar").rename(tmp_path / "elsewhere.tar")
    (shards / "000001.tar").symlink_to(tmp_path / "elsewhere.tar")
    assert noise().status == 0
    assert errors(destination)["000001.tar"]["reason"] == "symlink-outside"
    assert noise("--follow-links", "--json").summary["made"] == 4
    done = noise("--follow-links", to=tmp_path)
    assert done.status == 2


def test_copies_are_samples_of_their_own_with_labels(noise, shards, destination, members):
    assert noise("--copies", "2").status == 0
    names = [name for name, _ in members(destination / "000000.tar")]
    assert names[:6] == ["00-1.cls", "00-1.png", "00-1.json", "00-2.cls", "00-2.png", "00-2.json"]
    found = dict(members(destination / "000000.tar"))
    assert found["00-1.cls"] == found["00-2.cls"] == b"0"
    assert found["00-1.png"] != found["00-2.png"]
    noise(to=destination.with_name("single"))
    assert dict(members(destination.with_name("single") / "000000.tar"))["00.png"] == found["00-1.png"]


def test_a_sweep_and_clean_copies_are_trees_of_shards(noise, shards, destination, members):
    assert noise("--std", "5,25", "--with-clean").status == 0
    for below in ("std-5/noisy", "std-5/clean", "std-25/noisy", "std-25/clean"):
        found = members(destination / below / "000002.tar")
        assert [name for name, _ in found] == [name for name, _ in members(shards / "000002.tar")]
    assert members(destination / "std-5/clean/000002.tar") == members(destination / "std-25/clean/000002.tar")


def test_another_format_changes_the_suffix_alone(noise, write_tar, tmp_path, png, members, destination):
    write_tar(tmp_path / "in/x.tar", ("dir/a.left.png", png(1)), ("dir/a.txt", b"t"), ("dir/b.png", png(2)))
    assert noise("--format", "tiff", source=tmp_path / "in").status == 0
    assert [name for name, _ in members(destination / "x.tar")] == ["dir/a.left.tiff", "dir/a.txt", "dir/b.tiff"]


def test_names_by_a_template_keep_a_sample_together(noise, destination, members):
    assert noise("--name", "{stem}_{level}{ext}").status == 0
    names = [name for name, _ in members(destination / "000000.tar")]
    assert names[:3] == ["00_std-25.cls", "00_std-25.png", "00_std-25.json"]


def test_audio_and_arrays(noise, write_wav, write_tar, tmp_path, members):
    write_wav(tmp_path / "a.wav")
    np.save(tmp_path / "a.npy", np.linspace(0, 1, 50, dtype=np.float32))
    wav, npy = (tmp_path / "a.wav").read_bytes(), (tmp_path / "a.npy").read_bytes()
    write_tar(tmp_path / "in/x.tar", ("a.wav", wav), ("a.npy", npy), ("a.txt", b"said"))
    for kind, changed, level in (("audio", "a.wav", "0.1"), ("arrays", "a.npy", "0.5")):
        assert noise("--std", level, kind=kind, source=tmp_path / "in", to=tmp_path / kind).status == 0
        before, after = dict(members(tmp_path / "in/x.tar")), dict(members(tmp_path / kind / "x.tar"))
        assert [name for name in before if before[name] != after[name]] == [changed]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_other_scripts(noise, write_tar, tmp_path, png, members, destination, form):
    names = [f"{'deep/' * 40}a.png", "./dot.png", "bär.png", "日本.png"]
    write_tar(tmp_path / "in/x.tar", *((name, png(number)) for number, name in enumerate(names)), form=form)
    assert noise(source=tmp_path / "in").status == 0
    assert [name for name, _ in members(destination / "x.tar")] == [name.removeprefix("./") for name in names]


def test_a_run_again_changes_nothing(noise, shards, destination, tree):
    noise()
    before = {name: os.stat(destination / name).st_mtime_ns for name in os.listdir(destination)}
    done = noise("--json")
    assert (done.summary["made"], done.summary["kept"]) == (0, 12)
    assert before == {name: os.stat(destination / name).st_mtime_ns for name in os.listdir(destination)}


def test_newer_shards_of_the_same_content_are_kept(noise, shards, destination):
    noise()
    for name in os.listdir(shards):
        (shards / name).touch()
    assert noise("--json").summary["kept"] == 12


@pytest.mark.parametrize("changed", ["04.cls", "04.png"])
def test_a_shard_is_made_again_where_a_label_or_an_image_changed(
    noise, shards, destination, write_tar, members, png, changed
):
    noise()
    found = [(name, data) for name, data in members(shards / "000000.tar") if not name.startswith("03")]
    found += [("03.cls", b"3"), ("03.png", png(3)), ("03.json", b'{"n": 9}' if changed == "04.cls" else b'{"n": 3}')]
    if changed == "04.png":
        found[-2] = ("03.png", png(77))
    write_tar(shards / "000000.tar", *found)
    done = noise("--json")
    assert (done.summary["made"], done.summary["kept"]) == (4, 8)
    expected = [data for name, data in found if not name.endswith(".png")]
    assert [data for name, data in members(destination / "000000.tar") if not name.endswith(".png")] == expected


def test_a_sample_that_is_gone_leaves_tar_and_manifest(noise, shards, destination, write_tar, members, rows):
    noise()
    write_tar(shards / "000001.tar", *members(shards / "000001.tar")[3:])
    assert noise().status == 0
    assert "000001.tar/10.png" not in rows(destination)
    assert len(rows(destination)) == 11
    assert members(destination / "000001.tar")[0][0] == "11.cls"


def test_a_tar_that_is_gone_or_damaged_is_made_again(noise, shards, destination, tree):
    noise()
    whole = tree(destination)
    (destination / "000000.tar").unlink()
    (destination / "000001.tar").write_bytes((destination / "000001.tar").read_bytes()[:3000])
    assert noise("--json").summary["made"] == 8
    assert tree(destination) == whole


def test_a_dry_run_counts_as_the_run_does(noise, destination):
    assert noise("--dry-run", "--json").summary["made"] == 12
    assert not destination.exists()
    noise()
    (destination / "000001.tar").unlink()
    summary = noise("--dry-run", "--json").summary
    assert (summary["made"], summary["kept"]) == (4, 8)


def test_somebody_elses_tar_is_not_replaced(noise, shards, destination, tree):
    noise(source=shards / "{000001}.tar")
    shutil.copy(shards / "000000.tar", destination)
    before = tree(destination)
    done = noise()
    assert done.status == 2
    assert "000000.tar" in done.err
    assert tree(destination) == before
    assert noise("--force").status == 0


def test_verify_reads_members_and_recomputes_them(noise, noisy, shards, destination):
    noise("--std", "5,25", "--with-clean")
    done = noisy("verify", destination, "--recompute", shards, "--json")
    assert (done.status, done.summary["rows"], done.summary["remade"]) == (0, 24, 24)


def test_verify_names_a_member_that_differs_and_a_tar_that_no_row_lists(
    noise, noisy, shards, destination, members, write_tar
):
    noise()
    found = members(destination / "000000.tar")
    write_tar(destination / "000000.tar", *((n, d if n != "02.png" else d[:-1] + b"x") for n, d in found))
    shutil.copy(shards / "000001.tar", destination / "more.tar")
    done = noisy("verify", destination, "--json")
    assert done.status == 1
    differing = {each["file_name"]: each["reason"] for each in done.summary["differences"]}
    assert differing == {"000000.tar/02.png": "digest-differs", "more.tar": "not-listed"}


def test_shards_of_a_run_merge_into_the_whole_one(noise, noisy, destination, tree, tmp_path):
    noise("--std", "5,25")
    for number in (1, 2):
        assert noise("--std", "5,25", "--shard", f"{number}/2", to=tmp_path / "parts").status == 0
    assert noisy("merge", tmp_path / "parts").status == 0
    assert tree(tmp_path / "parts") == tree(destination)


def test_a_limit_leaves_the_rest_out_of_the_tar_and_comes_back(noise, destination, members, tree):
    assert noise("--limit", "6").status == 0
    assert len(members(destination / "000001.tar")) == 6
    assert not (destination / "000002.tar").exists()
    noise()
    assert len(members(destination / "000001.tar")) == 12


def test_what_is_excluded_goes_along_without_noise(noise, shards, destination, members):
    assert noise("--exclude", "00.png").status == 0
    assert members(destination / "000000.tar")[1] == members(shards / "000000.tar")[1]


def test_label_masks_go_along_without_noise(noise, write_tar, tmp_path, png, members, destination):
    import cv2

    mask = cv2.imencode(".png", np.kron(np.eye(2, dtype=np.uint8), np.ones((16, 16), np.uint8)))[1].tobytes()
    write_tar(tmp_path / "in/x.tar", ("a.png", png(1)), ("a.mask.png", mask), ("b.png", png(2)))
    done = noise("--json", source=tmp_path / "in")
    assert (done.status, done.summary["made"]) == (0, 2)
    assert dict(members(destination / "x.tar"))["a.mask.png"] == mask


def test_what_is_of_no_sample_goes_along_once(noise, write_tar, tmp_path, png, members, destination):
    found = [("README", b"words"), ("d/a.cls", b"1"), ("d/._a.png", b"of a Mac"), ("d/a.png", png(1)), ("d/.x", b"h")]
    write_tar(tmp_path / "in/x.tar", *found)
    assert noise("--copies", "2", source=tmp_path / "in").status == 0
    names = [name for name, _ in members(destination / "x.tar")]
    assert names == ["README", "d/a-1.cls", "d/._a.png", "d/a-1.png", "d/a-2.cls", "d/a-2.png", "d/.x"]


def test_names_that_are_not_utf8_are_escaped_in_outputs(noise, noisy, tmp_path, png, members, destination, rows):
    path = tmp_path / "in/x.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT, encoding="latin-1") as tar:
        for name, data in (("é.png", png(1)), ("é.cls", b"1")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert noise(source=tmp_path / "in").status == 0
    assert [name for name, _ in members(destination / "x.tar")] == ["%E9.png", "%E9.cls"]
    assert rows(destination)["x.tar/%E9.png"]["warnings"] == ["name-not-utf8"]
    assert noise("--json", source=tmp_path / "in").summary["kept"] == 1
    assert noisy("verify", destination, "--recompute", tmp_path / "in").status == 0


def test_members_too_large_for_memory_go_through_a_temporary_file(noise, write_tar, tmp_path, members, destination):
    rng = np.random.default_rng(1)
    buffer = io.BytesIO()
    np.save(buffer, rng.random(2_200_000))
    found = [("a.npy", buffer.getvalue()), ("a.bin", rng.bytes(17_000_000))]
    write_tar(tmp_path / "in/x.tar", *found)
    assert noise("--std", "0.5", kind="arrays", source=tmp_path / "in").status == 0
    made = members(destination / "x.tar")
    assert made[1] == found[1]
    assert len(made[0][1]) == len(found[0][1])
    assert made[0][1] != found[0][1]


def test_pairs_are_kept_and_compared(noise, destination, members, write_tar):
    noise("--with-clean")
    assert noise("--with-clean", "--checksum", "--json").summary["kept"] == 12
    clean = destination / "clean/000001.tar"
    found = members(clean)
    write_tar(clean, *found[:-1], (found[-1][0], b'{"n": 8}'))
    assert noise("--with-clean", "--checksum", "--json").summary["made"] == 4
    assert members(clean) == found


def test_what_a_run_leaves_is_as_its_schemas_say(noise, shards, destination, write_tar, members, accept_run):
    write_tar(shards / "bad.tar", ("a.png", b"broken"))
    done = noise("--json", "--std", "5,25", "--with-clean")
    assert done.status == 1
    accept_run(done, destination)
