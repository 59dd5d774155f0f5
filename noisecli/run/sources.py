"""Sources, sorted. What is no dataset file is named or counted, not lost."""

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from noisecli.errors import FileProblem, FileSkipped, Refused
from noisecli.kinds import KINDS, format_of, kinds_of, suffix_of, why_refused, why_unread
from noisecli.settings import Choice
from noisecli.storage import Folder, Listed, escape_name, folder_at, is_url


@dataclass
class Listing:
    """What a source folder holds, by relative POSIX path."""

    sources: list[str] = field(default_factory=list)
    """Files to be done, sorted."""
    masks: dict[str, FileSkipped] = field(default_factory=dict)
    """Label masks, and arrays of labels, among them, which get no noise and are side files; see noisecli.run.masks."""
    sidecars: list[str] = field(default_factory=list)
    """Files beside them: labels, transcripts, and what --exclude names. Sorted."""
    problems: list[tuple[str, FileProblem]] = field(default_factory=list)
    """Files that cannot be done, with the reason why; folders that cannot be listed too."""
    unlisted: list[str] = field(default_factory=list)
    """Those folders: what lies below them, nobody knows."""
    folders: list[str] = field(default_factory=list)
    """Those whose names were listed; the source folder itself is empty text."""
    other_kinds: Counter[str] = field(default_factory=Counter)
    """How many files another command is for."""
    data_beside: list[str] = field(default_factory=list)
    """Those of them that hold arrays beside images or audio files: their depth maps, masks, embeddings. Sorted."""
    masks_asked_for: int = 0
    """How many sources look like labels and are done, as they were named."""
    followed: set[str] = field(default_factory=set)
    """Folders outside of the source folder that symbolic links led to, and of which all is listed."""
    linked: set[str] = field(default_factory=set)
    """Folders outside in which single files lie that symbolic links led to."""
    hidden: int = 0
    """How many names began with a dot."""
    tars: set[str] = field(default_factory=set)
    """Tars whose members are listed."""
    unnoised: list[str] = field(default_factory=list)
    """Members of tars that --exclude names: they go along as they are."""
    tars_beside: set[str] = field(default_factory=set)
    """Tars that hold members of other kinds, which go along with the sources of their samples, if there are any."""
    folder: Folder = field(default_factory=lambda: folder_at(""))
    """The source folder itself, for many looks into it."""
    not_chosen: int = 0
    """How many dataset files --include or --limit left out."""
    not_chosen_names: set[str] = field(default_factory=set)
    """Those."""

    @property
    def kinds_beside(self) -> Counter[str]:
        """Count data_beside as other_kinds does."""
        return Counter(kinds_of(suffix_of(name))[0] for name in self.data_beside)

    def leave_out(self, name: str) -> None:
        """Count a dataset file that was not chosen; its labels stay behind with it."""
        self.not_chosen += 1
        self.not_chosen_names.add(name)

    def keep_first(self, limit: int | None) -> None:
        """Leave out all sources but so many."""
        if limit is not None:
            for name in self.sources[limit:]:
                self.leave_out(name)
            del self.sources[limit:]


def walk(root: str, kind: str | None, choice: Choice) -> Listing:
    """List the sources below a folder: those of a kind, or of every kind; `choice.limit` is not looked at yet.

    Raises Refused when there is no such folder, or a name of `choice.names` leads out of it.
    """
    folder = folder_at(root).survey()
    if not folder.exists():
        raise Refused(f"{escape_name(root)}: no such folder; name a folder or a file that exists")
    found = Listing(folder=folder)
    sorter = _Sorter(kind, choice, found, folder)
    if choice.names is None:
        for listed in folder.files(follow_links=choice.follow_links):
            sorter.take(listed)
    else:
        for name in dict.fromkeys(_inside(root, name) for name in choice.names):
            sorter.place(name, folder.problem_of(name, follow_links=choice.follow_links), listed=True)
    # what a link names as a dataset file is no side file under another name: the blobs of a cache
    found.sidecars = [name for name in found.sidecars if name not in sorter.aliased]
    found.sources.sort(key=os.fsencode)
    found.sidecars.sort(key=os.fsencode)
    found.data_beside.sort(key=os.fsencode)
    return found


def may_lie_beside(name: str, kind: str) -> bool:
    """Whether a dataset file of another kind may as well be a label of this kind's."""
    kinds = kinds_of(suffix_of(name))
    return not KINDS[kind].is_data and bool(kinds) and KINDS[kinds[0]].is_data


class _Sorter:
    """Puts each file where it belongs."""

    def __init__(self, kind: str | None, choice: Choice, found: Listing, folder: Folder) -> None:
        self._kind, self._found, self._folder = kind, found, folder
        self.aliased: set[str] = set()
        self._include = [pattern_of(glob) for glob in choice.include]
        self._exclude = [pattern_of(glob) for glob in choice.exclude]
        self._exclude += [re.compile(re.escape(f"{aside}/"), re.DOTALL) for aside in choice.aside]

    def take(self, listed: Listed) -> None:
        """File away what the folder's listing names."""
        name, problem, sort, outside, inside = listed
        if sort == "folder":
            self._found.folders.append(name)
            return
        if outside is not None:
            (self._found.followed if sort == "followed" else self._found.linked).add(outside)
        if sort == "followed":
            return
        if (tar := self._folder.tar_of(name)) is not None:
            self._found.tars.add(tar)
        if inside is not None and kinds_of(suffix_of(name)):
            self.aliased.add(inside)
        if sort == "hidden":
            self._found.hidden += 1
        elif sort == "unlisted" and problem is not None:
            self._found.unlisted.append(name)
            self._found.problems.append((name, problem))
        elif sort == "symlink" and problem is not None and problem.status == "skipped" and _has_no_format(name):
            # a symbolic link to a folder has no suffix to be known by, yet may hide a whole class
            self._found.problems.append((name, problem))
        else:
            self.place(name, problem)

    def place(self, name: str, problem: FileProblem | None, *, listed: bool = False) -> None:
        """File one name away."""
        found, suffix = self._found, suffix_of(name)
        kinds = kinds_of(suffix)
        refused = None if self._kind is None or self._kind in kinds else why_refused(suffix, self._kind)
        if not kinds and refused is None:
            if listed:
                found.problems.append((name, problem or self._unread(suffix)))
            elif problem is None:
                if self._folder.tar_of(name) and any(pattern.match(name) for pattern in self._exclude):
                    found.unnoised.append(name)
                self._leave_beside(name)
            else:
                found.problems.append((name, FileSkipped("special-file", problem.message)))
        elif any(pattern.match(name) for pattern in self._exclude):
            if problem is None or refused is not None:
                (found.sidecars if self._folder.tar_of(name) is None else found.unnoised).append(name)
        elif self._include and not any(pattern.match(name) for pattern in self._include):
            found.leave_out(name)
        elif refused is not None:
            found.problems.append((name, problem or FileSkipped("unsupported-format", refused)))
        elif self._kind is not None and self._kind not in kinds:
            self._leave_other(name, kinds[0], problem)
        elif problem is not None or not self._is_read(suffix):
            found.problems.append((name, problem or self._unread(suffix)))
        else:
            found.sources.append(name)

    def _leave_beside(self, name: str) -> None:
        tar = self._folder.tar_of(name)
        if tar is None:
            self._found.sidecars.append(name)
        else:
            self._found.tars_beside.add(tar)

    def _leave_other(self, name: str, kind: str, problem: FileProblem | None) -> None:
        if (tar := self._folder.tar_of(name)) is not None:
            self._found.tars_beside.add(tar)
            return
        self._found.other_kinds[kind] += 1
        if problem is None and may_lie_beside(name, self._kind or kind):
            self._found.data_beside.append(name)

    def _is_read(self, suffix: str) -> bool:
        return (format_of(suffix) is not None) if self._kind is None else suffix in KINDS[self._kind].formats

    def _unread(self, suffix: str) -> FileSkipped:
        kind = self._kind or next(iter(kinds_of(suffix)), next(iter(KINDS)))
        return FileSkipped("unsupported-format", why_unread(suffix, kind))


def _has_no_format(name: str) -> bool:
    return format_of(suffix_of(name)) is None


def _inside(root: str, name: str) -> str:
    """Return a listed name relative to root; Refused when it leads out."""
    if is_url(root):
        name = name.removeprefix(f"{root.rstrip('/')}/")
    relative = os.path.relpath(name, root) if os.path.isabs(name) else os.path.normpath(name)
    if relative == ".." or relative.startswith("../") or (is_url(root) and is_url(name)):
        raise Refused(f"{escape_name(name)}: leads out of {escape_name(root)}; list names relative to it")
    return relative


@cache
def pattern_of(glob: str) -> re.Pattern[str]:
    """Compile a glob. * and ? stay in a folder, ** crosses them; without a slash, but at its end, any depth matches.

    What names a folder names all below it, as in .gitignore.
    """
    glob = glob.rstrip("/")
    anywhere = "" if "/" in glob else "(?:.*/)?"
    glob = glob.removeprefix("./").lstrip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", glob)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(words.get(p) or (p.replace("[!", "[^") if p.startswith("[") else re.escape(p)) for p in parts)
    try:
        return re.compile(f"{anywhere}{body}(?:/.*)?\\Z", re.DOTALL)
    except re.error as error:
        raise Refused(f"{glob}: is no glob ({error}); * ? ** and [a-z] are known") from error
