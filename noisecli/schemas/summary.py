"""The object that --json prints, by command."""

from collections.abc import Mapping
from typing import Any

from noisecli.exports import EXPORTS
from noisecli.kinds import KINDS
from noisecli.run.merge import Merged
from noisecli.run.summary import Means, Summary
from noisecli.schemas import errors
from noisecli.schemas.parts import Schema, of_type, properties_of, record
from noisecli.verify.report import Difference, Report

COMMANDS = (*KINDS, "preview", "verify", "export", "merge", "none")
"""The commands that have --json; "none" is what is printed where the first word is no command."""
_STATUSES = [0, 1, 2, 3, 129, 130, 143]

_RUN = {
    "planned": "Outputs asked for.",
    "made": "Outputs made; in a dry run, that would be made.",
    "kept": "Outputs that hold as they are.",
    "pruned": "Outputs removed by --prune.",
    "unchanged": "Of those made, the ones in which no sample changed.",
    "rounded_away": "Of those unchanged, the ones that rounding took all noise from.",
    "strength": "Of those made, the ones with noise, by level: how many, and what is there on average.",
    "clipped": "Of those made, the ones with more than 1% of their samples clipped, by level.",
    "snr_missed": "Of those made, the ones whose SNR is more than 0.5 dB from the one asked for, by clip or rounding.",
    "drowned": "Of those made, the ones with more noise than signal, where that was not asked for in dB or %.",
    "replaced": "Of those made, the ones that take the place of an earlier run's.",
    "orphans": "Outputs in DST whose source is not in SRC.",
    "leftovers": "Outputs in DST that only earlier requests asked for: other copies, levels, names.",
    "sources": "From how many folders the outputs were made, by this run and earlier ones.",
    "failed": "Sources that failed.",
    "skipped": "Sources that were left alone.",
    "input_bytes": "Bytes of the sources planned; of a run that was stopped, of those it came to.",
    "output_bytes": "Bytes of those made, and of what is beside them; not of side files.",
    "sidecars_copied": "Side files copied or linked.",
    "sidecars_left": "Side files left behind.",
    "sidecars_kept": "Without --sidecars: side files of earlier runs that stay in DST.",
    "sidecars_stale": "Side files in DST whose source is gone, or that this request names otherwise.",
    "sidecars_pruned": "Side files removed by --prune; in a dry run, that would be removed.",
    "labels_rewritten": "Side files that name images, whose copies name the outputs instead.",
    "labels_told": "Side files that name images and cannot be kept true, a line each.",
    "labels_alone": "Labels without a source.",
    "sources_alone": "Sources without a label, where most beside them have one.",
    "other_kinds": "Files in SRC that other commands are for, by command.",
    "masks": "Label masks, and arrays of labels, that were left without noise.",
    "masks_asked_for": "Files that look like label masks or arrays of labels, and got noise as they were named.",
    "hidden": "Names that begin with a dot.",
    "not_chosen": "Files left out by --include or --limit.",
    "survival": "What lossy outputs keep on disk of the noise, by level: share of its std, and of the noise itself.",
    "answers": "Of adversarial: share of samples the model is right on before, after the step, after step and noise.",
    "noised": "Of archives, the arrays that got noise, and in how many outputs.",
    "not_noised": "Of archives, arrays of numbers that were left without noise unasked, and in how many outputs.",
    "warnings": "How many outputs have each fixed word.",
    "problems": "Sources that failed or were skipped, by source, then status.",
    "not_in_depfile": "Files and folders left out of the depfile, as Make has no spelling for their names.",
    "future": "With --depfile, a source whose time is still to come, so that Make runs the rule until then; else null.",
    "stopped": "Why the run ended before its end; else null.",
    "shard": "Which part of a run this was, as 2/3; null where it was all of it.",
    "dry_run": "Whether only what would happen was counted.",
    "held": "Of a dry run: whether another run held DST meanwhile, so that the counts change.",
    "is_one_file": "Whether SRC is one file.",
    "ignore_errors": "Whether --on-error ignore was given.",
}
_MEANS = {
    "outputs": "How many outputs these are.",
    "clipped_fraction": "Mean share of samples that the clip changed.",
    "kept": "Mean of measured_std / std: what is left of the noise after clip and rounding.",
    "snr_db": "Mean signal-to-noise ratio in dB over those that have one; null where none has.",
    "with_snr": "How many have one.",
    "asked": "Mean of what was asked for, or drawn, in its unit; of a severity the std in grey levels, or the SNR.",
    "measured": "Mean of what is there, in the same unit; both null where they cannot be compared.",
    "compared": "Over how many outputs these two are taken.",
}
_VERIFY = {
    "rows": "Rows of the manifest.",
    "sidecars": "Side files on record.",
    "remade": "Outputs recomputed.",
    "not_comparable": "Outputs that could not be recomputed the same: lossy, and made by other versions of a library.",
}
_MERGED = {
    "shards": "Shards that were made one run; 0 where it is one already.",
    "outputs": "Rows of the manifest.",
    "sidecars": "Rows of sidecars.jsonl.",
    "failed": _RUN["failed"],
    "skipped": _RUN["skipped"],
    "moved": "Files that came from other folders by a rename; in a dry run, that would come from there.",
    "copied": "Files that were copied from another file system.",
    "dry_run": _RUN["dry_run"],
}
_DIFFERENCE = {
    "file_name": "Path below DST.",
    "reason": "A fixed word, the same in every version.",
    "message": "What differs and what to do, for people; its words may change.",
}


def schema_of(command: str) -> Schema:
    """Return the schema of what a command prints.

    Where there is an error, what was counted until then may be missing: all of it, or none.
    """
    common: dict[str, Schema] = {
        "command": {
            "const": None if command == "none" else command,
            "description": "The command; null where the first word is none.",
        },
        "version": of_type(str, "Version of noisecli."),
        "exit_status": {"enum": _STATUSES, "description": "The exit status; see --help."},
        "source": of_type(str | None, "SRC as typed; null where there is none, or the words could not be read."),
        "destination": of_type(str | None, "DST or OUT as typed; null where the words could not be read."),
        "error": of_type(str | None, "Why the command was refused or ended early; null where it was not."),
    }
    counters = _OF[command] if command in _OF else _run()
    whole = record({**common, **counters}, optional=tuple(counters))
    without_error = {"properties": {"error": {"type": "null"}}}
    return whole | {"if": without_error, "then": {"required": [*counters]}}


def _run() -> Mapping[str, Schema]:
    means = record(properties_of(Means, _MEANS))
    by_level = {"type": "object", "additionalProperties": means}
    return {
        **properties_of(Summary, _RUN),
        "strength": by_level | {"description": _RUN["strength"]},
        "clipped": by_level | {"description": _RUN["clipped"]},
        "drowned": means | {"description": _RUN["drowned"]},
        "problems": _list_of(errors.schema_of(), _RUN["problems"]),
    }


def _list_of(schema: Schema, description: str) -> Schema:
    return {"type": "array", "items": schema, "description": description}


def _size(what: str) -> Schema:
    return of_type(int | None, f"{what} of the sheet in pixels; null where none was written.")


_OF: dict[str, Any] = {
    "none": {},
    "preview": {
        "kind": {"enum": [kind.name for kind in KINDS.values() if kind.drawer], "description": "What SRC holds."},
        "files": of_type(int, "Files on the sheet."),
        "width": _size("Width"),
        "height": _size("Height"),
        "failed": of_type(int, _RUN["failed"]),
        "skipped": of_type(int, _RUN["skipped"]),
        "problems": _list_of(errors.schema_of(), _RUN["problems"]),
    },
    "verify": {
        **properties_of(Report, _VERIFY, but=("versions", "differences")),
        "counts": of_type(dict[str, int], "How many differences have each reason."),
        "differences": _list_of(
            record(properties_of(Difference, _DIFFERENCE, but=("trace",))), "What differs, by file_name."
        ),
    },
    "merge": properties_of(Merged, _MERGED),
    "export": {
        "kind": {"enum": list(KINDS), "description": "Which command's outputs."},
        "to": {"enum": list(EXPORTS), "description": "The form."},
        "rows": of_type(int, "Rows written."),
        "files": of_type(list[str], "Paths of the files written."),
        "left_out": of_type(int, "Sources that failed or were skipped, and so are in none of them."),
    },
}
