"""Which hazard is meant: ids that a phone and the server compute alike, offline."""

import unicodedata
import uuid
from collections.abc import Iterable
from typing import Final

NS_HAZARD: Final = uuid.UUID("5a0b7c1e-6f0d-5c7b-9a51-7d1f0f6f2c11")
"""Namespace of hazard ids. Part of the contract: it never changes."""


def locus_text(values: Iterable[object]) -> str:
    """Canonical text of the locus fields' answers, in the form's order.

    Each value is NFKC-normalised, stripped and upper-cased; a missing, null or blank one is "-";
    lists are sorted and joined by "+"; joined by "/". No locus fields → "".
    """
    return "/".join(_part(value) for value in values)


def _part(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, list):
        return "+".join(sorted(_part(item) for item in value)) or "-"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str(value)).strip().upper() or "-"


def hazard_id(community_id: object, place_id: object, chain: str, locus: str) -> uuid.UUID:
    """`uuid5(NS_HAZARD, "community|place|chain|locus")`, ids in lower case.

    `chain` is the rule's group when it has one, else its code; `locus` comes from `locus_text`.
    """
    name = f"{str(community_id).lower()}|{str(place_id).lower()}|{chain}|{locus}"
    return uuid.uuid5(NS_HAZARD, name)
