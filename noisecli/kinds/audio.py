"""Audio files."""

from noisecli.kinds import unread
from noisecli.kinds.record import Encoded, Kind

_WAV, _AIFF, _AU = (Encoded(name, partly=True) for name in ("wav", "aiff", "au"))
_OGG = Encoded("ogg", lossy=True)

AUDIO = Kind(
    name="audio",
    summary="Noisy copies of audio files: WAV FLAC OGG MP3 AIFF and more.",
    noun="audio file",
    nouns="audio files",
    formats={
        **dict.fromkeys((".wav", ".wave", ".bwf"), _WAV),
        ".flac": Encoded("flac"),
        **dict.fromkeys((".ogg", ".oga", ".opus"), _OGG),
        ".mp3": Encoded("mp3", lossy=True),
        **dict.fromkeys((".aif", ".aiff", ".aifc"), _AIFF),
        **dict.fromkeys((".au", ".snd"), _AU),
        ".caf": Encoded("caf", partly=True),
        ".w64": Encoded("w64", partly=True),
        ".rf64": Encoded("rf64", partly=True),
        # read by the extra "av", never written
        **dict.fromkeys((".m4a", ".m4b"), Encoded("m4a", lossy=True)),
        ".aac": Encoded("aac", lossy=True),
        ".wma": Encoded("wma", lossy=True),
        **dict.fromkeys((".amr", ".awb"), Encoded("amr", lossy=True)),
        **dict.fromkeys((".mka", ".weba", ".webm"), Encoded("matroska", lossy=True)),
        **dict.fromkeys((".ac3", ".eac3"), Encoded("ac3", lossy=True)),
        ".sph": Encoded("sphere"),
    },
    unsupported=unread.AUDIO,
    refused=unread.ARCHIVES,
    writes=("wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "rf64"),
    exact="wav",
    unrounded="--dtype float32 --format wav",
    codec="noisecli.codecs.audio",
    maker="noisecli.workers.samples:SampleMaker",
    drawer="noisecli.views.sounds:draw_row",
    builder="audiofolder",
    bare_unit=1.0,
    severity_sets=("srb",),
    install="libsndfile cannot be loaded here. Install it: apt-get install libsndfile1; "
    "or take a wheel that holds it: pip install --force-reinstall soundfile",
)
