"""Files that PyAV decodes: the samples it gives, all of them, or a reason by name."""

import io

import numpy as np
import pytest

from noisecli.codecs import audio
from noisecli.model import Encoding, Limits
from noisecli.words import word_of
from tests.fixtures.files import Input, failure, skip

av = pytest.importorskip("av", reason="needs PyAV: the extra named av")

CODECS = {
    "m4a": ("ipod", "aac", 44100, "fltp"),
    "aac": ("adts", "aac", 44100, "fltp"),
    "alac": ("ipod", "alac", 44100, "s16p"),
    "alac24": ("ipod", "alac", 44100, "s32p"),
    "fragments": ("mp4", "aac", 44100, "fltp"),
    "webm": ("webm", "libopus", 48000, "flt"),
    "mka": ("matroska", "flac", 44100, "s16"),
    "wma": ("asf", "wmav2", 44100, "fltp"),
    "ac3": ("ac3", "ac3", 48000, "fltp"),
    "eac3": ("eac3", "eac3", 48000, "fltp"),
}
NAMES = {"alac": "m4a", "alac24": "m4a", "fragments": "m4a", "webm": "matroska", "mka": "matroska", "eac3": "ac3"}


def encode(name, samples, tags=None, layout="stereo"):
    """Encode int32 samples, (frames, channels), with PyAV alone."""
    container, codec, rate, kind = CODECS[name]
    buffer = io.BytesIO()
    options = {"movflags": "frag_every_frame+empty_moov+default_base_moof"} if name == "fragments" else {}
    with av.open(buffer, "w", format=container, options=options) as file:
        file.metadata.update(tags or {})
        stream = file.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        context.format, context.bit_rate = kind, 128_000
        context.open()
        step = context.frame_size or 1024
        for start in range(0, len(samples), step):
            frame = av.AudioFrame.from_ndarray(as_stored(samples[start : start + step], kind), kind, layout)
            frame.sample_rate, frame.pts = rate, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def as_stored(samples, kind):
    values = {"s16": samples >> 16, "s32": samples}.get(kind.rstrip("p"), samples / 2**31)
    array = values.astype({"s16": np.int16, "s32": np.int32}.get(kind.rstrip("p"), np.float32))
    return np.ascontiguousarray(array.T) if kind.endswith("p") else array.reshape(1, -1)


@pytest.fixture
def sound(tone):
    return (tone(30_000, 2, "int32") // 2) & ~0xFF


@pytest.fixture
def open_foreign(new_path, keep):
    def open_one(data, limits=None):
        path = new_path(".m4a")
        path.write_bytes(data)
        return keep(audio.open_source(keep(Input(path)), limits or Limits()))

    return open_one


@pytest.mark.parametrize(
    ("name", "shift", "subtype"), [("alac", 16, "PCM_16"), ("alac24", 8, "PCM_24"), ("mka", 16, "PCM_16")]
)
@pytest.mark.parametrize("target", ["wav", "flac"])
def test_lossless_samples_come_out_as_they_were_written(
    name, shift, subtype, target, sound, open_foreign, open_bytes, decode, encode_like
):
    source = open_foreign(encode(name, sound))
    assert (source.format, source.subtype) == (NAMES[name], subtype)
    expected = sound >> shift
    assert np.array_equal(decode(source), expected)
    written = open_bytes(encode_like(source, decode(source), Encoding(format=target))[0])
    assert (written.subtype, written.spec.sample_rate) == (subtype, 44100)
    assert np.array_equal(decode(written), expected)


@pytest.mark.parametrize("name", CODECS)
def test_every_walk_gives_the_samples_that_pyav_gives(name, sound, open_foreign, decode):
    data = encode(name, sound)
    with av.open(io.BytesIO(data)) as file:
        frames = [
            frame.to_ndarray().reshape(2, -1) if frame.format.is_planar else frame.to_ndarray().reshape(-1, 2).T
            for frame in file.decode(audio=0)
        ]
    truth = np.concatenate(frames, axis=1).T
    source = open_foreign(data)
    assert source.format == NAMES.get(name, name)
    found = decode(source)
    assert len(found) >= len(sound) - 2048
    assert np.array_equal(found, truth >> 8 if source.subtype == "PCM_24" else truth)
    assert np.array_equal(found, decode(source))
    bare = name in ("aac", "ac3", "eac3")
    assert source.warnings == (["unknown-length: sample count"] if bare else [])


@pytest.mark.parametrize("name", CODECS)
def test_no_cut_passes(name, sound, open_foreign, decode):
    data = encode(name, sound)
    for length in np.linspace(len(data) * 0.05, len(data) - 2, 60).astype(int):
        # of a bare stream, a cut between two frames is none; those of AC-3 have an even number of bytes
        failure(lambda cut=data[: length | 1]: decode(open_foreign(cut)))


@pytest.mark.parametrize("name", ["m4a", "webm", "wma"])
def test_bytes_changed_in_the_middle_do_not_pass_unseen(name, sound, open_foreign, decode):
    data = bytearray(encode(name, sound))
    middle = len(data) // 3
    data[middle : middle + 400] = bytes(400)
    assert failure(lambda: decode(open_foreign(bytes(data)))) == "corrupt"


@pytest.mark.parametrize(("name", "fits"), [("m4a", "wav$"), ("alac", "wav or flac$"), ("mka", "wav or flac$")])
def test_without_a_format_the_file_is_skipped_with_the_word_to_add(
    name, fits, sound, open_foreign, decode, encode_like
):
    source = open_foreign(encode(name, sound))
    words = f"is {NAMES.get(name, name)}, which is read and not written; add --format {fits}"
    assert skip(lambda: encode_like(source, decode(source)), words) == "unsupported-format"


def test_tags_are_kept_and_lost_ones_named(sound, open_foreign, open_bytes, decode, encode_like):
    tags = {"title": "Tïtle", "artist": "A", "album": "B", "track": "3", "composer": "C", "encoder": "Lavf"}
    source = open_foreign(encode("m4a", sound, tags))
    written, sink = encode_like(source, decode(source), Encoding(format="wav"))
    kept = open_bytes(written).tags
    assert {name: kept[name] for name in ("title", "artist", "album", "tracknumber")} == {
        "title": "Tïtle",
        "artist": "A",
        "album": "B",
        "tracknumber": "3",
    }
    assert sink.warnings == ["metadata-lost: composer"]
    assert word_of(sink.warnings[0]) == "metadata-lost"


def test_more_samples_than_the_limit_allows_are_refused(sound, open_foreign, decode):
    source = open_foreign(encode("alac", sound), Limits(max_decoded=50_000))
    assert failure(lambda: decode(source), "--max-decoded") == "too-large"


def test_a_video_is_skipped_by_name(open_foreign):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        file.mux(stream.encode(None))
    assert skip(lambda: open_foreign(buffer.getvalue()), "holds a video") == "unsupported-samples"


def test_loudspeakers_are_kept(tone, open_foreign, open_bytes, decode, encode_like):
    samples = tone(5000, 6, "int32")
    source = open_foreign(encode("mka", samples, layout="5.1"))
    written = open_bytes(encode_like(source, decode(source), Encoding(format="wav"))[0])
    assert (written.container, written.header.places.mask) == ("WAVEX", 0x3F)
    assert np.array_equal(decode(written), samples >> 16)
