"""The matrix of roles and permissions as people read it: a Markdown table, in the README and on the command line."""

from typing import Final

from backend.identity.permissions import ALL_PERMISSIONS, ROLES, permissions_of

ROLE_NAMES: Final = {
    "administrator": "管理员",
    "district": "区指挥部",
    "street": "街道",
    "department": "部门",
    "committee": "社区两委",
    "safety_officer": "安全员",
    "grid_head": "网格长",
    "grid_worker": "网格员",
    "viewer": "查看",
}


def matrix() -> str:
    """One row a permission, one column a role, strongest first. ●: for the places of the role and all below them;
    ◎: only by a role over the whole community."""
    lines = [
        "| | " + " | ".join(f"{ROLE_NAMES[role]} `{role}`" for role in ROLES) + " |",
        "|---|" + ":-:|" * len(ROLES),
    ]
    for permission in sorted(ALL_PERMISSIONS):
        marks = (_mark(role, permission) for role in ROLES)
        lines.append(f"| `{permission}` | " + " | ".join(marks) + " |")
    return "\n".join(lines)


def _mark(role: str, permission: str) -> str:
    if permission in permissions_of(role, over_a_part=True):
        return "●"
    return "◎" if permission in permissions_of(role) else " "
