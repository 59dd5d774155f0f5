"""noisecli adversarial, on pictures: against the gradient by hand, read back by another reader."""

import json

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

CLASSES = ("ant", "bee", "cow")


def labels_of(pictures, classes=CLASSES):
    return np.array([classes.index(name.partition("/")[0]) for name in pictures])


def stacked(pictures, full_scale=255.0):
    return np.stack([*pictures.values()]) / full_scale


def read(folder, names):
    return {name: np.asarray(Image.open(folder / name)) for name in names}


@pytest.mark.parametrize("name", ["grey", "colour"])
def test_the_step_alone_is_the_formula_rounded_once(
    backend, models, fill_classes, adversarial, destination, rows, name
):
    """The model sees red, green and blue in that order; where it does not look, no pixel changes."""
    model = models[name]
    pictures = fill_classes(model)
    assert adversarial(model, "--eps", "7.4", "--std", "0").status == 0
    x, labels = stacked(pictures), labels_of(pictures)
    signs = model.signs(x.reshape(-1, *model.shape), labels).reshape(x.shape)
    expected = np.rint(x * 255 + 7.4 * signs).clip(0, 255)
    written = read(destination, pictures)
    assert np.array_equal(np.stack([*written.values()]), expected)
    dead = signs == 0
    assert dead.any()
    assert np.array_equal(expected[dead], (x * 255)[dead])
    for row in rows(destination).values():
        assert (row["eps"], row["unit"], row["applied"]) == (7.4, "1/255", False)


@pytest.mark.parametrize("name", ["grey", "binary"])
def test_a_row_tells_what_the_model_says(
    backend, models, fill_classes, adversarial, destination, rows, name, accept_run
):
    """Before, after the step alone (unrounded), and of the output as it was written."""
    model, classes = models[name], CLASSES[: max(2, len(models[name].bias))]
    pictures = fill_classes(model, classes=classes)
    assert adversarial(model, "--eps", "20%").status == 0
    x, labels = stacked(pictures), labels_of(pictures, classes)
    y = stacked(read(destination, pictures))
    stepped = (x + 0.2 * model.signs(x, labels)).clip(0, 1)
    table = rows(destination)
    for place, picture in enumerate(pictures):
        row = table[picture]
        assert (row["label"], row["place"], row["samples"], row["member"]) == (labels[place], place, 1, None)
        for when, samples in (("before", x), ("step", stepped), ("after", y)):
            own = slice(place, place + 1)
            assert row[f"loss_{when}"] == pytest.approx(model.losses(samples, labels)[place], rel=1e-4, abs=1e-5)
            assert row[f"answer_{when}"] == model.answers(samples)[place]
            assert row[f"accuracy_{when}"] == float(row[f"answer_{when}"] == labels[own][0])
        assert row["changed"] == float(row["answer_before"] != row["answer_after"])
    again = adversarial(model, "--eps", "20%", "--json")
    accept_run(again, destination)
    summary = again.summary
    assert summary["kept"] == len(pictures)
    right = {
        "before": model.answers(x) == labels,
        "step": model.answers(stepped) == labels,
        "after": model.answers(y) == labels,
    }
    assert summary["answers"] == {when: pytest.approx(each.mean(), abs=1e-6) for when, each in right.items()}
    told = [table[picture] for picture in pictures]
    assert sum(row["loss_step"] for row in told) > sum(row["loss_before"] for row in told)
    assert any(row["changed"] for row in told)


def test_noise_is_on_top_of_the_step(backend, models, fill_classes, adversarial, destination):
    """Over all samples, what was added has the std asked for around each of the three means."""
    model = models["colour"]
    pictures = fill_classes(model, each=40)
    assert adversarial(model, "--eps", "10", "--std", "6").status == 0
    x, labels = stacked(pictures), labels_of(pictures)
    signs = model.signs(x, labels)
    added = np.stack([*read(destination, pictures).values()]) - x * 255
    inside = (x * 255 > 50) & (x * 255 < 205)
    for sign in (-1, 0, 1):
        own = added[inside & (signs == sign)]
        assert abs(own.mean() - 10 * sign) < 5 * 6 / np.sqrt(own.size)
        assert abs(own.std() / np.sqrt(36 + 1 / 12) - 1) < 5 / np.sqrt(2 * own.size)


def test_without_a_step_it_is_noisecli_images(one_backend, models, fill_classes, adversarial, noisy, tmp_path, outputs):
    pictures = fill_classes(models["colour"])
    assert adversarial(models["colour"], "--eps", "0", "--std", "9", to=tmp_path / "a").status == 0
    assert noisy("images", tmp_path / "src", tmp_path / "b", "--std", "9").status == 0
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")
    assert len(pictures) == len(outputs(tmp_path / "a"))


def test_jobs_do_not_show(backend, models, fill_classes, adversarial, tmp_path, tree):
    fill_classes(models["colour"], each=7)
    for jobs in (1, 2):
        done = adversarial(
            models["colour"], "-j", jobs, "--batch-size", 4, "--copies", 2, "--std", "5,10", to=tmp_path / f"j{jobs}"
        )
        assert done.status == 0
    assert tree(tmp_path / "j1") == tree(tmp_path / "j2")
    assert len(tree(tmp_path / "j1")) == 3 * 7 * 4 + 2


def test_a_run_that_stopped_is_refused_until_it_is_whole(
    one_backend, models, fill_classes, adversarial, noisy, tmp_path, tree, destination
):
    fill_classes(models["colour"])
    assert adversarial(models["colour"], to=tmp_path / "undisturbed").status == 0
    whole = (tmp_path / "src/bee/0.png").read_bytes()
    (tmp_path / "src/bee/0.png").write_bytes(b"")
    assert adversarial(models["colour"], "--on-error", "stop").status == 3
    for words in (["verify", destination], ["export", destination, "--to", "csv"]):
        done = noisy(*words)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    (tmp_path / "src/bee/0.png").write_bytes(whole)
    assert adversarial(models["colour"]).status == 0
    assert tree(destination) == tree(tmp_path / "undisturbed")
    assert noisy("verify", destination).status == 0


def test_a_broken_picture_changes_nothing_for_the_others(
    backend, models, fill_classes, adversarial, tmp_path, outputs, errors, rows
):
    fill_classes(models["colour"])
    assert adversarial(models["colour"], to=tmp_path / "whole").status == 0
    (tmp_path / "src/ant/2.png").write_bytes((tmp_path / "src/ant/2.png").read_bytes()[:60])
    (tmp_path / "src/bee/0.png").write_bytes(b"")
    assert adversarial(models["colour"], to=tmp_path / "broken").status == 1
    assert {name: problem["reason"] for name, problem in errors(tmp_path / "broken").items()} == {
        "ant/2.png": "truncated",
        "bee/0.png": "empty",
    }
    whole, broken = outputs(tmp_path / "whole"), outputs(tmp_path / "broken")
    assert broken == {name: data for name, data in whole.items() if name not in ("ant/2.png", "bee/0.png")}
    told, still_told = rows(tmp_path / "whole"), rows(tmp_path / "broken")
    assert all(told[name] == row for name, row in still_told.items())


def test_who_kills_the_model_process_is_the_only_one_lost(
    one_backend, models, fill_classes, faulty, tmp_path, outputs, errors, adversarial
):
    fill_classes(models["colour"], each=2)
    assert adversarial(models["colour"], to=tmp_path / "whole").status == 0
    (tmp_path / "src/bee/1.png").rename(tmp_path / "src/bee/1-kill-always.png")
    done = faulty.run(
        "adversarial",
        tmp_path / "src",
        tmp_path / "dst",
        "--model",
        models["colour"].path,
        "--eps",
        "10%",
        "--std",
        "5%",
    )
    assert done.status == 1
    assert {name: problem["reason"] for name, problem in errors(tmp_path / "dst").items()} == {
        "bee/1-kill-always.png": "worker-died"
    }
    whole = outputs(tmp_path / "whole")
    assert outputs(tmp_path / "dst") == {name: data for name, data in whole.items() if name != "bee/1.png"}


def test_run_again_and_nothing_is_done_twice(
    one_backend, models, fill_classes, adversarial, tmp_path, destination, tree
):
    """A picture whose place in its batch is another one is made again, as a fresh run would make it."""
    model = models["grey"]
    fill_classes(model)
    assert adversarial(model, "--batch-size", 4, "--json").summary["made"] == 12
    undisturbed = tree(destination)
    assert adversarial(model, "--batch-size", 4, "--json").summary["kept"] == 12
    (destination / "bee/1.png").unlink()
    again = adversarial(model, "--batch-size", 4, "--json").summary
    assert (again["made"], again["kept"]) == (1, 11)
    assert tree(destination) == undisturbed
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(tmp_path / "src/bee/+.png")
    shifted = adversarial(model, "--batch-size", 4, "--json").summary
    assert (shifted["made"], shifted["kept"]) == (9, 4)
    assert adversarial(model, "--batch-size", 4, to=tmp_path / "fresh").status == 0
    assert tree(destination) == tree(tmp_path / "fresh")
    assert adversarial(model, "--batch-size", 5, "--json").summary["made"] == 13
    assert adversarial(model, "--batch-size", 5, "--eps", "11%", "--json").summary["made"] == 13


def test_another_model_makes_all_anew(one_backend, models, fill_classes, adversarial, tmp_path):
    fill_classes(models["grey"])
    copy = tmp_path / "copy.keras"
    with open(models["grey"].path, "rb") as file:
        copy.write_bytes(file.read())
    assert adversarial(models["grey"]).status == 0
    assert adversarial(copy, "--json").summary["kept"] == 12
    # bytes behind an archive's comment change nothing that Keras reads, and the digest
    data = bytearray(copy.read_bytes())
    data[-2:] = b"\x01\x00"
    copy.write_bytes(bytes(data) + b"!")
    assert adversarial(copy, "--json").summary["made"] == 12


def test_alpha_16_bits_and_metadata_stay(
    one_backend, models, fill_classes, adversarial, tmp_path, destination, samples
):
    model = models["colour"]
    fill_classes(model, each=1, alpha=True)
    grey = tmp_path / "src"
    rng = np.random.default_rng(3)
    import cv2

    deep = rng.integers(0, 65536, (6, 5, 3), np.uint16)
    assert cv2.imwrite(str(grey / "ant/deep.png"), deep)
    exif = Image.Exif()
    exif[0x010E] = "of an ant"
    Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8)).save(grey / "ant/told.jpg", exif=exif, quality=95)
    assert adversarial(model, "--eps", "1%", "--std", "0").status == 0
    for name in CLASSES:
        before, after = (np.asarray(Image.open(tmp_path / folder / name / "0.png")) for folder in ("src", "dst"))
        assert np.array_equal(before[..., 3], after[..., 3])
        assert not np.array_equal(before[..., :3], after[..., :3])
    made = samples(destination / "ant/deep.png")
    signs = model.signs(deep[None, ..., ::-1] / 65535, np.array([0]))[0, ..., ::-1]
    assert np.array_equal(made, np.rint(deep + 655.35 * signs).clip(0, 65535))
    with Image.open(destination / "ant/told.jpg") as told:
        assert told.getexif()[0x010E] == "of an ant"


def test_with_clean_copies_and_levels(one_backend, models, fill_classes, adversarial, destination, rows):
    pictures = fill_classes(models["grey"], each=1)
    assert adversarial(models["grey"], "--with-clean", "--copies", "2", "--std", "2,20").status == 0
    for level in ("std-2", "std-20"):
        for name in CLASSES:
            clean = np.asarray(Image.open(destination / level / "clean" / name / "0-1.png"))
            assert np.array_equal(clean, pictures[f"{name}/0.png"])
            first, second = (
                np.asarray(Image.open(destination / level / "noisy" / name / f"0-{n}.png")) for n in (1, 2)
            )
            assert not np.array_equal(first, second)
    table = rows(destination)
    assert len(table) == 12
    losses = {(row["source"], row["loss_step"]) for row in table.values()}
    assert len(losses) == 3, "the step of a picture is the same under every noise"


def test_fewer_copies_leave_the_others_to_prune(one_backend, models, fill_classes, adversarial, outputs, destination):
    fill_classes(models["grey"], each=1)
    assert adversarial(models["grey"], "--copies", "3", "--std", "2").status == 0
    done = adversarial(models["grey"], "--copies", "2", "--std", "2", "--prune", "--json")
    assert (done.status, done.summary["kept"], done.summary["pruned"], done.summary["leftovers"]) == (0, 6, 3, 0)
    assert outputs(destination).keys() == {f"{name}/0-{copy}.png" for name in CLASSES for copy in (1, 2)}


def test_other_sizes_channels_and_places_fail_by_name(one_backend, models, fill_classes, adversarial, tmp_path, errors):
    pictures = fill_classes(models["colour"], each=2)
    source, rng = tmp_path / "src", np.random.default_rng(5)
    Image.fromarray(rng.integers(0, 256, (7, 5, 3), np.uint8)).save(source / "ant/tall.png")
    Image.fromarray(rng.integers(0, 256, (6, 5), np.uint8)).save(source / "ant/grey.png")
    Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8)).save(source / "nowhere.png")
    done = adversarial(models["colour"], "--json")
    assert (done.status, done.summary["made"], done.summary["failed"]) == (1, len(pictures), 3)
    reasons = {name: problem["reason"] for name, problem in errors(tmp_path / "dst").items()}
    assert reasons == {"ant/tall.png": "wrong-shape", "ant/grey.png": "wrong-shape", "nowhere.png": "no-label"}
    messages = {name: problem["message"] for name, problem in errors(tmp_path / "dst").items()}
    assert messages["ant/tall.png"].startswith("is 5 x 7, and the model takes 5 x 6")


def test_classes_in_another_order(one_backend, models, fill_classes, adversarial, tmp_path, rows, destination):
    fill_classes(models["grey"], each=1)
    assert adversarial(models["grey"], "--classes", "cow,ant,bee").status == 0
    labels = {row["source"]: row["label"] for row in rows(destination).values()}
    assert labels == {"ant/0.png": 1, "bee/0.png": 2, "cow/0.png": 0}
    (tmp_path / "classes.txt").write_text("cow\nant\nbee\n")
    assert adversarial(models["grey"], "--classes", tmp_path / "classes.txt", "--json").summary["kept"] == 3


@pytest.mark.parametrize("classes", [("ant", "bee"), ("ant", "bee", "cow", "dog")])
def test_other_classes_than_the_model_has_are_refused(
    one_backend, models, fill_classes, adversarial, classes, tmp_path
):
    fill_classes(models["grey"], each=1, classes=classes)
    done = adversarial(models["grey"])
    assert done.status == 2
    assert f"distinguishes 3 classes and there are {len(classes)} class folders" in done.err
    assert "--classes" in done.err
    assert not (tmp_path / "dst").exists()


def test_the_range_of_the_input(one_backend, models, fill_classes, adversarial, tmp_path, outputs):
    """A model that rescales by itself takes 0..255, and it is said; told the same, it does the same."""
    fill_classes(models["colour"])
    done = adversarial(models["colour"], to=tmp_path / "found")
    assert "takes 0..255" in done.err
    assert adversarial(models["colour"], "--input-range", "0..255", to=tmp_path / "told").status == 0
    assert outputs(tmp_path / "found") == outputs(tmp_path / "told")
    assert "takes 0..1," in adversarial(models["grey"], "--dry-run", to=tmp_path / "other").err


def test_a_scale_that_is_an_operation_is_read(one_backend, models, fill_classes, adversarial, tmp_path, outputs):
    fill_classes(models["colour"])
    folder = models["colour"].path.rpartition("/")[0]
    assert adversarial(models["colour"], "--eps", "3%", "--std", "0", to=tmp_path / "layer").status == 0
    for name in ("divided", "moved"):
        done = adversarial(f"{folder}/{name}.keras", "--eps", "3%", "--std", "0", to=tmp_path / name)
        assert "takes 0..255" in done.err
        if name == "divided":
            assert outputs(tmp_path / name) == outputs(tmp_path / "layer")
    refused = adversarial(f"{folder}/vgg.keras", to=tmp_path / "vgg")
    assert refused.status == 2
    assert "an operation on its input (Add)" in refused.err
    assert adversarial(f"{folder}/vgg.keras", "--input-range", "0..255", to=tmp_path / "vgg").status == 0


def test_it_is_said_once_that_a_model_is_code(one_backend, models, fill_classes, adversarial):
    fill_classes(models["grey"])
    assert adversarial(models["grey"]).err.count("a model file is code") == 1
    assert adversarial(models["grey"], "--quiet").err == ""


def test_verify_reads_it_all_again(one_backend, models, fill_classes, adversarial, noisy, destination, tmp_path):
    fill_classes(models["grey"])
    assert adversarial(models["grey"]).status == 0
    assert noisy("verify", destination).status == 0
    refused = noisy("verify", destination, "--recompute", tmp_path / "src")
    assert refused.status == 2
    assert "needs the model that the run was made with (sha256 " in refused.err
    picture = destination / "ant/1.png"
    picture.write_bytes(picture.read_bytes()[:-1] + b"\0")
    assert noisy("verify", destination).status == 1


def test_a_dry_run_loads_no_model_and_writes_nothing(models, fill_classes, spawned, destination, tmp_path):
    fill_classes(models["grey"])
    arguments = ("adversarial", tmp_path / "src", destination, "--model", models["grey"].path)
    done = spawned(*arguments, "--eps", "1%", "--std", "5%", "--dry-run", "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["planned"] == 12
    assert not destination.exists()


def test_what_jpeg_leaves_is_told(one_backend, models, fill_classes, adversarial, destination):
    fill_classes(models["colour"], suffix=".jpg")
    done = adversarial(models["colour"])
    assert done.status == 0
    survival = json.loads((destination / "run.json").read_text())["survival"]
    assert len(survival) == 12
    assert "std=5%: on disk step and noise together have" in done.err
    alone = adversarial(models["colour"], "--std", "0", "--redo")
    assert "std=0: on disk the step has" in alone.err
    assert "of its std" not in alone.err
