"""A folder that cannot be listed, or not to its end, costs itself and not the run."""

import errno
import os

import pytest


@pytest.fixture
def unlistable(monkeypatch):
    """Let listing a folder of this name fail, at its beginning or after its first entry."""
    real = os.scandir

    class Listing:
        def __init__(self, inner, error):
            self.inner, self.error, self.given = inner, error, False

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.inner.close()

        def __iter__(self):
            return self

        def __next__(self):
            if self.given:
                raise self.error
            self.given = True
            return next(self.inner)

    def refuse(name, number, where):
        error = OSError(number, os.strerror(number))

        def scandir(path="."):
            if not isinstance(path, int) and os.path.basename(os.fspath(path).rstrip("/")) == name:
                if where == "at once":
                    raise error
                return Listing(real(path), error)
            return real(path)

        monkeypatch.setattr("os.scandir", scandir)

    return refuse


@pytest.mark.parametrize("where", ["at once", "after one"])
@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EACCES, "unreadable"), (errno.EIO, "unreadable"), (errno.ENOENT, "gone")]
)
def test_a_folder_that_cannot_be_listed(
    images, pictures, unlistable, errors, rows, destination, monkeypatch, where, number, reason
):
    unlistable("cats", number, where)
    done = images("--json")
    listed = 3 if where == "at once" else 4
    assert (done.status, done.summary["made"], done.summary["failed"]) == (1, listed, 1)
    assert {name: entry["reason"] for name, entry in errors(destination).items()} == {"cats": reason}
    monkeypatch.undo()
    assert images().status == 0
    assert errors(destination) == {}
    assert len(rows(destination)) == 5


def test_the_source_itself_is_refused(images, pictures, unlistable, destination):
    unlistable("src", errno.EIO, "at once")
    done = images()
    assert (done.status, "cannot be listed" in done.err) == (2, True)
    assert not destination.exists()


def test_what_was_made_of_it_before_stays(images, pictures, unlistable, rows, destination, tree, monkeypatch):
    assert images().status == 0
    before = tree(destination / "cats")
    unlistable("cats", errno.EACCES, "at once")
    assert images("--prune").status == 1
    monkeypatch.undo()
    assert tree(destination / "cats") == before
    assert len(rows(destination)) == 5


def test_verify_names_it(images, noisy, pictures, unlistable, destination):
    assert images().status == 0
    unlistable("cats", errno.EACCES, "at once")
    done = noisy("verify", destination, "--json")
    assert done.status == 1
    found = [(entry["file_name"], entry["reason"]) for entry in done.summary["differences"]]
    assert found == [("cats", "unreadable")]
