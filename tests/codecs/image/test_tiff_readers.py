"""TIFFs that tifffile writes, and what it reads of them and of their outputs: all ways samples can lie."""

import io
import itertools

import numpy as np
import pytest

tifffile = pytest.importorskip("tifffile", reason="needs tifffile: the extra named readers")
pytest.importorskip("imagecodecs", reason="needs imagecodecs: the extra named readers")
pytest.importorskip("zstandard", reason="needs zstandard: the extra named tiff")

DTYPES = ["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]
PACKED = [
    (None, False),
    *itertools.product(["zlib", "lzw", "zstd"], [False, True]),
    ("packbits", False),
    ("lzma", False),
]
SHAPES = [{}, {"rowsperstrip": 7}, {"tile": (16, 16)}, {"tile": (16, 48)}, {"tile": (128, 64)}]


def written(samples, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, metadata=options.pop("metadata", None), **options)
    return stream.getvalue()


def same(before, after):
    """Compare all pages of two files; channels may lie in planes in one of them."""
    with tifffile.TiffFile(io.BytesIO(before)) as first, tifffile.TiffFile(io.BytesIO(after)) as second:
        assert len(first.pages) == len(second.pages)
        for old, new in zip(first.pages, second.pages, strict=True):
            samples, found = old.asarray(), new.asarray()
            if old.planarconfig != new.planarconfig:
                samples = np.moveaxis(samples, 0, -1)
            np.testing.assert_array_equal(found, samples)
            assert (found.dtype, new.photometric, new.extrasamples) == (
                samples.dtype,
                old.photometric,
                old.extrasamples,
            )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_every_way_to_lie(dtype, channels, copy):
    random = np.random.default_rng(channels)
    shape = (50, 60, channels) if channels > 1 else (50, 60)
    samples = (random.integers(0, 100, shape) / (100 if dtype[0] == "f" else 1)).astype(dtype)
    for (compression, predictor), lying, order in itertools.product(PACKED, SHAPES, "<>"):
        planar = channels > 1 and order == ">"
        options = {"compression": compression, **lying} if compression else dict(lying)
        options |= {"predictor": True} if predictor else {}
        options |= {"planarconfig": "separate"} if planar else {}
        photometric = "rgb" if channels == 3 else "minisblack"
        data = np.moveaxis(samples, -1, 0) if planar else samples
        before = written(data, photometric=photometric, byteorder=order, **options)
        same(before, copy(before, ".tif")[0])


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize(
    "options", [{"imagej": True}, {"imagej": True, "truncate": True}, {"truncate": True}, {"ome": True}]
)
def test_stacks(dtype, options, copy):
    samples = np.random.default_rng(1).integers(0, 2, (4, 9, 7)).astype(dtype)
    more = {} if "imagej" in options else {"photometric": "minisblack"}
    before = written(samples, metadata={"axes": "ZYX"}, **options, **more)
    after, sink, _ = copy(before, ".tif")
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(after)), samples)
    assert not sink.warnings
    with tifffile.TiffFile(io.BytesIO(before)) as first, tifffile.TiffFile(io.BytesIO(after)) as second:
        assert first.pages[0].description == second.pages[0].description
        assert len(second.pages) == 4


@pytest.mark.parametrize("compression", ["webp", "jpeg2000"])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_that_are_images(compression, channels, copy):
    samples = np.random.default_rng(1).integers(0, 256, (50, 60, channels), np.uint8)
    if compression == "webp":
        samples = np.repeat(samples[..., :1], 3, axis=2) if channels == 1 else samples
    lossless = {"compressionargs": {"lossless": True}} if compression == "webp" else {}
    photometric = "rgb" if samples.shape[2] == 3 else "minisblack"
    squeezed = samples if samples.shape[2] == 3 else samples[..., 0]
    before = written(squeezed, photometric=photometric, tile=(32, 32), compression=compression, **lossless)
    same(before, copy(before, ".tif")[0])


def test_pyramid(copy):
    samples = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        options = {"photometric": "rgb", "tile": (16, 16), "metadata": None}
        file.write(samples, subifds=1, **options)
        file.write(samples[::2, ::2], subfiletype=1, **options)
    after, sink, _ = copy(stream.getvalue(), ".tif")
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(after)), samples)
    assert sink.warnings == ("metadata-lost: sub-images",)
