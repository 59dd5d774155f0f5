"""noisecli schema."""

from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.options.sections import SectionedArgument
from noisecli.cli.values import word_of
from noisecli.schemas import SCHEMAS, schema_of
from noisecli.storage.stdout import print_whole

_VARIANTS = list(dict.fromkeys(variant for described in SCHEMAS.values() for variant in described.variants))

KIND = o.option(
    "Output", "--kind", type=word_of(_VARIANTS),
    help="Of this command alone.  [default: whichever it is]",
)  # fmt: skip


@click.command("schema", cls=o.SectionedCommand)
@click.argument(
    "what", metavar="WHAT", type=word_of([*SCHEMAS]), cls=SectionedArgument, required=False,
    described=f"One of {', '.join(f'{name} ({described.title})' for name, described in SCHEMAS.items())}.",
)  # fmt: skip
@KIND
def command(what: str | None, **options: Any) -> int:
    """Print the JSON Schema (2020-12) of what noisecli writes and prints.

    Each key is described there: its meaning and its unit. No other keys are written.

    \b
    noisecli schema row --kind images
    noisecli schema summary --kind verify
    """  # noqa: D301 (click wants the character itself)
    import json
    import sys

    if what is None:
        raise click.UsageError(f"say which: {', '.join(SCHEMAS)}")
    kind: str | None = options["kind"]
    variants = SCHEMAS[what].variants
    if kind is not None and kind not in variants:
        of = f"it has {', '.join(variants)}" if variants else "it is the same for all"
        raise click.UsageError(f"--kind {kind}: not of schema {what}; {of}")
    if sys.stdout is None:
        raise click.UsageError("the schema goes to standard output, which is closed here")
    print_whole([json.dumps(schema_of(what, kind), indent=2).encode() + b"\n"])
    return 0
