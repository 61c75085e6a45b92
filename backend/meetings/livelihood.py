"""民生服务 in figures: what was done for people, counted by the door and the form that was filled there."""

from typing import Final

from sqlalchemy import and_, cast, func, null, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from backend.inspections.models import Visit
from backend.meetings.coverage_figures import in_period
from backend.meetings.figures import Figure, Rows, Scope
from backend.places.models import Place

#: Forms of services. The custody of keys is none of a paper's business: it would tell which homes stand empty.
SERVICE_FORMS: Final = (
    *("resident_request", "smoke_alarm_install", "gas_retrofit", "low_income_review"),
    *("elderly_vaccination", "helper_assignment", "community_event"),
)


def served(scope: Scope) -> Rows:
    """One row a door and service form: the last visit of the period that filled it there."""
    named, door = aliased(Place), aliased(Place)
    form = func.unnest(Visit.forms).table_valued("form", name="filled").render_derived()
    cid = scope.community_id
    last = (
        select(
            Visit.id.label("row_id"),
            Visit.effective_ms.label("at_ms"),
            form.c.form.label("category"),
            cast(null(), Text).label("severity"),
            Visit.outcome.label("state"),
            cast(null(), Text).label("detail"),
        )
        .select_from(Visit)
        .join(form, true())
        .join(named, and_(named.community_id == cid, named.id == Visit.place_id))
        .join(door, and_(door.community_id == cid, door.id == func.coalesce(named.merged_into, named.id)))
        .where(in_period(scope), Visit.outcome == "done", form.c.form.in_(SERVICE_FORMS))
        .ext(distinct_on(door.id, form.c.form))
        .order_by(door.id, form.c.form, Visit.effective_ms.desc(), Visit.id.desc())
        .subquery("last")
    )
    return select(last)


LIVELIHOOD_FIGURES = (
    Figure(
        "served",
        "民生服务",
        "处次",
        "visit",
        "本期办理民生服务的：每处每项按最后一次走访计一次",
        served,
        ("category",),
    ),
)
