"""Noisy copies of datasets."""

__version__ = "0.1.0"
