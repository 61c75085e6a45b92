"""Shapes of the ledger's API."""

from marshmallow import Schema, fields, validate

from backend.clock import LATEST_MS
from backend.http.schemas import ProgressSchema


class ExportRequestSchema(Schema):
    """Which lines: registered in ``[from_ms, to_ms)`` (null: any time), and only those still open if ``open_only``."""

    from_ms = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, LATEST_MS))
    to_ms = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, LATEST_MS))
    open_only = fields.Boolean(load_default=False)


class ExportSchema(Schema):
    """An export. ``state``: queued, ready. ``progress`` says how far it is; rows, size and SHA-256 are there once it is
    ready. It is kept for a week."""

    id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("queued", "ready")))
    requested = fields.String(required=True)
    rows = fields.Integer(required=True, allow_none=True)
    size = fields.Integer(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    progress = fields.Nested(ProgressSchema, required=True, allow_none=True)


class DifferenceSchema(Schema):
    """A cell that says something else in the file; the ledger's own word stays."""

    number = fields.String(required=True)
    column = fields.String(required=True)
    ledger = fields.String(required=True)
    file = fields.String(required=True)


class LedgerReportSchema(Schema):
    """What an import did, or would do. ``kept``: lines whose remarks were taken in; ``strange``: numbers that are none
    of this ledger within reach of the caller. Both lists name the first 500."""

    lines = fields.Integer(required=True)
    same = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    strange = fields.List(fields.String(), required=True)
    strange_total = fields.Integer(required=True)
    differences = fields.List(fields.Nested(DifferenceSchema), required=True)
    differences_total = fields.Integer(required=True)
