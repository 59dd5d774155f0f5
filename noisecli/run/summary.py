"""Counters; they own the exit status."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from noisecli.effects import Effect
from noisecli.model import Made, Problem, Survival
from noisecli.run.examples import Examples
from noisecli.words import word_of

_NOTABLY_CLIPPED = 0.01
_NOTABLY_OFF_DB = 0.5


@dataclass
class Means:
    """How many outputs something is said of; the means of their effects, of the SNR over those that have one."""

    outputs: int = 0
    clipped_fraction: float = 0.0
    kept: float = 0.0
    snr_db: float | None = None
    with_snr: int = 0
    asked: float | None = None
    measured: float | None = None
    compared: int = 0

    def note(self, effect: Effect) -> None:
        """Count one more output."""
        self.outputs += 1
        self.clipped_fraction += (effect.clipped - self.clipped_fraction) / self.outputs
        self.kept += (effect.kept - self.kept) / self.outputs
        if effect.snr_db is not None:
            self.with_snr += 1
            before = self.snr_db or 0.0
            self.snr_db = before + (effect.snr_db - before) / self.with_snr
        if effect.asked is not None and effect.measured is not None:
            self.compared += 1
            asked, measured = self.asked or 0.0, self.measured or 0.0
            self.asked = asked + (effect.asked - asked) / self.compared
            self.measured = measured + (effect.measured - measured) / self.compared

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, rounded: the last digits depend on the order in which outputs came."""
        values = asdict(self).items()
        return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values}


@dataclass
class Summary:
    """What a run did."""

    planned: int = 0
    made: int = 0
    kept: int = 0
    pruned: int = 0
    """Outputs asked for, made, left as they were, and removed by --prune."""
    unchanged: int = 0
    """Of those made, the ones in which no sample changed: silence, --prob, a level of none, rounding."""
    rounded_away: int = 0
    """Of those unchanged, the ones that rounding took all noise from."""
    strength: dict[str, Means] = field(default_factory=dict)
    """Of those made, the ones with noise, by level."""
    clipped: dict[str, Means] = field(default_factory=dict)
    """Of those made, the ones of which the clip changed more than 1% of the samples, by level."""
    snr_missed: int = 0
    """Of those made, the ones whose SNR is more than half a decibel from the one asked for, by clip or rounding."""
    drowned: Means = field(default_factory=Means)
    """Of those made, the ones with more noise than signal, where the level was not asked for relative to it."""
    replaced: int = 0
    """Of those made, the ones that took the place of an earlier run's."""
    orphans: int = 0
    """Outputs whose source is not in SRC."""
    leftovers: int = 0
    """Outputs of earlier requests that this one does not ask for, though it chose their source."""
    sources: int = 1
    """From how many folders the outputs were made, by this run and earlier ones."""
    failed: int = 0
    skipped: int = 0
    """Sources; each has one status."""
    input_bytes: int = 0
    """Of all sources planned; of a run that was stopped, of those it came to."""
    output_bytes: int = 0
    """Of those made, the clean ones beside them too."""
    sidecars_copied: int = 0
    sidecars_left: int = 0
    sidecars_kept: int = 0
    """Side files of earlier runs, where this one carries none."""
    sidecars_stale: int = 0
    sidecars_pruned: int = 0
    """Side files of earlier runs that this request does not ask for, or whose source is gone, and those removed."""
    labels_rewritten: int = 0
    """Side files that name images, or one image, and whose copies name the outputs instead."""
    labels_told: list[str] = field(default_factory=list)
    """Side files that name images and cannot be kept true, a line each."""
    labels_alone: list[str] = field(default_factory=list)
    sources_alone: list[str] = field(default_factory=list)
    """Labels without a source, and sources without a label, where most beside them have one."""
    other_kinds: dict[str, int] = field(default_factory=dict)
    masks: int = 0
    """Label masks, and arrays of labels, among the sources: skipped, and side files."""
    masks_asked_for: int = 0
    """Sources that look like labels, and got noise as they were named."""
    hidden: int = 0
    not_chosen: int = 0
    """Files of SRC that are no sources of this run, the last five."""
    survival: dict[str, Survival] = field(default_factory=dict)
    """What lossy outputs keep of the noise on disk, by level; the mean over those measured."""
    answers: dict[str, float] = field(default_factory=dict)
    """Adversarial: the share of samples that the model answers rightly before, after the step alone, and after step and
    noise; what would be right by chance, where it is hardly more before."""
    noised: Counter[str] = field(default_factory=Counter)
    """Of archives, the arrays that noise was put on, and in how many outputs."""
    not_noised: Counter[str] = field(default_factory=Counter)
    """Of archives, the arrays of numbers that were left without noise unasked, and in how many outputs."""
    warnings: Counter[str] = field(default_factory=Counter)
    """How many outputs have each fixed word."""
    problems: list[Problem] = field(default_factory=list)
    not_in_depfile: int = 0
    """Sources whose name Make has no spelling for."""
    future: str | None = None
    """With a depfile, a source whose time is still to come: Make never takes the manifest for newer."""
    stopped: str | None = None
    shard: str | None = None
    """Which part of a run this was, as 2/3."""
    dry_run: bool = False
    held: bool = False
    """Whether only what would happen was counted; whether another run held the destination meanwhile."""
    is_one_file: bool = False
    ignore_errors: bool = False
    """Whether SRC was one file, and whether --on-error ignore was given."""

    def __post_init__(self) -> None:
        """Begin what is for people alone, and no field: when the run began, and files that something is said of."""
        self.begun = time.monotonic()
        self.examples: defaultdict[str, Examples] = defaultdict(Examples)

    def note_made(self, made: Made, *, replaced: bool = False) -> None:
        """Count an output that stands: after its write, never before."""
        self.made += 1
        self.replaced += replaced
        self.output_bytes += made.size
        effect = made.effect
        self._note_unchanged(made)
        if made.applied and effect.level:
            self.strength.setdefault(effect.level, Means()).note(effect)
        if effect.clipped > _NOTABLY_CLIPPED:
            self.clipped.setdefault(effect.level, Means()).note(effect)
            self.examples["clipped"].add(f"{made.output}: {effect.clipped:.1%}")
        if effect.is_ratio and effect.asked is not None and effect.measured is not None:
            off = effect.measured - effect.asked
            if abs(off) > _NOTABLY_OFF_DB:
                self.snr_missed += 1
                self.examples["snr"].add(f"{made.output}: {effect.asked:.1f} dB asked, {effect.measured:.1f} dB there")
        if effect.drowned:
            self.drowned.note(effect)
            self.examples["drowned"].add(made.output)
        self.noised.update(made.noised)
        self.not_noised.update(made.not_noised)
        for warning in made.warnings:
            word, what = word_of(warning), warning.partition(": ")[2]
            self.warnings[word] += 1
            self.examples[word].add(f"{made.output}: {what}" if what else made.output)

    def _note_unchanged(self, made: Made) -> None:
        if not made.applied:
            self.unchanged += 1
            self.rounded_away += made.effect.rounded_away
            self.examples["rounded" if made.effect.rounded_away else "unchanged"].add(made.output)

    def note_problem(self, problem: Problem) -> None:
        """Count a source that failed or was skipped."""
        self.problems.append(problem)
        if problem.status == "failed":
            self.failed += 1
        else:
            self.skipped += 1

    @property
    def exit_status(self) -> int:
        """0 all done or skipped, 1 some failed or the one file named was not made, 3 stopped on the way."""
        if self.stopped is not None:
            return 3
        incomplete = self.failed or (self.is_one_file and self.skipped)
        return 1 if incomplete and not self.ignore_errors else 0

    @property
    def nothing_made(self) -> bool:
        """Whether there is no output for any of the files that were found."""
        return bool(self.failed or self.skipped) and not (self.made or self.kept or self.stopped)

    def as_json(self) -> dict[str, Any]:
        """Return the whole as plain data, the same for any order in which outputs came."""
        # asdict() would make a Counter of its pairs
        tables = {
            name: _sorted(getattr(self, name))
            for name in ("warnings", "noised", "not_noised", "strength", "clipped", "survival")
        }
        ordered = sorted(self.problems, key=lambda problem: (problem.source, problem.status))
        return {
            **{item.name: getattr(self, item.name) for item in fields(self)},
            **tables,
            "drowned": self.drowned.as_json(),
            "problems": [problem.as_entry() for problem in ordered],
        }


def _sorted(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.as_json() if isinstance(value, Means) else value for key, value in sorted(table.items())}
