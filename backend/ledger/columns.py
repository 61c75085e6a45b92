"""The columns of the ledger (隐患排查整治台账), in the order in which officials expect them. Source: domain, ledger."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in characters of a sheet. ``remark``: nothing but a person fills it, so that an import takes it in."""

    key: str
    heading: str
    width: int
    remark: bool = False


COLUMNS: Final = (
    Column("n", "序号", 6),
    Column("category", "隐患类别", 12),
    Column("description", "隐患具体描述", 30),
    Column("severity", "隐患等级", 10),
    Column("found_on", "排查发现日期", 12),
    Column("responsible", "整改责任人", 14),
    Column("measures", "整改措施", 24),
    Column("due_on", "计划完成时间", 12),
    Column("state", "整改状态", 10),
    Column("fixed_on", "整改完成时间", 12),
    Column("checker", "验证（复查）人", 14),
    Column("remark", "备注", 20, remark=True),
    Column("number", "隐患编号", 32),
    Column("source", "来源", 12),
    Column("grid", "网格", 14),
    Column("place", "地点", 26),
    Column("holder", "场所/户主", 16),
    Column("funds", "整改资金", 14),
    Column("supervising_body", "督办单位", 16, remark=True),
    Column("supervisor", "督办人", 12, remark=True),
    Column("referred_to", "移交单位", 16),
    Column("extensions", "延期次数", 8),
    Column("closed_on", "销号日期", 12),
    Column("photos_before", "整改前照片", 10),
    Column("photos_after", "整改后照片", 10),
)
KEYS: Final = tuple(column.key for column in COLUMNS)
HEADINGS: Final = tuple(column.heading for column in COLUMNS)
#: Columns printed with a paper; the others are in the sheet.
PRINTED: Final = ("n", "number", *KEYS[1:11])
REMARKS: Final = tuple(column.key for column in COLUMNS if column.remark)

Cells = dict[str, str]
"""A line of the ledger: text by column key, all of them."""
