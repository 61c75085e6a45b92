"""The step between us and a child: drop root, die with the parent, become the program. Runs as a script.

A separate program and not a `preexec_fn`, which may deadlock in a process with threads. Standard library only,
started isolated, so it costs some 15 ms once a server.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
#: What a program gets to stop by itself before its session is killed.
_GRACE_SECONDS = 20.0


def become(parent: int, death_signal: int, uid: int, gid: int, folder: str, argv: list[str]) -> None:
    """Replace this process by `argv`. `uid` −1 keeps the user; the folder is entered before root is dropped."""
    os.chdir(folder)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(0o077)
    if sys.platform == "linux":
        # After setuid, which clears it. Kept over exec of a program without privileges of its own.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone already")
    os.execv(argv[0], argv)


def watch(pipe: int, pid: int, death_signal: int) -> None:
    """Signal a process when the other end of the pipe closes, then kill what it leaves in its session.

    It is the way where the kernel has no parent-death signal, and for programs with children of their own, which that
    signal would not reach.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    while not select.select([pipe], [], [], 1.0)[0]:
        if not _signalled(pid, 0):
            return
    deadline = time.monotonic() + _GRACE_SECONDS
    _signalled(pid, death_signal)
    while _signalled(pid, 0) and time.monotonic() < deadline:
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _signalled(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(*map(int, sys.argv[2:5]))
    else:
        parent_pid, number, user, group = map(int, sys.argv[2:6])
        become(parent_pid, number, user, group, sys.argv[6], sys.argv[7:])
