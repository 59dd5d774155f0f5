"""Media files and data sets that nothing here reads are named, with a way out, and never carried along clean."""

import gzip
import io
import struct
import tarfile

import pytest

from noisecli.kinds import FORMATS, KINDS, kinds_of, suffix_of, why_refused, why_unread

NAMED = (
    ".dcm .dicom .tga .nef .cr2 .cr3 .arw .dng .raf .orf .rw2 .svs .ndpi .psd .ico .cur .jxr .wdp .hdp .xcf .exr .hdr "
    ".dds .pcx .sgi .fits .nii .mha .mhd .jxl .heic .heif .m4a .aac .wma .amr .webm .sph .ac3 .ape .wv .mp4 .mkv .mov "
    ".avi .svg"
)
SIDE_FILES = (
    *("a.txt", "a.xml", "a.json", "a.csv", "a.pfm", "a.flo", "a.mid", "a.mat", "a.TextGrid", "a.bin", "a.dat", "a.ts"),
    *("a.csv.gz", "a.gz", "README", "a.parquet", "a.pt"),
)


def test_every_suffix_of_the_tables_is_a_dataset_file_with_words():
    for kind in (KINDS["images"], KINDS["audio"]):
        for suffix in kind.unsupported:
            assert suffix == suffix.lower()
            assert suffix.startswith(".")
            assert kind.name in kinds_of(suffix)
            if suffix not in kind.formats:
                words = why_unread(suffix, kind.name)
                assert "which noisecli does not read; " in words
                assert "{" not in words


@pytest.mark.parametrize("suffix", NAMED.split())
def test_suffixes_that_people_have(suffix):
    assert kinds_of(suffix)
    assert kinds_of(suffix.upper()) == kinds_of(suffix)


def test_what_is_read_is_not_called_unread():
    for kind in ("images", "audio"):
        assert not set(FORMATS) & set(KINDS[kind].unsupported) - set(KINDS["audio"].formats)


@pytest.mark.parametrize(
    ("name", "suffix", "kinds"),
    [
        ("brain.nii.gz", ".nii.gz", ("images", "adversarial")),
        ("BRAIN.NII.GZ", ".nii.gz", ("images", "adversarial")),
        ("a.wav.zst", ".wav.zst", ("audio",)),
        ("a.png.gz", ".png.gz", ("images", "adversarial")),
        ("a.b.PNG", ".png", ("images", "adversarial")),
        ("notes.txt.gz", ".gz", ()),
        (".gz", "", ()),
    ],
)
def test_packed_files_have_two_suffixes(name, suffix, kinds):
    assert (suffix_of(name), kinds_of(suffix_of(name))) == (suffix, kinds)


@pytest.mark.parametrize("name", SIDE_FILES)
def test_labels_stay_side_files(name):
    assert kinds_of(suffix_of(name)) == ()


@pytest.mark.parametrize("how", ["skip", "copy", "link"])
def test_they_are_skipped_by_name_and_never_carried_along(images, pictures, errors, outputs, destination, how):
    names = {
        "scan.dcm": "pydicom",
        "brain.nii.gz": "nibabel",
        "x.NEF": "darktable",
        "c.mp4": "ffmpeg",
        "a.ppm.gz": "gunzip",
    }
    for name in names:
        (pictures / name).write_bytes(b"clean")
    (pictures / "talk.m4a").write_bytes(b"clean")
    (pictures / "a.txt").write_bytes(b"label")
    done = images("--json", "--sidecars", how)
    assert (done.status, done.summary["skipped"], done.summary["other_kinds"]) == (0, 5, {"audio": 1})
    found = errors(destination)
    assert {name: entry["reason"] for name, entry in found.items()} == dict.fromkeys(names, "unsupported-format")
    for name, tool in names.items():
        assert tool in found[name]["message"]
    carried = {name for name in outputs(destination) if not name.endswith(".png")}
    assert carried == (set() if how == "skip" else {"a.txt"})


def test_excluded_they_are_carried_along(images, pictures, outputs, destination):
    (pictures / "scan.dcm").write_bytes(b"clean")
    assert images("--exclude", "*.dcm", "--sidecars", "copy").status == 0
    assert outputs(destination)["scan.dcm"] == b"clean"


def test_audio_files_that_are_not_read(noisy, sample_data, errors, tree, tmp_path, destination):
    source = tmp_path / "speech"
    source.mkdir()
    (source / "a.wav").write_bytes(next((sample_data / "audio").rglob("*.wav")).read_bytes())
    names = ("b.ape", "c.mp4", "d.nist", "e.mkv", "f.raw")
    for name in names:
        (source / name).write_bytes(b"clean")
    assert noisy("audio", source, destination, "--std", "0.01", "--sidecars", "copy").status == 0
    assert not {*names} & tree(destination).keys()
    skipped = {name: entry for name, entry in errors(destination).items() if entry["reason"] == "unsupported-format"}
    assert all("audio.wav" in entry["message"] for entry in skipped.values())
    assert skipped.keys() >= {"f.raw"}


def test_a_video_is_named_in_the_words_of_the_kind(images, noisy, pictures, errors, destination):
    (pictures / "clip.mov").write_bytes(b"clean")
    assert images().status == 0
    assert "frames" in errors(destination)["clip.mov"]["message"]


def test_one_file_of_such_a_name(noisy, pictures, tmp_path):
    (pictures / "scan.dcm").write_bytes(b"no image at all")
    done = noisy("images", pictures / "scan.dcm", tmp_path / "out.png", "--std", "5")
    assert done.status == 1
    assert "DICOM" in done.err
    done = noisy("images", pictures / "a.png", tmp_path / "out.nii.gz", "--std", "5")
    assert (done.status, "does not write" in done.err) == (2, True)


ARCHIVES = (
    *("a.zip", "a.tar", "a.tgz", "a.TAR.gz", "a.tar.zst", "a.tar.bz2", "a.7z", "a.rar", "a.tfrecord", "a.tfrecords"),
    *("a.tfrecord.gz", "a.arrow", "a.rec", "a.beton", "a.lmdb", "data.mdb"),
    *("t10k-images.idx3-ubyte", "t10k-images.idx3-ubyte.gz"),
)


@pytest.mark.parametrize("how", ["skip", "copy", "link"])
def test_whole_data_sets_are_never_carried_along(images, pictures, errors, outputs, destination, how):
    for name in ARCHIVES:
        (pictures / name).write_bytes(b"clean")
    done = images("--json", "--sidecars", how)
    assert (done.status, done.summary["skipped"], done.summary["sidecars_left"]) == (0, len(ARCHIVES), 0)
    found = errors(destination)
    assert {name: entry["reason"] for name, entry in found.items()} == dict.fromkeys(ARCHIVES, "unsupported-format")
    assert "is an archive, which noisecli does not read; unpack it first" in found["a.TAR.gz"]["message"]
    assert "write its samples out first" in found["a.tfrecord.gz"]["message"]
    assert not {*ARCHIVES} & outputs(destination).keys()


@pytest.mark.parametrize("kind", ["audio", "arrays", "adversarial"])
def test_whole_data_sets_are_of_these_kinds_too(kind):
    assert all(why_refused(suffix_of(name), kind) for name in ARCHIVES)


@pytest.mark.parametrize("kind", ["weights", "latents"])
def test_beside_models_archives_are_side_files(kind):
    assert not any(why_refused(suffix_of(name), kind) or kinds_of(suffix_of(name)) for name in ARCHIVES)


def test_one_archive_is_refused(noisy, pictures, tmp_path):
    (pictures / "all.tar.gz").write_bytes(b"clean")
    done = noisy("images", pictures / "all.tar.gz", tmp_path / "out.png", "--std", "5")
    assert (done.status, "unpack it first" in done.err) == (2, True)


def _tar():
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.png"))
    return whole.getvalue()


IDX = struct.pack(">IIII", 0x803, 1, 28, 28) + bytes(784)
UNSAID = {
    "photo": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "x.jif": b"\xff\xd8\xff\xe1\0\x10Exif\0",
    "x.insp": b"\xff\xd8\xff\xe1\0\x10Exif\0",
    "photo.JPG.orig": b"\xff\xd8\xff\xdb\0\x43",
    "x.avifs": b"\0\0\0\x1cftypavis\0\0\0\0",
    "deep/noext": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "bitmap": b"BM" + struct.pack("<IIIIii", 1078, 0, 1078, 40, 8, 8),
    "grey": b"P5\n# made by a camera\n640 480\n255\n",
    "t.dat": b"II*\0\x08\0\0\0",
    "sound": b"RIFF\x24\0\0\0WAVEfmt ",
    "song": b"ID3\x04\0\0\0\0\0\0",
    "take.bak": b"fLaC\0\0\0\x22",
    "scan": bytes(128) + b"DICM\x02\0",
    "train-images-idx3-ubyte": IDX,
    "train-images-idx3-ubyte.gz": gzip.compress(IDX),
    "all": _tar(),
    "all.gz": gzip.compress(_tar()),
}
LABELS = {
    "LICENSE": b"BM is short for something\n",
    "a.bin": bytes(16),
    "train-labels-idx1-ubyte": struct.pack(">II", 0x801, 1) + b"\7",
    "train-labels-idx1-ubyte.gz": gzip.compress(struct.pack(">II", 0x801, 1) + b"\7"),
    "broken.gz": b"\x1f\x8bno gzip",
    "a.txt": "P1 0.5 0.5".encode("utf-16"),
    "b.txt": b"P1 0.5 0.5 0.1 0.1\n",
    "empty": b"",
}


@pytest.mark.parametrize("how", ["copy", "link"])
def test_what_its_first_bytes_call_a_sample_is_not_carried_along(images, pictures, errors, tree, destination, how):
    for name, data in {**UNSAID, **LABELS}.items():
        (pictures / name).parent.mkdir(exist_ok=True)
        (pictures / name).write_bytes(data)
    done = images("--json", "--sidecars", how)
    assert (done.status, done.summary["sidecars_copied"], done.summary["skipped"]) == (0, len(LABELS), len(UNSAID))
    found = errors(destination)
    assert {name: entry["reason"] for name, entry in found.items()} == dict.fromkeys(UNSAID, "unsupported-format")
    assert "is a JPEG image by its first bytes" in found["x.jif"]["message"]
    assert "(IDX), packed by gzip" in found["train-images-idx3-ubyte.gz"]["message"]
    assert not UNSAID.keys() & tree(destination).keys()
    assert tree(destination).keys() >= LABELS.keys()


def test_left_behind_they_are_side_files(images, pictures, errors, destination):
    (pictures / "photo").write_bytes(UNSAID["photo"])
    assert images("--json").summary["sidecars_left"] == 1
    assert errors(destination) == {}


def test_excluded_they_are_carried_along_too(images, pictures, outputs, destination):
    (pictures / "photo").write_bytes(UNSAID["photo"])
    assert images("--exclude", "photo", "--sidecars", "copy").status == 0
    assert outputs(destination)["photo"] == UNSAID["photo"]
