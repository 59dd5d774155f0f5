"""Which side file belongs to which source, by their paths alone."""

import pytest

from noisecli.run.labels.pairs import pair


@pytest.mark.parametrize(
    ("label", "source"),
    [
        ("a.txt", "a.jpg"),
        ("x/a.jpg.json", "x/a.jpg"),
        ("x/a.normalized.txt", "x/a.wav"),
        ("labels/train/a.txt", "images/train/a.jpg"),
        ("train/labels/a.txt", "train/images/a.jpg"),
        ("ds/ann/a.jpg.json", "ds/img/a.jpg"),
        ("V/Annotations/a.xml", "V/JPEGImages/a.jpg"),
        ("annotations/xmls/a.xml", "images/a.jpg"),
        ("gtFine/train/aachen/a.json", "leftImg8bit/train/aachen/a.png"),
        ("labels/a.txt", "images/train/a.jpg"),
        ("labels/a.txt", "a.jpg"),
        ("a.txt", "images/a.jpg"),
    ],
)
def test_partners(label, source):
    elsewhere = ["other/place/far/away/a.jpg", f"{source}x/b.jpg"]
    found = pair([label], [source, *elsewhere]).found
    assert {name: own.source for name, own in found.items()} == {label: source}


@pytest.mark.parametrize(
    ("label", "sources"),
    [
        ("a.1.0.txt", ["a.jpg"]),
        ("b.txt", ["a.jpg"]),
        ("one/two/three/a.txt", ["a.jpg"]),
        # the frame of another video is no partner
        ("Annotations/480p/bear/9.png", ["JPEGImages/480p/camel/9.jpg", "JPEGImages/480p/bear/1.jpg"]),
    ],
)
def test_strangers(label, sources):
    pairs = pair([label, "Annotations/480p/bear/1.png"], sources)
    assert label not in {*pairs.found, *pairs.ambiguous}


def test_nearest_folder_first():
    sources = ["images/train/a.jpg", "images/val/a.jpg", "images/val/b.jpg"]
    pairs = pair(["labels/train/a.txt", "labels/train/b.txt", "labels/val/a.txt"], sources)
    assert {name: own.source for name, own in pairs.found.items()} == {
        "labels/train/a.txt": "images/train/a.jpg",
        "labels/val/a.txt": "images/val/a.jpg",
    }


def test_several_candidates_are_no_partner():
    sources = ["left/a.jpg", "left/b.jpg", "right/a.jpg"]
    pairs = pair(["label/a.txt", "label/b.txt"], sources)
    assert pairs.ambiguous == {"label/a.txt": ["left/a.jpg", "right/a.jpg"]}
    assert pairs.found["label/b.txt"].source == "left/b.jpg"


@pytest.mark.parametrize(
    ("at_root", "paired"),
    [
        (["train.csv"], set()),
        (["train.txt", "a.txt", "notes.txt"], {"train.txt", "a.txt"}),
        (["train.txt", "a.txt", "one.txt", "two.txt"], set()),
        (["train.py", "a.py", "train.yaml", "a.yaml"], set()),
    ],
)
def test_files_at_the_root_are_labels_where_most_are(at_root, paired):
    assert set(pair(at_root, ["images/train.jpg", "images/a.jpg"]).found) == paired


def test_two_formats_of_one_name_are_one_candidate():
    assert pair(["l/a.txt"], ["i/a.jpg", "i/a.png"]).found["l/a.txt"].source == "i/a.jpg"


def test_labels_of_what_is_not_chosen_stay_behind_with_it():
    pairs = pair(["labels/a.txt", "labels/b.txt"], ["images/a.jpg"], ["images/b.jpg"])
    assert (set(pairs.found), pairs.left_out) == ({"labels/a.txt"}, {"labels/b.txt"})
    assert (pairs.without_source, pairs.without_label) == ([], [])


def test_many_videos_with_frames_of_the_same_names():
    """Each side file looks at the folders beside its own, not at every frame that is called so."""
    sources = [f"JPEGImages/v{video}/{frame}.jpg" for video in range(1500) for frame in range(20)]
    side_files = [name.replace("JPEGImages", "Annotations").replace("jpg", "png") for name in sources]
    pairs = pair(side_files, sources)
    assert [own.source for own in pairs.found.values()] == sources
