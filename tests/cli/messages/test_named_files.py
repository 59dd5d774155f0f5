"""What -v names: the files that a line is about, the first of them, and how many more there are."""

import numpy as np

from noisecli.run.examples import SHOWN, Examples


def test_examples_are_few_and_the_same_in_any_order():
    names = [f"{number:07}" for number in np.random.default_rng(32).permutation(100_000)]
    found, other = Examples(), Examples.of(names)
    for name in names:
        found.add(name)
        assert len(found.names) <= SHOWN
    assert found.names == other.names == sorted(names)[:SHOWN]
    assert found.number == other.number == 100_000


def test_files_are_named_with_v(images, fill, pictures, png, destination, tmp_path):
    trailing = [f"t{number:02}.png" for number in range(SHOWN + 2)]
    for name in trailing:
        (pictures / name).write_bytes(png() + b"more")
    (pictures / "text.png").write_bytes(_with_text(png()))
    fill(pictures, "b.txt", "a.txt")
    words = ("--format", "bmp", "--std", "90")
    short, long = images(*words).err, images(*words, "--redo", "-v").err
    lines = long.splitlines()
    told = lines.index("22 images: bytes behind the end are left out (trailing-data)")
    expected = [f"  {name[:-4]}.bmp" for name in trailing[:SHOWN]]
    assert lines[told + 1 : told + 2 + SHOWN] == [*expected, "  ... and 2 more"]
    told = lines.index("1 image: the output cannot hold this metadata (metadata-lost)")
    assert lines[told + 1].startswith("  text.bmp: ")
    left = lines.index("2 side files left behind: --sidecars copy takes them along")
    assert lines[left + 1 : left + 3] == ["  a.txt", "  b.txt"]
    clipped = next(number for number, line in enumerate(lines) if "more than 1% of their samples clipped" in line)
    assert lines[clipped + 1].startswith("  a.bmp: ")
    assert lines[clipped + 1].endswith("%")
    assert "-v names the files" not in long
    assert "  t00.bmp" not in short
    assert "\nwarnings: metadata-lost (1 image), trailing-data (22 images)\n-v names the files\n" in short
    copied = images(*words, "--sidecars", "copy", "-v", to=tmp_path / "copied").err.splitlines()
    carried = copied.index("2 side files copied")
    assert copied[carried + 1 : carried + 3] == ["  a.txt", "  b.txt"]


def test_an_snr_that_could_not_be_met_is_told(noisy, tmp_path, destination):
    (tmp_path / "src").mkdir()
    rng = np.random.default_rng(34)
    for name, high in (("loud.pgm", 256), ("soft.pgm", 140)):
        samples = rng.integers(0 if high == 256 else 110, high, (64, 64)).astype(np.uint8)
        (tmp_path / "src" / name).write_bytes(b"P5 64 64 255\n" + samples.tobytes())
    done = noisy("images", tmp_path / "src", destination, "--snr-db", "8", "-v", "--json")
    assert done.summary["snr_missed"] == 1
    lines = done.err.splitlines()
    told = lines.index("1 image has an SNR more than 0.5 dB from what was asked, by clipping or rounding")
    assert lines[told + 1].startswith("  loud.pgm: 8.0 dB asked, ")
    assert "more than 0.5 dB" not in noisy("images", tmp_path / "src", tmp_path / "x", "--snr-db", "30").err


def _with_text(image):
    """Put a line of text into a PNG, behind its header."""
    import struct
    import zlib

    chunk = b"tEXt" + b"Comment\0hello"
    return image[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + image[33:]
