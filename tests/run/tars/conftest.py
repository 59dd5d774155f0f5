"""Tar shards, and what is in them."""

import io
import tarfile

import pytest


@pytest.fixture(scope="session")
def write_tar():
    """Write a tar of members, given as pairs of a name and bytes, or a TarInfo for what is no file."""

    def write(path, *members, form=tarfile.USTAR_FORMAT):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w", format=form) as tar:
            for number, (name, data) in enumerate(members):
                info = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
                info.mtime, info.uid, info.uname = 1_700_000_000 + number, 1000, "somebody"
                if info is not data:
                    info.size = len(data)
                tar.addfile(info, None if info is data else io.BytesIO(data))
        return path

    return write


@pytest.fixture(scope="session")
def members():
    """Return the names and bytes of a tar, in order."""

    def read(path):
        with tarfile.open(path) as tar:
            return [(info.name, tar.extractfile(info).read()) for info in tar]

    return read


@pytest.fixture
def shards(tmp_path, png, write_tar):
    """Return a folder of three shards of four samples, each with labels before and behind the image."""
    for number in range(3):
        found = []
        for place in range(4):
            key = f"{number}{place}"
            found += [
                (f"{key}.cls", str(place).encode()),
                (f"{key}.png", png(4 * number + place)),
                (f"{key}.json", b'{"n": %d}' % place),
            ]
        write_tar(tmp_path / f"shards/{number:06d}.tar", *found)
    return tmp_path / "shards"
