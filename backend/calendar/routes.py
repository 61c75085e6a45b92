"""The office's API of the calendar: which days are worked, and the community's own word on them."""

from collections.abc import Collection
from typing import Any

from flask import request

from backend.calendar import service
from backend.calendar.listeners import CalendarListeners
from backend.calendar.models import CalendarChange
from backend.calendar.presenting import calendar_year, change
from backend.calendar.queries import day_number
from backend.calendar.schemas import (
    FIRST_YEAR,
    LAST_YEAR,
    CalendarChangeSchema,
    CalendarYearSchema,
    NewDaySchema,
    YearQuery,
    YearReportSchema,
)
from backend.calendar.year_file import CalendarRefused, CalendarUnreadable, read_year
from backend.errors import NotFound
from backend.http import Blueprint, RequestContext, requires
from backend.http.messages import add_messages
from backend.identity.audit import audit

blueprint = Blueprint("calendar", __name__, url_prefix="/api/v1", description="工作日历与调休 · Working days")
READS = requires("task.read")
CHANGES = requires("rule.override")
#: The kind of job that folds a place; wanted by those who listen to a changed calendar.
COMPILE = "compile"
FILE_BYTES = 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "An XLSX or CSV file, as the body itself or as the part `file` of a form.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            XLSX: {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


class YearUnknown(NotFound):
    """Calendars reach from 2000 to 2199."""


add_messages({"year_unknown": ("日历只有 2000 至 2199 年。", "Calendars reach from 2000 to 2199.")})


@blueprint.get("/calendar/<int:year>", guard=READS, raises=(YearUnknown,))
@blueprint.response(200, CalendarYearSchema)
def get_calendar(ctx: RequestContext, year: int) -> dict[str, Any]:
    """A year's holidays and days worked in their stead, and whether they are official yet."""
    _refuse_far_year(year)
    return calendar_year(ctx.session, ctx.community_id, year, ctx.now_ms)


@blueprint.post("/calendar/days", guard=CHANGES, raises=(YearUnknown,))
@blueprint.arguments(NewDaySchema)
@blueprint.response(201, CalendarChangeSchema)
def set_day(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """The community's own word on a day. What it moves is folded again at once; what was assigned keeps its date."""
    _refuse_far_year(body["day"].year)
    since_ms = ctx.now_ms if body["effective_from_ms"] is None else body["effective_from_ms"]
    day, works = body["day"], body["works"]
    fact_id = service.set_day(ctx.session, ctx.community_id, day, works, body["name"], since_ms, ctx.actor.account_id)
    _changed(ctx, "calendar_day_set", f"day:{day}", {day_number(day)}, since_ms, works=works)
    return change(ctx.session.get_one(CalendarChange, (ctx.community_id, fact_id)))


@blueprint.post(
    "/calendar/<int:year>/import",
    guard=CHANGES,
    max_bytes=FILE_BYTES,
    raises=(YearUnknown, CalendarUnreadable, CalendarRefused),
)
@blueprint.doc(**FILE_BODY)
@blueprint.arguments(YearQuery, location="query")
@blueprint.response(200, YearReportSchema)
def import_year(ctx: RequestContext, query: dict[str, Any], year: int) -> dict[str, Any]:
    """A year's file with the columns 日期, 安排 (休 or 班) and 名称: all rows, or none when one is bad."""
    _refuse_far_year(year)
    upload = request.files.get("file")
    report = read_year(upload.read() if upload else request.get_data(), year)
    if query["dry_run"]:
        return report.as_dict()
    if report.errors:
        raise CalendarRefused(bad_rows=report.as_dict()["bad_rows"], report=report.as_dict())
    since_ms = ctx.now_ms if query["effective_from_ms"] is None else query["effective_from_ms"]
    changed = service.import_year(ctx.session, ctx.community_id, year, report.days, since_ms, ctx.actor.account_id)
    report.imported, report.changed = True, len(changed)
    _changed(ctx, "calendar_imported", f"year:{year}", changed, since_ms, changed=len(changed))
    return report.as_dict()


def _refuse_far_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise YearUnknown


def _changed(
    ctx: RequestContext, action: str, subject: str, days: Collection[int], since_ms: int, **details: Any
) -> None:
    audit(
        ctx.session,
        ctx.community_id,
        action,
        subject,
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        effective_from_ms=since_ms,
        **details,
    )
    ctx.runtime.part(CalendarListeners).tell(ctx.session, ctx.community_id, days, since_ms)
    ctx.ring(COMPILE)
