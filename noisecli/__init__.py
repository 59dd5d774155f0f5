"""Noisy copies of datasets: exact Gaussian noise, reproducible to the byte."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noisecli.noise.augment import add_gaussian_noise

__version__ = "0.1.0"
__all__ = ["__version__", "add_gaussian_noise"]


def __getattr__(name: str) -> Any:
    """Load the kernel, and numpy with it, only for those who ask for it: the command line starts without."""
    if name == "add_gaussian_noise":
        from noisecli.noise.augment import add_gaussian_noise

        return add_gaussian_noise
    raise AttributeError(f"module 'noisecli' has no attribute {name!r}")
