"""The spreadsheet that an office fills in: headings, a drop-down of kinds, and a sheet of instructions."""

import io
from typing import Any, Final

import xlsxwriter

from backend.places.kinds import KIND_LABELS
from backend.places.roster_columns import COLUMNS

EXAMPLES: Final = (
    ("FQ-G1", "网格", "第一网格", "", "", "", "", "", ""),
    ("FQ-X1", "小区", "福泉小区", "FQ-G1", "槐荫路8号", "", "", "", ""),
    ("FQ-03", "楼栋", "3栋", "FQ-X1", "槐荫路8号福泉小区3栋", "25.790000", "113.030000", "10", "WGS84"),
    ("FQ-03-2", "单元", "2单元", "FQ-03", "", "", "", "", ""),
    ("", "户", "501室", "FQ-03-2", "槐荫路8号福泉小区3栋2单元501室", "", "", "", ""),
    ("", "场所", "晨光便利店", "FQ-03", "", "", "", "", ""),
)
"""Invented places; they stand on the instructions' sheet so that nobody imports them."""

RULES: Final = (
    "一行一个地点，从第二行开始填写；不要改动第一行，不要合并单元格。",
    "先用“试导入”检查：系统会列出每一处问题；全部无误后再导入。有一行不对，就一行也不导入。",
    "再次导入同一份表不会重复登记；改了名称或地址会更新，改了上级编码会移动。删掉的行不会删除已登记的地点。",
    "没有编码的行按“上级 + 类型 + 名称”识别，改名会被当作新的地点。",
    "不要填写居民姓名、电话、身份证号。",
)


def roster_template() -> bytes:
    """The XLSX file. All cells of codes and names are text, so that ``3-2`` does not become a date."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    formats = {
        "head": book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True}),
        "text": book.add_format({"num_format": "@"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    _fill_sheet(book.add_worksheet("名册"), formats)
    _instructions(book.add_worksheet("填写说明"), formats)
    book.close()
    return out.getvalue()


def _fill_sheet(sheet: Any, formats: dict[str, Any]) -> None:
    for at, column in enumerate(COLUMNS):
        sheet.set_column(at, at, column.width, formats["text"])
        sheet.write_string(0, at, column.heading + ("*" if column.needed else ""), formats["head"])
    sheet.freeze_panes(1, 0)
    kinds = [zh for zh, _ in KIND_LABELS.values()][1:]
    at = next(i for i, column in enumerate(COLUMNS) if column.key == "kind")
    sheet.data_validation(
        1, at, 1_048_575, at, {"validate": "list", "source": kinds, "error_message": "请从列表中选择"}
    )


def _instructions(sheet: Any, formats: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 14, formats["text"])
    sheet.set_column(1, 8, 16, formats["text"])
    row = 0
    for rule in RULES:
        sheet.merge_range(row, 0, row, 8, rule, formats["wrap"])
        sheet.set_row(row, 32)
        row += 1
    row += 1
    for column in COLUMNS:
        sheet.write_string(row, 0, column.heading, formats["head"])
        sheet.merge_range(row, 1, row, 8, f"{column.zh}\n{column.en}", formats["wrap"])
        sheet.set_row(row, 48)
        row += 1
    row += 1
    for line in (tuple(column.heading for column in COLUMNS), *EXAMPLES):
        for at, value in enumerate(line):
            sheet.write_string(row, at, value, formats["text"])
        row += 1
