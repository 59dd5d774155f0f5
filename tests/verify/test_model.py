"""verify --recompute of adversarial runs without their model, or with another: refused before Keras is looked for."""

import hashlib
import json
import zipfile

import pytest

DIGEST = hashlib.sha256(b"the model").hexdigest()


@pytest.fixture
def step(images, destination):
    """Make a run, and say of it that it took a gradient step; return its folder."""
    assert images().status == 0
    path = destination / "run.json"
    run = json.loads(path.read_text())
    own = {"model_sha256": DIGEST, "backend": "torch", "eps": 0.1, "classes": ["a", "b"], "input_range": [0.0, 1.0]}
    own |= {"answers": "logits", "batch_size": 32, "samples_key": "x", "labels_key": "y"}
    run["kind"] = "adversarial"
    run["settings"] = {key: spelled | {"adversary": own} for key, spelled in run["settings"].items()}
    path.write_text(json.dumps(run))
    return destination


def test_a_model_is_needed_and_it_must_be_the_same(noisy, step, pictures, tmp_path):
    refused = noisy("verify", step, "--recompute", pictures)
    assert refused.status == 2
    assert f"needs the model that the run was made with (sha256 {DIGEST[:12]}...): --model FILE" in refused.err
    other = tmp_path / "other.keras"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("config.json", "{}")
    refused = noisy("verify", step, "--recompute", pictures, "--model", other)
    assert refused.status == 2
    own = hashlib.sha256(other.read_bytes()).hexdigest()
    assert f"is another model (sha256 {own[:12]}...) than the run was made with ({DIGEST[:12]}...)" in refused.err
    (tmp_path / "text.keras").write_text("text")
    told = {"gone.keras": "No such file", "m.pt": "PyTorch's pickle", "text.keras": "not a .keras file"}
    for name, words in told.items():
        refused = noisy("verify", step, "--recompute", pictures, "--model", tmp_path / name)
        assert refused.status == 2
        assert words in refused.err


def test_a_model_where_none_is_needed_is_refused(noisy, images, pictures, destination):
    assert images().status == 0
    refused = noisy("verify", destination, "--recompute", pictures, "--model", "m.keras")
    assert (refused.status, "images are made without a model; omit it" in refused.err) == (2, True)
    refused = noisy("verify", destination, "--model", "m.keras")
    assert (refused.status, "add --recompute SRC" in refused.err) == (2, True)
