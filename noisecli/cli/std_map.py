"""--with-std-map: what it has no meaning for."""

import click

from noisecli.noise.models import MODELS
from noisecli.settings import Settings
from noisecli.shards import split_manifest


def refuse_std_map(settings: Settings) -> None:
    """Refuse maps of std where there is no std, and where they would be taken for something else."""
    if not settings.output.with_std_map:
        return
    if not all(MODELS[level.noise].has_std for level in settings.noise.levels):
        raise click.UsageError("--with-std-map: impulse noise has no std of a sample; its row has the amount")
    if split_manifest(settings.output.manifest)[0] == "metadata.jsonl":
        raise click.UsageError(
            "--with-std-map: Hugging Face datasets would read the maps that --manifest metadata.jsonl names as images; "
            "omit --manifest, and use noisecli export --to hf"
        )
