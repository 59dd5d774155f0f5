"""Which arrays of an archive get noise: never the targets in silence, and what a name says literally."""

import numpy as np
import pytest

X, Y = np.random.default_rng(0).normal(0, 1, (60, 7)), np.arange(60) % 10


def load(path):
    with np.load(path) as file:
        return dict(file)


BIG = (60, 8, 8)
RIVALS = {
    "bool": {"X": np.zeros((60, 7), bool), "y": Y},
    "text": {"X": np.array(["a sentence"] * 60), "y": Y},
    "long text": {"X": np.array(["a sentence" * 90] * 60), "y": X},
    "objects": {"X": np.array([[1], [2, 3]] * 30, object), "y": Y},
    "structured": {"X": np.zeros(60, "f4,f4"), "y": Y},
    "longdouble": {"X": np.zeros((60, 7), "clongdouble"), "y": Y},
    "void": {"X": np.zeros((60, 7), "V2"), "y": Y},
    "images and boxes": {"images": np.zeros(BIG, "u1"), "boxes": X.astype("f4")},
    "volume and spacing": {"imgs": np.zeros(BIG, "i2"), "spacing": np.ones(3, "f4")},
    "features and targets": {"a": np.zeros((60, 2), int), "b": X[:, 0]},
    "by its name": {"X": np.zeros((60, 7), int), "y_train": X},
    "bytes": {"X": np.zeros((60, 7), "S40"), "scores": X},
}


@pytest.mark.parametrize("members", RIVALS.values(), ids=RIVALS)
def test_the_only_plain_numbers_may_be_the_targets(arrays, archive, errors, destination, members):
    done = arrays(source=archive(**members))
    assert done.status == 1
    assert errors(destination)["a.npz"]["reason"] == "ambiguous"
    message = errors(destination)["a.npz"]["message"]
    for name, array in members.items():
        shape = "x".join(map(str, array.shape))
        assert f"{name} (" in message or f"{name}.f0 (" in message
        assert f"{shape})" in message
    assert not (destination / "a.npz").exists()


@pytest.mark.parametrize(("key", "chosen"), [("boxes", "boxes"), ("images", "images")])
def test_a_key_says_which(arrays, archive, destination, key, chosen):
    source = archive(**RIVALS["images and boxes"])
    assert arrays("--key", key, "--std", "5", source=source).status == 0
    made, clean = load(destination / "a.npz"), load(source / "a.npz")
    assert [name for name in made if (made[name] != clean[name]).any()] == [chosen]


PLAIN = {
    "complex": ({"X": X[:, :4] + 1j, "y": Y}, "X"),
    "masks of booleans": ({"image": X, "mask": X > 0}, "image"),
    "features of classes": ({"class_features": X, "n": Y}, "class_features"),
    "masks of integers": ({"image": X, "mask": (X > 0).astype("u1")}, "image"),
    "one-hot": ({"x": X, "hot": np.zeros((60, 10), int)}, "x"),
    "names": ({"x": X, "names": np.array(["a name"] * 60)}, "x"),
    "names as objects": ({"x": X, "names": np.array(["a name"] * 60, object)}, "x"),
    "meta": ({"x": X, "meta": np.array({"a": 1}, object), "text": np.array("long" * 5000)}, "x"),
    "sparse": (
        {
            "indices": Y,
            "indptr": np.arange(61),
            "format": np.array(b"csr"),
            "shape": np.array([60, 10]),
            "data": X[:, 0],
        },
        "data",
    ),
    "times": ({"value": X[:, 0], "time": Y.astype("M8[s]")}, "value"),
}


@pytest.mark.parametrize(("members", "chosen"), PLAIN.values(), ids=PLAIN)
def test_what_is_plain_needs_no_key(arrays, archive, rows, destination, members, chosen):
    assert arrays(source=archive(**members)).status == 0
    assert [part["name"] for part in rows(destination)["a.npz"]["parts"]] == [chosen]


def test_many_members_are_listed_as_far_as_a_message_goes(arrays, archive, errors, destination):
    arrays(source=archive(**{f"array_{number:02}": X for number in range(20)}))
    message = errors(destination)["a.npz"]["message"]
    assert all(f"array_{number:02} (<f8, 60x7)" in message for number in range(20))
    arrays(source=archive(**{f"array_{number:03}": X for number in range(200)}))
    message = errors(destination)["a.npz"]["message"]
    assert "more; say which get noise: --key NAME" in message
    assert len(message) < 1000


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (["layer[0]"], {"layer[0]"}),
        (["layer[1]"], {"layer1"}),
        (["layer[0]", "layer?"], {"layer[0]", "layer0", "layer1"}),
        (["*"], {"layer[0]", "layer0", "layer1", "*"}),
    ],
)
def test_a_name_is_taken_literally_first(arrays, packed_names, rows, destination, keys, chosen):
    source = packed_names("layer[0]", "layer0", "layer1", "*")
    assert arrays(*(word for key in keys for word in ("--key", key)), source=source).status == 0
    assert {part["name"] for part in rows(destination)["a.npz"]["parts"]} == chosen


def test_tensors_are_taken_literally_first(noisy, packed_names, rows, destination):
    source = packed_names("layer[0]", "layer0", "layer1")
    assert noisy("weights", source, destination, "--std", "5%", "--skip-tensors", "layer[0]").status == 0
    assert {part["name"] for part in rows(destination)["a.npz"]["parts"]} == {"layer0", "layer1"}
    assert noisy("weights", source, destination, "--std", "5%", "--tensors", "layer[0]", "--force").status == 0
    assert {part["name"] for part in rows(destination)["a.npz"]["parts"]} == {"layer[0]"}


@pytest.fixture
def packed_names(archive):
    """Write an archive of floats by these names, which no keyword could be."""

    def write(*names):
        return archive(**dict.fromkeys(names, X))

    return write
