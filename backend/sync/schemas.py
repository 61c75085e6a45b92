"""Shapes of the office's API of records and the quarantine."""

from marshmallow import Schema, fields, validate

from backend.http.fields import line, prose
from backend.http.paging import PageQuery
from backend.sync.quarantine import ACCEPTED, DISMISSED, ERASED, HELD
from mobile_contract.sync.messages import MAX_BYTES, ProblemSchema, PushResultSchema


class QuarantineQuery(PageQuery):
    """Narrows the list; ``state`` is held unless another is named."""

    state = fields.Str(load_default=HELD, validate=validate.OneOf([HELD, ACCEPTED, DISMISSED, ERASED]))
    code = line(64, load_default=None, allow_none=True)
    install_id = fields.UUID(load_default=None, allow_none=True)
    record_id = fields.UUID(load_default=None, allow_none=True)


class QuarantineItemSchema(Schema):
    """Bytes that are not in force. ``sha256`` is that of the payload where one could be told, else of the bytes.

    ``superseded``: since then the phone itself brought a record under this id that could be stored.
    """

    id = fields.UUID(required=True)
    record_id = fields.UUID(required=True, allow_none=True)
    record_type = fields.Str(required=True, allow_none=True)
    install_id = fields.UUID(required=True, allow_none=True)
    account_id = fields.UUID(required=True, allow_none=True)
    sha256 = fields.Str(required=True)
    bytes = fields.Int(required=True)
    code = fields.Str(required=True)
    errors = fields.List(fields.Nested(ProblemSchema), required=True)
    state = fields.Str(required=True, metadata={"enum": [HELD, ACCEPTED, DISMISSED, ERASED]})
    superseded = fields.Bool(required=True)
    received_ms = fields.Int(required=True)


class QuarantineDetailSchema(QuarantineItemSchema):
    """With the bytes as they came: ``raw_base64`` always, ``raw_text`` when they are UTF-8, ``payload`` when they are
    a record whose payload can be read. All null unless a reason was given,
    and once lawfully erased."""

    raw_base64 = fields.Str(required=True, allow_none=True)
    raw_text = fields.Str(required=True, allow_none=True)
    payload = fields.Str(required=True, allow_none=True)


class DismissSchema(Schema):
    """Why nothing more will be done about it."""

    reason = prose(500, required=True)


class RepairSchema(Schema):
    """The payload to store instead, and why it may be. ``type`` only where the bytes do not tell.

    ``record_id`` where the bytes do not tell, or a new one where other bytes are stored under theirs (``id_reused``).
    """

    payload = fields.Str(required=True, validate=validate.Length(2, MAX_BYTES))
    reason = prose(500, required=True)
    record_id = fields.UUID(load_default=None, allow_none=True)
    type = line(64, load_default=None, allow_none=True)


class MendedSchema(PushResultSchema):
    """What became of it, as a push would tell."""


class ReferenceSchema(Schema):
    """Something a record waits for."""

    ref_type = fields.Str(required=True, metadata={"enum": ["place", "record", "form"]})
    ref_id = fields.Str(required=True)


class EffectReasonSchema(Schema):
    """Why a record, or one block of it, takes no effect; ``path`` is a JSON pointer as in the answer to a push."""

    code = fields.Str(required=True)
    path = fields.Str(required=True)
    zh = fields.Str(required=True)
    en = fields.Str(required=True)


class EffectSchema(Schema):
    """What a record does now. ``replaced_by``: the correction whose content counts instead; ``voided``: its root is."""

    in_force = fields.Bool(required=True)
    replaced_by = fields.UUID(required=True, allow_none=True)
    voided = fields.Bool(required=True)
    reasons = fields.List(fields.Nested(EffectReasonSchema), required=True)


class ArchivedRecordSchema(Schema):
    """A record as the server holds it. ``payload`` is null for readers who may not see it, and once erased."""

    id = fields.UUID(required=True)
    type = fields.Str(required=True)
    status = fields.Str(required=True, metadata={"enum": ["stored", "erased"]})
    sha256 = fields.Str(required=True)
    effective_ms = fields.Int(required=True)
    time_quality = fields.Str(required=True)
    in_future = fields.Bool(required=True)
    received_ms = fields.Int(required=True)
    install_id = fields.UUID(required=True)
    author_id = fields.UUID(required=True)
    actor_role = fields.Str(required=True, allow_none=True)
    seq = fields.Int(required=True)
    place_id = fields.UUID(required=True, allow_none=True)
    root_id = fields.UUID(required=True, allow_none=True)
    root_op = fields.Str(required=True, allow_none=True)
    repaired_from = fields.UUID(required=True, allow_none=True)
    waiting_on = fields.List(fields.Nested(ReferenceSchema), required=True)
    effect = fields.Nested(EffectSchema, required=True)
    payload = fields.Str(required=True, allow_none=True)


class WaitingItemSchema(ReferenceSchema):
    """A stored record that waits for something unknown."""

    record_id = fields.UUID(required=True)
    type = fields.Str(required=True)
    author_id = fields.UUID(required=True)
    place_id = fields.UUID(required=True, allow_none=True)
    effective_ms = fields.Int(required=True)
    since_ms = fields.Int(required=True)


class SummarySchema(Schema):
    """How much there is. ``quarantined`` are held to be dealt with; ``dismissed`` are kept, nothing is to be done."""

    records = fields.Int(required=True)
    by_type = fields.Dict(keys=fields.Str(), values=fields.Int(), required=True)
    quarantined = fields.Int(required=True)
    dismissed = fields.Int(required=True)
    waiting = fields.Int(required=True)
