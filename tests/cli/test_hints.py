"""What people type first is answered with the right word: one line, status 2, nothing written."""

import os
import re
from difflib import get_close_matches
from importlib import import_module

import click
import pytest

from noisecli import cli
from noisecli.cli import COMMANDS
from noisecli.cli.hints import words
from noisecli.cli.hints.options import explain_option
from noisecli.cli.hints.paths import kind_in
from noisecli.errors import Refused

_DIFFERENCE = ["--redo (recompute all", "--force (replace files", "a plain second run redoes what has changed"]
_RUN = "images photos out --std 5"

TYPED = [
    (f"{_RUN} --poisson", ["--shot A", "--corruption shot"]),
    (f"{_RUN} --salt-pepper", ["--corruption impulse"]),
    (f"{_RUN} --noise speckle", ["write --std\n"]),
    ("audio SRC DST --pink", ["--color pink"]),
    *((f"{_RUN} {word} 4", ["write --jobs 4"]) for word in ("--workers", "--threads", "--num-workers", "--processes")),
    (f"{_RUN} -n 4", ["--jobs (number of worker processes)", "--limit (the first N files only)", "--dry-run"]),
    (f"{_RUN} -n4", ["No such option -n4", "--jobs"]),
    (f"{_RUN} --workers=4", ["write --jobs 4"]),
    *((f"images photos out {word} 5", ["write --std 5"]) for word in ("--sigma", "--stddev", "--noise-std", "-std")),
    *((f"images photos out {word} 5", ["write --std 5"]) for word in ("--noise", "--scale", "--STD", "--std_dev")),
    ("audio speech out --snr 10..30", ["write --snr-db 10..30"]),
    ("audio speech out --snr_db 10", ["write --snr-db 10"]),
    ("images photos out --shared_channels", ["write --shared-channels"]),
    ("images photos out --sdt 5", ["did you mean --std?"]),
    *((f"{_RUN} {word}", _DIFFERENCE) for word in ("--overwrite", "--replace", "--clobber", "-y")),
    *((f"{_RUN} {word}", [*_DIFFERENCE, "--prune (remove"]) for word in ("--forse", "--red", "--pruen")),
    (f"{_RUN} --delete", ["there is --prune (remove outputs whose source is gone"]),
    ("preview photos look.png --overwrite", ["there is --force (replace a file that already exists)"]),
    ("verify out --overwrite", ["--redo is an option of noisecli images", "not of verify"]),
    *(
        (f"images photos {word} out --std 5", ["DST is the second argument: noisecli images SRC DST"])
        for word in ("--output", "-o", "--out", "--output-dir", "--dst")
    ),
    ("preview photos --out look.png --std 5", ["OUT is the second argument: noisecli preview SRC OUT"]),
    ("latents --out z --shape 3 --count 3", ["DST is the only argument: noisecli latents DST"]),
    ("export out --to csv --out x.csv", ["write --output FILE"]),
    *(
        (f"images {word} photos out --std 5", ["SRC is the first argument: noisecli images SRC DST"])
        for word in ("--input", "-i", "--src")
    ),
    ("verify out --src photos", ["write --recompute SRC"]),
    ("latents z --src photos", ["there is no SRC here: noisecli latents DST"]),
    *((f"{_RUN} {word}", ["folders are walked anyway"]) for word in ("--recursive", "-r")),
    (f"{_RUN} --resume", ["kept anyway"]),
    *((f"{_RUN} {word} .PNG", ["write --format png"]) for word in ("--ext", "--extension", "--type")),
    ("arrays features out --std 5 --ext npz", ["arrays keep the format of their files"]),
    ("weights models out --std 5 --format npz", ["weights keep the format of their files"]),
    ("arrays features out --std 5 --type tiff", ["write --dtype\n"]),
    ("export out --format csv", ["write --to csv"]),
    *(
        (f"{word} a b --std 5", [f"No such command {word}: write noisecli {kind} a b --std 5"])
        for kind, typed in {
            "images": "image img picture pictures photo Images imagse",
            "audio": "sound sounds wav waveform speeech",
            "arrays": "numpy npy array",
            "weights": "model",
        }.items()
        for word in typed.split()
    ),
    ("tensors a b", ["arrays (", "weights ("]),
    ("check out", ["write noisecli verify out"]),
    ("frobnicate a b", ["the commands are images, audio"]),
    ("help images", ["write noisecli images --help"]),
    ("photos out --std 5", ["photos: holds images", "noisecli images photos out --std 5"]),
    ("speech out --std 5", ["speech: holds audio files", "noisecli audio speech out --std 5"]),
    ("features out", ["features: holds array files", "noisecli arrays features out"]),
    ("models out", ["models: holds weight files", "noisecli weights models out"]),
    ("photos/a/1.jpg out.jpg", ["is an image", "noisecli images photos/a/1.jpg out.jpg"]),
    ("empty out", ["the command comes first: noisecli images|audio|arrays|weights empty out"]),
    ("- - --std 25", ["the command comes first: noisecli images|audio|arrays|weights - - --std 25"]),
    ("nowhere.png out", ["does not exist", "the command comes first"]),
    *(
        (f"{command}photos/a/1.jpg photos/a/2.jpg photos/b/3.jpg out --std 5", [
            "not 3 (a shell makes them of a pattern)",
            "noisecli images photos out --include '*.jpg' --std 5, or list them with --files0-from",
        ])
        for command in ("images ", "")
    ),
    ("images photos/a/1.jpg photos/a/2.jpg photos/b/3.jpg", ["noisecli images photos DST --include '*.jpg'"]),
    ("images photos/a photos/b out", ["not 2", "noisecli images photos out --include a --include b"]),
    ("images a.png b.png out", ["noisecli images . ../out --include '*.png'"]),
    ("images photos/a/1.jpg /etc/passwd out", ["list them with --files0-from"]),
    ("preview photos/a/1.jpg photos/a/2.jpg look.png", ["noisecli preview photos/a look.png", "or name one"]),
    (f"{_RUN} --include photos/a/1.jpg photos/a/2.jpg", ["photos/a/2.jpg: left over; quote the pattern of --include"]),
    ("images my photos out --std 5", ["noisecli images 'my photos' out --std 5"]),
    (f"{_RUN} 15 25", ["levels are joined by commas"]),
    ("images photos out 25", ["a level is an option: --std 25"]),
    ("images photos out \N{EM DASH}std 25", ["write --std"]),
    ("images photos out left", ["left: left over; it is noisecli images SRC DST"]),
    ("images out --std 5", ["Missing argument 'DST'", "noisecli images images out --std 5"]),
    ("audio out --std 5", ["Missing argument 'DST': noisecli audio SRC DST\n"]),
    ("audio speech out --shot 0.1", ["it is an option of noisecli images, arrays and preview, not of audio"]),
    ("audio speech out --colour pink", ["--color"]),
    ("audio speech out --dbfs -40", ["--level-dbfs"]),
    ("images photos out --std 5 --color pink", ["it is an option of noisecli audio and preview, not of images"]),
    ("latents z --snr 5", ["--snr-db is an option of noisecli images", "not of latents"]),
    ("latents z --copies 4", ["write --count 4"]),
    ("latents z --dim 100", ["write --shape 100"]),
    ("latents z --format npy", ["latents are .npy files"]),
    ("latents photos z --shape 3 --count 4", ["DST is the only argument (latents are made from no source)"]),
    ("verify photos out", ["noisecli verify out --recompute photos"]),
    ("export out x.csv --to csv", ["--output x.csv"]),
    ("--std 5 images photos out", ["options come after the command: noisecli images photos out --std 5"]),
    ("--jobs 4 photos out", ["the command comes first: noisecli images photos out --jobs 4"]),
    ("--verify out", ["verify is a command: noisecli verify"]),
    ("--frobnicate", ["the command comes first"]),
    ("images photos out --frobnicate", ["see noisecli images --help"]),
    ("images --version", ["noisecli --version"]),
]  # fmt: skip


@pytest.fixture
def at_home(tmp_path, fill, monkeypatch):
    """Folders of all kinds, below the current one; no file of them is ever read."""
    home = tmp_path / "home"
    files = [
        "photos/a/1.jpg",
        "photos/a/2.jpg",
        "photos/b/3.jpg",
        "photos/labels.txt",
        "images/1.png",
        "a.png",
        "b.png",
    ]
    files += ["speech/1.wav", "features/x.npy", "models/m.safetensors", "my photos/1.png", "empty/x.txt"]
    for name in files:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    monkeypatch.chdir(home)
    return home


def options_of(name):
    command = import_module(f"noisecli.cli.{name}").command
    return [option for parameter in command.params if isinstance(parameter, click.Option) for option in parameter.opts]


@pytest.mark.parametrize(("typed", "told"), TYPED, ids=[typed for typed, _ in TYPED])
def test_typed_first(noisy, at_home, tree, typed, told):
    before = sorted(os.walk(at_home))
    done = noisy(*typed.split(" "))
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("noisecli: ")
    assert done.err.count("\n") == 1
    assert [part for part in told if part not in done.err] == [], done.err
    assert sorted(os.walk(at_home)) == before


def test_words_of_the_table_are_words_of_ours():
    known = {name: options_of(name) for name in COMMANDS}
    everywhere = {option for options in known.values() for option in options}
    for table in (words.OPTIONS, words.EXPLAINED, *words.OF_COMMANDS.values()):
        assert {ours for meant in table.values() for ours in meant} <= everywhere
    assert {needed for _, needed, _ in words.NOTES} <= everywhere
    assert {ours for meant in words.COMMANDS.values() for ours in meant} <= {*COMMANDS}
    assert not {*words.COMMANDS} & {*COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_word_of_the_table_has_an_answer(name):
    command = import_module(f"noisecli.cli.{name}").command
    tables = (words.OPTIONS, words.EXPLAINED, words.DESTINATION, words.SOURCE, words.OF_COMMANDS.get(name, {}))
    for word in {word for table in tables for word in table} - {*options_of(name)}:
        answer = explain_option(word, command, [word, "1"])
        assert re.search(r": (write|there is|[A-Z]+ is the|it is an|--\S+ is an|.*; leave it out)", answer), answer
        assert not re.search(r"(write|mean) (--redo|--force|--prune)", answer), answer


@pytest.mark.parametrize("ours", words.DESTROYING)
def test_what_destroys_is_never_offered_for_a_slip(ours):
    """Each letter left out, doubled, or swapped with the next."""
    command = import_module("noisecli.cli.images").command
    own = options_of("images")
    places = range(2, len(ours))
    slips = {ours[:i] + ours[i + 1 :] for i in places} | {ours[:i] + ours[i] + ours[i:] for i in places}
    slips |= {ours[:i] + ours[i + 1] + ours[i] + ours[i + 2 :] for i in places[:-1]}
    for slip in slips - {ours}:
        answer = explain_option(slip, command, [slip])
        assert not re.search(r"(write|did you mean) [^(]*(--redo|--force|--prune)", answer), answer
        if get_close_matches(slip, own, n=1, cutoff=0.9) == [ours]:
            assert all(part in answer for part in [*_DIFFERENCE, "--prune (remove"])


def test_what_a_folder_holds_is_told_by_most_of_its_first_files(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.wav").touch()
    (tmp_path / "cover.jpg").touch()
    assert kind_in(str(tmp_path)) == "audio"
    assert kind_in(str(tmp_path / "nowhere")) is None


def test_completion_is_told_nothing():
    command = import_module("noisecli.cli.images").command
    assert command.make_context("images", ["a", "b", "--workers"], resilient_parsing=True)
    assert cli.cli.make_context("noisecli", ["--workers"], resilient_parsing=True)
    with pytest.raises(Refused):
        command.make_context("images", ["a", "b", "--workers"])
