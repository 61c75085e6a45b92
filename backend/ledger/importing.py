"""Taking a ledger back in: what people wrote into its own columns is kept, what else they changed is told and left."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.hazards.models import Hazard, LedgerNumber
from backend.http.messages import add_messages
from backend.ledger.columns import COLUMNS, REMARKS, Cells
from backend.ledger.remarks import add_remark
from backend.ledger.rows import BATCH, Ledger, Line

#: Of one file; a longer ledger is brought in by parts.
MOST_LINES: Final = 20_000
#: Lines and differences that the answer names.
MOST_TOLD: Final = 500
#: Where a line stands in its file follows from what else is in it.
_POSITION: Final = "n"


class LedgerTooLong(InvalidInput):
    """The file has more than ``most`` lines."""


add_messages(
    {
        "ledger_too_long": (
            "台账超过{most}行，请分批导入。",
            "The ledger has more than {most} lines; bring it in by parts.",
        )
    }
)


def take_in(ledger: Ledger, lines: Sequence[Cells], *, now_ms: int, actor_id: UUID, dry_run: bool) -> dict[str, Any]:
    """Compare a file's lines with the ledger as it stands; keep the remarks that differ, unless ``dry_run``.

    ``{"lines", "same", "kept", "strange": [number], "differences": [{number, column, ledger, file}]}``.
    """
    if len(lines) > MOST_LINES:
        raise LedgerTooLong(most=MOST_LINES)
    report: dict[str, Any] = {"lines": len(lines), "same": 0, "kept": 0, "strange": [], "differences": []}
    source = iter(lines)
    while batch := list(islice(source, BATCH)):
        known = _known(ledger, [line["number"] for line in batch if line["number"]])
        for line in batch:
            held = known.get(line["number"])
            if held is None:
                report["strange"].append(line["number"] or f"第{line['n']}行")
                continue
            remarks = {key: line[key] for key in REMARKS if line[key] != held.cells[key]}
            others = _differences(held.cells, line)
            report["same"] += not remarks and not others
            report["differences"] += others
            if remarks:
                report["kept"] += 1
                if not dry_run:
                    add_remark(
                        *(ledger.session, ledger.sealer, ledger.community_id, held.hazard_id, remarks),
                        now_ms=now_ms,
                        actor_id=actor_id,
                    )
    ledger.session.flush()
    for name in ("strange", "differences"):
        report[f"{name}_total"] = len(report[name])
        report[name] = report[name][:MOST_TOLD]
    return report


def _known(ledger: Ledger, numbers: list[str]) -> dict[str, Line]:
    ids = hazards_of(ledger.session, ledger.community_id, numbers)
    return {line.cells["number"]: line for line in ledger.lines([Hazard.id == func.any(list(ids))])}


def hazards_of(session: Session, community_id: UUID, numbers: list[str]) -> list[UUID]:
    """The hazards that bear these numbers."""
    found = select(LedgerNumber.hazard_id).where(
        LedgerNumber.community_id == community_id, LedgerNumber.number == func.any(numbers)
    )
    return list(session.scalars(found))


def _differences(held: Mapping[str, str], line: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"number": line["number"], "column": column.heading, "ledger": held[column.key], "file": line[column.key]}
        for column in COLUMNS
        if column.key not in REMARKS and column.key != _POSITION and held[column.key] != line[column.key]
    ]
