"""What a meeting paper leaves out: rooms, telephone and identity numbers, given names.

Source: domain, privacy (张*, 138****5678, a building without its room).
"""

import re
from typing import Final

_ID_NUMBER: Final = re.compile(r"(?<!\d)(\d{4})\d{10}(\d{3}[\dXx])(?![\dXx])")
_PHONE: Final = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_LANDLINE: Final = re.compile(r"(?<!\d)(0\d{2,3})-?\d{3,4}(\d{4})(?!\d)")
#: 501室, 五楼502房, and the last part of 3-2-501.
_ROOM: Final = re.compile(r"(?<![\d-])(\d{1,3}-\d{1,2}-)\d{3,4}(?!\d)|(?<!\d)\d{2,4}(?=室|房(?!屋))")
_SEPARATORS: Final = re.compile(r"([、，,；;/\s（）()：:]+)")
_HAN_NAME: Final = re.compile(r"[\u3400-\u9fff·]{2,4}|[\U00020000-\U0003ffff\u3400-\u9fff·]{2,4}")
_LATIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z.'-]+")
#: Endings of what is no person.
_ORGANISATION: Final = (*"店厂司社市院校馆部会局所吧站场堂队处组区委办人者主东户业", "中心", "家属")


def mask_text(text: str) -> str:
    """Free text without room, telephone and identity numbers."""
    text = _ID_NUMBER.sub(r"\1**********\2", text)
    text = _PHONE.sub(r"\1****\2", text)
    text = _LANDLINE.sub(r"\1****\2", text)
    return _ROOM.sub(lambda m: f"{m[1] or ''}***", text)


def mask_party(text: str) -> str:
    """A responsible party: persons by surname (张*), organisations and roles in full."""
    return "".join(_mask_name(part) for part in _SEPARATORS.split(mask_text(text)))


def _mask_name(part: str) -> str:
    if _LATIN_NAME.fullmatch(part) or (_HAN_NAME.fullmatch(part) and not part.endswith(_ORGANISATION)):
        return part[0] + "*"
    return part
