"""Records of releases that did not write down what records declare: read once, a page a job."""

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.attachments.declaring import declare
from backend.db import NIL_ID
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.inspections.archive import load_records
from backend.inspections.models import Record
from backend.jobs import ledger

DECLARE: Final = "declare_attachments"
_PAGE: Final = 500


def declare_next(session: Session, runtime: Runtime, community_id: UUID, after: str) -> None:
    """Write down what the records after ``after`` (an id, or empty for all) declare, and ask for the next page."""
    found = select(Record.id).where(Record.community_id == community_id, Record.id > UUID(after or str(NIL_ID)))
    ids = session.scalars(found.order_by(Record.id).limit(_PAGE)).all()
    sealer = runtime.part(Keyring).sealer(session, community_id)
    declare(
        session,
        community_id,
        (
            (record.id, record.place_id, record.payload.get("attachments") or ())
            for record in load_records(session, sealer, community_id, ids)
            if record.payload is not None
        ),
    )
    if len(ids) == _PAGE:
        ledger.want(session, DECLARE, community_id, [str(ids[-1])])
