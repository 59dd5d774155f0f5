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
    "images": ("noisecli.run.samples", "SampleMaker"),
    "audio": ("noisecli.run.samples", "SampleMaker"),
    "arrays": ("noisecli.run.parts", "PartsMaker"),
    "weights": ("noisecli.run.parts", "PartsMaker"),
    "latents": ("noisecli.run.latents", "LatentsMaker"),
    "adversarial": ("noisecli.run.adversarial_maker", "AdversarialMaker"),
}
