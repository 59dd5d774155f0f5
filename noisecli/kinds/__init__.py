"""The kinds of data and the modules that serve them, by name: light enough to be read before the command line loads."""

from __future__ import annotations

CODECS = {
    "images": "noisecli.codecs.image",
    "audio": "noisecli.codecs.audio",
    "arrays": "noisecli.codecs.arrays",
    "weights": "noisecli.codecs.weights",
    "latents": "noisecli.codecs.arrays",
    "adversarial": "noisecli.codecs.image",
}
MAKERS = {
    "images": ("noisecli.workers.samples", "SampleMaker"),
    "audio": ("noisecli.workers.samples", "SampleMaker"),
    "arrays": ("noisecli.workers.arrays", "ArraysMaker"),
    "weights": ("noisecli.workers.arrays", "ArraysMaker"),
    "latents": ("noisecli.workers.latents", "LatentsMaker"),
    "adversarial": ("noisecli.workers.adversarial.maker", "AdversarialMaker"),
}
