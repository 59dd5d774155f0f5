"""What files of coloured noise show: slopes, the level of each octave, kurtosis, borders of blocks, SNR on disk.

`python -m tests.noise.spectra FOLDER [FOLDER ...]`: each is a run of `noisecli audio SRC DST` over files of one length,
with as many copies as may be; SRC is the folder that --source names. All is read back from the files on disk.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile

BORDERS = (64, 4096)
"""Frames of a block, and of a group of blocks."""


def noises(folder, source):
    """Yield the rate, the noise and the row of each file; channels one behind the other."""
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        noisy, rate = soundfile.read(folder / row["file_name"], dtype="float64", always_2d=True)
        clean = soundfile.read(source / row["source"], dtype="float64", always_2d=True)[0]
        yield rate, (noisy - clean).T, row, clean


def octaves(rate):
    """Return the edges of octaves from 20 Hz up, the last one to 0.45 of the rate."""
    top = 0.45 * rate
    edges = 20 * 2.0 ** np.arange(int(np.log2(top / 20)) + 1)
    return np.append(edges[:-1], top)


def fitted(power, rate, seconds, edges):
    """Return the slope of a weighted line through the power of third octaves, in dB an octave."""
    frequencies = np.geomspace(edges[0], edges[-1], 3 * len(edges))
    bands = np.split(power, np.rint(frequencies * seconds).astype(int))[1:-1]
    db, errors = [10 * np.log10(band.mean()) for band in bands], [band.size**-0.5 for band in bands]
    middle = np.log2(frequencies[1:] * frequencies[:-1]) / 2
    return np.polyfit(middle, db, 1, w=1 / np.array(errors))[0], np.polyfit(middle, db, 1)[0]


def describe(folder, source):
    """Print what the files of a run show."""
    total, slopes, fourth, off = None, [], [], []
    at = {border: [[], []] for border in BORDERS}
    for rate, channels, row, clean in noises(folder, source):
        seconds = channels.shape[1] / rate
        off.append(
            10 * np.log10(np.square(clean).sum() / np.square(channels).sum()) - float(row["level"].split(",")[0][7:])
        )
        for x in channels:
            power = np.abs(np.fft.rfft(x * np.hanning(x.size))) ** 2
            slopes.append(fitted(power, rate, seconds, octaves(rate)))
            total = power if total is None else total + power
            fourth.append((x**4).mean() / (x**2).mean() ** 2)
            step = np.square(np.diff(x))
            for border, (own, others) in at.items():
                here = step[border - 1 :: border]
                own.append(here.mean())
                others.append((step.sum() - here.sum()) / (step.size - here.size))
    slope = row["slope"]
    weighted, plain = np.array(slopes).T
    print(f"{folder.name}: {row['noise']}, {rate} Hz, {len(slopes)} x {seconds:g} s; slope wanted {slope}")
    print(f"  slope of one file: weighted {weighted.mean():+.4f} ({weighted.min():+.4f} to {weighted.max():+.4f}), "
          f"third octaves alike {plain.mean():+.4f} ({plain.min():+.4f} to {plain.max():+.4f})")  # fmt: skip
    edges = octaves(rate)
    frequencies = np.arange(total.size) / seconds
    flat = total[1:] * frequencies[1:] ** (-slope / (10 * np.log10(2)))
    levels = [10 * np.log10(part.mean()) for part in np.split(flat, np.rint(edges * seconds).astype(int) - 1)[1:-1]]
    levels -= np.median(levels)
    print("  octaves from 20 Hz up, dB off the line:", " ".join(f"{level:+.3f}" for level in levels))
    print(f"  kurtosis {np.mean(fourth):.4f} (of one file {min(fourth):.3f} to {max(fourth):.3f})")
    for border, (own, others) in at.items():
        ratio = np.mean(own) / np.mean(others)
        count = sum(1 for _ in own) * channels.shape[1] / border
        print(f"  steps across borders of {border}: {ratio:.5f} of others, z {(ratio - 1) / (2 / count) ** 0.5:+.2f}")
    print(f"  SNR on disk less the one asked: mean {np.mean(off):+.4f} dB, files {min(off):+.3f} to {max(off):+.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--source", type=Path, required=True)
    args = parser.parse_args()
    for folder in args.folders:
        describe(folder, args.source)


if __name__ == "__main__":
    main()
