"""The house: who may know whom, what stays light, and how long a page may be."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "noisecli"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {
    "effects": 1,
    "errors": 1,
    "keys": 1,
    "tarjob": 1,
    "words": 1,
    "model": 2,
    "shards": 2,
    "levels": 5,
    "settings": 3,
    "codecs": 4,
    "noise": 4,
    "gradient": 4,
    "storage": 4,
    "engines": 5,
    "manifest": 5,
    "kinds": 6,
    "exports": 7,
    "workers": 7,
    "run": 8,
    "verify": 9,
    "views": 9,
    "schemas": 10,
    "cli": 11,
    "__main__": 12,
    "__init__": 0,
}
OWNERS = {
    "click": ["cli/"],
    "cv2": ["codecs/", "views/", "noise/array_ops.py", "noise/kernels.py"],
    "soundfile": ["codecs/", "views/"],
    "h5py": ["codecs/weights/"],
    "av": ["codecs/audio/pyav/source.py"],
    "pillow_heif": ["codecs/image/heic/"],
    "tqdm": ["cli/"],
    "ray": ["engines/ray/"],
    "fsspec": ["storage/"],
    "obstore": ["storage/"],
    "keras": ["gradient/"],
    "torch": ["gradient/on_torch.py"],
    "jax": ["gradient/on_jax.py"],
    "numpy": ["codecs/", "noise/", "gradient/", "workers/", "views/", "exports/", "__init__.py"],
}


TELL_WHAT_IS_LOADED = """
import atexit, sys
heavy = {"numpy", "cv2", "soundfile", "tqdm", "multiprocessing"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))
sys.argv[0] = "noisecli"
from noisecli.cli import main
main()
"""


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def imports_of(path):
    """Return the dotted names of all modules that a file imports, at its top or inside."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative import"
            if node.module == "noisecli":
                found += (f"noisecli.{alias.name}" for alias in node.names)
            else:
                found.append(node.module)
    return found


def ours(path):
    """Yield the parts of noisecli that a file imports."""
    for name in imports_of(path):
        first, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if first == "noisecli" and part in FLOORS:
            yield part


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_downwards_only(path):
    own = part_of(path)
    for part in ours(path):
        assert own in (part, "__init__") or FLOORS[part] < FLOORS[own], f"{name_of(path)} imports {part}"


@pytest.mark.parametrize("library", OWNERS)
def test_libraries_live_in_their_place_and_nowhere_else(library):
    users = [name_of(path) for path in MODULES if library in {name.partition(".")[0] for name in imports_of(path)}]
    assert [user for user in users if not user.startswith(tuple(OWNERS[library]))] == []


def test_noise_knows_numpy_and_records_only():
    allowed = sys.stdlib_module_names | {"numpy", "cv2"}
    for path in MODULES:
        if part_of(path) == "noise":
            for name in imports_of(path):
                first = name.partition(".")[0]
                assert first in allowed or name.startswith(("noisecli.noise", "noisecli.model", "noisecli.errors"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_page_has_300_lines_and_a_function_50(path):
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 50, node.name


@pytest.mark.parametrize(
    ("arguments", "completion"),
    [
        ("--help", {}),
        ("--version", {}),
        ("images --help", {}),
        ("arrays --help", {}),
        ("latents --help", {}),
        ("", {"COMP_WORDS": "noisecli im", "COMP_CWORD": "1"}),
        ("", {"COMP_WORDS": "noisecli images --s", "COMP_CWORD": "2"}),
    ],
    ids=[
        "help",
        "version",
        "help of images",
        "help of arrays",
        "help of latents",
        "completion",
        "completion of an option",
    ],
)
def test_help_and_completion_are_light(arguments, completion):
    environment = {"PATH": "", **({"_NOISECLI_COMPLETE": "bash_complete"} if completion else {}), **completion}
    command = [sys.executable, "-c", TELL_WHAT_IS_LOADED, *arguments.split()]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=600)
    assert done.stderr == "[]\n"
    assert done.stdout


def test_the_parent_of_workers_is_light():
    """It starts quickly and forks cheaply; arrays live in the workers."""
    program = "import sys, noisecli.run.pipeline; print(sorted({'numpy', 'cv2', 'soundfile'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=600)
    assert done.stdout == "[]\n"
