"""Sounds that must not hurt: each fails, is skipped or is done by name, and never passes with other samples."""

import contextlib
import io
import wave

import numpy as np
import pytest
import soundfile as sf

from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Encoding
from tests.fixtures.files import failure, skip


@pytest.fixture
def wav(encode, tone):
    return encode(tone(3000, 1), "WAV", "PCM_16")


def test_list_entry_that_steps_backwards_fails_before_libsndfile_sees_it(open_bytes):
    hanging = bytes.fromhex(
        "524946465404000057415645666d74201000000001000100401f0000803e0000020010004c495354494e464f50414420f8ffffff"
    )
    assert failure(lambda: open_bytes(hanging)) in ("corrupt", "truncated")
    inside = hanging[:-16] + (20).to_bytes(4, "little") + hanging[-12:] + bytes(8)
    assert failure(lambda: open_bytes(inside[:36] + b"LIST" + inside[40:])) in ("corrupt", "truncated")


def test_a_cut_wav_is_truncated(wav, open_bytes):
    assert failure(lambda: open_bytes(wav[:-2])) == "truncated"


def test_a_data_size_of_zero_with_samples_behind_it_fails(wav, open_bytes):
    assert failure(lambda: open_bytes(wav[:40] + bytes(4) + wav[44:])) == "corrupt"


def test_a_wav_written_into_a_pipe_runs_to_its_end(wav, open_bytes, decode):
    source = open_bytes(wav[:4] + b"\xff" * 4 + wav[8:40] + b"\xff" * 4 + wav[44:])
    assert len(decode(source)) == 3000
    assert source.warnings == ["unknown-length: data size"]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_without_its_last_page_fails_or_is_told(subtype, encode, tone, open_bytes, decode):
    """Between two pages of audio it looks like one whose end is not marked; anywhere else it is cut."""
    whole = encode(tone(60000, 1, "float32"), "OGG", subtype)
    starts = [place for place in range(len(whole)) if whole.startswith(b"OggS", place)]
    samples = decode(open_bytes(whole, ".ogg"))
    assert len(starts) > 4
    for start in starts[1:3]:
        assert failure(lambda start=start: open_bytes(whole[:start], ".ogg")) == "truncated"
    for start in starts[3:]:
        source = open_bytes(whole[:start], ".ogg")
        assert source.warnings == ["unknown-length: last page"]
        # the encoder's last block may be overlapped by one that is missing
        count = len(decode(source))
        assert 0 < count < len(samples)
        assert np.array_equal(decode(source)[: count - 512], samples[: count - 512])
        assert failure(lambda start=start: open_bytes(whole[: start - 1], ".ogg")) == "truncated"


@pytest.mark.parametrize("shift", [60, 200, -40])
def test_ogg_with_a_wrong_byte(shift, encode, tone, open_bytes):
    whole = bytearray(encode(tone(9000, 1, "float32"), "OGG", "VORBIS"))
    whole[shift] ^= 1
    assert failure(lambda: open_bytes(bytes(whole), ".ogg")) == "corrupt"


def test_ogg_without_a_page_in_the_middle(encode, tone, open_bytes):
    whole = encode(tone(90000, 1, "float32"), "OGG", "VORBIS")
    pages = whole.split(b"OggS")
    assert len(pages) > 5
    assert failure(lambda: open_bytes(b"OggS".join(pages[:4] + pages[5:]), ".ogg")) == "corrupt"


def test_two_oggs_in_one_are_skipped(encode, tone, open_bytes):
    one = encode(tone(900, 1, "float32"), "OGG", "VORBIS")
    assert skip(lambda: open_bytes(one + one, ".ogg")) == "unsupported-samples"


def test_a_cut_mp3_fails(encode, tone, open_bytes):
    whole = encode(tone(9000, 1, "float32"), "MP3")
    for size in (len(whole) - 1, len(whole) - 250, len(whole) // 2):
        assert failure(lambda size=size: open_bytes(whole[:size], ".mp3")) == "truncated"


def test_mp3_with_a_hole(encode, tone, open_bytes):
    whole = encode(tone(90000, 1, "float32"), "MP3")
    middle = len(whole) // 2
    for broken in (whole[:middle] + whole[middle + 50 :], whole[:middle] + bytes(500) + whole[middle + 500 :]):
        assert failure(lambda broken=broken: open_bytes(broken, ".mp3")) in ("corrupt", "truncated")


def test_mp3_of_variable_rate_without_a_frame_count_is_not_halved(encode, tone, open_bytes, decode):
    rng = np.random.default_rng(0)
    sound = np.concatenate([rng.normal(0, 0.2, 60000), np.zeros(90000)]).astype("float32")
    whole = encode(sound, "MP3", compression_level=0.0, bitrate_mode="VARIABLE")
    bare = whole[whole.index(whole[:2], 4) :]
    assert skip(lambda: decode(open_bytes(bare, ".mp3"))) == "unsupported-samples"


def test_mp3_of_constant_rate_needs_no_frame_count(encode, tone, open_bytes, decode):
    whole = encode(tone(90000, 1, "float32"), "MP3", compression_level=0.5, bitrate_mode="CONSTANT")
    bare = whole[whole.index(whole[:2], 4) :]
    source = open_bytes(bare, ".mp3")
    assert len(decode(source)) >= 90000
    assert source.warnings == ["unknown-length: sample count"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [("flac", "no-encoder"), ("mp3", "no-encoder"), ("ogg", None), ("wav", None), ("aiff", None), ("caf", None)],
)
def test_a_sound_without_samples_is_written_or_refused_by_name(target, reason, encode, open_bytes, encode_like, decode):
    source = open_bytes(encode(np.empty((0, 1), "int16"), "WAV", "PCM_16"))
    empty = decode(source)
    assert source.spec.shape == (0, 1)
    if reason:
        assert failure(lambda: encode_like(source, empty, Encoding(format=target))) == reason
    else:
        assert len(decode(open_bytes(encode_like(source, empty, Encoding(format=target))[0], "." + target))) == 0


def test_flac_of_unknown_length_gives_every_frame(encode, tone, open_bytes, encode_like, decode):
    sound = tone(20000, 1)
    whole = bytearray(encode(sound, "FLAC", "PCM_16"))
    whole[21] &= 0xF0
    whole[22:26] = bytes(4)
    source = open_bytes(bytes(whole), ".flac")
    assert source.spec.shape == (-1, 1)
    assert np.array_equal(decode(source), sound)
    assert np.array_equal(decode(source), sound)
    again = open_bytes(encode_like(source, sound)[0], ".flac")
    assert np.array_equal(decode(again), sound)


def test_flac_of_20_bits_is_skipped(encode, tone, open_bytes):
    whole = bytearray(encode(tone(2000, 1), "FLAC", "PCM_16"))
    fields = int.from_bytes(whole[18:26], "big") & ~(0x1F << 36) | 19 << 36
    whole[18:26] = fields.to_bytes(8, "big")
    assert skip(lambda: open_bytes(bytes(whole), ".flac")) == "unsupported-samples"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("target", ["mp3", "ogg"])
def test_not_a_number_never_reaches_an_encoder(target, bad, encode, tone, open_bytes, encode_like, decode):
    sound = tone(3000, 1, "float32")
    sound[1234] = bad
    source = open_bytes(encode(sound, "WAV", "FLOAT"))
    assert failure(lambda: encode_like(source, decode(source), Encoding(format=target))) == "not-finite"
    assert np.array_equal(decode(open_bytes(encode_like(source, sound)[0])), sound, equal_nan=True)
    assert failure(lambda: encode_like(source, sound, Encoding(format="flac"))) == "no-encoder"


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW"])
def test_companded_sound_beyond_full_scale_is_clipped_not_wrapped(subtype, encode, open_bytes, encode_like, decode):
    source = open_bytes(encode(np.zeros((4, 1), "int16"), "WAV", subtype))
    spec = source.spec
    loud = np.clip(np.array([[1.5], [-1.5], [1.0], [-1.0]]) * spec.full_scale, spec.low, spec.high).astype("int16")
    found = decode(open_bytes(encode_like(source, loud)[0])).ravel()
    assert np.all(found * np.sign(loud.ravel()) > 32000)


def test_companded_sounds_come_back_code_for_code(open_bytes, encode_like, decode, encode):
    for subtype in ("ULAW", "ALAW"):
        source = open_bytes(encode(np.arange(-32768, 32768, 7, "int16")[:, None], "WAV", subtype))
        sound = decode(source)
        assert np.array_equal(decode(open_bytes(encode_like(source, sound)[0])), sound)


def test_an_empty_file(open_bytes):
    assert failure(lambda: open_bytes(b"")) == "empty"


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html>", b"RIFF\x10\0\0\0AVI LIST", b"\x89PNG\r\n\x1a\n" + bytes(40), b"x"]
)
def test_what_is_no_sound(data, open_bytes):
    assert failure(lambda: open_bytes(data)) == "wrong-content"


def test_another_sound_than_the_suffix_says_is_done(encode, tone, open_bytes, decode):
    source = open_bytes(encode(tone(500), "FLAC", "PCM_16"), ".wav")
    assert source.format == "flac"
    assert len(decode(source)) == 500


def test_flac_with_a_wrong_byte(encode, tone, open_bytes, decode):
    whole = bytearray(encode(tone(20000, 1), "FLAC", "PCM_16"))
    whole[len(whole) // 2] ^= 4
    assert failure(lambda: decode(open_bytes(bytes(whole), ".flac"))) == "corrupt"


def test_wavs_of_unknown_encodings_are_skipped(wav, open_bytes):
    wma = wav[:20] + (0x161).to_bytes(2, "little") + wav[22:]
    assert skip(lambda: open_bytes(wma)) == "unsupported-samples"


@pytest.mark.parametrize(("offset", "value"), [(22, 0), (24, 0), (32, 0), (22, 0xFFFF), (34, 0), (34, 77)])
def test_lies_in_the_format_chunk_neither_crash_nor_overflow(offset, value, wav, open_bytes, decode):
    lied = wav[:offset] + value.to_bytes(2, "little") + wav[offset + 2 :]
    with contextlib.suppress(FileFailed, FileSkipped):
        assert len(decode(open_bytes(lied))) < 10000


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFE])
@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "CAF", "W64", "RF64"])
def test_sizes_that_lie_fail(kind, size, encode, tone, open_bytes):
    if kind == "WAV" and size in (0x7FFFFFFF, 0x80000000):
        # these two are written into pipes: test_lengths.py
        size += 2
    whole = encode(tone(500, 1), kind, "PCM_16")
    big = kind in ("AIFF", "AU", "CAF")
    place = {
        "WAV": 40,
        "AIFF": 42,
        "AU": 8,
        "CAF": whole.find(b"data") + 8,
        "W64": whole.find(b"data") + 16,
        "RF64": 28,
    }
    start = place[kind]
    lied = whole[:start] + size.to_bytes(4, "big" if big else "little") + whole[start + 4 :]
    assert failure(lambda: open_bytes(lied)) == "truncated"


def test_overshoot_of_a_lossy_decoder_is_data(encode, open_bytes, decode):
    loud = np.sign(np.sin(np.arange(20000) * 0.05)).astype("float32")[:, None]
    sound = decode(open_bytes(encode(loud, "OGG", "VORBIS"), ".ogg"))
    assert np.abs(sound).max() > 1.0


def test_a_file_that_shrinks_while_it_is_read_fails(wav, open_bytes, decode, tmp_path):
    source = open_bytes(wav)
    (path,) = tmp_path.glob("*.wav")
    path.write_bytes(wav[:1000])
    assert failure(lambda: decode(source)) in ("truncated", "corrupt")


def test_a_reader_may_move_the_descriptor_at_any_time(encode, tone, new_path, keep):
    from noisecli.codecs import audio
    from noisecli.model import Limits

    for container, suffix in (("WAV", ".wav"), ("FLAC", ".flac"), ("OGG", ".ogg"), ("MP3", ".mp3")):
        sound = tone(300_000, 2)
        path = new_path(suffix)
        path.write_bytes(encode(sound, container))
        plain = open(path, "rb")  # noqa: SIM115
        keep(plain)

        class Moved:
            size, suffix = path.stat().st_size, path.suffix

            def fileno(self, file=plain):
                return file.fileno()

        source = keep(audio.open_source(Moved(), Limits()))
        expected = sf.read(path, dtype=source.spec.dtype, always_2d=True)[0]
        for _ in range(2):
            position = 0
            plain.seek(17)
            for block in source.blocks():
                plain.seek(3)
                np.testing.assert_allclose(block, expected[position : position + len(block)], atol=1e-6)
                position += len(block)
            assert position == len(expected)
        source.close()
        assert plain.seek(0) == 0


def test_python_s_own_reader_agrees(wav, open_bytes, decode):
    with wave.open(io.BytesIO(wav)) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.array_equal(decode(open_bytes(wav)).ravel(), expected)


def test_a_list_of_empty_entries_ends(wav, open_bytes):
    """Eight bytes of zeros are an entry; a chunk of nothing else would be walked for minutes."""
    at = wav.index(b"data")
    entries = bytes(8 << 17)
    listed = b"LIST" + (len(entries) + 4).to_bytes(4, "little") + b"INFO" + entries
    whole = wav[:at] + listed + wav[at:]
    whole = whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:]
    assert failure(lambda: open_bytes(whole)) == "corrupt"
    few = b"LIST" + (84).to_bytes(4, "little") + b"INFO" + bytes(80)
    assert open_bytes(wav[:at] + few + wav[at:]).format == "wav"
