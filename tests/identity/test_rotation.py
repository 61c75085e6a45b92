"""Rotation against a model, under any order of lost answers, replays and uses; with broken rotations it must catch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.db import Database
from backend.identity import tokens
from backend.identity.authentication import authenticate
from backend.identity.models import Token
from backend.identity.tokens import RefreshReused, SignedIn, TokenUnknown
from tests.factories.identity import AccountFixture, make_account, make_community

MOVES = st.lists(st.tuples(st.sampled_from(["refresh", "use", "log_out"]), st.integers(0, 5)), min_size=1, max_size=14)
LOST_ANSWER = [("refresh", 0), ("refresh", 2), ("use", 0)]
STOLEN = [("refresh", 0), ("use", 0), ("refresh", 2), ("use", 0)]
CHAIN = [("refresh", 0), ("refresh", 0), ("refresh", 4)]


@dataclass
class Family:
    """What a family should be: pairs by generation, the newest generation that was used, whether it is over."""

    pairs: list[tuple[int, SignedIn]] = field(default_factory=list)
    used: int = 0
    over: bool = False


class Walk:
    """Plays moves on one account's installation and checks each answer against the model."""

    def __init__(self, db: Database, account: AccountFixture) -> None:
        self.db, self.account, self.install_id = db, account, uuid4()
        self.families: list[Family] = []
        self.log_in()
        self.log_in()

    def pick(self, number: int) -> tuple[Family, int, SignedIn]:
        family = self.families[number % len(self.families)]
        generation, pair = family.pairs[-1 - number // len(self.families) % len(family.pairs)]
        return family, generation, pair

    def log_in(self) -> None:
        with self.db.transaction() as session:
            pair = tokens.log_in(session, self.account.login, self.account.password, self.install_id, None)
        self.families.append(Family([(1, pair)]))

    def log_out(self, number: int) -> None:
        family, _, pair = self.pick(number)
        with self.db.transaction() as session:
            tokens.log_out(session, pair.refresh_token, self.install_id)
        family.over = True

    def use(self, number: int) -> None:
        family, generation, pair = self.pick(number)
        admitted = self.attempt(lambda s: authenticate(s, pair.access_token, None)) is not None
        assert admitted is not family.over
        if admitted:
            family.used = max(family.used, generation)

    def refresh(self, number: int) -> None:
        family, generation, pair = self.pick(number)
        answer = self.attempt(lambda s: tokens.refresh(s, pair.refresh_token, self.install_id))
        if generation < family.used:
            assert isinstance(answer, RefreshReused)
            family.over = True
        elif family.over:
            assert answer is None
        else:
            assert isinstance(answer, SignedIn)
            family.used = max(family.used, generation)
            family.pairs.append((generation + 1, answer))

    def attempt(self, call: Callable[..., Any]) -> Any:
        try:
            with self.db.transaction() as session:
                return call(session)
        except TokenUnknown:
            return None


def check_rotation(db: Database) -> None:
    account = make_account(db, make_community(db))

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @example(LOST_ANSWER)
    @example(STOLEN)
    @example(CHAIN)
    @given(MOVES)
    def walk(moves: list[tuple[str, int]]) -> None:
        player = Walk(db, account)
        for move, number in moves:
            getattr(player, move)(number)

    walk()


def test_rotation_follows_the_model(db: Database) -> None:
    check_rotation(db)


def spent_as_soon_as_refreshed(session: Any, token: Any) -> bool:
    """The classic mistake: a lost answer logs the phone out."""
    later = select(Token.hash).where(Token.family == token.family, Token.generation > token.generation)
    return session.scalars(later.limit(1)).first() is not None


BROKEN = {
    "a lost answer logs out": ("_is_spent", spent_as_soon_as_refreshed),
    "a stolen token lives on": ("_is_spent", lambda session, token: False),
    "reuse revokes nothing": ("_revoke", lambda session, which, now_ms: None),
    "use of the new pair is forgotten": ("mark_used", lambda session, family, generation, now_ms: None),
}


@pytest.mark.parametrize("bug", BROKEN)
def test_check_finds_a_broken_rotation(db: Database, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    name, broken = BROKEN[bug]
    monkeypatch.setattr(tokens, name, broken)
    with pytest.raises(AssertionError):
        check_rotation(db)
