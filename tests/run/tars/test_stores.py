"""Tar shards in a store: what is true of folders, over a real S3 server."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def upload(bucket):
    obstore = pytest.importorskip("obstore")
    from noisecli.storage.objects.client import client

    name, _, prefix = bucket.partition("/")
    store = client("s3", name)

    def put(folder, below):
        for path in folder.iterdir():
            obstore.put(store, f"{prefix}/{below}/{path.name}", path.read_bytes(), use_multipart=False)
        return f"s3://{bucket}/{below}"

    def get(below):
        found = (meta["path"] for page in obstore.list(store, f"{prefix}/{below}") for meta in page)
        return {key.rpartition("/")[2]: bytes(obstore.get(store, key).bytes()) for key in found}

    return put, get


def test_from_store_to_store_and_again(spawned, noisy, upload, shards, destination, bucket, tree):
    put, get = upload
    source = put(shards, "in")
    noisy("images", shards, destination, "--std", "25")
    words = ("--std", "25", "-j", "2", "--json")
    done = spawned("images", source, f"s3://{bucket}/out", *words)
    assert done.status == 0, done
    assert get("out") == tree(destination)
    done = spawned("images", f"{source}/{{000000..000001}}.tar", f"s3://{bucket}/out", *words)
    assert done.status == 0, done
    assert (done.summary["made"], done.summary["kept"]) == (0, 8)
    assert spawned("verify", f"s3://{bucket}/out", "--recompute", source).status == 0


def test_a_folder_is_packed_into_a_store(spawned, noisy, upload, pictures, destination, bucket, tree):
    _, get = upload
    noisy("images", pictures, destination, "--std", "25", "--tar", "2")
    done = spawned("images", pictures, f"s3://{bucket}/out", "--std", "25", "--tar", "2")
    assert done.status == 0, done
    assert get("out") == tree(destination)
