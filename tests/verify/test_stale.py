"""Exports that lie in the destination and are not what the manifest says any more."""

import csv
import json
import os
import shlex

import pytest


@pytest.fixture
def export(noisy, destination):
    def run(*arguments):
        done = noisy("export", destination, *arguments)
        assert done.status == 0, done
        return done

    return run


@pytest.fixture
def stale(noisy, destination):
    """Return the exports that verify finds stale, each with the command that it gives; nothing else may differ."""

    def find():
        done = noisy("verify", destination, "--json")
        found = {entry["file_name"]: entry for entry in done.summary["differences"]}
        assert {entry["reason"] for entry in found.values()} <= {"stale-export"}
        assert done.status == (1 if found else 0)
        return {name: entry["message"].partition("write it again: noisecli ")[2] for name, entry in found.items()}

    return find


@pytest.fixture
def written(images, pictures, export, destination):
    """Make a run with all exports in its folder."""
    assert images("--with-clean").status == 0
    export("--to", "hf")
    for kind in ("pairs", "labels", "csv"):
        export("--to", kind, "-o", destination / f"{kind}.csv")
    export("--to", "pairs", "--absolute", "-o", destination / "absolute.csv")
    return destination


EXPORTS = {"pairs.csv", "labels.csv", "csv.csv", "absolute.csv", "clean/metadata.jsonl", "noisy/metadata.jsonl"}


def test_rows_added_changed_and_removed(images, pictures, fill, written, stale, noisy):
    assert stale() == {}
    fill(pictures, "cats/new.png")
    assert images("--with-clean").status == 0
    found = stale()
    assert found.keys() == EXPORTS
    for command in {*found.values()}:
        assert noisy(*shlex.split(command)).status == 0
    assert stale() == {}
    assert images("--with-clean", "--seed", "7").status == 0
    assert {"csv.csv", "noisy/metadata.jsonl"} <= stale().keys()
    assert noisy("export", written, "--to", "hf").status == 0
    os.remove(pictures / "e.png")
    assert images("--with-clean", "--seed", "7", "--prune").status == 0
    found = stale()
    assert found.keys() == EXPORTS
    assert noisy("export", written, "--to", "hf").status == 2
    for command in {*found.values()}:
        assert noisy(*shlex.split(command)).status == 0
    assert stale() == {}


def test_one_of_several_folders_that_is_gone(images, written, stale):
    os.remove(written / "noisy/metadata.jsonl")
    assert stale().keys() == {"noisy/metadata.jsonl"}


def test_a_table_that_cannot_be_made_any_more(images, written, noisy):
    lines = (written / "manifest.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    for row in rows:
        for key in ("clean_file_name", "clean_bytes", "clean_sha256"):
            row.pop(key)
    (written / "manifest.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    done = noisy("verify", written)
    assert "pairs.csv: is not what manifest.jsonl says now; export refuses it now" in done.err


def test_what_was_merged_stays_and_is_asked_for_again(images, pictures, fill, export, stale):
    (pictures / "metadata.csv").write_text("file_name,text,label\na.png,a cat,1\n")
    assert images().status == 0
    export("--to", "hf", "--metadata", pictures)
    assert stale() == {}
    fill(pictures, "new.png")
    assert images().status == 0
    [command] = stale().values()
    assert command.endswith("--to hf --metadata SRC")


def test_what_is_not_ours_is_left_alone(images, pictures, destination, noisy, sample_data, stale):
    """Labels and captions of the user's own, and exports of another run in the same folder."""
    (pictures / "labels.csv").write_text("file,label\na.png,1\nb.png,0\n")
    (pictures / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "x"}\n')
    assert images("--prob", "0.5", "--sidecars", "copy").status == 0
    (destination / "notes.csv").write_bytes(b"file,label,level\n\xff")
    (destination / "list.csv").write_text("file,label,level\nsomewhere.png,1,2\n")
    assert stale() == {}
    sounds = ("--manifest", "sounds.jsonl")
    assert noisy("audio", sample_data / "audio", destination, "--snr-db", "5,9", *sounds).status == 0
    assert noisy("export", destination, "--to", "csv", "-o", destination / "sounds.csv", *sounds).status == 0
    with open(destination / "sounds.csv", newline="") as file:
        assert len(list(csv.reader(file))) > 2
    assert stale() == {}
    (destination / "sounds.csv").write_text((destination / "sounds.csv").read_text().replace("snr_db=5", "snr_db=6"))
    assert stale() == {}
    done = noisy("verify", destination, *sounds)
    assert "sounds.csv: is not what sounds.jsonl says now" in done.err
    assert "--manifest sounds.jsonl" in done.err
