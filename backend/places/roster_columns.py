"""The columns of a roster: one definition for the template, the reader and the report."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from backend.places.kinds import KIND_LABELS


@dataclass(frozen=True, slots=True)
class Column:
    """``heading`` is printed, ``also`` are understood too; ``zh`` and ``en`` explain what to fill in."""

    key: str
    heading: str
    width: int
    zh: str
    en: str
    also: tuple[str, ...] = ()
    needed: bool = False


COLUMNS: Final = (
    Column(
        "code",
        "编码",
        16,
        "该地点的唯一编码（如 FQ-03）。没有可不填，系统会生成；被其他行当作上级的行必须填写。重复导入时按编码识别。",
        "The place's own code. May be blank: one is made. A row that others name as their parent needs one.",
        ("地点编码", "field_code", "code"),
    ),
    Column(
        "kind",
        "类型",
        10,
        "网格、微网格、小区、楼栋、单元、户、场所 之一。",
        "One of 网格 微网格 小区 楼栋 单元 户 场所 (or grid, micro_grid, estate, building, unit, household, premises).",
        ("地点类型", "kind"),
        True,
    ),
    Column("name", "名称", 24, "如 3栋、2单元、501室。", "Such as 3栋, 2单元, 501室.", ("地点名称", "name"), True),
    Column(
        "parent",
        "上级编码",
        16,
        "上一级地点的编码，可以是本表中的行，也可以是系统中已有的。网格留空即直属社区。层级可以跳过，不能颠倒。",
        "The code of the place above, in this file or already registered. Blank only for a 网格.",
        ("上级", "parent_code", "parent"),
        True,
    ),
    Column("address", "地址", 40, "完整门牌地址，可不填。", "The full address; may be blank.", ("门牌地址", "address")),
    Column(
        "lat", "纬度", 12, "如 25.790000。与经度、坐标系同时填写或同时留空。", "Degrees north.", ("lat", "latitude")
    ),
    Column("lon", "经度", 12, "如 113.030000。", "Degrees east.", ("lon", "longitude")),
    Column("accuracy", "精度(米)", 10, "可不填。", "Accuracy in metres; may be blank.", ("精度", "accuracy_m")),
    Column(
        "datum",
        "坐标系",
        10,
        "WGS84、GCJ02（高德、腾讯）或 BD09（百度）。填了坐标就必须写明，系统不猜。",
        "WGS84, GCJ02 or BD09. Needed with coordinates: it is never guessed.",
        ("datum",),
    ),
)

HEADINGS: Final = {column.key: column.heading for column in COLUMNS}

_OTHER_KINDS: Final = {
    "楼": "building",
    "楼房": "building",
    "栋": "building",
    "自建房": "building",
    "房屋": "household",
    "住户": "household",
    "室": "household",
    "门店": "premises",
    "商铺": "premises",
}
_DATUMS: Final = {
    "WGS84": "wgs84",
    "GPS": "wgs84",
    "GCJ02": "gcj02",
    "火星坐标": "gcj02",
    "高德": "gcj02",
    "腾讯": "gcj02",
    "BD09": "bd09",
    "BD09LL": "bd09",
    "百度": "bd09",
}


def kind_of(text: str) -> str | None:
    """The kind that a cell names, in Chinese or as an identifier."""
    labels = {zh: kind for kind, (zh, _) in KIND_LABELS.items()}
    return labels.get(text) or _OTHER_KINDS.get(text) or (text if text in KIND_LABELS else None)


def datum_of(text: str) -> str | None:
    """The datum that a cell names."""
    return _DATUMS.get(text.upper().replace("-", "").replace("_", "").replace(" ", ""))


def column_of(heading: str) -> str | None:
    """The key of the column that a heading names; marks like ``*`` and what stands in brackets do not matter."""
    plain = _plain(heading)
    for column in COLUMNS:
        if plain in {_plain(known) for known in (column.heading, *column.also)}:
            return column.key
    return None


def _plain(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading).strip().strip("*").lower()
    return text.partition("(")[0].strip()
