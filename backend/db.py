"""Database access: one engine a process, one transaction a request or job, row level security in each.

Every tenant table is guarded by the policy ``community_id = ANY(app.communities)``. The setting is made with
``set_config(…, is_local => true)`` inside the transaction, so a pooled connection never carries one tenant's access
into the next request.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, create_engine, event, text
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import UserDefinedType

from backend import arrays

NIL_ID = UUID(int=0)
#: Built once; every transaction runs it.
SET_ACCESS = text("SELECT set_config('app.communities', :c, true), set_config('app.account', :a, true)")


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        }
    )


class Ltree(UserDefinedType[str]):
    """PostgreSQL's ``ltree``: a dotted path of labels."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "LTREE"


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


class Database:
    """The process's connection pool and the only opener of transactions."""

    def __init__(self, url: str, *, pool_size: int = 16, application_name: str = "saolou") -> None:
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={"application_name": application_name},
        )
        event.listen(self.engine, "connect", lambda connection, _: arrays.register(connection))

    @contextmanager
    def transaction(
        self,
        communities: Iterable[UUID] = (),
        account_id: UUID | None = None,
        *,
        isolation: str | None = None,
    ) -> Iterator[Session]:
        """One transaction that sees ``communities``; commits on success, then runs its after-commit calls.

        ``isolation`` (``"REPEATABLE READ"``: all statements see one snapshot) is this transaction's only.
        """
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            with session.begin():
                if isolation:
                    session.connection(execution_options={"isolation_level": isolation})
                if communities or account_id:
                    set_access(session, communities, account_id)
                yield session
            run_after_commit(session)

    def dispose(self) -> None:
        """Close all pooled connections (a forked child must not share them)."""
        self.engine.dispose()


def set_access(session: Session, communities: Iterable[UUID], account_id: UUID | None = None) -> None:
    """Let the running transaction see the rows of ``communities`` (and an account its own memberships)."""
    session.execute(
        SET_ACCESS,
        {"c": "{" + ",".join(str(c) for c in communities) + "}", "a": str(account_id or "")},
    )


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Run ``call`` once the transaction is durable; dropped when it rolls back."""
    session.info.setdefault("after_commit", []).append(call)


def run_after_commit(session: Session) -> None:
    """Run and forget the calls queued by :func:`after_commit`."""
    for call in session.info.pop("after_commit", []):
        call()
