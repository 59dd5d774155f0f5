"""Ways of NFS that need no NFS to be met; tests/run/shards/test_nfs.py has the real one."""

import errno
import fcntl
import os

import pytest

REMOVED_WHILE_OPEN = ".nfs000000000000002a00000001"
"""As NFS names a file that was removed and is still open."""


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_no_locks_are_one_true_line(images, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "lockf", refuse)
        done = images()
    assert (done.status, done.err.count("\n")) == (3, 1)
    assert "dst: its file system has no locks, and they keep two runs apart; mount it with them" in done.err
    assert images().status == 0


def test_files_removed_while_open_are_nobodys_sources_or_outputs(images, noisy, pictures, destination, rows):
    words = ["--with-clean", "--sidecars", "copy", "--prune", "--json"]
    assert images(*words).status == 0
    places = [pictures, pictures / "cats", destination, destination / "noisy/cats"]
    for place in places:
        (place / REMOVED_WHILE_OPEN).write_bytes(b"of somebody")
    done = images(*words)
    assert (done.status, done.summary["kept"], done.summary["made"], done.summary["pruned"]) == (0, 5, 0, 0)
    assert done.summary["hidden"] == 2
    assert len(rows(destination)) == 5
    assert noisy("verify", destination, "--recompute", pictures).status == 0
    assert noisy("export", destination, "--to", "csv").status == 0
    assert all((place / REMOVED_WHILE_OPEN).exists() for place in places)
