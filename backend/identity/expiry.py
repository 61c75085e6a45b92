"""Tokens that are over."""

from sqlalchemy import delete, exists, or_
from sqlalchemy.orm import Session, aliased

from backend import clock
from backend.identity.models import Token
from backend.identity.tokens import REFRESH_MS


def purge_expired_tokens(session: Session) -> int:
    """Delete the tokens that nobody can use any more; returns how many.

    The expired access token of a phone that was offline stays while the phone may still refresh: it must be told
    ``token_expired`` and not ``token_unknown``. It goes once the phone has used a later one.
    """
    now = clock.now_ms()
    later = aliased(Token)
    moved_on = exists().where(
        later.family == Token.family,
        later.generation > Token.generation,
        later.first_used_at.is_not(None),
    )
    over = Token.expires_at < clock.utc(now)
    useless = or_(Token.kind == "refresh", moved_on, Token.expires_at < clock.utc(now - REFRESH_MS))
    return len(session.execute(delete(Token).where(over, useless).returning(Token.hash)).all())
