"""From the options of strength to the sweep that they stand for."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import click

from noisecli.cli.levels import of_an_option, parse_levels, parse_limits, parse_share, refuse_slips
from noisecli.kinds import Kind
from noisecli.levels import BadLevel, ends, parse_level
from noisecli.levels.noises import WORDS
from noisecli.model import Level, Quantity

_ALONE = ("shot", "speckle", "channel_std", "camera")
"""Words that say how strong without an option of strength."""
_SWEPT = ("shot", "speckle")
_LARGEST = {"shot": 1.0, "speckle": 5.0}
"""What no number without a unit is above that is no slip: of images and audio files."""
_COLOURED = ("color", "slope")
"""Words that say no strength, and go with any."""


def levels_of(kind: Kind, options: Mapping[str, Any]) -> tuple[Level, ...]:
    """Return the sweep that the options of strength stand for; every noise with every strength."""
    known = [name for name in get_args(Quantity) if name in options]
    given: dict[Quantity, str] = {name: options[name] for name in known if options[name] is not None}
    _refuse_empty(options)
    words = words_of(options)
    if options.get("corruption") and "severity" not in given:
        raise click.UsageError("--corruption: goes with --severity 1 to 5, which says how strong")
    alone = not given and words.keys() & set(_ALONE)
    if len(given) != 1 and not alone:
        names = [_option(name) for name in known if name != "severity" or kind.severity_sets]
        noises = [_option(name) for name in _ALONE if name in options]
        others = f"; or with noise that has a strength of its own: {', '.join(noises)}" if noises else ""
        raise click.UsageError(f"say how strong, with exactly one of {', '.join(names)}{others}")
    quantity: Quantity
    quantity, text = next(iter(given.items()), ("std", ""))
    _refuse_mixtures(quantity if given else None, words, options)
    if not given and options.get("levels"):
        raise click.UsageError("--levels: spreads a range of --std and its like; write a sweep out: --shot 0.001,0.01")
    if "channel_std" in words and kind.bare_unit is not None:
        refuse_slips(options["channel_std"], "std", kind.bare_unit, _largest(words["channel_std"], kind.bare_unit))
    _refuse_large(words, kind)
    mean = parse_share(options["mean"], kind.bare_unit)
    severity_set = _severity_set(kind, options)
    if "severity" not in given and severity_set != kind.severity_set:
        raise click.UsageError(f"--severity-set {severity_set}: goes with --severity, which says how strong")
    swept = [each.split(",") if (each := words.get(name)) else [None] for name in _SWEPT]
    levels: list[Level] = []
    for choice in itertools.product(*swept):
        own = words | {name: part.strip() for name, part in zip(_SWEPT, choice, strict=True) if part is not None}
        if text:
            steps = options["levels"]
            levels += parse_levels(
                text, quantity, kind.bare_unit, steps=steps, severity_set=severity_set, mean=mean, words=own
            )
        else:
            levels.append(of_an_option(parse_level)("", "std", kind.bare_unit, severity_set, mean, own))
    _refuse_ratios(quantity, levels, options)
    if len({level.canonical for level in levels}) < len(levels):
        raise click.BadParameter(f"{', '.join(words.values())}: names a level twice")
    return tuple(levels)


def _severity_set(kind: Kind, options: Mapping[str, Any]) -> str:
    """Return whose severities are meant."""
    wanted = options.get("severity_set") or kind.severity_set
    if kind.severity_sets and wanted not in kind.severity_sets:
        raise click.UsageError(f"--severity-set {wanted}: {kind.nouns} have {' and '.join(kind.severity_sets)}")
    return wanted


def _refuse_ratios(quantity: Quantity, levels: Sequence[Level], options: Mapping[str, Any]) -> None:
    """Refuse what does not go with signal-to-noise ratios, or with anything but them."""
    option = _option(quantity)
    if any(level.is_ratio and level.mean for level in levels):
        raise click.UsageError(f"--mean and {option} exclude each other: a ratio of powers has no place for a mean")
    if options.get("snr_of") and not any(level.is_ratio for level in levels):
        raise click.UsageError("--snr-of: goes with --snr-db or --severity; other levels do not depend on the signal")


@of_an_option
def _refuse_large(words: Mapping[str, str], kind: Kind) -> None:
    """Refuse 20 where 20% is meant, and a shot noise beyond full scale: numbers without a unit, surely slips."""
    for name, most in _LARGEST.items():
        for part in words.get(name, "").split(",") if kind.bare_unit is not None else ():
            number, unit = ends(part)[1] if part.strip() else (0.0, "")
            if not unit and number > most:
                of = "of each sample itself" if name == "speckle" else "of full scale, as a variance"
                raise BadLevel(f"--{name} {part}: is {number:.0%} {of}; write {number:g}% if that is meant")


def _refuse_empty(options: Mapping[str, Any]) -> None:
    """Refuse an empty text, as of an unset variable of a shell, which would be white noise in silence."""
    for name in WORDS:
        if isinstance(text := options.get(name), str) and not text.strip():
            raise click.UsageError(f"{_option(name)}: is empty; write a value, or leave it out")


def _option(name: str) -> str:
    """Return an option as it is typed."""
    return f"--{name.replace('_', '-')}"


@of_an_option
def _largest(stds: str, unit: float) -> float:
    """Return the largest std of the channels as a share of full scale."""
    return max(parse_share(text, unit) for text in stds.split(":"))


def words_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return which noise was asked for, in the words of noisecli.levels.noises; white Gaussian noise has none."""
    words = {name: options[name] for name in WORDS if options.get(name)}
    if words.get("corruption") == "gaussian":
        del words["corruption"]
    if "linear" in words:
        words["linear"] = ""
    if "channel_std" in words:
        words["channel_std"] = ":".join(part.strip() for part in words["channel_std"].split(","))
    return words


def _refuse_mixtures(quantity: str | None, words: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Refuse what says two things about one noise, or nothing."""
    if "corruption" in words and options.get("severity_set") not in (None, "imagenet-c"):
        raise click.UsageError(f"--severity-set {options['severity_set']}: goes with --corruption gaussian alone")
    fixed = [name for name in ("corruption", "camera", *_COLOURED) if name in words]
    others = [name for name in WORDS if name in words and name not in (*fixed, "linear")]
    if fixed and (others or len(fixed) > 1):
        both = " and ".join(_option(name) for name in [*fixed, *others][:2])
        raise click.UsageError(f"{both} exclude each other: each says which noise")
    if "corruption" in words and "linear" in words:
        raise click.UsageError("--linear and --corruption exclude each other: the published noise is none in light")
    if words and not words.keys() & {"corruption", *_COLOURED} and quantity in ("severity", "snr_db"):
        option = _option(quantity)
        raise click.UsageError(f"{option}: says how strong white noise is; give this noise --std, or none")
    if quantity and (words.keys() & {"camera", "channel_std"}):
        name = "camera" if "camera" in words else "channel_std"
        raise click.UsageError(f"{_option(quantity)} and {_option(name)} exclude each other: both say the std")
    if options.get("per_feature") and words:
        raise click.UsageError("--per-feature: for white noise alone; leave out --shot and --speckle")
    if words.keys() & {"corruption", "linear"} and parse_share(options["mean"], 1.0):
        raise click.UsageError("--mean: not with --corruption or --linear, whose noise has none")
    text = options.get("range")
    if text and words and parse_limits(text, "--range")[0] != 0:
        raise click.UsageError(
            f"--range {text}: with noises beside white Gaussian it starts at 0, from where they count; "
            "give --full-scale instead"
        )
