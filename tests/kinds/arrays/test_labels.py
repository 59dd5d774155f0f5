"""Labels in files of their own, and in archives, are left alone and named; --include and --key ask for them."""

import numpy as np
import pytest

from noisecli.kinds.label_names import is_other_than_labels, path_says_labels, says_labels

RNG = np.random.default_rng(3)
N = 60
X = RNG.normal(0, 1, (N, 7))
CLASSES = RNG.integers(0, 10, N)
HOT = np.eye(10, dtype=np.float32)[CLASSES]
SPEECH = RNG.integers(-9000, 9000, 16_000).astype(np.int16)

LABELS = {
    "y_train.npy": CLASSES,
    "train/labels.npy": CLASSES.astype(np.uint8)[:, None],
    "folds.npy": CLASSES.astype(">i4"),
    "waves/0001.npy": SPEECH,
    "sample/label.npy": np.int64(7),
    "y_hot.npy": HOT,
    "train_y.npy": X[:, 0],
    "labelIds.npy": X[:, 0],
    "labels/0001.npy": np.zeros((8, 8), np.uint8),
    "y_is_good.npy": CLASSES > 4,
    "class_labels.npy": np.array(["cat", "dog"] * 30),
}
DATA = {
    "x_train.npy": X,
    "train_x.npy": X,
    "acc_x.npy": X[:, 0],
    "acc_y.npy": X[:, 1],
    "images.npy": RNG.integers(0, 256, (N, 8, 8), np.uint8),
    "signal_3.npy": SPEECH,
    "class_features.npy": X.astype(np.float32),
    "class_3.npy": X,
    "labels_x/0001.npy": RNG.integers(0, 256, (8, 8), np.uint8),
}


def save(folder, arrays):
    for name, array in arrays.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / name, array)
    return folder


@pytest.fixture
def dataset(tmp_path):
    """Save data and all sorts of labels as files of their own."""
    return save(tmp_path / "data", LABELS | DATA)


def test_labels_in_files_of_their_own_are_left_alone_named_and_carried_along(
    arrays, dataset, rows, errors, destination, noisy
):
    done = arrays("--std", "5", "--sidecars", "copy", "--json", source=dataset)
    assert (done.status, done.summary["masks"], done.summary["skipped"]) == (0, len(LABELS), len(LABELS))
    assert rows(destination).keys() == DATA.keys()
    assert {name: entry["reason"] for name, entry in errors(destination).items()} == dict.fromkeys(LABELS, "labels")
    assert f"{len(LABELS)} label files left without noise" in done.err
    assert "y_train.npy: skipped: looks like labels (60 integers): left without noise" in done.err
    for name in LABELS:
        assert (destination / name).read_bytes() == (dataset / name).read_bytes()
    for name, clean in DATA.items():
        assert (np.load(destination / name) != clean).any(), name
    assert noisy("verify", destination).status == 0


def test_include_asks_for_them_and_naming_one_file_does(arrays, dataset, rows, destination, tmp_path):
    """A glob that speaks of labels, of the file itself, or that chooses nothing else."""
    globs = ("y_train.npy", "train/labels*", "folds.npy", "waves/**", "x_train.npy")
    words = [word for glob in globs for word in ("--include", glob)]
    assert arrays("--std", "5", *words, source=dataset).status == 0
    assert rows(destination).keys() == {"y_train.npy", "train/labels.npy", "folds.npy", "x_train.npy"}
    assert arrays("--std", "5", "--include", "waves/**", source=dataset, to=tmp_path / "waves").status == 0
    assert rows(tmp_path / "waves").keys() == {"waves/0001.npy"}
    done = arrays("--std", "5", source=dataset / "y_train.npy", to=tmp_path / "one.npy")
    assert (done.status, (np.load(tmp_path / "one.npy") != CLASSES).any()) == (0, True)
    assert "it looks like labels; noise makes others of them" in done.err


def test_what_each_message_offers_does_it(arrays, dataset, errors, rows, destination, tmp_path):
    assert arrays("--std", "5", "--dry-run", "--json", source=dataset).summary["skipped"] == len(LABELS)
    arrays("--std", "5", source=dataset)
    offered = [
        entry["message"].partition("--include ")[2].split()[0].strip("'") for entry in errors(destination).values()
    ]
    words = [word for glob in offered for word in ("--include", glob)]
    arrays("--std", "5", *words, source=dataset, to=tmp_path / "asked")
    numbers = {name for name in LABELS if LABELS[name].dtype.kind in "iuf"}
    assert rows(tmp_path / "asked").keys() == numbers


def test_what_is_alone_is_the_data_whatever_it_is_called(arrays, rows, errors, destination, tmp_path):
    source = save(tmp_path / "alone", {"targets.npy": X, "ids_a.npy": X, "codes.npy": CLASSES})
    assert arrays(source=source).status == 0
    assert rows(destination).keys() == {"targets.npy", "ids_a.npy"}
    assert errors(destination).keys() == {"codes.npy"}


MEMBERS = {
    "a target": ({"x": X, "y": X[:, 0]}, {"x"}, "y (1 file)", ["labels-kept"]),
    "one-hot": ({"y": HOT, "features": X}, {"features"}, "y (1 file)", ["labels-kept"]),
    "ids": (
        {"observations": X, "speaker_ids": CLASSES, "target": X[:, 0], "ids": CLASSES},
        {"observations"},
        "ids (1 file), speaker_ids (1 file), target (1 file)",
        ["integers-kept", "labels-kept"],
    ),
}


@pytest.mark.parametrize(("members", "chosen", "named", "words"), MEMBERS.values(), ids=MEMBERS)
def test_labels_beside_floats_in_an_archive_are_named(
    arrays, archive, rows, destination, members, chosen, named, words
):
    done = arrays(source=archive(**members))
    row = rows(destination)["a.npz"]
    assert (done.status, {part["name"] for part in row["parts"]}, row["warnings"]) == (0, chosen, words)
    assert f"stay as they are: {named}; --key GLOB says otherwise" in done.err


@pytest.mark.parametrize("member", [CLASSES, CLASSES[:, None], np.int32(3)], ids=["row", "column", "one"])
def test_labels_alone_in_an_archive_are_skipped_and_a_key_asks_for_them(
    arrays, archive, rows, errors, destination, member
):
    source = archive(folds=member)
    arrays(source=source)
    assert errors(destination)["a.npz"]["reason"] == "labels"
    assert arrays("--key", "folds", "--std", "5", source=source).status == 0
    assert [part["name"] for part in rows(destination)["a.npz"]["parts"]] == ["folds"]


def test_coordinates_in_an_archive_are_no_labels(arrays, archive, errors, destination):
    arrays(source=archive(x=X, y=X, z=X))
    assert errors(destination)["a.npz"]["reason"] == "ambiguous"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(("y", True), ("Y_train", True), ("yTest", True), ("labelIds", True), ("image_ids", True), ("IDs", True)),
        *(("class_features", False), ("labelEmbeddings", False), ("x_train", False), ("target signal", False)),
        *(("yellow", None), ("identity", None), ("classifier", None), ("folds", None), ("", None)),
    ],
)
def test_the_last_word_decides(name, said):
    assert says_labels(name) is said


def test_folders_of_one_class_or_person_say_nothing():
    assert path_says_labels("class_a/id10270/target/0001.npy") == (None, None)
    assert path_says_labels("y_train/0001.npy") == (True, "y_train")
    assert path_says_labels("labels/features/0001.npy") == (False, "labels/features")


def test_one_of_several_alike():
    shapes = {"acc_x": (9,), "x": (9,), "z": (9,), "train_x": (9,), "a_X": (9,)}
    alike = [
        name
        for name in ("acc_y", "y", "train_y", "class_3", "y_3", "a_Y")
        if is_other_than_labels(name, (9,), shapes.get)
    ]
    assert alike == ["acc_y", "y", "class_3", "a_Y"]
    assert not is_other_than_labels("acc_y", (9, 2), shapes.get)
    assert not is_other_than_labels("y", (9,), {"x": (9,)}.get)
