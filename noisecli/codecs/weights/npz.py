"""The .npz format, as the codec of arrays reads and writes it; here only floats are parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from noisecli.codecs import InputFile, OutputFile, StoredArray
from noisecli.codecs.arrays import npz as arrays
from noisecli.model import Limits, SampleSpec, Warn


@dataclass(slots=True)
class Weight:
    """One member; see noisecli.codecs.StoredArray."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    spec: SampleSpec | None
    inner: arrays.NpzPart

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the values in storage order."""
        return self.inner.blocks()


class NpzSource:
    """One opened archive; see noisecli.codecs.ArraysSource."""

    def __init__(self, file: InputFile, limits: Limits) -> None:
        self.inner = arrays.NpzSource(file, limits)
        self.format = self.inner.format
        self.warnings: Sequence[Warn] = self.inner.warnings
        self.parts: Sequence[StoredArray] = [_weight(part) for part in self.inner.parts]

    def close(self) -> None:
        """Let go of the archive."""
        self.inner.close()


class NpzSink:
    """One output; see noisecli.codecs.ArraysSink."""

    def __init__(self, file: OutputFile, source: NpzSource) -> None:
        self._inner = arrays.NpzSink(file, source.inner)
        self.format, self.lossy = self._inner.format, self._inner.lossy
        self.warnings: Sequence[Warn] = self._inner.warnings

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        """Begin a member, or carry it over."""
        if not isinstance(part, Weight):
            raise TypeError("a member of this codec is needed")
        self._inner.begin(part.inner, spec)

    def write(self, block: NDArray[Any]) -> None:
        """Take the member's next values."""
        self._inner.write(block)

    def finish(self) -> None:
        """Make the archive whole."""
        self._inner.finish()

    def abort(self) -> None:
        """Let go after an error."""
        self._inner.abort()


def _weight(part: arrays.NpzPart) -> Weight:
    spec = part.spec if part.spec is not None and part.spec.is_float else None
    return Weight(part.name, part.dtype, part.shape, spec, part)
