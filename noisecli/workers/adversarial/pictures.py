"""Batches of images -> their samples with step and noise, in the one process that has the model."""

import pickle
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisecli.engines.process import time_limit
from noisecli.errors import FileFailed, FileSkipped, Stopped
from noisecli.gradient.fgsm import Float32, Labels, Predictions, StepResult
from noisecli.model import Problem, SampleSpec, Task
from noisecli.settings import Settings
from noisecli.workers import open_file
from noisecli.workers.adversarial.archives import step_archive
from noisecli.workers.adversarial.attack import Attack
from noisecli.workers.adversarial.maker import AnyArray, PreparedOutput, describe_step
from noisecli.workers.adversarial.stage import BatchItem, BatchResult
from noisecli.workers.problems import problem_of

_COLOURS = 3


class Stepping:
    """The job of the one process that has the model, which it loads for its first batch."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._attack: Attack | None = None

    def work(self, items: list[BatchItem]) -> BatchResult:
        """Work one batch of images out, or one archive. Raises Refused for what no file can be blamed for."""
        if self._attack is None:
            self._attack = Attack(self._settings)
        attack = self._attack
        if items[0].label is None:
            done = _archive(attack, items[0])
        else:
            attack.refuse_other_pictures()
            try:
                done = _Batch(attack).work(items)
            except MemoryError:
                raise Stopped("the model needs more memory than there is for a batch; lower --batch-size") from None
        return BatchResult(*done, attack.versions(), attack.victim.classes)


def _archive(attack: Attack, item: BatchItem) -> tuple[list[Task], list[Problem]]:
    try:
        return step_archive(attack, item), []
    except Exception as error:
        return [], [problem_of(item.source, error)]


@dataclass(frozen=True)
class _Picture:
    """A decoded source: its colour channels as stored, and the root mean square that a ratio is of."""

    item: BatchItem
    label: int
    spec: SampleSpec
    coloured: AnyArray
    sha256: str
    rms: float | None


class _Batch:
    """One batch of images; what cannot be decoded leaves a hole in it and changes nothing for the others."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self._problems: list[Problem] = []

    def work(self, items: list[BatchItem]) -> tuple[list[Task], list[Problem]]:
        """Return the tasks of all images that could be done, ready to be written, and what became of the others."""
        pictures = [picture for item in items if (picture := self._decoded(item)) is not None]
        if not pictures:
            return [], self._problems
        labels = np.zeros(self._attack.adversary.batch_size, np.int32)
        for picture in pictures:
            labels[picture.item.slot] = picture.label
        try:
            return self._stepped(pictures, labels, most_tasks(items)), self._problems
        except Exception as error:
            # of several, none can be blamed for what the model does with all of them
            if len(pictures) > 1:
                raise
            self._problems.append(problem_of(pictures[0].item.source, error))
            return [], self._problems

    def _stepped(self, pictures: list[_Picture], labels: Labels, most: int) -> list[Task]:
        """Ask the model which way each image is to go, and make all outputs of all images."""
        running = self._attack.settings.running
        with time_limit(running.timeout * len(pictures)):
            inputs = self._inputs([(picture, picture.coloured) for picture in pictures])
            stepped = self._attack.attacker.step(inputs, labels, self._attack.input_eps(pictures[0].spec))
            done = [self._made(number, pictures, labels, stepped) for number in range(most)]
        return [task for tasks in done for task in tasks]

    def _decoded(self, item: BatchItem) -> _Picture | None:
        running, source = self._attack.settings.running, item.source
        try:
            with (
                time_limit(running.timeout + item.tasks[0].size / 1e6),
                open_file(self._attack.settings.source, source, running.limits.max_bytes) as file,
                self._attack.maker.open(file) as opened,
            ):
                assert file is not None
                assert item.label is not None
                spec = self._attack.maker.spec_of_output(opened.source)
                frames = [frame.copy() for frame in opened.source.blocks()]
                coloured = self._coloured(frames, spec)
                in_db = any(task.level.is_ratio for task in item.tasks)
                rms = self._attack.maker.rms(opened.source, spec) if in_db else None
                return _Picture(item, item.label, spec, coloured, file.sha256(), rms)
        except Exception as error:
            self._problems.append(problem_of(source, error))
            return None

    def _coloured(self, frames: list[AnyArray], spec: SampleSpec) -> AnyArray:
        """Return the channels that the model sees. Raises FileFailed where it takes others, or another size."""
        if len(frames) > 1:
            raise FileFailed("wrong-shape", f"has {len(frames)} pages, and a model takes one image; split it")
        if spec.low < 0 and self._attack.settings.noise.range is None:
            words = "has signed samples, in which black and white mean nothing here; say them: --range LO..HI"
            raise FileSkipped("unsupported-samples", words)
        [frame] = frames
        bands = spec.noisy_channels or frame.shape[-1]
        if frame.ndim == 3 and bands != _COLOURS:
            raise FileFailed("wrong-shape", f"has {bands} bands, neither grey nor colour; choose some first")
        coloured = frame[..., :_COLOURS] if frame.ndim == 3 else frame
        expected = self._attack.victim.input_shape
        channels = expected[2] if len(expected) == 3 else 1
        if (coloured.ndim == 3) != (channels == _COLOURS):
            its, wanted = ("colour", "grey") if coloured.ndim == 3 else ("grey", "colour")
            raise FileFailed("wrong-shape", f"is {its}, and the model takes {wanted}; convert it first")
        if any(size not in (None, own) for size, own in zip(expected, coloured.shape[:2], strict=False)):
            own, size = (f"{shape[1]} x {shape[0]}" for shape in (coloured.shape, expected))
            raise FileFailed("wrong-shape", f"is {own}, and the model takes {size}; resize it first")
        return coloured

    def _inputs(self, arrays: list[tuple[_Picture, AnyArray]]) -> Float32:
        """Return a batch, each image in its slot. The model sees red, green, blue; OpenCV gives the reverse."""
        shape = self._attack.victim.input_shape
        known = tuple(arrays[0][1].shape[axis] if size is None else size for axis, size in enumerate(shape))
        batch = self._attack.empty_batch(known)
        for picture, array in arrays:
            ordered = array[..., ::-1] if array.ndim == 3 else array
            batch[picture.item.slot] = self._attack.input_of(ordered, picture.spec).reshape(known)
        return batch

    def _made(self, number: int, pictures: list[_Picture], labels: Labels, stepped: StepResult) -> list[Task]:
        """Return one task of each image, ready to be written: its samples, and what the model says of them."""
        ready = [ready for picture in pictures if (ready := self._noisy(number, picture, stepped)) is not None]
        if not ready:
            return []
        after = self._attack.attacker.look(self._inputs([(picture, ready.noisy) for picture, ready in ready]), labels)
        tasks = []
        for picture, done in ready:
            slot = picture.item.slot
            own = slice(slot, slot + 1)
            answered = {"before": stepped.before, "step": stepped.after, "after": after}
            said = {when: Predictions(all_.losses[own], all_.classes[own]) for when, all_ in answered.items()}
            eps, full_scale = self._attack.eps_of(picture.spec), picture.spec.full_scale
            described = describe_step(eps, full_scale, labels[own], said, place=slot, member=None)
            done.step.update(described)
            tasks.append(picture.item.tasks[number]._replace(extra=pickle.dumps(done)))
        return tasks

    def _noisy(self, number: int, picture: _Picture, stepped: StepResult) -> tuple[_Picture, PreparedOutput] | None:
        item = picture.item
        if number >= len(item.tasks):
            return None
        try:
            if not stepped.finite[item.slot]:
                raise FileFailed("not-finite", "gives the model a gradient that is not a number; check its loss")
            drawn, field = self._attack.draw(item.tasks[number], picture.spec, picture.rms)
            noisy = field.add(picture.coloured, _as_stored(stepped.signs[item.slot], picture.coloured))
        except Exception as error:
            self._problems.append(problem_of(item.source, error))
            return None
        return picture, PreparedOutput(picture.sha256, picture.spec, noisy, field.made_of(drawn), field.measure, {})


def most_tasks(items: list[BatchItem]) -> int:
    """Return how many outputs the source with the most of them has."""
    return max(len(item.tasks) for item in items)


def _as_stored(signs: NDArray[np.int8], coloured: AnyArray) -> NDArray[np.int8]:
    """Return the signs in the order of an image's stored channels."""
    ordered = signs[..., ::-1] if coloured.ndim == 3 else signs
    return np.ascontiguousarray(ordered).reshape(coloured.shape)
