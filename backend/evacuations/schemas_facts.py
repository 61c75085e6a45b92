"""What each fact about a dangerous house says, one schema a kind; and what a notice to leave adds."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from backend.clock import LATEST_MS
from backend.evacuations.lifecycle import DESTINATIONS, ENDINGS, GRADES
from backend.http.fields import line, prose
from backend.notices.schemas import DeclaredFileSchema
from backend.rectification.schemas import one_of
from mobile_contract.sync.fields import WireInt, WireUUID

SHORT, LONG = 200, 1000


class FactSchema(Schema):
    """``at_ms``: when it happened; absent: now."""

    at_ms = WireInt(load_default=None, allow_none=True, validate=validate.Range(0, LATEST_MS))


class HouseholdFactSchema(FactSchema):
    """About one household, by its place."""

    household_id = fields.UUID(required=True)
    note = prose(LONG, load_default=None, allow_none=True)


def _file() -> fields.Nested:
    return fields.Nested(DeclaredFileSchema, load_default=None, allow_none=True)


class AppraisedSchema(FactSchema):
    """鉴定: what a qualified body found. C and D open a case; A and B end its danger."""

    grade = one_of(GRADES, required=True)
    appraiser = line(SHORT, required=True)
    report_no = line(80, required=True)
    reported_on = fields.Date(required=True)
    danger_parts = line(LONG, required=True)
    report = _file()

    @post_load
    def as_text(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The date as it is kept."""
        return {**data, "reported_on": data["reported_on"].isoformat()}


class ListedSchema(HouseholdFactSchema):
    """登记住户: how many live there (0: vacant), how to reach them, who needs what help."""

    persons = fields.Integer(required=True, validate=validate.Range(0, 200))
    contact = line(SHORT, load_default=None, allow_none=True)
    vulnerable = prose(LONG, load_default=None, allow_none=True)


class ToldSchema(HouseholdFactSchema):
    """告知: by whom."""

    by = line(SHORT, load_default=None, allow_none=True)


class AgreedSchema(HouseholdFactSchema):
    """同意撤离."""


class RefusedSchema(HouseholdFactSchema):
    """拒绝撤离: and why."""

    reason = prose(LONG, required=True)


class RevisitedSchema(HouseholdFactSchema):
    """二次劝离: who came along from the street and the police."""

    street = line(SHORT, required=True)
    police = line(SHORT, required=True)


class ReportedSchema(HouseholdFactSchema):
    """拒撤上报: to whom, by what paper."""

    to = line(SHORT, required=True)
    document = _file()


class LeftSchema(HouseholdFactSchema):
    """撤离: where to, what help was given, whether water, power and gas were turned off by the household."""

    destination = one_of(DESTINATIONS, required=True)
    address = line(SHORT, load_default=None, allow_none=True)
    help = prose(LONG, load_default=None, allow_none=True)
    utilities_off = fields.Boolean(load_default=None, allow_none=True)


class ReturnedSchema(HouseholdFactSchema):
    """返住."""


class CordonedSchema(FactSchema):
    """封控警示: with a photo."""

    note = prose(LONG, load_default=None, allow_none=True)
    photo = _file()


class CheckedSchema(FactSchema):
    """返住检查: which households were found back; none: the house is empty."""

    returned = fields.List(WireUUID(), load_default=list, validate=validate.Length(0, 200))
    note = prose(LONG, load_default=None, allow_none=True)
    photo = _file()


class ClosedSchema(FactSchema):
    """销号 by the street or a department: how the danger ended."""

    ending = one_of(ENDINGS, required=True)
    note = prose(LONG, required=True)
    document = _file()


class WithdrawnSchema(FactSchema):
    """撤回记录: which, and why. The record stays and no longer counts."""

    fact_id = WireUUID(required=True)
    reason = prose(LONG, required=True)


FACT_SCHEMAS: Final[Mapping[str, type[Schema]]] = {
    "appraised": AppraisedSchema,
    "listed": ListedSchema,
    "told": ToldSchema,
    "agreed": AgreedSchema,
    "refused": RefusedSchema,
    "revisited": RevisitedSchema,
    "reported": ReportedSchema,
    "left": LeftSchema,
    "returned": ReturnedSchema,
    "cordoned": CordonedSchema,
    "checked": CheckedSchema,
    "closed": ClosedSchema,
    "withdrawn": WithdrawnSchema,
}


class EvacuationNoticeSchema(Schema):
    """A 危房劝离通知书. Appraisal and households come from what was recorded; ``street`` signs beside the community."""

    addressee = line(SHORT, required=True)
    owner = line(SHORT, required=True)
    address = line(SHORT, load_default=None, allow_none=True)
    deadline_ms = WireInt(required=True, validate=validate.Range(0, LATEST_MS))
    resettlement = line(LONG, required=True)
    contact = line(SHORT, required=True)
    help = line(LONG, required=True)
    utilities = line(LONG, required=True)
    street = line(SHORT, required=True)
    replaces = fields.UUID(load_default=None, allow_none=True)
