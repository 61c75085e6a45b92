"""Who used the processors: CPU seconds of process trees, and the share that others took of the machine."""

import os
import platform
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PROC = Path("/proc")


def tree_seconds(root: int) -> float:
    """CPU seconds of a process and its living descendants, with what their ended children had used."""
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            pid = int(entry.name)
            children[int(fields[1])].append(pid)
            used[pid] = sum(map(int, fields[11:15])) / TICKS
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0.0)
        waiting += children[pid]
    return total


def machine_seconds() -> float:
    """Busy seconds of all processors since boot."""
    fields = [int(text) for text in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / TICKS


@dataclass
class CpuWatch:
    """CPU seconds by named process tree between entering and leaving; ``others`` is what nobody here used.

    Without ``/proc`` there is nothing to read and everything stays empty.
    """

    trees: dict[str, int]
    seconds: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._before = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        now = self._read()
        self.seconds = {name: round(now[name] - self._before[name], 3) for name in now}
        if self.seconds:
            ours = sum(seconds for name, seconds in self.seconds.items() if name != "machine")
            self.seconds["others"] = round(max(0.0, self.seconds.pop("machine") - ours), 3)

    def _read(self) -> dict[str, float]:
        if not (PROC / "stat").exists():
            return {}
        return {"machine": machine_seconds(), **{name: tree_seconds(pid) for name, pid in self.trees.items()}}


def describe_machine(more: Iterable[tuple[str, Any]] = ()) -> dict[str, Any]:
    """What the figures were measured on."""
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        model = ""
    return {
        "system": platform.platform(),
        "processor": model or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **dict(more),
    }
