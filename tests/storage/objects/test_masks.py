"""Masks in a bucket, of images on a disk or in it."""

import shutil

import pytest

pytestmark = pytest.mark.slow

STD = ("--std", "25")


@pytest.fixture
def masks(pictures):
    """Images of the same sizes, inside and black; one image has none."""
    folder = pictures.parent / "masks"
    shutil.copytree(pictures, folder)
    (folder / "cats/d.png").unlink()
    return folder


def test_the_same_bytes_as_with_masks_on_a_disk(masks, pictures, s3_server, bucket, destination, spawned, tree, errors):
    s3_server.upload(pictures, f"{bucket}/in")
    s3_server.upload(masks, f"{bucket}/in/about")
    on_disk = spawned("images", pictures, destination, *STD, "--mask", masks)
    assert on_disk.status == 1
    assert errors(destination)["cats/d.png"]["reason"] == "no-mask"
    url = f"s3://{bucket}"
    for name, source in (("mixed", pictures), ("all", f"{url}/in")):
        to = f"{url}/{name}"
        done = spawned("images", source, to, *STD, "--mask", f"{url}/in/about")
        assert done.status == 1, done
        assert s3_server.tree(f"{bucket}/{name}") == tree(destination)
        again = spawned("images", source, to, *STD, "--mask", f"{url}/in/about")
        assert (again.status, "already up to date" in again.err) == (1, True)
        verified = spawned("verify", to, "--recompute", source, "--mask", f"{url}/in/about")
        assert verified.status == 0, verified
    one = destination.with_name("one.png")
    assert spawned("images", pictures / "a.png", one, *STD, "--mask", f"{url}/in/about/a.png").status == 0
    assert one.read_bytes() == (destination / "a.png").read_bytes()


def test_places_that_cannot_be(masks, pictures, s3_server, bucket, destination, spawned):
    s3_server.upload(masks, f"{bucket}/masks")
    url = f"s3://{bucket}/masks"
    for words, to in ((("--mask", url), f"{url}/out"), (("--mask", f"{url}/nothing"), destination)):
        assert spawned("images", pictures, to, *STD, *words).status == 2
    made = ("images", pictures, destination, *STD, "--mask", url, "--depfile", destination.with_name("dep"))
    assert "Make looks at files" in spawned(*made).err
