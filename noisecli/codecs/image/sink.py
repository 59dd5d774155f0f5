"""Samples -> bytes, exactly or as well as the format can."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from noisecli.codecs import OutputFile
from noisecli.codecs.image import capabilities, exif, jp2, jpeg, png, png_encode, pnm
from noisecli.codecs.image.decoder_log import caught, first_words
from noisecli.codecs.image.header import Header, Metadata, Tags
from noisecli.codecs.image.heic import pillow as heic
from noisecli.codecs.image.source import Image, ImageSource
from noisecli.codecs.image.tiff import ifd, layout, tags, write
from noisecli.errors import FileFailed
from noisecli.model import Encoding, SampleSpec
from noisecli.words import warning

_JPEG_QUALITY = 98
_SUBSAMPLINGS = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "440": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "411": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}
_TURNED_HERE = frozenset(("bmp", "pnm", "gif", "jp2", "j2k", "avif", "heic"))
"""Formats that store no orientation: their pixels are turned instead."""
_LOSSLESS_QUALITY = 100


class ImageSink:
    """One image being encoded, or the pages of one file."""

    def __init__(self, file: OutputFile, source: ImageSource, spec: SampleSpec, encoding: Encoding) -> None:
        self.format = form_of(source, encoding)
        capabilities.check(self.format, spec, source.header)
        self._file, self._spec, self._encoding, self._header = file, spec, encoding, source.header
        from_tiff = source.format == "tiff" and self.format != "tiff"
        self._turned = is_turned(source, self.format)
        self._upright = source.upright if self._turned or (from_tiff and source.header.white_is_zero) else None
        retyped = spec.dtype != source.spec.dtype
        self._metadata, lost = _fitting(source.header, self.format, self._turned, spec, retyped)
        self._frames = source.header.frames
        self._pages: list[Image] = []
        self._encoded: bytes | bytearray = b""
        self.lossy = _is_lossy(self.format, encoding)
        self.warnings: Sequence[str] = (warning("metadata-lost", lost),) if lost else ()

    def write(self, block: Image) -> None:
        """Encode an image at once; keep a copy of a page until all are there."""
        image = self._upright(block) if self._upright else block
        if self._frames > 1:
            self._pages.append(image.copy())
        else:
            self._encoded = self._encode([image])

    def finish(self) -> None:
        if self._frames > 1:
            self._encoded = self._encode(self._pages)
        self._file.write(self._encoded)
        self.abort()

    def abort(self) -> None:
        self._pages, self._encoded = [], b""

    def _encode(self, images: list[Image]) -> bytes | bytearray:
        image = images[0]
        if self.format == "jpeg":
            return self._jpeg(image)
        if self.format == "png":
            return self._png(image)
        if self.format == "tiff":
            return self._tiff(images)
        if self.format == "pnm":
            return pnm.encode(image, int(self._header.full_scale or np.iinfo(image.dtype).max))
        if self.format == "webp":
            return _encoded(".webp", image, self._webp_options(image), self._metadata)
        if self.format == "avif":
            return _encoded(".avif", image, self._avif_options(), self._metadata)
        if self.format in ("jp2", "j2k"):
            return self._jp2(image)
        if self.format == "gif":
            return _gif(image)
        if self.format == "heic":
            return heic.encode(image, self._spec, self._metadata, self._encoding)
        return _encoded(".bmp", image, [])

    def _jpeg(self, image: Image) -> bytes:
        options = [cv2.IMWRITE_JPEG_QUALITY, self._encoding.quality or _JPEG_QUALITY]
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SUBSAMPLINGS[self._encoding.subsampling or "444"]]
        metadata = self._metadata
        segments = [metadata.native] if self._header.format == "jpeg" else jpeg.common_segments(metadata)[0]
        profile = jpeg.icc_segments(metadata.icc) if metadata.icc else []
        return jpeg.splice(_encoded(".jpg", image, options), [*segments, *profile], metadata.density)

    def _png(self, image: Image) -> bytearray:
        metadata = self._metadata
        chunks = [metadata.native] if self._header.format == "png" else png.common_chunks(metadata)
        profile = [png.icc_chunk(metadata.icc)] if metadata.icc else []
        return png_encode.encode(image, [*profile, *chunks])

    def _jp2(self, image: Image) -> bytes:
        quality, scale = self._encoding.quality or _LOSSLESS_QUALITY, self._header.full_scale
        image = image if scale is None else jp2.lift(image, scale)
        encoded = _encoded(".jp2", image, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, min(quality * 10, 1000)])
        is_bare = self.format == "j2k"
        return jp2.finish(encoded, scale, is_bare) if is_bare or scale is not None else encoded

    def _tiff(self, images: list[Image]) -> bytes:
        """Deflate when the source was compressed, else bare: LZW makes noise bigger (8 bits: by a third)."""
        if not self._header.by_opencv:
            assert self._header.layout is not None
            return write.encode(images, self._header.layout, list(self._metadata.tags))
        options = [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_NONE]
        if self._header.format == "tiff" and self._header.compression != 1:
            predictor = cv2.IMWRITE_TIFF_PREDICTOR_HORIZONTAL
            if self._spec.is_float:
                predictor = cv2.IMWRITE_TIFF_PREDICTOR_FLOATINGPOINT
            options = [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_ADOBE_DEFLATE]
            options += [cv2.IMWRITE_TIFF_PREDICTOR, predictor]
        encoded = _encoded(".tiff", images if len(images) > 1 else images[0], options)
        added = self._tags(images)
        return ifd.splice(encoded, added) if any(added) else encoded

    def _tags(self, images: list[Image]) -> list[Tags]:
        metadata, header = self._metadata, self._header
        if header.format == "tiff":
            made = [dict(page) for page in metadata.tags]
            for page in made if not metadata.icc else []:
                page.pop(tags.ICC, None)
        else:
            made = [tags.common_tags(metadata, header.orientation)]
        for page, image in zip(made, images, strict=True):
            if image.shape[2:] == (4,):
                page.setdefault(layout.EXTRA, (3, layout.UNASSOCIATED.to_bytes(2, "little")))
            else:
                page.pop(layout.EXTRA, None)
            if header.white_is_zero:
                page[layout.PHOTOMETRIC] = (3, bytes(2))
        return made

    def _webp_options(self, image: Image) -> list[int]:
        if self._encoding.quality is not None:
            return [cv2.IMWRITE_WEBP_QUALITY, self._encoding.quality]
        if hasattr(cv2, "IMWRITE_WEBP_LOSSLESS_MODE"):  # OpenCV 5
            return [cv2.IMWRITE_WEBP_LOSSLESS_MODE, cv2.IMWRITE_WEBP_LOSSLESS_PRESERVE_COLOR]
        if image.shape[2:] == (4,) and image[image[..., 3] == 0].any():
            raise FileFailed("no-encoder", "OpenCV 4 wipes out colours under transparency in WebP; choose --format png")
        return []

    def _avif_options(self) -> list[int]:
        """Full quality is lossless and 4:4:4; anything less is 4:2:0 and keeps 70% of the std."""
        depth = {1023.0: 10, 4095.0: 12}.get(self._header.full_scale or self._spec.high, 8)
        quality = self._encoding.quality or _LOSSLESS_QUALITY
        return [cv2.IMWRITE_AVIF_QUALITY, quality, cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_SPEED, 9]


def form_of(source: ImageSource, encoding: Encoding) -> str:
    """Return the format of an output."""
    return capabilities.name_of(encoding.format) if encoding.format else source.format


def is_turned(source: ImageSource, form: str) -> bool:
    """Whether an output's samples lie as viewers show them, where the source's do not."""
    from_tiff = source.format == "tiff" and form != "tiff"
    return (form in _TURNED_HERE or from_tiff) and source.header.orientation != 1


def create_sink(file: OutputFile, source: ImageSource, spec: SampleSpec, encoding: Encoding, key: bytes) -> ImageSink:
    """Open an output, see noisecli.codecs.Codec; no encoder here draws from `key`."""
    del key
    return ImageSink(file, source, spec, encoding)


def _is_lossy(name: str, encoding: Encoding) -> bool:
    if name in ("webp", "heic"):
        return encoding.quality is not None
    if name in ("avif", "jp2", "j2k"):
        return (encoding.quality or _LOSSLESS_QUALITY) < _LOSSLESS_QUALITY
    return name in ("jpeg", "gif")


def _fitting(header: Header, name: str, turned: bool, spec: SampleSpec, retyped: bool) -> tuple[Metadata, set[str]]:
    """Return the metadata the output will hold, and what else there was."""
    metadata, lost = header.metadata, set(header.metadata.lost)
    if turned and metadata.exif:
        metadata = replace(metadata, exif=exif.upright(metadata.exif))
    if metadata.icc and not _profile_fits(metadata.icc, capabilities.channels_of(spec, header.frames)):
        metadata = replace(metadata, icc=b"")
        lost.add("icc")
    if name == header.format and name in ("jpeg", "png"):
        return metadata, lost
    if name == header.format == "tiff" and retyped:
        kept, gone = tags.retyped(metadata)
        metadata, lost = replace(metadata, tags=kept), lost | gone
    held = capabilities.METADATA.get(name, frozenset())
    has = {"exif": metadata.exif, "xmp": metadata.xmp, "icc": metadata.icc}
    lost |= {kind for kind, payload in has.items() if payload and kind not in held}
    if metadata.density is not None and metadata.density[0] != 0 and "density" not in held:
        lost.add("density")
    if name != header.format:
        lost |= metadata.extra
    if name == "jpeg":
        lost |= jpeg.common_segments(metadata)[1]
    return metadata, lost


def _profile_fits(icc: bytes, channels: int) -> bool:
    """A profile describes grey or colour; a grey one on colours misleads every reader."""
    return icc[16:20] == (b"RGB " if channels > 1 else b"GRAY")


def _encoded(suffix: str, image: Image | list[Image], options: list[int], metadata: Metadata | None = None) -> bytes:
    """Encode with OpenCV; its messages on descriptor 2 go into the error."""

    def call() -> tuple[bool, Image]:
        if isinstance(image, list):
            return cv2.imencodemulti(suffix, image, options)
        if metadata is None:
            return cv2.imencode(suffix, image, options)
        pieces = {
            cv2.IMAGE_METADATA_EXIF: metadata.exif,
            cv2.IMAGE_METADATA_XMP: metadata.xmp,
            cv2.IMAGE_METADATA_ICCP: metadata.icc,
        }
        kinds = [kind for kind, payload in pieces.items() if payload]
        payloads = [np.frombuffer(pieces[kind], np.uint8) for kind in kinds]
        return cv2.imencodeWithMetadata(suffix, image, kinds, payloads, options)

    try:
        (done, buffer), text = caught(call)
    except cv2.error as error:
        raise _refused(suffix, str(error).encode()) from None
    if not done or b"TIFF_Error" in text:
        raise _refused(suffix, text)
    return buffer.tobytes()


def _refused(suffix: str, said: bytes) -> FileFailed:
    words = f"OpenCV could not write {suffix[1:]} ({first_words(said)}); try --format tiff or png"
    return FileFailed("no-encoder", words)


def _gif(image: Image) -> bytes:
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    elif image.shape[2] == 4 and not np.isin(image[..., 3], (0, 255)).all():
        raise FileFailed("no-encoder", "GIF has no half transparency; choose --format png")
    return _encoded(".gif", image, [])
