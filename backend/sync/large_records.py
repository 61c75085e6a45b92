"""A record that no push could carry (413, or unreadable even alone) comes as a file."""

from backend.attachments.uploads import Desk
from backend.db import after_commit, new_id
from backend.inspections.waiting import COMPILE
from backend.sync.intake import Results, take_in
from backend.sync.mending import read_one
from backend.sync.quarantine import refused_bad
from backend.sync.taking import Taking
from mobile_contract.sync.envelope import BadRecord


def take_raw_record(desk: Desk, raw: bytes) -> None:
    """Store the record, or hold its bytes for the office to repair. The same again are the same."""
    if desk.install_id is None:
        return
    taking = Taking.open(
        desk.session,
        desk.runtime,
        desk.community_id,
        push_id=new_id(),
        install_id=desk.install_id,
        account_id=desk.account_id,
        now_ms=desk.now_ms,
    )
    record = read_one(raw, str(desk.install_id))
    if isinstance(record, BadRecord):
        take_in(taking, [], [refused_bad(record)], Results())
    else:
        take_in(taking, [record], [], Results())
    after_commit(desk.session, lambda: desk.runtime.doorbell.ring(COMPILE, desk.community_id))
