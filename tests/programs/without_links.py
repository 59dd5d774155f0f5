"""noisecli where neither hard links are made nor a rename that replaces nothing: FAT, some network file systems."""

import ctypes
import errno
import os


def link(*_, **__):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class Library(ctypes.CDLL):
    """The C library of a system that lacks the calls."""

    def __getattr__(self, name):
        if name in ("renameat2", "renameatx_np"):
            raise AttributeError(name)
        return super().__getattr__(name)


os.link, ctypes.CDLL = link, Library

if __name__ == "__main__":
    from noisecli.cli import main

    main()
