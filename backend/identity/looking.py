"""A look at persons in full: for a reason, by code, and with an event. The trail itself names nobody."""

from typing import Any, Final

from backend.http.context import RequestContext
from backend.identity.audit import audit

#: Why persons may be looked at. A code, not prose: prose would name them.
REASONS: Final = ("contact", "document", "verify", "emergency", "request", "handover", "repair")
#: A file or case number.
REFERENCE: Final = r"[0-9A-Za-z〔〕\[\]()（）第号\-/_.]{1,60}"
UNMASKED: Final = "unmasked"


def note_look(ctx: RequestContext, action: str, subject: str, said: dict[str, Any], **details: Any) -> None:
    """An event with the reason and reference that were given."""
    given = {"reason": said["reason"], "reference": said.get("reference"), **details}
    audit(ctx.session, ctx.community_id, action, subject, account_id=ctx.actor.account_id, at_ms=ctx.now_ms, **given)
