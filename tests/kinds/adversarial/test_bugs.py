"""In the process that has the model, too, one hostile file costs itself. A model made of words will do."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from noisecli.errors import Refused, Stopped
from noisecli.model import Level, SampleSpec, Task
from noisecli.settings import NoiseSettings, Settings
from noisecli.workers import OpenSource
from noisecli.workers.adversarial import pictures
from noisecli.workers.adversarial.stage import BatchItem

LEVEL = Level("std", 0.1, 0.1, "10%")


class Maker:
    """Opens a grey picture, or raises what the name of a file says."""

    def __init__(self, errors):
        self.errors = errors

    @contextlib.contextmanager
    def open(self, file):
        for word, error in self.errors.items():
            if word in file.read().decode():
                raise error
        yield OpenSource(file, SimpleNamespace(blocks=lambda: [np.zeros((4, 4), np.uint8)]))

    def spec_of_output(self, source):
        return SampleSpec("uint8", (4, 4), 255.0, 0.0, 255.0)


@pytest.fixture
def work(tmp_path, monkeypatch):
    def run(names, errors, step=None):
        def stepping(*_):
            raise step

        settings = Settings("adversarial", str(tmp_path), str(tmp_path / "dst"), NoiseSettings(levels=(LEVEL,)))
        attack = SimpleNamespace(
            settings=settings,
            adversary=SimpleNamespace(batch_size=4),
            maker=Maker(errors),
            victim=SimpleNamespace(input_shape=(4, 4), classes=3),
            attacker=SimpleNamespace(step=stepping),
            input_eps=lambda spec: 0.1,
            input_of=lambda samples, spec: samples.astype(np.float32) / spec.full_scale,
            empty_batch=lambda shape: np.zeros((4, *shape), np.float32),
            refuse_other_pictures=lambda: None,
            versions=dict,
        )
        monkeypatch.setattr(pictures, "Attack", lambda settings: attack)
        items = []
        for place, name in enumerate(names):
            (tmp_path / name).write_text(name)
            task = Task(name, name, None, LEVEL, 1, bytes(16), 1)
            items.append(BatchItem(name, None if name.endswith(".npz") else 0, place, (task,)))
        return pictures.Stepping(settings).work(items)

    return run


@pytest.mark.parametrize("name", ["hostile.png", "hostile.npz"])
@pytest.mark.parametrize("error", [ValueError("oh"), RecursionError(), AssertionError(), StopIteration()], ids=repr)
def test_a_file_that_raises_costs_itself(work, name, error):
    done = work([name], {"hostile": error})
    assert [(problem.source, problem.reason) for problem in done.problems] == [(name, "internal-error")]
    assert "Traceback" in done.problems[0].trace


@pytest.mark.parametrize(
    ("names", "step", "ends"),
    [
        (["a.png"], ValueError("too small for the model"), None),
        (["a.png", "b.png"], ValueError("of all together"), ValueError),
        (["a.png", "b.png"], MemoryError(), Stopped),
        (["a.png"], Stopped("the disk is full"), Stopped),
        (["a.png"], Refused("no such model"), Refused),
    ],
)
def test_what_a_model_raises(work, names, step, ends):
    if ends is None:
        assert [problem.reason for problem in work(names, {}, step).problems] == ["internal-error"]
    else:
        with pytest.raises(ends):
            work(names, {}, step)
