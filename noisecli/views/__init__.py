"""What people look at: sheets of pictures and sounds, clean beside noisy."""

from noisecli.views.files import encode
from noisecli.views.preview import draw
from noisecli.views.window import require_display, show

__all__ = ["draw", "encode", "require_display", "show"]
