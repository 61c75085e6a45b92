"""What can be wrong with what is recorded about a dangerous house, and the sentences for it."""

from backend.errors import Conflict, DomainError, NotFound
from backend.evacuations.lifecycle import NOT_APPLIED
from backend.http.messages import add_messages


class EvacuationNotFound(NotFound):
    pass


class NoHouse(DomainError):
    """Only a building can be a dangerous house."""

    status = 422


class HouseholdElsewhere(DomainError):
    """The household does not stand in that house."""

    status = 422


class FactNotApplied(Conflict):
    """It does not fit what was recorded before; ``reason`` says why. Nothing was stored."""


class FactTimeWrong(DomainError):
    """It lies in the future."""

    status = 422


class NothingAppraised(Conflict):
    """A notice to leave needs an open case with its appraisal and its households."""


add_messages(
    {
        "evacuation_not_found": ("没有找到该房屋的危房事项，或无权查看。", "No such case, or not yours to see."),
        "no_house": ("只有楼栋可以作为危房处理。", "Only a building can be a dangerous house."),
        "household_elsewhere": ("该住户不在这栋房屋内。", "The household does not stand in that house."),
        "fact_not_applied": ("此记录不能登记：{why_zh}。", "This cannot be recorded: {why_en}."),
        "fact_time_wrong": ("时间不能晚于现在。", "The time must not lie in the future."),
        "nothing_appraised": (
            "请先登记C级或D级鉴定报告和住户，再签发劝离通知书。",
            "Record the appraisal (C or D) and the households first, then issue the notice.",
        ),
    }
)


def not_applied(reason: str) -> FactNotApplied:
    """The error for a reason of the fold, with its sentence in both languages."""
    zh, en = NOT_APPLIED.get(reason, (reason, reason))
    return FactNotApplied(reason=reason, why_zh=zh, why_en=en)
