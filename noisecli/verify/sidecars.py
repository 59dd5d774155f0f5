"""Whether every side file is what its row in sidecars.jsonl says, and what its source still is."""

from noisecli.errors import FileProblem
from noisecli.manifest.finished import RecordedRun
from noisecli.manifest.sidecars import SideRow
from noisecli.storage import Folder, folder_at
from noisecli.verify.report import Report


def check_sidecars(recorded: RecordedRun, source: str | None, report: Report) -> None:
    """Compare side files with their rows and, where it is named, with the source folder."""
    record = recorded.sidecars
    report.sidecars = len(record)
    counted = (recorded.content or {}).get("totals", {}).get("sidecars")
    if record.is_foreign:
        words = "is not what the run wrote: it was edited, or is another; move it away, then run again"
        report.differ(record.name, "digest-differs", words)
    elif len(record) != (counted or 0):
        words = f"has {len(record):,} rows, its run.json counts {counted}; run the same command again"
        report.differ(record.name, "rows-missing", words)
    sources = folder_at(source) if source else None
    for row in sorted(record.rows.values()):
        if _file_holds(recorded.files, row, report) and sources is not None:
            _check_sources(sources, row, report)


def _file_holds(files: Folder, row: SideRow, report: Report) -> bool:
    name, again = row.file_name, "run the same command again"
    # what was edited is not replaced; a link's source is its own affair
    mend = again if row.how == "link" else f"move it away, then {again}"
    try:
        with files.open(name) as file:
            if file.size != row.bytes:
                report.differ(name, "size-differs", f"has {file.size:,} bytes, its row says {row.bytes}; {mend}")
            elif file.sha256() != row.sha256:
                report.differ(name, "digest-differs", f"is not what its row says; {mend}")
            else:
                return True
    except FileProblem as problem:
        is_gone = problem.reason == "gone"
        what = "leads to a file that is gone" if files.has(name) else "is gone"
        message = f"{what}; {again}" if is_gone else problem.message
        report.differ(name, "gone" if is_gone else "unreadable", message)
    except OSError as error:
        report.differ(name, "unreadable", f"cannot be read: {error.strerror or error}; check the disk")
    return False


def _check_sources(sources: Folder, row: SideRow, report: Report) -> None:
    for name, digest in row.sources or ((row.source, row.sha256),):
        words = f"its source {name}"
        try:
            if sources.sha256(sources.find(name) or name) != digest:
                report.differ(row.file_name, "source-changed", f"{words} changed; run the same command again")
        except FileNotFoundError:
            report.differ(row.file_name, "source-gone", f"{words} is gone")
        except (FileProblem, OSError) as error:
            told = error.message if isinstance(error, FileProblem) else error.strerror
            report.differ(row.file_name, "source-unreadable", f"{words} cannot be read: {told}; check the disk")
