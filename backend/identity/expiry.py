"""Tokens that are over."""

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from backend.identity.models import Token


def purge_expired_tokens(session: Session) -> int:
    """Delete the tokens that nobody can use any more; returns how many."""
    return len(session.execute(delete(Token).where(Token.expires_at < func.now()).returning(Token.hash)).all())
