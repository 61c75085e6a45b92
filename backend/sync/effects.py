"""What a stored record does: whether its content is in force, by what it was replaced, and why it takes no effect."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.identity.keys import Sealer
from backend.inspections.archive import ArchivedRecord, load_records
from backend.inspections.models import Record
from backend.inspections.supervising import revisions
from backend.places.queries import kinds_of
from mobile_contract.error_codes import message
from mobile_contract.sync.ordering import Versions, effective_versions


def effect_of(
    session: Session, community_id: UUID, sealer: Sealer, forms: FormCatalogue, record: Record
) -> dict[str, Any]:
    """``in_force``, ``replaced_by``, ``voided`` and ``reasons`` of a record, from its family and the places it names.

    ``replaced_by`` is the correction whose content counts in its stead; ``voided``: its root is void now. A void that
    counts is itself in force. ``reasons`` name a refused correction, or blocks without effect (paths as of a push).
    """
    family = _family(session, community_id, sealer, record)
    own_id = str(record.id)
    versions = effective_versions(revisions(session, community_id, family.values()))
    refused = versions.refused.get(own_id)
    reasons = []
    if refused is not None:
        reasons.append(_reason(refused, f"/payload/{record.root_op}"))
    elif (payload := family[own_id].payload) is not None:
        reasons += _misplaced(session, community_id, forms, payload)
    return {**_standing(own_id, versions, family), "reasons": reasons}


def _family(session: Session, community_id: UUID, sealer: Sealer, record: Record) -> dict[str, ArchivedRecord]:
    root = record.root_id or record.id
    ids = session.scalars(
        select(Record.id).where(Record.community_id == community_id, or_(Record.id == root, Record.root_id == root))
    )
    found = load_records(session, sealer, community_id, list(ids))
    return {str(member.id): member for member in found}


def _standing(own_id: str, versions: Versions, family: Mapping[str, ArchivedRecord]) -> dict[str, Any]:
    for root in versions.effective:
        if own_id != root.root_id and own_id not in root.corrections:
            continue
        last = root.corrections[-1] if root.corrections else root.root_id
        counts = own_id == last and (root.content_id is None or family[own_id].payload is not None)
        replaced_by = root.content_id if root.content_id != own_id else None
        return {"in_force": counts, "replaced_by": replaced_by, "voided": root.content_id is None}
    return {"in_force": False, "replaced_by": None, "voided": False}


def _misplaced(
    session: Session, community_id: UUID, forms: FormCatalogue, payload: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Blocks whose form may not be filled for the kind of their place, as far as both are known."""
    blocks = (payload.get("visit") or {}).get("blocks") or ()
    kinds = kinds_of(session, community_id, {UUID(block["place_id"]) for block in blocks}) if blocks else {}
    found = []
    for position, block in enumerate(blocks):
        form, kind = forms.form(session, block["form"], int(block["version"])), kinds.get(block["place_id"].lower())
        if form is not None and kind is not None and not form.fits(kind):
            found.append(_reason("place_kind_invalid", f"/payload/visit/blocks/{position}"))
    return found


def _reason(code: str, path: str) -> dict[str, str]:
    return {"code": code, "path": path, "zh": message(code), "en": message(code, "en")}
