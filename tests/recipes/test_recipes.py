"""Every recipe runs as a script and shows what noise buys, by at most half of the least seen over five seeds."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = (HERE / "README.md").read_text()
LIBRARIES = ("keras", "sklearn", "h5py", "PIL")

# The better figure, the worse one, and by how much at least; below 0: what noise may cost at most.
PROMISES = {
    "classifier": [("trained_100", "without_100", 0.03), ("trained_0", "without_0", -0.05)],
    "curve": [("raised_100", "clean_100", 0.03), ("mixed_100", "clean_100", 0.03), ("clean_0", "clean_100", 0.1)],
    "corruptions": [
        ("white_gaussian", "clean_gaussian", 0.01),
        ("both_impulse", "clean_impulse", 0.01),
        ("shot_speckle", "clean_speckle", 0.002),
        ("white_none", "clean_none", -0.05),
    ],
    "fresh": [("keras", "once", 0.04), ("torch", "once", 0.035)],
    "finetune": [("noisy", "base", 0.01), ("noisy", "scratch", 0.02)],
    "two_views": [("views_80", "noisy_80", 0.004), ("views_0", "clean_0", 0.004)],
    "boxes": [("trained_noisy", "without_noisy", 0.15), ("trained_clean", "without_clean", -0.15)],
    "denoiser": [("denoised", "noisy", 3.0), ("denoised", "blurred", 0.5)],
    "camera_denoiser": [("told", "blind", 0.5), ("told_quiet", "blind_quiet", 1.7), ("blind", "white", 0.1)],
    "anomaly": [("trained", "classic", 0.06)],
    "speech": [("trained_0", "without_0", 0.25), ("trained_10", "without_10", 0.09)],
    "tabular": [("trained_noisy", "without_noisy", 0.01)],
    "adversarial": [("trained", "without", 0.025), ("trained_clean", "without_clean", -0.05)],
    "instance_noise": [("without_sure", "trained_sure", 0.3), ("without_right", "trained_right", 0.15)],
    "robust_weights": [("trained_80", "without_80", 0.02), ("trained_0", "without_0", -0.05)],
    "ensemble": [("alone_nll", "together_nll", 0.025), ("alone_ece", "together_ece", 0.02)],
    "control": [("trained_noisy", "without_noisy", 20)],
}


def told_by(name: str) -> dict[str, object]:
    """Run a recipe as a user would, and return what it prints as JSON."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def there(library: str) -> bool:
    """Tell without importing: Keras fixes its backend when it is imported."""
    return importlib.util.find_spec(library) is not None


def skip_without_its_libraries(name: str) -> None:
    if name == "control":
        return
    backend = there("torch") or (there("jax") and name != "fresh")
    if not (backend and all(there(library) for library in LIBRARIES)):
        pytest.skip("needs pip install '.[recipes]'")
    if name == "speech" and not shutil.which("espeak-ng"):
        pytest.skip("needs espeak-ng, which makes the spoken digits: apt-get install espeak-ng")


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMISES)
def test_noise_buys_what_the_manual_says(name: str) -> None:
    skip_without_its_libraries(name)
    told = told_by(name)
    figures = told["figures"]
    for better, worse, margin in PROMISES[name]:
        assert figures[better] - figures[worse] >= margin, (better, worse, figures)
    assert f"| {told['use']} (`{name}.py`) |" in README
    for line in told["commands"]:
        assert f"`{line}`" in README, "run tests/recipes/table.py for the table of README.md here"


def test_every_recipe_has_its_promises() -> None:
    helpers = {"common", "models", "table", "test_recipes"}
    assert {file.stem for file in HERE.glob("*.py")} - helpers == set(PROMISES)
