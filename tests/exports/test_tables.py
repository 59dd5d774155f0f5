"""Tables tell what the manifest tells, whatever the names, and any reader of CSV reads them."""

import json
import os
import shutil
import sys
import tracemalloc
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from noisecli.exports import EXPORTS, Export, page_of, placing
from noisecli.manifest.finished import FinishedRun

TABLES = [name for name, export in EXPORTS.items() if export.suffix == ".csv"]


@pytest.mark.parametrize("levels", ["25", "5,25"])
def test_pairs_lead_to_a_clean_and_a_noisy_file_of_one_picture(images, animals, export, table, samples, rows, levels):
    assert images("--with-clean", "--std", levels, source=animals).status == 0
    done = export("--to", "pairs")
    assert done.status == 0
    found = table(done.out)
    folder = Path(animals.parent / "dst")
    assert [pair["noisy"] for pair in found] == list(rows(folder))
    for pair in found:
        clean, noisy = samples(folder / pair["clean"]), samples(folder / pair["noisy"])
        below = pair["noisy"].partition("noisy/")[2]
        assert (clean == samples(animals / below)).all()
        assert clean.shape == noisy.shape
        assert (clean != noisy).any()


def test_labels_of_a_run_with_clean_files(images, animals, export, table, samples):
    assert images("--with-clean", source=animals).status == 0
    found = table(export("--to", "labels").out)
    assert [row["label"] for row in found] == ["0", "1"] * 7
    for row in found:
        tree, _, below = row["file"].partition("/")
        assert tree == ("noisy" if row["label"] == "1" else "clean")
        assert row["class"] == below.rpartition("/")[0]


def test_labels_of_a_run_by_chance_tell_which_files_have_noise(images, animals, export, table, samples, destination):
    assert images("--prob", "0.5", "--seed", "3", source=animals).status == 0
    found = table(export("--to", "labels").out)
    assert {row["label"] for row in found} == {"0", "1"}
    for row in found:
        changed = (samples(destination / row["file"]) != samples(animals / row["file"])).any()
        assert changed == (row["label"] == "1")


def test_the_noisy_file_of_a_pair_without_noise_is_no_noisy_file(images, animals, export, table, samples, destination):
    assert images("--prob", "0.5", "--with-clean", source=animals).status == 0
    found = table(export("--to", "labels").out)
    for clean, other in zip(found[::2], found[1::2], strict=True):
        assert clean["label"] == "0"
        changed = (samples(destination / clean["file"]) != samples(destination / other["file"])).any()
        assert changed == (other["label"] == "1")


@pytest.mark.parametrize("words", [[], ["--with-clean"]], ids=["plain", "with clean"])
def test_the_whole_manifest_survives_csv(images, animals, export, table, rows, destination, words):
    shutil.copy(animals / "cat/a.png", os.fsencode(animals) + b"/cat/\xff.png")
    assert images("--std", "0..50", "--levels", "2", *words, source=animals).status == 0
    found = table(export("--to", "csv").out)
    for cells, row in zip(found, rows(destination).values(), strict=True):
        assert list(cells) == [*row, "class"]
        assert cells.pop("class") == (row["source"].rpartition("/")[0])
        assert cells.pop("shape").split("x") == [str(side) for side in row.pop("shape")]
        assert cells.pop("warnings").split() == row.pop("warnings")
        for key, cell in cells.items():
            value = row[key]
            if key in ("file_name", "clean_file_name", "source"):
                assert os.path.normpath(cell) == value
            else:
                assert cell == value if isinstance(value, str) else json.loads(cell or "null") == value


def test_rows_of_other_kinds_are_told_too(images, animals, export, table, destination):
    """Parts of arrays, sources that are not there: what this page does not know stays JSON."""
    assert images(source=animals).status == 0
    manifest = destination / "manifest.jsonl"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    parts = [{"name": "w", "std": 0.5}]
    lines[0] = json.dumps({**json.loads(lines[0]), "parts": parts, "source": None, "level": None, "shape": []})
    manifest.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    first, second, *_ = table(export("--to", "csv").out)
    assert json.loads(first["parts"]) == parts
    assert (first["source"], first["level"], first["shape"], first["class"]) == ("", "", "", "")
    assert second["parts"] == ""


def test_absolute_paths(images, animals, export, table, destination):
    assert images("--with-clean", source=animals).status == 0
    found = table(export("--to", "pairs", "--absolute").out)
    assert all(os.path.isabs(path) and os.path.isfile(path) for pair in found for path in pair.values())


@pytest.mark.parametrize("kind", TABLES)
def test_the_same_run_gives_the_same_bytes_in_a_file_and_on_standard_output(images, animals, export, tmp_path, kind):
    assert images("--with-clean", source=animals).status == 0
    printed = export("--to", kind)
    assert (printed.status, printed.err) == (0, "")
    done = export("--to", kind, "--output", tmp_path / "table.csv")
    assert (done.status, done.out) == (0, "")
    assert f"{14 if kind == 'labels' else 7} rows" in done.err
    assert (tmp_path / "table.csv").read_bytes().decode() == printed.out
    assert printed.out.endswith("\n")


def test_sounds_have_tables(noisy, sample_data, export, table, destination):
    assert noisy("audio", sample_data / "audio", destination, "--snr-db", "10", "--with-clean").status == 0
    found = table(export("--to", "csv").out)
    assert {row["class"] for row in found} == {"strings", "vowels"}
    assert all(float(row["duration"]) >= 1 for row in found)


def test_what_failed_is_told(images, animals, export):
    (animals / "broken.png").write_bytes(b"")
    assert images(source=animals).status == 1
    assert "1 source was left out, as failed or skipped" in export("--to", "csv").err
    assert export("--to", "csv", "-q").err == ""


def test_rows_are_streamed(images, animals, destination):
    """Three thousand rows more take no memory."""
    assert images(source=animals, to=destination).status == 0
    manifest, run = destination / "manifest.jsonl", destination / "run.json"
    line = manifest.read_bytes().splitlines(keepends=True)[0]
    peaks = []
    for count in (300, 3_300):
        manifest.write_bytes(line * count)
        told = json.loads(run.read_text())
        run.write_text(json.dumps({**told, "totals": {**told["totals"], "outputs": count}}))
        tracemalloc.start()
        finished = FinishedRun(str(destination), "manifest.jsonl")
        table = page_of("csv", finished).content(finished, placing("", absolute=False))
        assert sum(1 for _ in table) == count + 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_pandas_reads_them(images, animals, export, rows, destination, tmp_path):
    pandas = pytest.importorskip("pandas", reason="needs pandas: the extra named readers")
    assert images("--with-clean", source=animals).status == 0
    for kind in TABLES:
        assert export("--to", kind, "-o", tmp_path / f"{kind}.csv").status == 0
    pairs = pandas.read_csv(tmp_path / "pairs.csv")
    assert list(pairs["noisy"]) == list(rows(destination))
    labels = pandas.read_csv(tmp_path / "labels.csv")
    assert labels["label"].dtype == np.int64
    whole = pandas.read_csv(tmp_path / "csv.csv")
    assert whole["applied"].dtype == bool
    assert list(whole["measured_std"]) == [row["measured_std"] for row in rows(destination).values()]
    assert whole["clean_bytes"].sum() == sum(os.path.getsize(destination / name) for name in pairs["clean"])


FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]


@pytest.mark.parametrize("kind", ["labels", "csv"])
def test_no_name_is_a_formula_and_paths_lead_to_files(images, fill, export, table, destination, tmp_path, kind):
    """A spreadsheet runs what begins a cell with = + - or @; a data loader opens it."""
    source = fill(tmp_path / "sheets", *(f"{name}.png" for name in FORMULAS), *(f"{name}/a.png" for name in FORMULAS))
    assert images("--prob", "0.5", source=source).status == 0
    cells = [cell for row in table(export("--to", kind).out) for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝")) and cell != "+1"] == []
    for row in table(export("--to", kind).out):
        name = row["file" if kind == "labels" else "file_name"]
        assert (destination / name).is_file()
        folder = os.path.dirname(os.path.normpath(name))
        assert row["class"].removeprefix("'") == folder
        assert (row["class"] == folder) == (folder in ("", "+1"))


def test_numbers_stay_numbers(images, animals, export, table, destination):
    assert images(source=animals).status == 0
    manifest = destination / "manifest.jsonl"
    first, *others = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    edited = {**json.loads(first), "measured_mean": -0.5, "level": "-1e-3", "unit": "-x", "shape": [-1, 2]}
    manifest.write_text("".join([f"{json.dumps(edited)}\n", *others]), encoding="utf-8")
    cells, *_ = table(export("--to", "csv").out)
    assert (cells["measured_mean"], cells["level"], cells["unit"], cells["shape"]) == ("-0.5", "-1e-3", "'-x", "'-1x2")


def test_a_table_without_a_header_has_as_many_rows_as_lines(images, noisy, destination, tmp_path, monkeypatch):
    assert images().status == 0
    monkeypatch.setitem(EXPORTS, "pairs", Export("lines", "", suffix=".txt", has_header=False))
    page = ModuleType("lines")
    page.content = lambda run, place: (row["file_name"].encode() + b"\n" for row in run.rows())
    monkeypatch.setitem(sys.modules, "lines", page)
    done = noisy("export", destination, "--to", "pairs", "-o", tmp_path / "table")
    assert done.err.startswith("5 rows: ")


def test_rows_of_two_requests_are_told(images, export, tmp_path):
    """Levels and copies are in the rows; another seed, or another format, is another noise or another file."""
    table = ["--to", "csv", "-o", tmp_path / "table.csv", "--force"]
    assert images("--copies", "3").status == 0
    assert images("--copies", "2", "--std", "25").status == 0
    assert "settings" not in export(*table).err
    assert images("--seed", "1", "--copies", "2").status == 0
    done = export(*table)
    assert done.status == 0
    assert "its rows have 2 settings, spelled out in run.json; where that mix is not meant, --prune" in done.err
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 16
    assert images("--seed", "1", "--copies", "2", "--prune").status == 0
    assert "settings" not in export(*table).err
