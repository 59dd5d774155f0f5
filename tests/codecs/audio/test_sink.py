"""How an output is encoded: like its source, or as asked; the same bytes in every run."""

import os
import resource
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

from noisecli.codecs import audio
from noisecli.codecs.audio import encoding
from noisecli.codecs.audio.ogg import checksum, iterate_pages
from noisecli.model import Encoding, Limits
from tests.fixtures.files import problem

INTEGERS = {"PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}


def refusal(action):
    found = problem(action)
    assert found.reason == "no-encoder"
    return found.message


@pytest.fixture
def convert(encode, open_bytes, decode, encode_like, tone):
    """Encode a tone one way, send it through a sink, open what comes out: (source, output, sink)."""

    def convert_one(container, subtype, encoding, channels=2, rate=8000, as_float32=False, frames=3000):
        dtype = "int16" if subtype.startswith(("PCM", "ALAC")) else "float32"
        source = open_bytes(encode(tone(frames, channels, dtype), container, subtype, rate=rate))
        samples, spec = decode(source), source.spec
        if as_float32:
            samples, spec = (samples / spec.full_scale).astype("float32"), spec.as_float32()
        written, sink = encode_like(source, samples, encoding, spec)
        return source, open_bytes(written), sink

    return convert_one


@pytest.mark.parametrize(
    ("container", "subtype", "target", "expected"),
    [
        ("WAV", "PCM_24", "flac", "PCM_24"),
        ("WAV", "PCM_16", "flac", "PCM_16"),
        ("WAV", "PCM_U8", "flac", "PCM_S8"),
        ("FLAC", "PCM_S8", "wav", "PCM_U8"),
        ("FLAC", "PCM_24", "aiff", "PCM_24"),
        ("AIFF", "PCM_32", "caf", "PCM_32"),
        ("WAV", "DOUBLE", "au", "DOUBLE"),
        ("WAV", "ULAW", "aiff", "ULAW"),
        ("WAV", "ULAW", "flac", "PCM_16"),
        ("WAV", "IMA_ADPCM", "flac", "PCM_16"),
        ("CAF", "ALAC_24", "wav", "PCM_24"),
        ("OGG", "VORBIS", "wav", "FLOAT"),
        ("MP3", "MPEG_LAYER_III", "caf", "FLOAT"),
        ("WAV", "PCM_16", "w64", "PCM_16"),
        ("WAV", "PCM_16", "rf64", "PCM_16"),
    ],
)
def test_another_container_keeps_the_depth(container, subtype, target, expected, convert, decode):
    source, output, sink = convert(container, subtype, Encoding(format=target))
    assert (sink.format, output.format, output.subtype) == (target, target, expected)
    assert output.spec == source.spec
    assert np.array_equal(decode(output), decode(source))


@pytest.mark.parametrize(
    ("container", "subtype", "target", "named"),
    [
        ("WAV", "FLOAT", "flac", "wav"),
        ("WAV", "DOUBLE", "flac", "aiff"),
        ("WAV", "PCM_32", "flac", "wav"),
        ("OGG", "VORBIS", "flac", "wav"),
        ("WAV", "PCM_16", "png", "flac"),
    ],
)
def test_what_does_not_fit_names_what_does(container, subtype, target, named, convert):
    assert named in refusal(lambda: convert(container, subtype, Encoding(format=target)))


@pytest.mark.parametrize("target", ["ogg", "mp3"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "PCM_U8"])
def test_every_depth_reaches_lossy_encoders_at_its_own_loudness(subtype, target, convert, decode):
    source, output, sink = convert("WAV", subtype, Encoding(format=target))
    assert sink.lossy
    original = decode(source) / source.spec.full_scale
    found = decode(output)
    assert found.shape == original.shape
    assert abs(np.corrcoef(found[:, 0], original[:, 0])[0, 1]) > 0.99
    assert found.std() == pytest.approx(original.std(), rel=0.03)


def test_lossy_is_said_of_the_output_itself(convert):
    assert not convert("OGG", "VORBIS", Encoding(format="wav"))[2].lossy
    assert convert("WAV", "ULAW", Encoding())[2].lossy
    assert convert("WAV", "MS_ADPCM", Encoding())[2].lossy
    assert not convert("WAV", "PCM_16", Encoding())[2].lossy
    assert convert("MP3", "MPEG_LAYER_III", Encoding())[2].lossy


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "AIFF", "AU", "CAF", "W64", "RF64"])
def test_float32_is_written_as_float(container, convert, decode):
    source, output, _ = convert(container, "PCM_16", Encoding(), as_float32=True)
    assert (output.container, output.subtype) == (container, "FLOAT")
    assert np.array_equal(decode(output) * 32768, decode(source))


def test_double_made_float32_is_written_as_float(encode, tone, open_bytes, decode, encode_like):
    source = open_bytes(encode(tone(500, dtype="float64"), "WAV", "DOUBLE"))
    samples = decode(source).astype("float32")
    output = open_bytes(encode_like(source, samples, spec=source.spec.as_float32())[0])
    assert output.subtype == "FLOAT"
    assert np.array_equal(decode(output), samples)


def test_float32_does_not_go_into_flac(convert):
    assert "wav" in refusal(lambda: convert("FLAC", "PCM_16", Encoding(), as_float32=True))


def test_mp3_has_two_channels_and_48_khz_at_most(convert):
    assert "2 channels" in refusal(lambda: convert("WAV", "PCM_16", Encoding(format="mp3"), channels=3))
    assert "96,000 Hz" in refusal(lambda: convert("WAV", "PCM_16", Encoding(format="mp3"), rate=96000))


def test_words_for_pictures_are_refused(convert):
    refusal(lambda: convert("WAV", "PCM_16", Encoding(subsampling="444")))
    refusal(lambda: convert("WAV", "PCM_16", Encoding(quality=90)))
    refusal(lambda: convert("FLAC", "PCM_16", Encoding(quality=90)))


@pytest.mark.parametrize("target", ["ogg", "mp3"])
def test_quality_makes_files_larger_and_closer(target, encode, tone, open_bytes, decode, encode_like):
    source = open_bytes(encode(tone(40000, 1), "WAV", rate=44100))
    original = decode(source)
    sizes, errors = [], []
    for quality in (10, 60, 100):
        written, _ = encode_like(source, original, Encoding(format=target, quality=quality))
        sizes.append(len(written))
        errors.append(np.std(decode(open_bytes(written)) - original / 32768))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(("target", "share"), [("ogg", 0.97), ("mp3", 0.9)])
def test_default_quality_keeps_the_noise(target, share, encode, open_bytes, decode, encode_like):
    rng = np.random.default_rng(5)
    time = np.arange(60000)
    clean = 6000 * np.sin(time * (0.02 + time * 1e-7))
    noise = rng.normal(0, 1500, 60000)
    noisy = np.rint(clean + noise).astype("int16")[:, None]
    source = open_bytes(encode(noisy, "WAV", rate=44100))
    found = decode(open_bytes(encode_like(source, noisy, Encoding(format=target))[0])).ravel() * 32768
    assert np.mean((found - clean) * noise) / np.mean(noise**2) > share


DETERMINISTIC = [
    ("WAV", "FLOAT", None),
    ("WAV", "FLOAT", "BIG"),
    ("WAV", "DOUBLE", None),
    ("WAVEX", "FLOAT", None),
    ("AIFF", "FLOAT", None),
    ("AIFF", "DOUBLE", None),
    ("CAF", "FLOAT", None),
    ("RF64", "FLOAT", None),
]


@pytest.mark.parametrize(("container", "subtype", "endian"), DETERMINISTIC)
def test_no_time_of_day_in_the_file(container, subtype, endian, encode, tone, open_bytes, decode, encode_like):
    source = open_bytes(encode(tone(500, dtype="float32"), container, subtype, endian))
    written, _ = encode_like(source, decode(source))
    place = written.find(b"PEAK")
    assert (place > 0) == (container in ("WAV", "WAVEX", "AIFF"))
    if place > 0:
        assert written[place + 12 : place + 16] == bytes(4)
    assert np.array_equal(decode(open_bytes(written)), decode(source))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_serial_comes_from_the_key(subtype, encode, tone, open_bytes, decode, encode_like, tmp_path):
    source = open_bytes(encode(tone(60000, dtype="float32"), "OGG", subtype))
    samples = decode(source)
    one, again, other = (encode_like(source, samples, key=key)[0] for key in (b"a" * 16, b"a" * 16, b"b" * 16))
    assert one == again != other
    assert one[14:18] == b"aaaa"
    assert np.array_equal(decode(open_bytes(one)), decode(open_bytes(other)))
    path = tmp_path / "one.ogg"
    path.write_bytes(one)
    with path.open("rb") as file:
        pages = list(iterate_pages(file.fileno(), len(one)))
    assert b"".join(page.data for page in pages) == one
    assert {page.serial for page in pages} == {int.from_bytes(b"aaaa", "little")}


def test_ogg_checksum_is_the_published_one():
    def slow(data):
        value = 0
        for byte in data:
            value ^= byte << 24
            for _ in range(8):
                value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
                value &= 0xFFFFFFFF
        return value

    for data in (b"", b"\0", b"OggS", bytes(range(256)) * 3):
        assert checksum(data) == slow(data)


@pytest.mark.parametrize("target", ["wav", "flac", "mp3", "caf", "au", "aiff", "w64", "rf64", "ogg"])
def test_two_sinks_give_the_same_bytes(target, encode, tone, open_bytes, decode, encode_like):
    source = open_bytes(encode(tone(9000), "WAV", tags={"title": "Title", "comment": "a comment"}))
    samples = decode(source)
    assert len({encode_like(source, samples, Encoding(format=target))[0] for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("container", "frames", "expected"),
    [("WAV", 1 << 20, "WAV"), ("WAV", 1 << 31, "RF64"), ("WAVEX", 1 << 31, "RF64"), ("W64", 1 << 31, "W64")],
)
def test_a_wav_past_4_gib_becomes_rf64(container, frames, expected, encode, tone, open_bytes):
    source = open_bytes(encode(tone(50), container))
    spec = replace(source.spec, shape=(frames, 2))
    target = encoding.choose_target(source, spec, Encoding())
    assert target.container == expected
    assert target.format == ("rf64" if expected == "RF64" else source.format)


def test_aiff_and_au_past_4_gib_are_refused(encode, tone, open_bytes):
    for container in ("AIFF", "AU"):
        source = open_bytes(encode(tone(50), container))
        spec = replace(source.spec, shape=(1 << 31, 2))
        assert "w64" in refusal(lambda spec=spec, source=source: encoding.choose_target(source, spec, Encoding()))


def test_a_stream_of_unknown_length_stops_where_wav_ends(encode, tone, open_bytes, make_output, monkeypatch):
    monkeypatch.setattr(encoding, "LARGEST", 4000)
    source = open_bytes(encode(tone(900), "FLAC"))
    spec = replace(source.spec, shape=(-1, 2))
    sink = audio.create_sink(make_output(), source, spec, Encoding(format="wav"), bytes(16))
    sink.write(np.zeros((1000, 2), "int16"))
    assert "w64" in refusal(lambda: sink.write(np.zeros((1, 2), "int16")))
    sink.abort()


def test_other_byte_orders_and_strides_are_written_right(encode, tone, open_bytes, decode, encode_like):
    for container, subtype in (("WAV", "PCM_16"), ("WAV", "PCM_24"), ("AIFF", "FLOAT"), ("WAV", "PCM_U8")):
        source = open_bytes(encode(tone(500), container, subtype))
        samples = decode(source)
        for strange in (samples.astype(samples.dtype.newbyteorder(">")), np.asfortranarray(samples)):
            assert np.array_equal(decode(open_bytes(encode_like(source, strange)[0])), samples)


def test_descriptors_stay_open(encode, tone, new_path, keep, make_output):
    path, data = new_path(".wav"), encode(tone(500), "WAV")
    path.write_bytes(data)
    file, output = keep(path.open("rb")), make_output()
    source = audio.open_source(SimpleNamespace(fileno=file.fileno, size=len(data), suffix=".wav"), Limits())
    sink = audio.create_sink(output, source, source.spec, Encoding(), bytes(16))
    sink.abort()
    sink.abort()
    source.close()
    source.close()
    assert os.pread(file.fileno(), len(data), 0) == data
    output.read()


def test_opus_stays_opus(convert, decode):
    source, output, _ = convert("OGG", "OPUS", Encoding(), rate=48000)
    assert (output.format, output.subtype) == ("ogg", "OPUS")
    assert len(decode(output)) == len(decode(source))


@pytest.mark.parametrize("target", ["wav", "caf", "aiff", "flac", "ogg", "mp3"])
def test_a_full_disk_is_the_system_s_error_not_a_short_file(target, encode, tone, open_bytes, encode_like):
    source = open_bytes(encode(tone(20000), "WAV"))
    size = len(encode_like(source, tone(20000), Encoding(format=target))[0])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 100, 4000, size // 2, size - 3000, size - 40, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                encode_like(source, tone(20000), Encoding(format=target))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_versions_are_told():
    libraries = {name: version for name, version in audio.versions().items() if name != "av"}
    assert libraries == {"soundfile": sf.__version__, "libsndfile": sf.__libsndfile_version__}
