"""The community's hand on what lies encrypted on its phones.

Each worker's data on a phone is sealed under a data key, wrapped by a PIN and, once more, for the community's public
key. So a forgotten PIN loses nothing, and whoever signs in on that phone can send what another left waiting there. The
private key is derived from the installation's secret: nothing to store, nothing to lose that a backup does not hold.

A wrapped key: one byte 1, an ephemeral point of P-256 (65 bytes, uncompressed), a nonce (12), and AES-GCM of the 32
bytes under HKDF-SHA256 of the shared secret, bound to community and account.
"""

from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import DomainError
from backend.identity.audit import audit
from backend.identity.keys import NONCE, derive_key
from backend.identity.models import DeviceAccount

CURVE = ec.SECP256R1()
POINT, KEY, TAG = 65, 32, 16
VERSION = 1
WRAPPED = 1 + POINT + NONCE + KEY + TAG
INFO = b"saolou phone data key"
#: Of the group of P-256: private keys lie below it.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class DataKeyUnopenable(DomainError):
    """The wrapped key was not made for this community and account, or the account never worked on this phone."""

    status = 422


def public_point(secret_key: bytes, community_id: UUID) -> bytes:
    """The community's public key, an uncompressed point of P-256."""
    public = _private_key(secret_key, community_id).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def open_data_key(
    session: Session, secret_key: bytes, community_id: UUID, install_id: UUID, caller: UUID, owner: UUID, wrapped: bytes
) -> bytes:
    """The data key of ``owner`` on the phone ``install_id``, for ``caller``, who signed in there too. Audited."""
    both = {caller, owner}
    here = DeviceAccount.install_id == install_id
    wanted = select(func.count()).where(here, DeviceAccount.account_id.in_(both))
    if session.scalar(wanted) != len(both):
        raise DataKeyUnopenable
    key = _unwrap(_private_key(secret_key, community_id), wrapped, community_id.bytes + owner.bytes)
    audit(session, community_id, "phone_key_opened", f"account:{owner}", account_id=caller, install_id=str(install_id))
    return key


def _private_key(secret_key: bytes, community_id: UUID) -> ec.EllipticCurvePrivateKey:
    seed = HKDF(SHA256(), 48, None, INFO + community_id.bytes).derive(derive_key(secret_key, "phone"))
    return ec.derive_private_key(int.from_bytes(seed, "big") % (ORDER - 1) + 1, CURVE)


def _unwrap(private: ec.EllipticCurvePrivateKey, wrapped: bytes, bound_to: bytes) -> bytes:
    if len(wrapped) != WRAPPED or wrapped[0] != VERSION:
        raise DataKeyUnopenable
    point, rest = wrapped[1 : 1 + POINT], wrapped[1 + POINT :]
    try:
        shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point))
        key = HKDF(SHA256(), KEY, None, INFO).derive(shared)
        return AESGCM(key).decrypt(rest[:NONCE], rest[NONCE:], bound_to)
    except (InvalidTag, ValueError):
        raise DataKeyUnopenable from None
