"""Wire schemas of the phone protocol (marshmallow 4). What they mean is in PROTOCOL.md.

Unknown fields are ignored everywhere, so that new apps can talk to old servers. `records` of a push
are documented by `RecordSchema` but read by `envelope.read_push`: one wrong record must be
quarantined alone, so it may not fail the schema of the whole push.
"""

from marshmallow import EXCLUDE, Schema, fields, validate

from mobile_contract.sync.fields import Sha256Hex, WireInt, WireUUID
from mobile_contract.sync.outcomes import RecordOutcome, TimeQuality

RECORD_TYPES = ("visit", "place_proposal", "task_step")
MAX_RECORDS = 500
MAX_BYTES = 4 * 1024 * 1024
"""Limit of a push body after decompression."""
MAX_RECONCILE_IDS = 2000
MAX_PULL_ROWS = 2000


class WireSchema(Schema):
    """Root of all wire schemas: unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE


class ClockSchema(WireSchema):
    """The phone's clocks at the moment of sending."""

    wall_ms = WireInt(required=True)
    elapsed_ms = WireInt(required=True)
    boot_id = fields.String(required=True, validate=validate.Length(1, 64))


class AnchorSchema(WireSchema):
    """A signed pair of clock readings, given by the server."""

    server_ms = WireInt(required=True)
    elapsed_ms = WireInt(required=True)
    boot_id = fields.String(required=True, validate=validate.Length(1, 64))
    mac = fields.String(required=True, validate=validate.Length(1, 128))


class RecordSchema(WireSchema):
    """One record. `payload` is JSON text, frozen at creation; its exact UTF-8 bytes are hashed."""

    id = WireUUID(required=True)
    type = fields.String(required=True, metadata={"enum": list(RECORD_TYPES)})
    schema_version = WireInt(required=True)
    sha256 = Sha256Hex(required=True)
    payload = fields.String(required=True)
    anchor = fields.Nested(AnchorSchema, load_default=None, allow_none=True)


class PushHeadSchema(WireSchema):
    """A push without its records: what must be right for the body to be accepted at all."""

    push_id = WireUUID(required=True)
    install_id = WireUUID(required=True)
    community_id = WireUUID(load_default=None, allow_none=True)
    app_version = fields.String(load_default=None, allow_none=True)
    server_epoch = fields.String(load_default=None, allow_none=True)
    clock = fields.Nested(ClockSchema, load_default=None, allow_none=True)


class PushSchema(PushHeadSchema):
    """A push, for documentation and for clients."""

    records = fields.List(fields.Nested(RecordSchema), required=True, validate=validate.Length(max=MAX_RECORDS))


class ProblemSchema(WireSchema):
    """One reason; `path` is a JSON pointer into the record, "" is the record itself."""

    path = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class PushResultSchema(WireSchema):
    """What became of one record."""

    id = WireUUID(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"enum": [status.value for status in RecordOutcome]})
    effective_at_ms = WireInt(required=True, allow_none=True)
    time_quality = fields.String(
        required=True, allow_none=True, metadata={"enum": [*(quality.value for quality in TimeQuality), None]}
    )
    quarantine_id = WireUUID(required=True, allow_none=True)
    errors = fields.List(fields.Nested(ProblemSchema), required=True)
    missing_attachments = fields.List(WireUUID(), required=True)


class ServerStampSchema(WireSchema):
    """In every answer. `anchor` is there when the request carried `clock`."""

    server_epoch = fields.String(required=True)
    server_time_ms = WireInt(required=True)
    anchor = fields.Nested(AnchorSchema, load_default=None, allow_none=True)


class PushAnswerSchema(ServerStampSchema):
    """Answer to a push: one result per record, in order."""

    safe_through_ms = WireInt(required=True)
    min_schema = WireInt(required=True)
    results = fields.List(fields.Nested(PushResultSchema), required=True)


class ClockRequestSchema(WireSchema):
    """Asks for an anchor."""

    install_id = WireUUID(required=True)
    community_id = WireUUID(load_default=None, allow_none=True)
    clock = fields.Nested(ClockSchema, required=True)


class ClockAnswerSchema(ServerStampSchema):
    """An anchor and nothing else."""


class ScopeRequestSchema(WireSchema):
    """A scope the phone holds, with its last cursor (null at first)."""

    id = fields.String(required=True, validate=validate.Length(1, 100))
    cursor = fields.String(load_default=None, allow_none=True)


class PullSchema(WireSchema):
    """Request for changes of some scopes; an empty list asks which scopes there are."""

    install_id = WireUUID(required=True)
    community_id = WireUUID(load_default=None, allow_none=True)
    schema_version = WireInt(required=True)
    server_epoch = fields.String(load_default=None, allow_none=True)
    limit = WireInt(load_default=500, validate=validate.Range(1, MAX_PULL_ROWS))
    scopes = fields.List(fields.Nested(ScopeRequestSchema), required=True, validate=validate.Length(max=500))
    clock = fields.Nested(ClockSchema, load_default=None, allow_none=True)


class ChangeSchema(WireSchema):
    """One row of the feed. `data` is null for `del`."""

    entity = fields.String(required=True)
    id = fields.String(required=True)
    op = fields.String(required=True, metadata={"enum": ["put", "del"]})
    rev = WireInt(required=True)
    data = fields.Dict(keys=fields.String(), required=True, allow_none=True)


class ScopeAnswerSchema(WireSchema):
    """Changes of one scope."""

    id = fields.String(required=True)
    reset = fields.Boolean(required=True)
    cursor = fields.String(required=True)
    has_more = fields.Boolean(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)


class PullAnswerSchema(ServerStampSchema):
    """Changes of all asked scopes that are allowed."""

    safe_through_ms = WireInt(required=True)
    min_schema = WireInt(required=True)
    allowed_scopes = fields.List(fields.String(), required=True)
    scopes = fields.List(fields.Nested(ScopeAnswerSchema), required=True)


class ReconcileSchema(WireSchema):
    """Ids the phone believes to be on the server."""

    install_id = WireUUID(required=True)
    community_id = WireUUID(load_default=None, allow_none=True)
    ids = fields.List(WireUUID(), required=True, validate=validate.Length(max=MAX_RECONCILE_IDS))
    attachment_ids = fields.List(WireUUID(), load_default=list, validate=validate.Length(max=MAX_RECONCILE_IDS))
    clock = fields.Nested(ClockSchema, load_default=None, allow_none=True)


class RefusedAttachmentSchema(WireSchema):
    """A file that will never be taken; `code` says why."""

    id = WireUUID(required=True)
    code = fields.String(required=True)


class ReconcileAnswerSchema(ServerStampSchema):
    """Of the asked ids: those neither stored nor quarantined; those in quarantine; files not here; files refused."""

    safe_through_ms = WireInt(required=True)
    min_schema = WireInt(required=True)
    missing = fields.List(WireUUID(), required=True)
    quarantined = fields.List(WireUUID(), required=True)
    missing_attachments = fields.List(WireUUID(), required=True)
    refused_attachments = fields.List(fields.Nested(RefusedAttachmentSchema), required=True)


class LoginSchema(WireSchema):
    """Log in on one installation."""

    username = fields.String(required=True, validate=validate.Length(1, 200))
    password = fields.String(required=True, load_only=True, validate=validate.Length(1, 1000))
    install_id = WireUUID(required=True)
    device_name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class RefreshSchema(WireSchema):
    """Exchange a refresh token; only from the installation it was given to."""

    refresh_token = fields.String(required=True, validate=validate.Length(1, 500))
    install_id = WireUUID(required=True)


class LogoutSchema(WireSchema):
    """End the login. The app itself refuses while its outbox is not empty."""

    refresh_token = fields.String(required=True, validate=validate.Length(1, 500))
    install_id = WireUUID(required=True)


class MembershipSchema(WireSchema):
    """A role of the account in one community, with the place its scope hangs on."""

    community_id = WireUUID(required=True)
    community_name = fields.String(required=True)
    role = fields.String(required=True)
    place_id = WireUUID(required=True, allow_none=True)


class TokenAnswerSchema(WireSchema):
    """A pair of tokens."""

    access_token = fields.String(required=True)
    access_expires_ms = WireInt(required=True)
    refresh_token = fields.String(required=True)
    refresh_expires_ms = WireInt(required=True)
    account_id = WireUUID(required=True)
    name = fields.String(required=True)
    memberships = fields.List(fields.Nested(MembershipSchema), required=True)
    server_time_ms = WireInt(required=True)
