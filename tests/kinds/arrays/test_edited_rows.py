"""Rows of arrays that somebody edited: verify says what is wrong with each, a rerun makes it anew, nothing breaks."""

import json

import numpy as np
import pytest

from noisecli.workers.recorded import arrays_of, noise_of

ENTRY = {"name": "x", "dtype": "<f4", "shape": [4, 2], "std": 0.5, "mean": 0.0, "applied": True}
NO_LISTS = [
    5,
    None,
    "parts",
    {},
    {"name": "x"},
    [5],
    ["x"],
    [None],
    [[]],
    [{}],
    [{"name": 5}],
    [{"name": None}],
    [[ENTRY]],
]


@pytest.mark.parametrize("parts", NO_LISTS, ids=str)
def test_what_is_no_list_of_arrays_tells_no_noise(parts):
    row = {"parts": parts, "std_fraction": None}
    assert arrays_of(row) is None
    with pytest.raises(ValueError, match="no list of arrays"):
        noise_of(row)


@pytest.mark.parametrize(
    "number", ["0.5", None, True, [0.5], {}, float("nan"), float("inf"), 10**400], ids=lambda value: str(value)[:9]
)
@pytest.mark.parametrize("key", ["std", "mean"])
def test_what_is_no_number_tells_no_noise(key, number):
    with pytest.raises(ValueError, match="not a number"):
        noise_of({"noise": "gaussian", "parts": [{**ENTRY, key: number}], "std_fraction": None})


def test_a_share_that_is_no_number_tells_no_noise():
    with pytest.raises(ValueError, match="not a number"):
        noise_of({"noise": "gaussian", "parts": [ENTRY], "std_fraction": "half"})
    assert noise_of({"noise": "gaussian", "parts": [ENTRY], "std_fraction": None}).draws["x"].std == 0.5


@pytest.fixture
def finished(noisy, tmp_path, destination):
    """Return a function that edits the row of a finished run."""
    source = tmp_path / "src"
    source.mkdir()
    np.savez(source / "a.npz", x=np.ones((4, 2), "f4"), y=np.arange(4))
    assert noisy("arrays", source, destination, "--std", "0.5").status == 0
    manifest = destination / "manifest.jsonl"
    row = json.loads(manifest.read_text())

    def edit(**changes):
        manifest.write_text(json.dumps(row | changes) + "\n")

    return edit


@pytest.mark.parametrize(
    "parts",
    [5, None, [5], [{"name": 5}], [{**ENTRY, "std": [1]}, ENTRY], [{**ENTRY, "name": "x" * 9999}]],
    ids=lambda parts: str(parts)[:40],
)
def test_verify_names_a_row_of_other_parts(parts, finished, noisy, tmp_path, destination):
    finished(parts=parts)
    for more in ((), ("--recompute", tmp_path / "src")):
        done = noisy("verify", destination, "--json", *more)
        assert done.status == 1
        assert {entry["reason"] for entry in done.summary["differences"]} <= {"row-differs", "bad-row"}
        assert "Traceback" not in done.err
        assert max(map(len, done.err.splitlines())) < 600


@pytest.mark.parametrize(
    "changes", [{"parts": 5}, {"parts": [None]}, {"parts_unchanged": []}, {"std_fraction": {}}], ids=str
)
def test_a_rerun_over_edited_rows_ends_well(changes, finished, noisy, tmp_path, destination):
    finished(**changes)
    done = noisy("arrays", tmp_path / "src", destination, "--std", "0.5")
    assert done.status == 0
    assert noisy("arrays", tmp_path / "src", destination, "--std", "0.5", "--redo").status == 0
    assert noisy("verify", destination).status == 0
