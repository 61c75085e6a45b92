"""What can be wrong with a notice, and the sentences for it."""

from backend.errors import Conflict, DomainError, NotFound
from backend.http.messages import add_messages


class NoticeNotFound(NotFound):
    pass


class NoticeErased(Conflict):
    """What the notice said was lawfully erased; its number stays."""


class NoticeHazardUnfit(DomainError):
    """A hazard is not there, not open any more, or a gap in services (``hazard_id``)."""

    status = 422


class NoticeHazardsApart(DomainError):
    """The hazards do not stand in one building."""

    status = 422


class NoticePhotoUnknown(DomainError):
    """No visit that saw the hazard declared that picture."""

    status = 422


class NoticeWording(DomainError):
    """Words that announce acts of public power (``words``)."""

    status = 422


class NoticeReplacesWrong(DomainError):
    """Only a notice of the same kind about the same place, not replaced yet, can be replaced."""

    status = 422


class ServiceWrong(DomainError):
    """The mode of service cannot have that result, or lacks its proof (``missing``)."""

    status = 422


class DeadlinePast(DomainError):
    """What is asked for must lie ahead."""

    status = 422


add_messages(
    {
        "notice_not_found": ("没有找到该文书，或无权查看。", "No such notice, or not yours to see."),
        "notice_erased": (
            "文书内容已依法删除，仅保留编号。",
            "What it said was lawfully erased; only its number is left.",
        ),
        "notice_hazard_unfit": (
            "隐患 {hazard_id} 不存在、已办结或属于服务缺口，不能列入告知书。",
            "The hazard {hazard_id} is unknown, settled or a gap in services; it cannot be put on a notice.",
        ),
        "notice_hazards_apart": (
            "所选隐患不在同一楼栋或场所，请分别告知。",
            "The hazards stand in different buildings; make a notice each.",
        ),
        "notice_photo_unknown": (
            "照片不属于发现该隐患的走访，请从列出的照片中选择。",
            "No visit that saw the hazard has that photo; choose among those listed.",
        ),
        "notice_wording": (
            "社区没有执法权，请删去：{words}。",
            "A community has no power of enforcement; take out: {words}.",
        ),
        "notice_replaces_wrong": (
            "只能更正同一地点、同类且尚未被替代的文书。",
            "Only a notice of the same kind about the same place that was not replaced yet can be corrected.",
        ),
        "service_wrong": ("送达记录不完整：{missing}。", "The record of service is not complete: {missing}."),
        "deadline_past": ("期限已过，请另定时间。", "That time has passed; name a later one."),
    }
)
