"""Types of options' values."""

import math
from collections.abc import Iterable
from typing import Any

import click


def word_of(words: Iterable[str]) -> "click.Choice[str]":
    """Return a choice of words, in any letter case."""
    return click.Choice(list(words), case_sensitive=False)


class Finite(click.FloatRange):
    """A range of numbers without nan and inf."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Share(Finite):
    """A share: 0.5, or 50% of all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return it as a number from 0 to 1. 33.3% is the same number as 0.333."""
        text = str(value).strip()
        share = f"{text[:-1].rstrip()}e-2" if text.endswith("%") else text
        try:
            return super().convert(share, param, ctx)
        except click.BadParameter:
            self.fail(f"{text}: a number from 0 to 1, or a share from 0% to 100%", param, ctx)
