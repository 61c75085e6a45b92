"""What can be wrong with a step or a task, and the sentences for it."""

from backend.errors import Conflict, DomainError, NotFound
from backend.hazards.lifecycle import NOT_APPLIED
from backend.http.messages import add_messages


class TaskNotFound(NotFound):
    pass


class RevisionRequired(DomainError):
    """A step must say which revision of the task it was decided on (If-Match)."""

    status = 428


class TaskChanged(DomainError):
    """The task changed since the caller read it; ``rev`` is the present revision."""

    status = 412


class StepNotApplied(Conflict):
    """The fold does not accept the step; ``reason`` says why. Nothing was stored."""


class AssigneeUnknown(DomainError):
    status = 422


class AttachmentUnknown(DomainError):
    """The step cites files that nobody stored, announced or declared; ``errors`` points at them."""

    status = 422


class WorkOrderEmpty(Conflict):
    """No assigned task is left in this draft (any more)."""


class WorkOrderNotFound(NotFound):
    pass


add_messages(
    {
        "task_not_found": ("没有找到该任务，或不在您的管辖范围。", "No such task, or not in your area."),
        "revision_required": ("请先读取任务再操作（If-Match）。", "Read the task, then send its revision in If-Match."),
        "task_changed": (
            "任务已被他人更新（第{rev}版），请刷新后重试。",
            "The task changed (revision {rev}); reload and retry.",
        ),
        "step_not_applied": ("此步骤不能执行：{why_zh}。", "This step does not apply: {why_en}."),
        "assignee_unknown": ("承办人不是本社区人员。", "The assignee does not belong to this community."),
        "attachment_unknown": (
            "所引附件不存在，请先上传。",
            "There is no such attachment; upload it first.",
        ),
        "work_order_not_found": ("没有找到该交办单。", "There is no such work order."),
        "work_order_empty": ("该交办单已无待交办任务。", "Nothing is left in this work order."),
    }
)


def not_applied(reason: str) -> StepNotApplied:
    """The error for a reason of the fold, with its sentence in both languages."""
    zh, en = NOT_APPLIED.get(reason, (reason, reason))
    return StepNotApplied(reason=reason, why_zh=zh, why_en=en)
