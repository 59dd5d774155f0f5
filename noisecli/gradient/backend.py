"""Which of Keras's backends computes the gradient. Light: looks, and loads nothing."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path

from noisecli.errors import Refused

BACKENDS = ("torch", "jax")
"""In the order of preference where nobody chose: torch starts faster."""


def choose_backend(environment: Mapping[str, str] = os.environ) -> str:
    """Return "torch" or "jax": what KERAS_BACKEND or Keras's own settings say, else what is installed.

    Raises Refused, naming what is to be installed.
    """
    if not _installed("keras"):
        raise Refused("Keras is not installed here: pip install 'noisecli[keras]', and torch or jax, whichever you use")
    wanted = environment.get("KERAS_BACKEND") or _configured(environment)
    if wanted:
        return _checked(wanted)
    for name in BACKENDS:
        if _installed(name):
            return name
    raise Refused("Keras has no backend here that noisecli takes a gradient on: pip install torch, or jax")


def _checked(wanted: str) -> str:
    if wanted not in BACKENDS:
        raise Refused(
            f"Keras's backend {wanted} is none that noisecli takes a gradient on; a .keras file runs on all of them: "
            "set KERAS_BACKEND=torch or jax"
        )
    if not _installed(wanted):
        raise Refused(f"Keras's backend is to be {wanted}, which is not installed: pip install {wanted}")
    return wanted


def _configured(environment: Mapping[str, str]) -> str | None:
    """Return the backend of Keras's settings file, when somebody chose one of ours there."""
    home = environment.get("KERAS_HOME") or os.path.join(environment.get("HOME", ""), ".keras")
    try:
        backend = json.loads(Path(home, "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    # Keras writes its default, tensorflow, there by itself
    return backend if backend in BACKENDS and _installed(backend) else None


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
