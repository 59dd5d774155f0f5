"""Requests to one bucket, their errors as those of the system: whatever asks a folder need not know what answers."""

import contextlib
import errno
import os
import queue
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from noisecli.errors import Refused, one_line
from noisecli.storage.objects.environment import refuse_environment

Result = TypeVar("Result")

PATIENCE = 60
"""Seconds for which a request is tried again, with growing pauses: a server that restarts costs a pause, no file."""
_SILENCE_SECONDS = 30
"""For which a server may say nothing before a request is tried again: a large object may take longer as a whole."""
_REQUEST_SECONDS = 3600
QUICK = 3
"""Seconds for what is not worth waiting for, as where a store was waited for in vain just now."""
_NUMBERS = {"401": errno.EACCES, "403": errno.EACCES, "404": errno.ENOENT, "501": errno.ENOSYS}
_PAUSE = 0.2
_LONGEST = 300
_STATUS = re.compile(r"status code: (\d+ [\w ]+)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_REASON = re.compile(r'message: "([^"]+)"|kind: (Timeout)\b')
_UNCONNECTED = re.compile(r'\bkind: Connect\b(?:.*?\berror: "([^"]+)")?', re.DOTALL)
_PASSWORD = re.compile(r"(?<=://)[^/\s]*@")


def client(scheme: str, bucket: str, *, quick: bool = False) -> Any:
    """Return the client of a bucket. Raises Refused where obstore is missing, or the environment does not fit it.

    It finds credentials, region and endpoint where its documentation says: in the environment, or from the machine.
    A quick one gives up within QUICK seconds.
    """
    # threads of the library do not survive a fork
    return _client(scheme, bucket, QUICK if quick else PATIENCE, os.getpid(), quick=quick)


@cache
def _client(scheme: str, bucket: str, patience: float, process: int, *, quick: bool) -> Any:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError as error:
        raise Refused(f"{scheme}:// is read and written by obstore: pip install obstore ({error})") from None
    refuse_environment(scheme)
    backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2}
    retries = {"max_retries": 1000, "retry_timeout": timedelta(seconds=patience), "backoff": backoff}
    try:
        return from_url(
            f"{scheme}://{bucket}",
            retry_config=retries,
            # an endpoint without TLS is one that the environment names
            client_options={
                "timeout": timedelta(seconds=QUICK if quick else _REQUEST_SECONDS),
                "read_timeout": timedelta(seconds=QUICK if quick else _SILENCE_SECONDS),
                "allow_http": True,
            },
        )
    except (BaseError, ValueError) as error:
        raise Refused(f"{scheme}://{bucket}: cannot be opened: {_first_line(error)}") from None


def ask(call: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
    """Return what a function of obstore answers. Raises OSError as the system would of a file, and ValueError.

    ValueError says that no object can have this name, TimeoutError that nobody answered, and ENOSYS that this server
    does not know such requests.
    """
    from obstore.exceptions import (
        AlreadyExistsError,
        BaseError,
        InvalidPathError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    try:
        with _off_the_clock():
            return _interruptibly(lambda: call(*arguments, **options))
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
    except (AlreadyExistsError, PreconditionError):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
    except InvalidPathError as error:
        raise OSError(errno.EINVAL, _first_line(error)) from None
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise PermissionError(errno.EACCES, _in_short(error)) from None
    except BaseError as error:
        # of what it makes a number of, Python picks the class
        raise OSError(_number_of(error), _in_short(error)) from None
    except BaseException as error:
        # it is no Exception, and cannot be imported
        if type(error).__name__ != "PanicException":
            raise
        raise OSError(errno.EIO, f"obstore gave up: {_first_line(error)}") from None


def patiently(do: Callable[[], Result], patience: float | None = None) -> Result:
    """Return what a function returns that makes requests; it is called again where nobody answers. Raises OSError.

    The library repeats most requests by itself, but no page of a listing that was cut short, and none that is under a
    condition: that may have been carried out, and would then meet itself.
    """
    deadline = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            return do()
        except TimeoutError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


def put(bucket: Any, key: str, content: bytes, *, patience: float | None = None, **options: Any) -> dict[str, Any]:
    """Put a small object by one request, and patiently. Raises as ask(), and FileExistsError."""
    import obstore

    return patiently(
        lambda: dict[str, Any](ask(obstore.put, bucket, key, content, use_multipart=False, **options)), patience
    )


def _number_of(error: Exception) -> int:
    if "invalid path" in str(error):
        return errno.EINVAL
    status = _STATUS.search(str(error))
    if status is None:
        return errno.ETIMEDOUT if _unreached(str(error)) else errno.EIO
    return _NUMBERS.get(status[1].split()[0], errno.EIO)


def _unreached(text: str) -> str | None:
    """Return what a connection failed by; None where it did not."""
    if reason := _REASON.search(text):
        return reason[1] or reason[2]
    if failed := _UNCONNECTED.search(text):
        return failed[1] or "no connection"
    return None


def _first_line(error: BaseException) -> str:
    """Return the error without what is for developers; an endpoint may have a password."""
    return one_line(_PASSWORD.sub("", str(error).partition("\n\nDebug source")[0]), _LONGEST)


def _in_short(error: Exception) -> str:
    """Return what the server says, or what the connection failed by, without the XML around it."""
    text = str(error)
    if status := _STATUS.search(text):
        code = _CODE.search(text)
        return f"the server answers {status[1]}" + (f", {code[1]}" if code else "")
    if reason := _unreached(text):
        return f"the server is not reached: {reason}"
    return _first_line(error)


@contextlib.contextmanager
def _off_the_clock() -> Iterator[None]:
    """Stop the time limit of a worker meanwhile: it is for decoders that hang, and a request has a limit of its own."""
    left = signal.setitimer(signal.ITIMER_REAL, 0)[0] if _is_main_thread() else 0
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)


def _interruptibly(call: Callable[[], Result]) -> Result:
    """Make a call so that Control-C ends the wait for it: the library would go on to the end of its patience."""
    if not _is_main_thread() or not callable(signal.getsignal(signal.SIGINT)):
        return call()
    answers: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=answer, daemon=True).start()
    result, error = answers.get()
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
