"""The errors of files that are not whole."""

from noisecli.errors import FileFailed


def empty() -> FileFailed:
    """Return the error of a file without a byte."""
    return FileFailed("empty", "is empty; copy it again")


def truncated(what: str) -> FileFailed:
    """Return the error of a file that ends before its promise."""
    return FileFailed("truncated", f"is cut short: {what}; copy it again")


def not_decoded(decoder: str, said: str, way_out: str) -> FileFailed:
    """Return the error of a file that a library refuses though nothing shows that a byte is missing or wrong."""
    return FileFailed("not-decoded", f"{decoder} cannot read it, though its header is sound ({said}); {way_out}")


def corrupt(what: str) -> FileFailed:
    """Return the error of a file that contradicts itself."""
    return FileFailed("corrupt", f"is damaged: {what}; copy it again")
