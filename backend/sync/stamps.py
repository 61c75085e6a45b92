"""What every answer to a phone carries: epoch, server time, and an anchor when the request told its clock."""

from typing import Any
from uuid import UUID

from backend.http.context import RequestContext
from backend.sync.epoch import ServerFacts
from backend.sync.taking import anchor_key
from mobile_contract.sync.clock import make_anchor
from mobile_contract.version import MIN_SCHEMA


def is_own(ctx: RequestContext, body: dict[str, Any]) -> bool:
    """Whether ``body`` names the token's own installation."""
    return ctx.actor.install_id == UUID(body["install_id"])


def stamp(ctx: RequestContext, body: dict[str, Any], facts: ServerFacts, now_ms: int) -> dict[str, Any]:
    """The stamp of an answer to ``body`` (which holds ``install_id`` and perhaps ``clock``)."""
    clock = body.get("clock")
    anchor = None
    # Only for the installation that proved itself: a signature for another one would date its records.
    if clock is not None and is_own(ctx, body):
        key = anchor_key(ctx.settings.secret_key)
        signed = make_anchor(key, body["install_id"], clock["boot_id"], now_ms, clock["elapsed_ms"])
        anchor = signed.wire()
    return {"server_epoch": facts.epoch, "server_time_ms": now_ms, "anchor": anchor}


def safety(facts: ServerFacts, offset_ms: int) -> dict[str, Any]:
    """``safe_through_ms`` as the community's clock tells it, and ``min_schema``."""
    safe = facts.safe_through_ms
    return {"safe_through_ms": max(0, safe + offset_ms) if safe else 0, "min_schema": MIN_SCHEMA}
