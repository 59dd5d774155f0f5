"""Problems that earlier runs recorded, and that say nothing of this one."""

import itertools

from noisecli.kinds import KINDS
from noisecli.manifest.ledger import Ledger
from noisecli.run.sources import Listing
from noisecli.settings import Settings
from noisecli.storage import escape_name, folder_at


def forget_old_problems(settings: Settings, found: Listing, ledger: Ledger) -> None:
    """Drop the problems of sources that this run looks at again, or that are gone."""
    problems = ledger.problems
    if not KINDS[settings.kind].has_sources:
        problems.clear()
    if not problems:
        return
    listed = itertools.chain(found.sources, found.sidecars, found.masks, found.tars)
    again = {escape_name(source) for source in listed}
    all_listed, folder = settings.choice.names is None, folder_at(settings.source)
    for source in list(problems):
        is_again = source in again or folder.tar_of(source) in found.tars
        if is_again or folder.is_missing(source) or (all_listed and folder.is_folder(source)):
            del problems[source]
