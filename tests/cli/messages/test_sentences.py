"""The first sentences of a run: how many, where to, how large, how long, and how strong beside what was asked for."""

import os
import re

import numpy as np
import pytest

TOOK = r"(?:\d+\.\d+|\d+) s"


@pytest.fixture
def grey(tmp_path):
    """Write grey images of noise in src; those of all values are clipped by more."""
    rng = np.random.default_rng(31)

    def write(*names, low=0, high=256):
        (tmp_path / "src").mkdir(exist_ok=True)
        for name in names:
            samples = rng.integers(low, high, (64, 64)).astype(np.uint8)
            (tmp_path / "src" / name).write_bytes(b"P5 64 64 255\n" + samples.tobytes())
        return tmp_path / "src"

    return write


def refuse_but(done, pattern, at=0):
    """Fail where a line is not the pattern, in which TOOK is how long it took."""
    line = done.err.splitlines()[at]
    assert re.fullmatch(pattern.replace("TOOK", TOOK), line), line


def mean_of(rows, name="measured_std"):
    return float(np.mean([row[name] for row in rows.values()]))


def test_images(noisy, grey, rows, destination):
    source = grey("a.pgm", "b.pgm", "c.pgm")
    done = noisy("images", source, destination, "--std", "40")
    std, share = mean_of(rows(destination)), mean_of(rows(destination), "clipped_fraction")
    assert abs(std - 40) > 1
    total = sum(path.stat().st_size for path in destination.glob("*.pgm"))
    assert total == 3 * 4109
    place = re.escape(f"{destination}/")
    strength = rf"std 40 asked, {std:.1f} on average after clipping \({share:.1%} of samples clipped\)\."
    refuse_but(done, rf"3 images written to {place} \(12 kB, TOOK\)\. {strength}")
    # again: nothing is written, and nothing is said of strength
    again = noisy("images", source, destination, "--std", "40")
    refuse_but(again, rf"3 images in {place} are already up to date \(TOOK\)\.")
    (source / "broken.png").write_bytes(b"")
    (source / "a.pgm").unlink()
    grey("d.pgm", low=100, high=150)
    mixed = noisy("images", source, destination, "--std", "40", "--prune")
    pattern = rf"1 image written to {place} \(4\.1 kB, TOOK\), 2 already up to date, 1 removed, 1 failed\. std 40 .*"
    refuse_but(mixed, pattern, at=1)
    redone = noisy("images", source, destination, "--std", "40", "--redo")
    assert ", all in place of earlier ones, 1 failed. std 40 asked, " in redone.err
    dry = noisy("images", source, destination, "--std", "41", "--dry-run")
    pattern = (
        rf"Dry run: 4 images would be written to {place} from 12 kB of sources, 3 of them in place of earlier ones\."
    )
    refuse_but(dry, pattern)
    dry = noisy("images", source, destination, "--std", "40", "--include", "*.pgm", "--dry-run")
    refuse_but(dry, rf"Dry run: 3 images in {place} are already up to date, none would be written\.")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--std 4", r"std 4 asked, (3\.9|4\.0)\d measured\."),
        ("--std 2%", r"std 2% asked, (1\.9|2\.0)\d% measured\."),
        ("--std 8/255", r"std 8/255 asked, (7\.[89]|8\.[01])\d/255 measured\."),
        ("--var 16", r"variance 16 asked, 1[567]\.\d measured\."),
        ("--std 3..5", r"std 3\.\.5 asked: (3|4)\.\d\d drawn, (3|4)\.\d\d measured\."),
        ("--snr-db 30", r"SNR 30 dB asked, (29\.9|30\.[01]) dB measured\."),
        ("--severity 1", r"severity 1 asked \(std 20\.4 of 255\), 20\.\d measured\."),
    ],
)
def test_each_way_to_say_how_strong(noisy, grey, tmp_path, words, sentence):
    source = grey("a.pgm", low=100, high=150)
    done = noisy("images", source / "a.pgm", tmp_path / "one.pgm", *words.split())
    place = re.escape(os.fspath(tmp_path / "one.pgm"))
    refuse_but(done, rf"1 image written to {place} \(4\.1 kB, TOOK\)\. {sentence}")
    assert done.err.count("\n") == 1


def test_a_sweep_has_a_line_for_each_level_but_not_a_thousand(noisy, grey, tmp_path, destination):
    source = grey("a.pgm", low=100, high=150)
    done = noisy("images", source, destination, "--std", "2,4")
    assert done.err.splitlines()[0].startswith("2 images written to ")
    assert [line.partition(" asked, ")[0] for line in done.err.splitlines()[1:]] == ["std 2", "std 4"]
    many = noisy("images", source, tmp_path / "many", "--std", "1..20", "--levels", "20")
    assert many.err.count(" asked, ") == 12
    assert "... and 8 more levels: -v shows them all." in many.err
    again = noisy("images", source, tmp_path / "all", "--std", "1..20", "--levels", "20", "-v")
    assert again.err.count(" asked, ") == 20


def test_audio_through_a_pipe_and_latents(noisy, spawned, write_wav, tmp_path, destination):
    write_wav(tmp_path / "in/a.wav")
    done = noisy("audio", tmp_path / "in", destination, "--snr-db", "20", "--with-clean")
    refuse_but(
        done,
        rf"1 audio file and its clean copy written to {re.escape(os.fspath(destination))}/ \(1\.7 kB, TOOK\)\. "
        r"SNR 20 dB asked, (19|20)\.\d dB measured\.",
    )  # fmt: skip
    # a WAV by content, whatever the stream is called
    piped = spawned("audio", "-", "-", "--std", "1%", stdin=(tmp_path / "in/a.wav").read_bytes())
    assert (piped.status, len(piped.out)) == (0, 844)
    refuse_but(piped, r"1 audio file written to standard output \(844 bytes, TOOK\)\. std 1% asked, .* measured\.")
    assert "wrong-suffix" not in piped.err
    assert piped.err.count("\n") == 1
    done = noisy("latents", tmp_path / "z", "--shape", "10", "--count", "100")
    assert re.search(
        r"^1 file of latents written to .*/z/ \(.*\)\. std 1 asked, (0\.9|1\.0)\d+ measured\.$", done.err, re.M
    )


def test_arrays_go_by_their_sizes(noisy, rows, tmp_path, destination):
    (tmp_path / "src").mkdir()
    np.savez(
        tmp_path / "src/a.npz",
        small=np.random.default_rng(33).normal(0, 9, 4),
        large=np.random.default_rng(33).normal(0, 1, 40_000),
    )
    done = noisy("weights", tmp_path / "src", destination, "--std", "10%", "--json")
    parts = rows(destination)["a.npz"]["parts"]
    kept = [part["measured_std"] / part["std"] for part in parts]
    sizes = [part["shape"][0] for part in parts]
    there = 10 * np.average(kept, weights=sizes)
    assert done.summary["strength"]["std=10%"]["measured"] == pytest.approx(there, rel=1e-5)
    assert done.err.splitlines()[0].endswith(f"std 10% asked, {there:.1f}% measured.")


def test_why_files_are_without_noise(noisy, grey, write_wav, tmp_path, destination):
    source = grey(*[f"{number}.pgm" for number in range(6)], low=100, high=150)
    done = noisy("images", source, destination, "--std", "5", "--prob", "50%", "--json")
    left = done.summary["unchanged"]
    assert 0 < left < 6
    assert re.search(rf"^{left} images? without noise, as --prob 50% asks$", done.err, re.M)
    done = noisy("images", source, tmp_path / "none", "--std", "0,5")
    assert "\n6 images without noise, as a level of 0 asks\n" in done.err
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays/a.npy", np.ones(9))
    done = noisy("arrays", tmp_path / "arrays", tmp_path / "out", "--std", "5%")
    assert "\n1 array file without noise, as its values are all the same, and have no std\n" in done.err


def test_what_lossy_files_keep_is_told_where_it_is_off(noisy, grey, tmp_path, destination):
    source = grey("a.pgm", low=100, high=150)
    words = ("--format", "jpg", "--json")
    done = noisy("images", source, destination, "--std", "1,20", *words, "--quality", "70")
    for label, level in (("std=1", "std 1"), ("std=20", "std 20")):
        std = done.summary["survival"][label]["std"]
        assert abs(std - 1) > 0.03
        change = f"{1 - std:.0%} weaker" if std < 1 else f"{std - 1:.0%} stronger"
        change = change if std < 2 else f"{std:.1f} times as strong"
        assert f"\n{level}: on disk the noise is {change}, as lossy compression " in done.err
    assert "--format png keeps it exactly" in done.err
    assert "on disk" not in noisy("images", source, tmp_path / "best", "--std", "20", *words, "--quality", "100").err
