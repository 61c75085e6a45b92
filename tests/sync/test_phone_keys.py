"""Data keys of phones: opened for those who work on the phone, and for nobody else."""

import os
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from backend.identity.models import AuditEvent
from tests.factories.identity import make_community
from tests.factories.phones import Phone
from tests.sync.conftest import World

KEY = bytes(range(32))
P256 = ec.SECP256R1()


def public_key(world: World, phone: Phone) -> bytes:
    answer = phone.call(
        "data-key/public", {"install_id": str(phone.install_id), "community_id": str(world.community_id)}
    )
    assert answer.status_code == 200, answer.json
    return bytes.fromhex(answer.json["public_key"])


def wrap(point: bytes, community_id: UUID, account_id: UUID) -> bytes:
    """As the protocol's page says, written apart from the server."""
    ephemeral = ec.generate_private_key(P256)
    shared = ephemeral.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(P256, point))
    key = HKDF(SHA256(), 32, None, b"saolou phone data key").derive(shared)
    nonce = os.urandom(12)
    own = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return b"\1" + own + nonce + AESGCM(key).encrypt(nonce, KEY, community_id.bytes + account_id.bytes)


def open_key(world: World, phone: Phone, owner: UUID, wrapped: bytes, **changes: Any) -> Any:
    body = {
        "install_id": str(phone.install_id),
        "community_id": str(world.community_id),
        "account_id": str(owner),
        "wrapped": wrapped.hex(),
        **changes,
    }
    return phone.call("data-key/open", body)


def test_open_own_key_after_a_forgotten_pin(world: World) -> None:
    phone = world.phone()
    wrapped = wrap(public_key(world, phone), world.community_id, phone.account.id)
    answer = open_key(world, phone, phone.account.id, wrapped)
    assert (answer.status_code, answer.json) == (200, {"data_key": KEY.hex()})
    with world.db.transaction([world.community_id]) as session:
        seen = session.scalars(select(AuditEvent).where(AuditEvent.action == "phone_key_opened")).all()
    assert [event.account_id for event in seen if event.community_id == world.community_id] == [phone.account.id]


def test_open_key_of_another_worker_of_the_same_phone(world: World) -> None:
    first = world.phone()
    second = world.phone(install_id=first.install_id)
    wrapped = wrap(public_key(world, first), world.community_id, first.account.id)
    assert open_key(world, second, first.account.id, wrapped).status_code == 200


def test_open_key_on_another_phone_is_refused(world: World) -> None:
    first, other = world.phone(), world.phone()
    wrapped = wrap(public_key(world, first), world.community_id, first.account.id)
    answer = open_key(world, other, first.account.id, wrapped)
    assert (answer.status_code, answer.json["code"]) == (422, "data_key_unopenable")
    named = open_key(world, other, first.account.id, wrapped, install_id=str(first.install_id))
    assert (named.status_code, named.json["code"]) == (422, "envelope_invalid")


@pytest.mark.parametrize("place", [0, 1, 70, 90, 125])
def test_open_key_that_was_tampered_with_is_refused(world: World, place: int) -> None:
    phone = world.phone()
    wrapped = bytearray(wrap(public_key(world, phone), world.community_id, phone.account.id))
    wrapped[place] ^= 1
    assert open_key(world, phone, phone.account.id, bytes(wrapped)).status_code == 422


def test_open_key_bound_to_another_account_or_community_is_refused(world: World) -> None:
    phone = world.phone()
    point = public_key(world, phone)
    for community, account in ((world.community_id, uuid4()), (uuid4(), phone.account.id)):
        assert open_key(world, phone, phone.account.id, wrap(point, community, account)).status_code == 422


def test_read_public_key_differs_by_community_and_stays(world: World) -> None:
    phone = world.phone()
    assert public_key(world, phone) == public_key(world, phone)
    foreign = make_community(world.db)
    answer = phone.call("data-key/public", {"install_id": str(phone.install_id), "community_id": str(foreign)})
    assert answer.status_code == 403
