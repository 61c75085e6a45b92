"""Whose records a push brings: the community, the installation, and why all of them may have to be quarantined."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.http.context import Actor, RequestContext
from backend.identity.authentication import enter_community
from backend.identity.models import Device
from backend.sync.quarantine import REVOKED


@dataclass(frozen=True, slots=True)
class Admission:
    """``community_id`` None: the account serves no community, so nothing can be kept. ``refusal``: the code with
    which every record goes to quarantine, or None."""

    actor: Actor
    community_id: UUID | None
    refusal: str | None


def admit_push(ctx: RequestContext, head: dict[str, Any]) -> Admission:
    """Enter the community a push is for. What cannot be taken in is quarantined with one the account does serve."""
    actor = ctx.actor
    served = sorted({membership.community_id for membership in actor.memberships})
    if not served:
        return Admission(actor, None, None)
    named = head["community_id"]
    wanted = UUID(named) if named is not None else actor.community_id
    refusal = None
    if wanted is None:
        refusal = "community_unnamed" if len(served) > 1 else None
        wanted = served[0]
    elif wanted not in served:
        refusal, wanted = "community_mismatch", actor.community_id or served[0]
    if actor.community_id != wanted:
        actor = enter_community(ctx.session, actor, wanted)
    if actor.device_revoked:
        refusal = REVOKED
    elif refusal is None and not _is_own(ctx, actor, UUID(head["install_id"])):
        refusal = "install_mismatch"
    return Admission(actor, wanted, refusal)


def _is_own(ctx: RequestContext, actor: Actor, install_id: UUID) -> bool:
    """The token's installation, or one known from before whose records were carried over to this phone."""
    if actor.install_id == install_id:
        return True
    return ctx.session.get(Device, install_id) is not None
