"""noisecli verify."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.annotations import annotate_differences
from noisecli.cli.messages import count, progress_bar, say_shard
from noisecli.cli.outcome import this_outcome
from noisecli.cli.request import manifest_of, refuse_odd_output
from noisecli.cli.tars import finished_at, tars_in
from noisecli.cli.terminal import say, say_block
from noisecli.cli.urls import require_path
from noisecli.engines import default_jobs
from noisecli.manifest.destination import Names, read_run
from noisecli.settings import Running
from noisecli.storage import folder_at
from noisecli.verify.check import Request, verify
from noisecli.verify.report import Report

MODEL = o.option(
    "Files", "--model", metavar="FILE",
    help="Of an adversarial run, with --recompute: the model that it was made with.",
)  # fmt: skip
MASK = o.option(
    "Files", "--mask", metavar="DIR",
    help="Of images with --mask, with --recompute: the masks that they were made with.",
)  # fmt: skip
RECOMPUTE = o.option(
    "Files", "--recompute", metavar="[SRC]", is_flag=False, flag_value="",
    help="Recompute every output from SRC (latents need none) in a scratch folder, and compare.",
)  # fmt: skip


@click.command("verify", cls=o.SectionedCommand)
@o.FINISHED
@o.apply(RECOMPUTE, MODEL, MASK, o.MANIFEST, o.EXCLUDE)
@o.apply(o.JOBS, o.ENGINE, o.TIMEOUT, o.MAX_PIXELS, o.SOURCE_LIMITS)
@o.COMMON_OUTPUT
def command(destination: str, **options: Any) -> int:
    """Check every file against the manifest.

    Every output, and the clean one beside it, must be there with the size and digest of its row, and must decode to the
    samples its row records. Side files must be as they were put there. Dataset files that are on no list are reported,
    and exports in DST that the manifest has left behind. Exit status 0: nothing differs, 1: something does, 2: DST
    holds no run, or one that did not finish.

    \b
    noisecli verify noisy                         a line for each difference
    noisecli verify noisy --recompute photos      and recompute the noise, byte for byte
    noisecli verify hard --recompute photos --model m.keras    a gradient step too
    """  # noqa: D301 (click wants the character itself)
    refuse_odd_output(options)
    if options["model"] is not None and options["recompute"] is None:
        raise click.UsageError("--model is what outputs are recomputed with; add --recompute SRC")
    if options["model"] is not None:
        require_path(options["model"], "--model")
    if options["mask"] is not None and options["recompute"] is None:
        raise click.UsageError("--mask is what outputs are recomputed with; add --recompute SRC")
    place = finished_at(destination, manifest_of(options))
    source = options["recompute"]
    if place != destination and source:
        source = tars_in(source, _kind(place, manifest_of(options))) or source
    request = Request(
        destination=place,
        source=source,
        model=options["model"],
        mask=options["mask"],
        manifest=manifest_of(options),
        exclude=options["exclude"],
        running=Running(
            engine=options["engine"],
            jobs=options["jobs"] or default_jobs(options["engine"]),
            timeout=options["timeout"],
            limits=o.limits_of(options),
        ),
    )
    with progress_bar(options, _kind(place, request.manifest)) as begin:
        report = verify(request, begin)
    _report(report, destination, options)
    return report.exit_status


def _kind(destination: str, manifest: str) -> str:
    """What the bar counts."""
    run = read_run(folder_at(destination), Names.of(manifest).run) or {}
    return str(run.get("kind", "images"))


def _report(report: Report, destination: str, options: Mapping[str, Any]) -> None:
    this_outcome().counters = report.as_json
    for difference in report.differences:
        say(difference.line)
        if options["verbose"] and difference.trace:
            say_block(difference.trace)
    annotate_differences(report, destination, options)
    if not options["quiet"]:
        for line in _lines(report, destination):
            say(line)
        say_shard(manifest_of(options))


def _lines(report: Report, destination: str) -> Iterator[str]:
    side_files = f" and {count(report.sidecars, 'side file')}" if report.sidecars else ""
    parts = [f"{count(report.rows, 'row')}{side_files} verified"]
    parts += [f"{count(report.remade, 'output')} recomputed"] if report.remade else []
    words = count(len(report.differences), "difference") if report.differences else "nothing differs"
    yield f"{', '.join(parts)}, {words}: {destination}"
    if report.not_comparable:
        made_by = ", ".join(f"{name} {version}" for name, version in report.versions.items() if name != "numpy")
        yield f"{report.not_comparable:,} outputs could not be recomputed the same: lossy, and made by {made_by}"
