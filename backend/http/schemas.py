"""Shapes that several features answer with."""

from marshmallow import Schema, fields, validate


class ProgressSchema(Schema):
    """How far a job is. ``state``: waiting, running, done, failed. ``done`` of ``total`` (null: not known yet) within
    ``stage``."""

    state = fields.String(required=True, validate=validate.OneOf(("waiting", "running", "done", "failed")))
    stage = fields.String(required=True, allow_none=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True, allow_none=True)
