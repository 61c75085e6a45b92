"""What is not shown to everybody: rooms, telephone and identity numbers, plates, given names.

Source: domain, privacy (张*, 138****5678, a building without its room).
"""

import re
from collections.abc import Iterable
from typing import Final

_ID_NUMBER: Final = re.compile(r"(?<!\d)(\d{4})\d{10}(\d{3}[\dXx])(?![\dXx])")
_PHONE: Final = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_LANDLINE: Final = re.compile(r"(?<!\d)(0\d{2,3})-?\d{3,4}(\d{4})(?!\d)")
_PLATE: Final = re.compile(
    r"([京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z])[·・\s-]?[0-9A-Z]{5,6}(?![0-9A-Z])",
    re.I,
)
#: 501室, 五楼502房, and the last part of 3-2-501.
_ROOM: Final = re.compile(r"(?<![\d-])(\d{1,3}-\d{1,2}-)\d{3,4}(?!\d)|(?<!\d)\d{2,4}(?=室|房(?!屋))")
_SEPARATORS: Final = re.compile(r"([、，,；;/\s（）()：:]+)")
_HAN_NAME: Final = re.compile(r"[\u3400-\u9fff·]{2,4}|[\U00020000-\U0003ffff\u3400-\u9fff·]{2,4}")
_LATIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z.'-]+")
#: Endings of what is no person. Only what no given name ends in: 卫东 and 玉堂 are people, 房东 and 食堂 are not.
_ORGANISATION: Final = (
    *"店厂司社市院校馆部局所吧站场队处组区委办户",
    *("中心", "家属", "物业", "房东", "业主", "户主", "店主", "货主", "车主", "食堂", "祠堂", "教堂"),
    *("经营者", "使用者", "承租人", "出租人", "产权人", "责任人", "负责人", "管理人", "使用人", "当事人", "本人"),
    *("居委会", "委员会", "工会", "协会", "商会"),
)
_SHOWN_OF_PLATE: Final = 2


def mask_text(text: str) -> str:
    """Free text without room, telephone and identity numbers and number plates."""
    text = _ID_NUMBER.sub(r"\1**********\2", text)
    text = _PHONE.sub(r"\1****\2", text)
    text = _PLATE.sub(r"\1***", text)
    text = _LANDLINE.sub(r"\1****\2", text)
    return _ROOM.sub(lambda m: f"{m[1] or ''}***", text)


def mask_prose(text: str, names: Iterable[str]) -> str:
    """Free text as :func:`mask_text`, and without the given names of persons, which prose does not mark."""
    for name in sorted(set(names), key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, name[0] + "*")
    return mask_text(text)


def persons_in(party: str) -> list[str]:
    """The persons that :func:`mask_party` masks in a responsible party."""
    return [part for part in _SEPARATORS.split(mask_text(party)) if _mask_if_person(part) != part]


def mask_party(text: str) -> str:
    """A responsible party: persons by surname (张*), organisations and roles in full."""
    return "".join(_mask_if_person(part) for part in _SEPARATORS.split(mask_text(text)))


def mask_names(text: str) -> str:
    """A field that holds names of persons and nothing else: the first character of each."""
    parts = _SEPARATORS.split(text)
    return "".join(part if not part or _SEPARATORS.fullmatch(part) else part[0] + "*" for part in parts)


def mask_number(text: str) -> str:
    """A field that holds a telephone or identity number, whatever its form: nothing that is not known to be masked."""
    masked = mask_text(text)
    return masked if masked != text else "***"


def mask_plate(text: str) -> str:
    """A number plate: region and letter."""
    return f"{text[:_SHOWN_OF_PLATE]}***"


def _mask_if_person(part: str) -> str:
    if _LATIN_NAME.fullmatch(part) or (_HAN_NAME.fullmatch(part) and not part.endswith(_ORGANISATION)):
        return part[0] + "*"
    return part
