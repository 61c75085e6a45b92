"""The kinds of places and which may stand under which."""

from typing import Final

KIND_LABELS: Final = {
    "community": ("社区", "community"),
    "grid": ("网格", "grid"),
    "micro_grid": ("微网格", "micro-grid"),
    "estate": ("小区", "estate"),
    "building": ("楼栋", "building"),
    "unit": ("单元", "stairwell unit"),
    "household": ("户", "household"),
    "premises": ("场所", "premises"),
}
"""Kind → (zh, en), from the top of the tree down."""

RANK: Final = {kind: rank for rank, kind in enumerate(KIND_LABELS)}
"""Depth of a kind. A parent's rank is always smaller than its child's: levels may be skipped, never inverted."""


def may_hold(parent_kind: str, child_kind: str) -> bool:
    """Whether a place of ``child_kind`` may stand directly under one of ``parent_kind``."""
    return RANK[parent_kind] < RANK[child_kind]
