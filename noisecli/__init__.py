"""Noisy copies of datasets: exact Gaussian noise, reproducible to the byte."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noisecli.noise.augment import add_gaussian_noise, add_signal_dependent_noise

__version__ = "0.1.0"
__all__ = ["__version__", "add_gaussian_noise", "add_signal_dependent_noise"]


def __getattr__(name: str) -> Any:
    """Load the kernels, and numpy with them, only for those who ask: the command line starts without."""
    if name in ("add_gaussian_noise", "add_signal_dependent_noise"):
        from noisecli.noise import augment

        return getattr(augment, name)
    raise AttributeError(f"module 'noisecli' has no attribute {name!r}")
