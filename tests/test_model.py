"""The records that travel between the floors."""

from noisecli.words import merged, warning, word_of


class TestWarnings:
    """A row's warning is a fixed word, and what it speaks of."""

    def test_things_are_sorted_and_named_once(self):
        assert warning("metadata-lost", ["icc", "exif", "icc"]) == "metadata-lost: exif, icc"
        assert warning("metadata-lost") == "metadata-lost"
        assert word_of("metadata-lost: exif, icc") == word_of("metadata-lost") == "metadata-lost"

    def test_many_things_are_counted(self):
        said = warning("metadata-lost", (f"tag {number}" for number in range(100, 130)))
        assert said.startswith("metadata-lost: tag 100, tag 101, ")
        assert said.endswith(", 18 more")

    def test_those_of_one_word_become_one(self):
        said = merged(["trailing-data", "metadata-lost: xmp", "metadata-lost: exif", "metadata-lost", "trailing-data"])
        assert said == ["metadata-lost: exif, xmp", "trailing-data"]
