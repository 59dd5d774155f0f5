"""Files of images, video or audio, and whole data sets, that nothing here reads: suffix -> what it is, and the way out.

They are dataset files: skipped by name, and never carried into a noisy tree as side files are. What may as well be a
label (.pfm .flo .mid .mat), or is text or anything at all (.bin .dat .ts), is not among them.
"""

from collections.abc import Mapping

PACKED = {".gz": "gunzip", ".bz2": "bunzip2", ".xz": "unxz", ".zst": "unzstd", ".lz4": "unlz4", ".z": "uncompress"}
"""Suffixes behind another suffix, and the command that takes them off."""

_MAGICK = "convert it first: magick {0} image.png"
_TO_TIFF = "convert it to a TIFF of floats: oiiotool {0} -o image.tif"
_SLIDE = "cut it into tiles: vips dzsave {0} tiles --suffix .png"
_TO_WAV = "convert it first: ffmpeg -i {0} audio.wav"
_ITK = "np.save('scan.npy', SimpleITK.GetArrayFromImage(SimpleITK.ReadImage('{0}'))) makes it noisecli arrays"
_RAW = "say how its samples are stored and convert it"


def _table(*groups: tuple[str, str, str]) -> dict[str, str]:
    """Return suffix -> words, from groups of suffixes, what they are, and the way out with a name in it."""
    return {
        suffix: f"{what}, which noisecli does not read; {way_out.format('x' + suffix)}"
        for suffixes, what, way_out in groups
        for suffix in suffixes.split()
    }


_VIDEO = (
    ".3g2 .3gp .amv .asf .avi .divx .f4v .flv .h264 .h265 .hevc .ivf .m1v .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mov .mp4 "
    ".mpe .mpeg .mpg .mpv .mts .mxf .ogm .ogv .qt .r3d .rm .rmvb .vob .webm .wmv .y4m .yuv"
)

IMAGES: Mapping[str, str] = _table(
    (
        ".avci .heics .heifs",
        "HEIC of several images, or of another codec",
        "convert it first: heif-convert {0} image.png",
    ),
    (".jxl", "JPEG XL", "convert it first: djxl {0} image.png"),
    (".hdp .jxr .wdp", "JPEG XR", "convert it first: JxrDecApp -i {0} -o image.tif"),
    (".jls", "JPEG-LS", "convert it first: ffmpeg -i {0} image.png"),
    (".jpm .mj2 .mjp2", "JPEG 2000 of several images", "convert it first: ffmpeg -i {0} image-%d.png"),
    (
        ".3fr .arw .bay .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .k25 .kdc .mef .mos .mrw .nef .nrw .orf .pef .ptx "
        ".raf .rw2 .rwl .sr2 .srf .srw .x3f",
        "a camera's raw file",
        "develop it first: darktable-cli {0} image.tif",
    ),
    (
        ".dcm .dic .dicom .ima",
        "DICOM",
        "np.save('scan.npy', pydicom.dcmread('{0}').pixel_array) makes it noisecli arrays",
    ),
    (".nii", "NIfTI", "np.save('scan.npy', nibabel.load('{0}').get_fdata()) makes it noisecli arrays"),
    (".gipl .img .mgh .mgz .mha .mhd .mnc .nhdr .nrrd", "a volume of a scanner", _ITK),
    (".fit .fits .fts", "FITS", "np.save('sky.npy', astropy.io.fits.getdata('{0}')) makes it noisecli arrays"),
    (".bif .mrxs .ndpi .qptiff .scn .svs .vms .vmu", "a whole slide", _SLIDE),
    (
        ".btf .czi .dv .ims .lif .lsm .nd2 .oib .oif .stk .tf2 .tf8 .vsi .zvi",
        "a microscope's file",
        "convert it first: bfconvert {0} image.tif",
    ),
    (".exr", "OpenEXR", _TO_TIFF),
    (".hdr .pic .rgbe .xyze", "Radiance HDR, or the header of other samples", _TO_TIFF),
    (".psb .psd", "Photoshop", "convert it first: magick '{0}[0]' image.png"),
    (".kra .ora .xcf", "a drawing in layers", "export it first, as PNG or TIFF"),
    (".ani .cur .icns .ico", "an icon in several sizes", "convert it first: magick '{0}[0]' image.png"),
    (".icb .targa .tga .vda", "Targa", _MAGICK),
    (".dcx .pcx", "PCX", _MAGICK),
    (".bw .inta .rgb .rgba .sgi", "an SGI image", _MAGICK),
    (".astc .basis .dds .ktx .ktx2 .pvr .vtf", "a texture", _MAGICK),
    (".cin .dpx", "a frame of film", "convert it to a TIFF of 16 bits: oiiotool {0} -o image.tif"),
    (".djv .djvu .jb2 .jbg .jbig .jbig2", "a scan of text", "convert it first: ddjvu or ImageMagick make PNGs of it"),
    (".bpg .flif .fpx .jng .mng .pam .qoi .ras .wbmp .wp2 .xbm .xpm .xwd", "an image in another format", _MAGICK),
    (".ai .emf .eps .svg .wmf", "a drawing without pixels", "draw it first: inkscape {0} -o image.png"),
    (".svgz", "a drawing without pixels", "draw it first: inkscape {0} -o image.png"),
    (".raw", "samples without a header, or a camera's raw file", f"{_RAW}: with ImageMagick, or darktable-cli"),
    (_VIDEO, "a video", "extract its frames first: ffmpeg -i {0} frames/%06d.png"),
)

AUDIO: Mapping[str, str] = _table(
    (".adts .alac .m4p .m4r", "AAC or ALAC", _TO_WAV),
    (".3ga", "AMR", _TO_WAV),
    (".nist", "SPHERE", "convert it first: sox {0} audio.wav, or sph2pipe -f wav where it is Shorten inside"),
    (".dts .dtshd .ec3 .mlp .thd", "the sound of a film", _TO_WAV),
    (".ape .mpc .ofr .ofs .shn .tak .tta .wv", "a compressed format", _TO_WAV),
    (".m2a .mp1 .mp2 .mpa", "MPEG audio before MP3", _TO_WAV),
    (".dff .dsf", "DSD", _TO_WAV),
    (".8svx .ds2 .dss .gsm .qcp .ra .spx .svx .voc", "a format that is rare today", _TO_WAV),
    (".avr .paf .pvf .sd2 .wve", "a format that is rare today", "convert it first: sox {0} audio.wav"),
    (
        ".al .alaw .lpcm .pcm .raw .s16 .s16le .sln .ul .ulaw .vox",
        "samples without a header",
        f"{_RAW}: ffmpeg -f s16le -ar 16000 -ac 1 -i {{0}} audio.wav",
    ),
    (_VIDEO.replace(" .webm", ""), "a video", "extract its sound first: ffmpeg -i {0} audio.wav"),
)

_UNPACK = "unpack it first, as tar -xf or 7z x does"
_UNPACK_TAR = f"{_UNPACK} (plain .tar files alone in a folder are read as shards)"
_WRITE_OUT = "write its samples out first, as PNG, WAV or .npy files"

ARCHIVES: Mapping[str, str] = {
    suffix: f"is {words}"
    for suffix, words in _table(
        (".tar", "an archive", _UNPACK_TAR),
        (".7z .cpio .rar .tbz .tbz2 .tgz .txz .tzst .zip .zipx", "an archive", _UNPACK),
        (".idx3-ubyte .idx4-ubyte", "images in MNIST's format (IDX)", _WRITE_OUT),
        (
            ".array_record .arrow .beton .feather .lance .lmdb .mdb .mds .rec .recordio .tfrec .tfrecord .tfrecords",
            "a data set in one file",
            _WRITE_OUT,
        ),
    ).items()
}
"""Whole data sets. To the commands for images, audio and arrays they are dataset files, to others side files."""
