"""Waveforms keep their extremes, spectrograms their decibels, long sounds their loudest seconds."""

import numpy as np
import pytest
import soundfile

from noisecli.model import Limits
from noisecli.views import sounds
from noisecli.views.excerpt import EXCERPT_SECONDS, listen, survey
from noisecli.views.noisy_copy import NoisyCopy, Viewing
from noisecli.views.spectrum import FLOOR_DECIBELS, decibels

VIEWING = Viewing(Limits())
HEIGHT, WIDTH = 144, 320


def tone(frequency, rate, seconds=1.0, amplitude=1.0):
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_tone_is_seen_at_its_frequency_and_its_level(rate, share):
    found = decibels(tone(share * rate / 2, rate, amplitude=0.5), rate, HEIGHT, WIDTH)
    assert found.shape == (HEIGHT, WIDTH)
    column = found[:, WIDTH // 2]
    assert abs((1 - column.argmax() / (HEIGHT - 1)) - share) < 2 / HEIGHT
    # -6.02 dB, less what a Hann window takes between two bins (1.4 dB) and what a pixel averages over bins
    bins_in_a_pixel = max(1, 2 ** round(np.log2(rate * 0.032)) / 2 / HEIGHT)
    assert -6.0 - 1.5 - 10 * np.log10(bins_in_a_pixel) - 1.8 <= column.max() < -5.9


@pytest.mark.parametrize("rate", [8000, 48000])
@pytest.mark.parametrize("seconds", [0.1, 1, 20])
def test_noise_has_its_level_at_any_scale(rate, seconds):
    """White noise of std s has power s^2 * sum(w^2) / (sum(w)/2)^2 in every bin: 6 s^2 / length for a Hann window."""
    noise = np.random.default_rng(3).normal(0, 0.1, int(rate * seconds)).astype(np.float32)
    found = decibels(noise, rate, HEIGHT, WIDTH)
    length = 2 ** round(np.log2(rate * 0.032))
    power = 10 ** (found[4:-4, 4:-4].astype(np.float64) / 10)
    expected = 0.01 * 6 / length
    # as many independent numbers as there are samples, each with a relative std of 1; 8 / 3 for the windows' overlap
    assert abs(power.mean() / expected - 1) < 5 * (8 / 3 / (rate * seconds)) ** 0.5 + 0.02


def test_silence_has_a_floor():
    assert np.allclose(decibels(np.zeros(100, np.float32), 8000, HEIGHT, WIDTH), FLOOR_DECIBELS)


@pytest.mark.parametrize("frames", [1, 2, 319, 320, 321, 10_000])
def test_a_waveform_keeps_its_extremes(frames):
    wave = np.zeros(frames, np.float32)
    wave[frames // 2] = 1.0
    low, high = sounds._envelope(wave)
    assert len(low) == len(high) == sounds.WIDTH
    assert high.max() == 1.0
    assert (low <= high).all()


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_first_channel_is_listened_to(tmp_path, subtype):
    left, right = tone(440, 8000), tone(880, 8000, amplitude=0.3)
    soundfile.write(tmp_path / "a.wav", np.stack([left * 0.5, right], axis=1), 8000, subtype=subtype)
    sound = survey(str(tmp_path / "a.wav"), VIEWING)
    expected, _ = soundfile.read(tmp_path / "a.wav")
    assert np.allclose(listen(str(tmp_path / "a.wav"), sound, VIEWING), expected[:, 0], atol=1e-6)
    assert "channel 1 of 2" in sounds.draw_row(str(tmp_path / "a.wav"), "a.wav", [], VIEWING).about


def test_of_a_long_sound_the_loudest_seconds_are_shown(tmp_path):
    rate, loud = 8000, 41
    wave = np.random.default_rng(5).normal(0, 0.01, 60 * rate)
    wave[loud * rate : (loud + 2) * rate] *= 20
    soundfile.write(tmp_path / "a.flac", wave, rate)
    sound = survey(str(tmp_path / "a.flac"), VIEWING)
    assert sound.stop - sound.start == EXCERPT_SECONDS * rate
    assert sound.start <= loud * rate < (loud + 2) * rate <= sound.stop
    whole, _ = soundfile.read(tmp_path / "a.flac", dtype="float32")
    assert (listen(str(tmp_path / "a.flac"), sound, VIEWING) == whole[sound.start : sound.stop]).all()
    assert "the loudest 10 s" in sounds.draw_row(str(tmp_path / "a.flac"), "a", [], VIEWING).about


@pytest.mark.parametrize("rate", [1, 3, 9])
def test_of_a_long_sound_of_few_frames_a_second_the_loudest_are_shown(tmp_path, rate):
    wave = np.zeros(40 * rate)
    wave[20 * rate : 30 * rate] = 0.5
    soundfile.write(tmp_path / "a.wav", wave, rate)
    found = survey(str(tmp_path / "a.wav"), VIEWING)
    assert (found.start, found.stop) == (20 * rate, 30 * rate)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_every_format_has_a_row(preview, tmp_path, name):
    soundfile.write(tmp_path / name, tone(440, 16000, amplitude=0.3), 16000)
    assert preview(tmp_path / name, tmp_path / "sheet.png", "--snr-db", "20,0").status == 0
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_what_is_drawn_is_what_a_real_run_writes(noisy, preview, sample_data, samples, holds, tmp_path):
    source = sample_data / "audio/vowels/duet.ogg"
    assert noisy("audio", source, tmp_path / "noisy.ogg", "--std", "0.05").status == 0
    assert preview(source, tmp_path / "sheet.png", "--std", "0.05").status == 0
    row = sounds.draw_row(str(source), "duet.ogg", [NoisyCopy(str(tmp_path / "noisy.ogg"), "", ())], VIEWING)
    sheet = samples(tmp_path / "sheet.png")
    for cell in row.cells[:2]:
        for panel in cell.panels:
            assert holds(sheet, panel)


@pytest.mark.parametrize("frames", [1, 5, 100])
def test_short_sounds_have_a_row(preview, write_wav, tmp_path, frames):
    write_wav(tmp_path / "a.wav", frames=frames)
    assert preview(tmp_path / "a.wav", tmp_path / "sheet.png", "--std", "0.1").status == 0


def test_a_sound_without_samples_is_told(preview, write_wav, tmp_path):
    write_wav(tmp_path / "a.wav", frames=0)
    write_wav(tmp_path / "b.wav", frames=50)
    row = sounds.draw_row(str(tmp_path / "a.wav"), "a.wav", [], VIEWING)
    assert row.problem is not None
    assert preview(tmp_path, tmp_path.parent / f"{tmp_path.name}.png", "--std", "0.1").status == 0


def test_silence_and_what_is_no_number_have_a_row(preview, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 8000)
    wave = tone(440, 8000, amplitude=0.3)
    wave[100:120] = np.nan
    soundfile.write(tmp_path / "b.wav", wave, 8000, subtype="FLOAT")
    wave[200] = np.inf
    soundfile.write(tmp_path / "c.wav", wave, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "d.wav", np.random.default_rng(0).normal(0, 1e30, 4000), 8000, subtype="FLOAT")
    for name, more in (("a.wav", ()), ("b.wav", ()), ("c.wav", ()), ("d.wav", ("--full-scale", "1e31"))):
        assert preview(tmp_path / name, tmp_path / f"{name}.png", "--snr-db", "10", *more).status == 0


EXTREMES = {
    "large": 5e220,
    "largest": 1.7e308,
    "tiny": 5e-320,
    "one of float32": 1e38,
    "not finite": np.inf,
    "no number": np.nan,
    "silence": 0.0,
}


@pytest.mark.parametrize("size", EXTREMES.values(), ids=EXTREMES)
@pytest.mark.parametrize("frames", [1, 4000, 31 * 8000])
def test_every_double_can_be_drawn(tmp_path, size, frames):
    wave = np.random.default_rng(0).choice([-1.0, 1.0], frames) * size
    soundfile.write(tmp_path / "a.wav", wave, 8000, subtype="DOUBLE")
    path = str(tmp_path / "a.wav")
    row = sounds.draw_row(path, "a.wav", [NoisyCopy(path, "", ())], VIEWING)
    assert len(row.cells) == 3


def test_a_loud_wave_is_drawn_as_a_soft_one(tmp_path):
    cells = []
    for size in (1.0, 5e220):
        path = str(tmp_path / f"{size}.wav")
        soundfile.write(path, tone(440, 8000).astype(float) * size, 8000, subtype="DOUBLE")
        cells.append(sounds.draw_row(path, "a.wav", [], VIEWING).cells[0])
    assert all((a == b).all() for a, b in zip(cells[0].panels[:1], cells[1].panels[:1], strict=True))
    assert decibels(tone(440, 8000).astype(float) * 1e200, 8000, HEIGHT, WIDTH).max() == pytest.approx(
        4000 + decibels(tone(440, 8000), 8000, HEIGHT, WIDTH).max(), abs=0.01
    )


@pytest.mark.parametrize("level", [("--std", "0.1"), ("--snr-db", "10")])
@pytest.mark.parametrize("frames", [1, 4000])
def test_samples_beyond_squares_are_drawn_or_fail_by_name(preview, tmp_path, level, frames):
    soundfile.write(tmp_path / "a.wav", np.full(frames, 5e220), 8000, subtype="DOUBLE")
    done = preview(tmp_path / "a.wav", tmp_path / "sheet.png", *level, "--full-scale", "1e221")
    assert "Warning" not in done.err
    assert (done.status == 0) == (level[0] == "--std")
    assert done.status == 0 or "too large" in done.err
