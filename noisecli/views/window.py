"""A sheet in a window, where there is a display."""

import multiprocessing
import os
import sys

import cv2
import numpy as np

from noisecli.errors import Refused, Stopped

_ELSEWHERE = "omit --show and open the file with a viewer of your own"
_LARGEST = (1600, 1000)


def require_display() -> None:
    """Refuse where no window can be opened: no display, or OpenCV's wheel without windows."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise Refused(f"--show: there is no display here (DISPLAY is not set); {_ELSEWHERE}")
    gui = next((line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:")), "")
    if gui.split()[-1:] == ["NONE"]:
        raise Refused(f"--show: this OpenCV (opencv-python-headless) opens no windows; {_ELSEWHERE}")


def show(path: str) -> None:
    """Show an image until a key is pressed or its window is closed.

    In its own process: OpenCV's window library ends the process when the display does not answer.
    """
    process = multiprocessing.get_context("spawn").Process(target=_show, args=(path,))
    process.start()
    process.join()
    if process.exitcode:
        raise Stopped(f"--show: no window can be opened on this display; {_ELSEWHERE}: it was written")


def _show(path: str) -> None:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise Stopped(f"{path}: is no longer an image")
    height, width = image.shape[:2]
    scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
    title = os.path.basename(path)
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    cv2.resizeWindow(title, round(width * scale), round(height * scale))
    cv2.imshow(title, image)
    while cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1 and cv2.waitKey(100) < 0:
        pass
    cv2.destroyAllWindows()
