"""What `noisecli schema` prints holds for all that is written and printed, and says what each key means."""

import json
from dataclasses import fields

import numpy as np
import pytest

from noisecli.run.summary import Summary
from noisecli.schemas import SCHEMAS, schema_of

ALL = [(name, variant) for name, described in SCHEMAS.items() for variant in (*described.variants, None)]


def objects_in(schema):
    """Yield every object that a schema describes, however deep."""
    if isinstance(schema, dict):
        if "additionalProperties" in schema and "properties" in schema:
            yield schema
        schema = schema.values()
    if not isinstance(schema, str | int | float | None):
        for part in schema:
            yield from objects_in(part)


@pytest.fixture
def arrays_folder(tmp_path):
    folder = tmp_path / "features"
    folder.mkdir()
    rng = np.random.default_rng(1)
    np.save(folder / "x.npy", rng.normal(0, 1, (50, 3)).astype(np.float32))
    np.savez(folder / "all.npz", x=rng.normal(0, 1, (20, 2)), y=np.arange(20))
    (folder / "broken.npy").write_bytes(b"\x93NUMPY")
    return folder


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_every_key_says_what_it_means(name, variant):
    found = list(objects_in(schema_of(name, variant)))
    assert found
    for each in found:
        assert each["additionalProperties"] is False
        assert set(each["required"]) <= each["properties"].keys()
        assert [key for key, about in each["properties"].items() if not about.get("description")] == []


def test_every_counter_of_a_run_is_in_the_schema_of_its_summary():
    assert {item.name for item in fields(Summary)} < schema_of("summary", "images")["properties"].keys()


def test_the_command_prints_them(noisy, accept):
    for words, name, variant in [
        (("row", "--kind", "images"), "row", "images"),
        (("summary",), "summary", None),
        (("errors",), "errors", None),
    ]:
        done = noisy("schema", *words)
        assert (done.status, json.loads(done.out)) == (0, schema_of(name, variant))
    for words in (("row", "--kind", "verify"), ("errors", "--kind", "images"), ("table",), ()):
        done = noisy("schema", *words)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


def test_images(images, accept_run, accept, pictures, destination, noisy, tmp_path):
    (pictures / "broken.png").write_bytes(b"")
    (pictures / "photo.jxl").write_bytes(b"jxl")
    lossy = ("--format", "jpg", "--with-clean", "--levels", "2", "--std", "0..90", "--json")
    accept_run(images(*lossy), destination)
    accept_run(images(*lossy), destination)
    for words in (["--dry-run"], ["--redo", "--range", "0..255"], ["--prob", "50%", "--copies", "2"]):
        done = images(*words, "--json", to=tmp_path / "other")
        accept("summary", "images", done.summary)
    accept_run(done, tmp_path / "other")
    accept("summary", "images", noisy("images", pictures / "a.png", tmp_path / "a.jpg", "--std", "5", "--json").summary)
    refused = images("--json", to=pictures / "below")
    assert refused.status == 2
    accept("summary", "images", refused.summary)


@pytest.mark.parametrize("how", ["copy", "link"])
def test_side_files(images, accept, accept_run, fill, pictures, destination, how):
    fill(pictures, "a.txt", "cats/labels.csv")
    accept_run(images("--sidecars", how, "--json"), destination)
    lines = (destination / "sidecars.jsonl").read_text().splitlines()
    assert len(lines) == 2
    accept("sidecars", None, *map(json.loads, lines))


def test_audio(noisy, fill, accept_run, tmp_path):
    source = fill(tmp_path / "in", "a.wav", "b/c.wav")
    done = noisy("audio", source, tmp_path / "out", "--snr-db", "0..10", "--with-clean", "--json")
    accept_run(done, tmp_path / "out")
    accept_run(noisy("audio", source, tmp_path / "ogg", "--std", "0.1%", "--format", "ogg", "--json"), tmp_path / "ogg")


@pytest.mark.parametrize(
    "words",
    [
        ["--severity", "0..5", "--snr-of", "active", "--slope", "-4.5"],
        ["--level-dbfs", "-60,-30..-20", "--color", "pink", "--prob", "50%"],
    ],
)
def test_noises_of_audio_files(noisy, fill, accept_run, tmp_path, words):
    source = fill(tmp_path / "in", "a.wav", "b/c.wav")
    accept_run(noisy("audio", source, tmp_path / "out", *words, "--json"), tmp_path / "out")


@pytest.mark.parametrize(
    "words", [["--std", "10%", "--per-feature"], ["--std", "0.1", "--clip", "-1..1", "--key", "x"]]
)
def test_arrays(noisy, arrays_folder, accept_run, tmp_path, words):
    accept_run(noisy("arrays", arrays_folder, tmp_path / "out", *words, "--with-clean", "--json"), tmp_path / "out")


def test_weights(noisy, arrays_folder, accept_run, tmp_path):
    words = ("--std", "5%", "--copies", "2", "--skip-tensors", "y", "--json")
    accept_run(noisy("weights", arrays_folder, tmp_path / "out", *words), tmp_path / "out")


def test_latents(noisy, accept_run, tmp_path):
    words = ("--shape", "4x2", "--count", "10", "--per-file", "4", "--seed", "-3", "--json")
    accept_run(noisy("latents", tmp_path / "z", *words), tmp_path / "z")


def test_what_reads_a_run(images, noisy, accept, pictures, destination, tmp_path):
    assert images().status == 0
    for words in (
        ("verify", destination),
        ("verify", destination, "--recompute", pictures),
        ("export", destination, "--to", "csv", "-o", tmp_path / "t.csv"),
        ("export", destination, "--to", "hf"),
        ("preview", pictures, tmp_path / "sheet.png", "--std", "5"),
    ):
        done = noisy(*words, "--json")
        assert done.status == 0
        accept("summary", words[0], done.summary)
    (destination / "a.png").write_bytes(b"")
    done = noisy("verify", destination, "--json")
    assert (done.status, done.summary["exit_status"], len(done.summary["differences"])) == (1, 1, 1)
    accept("summary", "verify", done.summary)
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    done = noisy("preview", pictures, tmp_path / "none.png", "--std", "5", "--json")
    assert (done.status, done.summary["width"], done.summary["failed"]) == (1, None, 4)
    assert "not written" in done.summary["error"]
    accept("summary", "preview", done.summary)


def test_another_key_is_no_row(images, accept, rows, destination):
    jsonschema = pytest.importorskip("jsonschema")
    assert images().status == 0
    row = rows(destination)["a.png"]
    accept("row", "images", row)
    for wrong in (
        {**row, "new": 1},
        {**row, "warnings": ["no-such-word"]},
        {**row, "sha256": None},
        row | {"kind": "x"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            accept("row", "images", wrong)


def test_without_a_word_it_says_which_there_are(noisy):
    done = noisy("schema")
    assert (done.status, "row, errors, sidecars, run, summary" in done.err) == (2, True)
