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
