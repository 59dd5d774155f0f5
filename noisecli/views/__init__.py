"""What people look at: sheets of images and audio files, clean beside noisy."""

from noisecli.views.preview import draw
from noisecli.views.sheet import encode
from noisecli.views.window import require_display, show

__all__ = ["draw", "encode", "require_display", "show"]
