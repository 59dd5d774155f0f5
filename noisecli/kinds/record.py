"""What the parent process and the command line know of a kind of data, as one record. Light: nothing loads here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from noisecli.settings import Own


class Format(NamedTuple):
    """What a suffix means.

    Attributes
    ----------
    kinds
        The commands that read it; the first is named to people who come with another one.
    partly
        Whether some of its encodings are lossy: what a file has shows when it is opened.
    """

    name: str
    kinds: tuple[str, ...]
    lossy: bool = False
    partly: bool = False


class Encoded(NamedTuple):
    """A format by name, and whether its encoder loses something of every sample, or some of its encoders do."""

    name: str
    lossy: bool = False
    partly: bool = False


class OwnSettings(Protocol):
    """The class of a kind's own settings."""

    def of(self, recorded: Mapping[str, Any]) -> Own | None:
        """Return the settings that `fingerprint_fields()` gave, as run.json holds them; None where it holds none."""


class Kind(NamedTuple):
    """One kind of data: the name of its command, and what differs from other kinds.

    What has to be loaded is named as "module" or "module:object", and imported by whoever needs it.

    Attributes
    ----------
    summary
        Its line in `noisecli --help`.
    noun, nouns
        What people call one of its files, and several.
    formats
        Suffix (lower case) -> format, of the files it reads.
    unsupported
        Suffixes of its files that nothing here reads: skipped by name. What each is, and the way out.
    mask_formats
        Formats, by name, of which some files may be label masks: indices of classes, not samples.
    has_label_arrays
        Whether some of its files may be the labels of others; see noisecli.run.label_arrays.
    refused
        Suffixes that are its files to this command alone, and why they are skipped.
    writes
        The words of --format.
    exact
        The word of --format that keeps noise exactly, where some of its formats lose part of it.
    unrounded
        The options that write the sum of sample and noise itself, where it has them.
    codec, maker, stage, plan, prover
        What opens and encodes its files, makes one output, stands between the plan and the workers, names all outputs,
        and tells whether a row's key is that of what the row says.
    drawer
        What draws its rows of a preview sheet; none: it has no preview.
    builder
        The builder of Hugging Face datasets that reads a folder of its outputs; none: there is no such.
    bare_unit
        Full scale in the unit of a level without a unit; None: there is no full scale, levels are in the data's own
        unit and % is a share of each array's own std.
    severity_sets
        Whose severities --severity knows, the usual ones first; none: it is no level of its.
    has_sources
        Whether its outputs are made from files.
    is_data
        Whether its files may as well lie beside other kinds' as their labels: depth maps, masks, embeddings.
    keeps_format
        Whether an output always has its source's format.
    all_arrays
        Whether all arrays of a file get noise, unless some are chosen; else one.
    option_of_arrays
        The option that chooses arrays.
    std_map
        The suffix of the maps of std beside its outputs; none: it has no such.
    own
        The class of the settings that it alone has.
    needs_model
        Whether `verify --recompute` needs the model that its outputs were made with.
    install
        What to install where its codec cannot be loaded.
    """

    name: str
    summary: str
    noun: str
    nouns: str
    formats: Mapping[str, Encoded]
    codec: str
    maker: str
    unsupported: Mapping[str, str] = MappingProxyType({})
    mask_formats: tuple[str, ...] = ()
    has_label_arrays: bool = False
    refused: Mapping[str, str] = MappingProxyType({})
    writes: tuple[str, ...] = ()
    exact: str = ""
    unrounded: str = ""
    stage: str = "noisecli.workers.stage:PlainStage"
    plan: str = "noisecli.run.plan:Plan"
    prover: str = "noisecli.run.proof:proves_source"
    drawer: str = ""
    builder: str = ""
    bare_unit: float | None = None
    severity_sets: tuple[str, ...] = ()
    has_sources: bool = True
    is_data: bool = False
    keeps_format: bool = False
    all_arrays: bool = False
    option_of_arrays: str = ""
    std_map: str = ""
    own: OwnSettings | None = None
    needs_model: bool = False
    install: str = "a library cannot be loaded here"

    def counted(self, number: int) -> str:
        """Return a number of files in words: "1 image", "2,000 images"."""
        return f"{number:,} {self.noun if number == 1 else self.nouns}"

    @property
    def severity_set(self) -> str:
        """Whose severities --severity means, unless another set is named."""
        return (*self.severity_sets, "imagenet-c")[0]

    @property
    def modules(self) -> tuple[str, ...]:
        """What a worker of this kind loads."""
        return ("noisecli.workers.worker", self.codec, self.maker.partition(":")[0], "noisecli.workers.ready")


def load(name: str) -> Any:
    """Import "module" or "module:object" and return it."""
    module, _, attribute = name.partition(":")
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table out of JSON with its lists as the tuples of a frozen record."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
