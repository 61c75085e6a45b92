"""Who may do what: one matrix from roles to permissions and how far they reach; who may close and who may grant what.

Source: domain, roles of the community's safety work. The community is a self-governing body without enforcement
power: no permission to fine, seal or cut off exists here, for anybody.
"""

from collections.abc import Iterable
from typing import Final

#: Every role, strongest first: what an account is shown as when it holds several.
ROLES: Final = (
    "administrator",
    "district",
    "street",
    "department",
    "committee",
    "safety_officer",
    "grid_head",
    "grid_worker",
    "viewer",
)

#: Any log-in on a phone may push what waits there (records carry their author), so everybody holds ``sync.push``.
_READ: Final = frozenset({"sync.push", "place.read", "task.read", "paper.read"})
_FIELD: Final = frozenset({"sync.push", "sync.pull", "place.read", "record.read", "task.read", "campaign.read"})
_WORKER: Final = _FIELD | {
    "attachment.put",
    "building.declare",
    "evacuation.read",
    "evacuation.record",
    "notice.read",
    "notice.serve",
    "task.accept",
    "task.relapse",
    "task.submit",
    "task.undo",
}
_GRID_HEAD: Final = _WORKER | {
    "account.manage",
    "building.approve",
    "device.revoke",
    "order.issue",
    "paper.read",
    "person.unmask",
    "record.correct",
    "task.assign",
    "task.chase",
    "task.close",
    "task.reassign",
    "task.recheck",
    "task.return",
}
_SAFETY_OFFICER: Final = _GRID_HEAD | {
    "evacuation.appraise",
    "notice.issue",
    "paper.make",
    "quarantine.read",
    "quarantine.repair",
    "task.void",
}
_COMMITTEE: Final = _SAFETY_OFFICER | {
    "audit.read",
    "campaign.manage",
    "channel.manage",
    "paper.issue",
    "person.erase",
    "person.search",
    "person.sensitive",
    "place.manage",
    "retention.manage",
    "roster.import",
    "rule.override",
    "task.extend",
    "task.refer",
}
#: What street and departments do about tasks: they strike off what is theirs and answer what was referred to them.
_ABOVE: Final = _READ | {
    "evacuation.appraise",
    "evacuation.close",
    "evacuation.read",
    "notice.read",
    "record.read",
    "sync.pull",
    "task.close",
    "task.feedback",
    "task.return",
    "task.undo",
}

PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    "grid_worker": _WORKER,
    "grid_head": _GRID_HEAD,
    "safety_officer": _SAFETY_OFFICER,
    "committee": _COMMITTEE,
    "street": _ABOVE
    | {
        *("attachment.put", "campaign.read", "evacuation.record", "notice.serve"),
        *("person.sensitive", "person.unmask", "task.extend", "task.relapse"),
    },
    "department": _ABOVE,
    "district": _READ | {"campaign.manage", "campaign.read", "evacuation.read", "notice.read", "record.read"},
    "viewer": _READ,
    "administrator": _READ
    | {
        "account.manage",
        "audit.read",
        "campaign.manage",
        "campaign.read",
        "channel.manage",
        "device.revoke",
        "paper.make",
        "place.manage",
        "quarantine.read",
        "quarantine.repair",
        "record.read",
        "roster.import",
        "rule.override",
        "sync.pull",
    },
}
#: Who carries a phone: records have authors with one of these roles. Others only read.
FIELD_ROLES: Final = frozenset(role for role, held in PERMISSIONS.items() if "sync.pull" in held)
ALL_PERMISSIONS: Final = frozenset[str]().union(*PERMISSIONS.values())
#: What concerns the community as a whole: a role over a part of it does not hold these. All others hold for the places
#: of the role and what lies below them.
WHOLE_COMMUNITY: Final = frozenset(
    {
        "audit.read",
        "channel.manage",
        "paper.issue",
        "paper.make",
        "person.erase",
        "person.search",
        "quarantine.read",
        "quarantine.repair",
        "retention.manage",
        "roster.import",
        "rule.override",
    }
)

#: Whoever stands higher in the community's line may close what a lower one may. A department's conclusion is its own:
#: nobody of the line strikes off for it, and it strikes off nothing else.
_LINE: Final = ("grid_head", "safety_officer", "committee", "street")

#: Accounts of the field are made by those who lead them; those above the community only by the administrator.
_GRANTS: Final[dict[str, frozenset[str]]] = {
    "grid_head": frozenset({"grid_worker"}),
    "safety_officer": frozenset({"grid_worker", "grid_head", "viewer"}),
    "committee": frozenset({"grid_worker", "grid_head", "safety_officer", "viewer"}),
    "administrator": frozenset(ROLES),
}


def permissions_of(role: str, *, over_a_part: bool = False) -> frozenset[str]:
    """What ``role`` may do, over the whole community or only ``over_a_part`` of it; nothing for an unknown role."""
    held = PERMISSIONS.get(role, frozenset())
    return held - WHOLE_COMMUNITY if over_a_part else held


def strength(role: str) -> int:
    """Sort key: the strongest role first, unknown ones last."""
    return ROLES.index(role) if role in ROLES else len(ROLES)


def may_close(role: str, closers: str | Iterable[str]) -> bool:
    """True when ``role`` may strike off a hazard whose rule names ``closers`` (a role or several)."""
    if isinstance(closers, str):
        closers = (closers,)
    return any(
        role == closer == "department"
        or (role in _LINE and closer in _LINE and _LINE.index(role) >= _LINE.index(closer))
        for closer in closers
    )


def may_extend(role: str, severity: str) -> bool:
    """True when ``role`` may move the date of a hazard that grave: of a red one the street alone."""
    return "task.extend" in permissions_of(role) and (severity != "red" or role == "street")


def may_grant(granter: str, role: str) -> bool:
    """True when an account with the role ``granter`` may give or take away ``role`` (within its own scope)."""
    return role in _GRANTS.get(granter, frozenset())
