"""Labels and the files that name images: what becomes of each side file where outputs have names of their own.

Pure: from a listing, the names of outputs, and a function that reads, to the side files to write. One page finds the
partner of a label (pairs), one renames the image inside of it (inside), one page each reads a form in which one file
names many; forms.py is their table.
"""

import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

from noisecli.errors import FileFailed, FileProblem, shown
from noisecli.kinds import Kind, suffix_of
from noisecli.model import Level, SideFile
from noisecli.run.labels import forms, inside, kaldi
from noisecli.run.labels.pairs import Pair, pair
from noisecli.run.labels.references import Index, Names, Reading, renamed
from noisecli.run.masks import is_called_labels
from noisecli.run.naming import Naming
from noisecli.run.sources import Listing
from noisecli.storage import escape_name

_SAMPLED = 32
_TELLING = 6
"""Letters of a stem that is no word by chance."""
_LONGEST_NAMED = 8

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_FIRST = re.compile(rb"[\s,;|]")

_PEEK = 1 << 20
"""Bytes of a file of no known form in which names are looked for."""

Read = Callable[[str, int | None], bytes | None]
"""Returns the first so many bytes of a side file, or all; None for what is too large. Raises FileProblem, OSError."""


class Labels:
    """What becomes of a listing's side files.

    Attributes
    ----------
    told
        What a person has to know before the run starts, a line for each file.
    whole
        Side files that name images, and of which every name leads to one.
    rewritten
        Those, and labels that name their image inside, once files() was gone through.
    """

    def __init__(self, naming: Naming, found: Listing, read: Read, options: str, kind: Kind) -> None:
        self._naming, self._found, self._read, self._options = naming, found, read, options
        self._nouns = kind.nouns
        self._side_files = [*found.sidecars, *found.data_beside, *found.masks]
        self.pairs = pair(self._may_be_labels(kind), found.sources, found.not_chosen_names)
        self._sources = set(found.sources)
        self._absent = {*found.not_chosen_names, *(name for name, _ in found.problems), *self.pairs.left_out}
        self._ids: dict[str, dict[str, str]] = {}
        self._names_source: dict[str, bool] = {}
        self.told: list[str] = []
        self.whole: set[str] = set()
        self.rewritten: set[str] = set()
        # files of weights and arrays have no lists and no annotations
        self._unpaired = [] if kind.is_data else [name for name in found.sidecars if self._is_unpaired(name)]
        self._tell_ambiguous()
        self._tell_apart()
        for name in self._unpaired:
            self._judge(name)
        self._holds_images = self._look_for_images()

    def files(self) -> Iterator[SideFile]:
        """Yield all side files to write, in a fixed order."""
        for name in self._side_files:
            if name in self.pairs.left_out:
                continue
            own = self.pairs.found.get(name)
            for level, tree in self._naming.trees():
                if own is not None:
                    outputs = list(
                        dict.fromkeys(
                            zip(self._labels(name, own, level), self._outputs(own.source, level), strict=True)
                        )
                    )
                    yield from (
                        SideFile(name, tree + label, self._inside(name, own, output)) for label, output in outputs
                    )
                else:
                    make = partial(self._write_form, name, level) if name in self.whole else None
                    yield SideFile(name, tree + escape_name(name), make, self._kaldi_files(name) if make else ())

    def _may_be_labels(self, kind: Kind) -> list[str]:
        """Return the side files that may belong to a source: not what --exclude names of the sources' own kind."""
        masks = set(self._found.masks)
        return [
            name
            for name in self._side_files
            if name in masks or suffix_of(name) not in kind.formats or is_called_labels(name)
        ]

    def _is_unpaired(self, name: str) -> bool:
        return name not in self.pairs.found and name not in self.pairs.left_out and name not in self.pairs.ambiguous

    def _outputs(self, source: str, level: Level) -> list[str]:
        return self._naming.outputs_of(source, level)

    def _labels(self, name: str, own: Pair, level: Level) -> list[str]:
        return self._naming.labels_of(name, own.source, own.rest, level, full=own.has_full_name)

    def _new_names(self, path: str, level: Level) -> Sequence[str]:
        """Return the names that a file has in each copy; none for what is left out."""
        if path in self._sources:
            return self._outputs(path, level)
        if path in self._absent:
            return ()
        own = self.pairs.found.get(path)
        return [path] * self._naming.copies if own is None else self._labels(path, own, level)

    @cached_property
    def _index(self) -> Index:
        absent = sorted({*self._found.not_chosen_names, *(name for name, _ in self._found.problems)})
        return Index(itertools.chain(self._found.sources, absent), self._side_files)

    @cached_property
    def _first_level(self) -> Level:
        return next(iter(self._naming.trees()))[0]

    def _read_form(self, name: str, content: bytes) -> Reading | None:
        return forms.read(
            name,
            content,
            lambda references, stems=True: self._index.look(name, references, stems=stems),
            self._ids_of(os.path.dirname(name)),
        )

    def _ids_of(self, folder: str) -> dict[str, str]:
        """Return the ids of a folder's wav.scp, if it has one."""
        if folder not in self._ids:
            table, segments = (os.path.join(folder, base) for base in (kaldi.TABLE, kaldi.SEGMENTS))
            self._ids[folder] = {}
            if table in self._unpaired_set:
                texts = [
                    forms.decode(self._content(each) or b"") for each in (table, segments) if each in self._unpaired_set
                ]
                look = lambda references, stems=True: self._index.look(table, references, stems=stems)  # noqa: E731
                self._ids[folder] = kaldi.ids_of(texts[0], "".join(texts[1:]), look)
        return self._ids[folder]

    @cached_property
    def _unpaired_set(self) -> frozenset[str]:
        return frozenset(self._unpaired)

    def _content(self, name: str, longest: int | None = None) -> bytes | None:
        """Return what a file holds; nothing where that cannot be read: copying it says so."""
        try:
            return self._read(name, longest)
        except (FileProblem, OSError):
            return b""

    def _judge(self, name: str) -> None:
        """Find out whether a side file names images, and say what cannot be kept true."""
        is_known = bool(forms.forms_of(name) or self._ids_of(os.path.dirname(name)))
        if not is_known:
            if not self._naming.mirrors and self._mentions(self._content(name, _PEEK) or b""):
                self._tell(name, f"names {self._nouns} in a form that is not rewritten")
            return
        content = self._content(name)
        if content is None:
            self._tell(name, f"is larger than {forms.LONGEST >> 20} MiB, and not looked into")
            return
        if content.startswith(_UTF_16):
            if not self._naming.mirrors:
                self._tell(name, "is in UTF-16, and not looked into")
            return
        reading = self._read_form(name, content)
        if reading is None:
            if not self._naming.mirrors and (self._mentions(content) or self._goes_by_numbers(content)):
                self._tell(name, f"names {self._nouns} in a form that is not rewritten")
        elif (absolute := reading.names.absolute) is not None:
            where = "which lead to SRC, not to noisy copies"
            self.told.append(
                f"{name}: names {self._nouns} by absolute paths ({shown(absolute)}), {where}; it is copied as it is"
            )
        elif not self._naming.mirrors and self._are_renamed(reading.names):
            if self._kaldi_files(name) and not self._ids_of(os.path.dirname(name)):
                self._tell(name, f"goes by {kaldi.TABLE}, which names no {self._nouns} that are here")
            else:
                self._judge_names(name, reading.names)

    def _judge_names(self, name: str, names: Names) -> None:
        if names.missing:
            of = f"{len(names.missing):,} of {len(names.missing) + len(names.found):,} names in it"
            self._tell(name, f"{of} lead to nothing in SRC (the first: {shown(names.missing[0])})")
            return
        self.whole.add(name)
        self.rewritten.add(name)
        if gone := sum(path in self._absent for path in names.found.values()):
            self.told.append(f"{name}: {gone:,} of {len(names.found):,} names in it are left out, as their files are")

    def _are_renamed(self, names: Names) -> bool:
        """Whether at least one file that is named gets another name, or none."""
        level = self._first_level
        return any(list(self._new_names(path, level)) != [path] for path in set(names.found.values()))

    def _mentions(self, content: bytes) -> bool:
        """Whether some sources are named in a file of whatever form, by their stems where those are no mere words."""
        names = self._found.sources
        sampled = [os.path.basename(name) for name in names[:: max(1, len(names) // _SAMPLED)]]
        stems = [stem for stem, _ in map(os.path.splitext, sampled) if len(stem) >= _TELLING]
        return any(os.fsencode(name) in content for name in (*sampled, *stems))

    def _goes_by_numbers(self, content: bytes) -> bool:
        """Whether each line, but for a head, begins with a number that is the stem of a source."""
        lines = [line for line in content[:_PEEK].split(b"\n") if line.strip()]
        firsts = [_FIRST.split(line.strip(), 1)[0] for line in lines]
        numbers = [first for first in firsts[not firsts[0].isdigit() :] if first] if firsts else []
        return bool(numbers) and all(each.isdigit() and os.fsdecode(each) in self._stems for each in numbers)

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(os.path.splitext(os.path.basename(name))[0] for name in self._sources)

    def _tell(self, name: str, what: str) -> None:
        self.told.append(f"{name}: {what}; it is copied as it is, and its entries lead to no file with {self._options}")

    def _tell_ambiguous(self) -> None:
        """Name the first of the side files that several sources may own, folder by folder."""
        if self._naming.mirrors:
            return
        by_folder = itertools.groupby(sorted(self.pairs.ambiguous), key=os.path.dirname)
        for _, group in by_folder:
            first, *more = group
            whose = " and ".join(self.pairs.ambiguous[first][:2])
            others = f" and {len(more):,} more beside it" if more else ""
            self._tell(f"{first}{others}", f"may belong to {whose}")

    def _tell_apart(self) -> None:
        """Say where a template leaves labels no name that their image has in front of its suffix."""
        first = next((name for name, own in self.pairs.found.items() if not own.has_full_name), None)
        if first is not None and not self._naming.suffix_is_last:
            self.told.append(
                f"{first} and others like it are not found by the names of {self._nouns}: "
                f"{self._options} does not end in {{ext}}"
            )

    def _write_form(self, name: str, level: Level) -> bytes:
        """Return the content of a file that names many, with the names of one level's outputs."""
        reading = self._read_form(name, self._whole_content(name))
        if reading is None or not reading.names.is_whole:
            raise FileFailed("changed", "is another since the run began, and its names lead to nothing; run it again")
        found = reading.names.found

        def swap(reference: str, copy: int) -> str | None:
            path = found.get(reference)
            if path is None:
                return reference
            new = self._new_names(path, level)
            return renamed(reference, path, new[copy]) if copy < len(new) else None

        return forms.encode(reading.write(swap, self._naming.copies))

    def _kaldi_files(self, name: str) -> tuple[str, ...]:
        """Return what else of its folder says what the ids in a file mean."""
        others = (os.path.join(os.path.dirname(name), base) for base in (kaldi.TABLE, kaldi.SEGMENTS))
        return tuple(other for other in others if other != name and other in self._unpaired_set)

    def _inside(self, name: str, own: Pair, output: str) -> Callable[[], bytes] | None:
        """Return what renames the image in a label of its own."""
        suffix = os.path.splitext(name)[1].lower()
        is_renamed = os.path.basename(output) != os.path.basename(own.source)
        if suffix not in inside.SUFFIXES or not (is_renamed or (suffix == ".json" and self._holds_images)):
            return None
        if name not in self._names_source:
            content = self._content(name) or b""
            self._names_source[name] = inside.rewrite(name, content, own.source, output) != content
            if self._names_source[name]:
                self.rewritten.add(name)
        return partial(self._write_inside, name, own.source, output) if self._names_source[name] else None

    def _write_inside(self, name: str, source: str, output: str) -> bytes:
        return inside.rewrite(name, self._whole_content(name), source, output)

    def _whole_content(self, name: str) -> bytes:
        """Return what a side file holds. Raises FileProblem."""
        content = self._read(name, None)
        if content is None:
            raise FileFailed("too-large", f"has more than {forms.LONGEST >> 20} MiB, and names images")
        return content

    def _look_for_images(self) -> bool:
        """Whether labels hold the clean images themselves, by the first few of them."""
        some = itertools.islice((name for name in self.pairs.found if name.lower().endswith(".json")), _LONGEST_NAMED)
        first = next((name for name in some if inside.holds_image(self._content(name) or b"")), None)
        if first is not None:
            self.told.append(
                f"{first} and others like it hold the clean image (imageData): copies have null in its place"
            )
        return first is not None
