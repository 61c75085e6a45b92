"""What each step says: the same fields as a phone's ``task_step`` record, one schema a kind."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from backend.clock import LATEST_MS
from backend.http.fields import prose, storable
from backend.rectification.schemas import SEVERITIES, one_of
from mobile_contract.sync.fields import WireInt, WireUUID

SHORT, LONG, LONGEST = 200, 2000, 10_000


def _text(longest: int, **options: Any) -> fields.String:
    return prose(longest, required=True, **options)


def _optional_text() -> fields.String:
    return storable(LONGEST, load_default=None, allow_none=True)


def _optional_id() -> WireUUID:
    return WireUUID(load_default=None, allow_none=True)


def _ids() -> fields.List[str]:
    return fields.List(WireUUID(), load_default=list, validate=validate.Length(0, 200))


class AssignSchema(Schema):
    """交办: who must put it right, how, until when, and how grave it is. Fixes deadline and severity."""

    assignee_account_id = _optional_id()
    responsible_party = _text(SHORT, metadata={"example": "3栋经营者"})
    measures = _text(LONG, metadata={"example": "移走车辆，清理通道"})
    deadline_ms = WireInt(required=True, validate=validate.Range(0, LATEST_MS))
    severity = one_of(SEVERITIES, required=True)
    funds = _optional_text()
    plan = _optional_text()


class AcceptSchema(Schema):
    """签收: a signature, or who witnessed the refusal to sign."""

    signature = _optional_id()
    refusal_witness = _optional_text()


class SubmitSchema(Schema):
    """报整改: what was done, with photos."""

    note = _optional_text()
    photos = _ids()


class StepEvidenceSchema(Schema):
    """One kind of evidence with its files."""

    kind = _text(32)
    attachments = _ids()


class CloseSchema(Schema):
    """复查销号: the re-visit that saw it gone, and the visits that whoever closes has seen (``basis``)."""

    revisit_id = _optional_id()
    basis = _ids()
    note = _optional_text()
    evidence = fields.List(fields.Nested(StepEvidenceSchema), load_default=list, validate=validate.Length(0, 50))


class ReturnSchema(Schema):
    """退回: why it is not done, and perhaps a new deadline."""

    reason = _text(LONG)
    deadline_ms = WireInt(load_default=None, allow_none=True, validate=validate.Range(0, LATEST_MS))


class VoidSchema(Schema):
    """误报/合并: why, and of which hazard it is the double."""

    reason = _text(LONG)
    duplicate_of = _optional_id()


class ExtendSchema(Schema):
    """延期: why, what keeps people safe until then, and the new date. At most twice, before the old date expires."""

    reason = _text(LONG)
    interim = _text(LONG, metadata={"example": "拉警戒线，专人看守"})
    deadline_ms = WireInt(required=True, validate=validate.Range(0, LATEST_MS))


class ReferSchema(Schema):
    """移交: to whom, by which letter (函), with which papers (``pack``), the receipt. The community keeps watching."""

    recipient = _text(SHORT, metadata={"example": "区住建局"})
    letter = _text(SHORT, metadata={"example": "关于3栋隐患的函〔2026〕7号"})
    pack = _ids()
    receipt = _optional_id()
    note = _optional_text()


class ChaseSchema(Schema):
    """催办: what was asked of the recipient and what was said."""

    note = _text(LONG)
    receipt = _optional_id()


class FeedbackSchema(Schema):
    """反馈: the written outcome, with its papers (a department's finding)."""

    outcome = _text(LONG)
    attachments = _ids()


class RelapseSchema(Schema):
    """反弹: found again on a re-check, with a new photo. Same number, next cycle."""

    photos = fields.List(WireUUID(), required=True, validate=validate.Length(1, 200))
    note = _optional_text()
    deadline_ms = WireInt(load_default=None, allow_none=True, validate=validate.Range(0, LATEST_MS))


class ReassignSchema(Schema):
    """移交承办: who has the task from now on."""

    assignee_account_id = WireUUID(required=True)
    reason = _text(LONG)


class UndoSchema(Schema):
    """撤回: one's own last step, named, a short while after it."""

    undoes = WireUUID(required=True)
    reason = _optional_text()


class HandOverSchema(Schema):
    """From whom to whom, and which tasks; null: all that are open."""

    from_account_id = fields.UUID(required=True)
    to_account_id = fields.UUID(required=True)
    hazard_ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(1, 1000))
    reason = _text(LONG)


class HandedOverSchema(Schema):
    """The tasks that were given."""

    given = fields.List(fields.UUID(), required=True)


STEP_SCHEMAS: Final[Mapping[str, type[Schema]]] = {
    "assign": AssignSchema,
    "accept": AcceptSchema,
    "submit": SubmitSchema,
    "close": CloseSchema,
    "return": ReturnSchema,
    "void": VoidSchema,
    "extend": ExtendSchema,
    "refer": ReferSchema,
    "chase": ChaseSchema,
    "feedback": FeedbackSchema,
    "relapse": RelapseSchema,
    "reassign": ReassignSchema,
    "undo": UndoSchema,
}
