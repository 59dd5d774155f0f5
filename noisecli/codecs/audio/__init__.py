"""Audio files: bytes <-> samples, block by block, metadata kept. The only place that knows libsndfile and PyAV."""

import importlib.metadata
from functools import cache

import soundfile

from noisecli.codecs import InputFile, OutputFile, Source
from noisecli.codecs.audio.encoding import Described, choose_target
from noisecli.codecs.audio.header import Window
from noisecli.codecs.audio.pyav import open_with_pyav, recognise
from noisecli.codecs.audio.sink import AudioSink
from noisecli.codecs.audio.source import AudioSource
from noisecli.model import Encoding, Limits, SampleSpec
from noisecli.words import warning


def open_source(file: InputFile, limits: Limits) -> Described:
    """Check an audio file's container, then open it; see noisecli.codecs.Codec.

    Of `limits`, max_decoded binds: a few KB of FLAC or Opus can hold hours of silence.
    """
    if file.size and (container := recognise(Window(file.fileno(), file.size))):
        return open_with_pyav(file, container, limits)
    return AudioSource(file, limits)


def create_sink(file: OutputFile, source: Source, spec: SampleSpec, encoding: Encoding, key: bytes) -> AudioSink:
    """Open an output like `source` unless `encoding` says otherwise; see noisecli.codecs.Codec.

    Encoding.quality, 1 to 100, is for OGG and MP3: 100 is the encoder's best.
    """
    if not isinstance(source, Described):
        raise TypeError("an audio sink needs a source of this codec")
    sink = AudioSink(file, choose_target(source, spec, encoding), spec, source.tags, key)
    if source.header.lost_metadata:
        sink.warnings.append(warning("metadata-lost", source.header.lost_metadata))
    return sink


def versions() -> dict[str, str]:
    """Return the versions of soundfile, of libsndfile, and of PyAV where it is installed."""
    return {"soundfile": soundfile.__version__, "libsndfile": soundfile.__libsndfile_version__, **_version_of_pyav()}


@cache
def _version_of_pyav() -> dict[str, str]:
    try:
        return {"av": importlib.metadata.version("av")}
    except importlib.metadata.PackageNotFoundError:
        return {}
