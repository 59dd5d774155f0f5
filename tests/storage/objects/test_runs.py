"""Runs from and into buckets of a real server, read back by another library."""

import json

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def sources(s3_server, bucket, pictures):
    """Some pictures in the bucket, one of them broken, and a label."""
    (pictures / "broken.png").write_bytes((pictures / "a.png").read_bytes()[:60])
    (pictures / "cats" / "c.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    s3_server.upload(pictures, f"{bucket}/in")
    return f"s3://{bucket}/in"


WAYS = [
    ("--std", "25"),
    ("--std", "0,5,50", "--copies", "2", "--with-clean", "--sidecars", "copy"),
    ("--std", "25", "--format", "jpg", "--prob", "0.5", "--seed", "3"),
    ("--std", "5", "--with-clean", "--with-std-map", "--sidecars", "copy"),
]


@pytest.mark.parametrize("words", WAYS, ids=" ".join)
def test_the_same_bytes_as_on_a_disk(words, sources, s3_server, bucket, pictures, destination, spawned, tree):
    on_disk = spawned("images", pictures, destination, *words)
    on_s3 = spawned("images", sources, f"s3://{bucket}/out", *words)
    assert (on_disk.status, on_s3.status) == (1, 1)
    assert s3_server.tree(f"{bucket}/out") == tree(destination)


@pytest.mark.parametrize("which", ["from", "into"])
def test_from_or_into_a_bucket_alone(which, sources, s3_server, bucket, pictures, destination, spawned, tree):
    spawned("images", pictures, destination, "--std", "25")
    if which == "from":
        spawned("images", sources, destination.with_name("other"), "--std", "25")
        assert tree(destination.with_name("other")) == tree(destination)
    else:
        spawned("images", pictures, f"s3://{bucket}/out", "--std", "25")
        assert s3_server.tree(f"{bucket}/out") == tree(destination)


def test_a_second_run_makes_what_is_new_alone(sources, s3_server, bucket, spawned, png):
    words = ("images", sources, f"s3://{bucket}/out", "--std", "25", "--json")
    assert spawned(*words).status == 1
    before = {name: info["ETag"] for name, info in s3_server.files().find(f"{bucket}/out", detail=True).items()}
    again = json.loads(spawned(*words).out)
    assert (again["made"], again["kept"], again["failed"]) == (0, 5, 1)
    s3_server.files().pipe_file(f"{bucket}/in/new.png", (s3_server.files().cat_file(f"{bucket}/in/a.png")))
    after = json.loads(spawned(*words).out)
    assert (after["made"], after["kept"]) == (1, 5)
    now = s3_server.files().find(f"{bucket}/out", detail=True)
    assert {name for name in now if before.get(name) != now[name]["ETag"]} == {
        f"{bucket}/out/{name}" for name in ("new.png", "manifest.jsonl", "run.json")
    }


def test_a_source_that_was_replaced_is_made_again(sources, s3_server, bucket, spawned):
    words = ("images", sources, f"s3://{bucket}/out", "--std", "25", "--json")
    spawned(*words)
    files = s3_server.files()
    files.pipe_file(f"{bucket}/in/a.png", files.cat_file(f"{bucket}/in/b.png"))
    again = json.loads(spawned(*words).out)
    assert (again["made"], again["kept"]) == (1, 4)


def test_somebody_elses_objects_stay(sources, s3_server, bucket, spawned):
    files = s3_server.files()
    files.pipe_file(f"{bucket}/out/a.png", b"somebody's")
    refused = spawned("images", sources, f"s3://{bucket}/out", "--std", "25")
    assert refused.status == 2
    assert "holds files that noisecli did not make" in refused.err
    assert s3_server.tree(f"{bucket}/out") == {"a.png": b"somebody's"}


def test_what_lies_among_noiseclis_own_objects_and_is_none_stays(sources, s3_server, bucket, spawned):
    files = s3_server.files()
    theirs = {
        ".noisecli-probes/user.bin": bytes(4096),
        ".noisecli-probes/0123abcd": b"x" * 4096,
        ".noisecli-journal.parts/user.txt": b"words",
    }
    for name, content in theirs.items():
        files.pipe_file(f"{bucket}/out/{name}", content)
    files.pipe_file(f"{bucket}/out/.noisecli-probes/89abcdef", bytes(4096))
    assert spawned("images", sources, f"s3://{bucket}/out", "--std", "25").status == 1
    found = s3_server.tree(f"{bucket}/out")
    assert {name: found[name] for name in found if name.startswith(".")} == theirs


def test_the_mark_of_a_folder_whose_name_has_a_dot_is_no_file(s3_server, bucket, pictures, spawned):
    files = s3_server.files()
    s3_server.upload(pictures, f"{bucket}/in/v1.0")
    s3_server.upload(pictures, f"{bucket}/in/set.png")
    for folder in ("v1.0", "set.png"):
        files.call_s3("put_object", Bucket=bucket.split("/")[0], Key=f"{bucket.split('/')[1]}/in/{folder}/", Body=b"")
    done = spawned("images", f"s3://{bucket}/in", f"s3://{bucket}/out", "--std", "25", "--sidecars", "copy", "--json")
    summary = json.loads(done.out)
    assert (done.status, summary["problems"], summary["made"]) == (0, [], 10)


@pytest.mark.parametrize("content", [b"my own words", b"{}", b""])
def test_an_object_with_the_name_of_a_lease_that_is_none_stays(content, sources, s3_server, bucket, spawned):
    s3_server.files().pipe_file(f"{bucket}/out/.noisecli-journal", content)
    words = ("images", sources, f"s3://{bucket}/out", "--std", "25")
    refused = spawned(*words)
    assert refused.status == 2
    assert "its .noisecli-journal is no lease; move it away, or add --force" in refused.err
    assert s3_server.tree(f"{bucket}/out") == {".noisecli-journal": content}
    assert spawned(*words, "--force").status == 1
    assert "a.png" in s3_server.tree(f"{bucket}/out")
