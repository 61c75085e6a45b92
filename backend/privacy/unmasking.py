"""Unmasking: persons in full, of one visit or one task, for a reason, noted in the audit trail."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select

from backend.errors import NotFound
from backend.http.context import RequestContext
from backend.http.messages import add_messages
from backend.identity.keys import Keyring
from backend.identity.looking import UNMASKED, note_look
from backend.inspections.archive import places_of_families
from backend.inspections.models import Record
from backend.places.queries import find_place
from backend.privacy.finding import line
from backend.privacy.masks import Reader
from backend.privacy.mentions import forms_of
from backend.privacy.personal import GUARDED
from backend.privacy.sources import RECORD, STEP, open_rows
from backend.rectification.errors import TaskNotFound
from backend.rectification.models import TaskStep
from backend.rectification.presenting import Shape
from backend.rectification.queries import get_task

VISIT, TASK = "visit", "task"
SENSITIVE: Final = "person.sensitive"


class NothingToUnmask(NotFound):
    pass


add_messages({"nothing_to_unmask": ("没有找到，或无权查看。", "There is no such thing, or it is not yours to see.")})


def unmask(ctx: RequestContext, body: dict[str, Any]) -> Shape:
    """The persons of a visit (with its corrections) or of all steps of a task. NothingToUnmask.

    What is guarded (health, welfare, custody, signatures) is for those only who hold ``person.sensitive`` there.
    """
    found = _visit(ctx, body["id"]) if body["what"] == VISIT else _task(ctx, body["id"])
    form_of = forms_of(ctx.session, ctx.runtime)
    path, rows = found
    sensitive = ctx.actor.may(SENSITIVE, path)
    items = [line(row, form_of, Reader(None, sensitive)) for row in rows]
    values = [datum["kind"] for item in items for datum in item["data"]]
    guarded = sorted(GUARDED & set(values))
    note_look(ctx, UNMASKED, f"{body['what']}:{body['id']}", body, values=len(values), guarded=guarded)
    return {"items": items}


def _visit(ctx: RequestContext, record_id: UUID) -> tuple[str | None, list[Any]]:
    """Rows of a record's family; every place that it names must lie within the caller's scope."""
    session, community_id = ctx.session, ctx.community_id
    ids = session.scalars(
        select(Record.id).where(
            Record.community_id == community_id, or_(Record.id == record_id, Record.root_id == record_id)
        )
    ).all()
    path = None
    for place_id in places_of_families(session, community_id, set(ids)):
        place = find_place(session, community_id, place_id, ctx.actor.scope_paths)
        if place is None and ctx.actor.scope_paths:
            raise NothingToUnmask
        path = place.path if place is not None else path
    if not ids:
        raise NothingToUnmask
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    return path, open_rows(session, sealer, community_id, RECORD, ids)


def _task(ctx: RequestContext, hazard_id: UUID) -> tuple[str | None, list[Any]]:
    session, community_id = ctx.session, ctx.community_id
    try:
        task = get_task(session, community_id, hazard_id, ctx.actor.scope_paths)
    except TaskNotFound as error:
        raise NothingToUnmask from error
    steps = session.execute(
        select(TaskStep.id, TaskStep.from_record).where(
            TaskStep.community_id == community_id, TaskStep.hazard_id == hazard_id
        )
    ).all()
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    rows = []
    for source, from_record in ((STEP, False), (RECORD, True)):
        ids = [step.id for step in steps if step.from_record is from_record]
        rows += open_rows(session, sealer, community_id, source, ids)
    return task.place_path, sorted(rows, key=lambda row: (row.at_ms or 0, row.id))
