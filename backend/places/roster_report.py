"""What a roster import says: every bad cell with its row, column, code and sentence."""

from dataclasses import asdict, dataclass, field
from typing import Any

from backend.http.messages import add_messages, sentence
from backend.places.roster_columns import HEADINGS

add_messages(
    {
        "row_kind_missing": ("未填写类型。", "The kind is missing."),
        "row_kind_unknown": (
            "不认识类型“{value}”，请填网格、微网格、小区、楼栋、单元、户或场所。",
            "Unknown kind {value!r}; use 网格 微网格 小区 楼栋 单元 户 场所.",
        ),
        "row_kind_root": ("社区本身不用填写，请删除此行。", "The community itself is not listed; delete the row."),
        "row_kind_changed": (
            "编码 {value} 已登记为{kind}，不能改成别的类型。",
            "{value} is registered as a {kind} and cannot become another kind.",
        ),
        "row_name_missing": ("未填写名称。", "The name is missing."),
        "row_too_long": ("最多 {longest} 个字。", "At most {longest} characters."),
        "row_text_bad": ("含有无法保存的字符，请重新输入。", "Characters that cannot be kept; type it again."),
        "row_cell_is_date": (
            "表格把这里当成了日期，请将该列设为“文本”后重填（如 3-2）。",
            "The spreadsheet turned this into a date; format the column as text and type it again.",
        ),
        "row_code_invalid": (
            "编码“{value}”无效：1–40 个字，可用数字、字母、汉字和 . _ / # -。",
            "The code {value!r} is not valid: 1 to 40 digits, letters, Chinese characters or . _ / # -.",
        ),
        "row_code_twice": ("编码 {value} 与第 {other} 行重复。", "The code {value} is in row {other} too."),
        "row_twice": (
            "与第 {other} 行的上级、类型、名称相同；请填写编码加以区分，或删除一行。",
            "Same parent, kind and name as row {other}; give codes or delete one.",
        ),
        "row_parent_missing": (
            "未填写上级编码（只有网格可以留空）。",
            "The parent's code is missing (only a 网格 may leave it blank).",
        ),
        "row_parent_unknown": (
            "找不到上级编码 {value}：本表和系统中都没有。",
            "No place has the code {value}, neither in this file nor in the registry.",
        ),
        "row_parent_wrong": (
            "上级 {value} 是{parent_kind}，不能容纳{kind}。",
            "{value} is a {parent_kind} and cannot hold a {kind}.",
        ),
        "row_number_bad": ("“{value}”不是有效的数字。", "{value!r} is not a valid number."),
        "row_location_half": (
            "纬度、经度、坐标系要么都填，要么都不填。",
            "Latitude, longitude and datum go together: all or none.",
        ),
        "row_datum_missing": (
            "填了坐标却没有写坐标系（WGS84、GCJ02 或 BD09）；系统不猜。",
            "Coordinates without a datum (WGS84, GCJ02 or BD09); it is never guessed.",
        ),
        "row_datum_unknown": (
            "不认识坐标系“{value}”，请填 WGS84、GCJ02 或 BD09。",
            "Unknown datum {value!r}; use WGS84, GCJ02 or BD09.",
        ),
        "row_location_abroad": (
            "坐标不在中国境内，请检查经度和纬度是否填反。",
            "The point is outside China; are latitude and longitude swapped?",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong in a row; ``column`` is a column's key."""

    row: int
    column: str
    code: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """With the column as it is headed and the sentence in both languages."""
        return {
            "row": self.row,
            "column": HEADINGS[self.column],
            "code": self.code,
            "zh": sentence(self.code, "zh", self.details),
            "en": sentence(self.code, "en", self.details),
        }


@dataclass(slots=True)
class RosterReport:
    """What an import would do or did. Counts are rows; with ``errors`` nothing is ever imported."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    imported: bool = False
    errors: list[RowError] = field(default_factory=list)

    @property
    def bad_rows(self) -> int:
        """How many rows have errors."""
        return len({error.row for error in self.errors})

    def as_dict(self) -> dict[str, Any]:
        """The shape of the API and of the command line's JSON; errors in the order of the file."""
        errors = sorted(self.errors, key=lambda error: error.row)
        counts = {name: value for name, value in asdict(self).items() if name != "errors"}
        return {**counts, "bad_rows": self.bad_rows, "errors": [error.as_dict() for error in errors]}
