"""Shapes of the office API: accounts, roles, devices."""

from marshmallow import Schema, fields, validate

from backend.http.fields import line, matching
from backend.identity.looking import REASONS, REFERENCE
from backend.identity.passwords import MAX_LENGTH
from backend.identity.permissions import ROLES
from mobile_contract.sync.fields import WireInt


def _password() -> fields.String:
    return fields.String(required=True, load_only=True, validate=validate.Length(1, MAX_LENGTH))


class RoleSchema(Schema):
    """A role over a place and all below it; null: the whole community."""

    id = fields.UUID(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    place_id = fields.UUID(required=True, allow_none=True)


class OwnRoleSchema(RoleSchema):
    """A role of the caller, in any community."""

    community_id = fields.UUID(required=True)
    community_name = fields.String(required=True)


class CommunitySchema(Schema):
    """A community the caller serves."""

    community_id = fields.UUID(required=True)
    community_name = fields.String(required=True)
    community_short_name = fields.String(required=True)


class CommunitiesSchema(Schema):
    """All communities the caller serves."""

    items = fields.List(fields.Nested(CommunitySchema), required=True)


class MeSchema(Schema):
    """The caller: account, active community (null when it must be named), what it may do there, all its roles."""

    account_id = fields.UUID(required=True)
    login = fields.String(required=True)
    name = fields.String(required=True)
    community_id = fields.UUID(required=True, allow_none=True)
    role = fields.String(required=True, allow_none=True)
    permissions = fields.List(fields.String(), required=True)
    memberships = fields.List(fields.Nested(OwnRoleSchema), required=True)


class PasswordChangeSchema(Schema):
    """The caller's own password."""

    current_password = _password()
    new_password = _password()


class PasswordResetSchema(Schema):
    """A new password for another account."""

    new_password = _password()


class AccountSchema(Schema):
    """An account with its roles in the active community."""

    id = fields.UUID(required=True)
    login = fields.String(required=True)
    name = fields.String(required=True)
    disabled = fields.Boolean(required=True)
    memberships = fields.List(fields.Nested(RoleSchema), required=True)


class PasswordCodeSchema(Schema):
    """A one-time code, shown once."""

    code = fields.String(required=True, attribute="text")
    expires_ms = WireInt(required=True)


class InvitedSchema(AccountSchema):
    """A new account; ``password_code`` null when it was given a password."""

    password_code = fields.Nested(PasswordCodeSchema, required=True, allow_none=True)


class CodeUseSchema(Schema):
    """A new password by a one-time code."""

    username = line(200, required=True)
    code = line(50, required=True, load_only=True)
    new_password = _password()


class InvitationSchema(Schema):
    """A new account with its first role. Without a password its owner chooses one by a one-time code."""

    login = line(200, required=True)
    name = line(200, required=True)
    password = fields.String(
        load_default=None, allow_none=True, load_only=True, validate=validate.Length(1, MAX_LENGTH)
    )
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    place_id = fields.UUID(load_default=None, allow_none=True)


class GrantSchema(Schema):
    """A further role for an account."""

    account_id = fields.UUID(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    place_id = fields.UUID(load_default=None, allow_none=True)


class DeviceSchema(Schema):
    """An installation and an account that signed in there; ``revoked_at`` is that account's there."""

    install_id = fields.UUID(required=True)
    name = fields.String(required=True, allow_none=True)
    app_version = fields.String(required=True, allow_none=True)
    account_id = fields.UUID(required=True)
    account_name = fields.String(required=True)
    first_seen_at = fields.AwareDateTime(required=True)
    last_seen_at = fields.AwareDateTime(required=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)


class LookReasonSchema(Schema):
    """Why persons are looked at, by code, and the file it belongs to."""

    reason = fields.String(required=True, validate=validate.OneOf(REASONS))
    reference = matching(REFERENCE, load_default=None, allow_none=True)


class LookQuery(LookReasonSchema):
    """Why persons are to be shown in full; without a reason they are not."""

    reason = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(REASONS))
