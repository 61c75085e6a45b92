"""A password that somebody forgot, without e-mail: an administrator's one-time code, told in person.

The code opens nothing. All it can do, once and within a day, is set a new password, so that whoever handed it out never
knows the password, and every other log-in ends. Five wrong tries spend it.
"""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend import clock
from backend.errors import Unauthenticated
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.models import Account, PasswordCode
from backend.identity.passwords import hash_password, verify_password
from backend.identity.queries import list_own_memberships
from backend.identity.service import find_account
from backend.identity.tokens import revoke_tokens

LIVES_MS: Final = clock.DAY_MS
MOST_FAILURES: Final = 5
#: Without letters that are taken for digits. 50 random bits.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH: Final = 10


class CodeWrong(Unauthenticated):
    """Unknown name, wrong, spent or expired code: nobody learns which. Answered, not raised: the count must commit."""


add_messages(
    {
        "code_wrong": (
            "登录名或一次性密码重置码不正确，或已失效。请向管理员重新索取。",
            "The log-in name or the one-time code is not right, or no longer valid. Ask the administrator for another.",
        )
    }
)


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """The code as it is told, once, and until when it works (epoch milliseconds)."""

    text: str
    expires_ms: int


def issue_code(session: Session, account_id: UUID, issued_by: UUID | None) -> IssuedCode:
    """A new code for the account, instead of any earlier one. The caller checks and writes the audit trail."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    expires_ms = clock.now_ms() + LIVES_MS
    values = {
        "hash": hash_password("", code),
        "issued_by": issued_by,
        "issued_at": clock.utc(clock.now_ms()),
        "expires_at": clock.utc(expires_ms),
        "failures": 0,
    }
    fresh = upsert(PasswordCode).values(account_id=account_id, **values)
    session.execute(fresh.on_conflict_do_update(index_elements=[PasswordCode.account_id], set_=values))
    return IssuedCode(f"{code[:5]}-{code[5:]}", expires_ms)


def use_code(session: Session, login: str, code: str, password: str) -> CodeWrong | None:
    """Set ``password`` for whoever has the code; CodeWrong is to be answered.

    PasswordTooWeak leaves the code usable.
    """
    account = find_account(session, login)
    held = None if account is None else _lock(session, account.id)
    usable = held is not None and held.failures < MOST_FAILURES and held.expires_at > clock.utc(clock.now_ms())
    if not verify_password(held.hash if held and usable else None, normal_code(code)) or account is None:
        if held is not None:
            _count_failure(session, held.account_id)
        return CodeWrong()
    session.execute(
        update(Account)
        .where(Account.id == account.id)
        .values(password_hash=hash_password(account.login, password))
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(PasswordCode).where(PasswordCode.account_id == account.id))
    revoke_tokens(session, account.id)
    note(session, account, "password_set_by_code")
    return None


def note(session: Session, account: Account, action: str) -> None:
    """An event about an account, in the trail of every community it serves."""
    serves = {m.community_id: m.clock_offset_ms for m in list_own_memberships(session, account.id)}
    for community_id in sorted(serves):
        at_ms = clock.now_ms(serves[community_id])
        audit(session, community_id, action, f"account:{account.id}", account_id=account.id, at_ms=at_ms)


def normal_code(code: str) -> str:
    """As it was made, however it was typed."""
    return "".join(c for c in code.upper() if c.isalnum())


def _lock(session: Session, account_id: UUID) -> PasswordCode | None:
    return session.scalar(select(PasswordCode).where(PasswordCode.account_id == account_id).with_for_update())


def _count_failure(session: Session, account_id: UUID) -> None:
    session.execute(
        update(PasswordCode)
        .where(PasswordCode.account_id == account_id)
        .values(failures=PasswordCode.failures + 1)
        .execution_options(synchronize_session=False)
    )
