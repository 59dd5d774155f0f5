"""What the webdataset library reads of tar shards."""

import io
import json

import numpy as np
import pytest

webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed: pip install webdataset")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")]


@pytest.fixture
def written_by_webdataset(tmp_path, png):
    """Return shards as the library's own writer makes them."""
    (tmp_path / "made").mkdir()
    with webdataset.ShardWriter(f"{tmp_path}/made/%06d.tar", maxcount=50, verbose=0) as sink:
        for number in range(200):
            sink.write(
                {"__key__": f"sample/{number:05d}", "png": png(number), "json": {"n": number}, "cls": number % 10}
            )
    return tmp_path / "made"


def read(folder, tars):
    return list(webdataset.WebDataset([f"{folder}/{name}" for name in tars], shardshuffle=False))


def test_its_shards_come_back_with_labels_and_noise(noisy, written_by_webdataset, destination):
    assert noisy("images", written_by_webdataset, destination, "--std", "25").status == 0
    tars = [f"{number:06d}.tar" for number in range(4)]
    clean, found = read(written_by_webdataset, tars), read(destination, tars)
    assert [sample["__key__"] for sample in found] == [f"sample/{number:05d}" for number in range(200)]
    for before, after in zip(clean, found, strict=True):
        assert before.keys() == after.keys()
        assert (before["json"], before["cls"]) == (after["json"], after["cls"])
        assert before["png"] != after["png"]
    decoded = webdataset.WebDataset(f"{destination}/{{000000..000003}}.tar", shardshuffle=False).decode("rgb8")
    shapes = [sample["png"].shape for sample in decoded]
    assert shapes == [(12, 16, 3)] * 200


def test_copies_and_packs_are_samples_to_it(noisy, pictures, fill, destination):
    fill(pictures, *(f"cats/{name}.json" for name in "cd"))
    for name in "cd":
        (pictures / f"cats/{name}.json").write_text(json.dumps({"name": name}))
    assert noisy("images", pictures, destination, "--std", "25", "--tar", "4", "--copies", "2").status == 0
    found = {sample["__key__"]: sample for sample in read(destination, ["000000.tar", "000001.tar", "000002.tar"])}
    assert set(found) == {f"{key}-{copy}" for key in ("a", "b", "cats/c", "cats/d", "e") for copy in (1, 2)}
    assert json.loads(found["cats/d-2"]["json"]) == {"name": "d"}


def test_arrays(noisy, tmp_path, destination):
    (tmp_path / "made").mkdir()
    with webdataset.TarWriter(f"{tmp_path}/made/0.tar") as sink:
        for number in range(20):
            sink.write({"__key__": str(number), "npy": np.full((3, 4), number, np.float32), "txt": "words"})
    assert noisy("arrays", tmp_path / "made", destination, "--std", "0.5").status == 0
    for number, sample in enumerate(read(destination, ["0.tar"])):
        array = np.load(io.BytesIO(sample["npy"]))
        assert array.shape == (3, 4)
        assert abs(array.mean() - number) < 1
        assert sample["txt"] == b"words"
