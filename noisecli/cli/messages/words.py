"""Numbers of things in words."""


def count(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def decibels(value: float) -> str:
    """Return a ratio in dB, never -0.0."""
    return f"{round(value, 1) + 0.0:.1f} dB"
