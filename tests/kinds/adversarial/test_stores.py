"""noisecli adversarial on URLs of a real server: the model is a file here, classes and samples are objects."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def words(one_backend, models, fill_classes):
    fill_classes(models["grey"])
    return ("--model", models["grey"].path, "--eps", "7.4", "--std", "5")


def test_the_same_bytes_as_on_a_disk(words, models, s3_server, bucket, tmp_path, destination, spawned, tree):
    source, url = tmp_path / "src", f"s3://{bucket}/out"
    s3_server.upload(source, f"{bucket}/in")
    on_disk = spawned("adversarial", source, destination, *words)
    on_s3 = spawned("adversarial", f"s3://{bucket}/in", url, *words)
    assert (on_disk.status, on_s3.status) == (0, 0), on_s3.err
    assert s3_server.tree(f"{bucket}/out") == tree(destination)
    verified = spawned("verify", url, "--recompute", f"s3://{bucket}/in", "--model", words[1], "--json").summary
    assert (verified["remade"], verified["differences"]) == (verified["rows"], [])
