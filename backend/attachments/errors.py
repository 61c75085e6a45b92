"""What can be wrong with a file that is sent."""

from backend.errors import DomainError, NotFound
from backend.http.messages import add_messages


class AttachmentKindUnknown(DomainError):
    """Neither a JPEG nor a PNG nor a PDF, whatever its name says."""

    status = 422


class AttachmentNotFound(NotFound):
    pass


add_messages(
    {
        "attachment_kind_unknown": (
            "只能上传 JPEG、PNG 图片或 PDF 扫描件，请另存后重试。",
            "Only JPEG or PNG pictures and PDF scans can be uploaded; save it as one of these and retry.",
        ),
        "attachment_not_found": (
            "文件尚未上传，或无权查看。",
            "The file was not uploaded (yet), or is not yours to see.",
        ),
    }
)
