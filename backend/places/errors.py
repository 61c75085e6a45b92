"""What can be wrong with a request about places, and what to tell people."""

from backend.errors import Conflict, DomainError, NotFound
from backend.http.messages import add_messages


class PlaceNotFound(NotFound):
    pass


class PlaceParentWrong(DomainError):
    """The parent's kind may not hold the child's."""

    status = 422


class PlaceIsRoot(DomainError):
    """The community itself can be neither moved nor merged."""

    status = 422


class PlaceKindsDiffer(DomainError):
    """Only two different places of one kind can be merged."""

    status = 422


class PlaceMerged(Conflict):
    """The place was merged away; ``merged_into`` names the survivor."""


class FieldCodeTaken(Conflict):
    pass


class FieldCodeInvalid(DomainError):
    status = 422


class RosterUnreadable(DomainError):
    """The file is no XLSX or CSV that can be read, is too large inside, or lacks a column."""

    status = 422


class RosterColumnMissing(RosterUnreadable):
    pass


class RosterTooLong(RosterUnreadable):
    pass


class RosterRefused(DomainError):
    """Rows are wrong, so nothing was imported; ``report`` is the same as a dry run's."""

    status = 422


add_messages(
    {
        "place_not_found": ("没有找到该地点，或无权查看。", "No such place, or not yours to see."),
        "place_parent_wrong": (
            "上级的类型不能容纳该类型，请另选上级。",
            "A place of that kind cannot stand under this parent; choose another.",
        ),
        "place_is_root": ("社区本身不能移动或合并。", "The community itself cannot be moved or merged."),
        "place_kinds_differ": (
            "只能合并两个不同的、类型相同的地点。",
            "Only two different places of one kind can be merged.",
        ),
        "place_merged": (
            "该地点已合并，请改用合并后的地点。",
            "The place was merged away; use the one it was merged into.",
        ),
        "field_code_taken": (
            "编码 {field_code} 已被使用，请换一个。",
            "The code {field_code} is taken; choose another.",
        ),
        "field_code_invalid": (
            "编码 {field_code} 无效：1–40 个字，可用数字、字母、汉字和 . _ / # -，不含空格。",
            "The code {field_code} is not valid: 1 to 40 digits, letters, Chinese characters or . _ / # -, no spaces.",
        ),
        "roster_unreadable": (
            "无法读取该文件，请使用模板另存为 XLSX 或 CSV 后重试。",
            "The file cannot be read; save the template as XLSX or CSV and retry.",
        ),
        "roster_column_missing": (
            "缺少列：{columns}。请使用下载的模板，不要改动第一行。",
            "Columns are missing: {columns}. Use the template and leave its first row as it is.",
        ),
        "roster_too_long": (
            "最多 {max_rows} 行，请分批导入。",
            "At most {max_rows} rows; import in parts.",
        ),
        "roster_refused": (
            "有 {bad_rows} 行需要修改，没有导入任何内容。",
            "{bad_rows} rows must be mended; nothing was imported.",
        ),
    }
)
