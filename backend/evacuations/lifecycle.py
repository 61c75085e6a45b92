"""A dangerous house's way as tables: what may be done about it, by whom, and the stages that follow from it.

appraised C or D → notice issued → served → each household told, agreed or refused, left → emptied → cordon and daily
look for people who moved back → re-appraised neither C nor D (or pulled down) → closed by the street or a department.
Compulsion is the government's business; nothing here compels. Source: domain, life cycle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DANGEROUS: Final = frozenset({"C", "D"})
GRADES: Final = ("A", "B", "C", "D")

STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "clear": ("无危险", "Not dangerous"),
    "appraised": ("已鉴定待通知", "Appraised, notice to be issued"),
    "notified": ("已签发待送达", "Notice issued, to be served"),
    "served": ("已送达撤离中", "Served, households leaving"),
    "emptied": ("已清空", "Every household has left"),
    "cleared": ("已解危待销号", "No longer dangerous, to be closed"),
    "closed": ("已销号", "Closed"),
}
HOUSEHOLD_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "listed": ("已登记", "Listed"),
    "vacant": ("空置", "Vacant"),
    "told": ("已告知", "Told"),
    "agreed": ("同意撤离", "Agreed"),
    "refused": ("拒绝撤离", "Refused"),
    "left": ("已撤离", "Left"),
    "returned": ("返住", "Moved back"),
}
#: States in which nobody lives there.
GONE: Final = frozenset({"left", "vacant"})
DESTINATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "relatives": ("投亲", "Relatives"),
    "rental": ("租房", "Rented home"),
    "shelter": ("安置点", "Shelter"),
    "other": ("其他", "Elsewhere"),
}
ENDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "reinforced": ("维修加固", "Reinforced"),
    "demolished": ("拆除", "Pulled down"),
    "rebuilt": ("拆除重建", "Rebuilt"),
    "reappraised": ("复核非危房", "Found not dangerous"),
}


@dataclass(frozen=True, slots=True)
class FactKind:
    """What may be done. ``of_household``: it names one. ``permission`` is needed at the house."""

    kind: str
    label: tuple[str, str]
    permission: str
    of_household: bool = False


RECORDS, APPRAISES, CLOSES = "evacuation.record", "evacuation.appraise", "evacuation.close"
CORRECTS: Final = "record.correct"

FACT_KINDS: Final[Mapping[str, FactKind]] = {
    kind.kind: kind
    for kind in (
        FactKind("appraised", ("鉴定", "Appraised"), APPRAISES),
        FactKind("listed", ("登记住户", "Household listed"), RECORDS, True),
        FactKind("told", ("告知", "Told"), RECORDS, True),
        FactKind("agreed", ("同意撤离", "Agreed"), RECORDS, True),
        FactKind("refused", ("拒绝撤离", "Refused"), RECORDS, True),
        FactKind("revisited", ("会同街道、公安二次劝离", "Second visit with street and police"), RECORDS, True),
        FactKind("reported", ("拒撤上报", "Refusal reported"), RECORDS, True),
        FactKind("left", ("撤离", "Left"), RECORDS, True),
        FactKind("returned", ("返住", "Moved back"), RECORDS, True),
        FactKind("cordoned", ("封控警示", "Cordoned"), RECORDS),
        FactKind("checked", ("返住检查", "Looked for people who moved back"), RECORDS),
        FactKind("closed", ("销号", "Closed"), CLOSES),
        FactKind("withdrawn", ("撤回记录", "Record withdrawn"), RECORDS),
    )
}

NOT_APPLIED: Final[Mapping[str, tuple[str, str]]] = {
    "kind_unknown": ("此类记录尚不支持", "This kind of fact is not known yet"),
    "not_permitted": ("角色无权进行此操作", "The role may not do this"),
    "no_case": ("该房屋当时没有危房事项", "The house had no open case then"),
    "household_unlisted": ("住户尚未登记", "The household was not listed then"),
    "household_gone": ("住户已撤离", "The household had left already"),
    "not_told": ("住户尚未告知", "The household had not been told yet"),
    "not_refused": ("住户并未拒绝", "The household had not refused"),
    "not_revisited": ("须先会同街道、公安二次劝离", "A second visit with street and police comes first"),
    "not_left": ("住户尚未撤离", "The household had not left"),
    "still_dangerous": ("最近鉴定仍为C级或D级", "The last appraisal was still C or D"),
    "fact_unknown": ("所指记录不存在", "There is no such record (yet)"),
    "withdrawn": ("已撤回", "It was withdrawn"),
    "not_own": ("只能撤回本人的记录，或由上级撤回", "Only one's own record, or a supervisor"),
}
