"""Images."""

from noisecli.kinds import unread
from noisecli.kinds.record import Encoded, Kind

NO_OPENCV = (
    "OpenCV cannot be loaded here. Install what it needs: apt-get install libgl1 libglib2.0-0; "
    "or take the wheel without windows: pip uninstall -y opencv-python && pip install opencv-python-headless"
)
_JPEG, _PNM = Encoded("jpeg", lossy=True), Encoded("pnm")

IMAGES = Kind(
    name="images",
    summary="Noisy copies of images: JPEG PNG TIFF WebP BMP PNM AVIF JP2 GIF.",
    noun="image",
    nouns="images",
    formats={
        **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), _JPEG),
        **dict.fromkeys((".png", ".apng"), Encoded("png")),
        **dict.fromkeys((".tif", ".tiff"), Encoded("tiff")),
        ".webp": Encoded("webp", lossy=True),
        **dict.fromkeys((".bmp", ".dib"), Encoded("bmp")),
        **dict.fromkeys((".pbm", ".pgm", ".ppm", ".pnm", ".pgm16", ".ppm16"), _PNM),
        ".avif": Encoded("avif", lossy=True),
        **dict.fromkeys((".jp2", ".jpf", ".jpx"), Encoded("jp2", lossy=True)),
        **dict.fromkeys((".j2k", ".j2c", ".jpc"), Encoded("j2k", lossy=True)),
        ".gif": Encoded("gif", lossy=True),
        # with the extra "heic"
        **dict.fromkeys((".heic", ".heif", ".hif"), Encoded("heic", lossy=True)),
    },
    unsupported=unread.IMAGES,
    refused=unread.ARCHIVES,
    mask_formats=("png", "tiff", "bmp", "pnm", "gif", "webp", "avif", "jp2", "j2k"),
    writes=(
        *("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "pgm", "ppm", "pnm", "avif", "jp2", "j2k", "gif"),
        "heic",
    ),
    exact="png",
    unrounded="--dtype float32 --format tiff",
    codec="noisecli.codecs.image",
    maker="noisecli.workers.samples:SampleMaker",
    drawer="noisecli.views.pictures:draw_row",
    builder="imagefolder",
    bare_unit=255.0,
    std_map=".tiff",
    severity_sets=("imagenet-c", "cifar-c"),
    install=NO_OPENCV,
)
