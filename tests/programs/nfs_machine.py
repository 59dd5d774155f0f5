"""The first process of a user-mode Linux: an NFS server, three mounts of it as three machines have them, and the runs.

Each mount keeps to caches of its own, as another machine's would (nosharecache), and all meet at the server alone. What
is seen is written to OUT, a folder of the machine outside, on which nothing else can be written.

    python nfs_machine.py MODULES OUT REPOSITORY
"""

import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
FINIT_MODULE = 313
POWER_OFF = 0x4321FEDC
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x49
INSECURE_NO_SUBTREE_CHECK_FSID = 0x2402
FOR_EVER = 2**31 - 2
FAR, SERVED = Path("/run"), Path("/run/served")
MACHINES = [FAR / "a", FAR / "b", FAR / "c"]
WORDS = ["--std", "25", "--sidecars", "copy"]
LIMIT_SECONDS = 300
MODULES, OUT, REPOSITORY = sys.argv[1:]


def mount(source, target, kind, options=""):
    os.makedirs(target, exist_ok=True)
    if LIBC.mount(source.encode(), os.fsencode(target), kind.encode(), 0, options.encode()):
        raise OSError(ctypes.get_errno(), f"mount of {kind}: {os.strerror(ctypes.get_errno())}")


def load(name):
    """Load a module of the kernel, those that it needs first."""
    needs = {}
    for line in Path(MODULES, "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[Path(path).stem] = [path, *others.split()]
    for path in reversed(needs[name]):
        with open(f"{MODULES}/{path}", "rb") as module:
            LIBC.syscall(FINIT_MODULE, module.fileno(), b"", 0)


def start():
    """Make the folders and the network, serve a folder of memory, and mount it three times."""
    mount("proc", "/proc", "proc")
    mount("tmpfs", "/run", "tmpfs")
    mount("none", FAR / "out", "hostfs", OUT)
    mount("tmpfs", "/var/lib", "tmpfs")
    for folder in (FAR / "tmp", SERVED, "/var/lib/nfs/v4recovery"):
        os.makedirs(folder)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        fcntl.ioctl(network, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", UP_AND_RUNNING, b""))
    for name in ("nfsd", "nfsv4"):
        load(name)
    mount("nfsd", "/proc/fs/nfsd", "nfsd")
    # what rpc.mountd would tell the kernel: who asks, what is served, and by which handle
    for path, text in {
        "/proc/fs/nfsd/nfsv4gracetime": "10",
        "/proc/fs/nfsd/versions": "-2 -3 +4 +4.1 +4.2",
        "/proc/fs/nfsd/portlist": "tcp 2049",
        "/proc/fs/nfsd/threads": "4",
        "/proc/net/rpc/auth.unix.ip/channel": f"nfsd 127.0.0.1 {FOR_EVER} all",
        "/proc/net/rpc/nfsd.export/channel": f"all {SERVED} {FOR_EVER} {INSECURE_NO_SUBTREE_CHECK_FSID} 65534 65534 0",
        "/proc/net/rpc/nfsd.fh/channel": f"all 1 \\x00000000 {FOR_EVER} {SERVED}",
        "/proc/fs/nfsd/v4_end_grace": "Y",
    }.items():
        Path(path).write_text(text + "\n")
    for machine in MACHINES:
        options = "addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,nosharecache"
        mount("127.0.0.1:/", machine, "nfs4", options)


def begin(*words, program="noisecli"):
    """Start noisecli; "faulty_noisecli" waits in files whose names say so."""
    environment = {**os.environ, "TMPDIR": str(FAR / "tmp"), "FAULT_STATE": str(FAR / "state")}
    environment |= {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/tests/programs"}
    command = [sys.executable, "-m", program, *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def ended(process):
    out, err = process.communicate(timeout=LIMIT_SECONDS)
    return {"status": process.returncode, "out": out, "err": err}


def run(*words):
    return ended(begin(*words))


def tree(folder):
    """Return the digest of every file below a folder, as one of the machines sees it."""
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def wait_for(condition):
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited in vain")
        time.sleep(0.01)


def forget_waiting():
    shutil.rmtree(FAR / "state", ignore_errors=True)
    os.mkdir(FAR / "state")


def reached():
    return (FAR / "state/reached-write").exists()


def two_at_once():
    """A run that waits in mid-write, and others beside it, of the same machine and of another."""
    forget_waiting()
    a, b, _ = MACHINES
    first = begin("images", a / "src", a / "run", *WORDS, "-j", "2", program="faulty_noisecli")
    wait_for(reached)
    beside = [run("images", machine / "src", machine / "run", *WORDS) for machine in (a, b)]
    (FAR / "state/gate").touch()
    return {
        "beside": beside,
        "first": ended(first),
        "tree": tree(b / "run"),
        "verify": run("verify", b / "run", "--recompute", b / "src"),
        "again": run("images", b / "src", b / "run", *WORDS, "--json"),
    }


def in_shards(*folders):
    """Three shards on three machines, one of them killed in mid-write and run again on another, then the merge."""
    forget_waiting()
    place = {machine: machine / folder for machine, folder in zip(MACHINES, folders, strict=True)}

    def shard(number, machine, folder):
        words = ["images", machine / "src", folder, *WORDS, "-j", "1", "--shard", f"{number}/3"]
        return begin(*words, program="faulty_noisecli")

    os.listdir(MACHINES[0])  # what is made from here on by others, this machine does not know of itself
    shards = [shard(number, *each) for number, each in enumerate(place.items(), 1)]
    wait_for(reached)
    wait_for(lambda: sum(each.poll() is not None for each in shards) == 2)
    [held] = [number for number, each in enumerate(shards) if each.poll() is None]
    merge = ["merge", MACHINES[0] / "merged" if len(set(folders)) > 1 else MACHINES[0] / folders[0]]
    merge += [MACHINES[0] / folder for folder in folders if len(set(folders)) > 1]
    running = run(*merge)
    os.kill(shards[held].pid, signal.SIGKILL)
    statuses = [ended(each)["status"] for each in shards]
    dead = run(*merge)
    (FAR / "state/gate").touch()
    other = MACHINES[(held + 1) % 3]
    again = ended(shard(held + 1, other, other / folders[held]))
    merged = run(*merge)
    seen = MACHINES[2] / Path(merge[1]).name
    return {
        "held": held + 1,
        "running": running,
        "statuses": statuses,
        "dead": dead,
        "again": again,
        "merged": merged,
        "tree": tree(seen),
        "left": sorted(os.listdir(SERVED)),
        "kept": run("images", MACHINES[2] / "src", seen, *WORDS, "--json"),
    }


def main():
    found = {}
    try:
        start()
        found["mounts"] = Path("/proc/mounts").read_text()
        shutil.copytree(FAR / "out/src", MACHINES[2] / "src")
        found["two at once"] = two_at_once()
        found["one folder"] = in_shards("shards", "shards", "shards")
        found["apart"] = in_shards("part-1", "part-2", "part-3")
    except BaseException:
        found["trace"] = traceback.format_exc()
    finally:
        (FAR / "out/found.json").write_text(json.dumps(found))
        os.sync()
        LIBC.reboot(POWER_OFF)


main()
