"""noisecli with a codec that misbehaves where the name of a file says so; workers load it as their main module."""

import builtins
import os
import signal
import sys
import threading
import time

STATE = os.environ["FAULT_STATE"]


def once(word):
    try:
        os.close(os.open(os.path.join(STATE, word), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def wait_for_gate(word):
    """Say that we are here, then wait until the test lets us go on."""
    open(os.path.join(STATE, f"reached-{word}"), "w").close()
    while not os.path.exists(os.path.join(STATE, "gate")):
        time.sleep(0.005)


def hang(*, at_once):
    """Go on until the time limit ends this process; where it is set, its time may pass at once."""
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if at_once and left:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
    while True:
        signal.pause()


def misbehave(name):
    if "hang" in name:
        hang(at_once="hang-whole" not in name)
    if "kill-always" in name or ("kill-once" in name and once("killed")):
        os.kill(os.getpid(), signal.SIGKILL)
    if "out-of-memory" in name:
        raise MemoryError
    bug("open", name)
    if "wait-read" in name:
        wait_for_gate("read")


class Unsendable(Exception):
    """No process can send it to another, and it cannot even be put into words."""

    def __init__(self):
        self.lock = threading.Lock()

    def __str__(self):
        raise ValueError("no words")


def bug(place, name):
    """Raise what a name asks for in this place: bug-open-KeyError.png; bug.png is a ValueError in opening."""
    words = name.partition(".")[0].split("-")
    if words[0] != "bug" or place != (words[1] if len(words) > 1 else "open"):
        return
    kind = words[2] if len(words) > 2 else "ValueError"
    if kind == "cv2error":
        import cv2

        cv2.imdecode(None, 0)
    raise Unsendable if kind == "Unsendable" else getattr(builtins, kind)("an error of ours \x1b[31m \ud800")


class Source:
    def __init__(self, source, name):
        self.source, self.name = source, name

    def __getattr__(self, word):
        return getattr(self.source, word)

    def blocks(self):
        bug("blocks", self.name)
        return self.source.blocks()

    def close(self):
        self.source.close()
        bug("close", self.name)


class Sink:
    def __init__(self, sink, output, name):
        self.sink, self.output, self.name = sink, output, name

    def __getattr__(self, word):
        return getattr(self.sink, word)

    def write(self, block):
        bug("write", self.name)
        if self.name.startswith("bug-abort"):
            raise OverflowError("what went wrong first")
        self.sink.write(block)

    def finish(self):
        if "wait-write" in self.name:
            os.write(self.output.fileno(), b"half of it")
            wait_for_gate("write")
            os.ftruncate(self.output.fileno(), 0)
            os.lseek(self.output.fileno(), 0, os.SEEK_SET)
        bug("finish", self.name)
        self.sink.finish()

    def abort(self):
        self.sink.abort()
        bug("abort", self.name)


def misbehaving(codec):
    """Have a codec do as names of files say, whoever calls it."""
    open_source, create_sink = codec.open_source, codec.create_sink

    def opened(file, limits):
        name = os.path.basename(os.readlink(f"/proc/self/fd/{file.fileno()}"))
        misbehave(name)
        return Source(open_source(file, limits), name)

    def created(output, source, *arguments):
        bug("create", source.name)
        return Sink(create_sink(output, source.source, *arguments), output, source.name)

    codec.open_source, codec.create_sink = opened, created


# a preview decodes in the process it is called in, all else in workers; no other process needs the codec
if __name__ == "__mp_main__" or "preview" in sys.argv:
    import noisecli.codecs.image

    misbehaving(noisecli.codecs.image)


def signal_again(number):
    """Send this process a second signal just as it begins to clean up after the first, as make does."""
    from noisecli.manifest.ledger import Ledger

    wait_for_workers = Ledger.wait_for_workers

    def waited(ledger):
        Ledger.wait_for_workers = wait_for_workers
        signal.raise_signal(number)
        ledger.wait_for_workers()

    Ledger.wait_for_workers = waited


if __name__ == "__main__":
    from noisecli.cli import main

    if "FAULT_AGAIN" in os.environ:
        signal_again(int(os.environ["FAULT_AGAIN"]))

    main()
