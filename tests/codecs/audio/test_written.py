"""A write that fails is raised, whenever libsndfile makes it, and what cannot be read back is never an output."""

import errno
import os
import struct

import numpy as np
import pytest

from noisecli import model
from noisecli.codecs.audio import sink as sink_module
from noisecli.codecs.audio import spool
from noisecli.codecs.audio.encoding import CONTAINERS
from noisecli.codecs.audio.subtypes import HOLDS
from noisecli.model import Limits
from tests.fixtures.files import problem

EVERY = [(CONTAINERS[name], subtype) for name, subtypes in HOLDS.items() for subtype in subtypes] + [("WAVEX", "FLOAT")]


@pytest.fixture
def failing(monkeypatch):
    """Let the n-th write of a spool fail half-way, and count them."""

    class Failing:
        calls, number, raised = 0, 0, OSError(errno.EIO, "a failing disk")

        def pwrite(self, descriptor, data, offset):
            self.calls += 1
            if self.calls == self.number:
                pwrite(descriptor, bytes(data)[: len(data) // 2], offset)
                raise self.raised
            return pwrite(descriptor, data, offset)

    pwrite, failing = os.pwrite, Failing()
    monkeypatch.setattr(spool, "_MOST", 3000)
    monkeypatch.setattr(os, "pwrite", failing.pwrite)
    return failing


@pytest.fixture
def copied(encode, tone, open_bytes, decode, encode_like):
    """Encode a tone, then write it once more through a sink."""

    def copy(container, subtype, frames=2000):
        source = open_bytes(encode(tone(frames, 1, "float32"), container, subtype))
        samples = decode(source)
        return lambda: encode_like(source, samples)

    return copy


@pytest.mark.parametrize(("container", "subtype"), EVERY)
def test_every_write_that_fails_is_raised(container, subtype, copied, failing, capfd):
    write = copied(container, subtype)
    failing.calls = 0
    whole = write()[0]
    calls = failing.calls
    assert calls
    for failing.number in range(1, calls + 1):
        failing.calls = 0
        with pytest.raises(OSError, match="a failing disk") as caught:
            write()
        assert caught.value.errno == errno.EIO
        assert failing.calls == failing.number
    failing.number = 0
    assert write()[0] == whole
    assert capfd.readouterr() == ("", "")


def test_what_is_no_error_of_the_system_is_raised_too(copied, failing, capfd):
    write = copied("FLAC", "PCM_16")
    failing.number, failing.raised = failing.calls + 1, MemoryError("no room")
    with pytest.raises(MemoryError, match="no room"):
        write()
    assert capfd.readouterr() == ("", "")


def test_short_writes_are_gone_on_with(copied, monkeypatch):
    write = copied("WAV", "PCM_16")
    whole = write()[0]
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, bytes(data)[:7], offset))
    assert write()[0] == whole


def cut(data):
    return data[: len(data) // 2]


def without_frames(data):
    return data[:40] + bytes(4) + data[44:]


def at_another_rate(data):
    return data[:24] + struct.pack("<I", 8001) + data[28:]


def without_hash(data):
    return data[:26] + bytes(16) + data[42:]


def with_a_wrong_page(data):
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("container", "subtype", "damage"),
    [
        *((container, subtype, cut) for container, subtype in EVERY),
        ("WAV", "PCM_16", without_frames),
        ("WAV", "PCM_16", at_another_rate),
        ("FLAC", "PCM_16", without_hash),
        ("OGG", "VORBIS", with_a_wrong_page),
    ],
)
def test_what_the_disk_holds_is_read_back(container, subtype, damage, copied, monkeypatch):
    """As though a write had been lost that nobody reported."""
    write = copied(container, subtype)
    settle = sink_module.settle

    def settle_and_damage(descriptor, *arguments):
        settle(descriptor, *arguments)
        data = damage(os.pread(descriptor, 1 << 20, 0))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)

    monkeypatch.setattr(sink_module, "settle", settle_and_damage)
    with pytest.raises(OSError, match=r"reads? back"):
        write()


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("frames", [50, 300_000])
def test_a_flac_is_compared_with_its_own_hash(subtype, frames, encode, tone, open_bytes, decode):
    good = encode(tone(frames, dtype="float32"), "FLAC", subtype)
    assert len(decode(open_bytes(good))) == frames
    unknown = open_bytes(good[:26] + bytes(16) + good[42:])
    assert len(decode(unknown)) == frames
    wrong = open_bytes(good[:26] + bytes([good[26] ^ 1]) + good[27:])
    assert problem(lambda: decode(wrong)).reason == "corrupt"


def test_a_flac_that_counts_too_few_frames_gives_all_that_its_hash_is_of(encode, tone, open_bytes, decode):
    good = encode(tone(3000, 1), "FLAC", "PCM_16")
    count = struct.pack(">I", 2999)
    assert good[22:26] == struct.pack(">I", 3000)
    assert np.array_equal(decode(open_bytes(good[:22] + count + good[26:])), tone(3000, 1))
    wrong = good[:22] + count + bytes([good[26] ^ 1]) + good[27:]
    assert "MD5" in problem(lambda: decode(open_bytes(wrong))).message


def test_a_flac_read_twice_is_hashed_once(encode, tone, open_bytes, decode, monkeypatch):
    from noisecli.codecs.audio import source as source_module

    made = []
    hashed = source_module.SampleHash
    monkeypatch.setattr(source_module, "SampleHash", lambda bits: made.append(bits) or hashed(bits))
    source = open_bytes(encode(tone(300_000), "FLAC", "PCM_16"))
    next(source.blocks())
    assert np.array_equal(decode(source), decode(source))
    # the first pass was given up, the second one was compared
    assert made == [16, 16]


@pytest.mark.parametrize("known", [True, False], ids=["counted", "of unknown length"])
def test_a_flac_of_silence_is_no_way_to_fill_a_disk(known, encode, open_bytes, monkeypatch):
    monkeypatch.setattr(model, "DECODED_FLOOR", 1 << 18)
    bomb = encode(np.zeros((1 << 19, 2), "int16"), "FLAC", "PCM_16")
    if not known:
        bomb = bomb[:21] + bytes([bomb[21] & 0xF0]) + bytes(4) + bomb[26:]
    found = problem(lambda: sum(map(len, open_bytes(bomb).blocks())))
    assert found.reason == "too-large"
    assert "--max-decoded" in found.message


def test_the_limit_is_as_asked_for(encode, tone, new_path, keep):
    from noisecli.codecs import audio

    path = new_path(".wav")
    path.write_bytes(encode(tone(1000, 2), "WAV", "PCM_16"))

    class File:
        size, suffix = path.stat().st_size, ".wav"
        fileno = keep(path.open("rb")).fileno

    assert audio.open_source(File(), Limits(max_decoded=4000)).spec.shape == (1000, 2)
    assert problem(lambda: audio.open_source(File(), Limits(max_decoded=3999))).reason == "too-large"
