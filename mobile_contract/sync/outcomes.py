"""Outcomes of a push, one per record, in the order of the request (see PROTOCOL.md, Push)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mobile_contract.error_codes import Language, message


class RecordOutcome(StrEnum):
    """What became of one record. All but `RETRY` are final: the record may leave the outbox."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    RETRY = "retry"

    @property
    def is_final(self) -> bool:
        """True when the server keeps the bytes, so that the phone may take it out of its outbox."""
        return self is not RecordOutcome.RETRY


class TimeQuality(StrEnum):
    """How a record's `effective_ms` was found."""

    ANCHORED = "anchored"
    ESTIMATED = "estimated"


class StatusChange(StrEnum):
    """`status` of a `record_status` feed row: what later became of a quarantined record."""

    REQUEUE = "requeue"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason for quarantine. `path` is a JSON pointer into the record ("" is all of it)."""

    path: str
    code: str

    def wire(self, language: Language = "zh") -> dict[str, str]:
        """Shape `{"path","code","message"}` of the wire."""
        return {"path": self.path, "code": self.code, "message": message(self.code, language)}


@dataclass(frozen=True, slots=True)
class PushResult:
    """Result of one record. `id` is None when the record's bytes hold no readable id."""

    id: str | None
    status: RecordOutcome
    effective_at_ms: int | None = None
    time_quality: TimeQuality | None = None
    quarantine_id: str | None = None
    errors: tuple[Problem, ...] = ()
    missing_attachments: tuple[str, ...] = ()

    def wire(self, language: Language = "zh") -> dict[str, Any]:
        """Shape of one entry of `results`; every key is always present."""
        return {
            "id": self.id,
            "status": self.status.value,
            "effective_at_ms": self.effective_at_ms,
            "time_quality": None if self.time_quality is None else self.time_quality.value,
            "quarantine_id": self.quarantine_id,
            "errors": [problem.wire(language) for problem in self.errors],
            "missing_attachments": list(self.missing_attachments),
        }


def final_ids(results: Iterable[dict[str, Any]]) -> set[str]:
    """Ids of an answer's `results` that may leave the outbox; unknown statuses are not final."""
    final = {outcome.value for outcome in RecordOutcome if outcome.is_final}
    return {str(row["id"]) for row in results if row.get("id") and row.get("status") in final}
