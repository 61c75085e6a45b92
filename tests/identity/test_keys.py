"""The sealed archive: nothing opens that was tampered with, swapped, another community's, or erased."""

import dataclasses
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from backend.db import Database
from backend.identity.keys import Keyring, Sealed, Sealer
from backend.identity.models import CommunityKey
from backend.inspections.models import RecordKey
from tests.factories.identity import SECRET_KEY, make_community

ROW, OTHER = uuid4(), uuid4()
PLAIN = "槐荫路8号2单元301，石小满".encode()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(SECRET_KEY)


@pytest.fixture
def community_id(db: Database) -> UUID:
    return make_community(db)


def sealer_of(db: Database, keyring: Keyring, community_id: UUID) -> Sealer:
    with db.transaction([community_id]) as session:
        return keyring.sealer(session, community_id)


def test_open_gives_back_what_was_sealed(db: Database, keyring: Keyring, community_id: UUID) -> None:
    sealer = sealer_of(db, keyring, community_id)
    sealed = sealer.seal(ROW, PLAIN)
    assert PLAIN not in sealed.body
    assert sealer.open(ROW, sealed) == PLAIN
    assert sealer_of(db, Keyring(SECRET_KEY), community_id).open(ROW, sealed) == PLAIN


def test_seal_twice_gives_different_keys_and_bytes(db: Database, keyring: Keyring, community_id: UUID) -> None:
    sealer = sealer_of(db, keyring, community_id)
    first, second = sealer.seal(ROW, PLAIN), sealer.seal(ROW, PLAIN)
    assert first.body != second.body
    assert first.wrapped != second.wrapped
    with pytest.raises(InvalidTag):
        sealer.open(ROW, dataclasses.replace(first, wrapped=second.wrapped))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_open_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    sealer = Sealer(ROW, {1: b"c" * 32}, b"l" * 32)
    sealed = sealer.seal(ROW, PLAIN)
    part = data.draw(st.sampled_from(["body", "wrapped"]))
    spoilt = bytearray(getattr(sealed, part))
    at = data.draw(st.integers(0, len(spoilt) * 8 - 1))
    spoilt[at // 8] ^= 1 << at % 8
    with pytest.raises(InvalidTag):
        sealer.open(ROW, dataclasses.replace(sealed, **{part: bytes(spoilt)}))


def test_open_in_another_row_or_community_is_refused(db: Database, keyring: Keyring, community_id: UUID) -> None:
    sealer = sealer_of(db, keyring, community_id)
    sealed = sealer.seal(ROW, PLAIN)
    with pytest.raises(InvalidTag):
        sealer.open(OTHER, sealed)
    with pytest.raises(InvalidTag):
        sealer_of(db, keyring, make_community(db)).open(ROW, sealed)
    same_key_elsewhere = Sealer(make_community(db), {1: b"c" * 32}, b"l" * 32)
    with pytest.raises(InvalidTag):
        same_key_elsewhere.open(ROW, Sealer(community_id, {1: b"c" * 32}, b"l" * 32).seal(ROW, PLAIN))


def test_load_with_another_secret_is_refused(db: Database, community_id: UUID) -> None:
    with pytest.raises(InvalidTag):
        sealer_of(db, Keyring(b"x" * 32), community_id)


def test_load_key_moved_from_another_community_is_refused(db: Database, keyring: Keyring, community_id: UUID) -> None:
    other = make_community(db)
    with db.transaction([community_id, other]) as session:
        keyring.rotate(session, other)
    with db.transaction([community_id, other]) as session:
        stolen = session.scalar(select(CommunityKey.wrapped).where(CommunityKey.community_id == other).limit(1))
        session.execute(insert(CommunityKey).values(community_id=community_id, version=9, wrapped=stolen))
    with pytest.raises(InvalidTag):
        sealer_of(db, Keyring(SECRET_KEY), community_id)


def test_rotate_seals_anew_and_still_opens_the_old(db: Database, keyring: Keyring, community_id: UUID) -> None:
    old = sealer_of(db, keyring, community_id)
    before = old.seal(ROW, PLAIN)
    with db.transaction([community_id]) as session:
        assert keyring.rotate(session, community_id) == 2
    sealer = sealer_of(db, keyring, community_id)
    after = sealer.seal(OTHER, PLAIN)
    assert (before.key_version, after.key_version) == (1, 2)
    assert sealer.open(ROW, before) == sealer.open(OTHER, after) == PLAIN
    version, wrapped = sealer.rewrap(ROW, before.key_version, before.wrapped)
    assert version == 2
    assert sealer.open(ROW, Sealed(before.body, version, wrapped)) == PLAIN
    with pytest.raises(KeyError):
        old.open(OTHER, after)


def test_rotate_in_another_process_is_seen_at_once(db: Database, keyring: Keyring, community_id: UUID) -> None:
    sealer_of(db, keyring, community_id)
    elsewhere = Keyring(SECRET_KEY)
    with db.transaction([community_id]) as session:
        elsewhere.rotate(session, community_id)
    sealed = sealer_of(db, elsewhere, community_id).seal(ROW, PLAIN)
    with db.transaction([community_id]) as session:
        assert keyring.sealer(session, community_id).open(ROW, sealed) == PLAIN


def test_erase_the_key_and_nothing_opens_the_row(db: Database, keyring: Keyring, community_id: UUID) -> None:
    sealer = sealer_of(db, keyring, community_id)
    sealed, neighbour = sealer.seal(ROW, PLAIN), sealer.seal(OTHER, PLAIN)
    with db.transaction([community_id]) as session:
        for row_id, kept in ((ROW, sealed), (OTHER, neighbour)):
            session.execute(
                insert(RecordKey).values(
                    community_id=community_id, record_id=row_id, key_version=kept.key_version, wrapped=kept.wrapped
                )
            )
    with db.transaction([community_id]) as session:
        session.execute(delete(RecordKey).where(RecordKey.record_id == ROW))
    with db.transaction([community_id]) as session:
        left = session.scalars(select(RecordKey).where(RecordKey.community_id == community_id)).all()
    assert [k.record_id for k in left] == [OTHER]
    assert sealer.open(OTHER, Sealed(neighbour.body, left[0].key_version, left[0].wrapped)) == PLAIN
    with pytest.raises(InvalidTag):
        sealer.open(ROW, Sealed(sealed.body, left[0].key_version, left[0].wrapped))


def test_keyed_hash_is_the_communitys_own(db: Database, keyring: Keyring, community_id: UUID) -> None:
    mine, theirs = sealer_of(db, keyring, community_id), sealer_of(db, keyring, make_community(db))
    assert mine.keyed_hash("13800000000") == mine.keyed_hash("13800000000")
    assert mine.keyed_hash("13800000000") != mine.keyed_hash("13800000001")
    assert mine.keyed_hash("13800000000") != theirs.keyed_hash("13800000000")
