"""Which of Keras's backends computes the gradient. Light: imports none of them."""

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path

from noisecli.errors import Refused, shown

BACKENDS = ("torch", "jax")
"""In order of preference where none was chosen: torch starts faster."""


def choose_backend(environment: Mapping[str, str] = os.environ) -> str:
    """Return "torch" or "jax": by KERAS_BACKEND or Keras's own settings, else what is installed.

    Raises Refused, naming what to install.
    """
    if not _installed("keras"):
        raise Refused("Keras is not installed: pip install keras, and torch or jax, whichever you use")
    wanted = environment.get("KERAS_BACKEND") or _configured(environment)
    if wanted:
        return _checked(wanted)
    for name in BACKENDS:
        if _installed(name):
            return name
    raise Refused("Keras has no backend that noisecli supports: pip install torch, or jax")


def require_backend(recorded: str) -> None:
    """Raise Refused where the backend that a finished run was made with is not installed."""
    if recorded not in BACKENDS:
        raise Refused(f"the run was made with Keras's backend {shown(recorded)}, which this noisecli does not support")
    missing = [name for name in ("keras", recorded) if not _installed(name)]
    if missing:
        names = " and ".join(missing)
        raise Refused(f"the run's gradients were computed by Keras on {recorded}; install {names}: pip install {names}")


def _checked(wanted: str) -> str:
    if wanted not in BACKENDS:
        raise Refused(
            f"Keras's backend {wanted} is not supported by noisecli; a .keras file runs on all of them: "
            "set KERAS_BACKEND=torch or jax"
        )
    if not _installed(wanted):
        raise Refused(f"Keras's backend is set to {wanted}, which is not installed: pip install {wanted}")
    return wanted


def _configured(environment: Mapping[str, str]) -> str | None:
    """Return the backend of Keras's settings file, where it is one of ours."""
    home = environment.get("KERAS_HOME") or os.path.join(environment.get("HOME", ""), ".keras")
    try:
        backend = json.loads(Path(home, "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    # Keras writes its default, tensorflow, there by itself
    return backend if backend in BACKENDS and _installed(backend) else None


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
