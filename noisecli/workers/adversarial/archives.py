"""An .npz of samples and labels -> its samples with step and noise, in the process that has the model."""

import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from noisecli.codecs import ArraysSource, StoredArray
from noisecli.engines.process import time_limit
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.gradient.fgsm import Float32, Labels, Predictions, Signs
from noisecli.model import SampleSpec, Task
from noisecli.noise.measure import square_sum
from noisecli.workers import open_file
from noisecli.workers.adversarial.attack import Attack
from noisecli.workers.adversarial.maker import AnyArray, PreparedOutput, describe_step, in_storage_order, whole
from noisecli.workers.adversarial.stage import BatchItem
from noisecli.workers.array_choice import list_arrays
from noisecli.workers.scale import scaled

_PICTURES = ("uint8", "uint16")


def step_archive(attack: Attack, item: BatchItem) -> list[Task]:
    """Return the tasks of an archive, ready to be written. Raises FileFailed or FileSkipped."""
    settings = attack.settings
    with open_file(settings.source, item.source, settings.running.limits.max_bytes) as file:
        assert file is not None
        with (
            attack.maker.open(file) as opened,
            time_limit(settings.running.timeout + max(file.size, opened.size) / 1e6),
        ):
            archive = _Archive(attack, opened.source)
        with time_limit(settings.running.timeout * (1 + len(item.tasks)) * archive.batches):
            archive.step()
            return [task._replace(extra=pickle.dumps(archive.ready(task, file.sha256()))) for task in item.tasks]


class _Archive:
    """Samples and labels of one file, and what the model says of them."""

    def __init__(self, attack: Attack, source: ArraysSource) -> None:
        self._attack, adversary = attack, attack.adversary
        part = _member(source, adversary.samples_key, "--key")
        self._spec = self._spec_of(part)
        self._samples = whole(part)
        self.count = len(self._samples)
        self._labels = self._labels_of(_member(source, adversary.labels_key, "--labels"))
        self._check_range()

    def _spec_of(self, part: StoredArray) -> SampleSpec:
        """Return what the samples mean: integers are images, floats are in the model's own scale."""
        spec, expected = part.spec, self._attack.victim.input_shape
        low, high = self._attack.adversary.input_range
        name = shown(part.name)
        if spec is None or spec.components > 1 or not (spec.is_float or spec.dtype in _PICTURES):
            raise FileSkipped(
                "unsupported-samples", f"has {shown(part.dtype)} in {name!r}; images are uint8, uint16 or floats"
            )
        if (
            not part.shape
            or not part.shape[0]
            or part.shape[1:] not in (expected, expected[:-1] * (expected[-1:] == (1,)))
        ):
            raise FileFailed(
                "wrong-shape", f"has {name!r} of shape {shown(part.shape)}; the model takes samples of {expected}"
            )
        noise = self._attack.settings.noise
        if not spec.is_float:
            return scaled(replace(spec, full_scale=spec.high, low=0.0), noise)
        if noise.full_scale is not None or noise.range is not None:
            words = f"has floats in {name!r}, in the model's own scale, which --input-range says; omit the other one"
            raise FileFailed("out-of-range", words)
        return replace(spec, full_scale=high - low, low=low, high=high)

    def _labels_of(self, part: StoredArray) -> Labels:
        name, classes = shown(part.name), self._attack.victim.classes
        if part.spec is None or part.spec.is_float or part.shape not in ((self.count,), (self.count, 1)):
            shape = f"{shown(part.dtype)} of shape {shown(part.shape)}"
            raise FileFailed(
                "no-label", f"has {shape} in {name!r}; labels are one integer for each of {self.count} samples"
            )
        labels = whole(part).reshape(-1)
        if labels.min() < 0 or labels.max() >= classes:
            raise FileFailed(
                "no-label", f"has labels from {labels.min()} to {labels.max()}; the model has {classes} classes from 0"
            )
        return labels.astype(np.int32)

    def _check_range(self) -> None:
        lowest, highest = self._samples.min(), self._samples.max()
        if not self._spec.low <= lowest <= highest <= self._spec.high:
            raise FileFailed(
                "out-of-range",
                f"has samples from {lowest:g} to {highest:g}, outside {self._spec.low:g}..{self._spec.high:g}; "
                + ("say what the model takes: --input-range LO..HI" if self._spec.is_float else "give it wider limits"),
            )

    def _inputs(self, samples: AnyArray) -> Float32:
        """Return so many samples and holes behind them, as the model takes them."""
        given = samples if self._spec.is_float else self._attack.input_of(samples, self._spec)
        shape = self._attack.victim.input_shape
        batch = self._attack.empty_batch(tuple(size for size in shape if size is not None))
        batch[: len(samples)] = given.reshape(len(samples), *batch.shape[1:])
        return batch

    def _batches(self) -> Iterator[tuple[slice, Labels]]:
        size = self._attack.adversary.batch_size
        for start in range(0, self.count, size):
            place = slice(start, min(start + size, self.count))
            labels = np.zeros(size, np.int32)
            labels[: place.stop - start] = self._labels[place]
            yield place, labels

    @property
    def batches(self) -> int:
        """How many batches its samples are."""
        return -(-self.count // self._attack.adversary.batch_size)

    def step(self) -> None:
        """Ask the model which way each sample is to go, and what it says before and after."""
        signs: list[Signs] = []
        before, after = [], []
        eps = self._attack.input_eps(self._spec)
        for place, labels in self._batches():
            stepped = self._attack.attacker.step(self._inputs(self._samples[place]), labels, eps)
            held = place.stop - place.start
            if not stepped.finite[:held].all():
                raise FileFailed("not-finite", "gives the model a gradient that is not a number; check its loss")
            signs.append(stepped.signs[:held])
            before.append(_first(stepped.before, held))
            after.append(_first(stepped.after, held))
        self._signs = np.concatenate(signs).reshape(self._samples.shape)
        self._before, self._after_step = _joined(before), _joined(after)

    def ready(self, task: Task, sha256: str) -> PreparedOutput:
        """Return an output's samples, and what its row says."""
        flat = np.ascontiguousarray(self._samples).reshape(-1)
        rms = (square_sum(flat) / flat.size) ** 0.5 if task.level.is_ratio else None
        drawn, field = self._attack.draw(task, self._spec, rms)
        noisy = np.empty_like(self._samples)
        after = []
        for place, labels in self._batches():
            noisy[place] = field.add(self._samples[place], self._signs[place])
            answered = self._attack.attacker.look(self._inputs(noisy[place]), labels)
            after.append(_first(answered, place.stop - place.start))
        said = {"before": self._before, "step": self._after_step, "after": _joined(after)}
        eps, full_scale = self._attack.eps_of(self._spec), self._spec.full_scale
        member = self._attack.adversary.samples_key
        described = describe_step(eps, full_scale, self._labels, said, place=None, member=member)
        stored = in_storage_order(noisy, self._spec)
        return PreparedOutput(sha256, self._spec, stored, field.made_of(drawn), field.measure, described)


def _member(source: ArraysSource, name: str, option: str) -> StoredArray:
    for part in source.parts:
        if part.name == name:
            return part
    there = list_arrays(source.parts) or "nothing at all"
    raise FileFailed("no-match", f"has no array {shown(name)!r}, but {there}; say which: {option} NAME")


def _first(answered: Predictions, count: int) -> Predictions:
    return Predictions(answered.losses[:count], answered.classes[:count])


def _joined(answered: list[Predictions]) -> Predictions:
    return Predictions(
        np.concatenate([one.losses for one in answered]), np.concatenate([one.classes for one in answered])
    )
