"""What leaves the system as a file: noted in the audit trail, and marked with who took it and when."""

from typing import Any, Final

from markupsafe import Markup
from sqlalchemy import select

from backend import clock
from backend.http.context import RequestContext
from backend.identity.audit import audit
from backend.identity.models import Community

_END: Final = "</body>"
_MARK: Final = Markup('<p style="color:#767676;font-size:9pt;text-align:center">{}</p>')


def mark_export(ctx: RequestContext, what: str, **details: Any) -> str:
    """Note the export of ``what`` (``audit_trail``) and return its watermark; ``details`` hold no personal data."""
    audit(
        ctx.session,
        ctx.community_id,
        "exported",
        what,
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )
    name = ctx.session.execute(select(Community.name).where(Community.community_id == ctx.community_id)).scalar_one()
    at = (clock.iso(ctx.now_ms) or "")[:16].replace("T", " ")
    return f"{name} · {ctx.actor.name} {at} 导出 · 仅供工作使用，不得外传"


def marked_page(ctx: RequestContext, what: str, page: str, **details: Any) -> str:
    """A page that prints, marked at its end like any export: who opened it and when. What it says is untouched."""
    mark = _MARK.format(mark_export(ctx, what, **details))
    body, end, rest = page.rpartition(_END)
    return f"{body}{mark}{end}{rest}"
