"""The model with its request: how samples become its input, and what one output's step and noise are."""

import math
import os
import pickle

import numpy as np

from noisecli.errors import FileFailed, Refused
from noisecli.gradient.fgsm import Attacker, Float32, versions
from noisecli.gradient.victim import Victim, load_victim
from noisecli.kinds.adversarial import AdversarySettings
from noisecli.model import SampleSpec, Task
from noisecli.noise.draw import Draw, draw
from noisecli.noise.measure import round_significant
from noisecli.noise.models.signed_step import StepField
from noisecli.noise.stream import Streams
from noisecli.settings import Settings, own_settings
from noisecli.storage import escape_name, file_sha256
from noisecli.workers import WorkerContext
from noisecli.workers.adversarial.maker import AdversarialMaker, AnyArray
from noisecli.workers.worker import load_codec

_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # one thread, as torch has by OMP_NUM_THREADS: how work is cut into threads shows in a gradient's last bits
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
_DIGITS = 9


class Attack:
    """The model, loaded once, and the request it is loaded for. Raises Refused."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.adversary = settings, own_settings(settings, AdversarySettings)
        self._codec = load_codec(settings.kind)
        self.maker = AdversarialMaker(WorkerContext(settings, "", self._codec))
        self.victim = _load(self.adversary)
        self.attacker = Attacker(self.victim, self.adversary.backend, *self.adversary.input_range)

    def refuse_other_pictures(self) -> None:
        """Raise Refused for a model that takes no images, or whose classes are not those of the folders."""
        path, shape = escape_name(self.adversary.model), self.victim.input_shape
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)):
            raise Refused(f"{path}: takes {shape}; of images, (height, width, 1 or 3) or (height, width) is needed")
        if None in shape and self.adversary.batch_size > 1:
            raise Refused(f"{path}: takes images of any size, and those of a batch have one; add --batch-size 1")
        known = len(self.adversary.classes)
        if known != self.victim.classes:
            raise Refused(
                f"{path}: distinguishes {self.victim.classes:,} classes and there are {known:,} class folders, so "
                "which is which is a guess; name all classes in the model's order: --classes FILE or a,b,c"
            )

    def input_of(self, samples: AnyArray, spec: SampleSpec) -> Float32:
        """Return samples, black and white of which are the ends of spec, in the model's own scale."""
        low, high = self.adversary.input_range
        shares = (samples - spec.low if spec.low else samples) / spec.full_scale
        scaled: Float32 = (low + (high - low) * shares).astype(np.float32)
        return scaled

    def eps_of(self, spec: SampleSpec) -> float:
        """Return eps in the native unit of some samples."""
        return round_significant(self.adversary.eps * spec.full_scale, _DIGITS)

    def input_eps(self, spec: SampleSpec) -> float:
        """Return the same eps in the model's own scale."""
        low, high = self.adversary.input_range
        return self.eps_of(spec) / spec.full_scale * (high - low)

    def draw(self, task: Task, spec: SampleSpec, rms: float | None) -> tuple[Draw, StepField]:
        """Draw an output's noise, or take what its row recorded; the step is made with or without it.

        Raises FileFailed.
        """
        if task.extra:
            drawn: Draw = pickle.loads(task.extra)
        else:
            drawn = draw(task.level, spec, Streams(task.key), self.settings.noise.probability, rms)
        if not math.isfinite(drawn.std):
            raise FileFailed("out-of-range", "has samples too large for the arithmetic of doubles; scale them down")
        return drawn, StepField(task.key, spec, drawn.std, drawn.mean, self.eps_of(spec))

    def empty_batch(self, shape: tuple[int, ...]) -> Float32:
        """Return a batch of holes: always as many, so that a sample's place in it says how it is computed."""
        return np.zeros((self.adversary.batch_size, *shape), np.float32)

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that outputs depend on."""
        return {"numpy": np.__version__, **self._codec.versions(), **versions(self.adversary.backend)}


def _load(adversary: AdversarySettings) -> Victim:
    """Load the model, with Keras on the backend that was chosen."""
    os.environ["KERAS_BACKEND"] = adversary.backend
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    path = escape_name(adversary.model)
    if file_sha256(adversary.model) != adversary.model_sha256:
        raise Refused(f"{path}: changed since the run began; run again when its writer is done")
    try:
        victim = load_victim(adversary.model, adversary.answers)
    except Refused as error:
        raise Refused(f"{path}: {error}") from error
    return victim
