"""Images and samples that a model misreads: a gradient step, then noise."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self

from noisecli.kinds.images import IMAGES
from noisecli.kinds.record import Encoded, Kind, tuples


class AdversarySettings(NamedTuple):
    """The gradient step under the noise, and the model it is taken on.

    Attributes
    ----------
    model, model_sha256
        Path of a .keras file, and the digest of what it held when the run began.
    backend
        "torch" or "jax".
    eps
        How far, a share of full scale.
    classes
        Names of class folders, in the order of the model's answers.
    input_range
        Lowest and highest value that the model takes: black and white of an image.
    answers
        What the model's last layer gives.
    batch_size
        Samples whose gradients are computed together; the last bits of a gradient may depend on it.
    samples_key, labels_key
        Members of an .npz.
    """

    model: str
    model_sha256: str
    backend: str
    eps: float
    classes: tuple[str, ...]
    input_range: tuple[float, float]
    answers: Literal["logits", "probabilities"]
    batch_size: int = 32
    samples_key: str = "x"
    labels_key: str = "y"

    def fingerprint_fields(self) -> dict[str, Any]:
        """Every field but the model's path: where it lies changes nothing."""
        fields = self._asdict()
        del fields["model"]
        return {"adversary": fields}

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self | None:
        """Return the settings that fingerprint_fields() gave, without the model's path, which is not in run.json."""
        return None if recorded.get("adversary") is None else cls(model="", **tuples(recorded["adversary"]))


ADVERSARIAL = Kind(
    name="adversarial",
    summary="Images that a model misreads: a gradient sign step, then noise.",
    noun="file",
    nouns="files",
    formats={**IMAGES.formats, ".npz": Encoded("npz")},
    unsupported=IMAGES.unsupported,
    refused=IMAGES.refused,
    mask_formats=IMAGES.mask_formats,
    writes=IMAGES.writes,
    exact=IMAGES.exact,
    builder=IMAGES.builder,
    codec=IMAGES.codec,
    maker="noisecli.workers.adversarial.maker:AdversarialMaker",
    stage="noisecli.workers.adversarial.stage:GradientStage",
    bare_unit=IMAGES.bare_unit,
    severity_sets=("imagenet-c", "cifar-c"),
    own=AdversarySettings,
    needs_model=True,
    install=IMAGES.install,
)
