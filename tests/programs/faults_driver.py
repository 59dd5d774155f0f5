"""noisecli again and again in one process, whose worker server stays warm; workers load this as their main module.

The n-th call on the destination in the parent process, or in the one worker, fails; a write fails half-way.
"""
# ruff: noqa: PLW0603

import builtins
import contextlib
import ctypes
import io
import json
import os
import sys

STATE, DESTINATION = os.environ["FAULT_STATE"], os.environ["FAULT_DESTINATION"]
ROLE = "worker" if __name__ == "__mp_main__" else "parent"
plan, calls, inside = {}, 0, False


def begin():
    global plan, calls
    calls = 0
    with real_open(os.path.join(STATE, "plan")) as file:
        plan = json.load(file)


def due(name, path):
    """Count a call on the destination; return whether it fails."""
    global calls, inside
    if inside or not plan:
        return False
    inside = True
    try:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        if not os.path.abspath(os.fsdecode(path)).startswith(DESTINATION):
            return False
        if name != plan.get("only", name):
            return False
        calls += 1
        with real_open(os.path.join(STATE, "log"), "a") as log:
            log.write(f"{ROLE} {name} {os.path.relpath(path, DESTINATION)}\n")
        on = calls == plan["number"] or (plan["stays"] and calls > plan["number"] > 0 and name != "unlink")
        return on and plan["role"] == ROLE
    finally:
        inside = False


def fail():
    raise OSError(plan["errno"], os.strerror(plan["errno"]))


def shim(module, name, place=0):
    real = getattr(module, name)

    def call(*arguments, **options):
        path, folder = arguments[place], options.get("dst_dir_fd", options.get("dir_fd"))
        if folder is not None:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
        if due(name, path):
            if name in ("write", "pwrite"):
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], *arguments[2:])
            fail()
        return real(*arguments, **options)

    setattr(module, name, call)
    return real


class HalfWritten(io.FileIO):
    def write(self, data):
        if due("write", self.fileno()):
            super().write(bytes(data)[: len(data) // 2])
            fail()
        return super().write(data)


def fdopen(fd, mode="r", *arguments, **options):
    if "w" in mode:
        return io.BufferedWriter(HalfWritten(fd, mode))
    return real_fdopen(fd, mode, *arguments, **options)


class Library(ctypes.CDLL):
    """The C library, with a rename that fails."""

    def __getattr__(self, name):
        real = super().__getattr__(name)
        if name not in ("renameat2", "renameatx_np"):
            return real

        def rename(old_folder, old, folder, new, flag):
            if due("rename", os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(new))):
                ctypes.set_errno(plan["errno"])
                return -1
            return real(old_folder, old, folder, new, flag)

        return rename


def arm():
    """Leave the faults to the library that was loaded before all others: it sees what C code calls."""
    with open(os.path.join(STATE, "plan")) as file:
        plan = json.load(file)
    number = plan["number"] if plan["role"] == ROLE else 0
    log = os.path.join(STATE, "log")
    ctypes.CDLL(None).arm_faults(
        os.fsencode(DESTINATION), os.fsencode(log), ctypes.c_long(number), plan["errno"], int(plan["stays"])
    )


if ROLE == "worker" and "LD_PRELOAD" in os.environ:
    arm()

ctypes.CDLL = Library
real_fdopen, os.fdopen = os.fdopen, fdopen
for name in ("write", "pwrite", "ftruncate", "fsync", "unlink", "mkdir", "rmdir", "sendfile"):
    shim(os, name)
shim(os, "replace", 1)
shim(os, "symlink", 1)
shim(os, "open")
real_open = shim(builtins, "open")

if ROLE == "worker" and "LD_PRELOAD" not in os.environ:
    begin()

if __name__ == "__main__":
    from noisecli.cli import main

    for line in sys.stdin:
        job = json.loads(line)
        with real_open(os.path.join(STATE, "plan"), "w") as file:
            json.dump(job["plan"], file)
        real_open(os.path.join(STATE, "log"), "w").close()
        begin()
        sys.argv = ["noisecli", *job["words"]]
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            try:
                main()
            except SystemExit as ending:
                status = ending.code
        plan = {}
        print(json.dumps({"status": status, "err": said.getvalue()}), flush=True)
