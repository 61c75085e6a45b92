"""Chinese addresses taken to parts. The raw text is always kept beside; what is not recognised is left out.

Parts, in the order of an address: ``province city district street community road number group estate building unit
room``. 街道 is the street office, ``road`` a 路, 街 or 巷 with its ``number`` (号). Self-built houses in villages have
``group`` (组) and ``number``, or neither.
"""

import re
import unicodedata
from typing import Final

_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_NUM: Final = rf"(?:\d+|[{_STEMS}]|[A-Z]\d*|[零〇一二三四五六七八九十百]+)"
_NAME: Final = r"[\u4e00-\u9fff]"

_ESTATES: Final = "小区|花园|家园|公寓|新村|宿舍|大厦|广场|人家"
_SHORT_ESTATES: Final = "苑|城|府|庭|院|园|里"
_AFTER_NAME: Final = rf"(?=\d|[A-Z{_STEMS}第零一二三四五六七八九十]|$)"

#: Administrative divisions, from the front; each takes the shortest name that ends as it must and goes on as it may.
_DIVISIONS: Final = (
    (
        "province",
        re.compile(rf"{_NAME}{{2,8}}?(?:省|自治区|特别行政区)|(?:北京|上海|天津|重庆)市?(?={_NAME}{{1,6}}?区)"),
    ),
    ("city", re.compile(rf"{_NAME}{{2,8}}?(?:市(?![场民政府]|花园)|自治州|地区|盟)(?={_NAME})")),
    ("district", re.compile(rf"{_NAME}{{1,5}}?(?:(?<![小社园])区|县(?!城)|旗)(?={_NAME})")),
    ("street", re.compile(rf"{_NAME}{{1,8}}?(?:街道|[镇乡](?!{_ESTATES}|[路街巷]|大道))")),
    (
        "community",
        re.compile(rf"{_NAME}{{1,10}}?(?:社区|居委会|村委会|(?<!新)村(?={_NAME}{{0,3}}(?:\d|组|第|[{_STEMS}]|$)))"),
    ),
)
_GROUP = re.compile(rf"第?({_NUM})(?:村民小组|居民小组|组)")
_ROAD = re.compile(rf"({_NAME}{{1,12}}?(?:路|大道|大街|街|巷|弄|里|胡同))({_NUM}(?:[-之]\d+)?号(?![楼栋幢]))?")
_NUMBER = re.compile(rf"第?({_NUM}(?:[-之]\d+)?)号(?![楼栋幢])")
_BUILDING = re.compile(rf"第?({_NUM})(?:号楼|号栋|栋|幢|座|号)")
_UNIT = re.compile(rf"第?({_NUM})(?:单元|门)")
_ROOM = re.compile(r"第?(\d{1,5}[A-Z]?)(?:室|房|号房|号)?")
_DASHED = re.compile(rf"({_NUM})-(?:({_NUM})-)?(\d{{1,5}}[A-Z]?)(?:室|号|房)?")
_UNIT_ROOM = re.compile(rf"({_NUM})-(\d{{1,5}}[A-Z]?)(?:室|号|房)?")
_ESTATE = re.compile(rf"{_NAME}[\u4e00-\u9fffA-Z·]{{1,14}}?(?:(?:{_ESTATES})|(?:{_SHORT_ESTATES}){_AFTER_NAME})")
_JUNK = re.compile(r"[\s,，、;；。]+")
_DASHES = re.compile(r"[‐‑‒–—―−－﹣~～]")


def normal_address(raw: str) -> str:
    """Half-width digits and letters, upper case, one kind of dash, no blanks; 甲乙丙 and Chinese numerals are kept."""
    return _JUNK.sub("", _DASHES.sub("-", unicodedata.normalize("NFKC", raw))).upper()


def parse_address(raw: str) -> dict[str, str]:
    """The parts of ``raw`` that are recognised; ``rest`` holds what is not, when anything is left."""
    parts: dict[str, str] = {}
    text = normal_address(raw)
    for name, pattern in _DIVISIONS:
        text = _take_front(parts, name, pattern, text)
    text = _take_road(parts, text)
    text = _take_estate(parts, text)
    rest = _take_door(parts, text)
    if rest:
        parts["rest"] = rest
    return parts


def _take_front(parts: dict[str, str], name: str, pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    if found is None:
        return text
    parts[name] = found[0]
    return text[found.end() :]


def _take_road(parts: dict[str, str], text: str) -> str:
    """组, or 路(街、巷) with its 号, or a 号 alone that no building follows from."""
    if group := _GROUP.match(text):
        parts["group"] = group[1]
        text = text[group.end() :]
    elif (road := _ROAD.match(text)) and not _goes_on_as_estate(text, road):
        parts["road"] = road[1]
        if road[2]:
            parts["number"] = road[2].removesuffix("号")
        text = text[road.end() :]
    if "number" not in parts and (number := _NUMBER.match(text)):
        parts["number"] = number[1]
        text = text[number.end() :]
    return text


def _goes_on_as_estate(text: str, road: re.Match[str]) -> bool:
    """A name like 槐荫里小区: what looks like a road goes on into an estate's name."""
    return road[2] is None and re.match(_ESTATES, text[road.end() :]) is not None


def _take_estate(parts: dict[str, str], text: str) -> str:
    return _take_front(parts, "estate", _ESTATE, text)


def _take_door(parts: dict[str, str], text: str) -> str:
    """栋、单元、室, written out or as ``3-2-501``; returns what is left."""
    if dashed := _DASHED.fullmatch(text):
        parts["building"] = dashed[1]
        if dashed[2]:
            parts["unit"] = dashed[2]
        parts["room"] = dashed[3]
        return ""
    for name, pattern in (("building", _BUILDING), ("unit", _UNIT)):
        if found := pattern.match(text):
            parts[name] = found[1]
            text = text[found.end() :].removeprefix("-")
    if "unit" not in parts and (both := _UNIT_ROOM.fullmatch(text)):
        parts["unit"], parts["room"] = both[1], both[2]
        return ""
    if room := _ROOM.fullmatch(text):
        parts["room"] = room[1]
        return ""
    return text
