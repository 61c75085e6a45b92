"""A leaver's open tasks go to another, in bulk: one step a task, one line in the audit trail."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, select

from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.models import Hazard
from backend.http.context import RequestContext
from backend.identity.audit import audit
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.rectification.models import RectificationTask
from backend.rectification.steps import take_step


def hand_over(
    ctx: RequestContext, from_account: UUID, to_account: UUID, chosen: Collection[UUID] | None, reason: str
) -> list[UUID]:
    """Give the open tasks of ``from_account`` within the caller's places (or the ``chosen`` of them) to another.

    Returns the tasks given. Raises AssigneeUnknown. All of them or, when one step is refused, none.
    """
    session, task = ctx.session, RectificationTask
    found = (
        select(Hazard.id, Place.path)
        .join(task, and_(task.community_id == Hazard.community_id, task.hazard_id == Hazard.id))
        .join(Place, and_(Place.community_id == Hazard.community_id, Place.id == Hazard.place_id))
        .where(Hazard.community_id == ctx.community_id, task.assignee_id == from_account)
        .where(Hazard.state.in_(STEP_KINDS["reassign"].starts), in_scope(ctx.actor.scope_paths))
        .order_by(Hazard.place_id, Hazard.id)
    )
    if chosen is not None:
        found = found.where(Hazard.id.in_(chosen))
    given = []
    for hazard_id, path in session.execute(found).all():
        held = [m.role for m in ctx.actor.active_memberships("task.reassign") if m.covers(path)]
        if not held:
            continue
        # Read here: the step before it may have folded the same place.
        present = session.get_one(task, (ctx.community_id, hazard_id))
        take_step(
            session,
            ctx.runtime,
            ctx.community_id,
            hazard_id,
            "reassign",
            {"assignee_account_id": str(to_account), "reason": reason},
            actor_id=ctx.actor.account_id,
            actor_role=held[0],
            rev=present.rev,
            now_ms=ctx.now_ms,
        )
        given.append(hazard_id)
    audit(
        session,
        ctx.community_id,
        "tasks_handed_over",
        f"account:{from_account}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        to=str(to_account),
        tasks=len(given),
    )
    return given
