"""noisecli adversarial on .npz archives of samples and labels, read back with numpy."""

import numpy as np
import pytest

pytestmark = pytest.mark.slow

COUNT = 70
"""More than two batches, and no whole number of them."""


@pytest.fixture
def save(tmp_path):
    """Save an archive into src."""

    def write(name="a.npz", **arrays):
        (tmp_path / "src").mkdir(exist_ok=True)
        np.savez_compressed(tmp_path / "src" / name, **arrays)
        return arrays

    return write


def samples_of(model, dtype, seed=8, count=COUNT):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "u":
        return rng.integers(0, np.iinfo(dtype).max + 1, (count, *model.shape), dtype)
    return rng.random((count, *model.shape)).astype(dtype)


def labels_of(model, seed=9, count=COUNT):
    return np.random.default_rng(seed).integers(0, max(2, len(model.bias)), count)


def opened(path):
    with np.load(path) as archive:
        return dict(archive)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_step_alone_is_the_formula(backend, models, save, adversarial, destination, rows, dtype):
    """Integers are pictures and are rounded once; floats are in the model's own scale. All else stays as it was."""
    model = models["grey"]
    x, y = samples_of(model, dtype), labels_of(model)
    save(x=x, y=y, names=np.array(["ant", "bee", "cow"]), z=x[:3])
    assert adversarial(model, "--eps", "8%", "--std", "0").status == 0
    made = opened(destination / "a.npz")
    full = 255 if dtype == "uint8" else 1
    signs = model.signs(x / full, y)
    expected = (x + full * 0.08 * signs).clip(0, full)
    expected = np.rint(expected) if dtype == "uint8" else expected
    assert made["x"].dtype == dtype
    assert np.allclose(made["x"], expected, atol=0 if dtype == "uint8" else 1e-6)
    assert np.array_equal(made["y"], y)
    assert np.array_equal(made["z"], x[:3])
    assert made["names"].tolist() == ["ant", "bee", "cow"]
    row = rows(destination)["a.npz"]
    assert (row["member"], row["samples"], row["label"], row["place"]) == ("x", COUNT, None, None)
    stepped = (x / full + 0.08 * signs).clip(0, 1)
    for when, given in (("before", x / full), ("step", stepped), ("after", made["x"] / full)):
        assert row[f"loss_{when}"] == pytest.approx(model.losses(given, y).mean(), rel=1e-4)
        assert row[f"accuracy_{when}"] == pytest.approx((model.answers(given) == y).mean(), abs=1e-6)
    changed = model.answers(x / full) != model.answers(made["x"] / full)
    assert row["changed"] == pytest.approx(changed.mean(), abs=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_noise_on_top_and_memory_order_kept(one_backend, models, save, adversarial, tmp_path, destination, dtype):
    model = models["binary"]
    x, y = samples_of(model, dtype, count=400), labels_of(model, count=400)
    save(x=np.asfortranarray(x), y=y)
    save("b.npz", x=x, y=y)
    assert adversarial(model, "--eps", "10%", "--std", "5%", "-j", "2").status == 0
    a, b = (opened(destination / name)["x"] for name in ("a.npz", "b.npz"))
    assert (a.dtype, a.flags.f_contiguous, b.flags.f_contiguous) == (x.dtype, True, False)
    full = 1 if dtype == "float64" else np.iinfo(dtype).max
    signs = model.signs(x / full, y)
    inside = (x / full > 0.35) & (x / full < 0.65)
    for made in (a, b):
        rest = (made.astype(float) - x)[inside] / full - 0.1 * signs[inside]
        assert abs(rest.mean()) < 5 * 0.05 / np.sqrt(rest.size)
        assert abs(rest.std() / 0.05 - 1) < 5 / np.sqrt(2 * rest.size) + 1e-3
    assert not np.array_equal(a, b), "another path is another noise"


def test_a_range_of_the_models_own(one_backend, models, save, adversarial, destination):
    """Floats in the scale that the model was trained on; eps and std are shares of its width."""
    model = models["grey"]
    x, y = samples_of(model, "float32") * 16, labels_of(model)
    save(x=x, y=y)
    assert adversarial(model, "--eps", "10%", "--std", "0", "--input-range", "0..16").status == 0
    moved = opened(destination / "a.npz")["x"] - x
    assert np.abs(moved).max() == pytest.approx(1.6, rel=1e-5)


def test_other_names_and_shapes_that_mean_the_same(one_backend, models, save, adversarial, destination):
    model = models["grey"]
    x, y = samples_of(model, "uint8")[..., 0], labels_of(model)[:, None].astype("uint8")
    save(images=x, classes=y)
    assert adversarial(model, "--key", "images", "--labels", "classes", "--std", "0").status == 0
    made = opened(destination / "a.npz")
    assert made["images"].shape == x.shape
    assert not np.array_equal(made["images"], x)
    assert np.array_equal(made["classes"], y)


def test_what_cannot_be_done_fails_by_name_and_costs_no_other(
    one_backend, models, save, adversarial, tmp_path, errors, accept_run
):
    model = models["grey"]
    x, y = samples_of(model, "uint8", count=5), labels_of(model, count=5)
    save("good.npz", x=x, y=y)
    save("no-x.npz", images=x, y=y)
    save("no-y.npz", x=x)
    save("fewer.npz", x=x, y=y[:4])
    save("one-hot.npz", x=x, y=np.eye(3)[y])
    save("label-3.npz", x=x, y=y + 3)
    save("other-size.npz", x=x[:, :7], y=y)
    save("signed.npz", x=x.astype("int8"), y=y)
    save("bright.npz", x=x.astype("float32"), y=y)
    save("nan.npz", x=np.full(x.shape, np.nan, "float32"), y=y)
    save("none.npz", x=x[:0], y=y[:0])
    (tmp_path / "src/cut.npz").write_bytes((tmp_path / "src/good.npz").read_bytes()[:-40])
    done = adversarial(model, "--json")
    assert (done.status, done.summary["made"]) == (1, 1)
    accept_run(done, tmp_path / "dst")
    reasons = {name: problem["reason"] for name, problem in errors(tmp_path / "dst").items()}
    assert reasons == {
        "no-x.npz": "no-match",
        "no-y.npz": "no-match",
        "fewer.npz": "no-label",
        "one-hot.npz": "no-label",
        "label-3.npz": "no-label",
        "other-size.npz": "wrong-shape",
        "signed.npz": "unsupported-samples",
        "bright.npz": "out-of-range",
        "nan.npz": "out-of-range",
        "none.npz": "wrong-shape",
        "cut.npz": "corrupt",
    }


def test_one_file_into_a_folder_twice_and_verified(
    one_backend, models, save, adversarial, noisy, tmp_path, destination
):
    model = models["grey"]
    save(x=samples_of(model, "uint8"), y=labels_of(model))
    for word in ("made", "kept"):
        done = adversarial(model, "--with-clean", "--json", source=tmp_path / "src/a.npz")
        assert (done.status, done.summary[word]) == (0, 1)
    assert np.array_equal(opened(destination / "clean/a.npz")["x"], samples_of(model, "uint8"))
    assert noisy("verify", destination).status == 0


def test_a_file_is_no_place_for_the_output(one_backend, models, save, adversarial, tmp_path):
    save(x=samples_of(models["grey"], "uint8"), y=labels_of(models["grey"]))
    done = adversarial(models["grey"], source=tmp_path / "src/a.npz", to=tmp_path / "b.npz")
    assert done.status == 2
    assert "name a folder for DST" in done.err


@pytest.mark.parametrize("shift", [0, 1])
def test_a_model_no_better_than_chance_before_the_step_is_told(one_backend, models, save, adversarial, shift):
    """As with labels in another order, or an input range that is not the model's."""
    model = models["grey"]
    x = samples_of(model, "uint8")
    save(x=x, y=(model.answers(x / 255) + shift) % 3)
    done = adversarial(model, "--json")
    assert done.status == 0
    assert ("chance" in done.summary["answers"]) == bool(shift)
    assert ("hardly more than chance (33.3%): check --input-range" in done.err) == bool(shift)
    if shift:
        assert done.summary["answers"]["chance"] == pytest.approx(1 / 3, abs=1e-6)
