"""Templates and names that cannot end well are refused before any work."""

import pytest


@pytest.mark.parametrize(
    "template",
    [
        "{stem:{ext}}",
        "{stem}{ext}{copy:c}",
        "{stem}{ext}{copy:>99999999}",
        "{stem!r}{ext}",
        "{stem}{ext}{level.folder}",
        "{stem[0]}{ext}",
        "{stem:>300}{ext}",
        "{}{stem}{ext}",
        "{stem",
        "{stem}",
        "",
        ".",
        ".{stem}{ext}",
        "{ext}{stem}",
        "{stem}{ext}\n",
        "{stem}\x1b[2J{ext}",
        "\udcff{stem}{ext}",
        "a/{stem}{ext}",
        "x" * 255 + "{stem}{ext}",
        "x" * 251 + "{stem}{ext}",
    ],
)
def test_a_template_that_cannot_name_files_is_refused(images, destination, template):
    done = images("--name", template)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert "--name" in done.err
    assert not destination.exists()


def test_a_template_may_count_with_leading_zeros(images, outputs, destination):
    assert images("--copies", "2", "--name", "é-{stem}-{copy:03}{ext}").status == 0
    assert {"é-a-001.png", "é-a-002.png"} <= outputs(destination).keys()


@pytest.mark.parametrize(
    "manifest",
    [
        "errors.jsonl",
        "a.errors.jsonl",
        "run.json.jsonl",
        "a.run.json.jsonl",
        ".jsonl",
        ".hidden.jsonl",
        "a\n.jsonl",
        "a\x1b.jsonl",
        "../a.jsonl",
        "a.json",
        "a" * 240 + ".jsonl",
        "é" * 122 + ".jsonl",
    ],
)
@pytest.mark.parametrize("command", ["images", "latents", "verify", "export"])
def test_a_manifest_with_a_name_of_something_else_is_refused(noisy, pictures, destination, manifest, command):
    words = {
        "images": ["images", pictures, destination, "--std", "5"],
        "latents": ["latents", destination, "--shape", "2", "--count", "1"],
        "verify": ["verify", destination],
        "export": ["export", destination, "--to", "csv"],
    }
    done = noisy(*words[command], "--manifest", manifest)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert "--manifest" in done.err
    assert not destination.exists()


HUGE = "9" * 5000


@pytest.mark.parametrize(
    "words",
    [
        *(["--std", level] for level in ("1e400", "nan", "inf", "1_0", "٣", "5..", "..5", "5/0", "5%%", "", "0x10")),
        ["--limit", HUGE],
        ["--limit", "0"],
        ["--levels", "100000"],
        ["--copies", "100001"],
        ["--seed", HUGE],
        ["--jobs", "100000"],
        ["--jobs", "0"],
        ["--max-failures", "0"],
        ["--max-bytes", HUGE],
        ["--timeout", "1e400"],
        ["--timeout", "nan"],
        ["--prob", "1_0"],
    ],
    ids=lambda words: " ".join(words)[:30],
)
def test_numbers_that_are_none(images, destination, words):
    done = images(*words)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert len(done.err) < 5000
    assert not destination.exists()


@pytest.mark.parametrize("words", [["--limit", "9" * 30], ["--seed", "9" * 30], ["--max-failures", "9" * 30]])
def test_large_numbers_are_numbers(images, words):
    assert images(*words).status == 0


@pytest.mark.parametrize(("shape", "count"), [(HUGE, "1"), ("٣", "1"), ("2", "9" * 30)], ids=["huge", "Arabic", "many"])
def test_latents_beyond_all_bounds(noisy, destination, shape, count):
    done = noisy("latents", destination, "--shape", shape, "--count", count)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert not destination.exists()
