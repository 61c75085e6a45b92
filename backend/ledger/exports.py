"""The ledger as a file, made by the worker: asked for, streamed line by line into chunks, fetched, forgotten."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from backend import clock
from backend.db import Database, new_id
from backend.errors import Conflict, NotFound
from backend.forms.catalogue import FormCatalogue
from backend.hazards.lifecycle import OPEN_STATES
from backend.hazards.models import Hazard
from backend.http.context import Runtime
from backend.http.messages import add_messages
from backend.identity.keys import Keyring
from backend.identity.models import Account, Community
from backend.jobs import ledger as jobs
from backend.jobs.progress import Progress
from backend.ledger.columns import Cells
from backend.ledger.models import Export, ExportChunk
from backend.ledger.rows import Conditions, Ledger
from backend.ledger.sheet import Heading, write_ledger

JOB: Final = "export"
CHUNK: Final = 1024 * 1024
#: Lines between two words about how far it is.
TOLD_EVERY: Final = 1000
KEPT: Final = timedelta(days=7)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExportNotFound(NotFound):
    """There is no such export (any more), or somebody else asked for it."""


class ExportNotReady(Conflict):
    """The file is still being made; the export's ``progress`` says how far it is."""


add_messages(
    {
        "export_not_found": ("没有此导出，或已过期。", "There is no such export, or it was forgotten."),
        "export_not_ready": ("文件正在生成，请稍候。", "The file is being made; wait a moment."),
    }
)


def request_export(
    session: Session,
    community_id: UUID,
    params: dict[str, Any],
    *,
    scope: Sequence[str],
    now_ms: int,
    actor_id: UUID,
) -> Export:
    """Ask for the ledger as a file. ``params``: ``from_ms``, ``to_ms`` (of registration) and ``open_only``.

    The caller rings for ``export`` jobs after the commit.
    """
    export = Export(
        community_id=community_id,
        id=new_id(),
        params=params,
        scope=list(scope),
        state="queued",
        requested_ms=now_ms,
        requested_by=actor_id,
    )
    session.add(export)
    session.flush()
    jobs.want(session, JOB, community_id, [str(export.id)])
    return export


def get_export(session: Session, community_id: UUID, export_id: UUID, account_id: UUID) -> Export:
    """An export of the account's own; ExportNotFound."""
    found = session.get(Export, (community_id, export_id))
    if found is None or found.requested_by != account_id:
        raise ExportNotFound
    return found


def make_export(session: Session, runtime: Runtime, community_id: UUID, export_id: UUID) -> None:
    """Write the file in the running transaction, which must be REPEATABLE READ: all its lines are of one snapshot.

    In memory are one batch of lines and one chunk, however many lines there are.
    """
    if session.scalar(text("SHOW transaction_isolation")) == "read committed":
        raise RuntimeError("an export is of one snapshot: open the transaction as REPEATABLE READ")
    export = session.get(Export, (community_id, export_id))
    if export is None or export.state == "ready":
        return
    community = session.get_one(Community, community_id)
    now_ms = clock.now_ms(community.clock_offset_ms)
    sealer = runtime.part(Keyring).sealer(session, community_id)
    ledger = Ledger(session, sealer, runtime.part(FormCatalogue), community_id, export.scope)
    progress = Progress(runtime.db, community_id, JOB, str(export_id))
    heading = _heading(session, community, export, now_ms)
    with tempfile.TemporaryDirectory(prefix="saolou-export-") as folder:
        file = Path(folder) / "ledger.xlsx"
        rows = write_ledger(file, heading, _told(ledger, _conditions(export.params), progress))
        progress.say("storing", rows, rows)
        digest, size = _store(session, community_id, export_id, file)
    made = {"state": "ready", "rows": rows, "size": size, "sha256": digest, "made_ms": now_ms}
    session.execute(update(Export).where(Export.community_id == community_id, Export.id == export_id).values(made))
    progress.say("made", rows, rows)


def _heading(session: Session, community: Community, export: Export, now_ms: int) -> Heading:
    """Every export says who took it and when."""
    name = session.scalar(select(Account.name).where(Account.id == export.requested_by)) or ""
    at = (clock.iso(now_ms) or "")[:16].replace("T", " ")
    # Marked like all that leaves: who took it and when.
    filled_by = f"{community.name}居民委员会（{name} {at} 导出，仅供工作使用，不得外传）"
    return Heading(f"{community.name}隐患排查整治台账", filled_by, at, clock.utc(now_ms))


def _conditions(params: dict[str, Any]) -> Conditions:
    found = []
    if params.get("from_ms") is not None:
        found.append(Hazard.registered_ms >= params["from_ms"])
    if params.get("to_ms") is not None:
        found.append(Hazard.registered_ms < params["to_ms"])
    if params.get("open_only"):
        found.append(Hazard.state.in_(sorted(OPEN_STATES)))
    return found


def _told(ledger: Ledger, conditions: Conditions, progress: Progress) -> Iterator[Cells]:
    """The lines, with a word about how far it is now and then."""
    total = ledger.count(conditions)
    progress.say("writing", 0, total)
    for n, line in enumerate(ledger.lines(conditions), 1):
        yield line.cells
        if n % TOLD_EVERY == 0:
            progress.say("writing", n, total)


def _store(session: Session, community_id: UUID, export_id: UUID, file: Path) -> tuple[str, int]:
    """Put the file's chunks away; its SHA-256 and size."""
    digest, size, of_export = hashlib.sha256(), 0, {"community_id": community_id, "export_id": export_id}
    with file.open("rb") as source:
        n = 0
        while body := source.read(CHUNK):
            digest.update(body)
            size, n = size + len(body), n + 1
            session.execute(insert(ExportChunk), [{**of_export, "n": n, "body": body}])
    return digest.hexdigest(), size


def read_chunks(db: Database, community_id: UUID, export_id: UUID) -> Iterator[bytes]:
    """The file, a chunk in memory at a time; each is read in a transaction of its own, while the answer is sent."""
    n = 0
    while True:
        n += 1
        with db.transaction([community_id]) as session:
            chunk = session.get(ExportChunk, (community_id, export_id, n))
        if chunk is None:
            return
        yield chunk.body


def forget_exports(session: Session, community_id: UUID, now_ms: int) -> None:
    """Forget exports that nobody will fetch any more."""
    until_ms = now_ms - int(KEPT.total_seconds() * 1000)
    old = select(Export.id).where(Export.community_id == community_id, Export.requested_ms < until_ms)
    session.execute(delete(ExportChunk).where(ExportChunk.community_id == community_id, ExportChunk.export_id.in_(old)))
    session.execute(delete(Export).where(Export.community_id == community_id, Export.requested_ms < until_ms))
