"""What papers refuse, in both languages."""

from backend.errors import Conflict, InvalidInput
from backend.http.messages import add_messages


class PeriodNotBegun(InvalidInput):
    """The period lies in the future."""


class PeriodNotOver(Conflict):
    """A paper is issued when its period is over; until then it is a draft."""


class PaperNotReady(Conflict):
    """The paper was not computed yet."""


class PaperIssued(Conflict):
    """An issued paper never changes."""


class IdentityBroken(Conflict):
    """The printed identity does not hold: a defect, so the paper may not be issued."""


class PaperFileNotReady(Conflict):
    """The document is being made; the paper's ``documents`` say how far it is."""


class CompilePending(Exception):
    """``jobs`` compile jobs from before the request have not drained; try again soon."""

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs)
        self.jobs = jobs


add_messages(
    {
        "paper_not_found": ("没有此期，或尚未印发。", "There is no such paper, or it is not issued yet."),
        "figure_not_found": ("本期没有此数字。", "This paper has no such figure."),
        "unknown_period_kind": ("类型应为 weekly、monthly 或 annual。", "The kind must be weekly, monthly or annual."),
        "period_not_begun": ("该期尚未开始。", "That period has not begun."),
        "period_not_over": ("该期尚未结束，只能查看草稿。", "That period is not over; there is only a draft."),
        "paper_not_ready": ("本期正在生成，请稍候。", "The paper is being made; wait a moment."),
        "paper_file_not_ready": ("文档正在生成，请稍候。", "The document is being made; wait a moment."),
        "paper_issued": ("本期已印发，不再更改。", "The paper is issued and never changes."),
        "identity_broken": (
            "期初期末核对不符，不得印发，请联系管理员。",
            "The identity does not hold; do not issue, call the administrator.",
        ),
    }
)
