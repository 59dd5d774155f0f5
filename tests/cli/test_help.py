"""--help of every command: arguments described, options under their headings, each text true of its own command."""

import re
import subprocess
import sys
from importlib import import_module

import click
import pytest

from noisecli.cli import COMMANDS
from noisecli.cli.options import GROUPS, SectionedArgument

HEADINGS = ["Arguments", "Strength", "Noise", "Output", "Files", "Running", "Messages", "Exit status"]
WITHOUT = {
    "latents": {"Files"},
    "verify": {"Strength", "Noise"},
    "export": {"Strength", "Noise", "Files", "Running"},
    "merge": {"Strength", "Noise", "Files"},
    "schema": {"Strength", "Noise", "Files", "Running"},
}
UNTRUE = {
    "images": "WAV OGG MP3 amplitude tensor array audio frame transcripts latents",
    "audio": "TIFF JPEG PNG grey pixel 255 25/255 image white tensor latents",
    "arrays": "TIFF WAV JPEG encoder grey pixel 255 image severity white amplitude latents tensor",
    "weights": "TIFF WAV JPEG encoder grey pixel 255 image severity white amplitude latents npy",
    "latents": "TIFF WAV JPEG encoder grey pixel 255 image severity SRC source",
    "adversarial": "WAV OGG MP3 amplitude tensor frame transcripts latents",
    "verify": "severity sweep",
    "export": "severity sweep",
    "schema": "severity sweep SRC DST",
}
EVERYDAY = {"Noise": "--seed", "Output": "--format", "Files": "--include", "Running": "-j, --jobs", "Messages": "-q"}


def command_of(name: str) -> click.Command:
    command = import_module(f"noisecli.cli.{name}").command
    assert isinstance(command, click.Command)
    return command


def help_of(name: str) -> str:
    command = command_of(name)
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"], max_content_width=200)
    return command.get_help(context)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_under_their_headings(name: str) -> None:
    headings = re.findall(r"^(\S.*):$", help_of(name), re.MULTILINE)
    expected = [heading for heading in HEADINGS if heading not in WITHOUT.get(name, set())]
    assert headings == expected
    assert [*GROUPS, "Exit status"] == HEADINGS
    messages = help_of(name).partition("\nMessages:\n")[2].partition("\n\nExit status:")[0]
    assert " ".join(messages.splitlines()[-1].split()) == "-h, --help Show this message and exit."


@pytest.mark.parametrize("name", COMMANDS)
def test_everything_is_described(name: str) -> None:
    for parameter in command_of(name).params:
        assert isinstance(parameter, click.Option | SectionedArgument)
        text = parameter.help if isinstance(parameter, click.Option) else parameter.described
        assert text
        assert re.fullmatch(r"[A-Z0-9].*[.\])]", text, re.DOTALL), text
    described = help_of(name).partition("\nArguments:\n")[2].partition("\n\n")[0]
    arguments = [each for each in command_of(name).params if isinstance(each, click.Argument)]
    assert re.findall(r"(?m)^  (\S+)", described) == [each.metavar for each in arguments]


@pytest.mark.parametrize("name", COMMANDS)
def test_defaults_are_shown(name: str) -> None:
    context = click.Context(command_of(name), info_name=name)
    described = {
        each: each.get_help_record(context) for each in command_of(name).params if isinstance(each, click.Option)
    }
    for each, record in described.items():
        has_default = not each.is_flag and not each.multiple and isinstance(each.default, int | float | str)
        assert record is not None
        assert not has_default or "default:" in record[1], each.name


@pytest.mark.parametrize("name", UNTRUE)
def test_each_text_is_true_of_its_own_command(name: str) -> None:
    options = help_of(name).partition("\nArguments:\n")[2].partition("\n\nExit status:")[0]
    assert [word for word in UNTRUE[name].split() if re.search(rf"\b{re.escape(word)}", options)] == []


@pytest.mark.parametrize("name", ["images", "audio"])
def test_everyday_options_come_first(name: str) -> None:
    text = help_of(name)
    for heading, option in EVERYDAY.items():
        assert text.partition(f"\n{heading}:\n")[2].lstrip().startswith(option)


@pytest.mark.parametrize(("shell", "line"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete --no-files")])
def test_a_shell_can_complete(shell: str, line: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "_NOISECLI_COMPLETE": f"{shell}_source", "PYTHONPATH": ":".join(sys.path)}
    program = "import sys; sys.argv[0] = 'noisecli'; from noisecli.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert line in done.stdout, done.stderr
