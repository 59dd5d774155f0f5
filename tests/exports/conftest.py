"""Finished runs to export, and tables read again."""

import csv
import io

import pytest


@pytest.fixture
def animals(tmp_path, fill):
    """Return a folder whose folders are classes, some with names that tables and shells stumble over."""
    names = ["cat/a.png", "cat/b, or not.png", 'dog/"c".png', "dog/d\ne.png", "dog/f\rg.png", "=1+1.png", "Ärger/é.png"]
    return fill(tmp_path / "animals", *names)


@pytest.fixture
def export(noisy, destination):
    """Run `noisecli export dst`."""

    def run(*arguments, folder=destination):
        return noisy("export", folder, *arguments)

    return run


@pytest.fixture(scope="session")
def table():
    """Read a table as any CSV reader does; a dict for every row."""

    def read(text):
        return list(csv.DictReader(io.StringIO(text, newline="")))

    return read
