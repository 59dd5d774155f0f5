"""Files to read and to write without noisecli.storage, and sounds made on the spot."""

import io

import numpy as np
import pytest
import soundfile as sf

from noisecli.codecs import audio
from noisecli.model import Encoding, Limits
from tests.fixtures.files import Input, Output

KEY = bytes(range(1, 17))


@pytest.fixture
def make_output(new_path, keep):
    return lambda: keep(Output(new_path(".tmp")))


@pytest.fixture
def open_bytes(new_path, keep):
    """Open bytes as a source."""

    def open_one(data, suffix=".wav"):
        path = new_path(suffix)
        path.write_bytes(data)
        return keep(audio.open_source(keep(Input(path)), Limits()))

    return open_one


@pytest.fixture
def decode():
    """All samples of a source, in one array."""

    def decode_all(source):
        empty = np.empty((0, source.spec.shape[1]), source.spec.dtype)
        return np.concatenate([empty, *(block.copy() for block in source.blocks())])

    return decode_all


@pytest.fixture
def encode_like(make_output):
    """Write samples through a sink made for `source`; return the file's bytes and the sink."""

    def encode_all(source, samples, encoding=None, spec=None, key=KEY):
        output = make_output()
        sink = audio.create_sink(output, source, spec or source.spec, encoding or Encoding(), key)
        try:
            for start in range(0, len(samples), 5000):
                sink.write(samples[start : start + 5000])
            sink.finish()
        finally:
            sink.abort()
        return output.read(), sink

    return encode_all


@pytest.fixture
def encode():
    """Encode samples with soundfile alone."""

    def encode_one(samples, container="WAV", subtype=None, endian=None, rate=8000, **settings):
        tags = settings.pop("tags", {})
        buffer = io.BytesIO()
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        with sf.SoundFile(buffer, "w", rate, channels, subtype, endian, container, **settings) as file:
            for name, value in tags.items():
                setattr(file, name, value)
            file.write(samples)
        return buffer.getvalue()

    return encode_one


@pytest.fixture
def tone():
    """Two channels of int16: a rising tone in a little noise, nothing of it repeated."""

    def make(frames=3000, channels=2, dtype="int16"):
        rng = np.random.default_rng(7)
        time = np.arange(frames)[:, None] / 8000
        sound = 0.4 * np.sin(2 * np.pi * (300 + 40 * time) * time + np.arange(channels))
        sound = sound + rng.normal(0, 0.05, (frames, channels))
        scale = {"int16": 1 << 15, "int32": 1 << 31}.get(dtype, 1)
        return (sound * scale).astype(dtype)

    return make
