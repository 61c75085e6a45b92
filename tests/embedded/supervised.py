"""A process of its own that supervises two children; run by the tests, which then signal it.

Arguments: a folder. Each child writes its pid to `<folder>/<name>.<count>` and, when told to stop, its name to
`<folder>/stopped`. Prints "ready" when both are.
"""

import sys
from pathlib import Path

from backend.embedded import Service, Supervisor

CHILD = """
import os, signal, subprocess, sys, time
name, folder = sys.argv[1:]
def stop(*_):
    open(folder + "/stopped", "a").write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
grandchild = subprocess.Popen(["sleep", "600"])
count = sum(entry.startswith(name + ".") and entry[-1].isdigit() for entry in os.listdir(folder))
open(f"{folder}/{name}.{count}.new", "w").write(f"{os.getpid()} {grandchild.pid}")
os.rename(f"{folder}/{name}.{count}.new", f"{folder}/{name}.{count}")
while True:
    time.sleep(60)
"""


def service(name: str, folder: Path) -> Service:
    argv = [sys.executable, "-c", CHILD, name, str(folder)]
    return Service(name, argv, folder, ready=lambda: (folder / f"{name}.0").exists())


def main() -> None:
    folder = Path(sys.argv[1])
    with Supervisor([service("first", folder), service("second", folder)]) as supervisor:
        supervisor.start()
        print("ready", flush=True)
        supervisor.wait()
    print(f"stopped by {supervisor.stopped_by}", flush=True)


main()
