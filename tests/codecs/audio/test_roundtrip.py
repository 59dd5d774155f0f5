"""What is read and written again is the same, to the last bit and in every container."""

import io
import tracemalloc
import wave

import numpy as np
import pytest
import soundfile as sf
from scipy.io import wavfile

from noisecli.codecs import audio
from noisecli.codecs.audio.source import BLOCK_SAMPLES
from noisecli.codecs.audio.subtypes import HOLDS

CONTAINERS = {"wav": "WAV", "aiff": "AIFF", "au": "AU", "caf": "CAF", "w64": "W64", "rf64": "RF64", "flac": "FLAC"}
EXACT = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "ALAC_16", "ALAC_24")
CASES = [
    (container, subtype, endian)
    for name, container in [*CONTAINERS.items(), ("wav", "WAVEX")]
    for subtype in HOLDS[name]
    for endian in ("FILE", "LITTLE", "BIG")
    if subtype in EXACT and sf.check_format(container, subtype, endian)
]


def random_samples(subtype, frames, channels):
    rng = np.random.default_rng(3)
    if subtype in ("FLOAT", "DOUBLE"):
        return rng.normal(0, 0.3, (frames, channels)).astype("float32" if subtype == "FLOAT" else "float64")
    samples = rng.integers(-(2**31), 2**31, (frames, channels)).astype("int32")
    samples[:2] = [[-(2**31)], [2**31 - 1]]
    return samples


@pytest.mark.parametrize(("container", "subtype", "endian"), CASES)
def test_samples_survive_exactly(container, subtype, endian, encode, open_bytes, decode, encode_like):
    for frames, channels in ((1001, 1), (501, 3)):
        given = encode(random_samples(subtype, frames, channels), container, subtype, endian)
        source = open_bytes(given)
        samples = decode(source)
        written, sink = encode_like(source, samples)
        again = open_bytes(written)
        assert np.array_equal(decode(again), samples)
        assert (again.container, again.subtype, again.endian) == (source.container, source.subtype, source.endian)
        assert again.spec == source.spec
        assert sink.warnings == []


NATIVE = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


@pytest.mark.parametrize("subtype", sorted(NATIVE))
def test_integers_come_in_native_units(subtype, encode, open_bytes, decode):
    bits = NATIVE[subtype]
    given = random_samples(subtype, 400, 2)
    source = open_bytes(encode(given, "AIFF", subtype), ".aiff")
    samples = decode(source)
    assert np.array_equal(samples, given >> (32 - bits))
    spec = source.spec
    assert (spec.low, spec.high, spec.full_scale) == (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1, 2.0 ** (bits - 1))
    assert samples.dtype == spec.dtype == ("int16" if bits <= 16 else "int32")
    assert spec.sample_rate == 8000


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_python_s_wave_reads_what_was_written(bits, encode, open_bytes, decode, encode_like):
    subtype = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24", 32: "PCM_32"}[bits]
    source = open_bytes(encode(random_samples(subtype, 333, 2), "WAV", subtype))
    samples = decode(source)
    with wave.open(io.BytesIO(encode_like(source, samples)[0])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, bits // 8, 8000)
        raw = np.frombuffer(file.readframes(file.getnframes()), "u1").reshape(-1, bits // 8)
    if bits == 8:
        expected = (samples + 128).astype("u1").reshape(-1, 1)
    else:
        expected = samples.astype("<i4").view("u1").reshape(-1, 4)[:, : bits // 8]
    assert np.array_equal(raw, expected)


@pytest.mark.filterwarnings("ignore:Chunk .non-data. not understood")
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize(("container", "endian"), [("WAV", "LITTLE"), ("WAV", "BIG"), ("WAVEX", "FILE")])
def test_scipy_reads_what_was_written(container, endian, subtype, encode, open_bytes, decode, encode_like):
    source = open_bytes(encode(random_samples(subtype, 333, 2), container, subtype, endian))
    samples = decode(source)
    rate, found = wavfile.read(io.BytesIO(encode_like(source, samples)[0]))
    assert rate == 8000
    assert np.array_equal(found.astype("float64") - (128 if subtype == "PCM_U8" else 0), samples)


def test_blocks_are_contiguous_bounded_and_the_same_on_every_pass(encode, open_bytes, tone):
    for container in ("WAV", "FLAC", "OGG", "MP3", "CAF"):
        source = open_bytes(encode(tone(150_000, 2), container))
        passes = []
        for _ in range(3):
            blocks = []
            for block in source.blocks():
                assert block.flags.c_contiguous
                assert block.shape[1:] == (2,)
                assert block.size <= BLOCK_SAMPLES
                blocks.append(block.copy())
            passes.append(blocks)
        for other in passes[1:]:
            assert all(np.array_equal(one, two) for one, two in zip(passes[0], other, strict=True))


@pytest.mark.parametrize("container", ["OGG", "MP3", "FLAC", "WAV"])
def test_blocks_join_to_what_one_read_gives(container, encode, open_bytes, tone, decode):
    data = encode(tone(200_000, 2), container, rate=16000)
    source = open_bytes(data)
    whole, _ = sf.read(io.BytesIO(data), dtype=source.spec.dtype)
    np.testing.assert_allclose(decode(source), whole, atol=1e-6)


def test_a_pass_broken_off_does_not_disturb_the_next(encode, open_bytes, tone, decode):
    for container in ("WAV", "FLAC", "OGG", "MP3"):
        source = open_bytes(encode(tone(200_000, 2), container))
        expected = decode(source)
        next(iter(source.blocks()))
        assert np.array_equal(decode(source), expected)


def test_memory_stays_flat_however_long_the_sound(encode, open_bytes, make_output):
    from noisecli.model import Encoding

    data = encode(np.zeros((4_000_000, 2), "int16"), "WAV")
    for target in (None, "flac", "au"):
        source = open_bytes(data)
        tracemalloc.start()
        sink = audio.create_sink(make_output(), source, source.spec, Encoding(format=target), bytes(16))
        for block in source.blocks():
            sink.write(block)
        sink.finish()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 * BLOCK_SAMPLES * 2 + 500_000


@pytest.mark.parametrize("container", ["FLAC", "OGG", "MP3"])
def test_lossy_and_compressed_sounds_keep_their_length(container, encode, open_bytes, decode, encode_like, tone):
    for frames in (1, 100, 1152, 2001, 12345):
        source = open_bytes(encode(tone(frames, 1, "float32"), container))
        assert source.spec.shape == (frames, 1)
        again = open_bytes(encode_like(source, decode(source))[0])
        assert len(decode(again)) == frames
        assert again.spec == source.spec


def test_codecs_of_whole_blocks_say_when_they_pad(encode, open_bytes, decode, encode_like, tone):
    source = open_bytes(encode(tone(5050, 1), "WAV", "IMA_ADPCM"))
    written, sink = encode_like(source, decode(source))
    assert sink.warnings == []
    assert np.array_equal(decode(open_bytes(written)), decode(source))
    written, sink = encode_like(source, decode(source)[:5000])
    assert sink.warnings == ["padded"]


@pytest.mark.parametrize(
    ("container", "subtype"), [("WAV", "GSM610"), ("AU", "G721_32"), ("WAV", "MS_ADPCM"), ("AIFF", "GSM610")]
)
def test_speech_codecs_are_read_twice_and_written_back(
    container, subtype, encode, open_bytes, decode, encode_like, tone
):
    source = open_bytes(encode(tone(4800, 1), container, subtype))
    samples = decode(source)
    assert np.array_equal(decode(source), samples)
    assert samples.dtype == "int16"
    again = open_bytes(encode_like(source, samples)[0])
    assert again.subtype == subtype
    assert len(decode(again)) >= len(samples)


def test_many_channels(encode, open_bytes, decode, encode_like):
    samples = random_samples("PCM_16", 300, 16)
    source = open_bytes(encode(samples, "WAVEX", "PCM_16"))
    assert source.spec.shape == (300, 16)
    assert np.array_equal(decode(open_bytes(encode_like(source, decode(source))[0])), samples >> 16)
