"""Field codes: the short name of a place that is printed on its QR plate and read out over the phone.

A roster may bring its own codes; a place without one gets a code made from its id, which therefore never changes:
nine characters and a check character, ``XXXXX-XXXXX``, of an alphabet without I, L, O, U and Z.
"""

import hashlib
import re
import unicodedata
from typing import Final
from uuid import UUID, uuid5

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXY"
"""31 characters, a prime: one wrong character or two swapped neighbours always change the check character."""
LENGTH: Final = 9

_OWN_CODE = re.compile(r"[0-9A-Z\u4e00-\u9fff][0-9A-Z\u4e00-\u9fff._/#-]{0,39}")


def roster_place_id(community_id: UUID, field_code: str) -> UUID:
    """The id of the place that a roster names by ``field_code``: the same for every import."""
    return uuid5(community_id, f"place|{normal_code(field_code)}")


def unnamed_place_id(community_id: UUID, parent_id: UUID, kind: str, name: str) -> UUID:
    """The id of a roster row without a code: it is known by its parent, kind and name."""
    return uuid5(community_id, f"place|{parent_id}|{kind}|{name}")


def normal_code(text: str) -> str:
    """A code as typed → as stored: half-width, upper case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def is_own_code(code: str) -> bool:
    """Whether a normalised code may be a roster's own."""
    return _OWN_CODE.fullmatch(code) is not None


def made_code(place_id: UUID, attempt: int = 0) -> str:
    """The code made for a place. ``attempt`` counts up when another place of the community has it already."""
    digest = hashlib.sha256(place_id.bytes + attempt.to_bytes(2, "big")).digest()
    number = int.from_bytes(digest[:8], "big")
    body = "".join(ALPHABET[number // len(ALPHABET) ** i % len(ALPHABET)] for i in range(LENGTH))
    code = body + check_character(body)
    return f"{code[:5]}-{code[5:]}"


def check_character(body: str) -> str:
    """The check character of a code's body (upper case, of the alphabet)."""
    total = sum(weight * ALPHABET.index(c) for weight, c in enumerate(body, start=2))
    return ALPHABET[total % len(ALPHABET)]


def is_made_code(text: str) -> bool:
    """Whether ``text``, as typed, is a made code with the right check character."""
    code = normal_code(text).replace("-", "")
    return len(code) == LENGTH + 1 and all(c in ALPHABET for c in code) and check_character(code[:-1]) == code[-1]
