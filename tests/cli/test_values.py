"""Values as people write them: words in any letter case, shares in percent."""

import json
import re

import pytest

from noisecli.cli.values import Share


def settings_of(destination):
    return json.loads((destination / "run.json").read_text())["settings"]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0.5", 0.5),
        ("50%", 0.5),
        (" 50 % ", 0.5),
        ("33.3%", 0.333),
        ("0%", 0.0),
        ("100%", 1.0),
        ("1", 1.0),
        ("7%", 0.07),
    ],
)
def test_a_share(written, number):
    assert Share(0, 1).convert(written, None, None) == number


def test_a_share_in_percent_is_the_same_run(images, destination):
    assert images("--prob", "0.5").status == 0
    before = settings_of(destination)
    done = images("--prob", "50%", "--json")
    assert done.status == 0
    assert done.summary["kept"] == done.summary["planned"] > 0
    assert settings_of(destination) == before


@pytest.mark.parametrize("written", ["50", "101%", "-1%", "1.5", "nan", "nan%", "half", "%", "50%%"])
def test_what_is_not_a_share(images, destination, written):
    done = images("--prob", written)
    assert done.status == 2
    assert f"{written}: a number from 0 to 1, or a share from 0% to 100%" in done.err
    assert not destination.exists()


def test_words_in_any_letter_case(images, destination, tree):
    assert images("--format", "PNG", "--sidecars", "Copy", "--on-error", "STOP", "--progress", "Never").status == 0
    before = settings_of(destination)
    assert images("--format", "png", "--sidecars", "copy", "--json").summary["made"] == 0
    assert settings_of(destination) == before
    assert {name.rpartition(".")[2] for name in tree(destination)} >= {"png"}


@pytest.mark.parametrize("command", ["noisecli", "images", "audio", "latents", "preview", "verify", "export"])
def test_help_ends_with_the_exit_statuses(noisy, command):
    done = noisy(*([] if command == "noisecli" else [command]), "--help")
    last = re.split(r"\n(?=\S.*:\n)", done.out)[-1]
    assert last.startswith("Exit status:\n")
    listed = re.findall(r"^  ([\d, ]+?)  ", last, re.MULTILINE)
    assert listed == ["0", "2", "3", "130, 143"] if command == "export" else ["0", "1", "2", "3", "130, 143"]
