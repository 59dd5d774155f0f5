"""What a file's content is, in 64 hexadecimal digits."""

import errno
import hashlib
import os
import stat

_SMALL = 1 << 18
"""Files up to this size are digested in one piece; the buffer of file_digest() costs more than they do."""


def sha256(data: bytes | bytearray) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: str, *, folder: int | None = None) -> str:
    """Return the digest of a regular file's content in hex; a pipe is not waited for. Raises OSError.

    In an open folder, a symbolic link of that name is not followed.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if folder is None else os.O_NOFOLLOW)
    fd = os.open(path, flags, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        return descriptor_sha256(fd)
    finally:
        os.close(fd)


def descriptor_sha256(fd: int) -> str:
    """Return the digest of an open file's content in hex."""
    size = os.fstat(fd).st_size
    if size <= _SMALL and len(data := os.pread(fd, size + 1, 0)) == size:
        return sha256(data)
    with os.fdopen(os.dup(fd), "rb", buffering=0) as file:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()
