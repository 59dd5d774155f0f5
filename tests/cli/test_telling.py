"""What people and programs are told: standard error, --json, exit statuses."""

import json
import os
import subprocess
import sys

import pytest


def test_json_is_one_object_and_nothing_else(images, fill, pictures):
    fill(pictures, "a.txt", "sound.wav")
    (pictures / "broken.png").write_bytes(b"")
    done = images("--json")
    assert done.status == 1
    assert done.out.count("\n") == 1
    summary = done.summary
    assert summary["made"] == summary["planned"] - 1 == 5
    assert (summary["failed"], summary["skipped"], summary["kept"]) == (1, 0, 0)
    assert summary["sidecars_left"] == 1
    assert summary["other_kinds"] == {"audio": 1}
    assert summary["exit_status"] == 1
    assert [problem["source"] for problem in summary["problems"]] == ["broken.png"]
    assert images("--json").summary["kept"] == 5


def test_without_json_standard_output_is_empty(images):
    done = images()
    assert done.out == ""
    assert "5 images written to " in done.err


def test_the_other_kind_is_told(images, fill, pictures):
    fill(pictures, "a.wav", "b.wav", "labels/a.txt")
    done = images()
    assert "2 audio files left alone: noisecli audio" in done.err
    assert "1 side file left behind: --sidecars copy" in done.err


def test_quiet_says_problems_only(images, pictures):
    assert images("-q").err == ""
    (pictures / "broken.png").write_bytes(b"")
    err = images("-q").err
    assert err.count("\n") == 1
    assert "broken.png" in err


def test_verbose_lists_every_problem(images, pictures):
    for number in range(25):
        (pictures / f"broken{number}.png").write_bytes(b"")
    short, long = images().err, images("-v").err
    assert short.count(": failed: ") == 20
    assert "5 more" in short
    assert long.count(": failed: ") == 25


def test_the_bar_is_silent_off_a_terminal(images, tmp_path):
    assert "picture/s" not in images().err
    assert "picture/s" not in images("--progress", "never", "--redo").err
    assert "/5 [" in images("--progress", "always", "--redo").err
    assert images("--progress", "always", "-q", "--redo").err == ""


def test_dry_run_writes_nothing(images, fill, pictures, destination):
    fill(pictures, "x.wav")
    size = sum(path.stat().st_size for path in pictures.rglob("*.png"))
    done = images("--dry-run", "--json", "--copies", "2")
    assert done.status == 0
    assert (done.summary["planned"], done.summary["input_bytes"], done.summary["made"]) == (10, size, 10)
    assert "Dry run: 10 images would be written to " in done.err
    assert not destination.exists()


def test_dry_run_on_a_finished_run_changes_nothing(images, tree, destination):
    assert images().status == 0
    before = tree(destination)
    assert images("--dry-run", "--std", "50").status == 0
    assert tree(destination) == before


def test_dry_run_tells_refusals(images, destination, pictures):
    destination.mkdir()
    (destination / "mine").touch()
    assert images("--dry-run").status == 2
    assert images("--dry-run", to=pictures / "below").status == 2


def test_some_skipped_and_none_failed_is_0(images, pictures, errors, destination):
    os.mkfifo(pictures / "pipe.png")
    (pictures / "photo.jxl").write_bytes(b"jxl")
    done = images()
    assert done.status == 0
    assert "2 skipped" in done.err
    assert {entry["reason"] for entry in errors(destination).values()} == {"special-file", "unsupported-format"}


@pytest.mark.parametrize("word", [(), ("-q",)], ids=str)
def test_nothing_made_of_many_is_said_in_words(images, pictures, png, word):
    """All skipped is 0 by contract, and does not look like success; all failed is 1."""
    for path in pictures.rglob("*.png"):
        path.unlink()
    for name in ("a.jxl", "b.jxl"):
        (pictures / name).write_bytes(b"jxl")
    done = images(*word)
    assert (done.status, "nothing was made: all that was found was skipped (2 files)" in done.err) == (0, True)
    (pictures / "broken.png").write_bytes(b"")
    done = images(*word)
    assert (done.status, "all that was found failed or was skipped (3 files)" in done.err) == (1, True)
    (pictures / "whole.png").write_bytes(png())
    for _ in range(2):
        done = images(*word)
        assert (done.status, "nothing was made" in done.err) == (1, False)


def test_on_error_ignore(images, noisy, pictures, errors, destination):
    (pictures / "a.png").write_bytes(b"")
    done = images("--on-error", "ignore", "--json")
    assert (done.status, done.summary["exit_status"], done.summary["failed"]) == (0, 0, 1)
    assert "a.png: failed: " in done.err
    assert errors(destination).keys() == {"a.png"}
    assert noisy("verify", destination).status == 0
    assert images("--on-error", "ignore", "--max-failures", "1").status == 3
    assert images("--on-error", "ignore", "--limit", "0").status == 2


def test_on_error_stop(images, pictures, rows, errors, destination):
    (pictures / "a.png").write_bytes(b"")
    done = images("--on-error", "stop", "-j", "1")
    assert done.status == 3
    assert "--on-error stop" in done.err
    assert errors(destination).keys() == {"a.png"}
    for name, row in rows(destination).items():
        assert (destination / name).stat().st_size == row["bytes"]


def test_max_failures(images, pictures, destination, errors):
    for name in "abcd":
        (pictures / f"{name}.png").write_bytes(b"")
    assert images("--max-failures", "3").status == 3
    assert len(errors(destination)) == 3
    assert images("--max-failures", "5").status == 1


def test_a_stopped_run_goes_on(images, pictures, outputs, png, destination, tmp_path):
    """Outputs made beside the failure, their rows or not, are no obstacle to the next run."""
    good = (pictures / "b.png").read_bytes()
    (pictures / "b.png").write_bytes(b"")
    for jobs in (1, 3):
        folder = tmp_path / f"j{jobs}"
        (pictures / "b.png").write_bytes(b"")
        assert images("--on-error", "stop", "-j", jobs, to=folder).status == 3
        (pictures / "b.png").write_bytes(good)
        assert images("-j", jobs, to=folder).status == 0
        assert len(outputs(folder)) == 5


@pytest.mark.parametrize("verbose", [False, True])
def test_an_error_of_ours_names_its_file_and_says_so(faulty, pictures, fill, destination, errors, verbose):
    fill(pictures, "bug.png")
    done = faulty.run("images", pictures, destination, "--std", "5", *(["-v"] if verbose else []))
    assert done.status == 1
    assert "bug.png: failed: an error of noisecli, not of your file (ValueError: an error of ours" in done.err
    assert "please report it" in done.err
    assert ("Traceback" in done.err) == verbose
    assert "Traceback" not in json.dumps(errors(destination))
    assert errors(destination)["bug.png"].keys() == {"source", "status", "reason", "message"}


@pytest.mark.parametrize(
    "command",
    [
        "'{python}' -m noisecli images --help | head -n 1",
        "'{python}' -m noisecli images '{source}' '{destination}' --std 5 --json | head -c 1",
        "'{python}' -m noisecli images '{source}/a.png' - --std 5 | head -c 1",
    ],
)
def test_standard_output_closed_early_is_quiet(pictures, destination, command):
    line = command.format(python=sys.executable, source=pictures, destination=destination)
    done = subprocess.run(["bash", "-c", line], check=False, capture_output=True, timeout=600)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_standard_output_that_nobody_reads_at_all(pictures, destination):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "noisecli", "images", pictures, destination, "--std", "5", "--json"],
        check=False,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=600,
    )
    os.close(writer)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert done.returncode == 141
    assert (destination / "manifest.jsonl").exists()


def test_version_and_help(noisy):
    assert noisy("--version").out.startswith("noisecli, version ")
    for command in ((), ("images",), ("audio",)):
        done = noisy(*command, "--help")
        assert done.status == 0
        assert done.out.startswith("Usage: ")


def test_a_list_on_standard_input(spawn, pictures, rows, destination):
    process = spawn("images", pictures, destination, "--std", "5", "--files0-from", "-", stdin=-1)
    process.communicate(b"e.png\0cats/c.png\0./cats/c.png\0")
    assert process.returncode == 0
    assert rows(destination).keys() == {"cats/c.png", "e.png"}


def test_a_listed_file_that_cannot_be_done_is_accounted_for(images, pictures, errors, destination, tmp_path):
    (tmp_path / "list").write_bytes(b"e.png\0gone.png\0cats\0notes.txt\0")
    (pictures / "notes.txt").write_text("no picture")
    assert images("--files0-from", tmp_path / "list").status == 1
    found = {source: entry["reason"] for source, entry in errors(destination).items()}
    assert found == {"gone.png": "gone", "cats": "special-file", "notes.txt": "unsupported-format"}


def test_the_summary_survives_any_name(images, png, pictures):
    (pictures / "new\nline\x1b[31m.png").write_bytes(b"")
    done = images("--json")
    assert done.status == 1
    assert json.loads(done.out)["problems"][0]["source"] == "new\nline\x1b[31m.png"
    assert "\x1b" not in done.err
    assert "new\\nline" in done.err


def test_limits_are_checked_on_the_header(images, pictures, png, errors, rows, destination):
    (pictures / "big.png").write_bytes(png(0, 200, 100))
    assert images("--max-pixels", "10000").status == 1
    assert errors(destination)["big.png"]["reason"] == "too-large"
    assert "--max-pixels" in errors(destination)["big.png"]["message"]
    size = (pictures / "big.png").stat().st_size
    assert images("--max-bytes", size - 1).status == 1
    assert "--max-bytes" in errors(destination)["big.png"]["message"]
    assert images("--max-bytes", size).status == 0


def test_no_clip_keeps_the_sum_itself(images, samples, pictures, destination, rows):
    assert images("--std", "200", "--format", "tiff", "--dtype", "float32", "--no-clip").status == 0
    floats = samples(destination / "a.tiff")
    assert floats.dtype == "float32"
    assert floats.min() < 0
    assert floats.max() > 1
    assert rows(destination)["a.tiff"]["clipped_fraction"] == 0.0


def test_no_clip_without_floats_says_how(images, errors, destination):
    assert images("--no-clip").status == 1
    assert "--dtype float32" in errors(destination)["a.png"]["message"]


def test_full_scale_of_12_bits_in_16(noisy, png, samples, rows, tmp_path, destination):
    source = tmp_path / "deep"
    source.mkdir()
    (source / "a.png").write_bytes(png(0, 64, 64, bits=16, colour=0))
    done = noisy("images", source, destination, "--std", "10%", "--full-scale", "65535")
    assert done.status == 0
    assert rows(destination)["a.png"]["std"] == 6553.5
    assert noisy("images", source, destination, "--std", "10%", "--full-scale", "4095").status == 1


def test_shared_channels_get_the_same_noise(images, samples, pictures, destination):
    assert images("--std", "5", "--shared-channels").status == 0
    difference = samples(destination / "a.png").astype(int) - samples(pictures / "a.png")
    assert (difference[..., 0] == difference[..., 1]).all()
    assert (difference[..., 0] == difference[..., 2]).all()
    assert difference.any()


def test_the_wav_that_libsndfile_reads_for_ever(noisy, tmp_path, write_wav, errors, rows, destination):
    write_wav(tmp_path / "in/good.wav")
    hanging = "524946465404000057415645666d74201000000001000100401f0000803e0000020010004c495354494e464f50414420f8ffffff"
    (tmp_path / "in/hanging.wav").write_bytes(bytes.fromhex(hanging))
    assert noisy("audio", tmp_path / "in", destination, "--std", "1%", "--timeout", "60").status == 1
    assert errors(destination).keys() == {"hanging.wav"}
    assert rows(destination).keys() == {"good.wav"}
