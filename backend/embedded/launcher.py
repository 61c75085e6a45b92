"""The step between us and a child: drop root, die with the parent, become the program. Runs as a script.

A separate program and not a `preexec_fn`, which may deadlock in a process with threads. Standard library only,
started isolated, so it costs some 15 ms once a server.
"""

import ctypes
import os
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1


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
    """Where the kernel has no parent-death signal: wait until the parent's end of the pipe closes, then signal."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    while True:
        readable, _, _ = select.select([pipe], [], [], 1.0)
        try:
            if readable:
                os.kill(pid, death_signal)
                return
            os.kill(pid, 0)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(*map(int, sys.argv[2:5]))
    else:
        parent_pid, number, user, group = map(int, sys.argv[2:6])
        become(parent_pid, number, user, group, sys.argv[6], sys.argv[7:])
