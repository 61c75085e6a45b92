"""The files that steps cite: that they exist when the console cites them, and how they stand when a task is read.

Bytes that have not come are shown and never counted: the fold knows of evidence only that it was declared.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.attachments.declaring import AWAITED, RECEIVING, FileState, declare, states_of
from backend.errors import FieldError
from backend.rectification.errors import AttachmentUnknown
from backend.rectification.presenting import Shape
from backend.rectification.step_bodies import StepBody

_ONE = ("signature", "receipt")
_SEVERAL = ("photos", "pack", "attachments")


def cited_by(body: Mapping[str, Any]) -> Iterator[tuple[str, UUID]]:
    """(JSON pointer into the step, attachment id) of every file that a step names."""
    for name in _ONE:
        if body.get(name):
            yield f"/{name}", UUID(str(body[name]))
    for name in _SEVERAL:
        for n, value in enumerate(body.get(name) or ()):
            yield f"/{name}/{n}", UUID(str(value))
    for n, item in enumerate(body.get("evidence") or ()):
        for m, value in enumerate(item.get("attachments") or ()):
            yield f"/evidence/{n}/attachments/{m}", UUID(str(value))


def refuse_unknown(session: Session, community_id: UUID, body: Mapping[str, Any]) -> None:
    """AttachmentUnknown when the console cites a file that nobody stored, announced or declared."""
    cited = list(cited_by(body))
    known = states_of(session, community_id, {attachment_id for _, attachment_id in cited})
    unknown = [FieldError(pointer, "attachment_unknown") for pointer, id_ in cited if id_ not in known]
    if unknown:
        raise AttachmentUnknown(errors=unknown)


def note_cited(session: Session, community_id: UUID, step_id: UUID, place_id: UUID, body: Mapping[str, Any]) -> None:
    """Whoever sees the place may see what a step of the console cites."""
    known = states_of(session, community_id, {attachment_id for _, attachment_id in cited_by(body)})
    items = [
        {"id": str(file.id), "sha256": file.sha256.hex(), "bytes": file.bytes, "mime": file.mime}
        for file in known.values()
    ]
    declare(session, community_id, [(step_id, place_id, items)])


def evidence_of(
    session: Session, community_id: UUID, bodies: Mapping[UUID, StepBody], step_ids: Iterable[UUID]
) -> dict[UUID, list[Shape]]:
    """Step id → its files with their hashes, in the order cited."""
    cited = {
        step_id: list(dict.fromkeys(id_ for _, id_ in cited_by(bodies.get(step_id) or {}))) for step_id in step_ids
    }
    known = states_of(session, community_id, {id_ for ids in cited.values() for id_ in ids})
    return {step_id: [_shown(id_, known.get(id_)) for id_ in ids] for step_id, ids in cited.items()}


def is_awaited(evidence: Collection[list[Shape]]) -> bool:
    """Whether bytes of any of these files are still to come."""
    return any(file["state"] in (AWAITED, RECEIVING) for files in evidence for file in files)


def _shown(attachment_id: UUID, file: FileState | None) -> Shape:
    if file is None:
        return {"id": attachment_id, "sha256": None, "mime": None, "bytes": None, "state": AWAITED}
    return {
        "id": attachment_id,
        "sha256": file.sha256.hex(),
        "mime": file.mime,
        "bytes": file.bytes,
        "state": file.state,
    }
