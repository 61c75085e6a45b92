"""Which hazard an observation belongs to: computed alike by server and phone, so an offline phone knows it
too.

A hazard is a chain for ever: `uuid5(NS_HAZARD, "community|place|chain|locus")`.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from mobile_contract.forms.definition import Form

NS_HAZARD = UUID("6f2b7c1e-52a4-5d0b-9c61-3d1f0a7e8b42")
"""Name space of hazard ids. Never changes."""

BLANKS = " \t\n\v\f\r\x85\u1680\u2028\u2029\ufeff"
"""What is cut from both ends of a locus part; spelled out because languages differ in what they strip."""

MISSING = "-"


def locus_of(form: Form, answers: Mapping[str, Any]) -> str:
    """Canonical text of the object of its kind that one block describes; "" when the form has no locus.

    Parts in the form's order, each NFKC-normalised, stripped, upper-cased and joined by "/"; a part
    without an answer is "-". "３f " and "3F" are one floor.
    """
    return "/".join(_part(answers.get(name)) for name in form.locus)


def _part(value: Any) -> str:
    if value is None:
        return MISSING
    text = unicodedata.normalize("NFKC", str(value)).strip(BLANKS).upper()
    return text or MISSING


def hazard_id(community: UUID | str, place: UUID | str, chain: str, locus: str) -> UUID:
    """The hazard of a rule group or rule (`Rule.chain`) at a locus of a place; ids in lower case."""
    return uuid5(NS_HAZARD, f"{str(community).lower()}|{str(place).lower()}|{chain}|{locus}")
