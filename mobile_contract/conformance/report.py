"""What a fleet did and what its checks found, ready for a table or for JSON."""

from dataclasses import dataclass, field
from typing import Any

from mobile_contract.conformance.checks import CheckResult


@dataclass(slots=True)
class FleetReport:
    """Figures of a run. `counts` are sums over all phones; `created` is by kind of record."""

    phones: int
    days: int
    seed: int
    seconds: float = 0.0
    created: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    sent_bytes: int = 0
    records: int = 0
    tasks: int = 0
    checks: list[CheckResult] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when no check failed and no phone gave up."""
        return not self.troubles and all(check.ok is not False for check in self.checks)

    def rows(self) -> list[tuple[str, str]]:
        """Two columns: what, and how much."""
        rows = [
            ("phones", str(self.phones)),
            ("days", str(self.days)),
            ("records created", str(self.records)),
        ]
        rows += [(f"  {kind}", str(count)) for kind, count in sorted(self.created.items())]
        rows += [(name, str(count)) for name, count in self.counts.items()]
        rows += [("KiB sent", str(self.sent_bytes // 1024)), ("tasks in the feed", str(self.tasks))]
        rows += [(f"fault: {name}", str(count)) for name, count in sorted(self.faults.items())]
        rows += [("seconds", f"{self.seconds:.1f}")]
        return rows

    def check_rows(self) -> list[tuple[str, str, str, str]]:
        """Four columns: promise, check, ok/FAILED/skipped, detail."""
        words = {True: "ok", False: "FAILED", None: "skipped"}
        rows = [(check.promise, check.name, words[check.ok], check.detail) for check in self.checks]
        return rows + [("", "phone gave up", "FAILED", trouble) for trouble in self.troubles]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        checks = [
            {"promise": check.promise, "name": check.name, "ok": check.ok, "detail": check.detail}
            for check in self.checks
        ]
        return {
            "ok": self.ok,
            "phones": self.phones,
            "days": self.days,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "records": self.records,
            "created": self.created,
            "counts": self.counts,
            "faults": self.faults,
            "sent_bytes": self.sent_bytes,
            "tasks": self.tasks,
            "checks": checks,
            "troubles": self.troubles,
        }
