"""What can be wrong with a file that is sent. Sentences for phones are in the contract, with its codes."""

from backend.errors import DomainError, NotFound
from backend.http.messages import add_messages


class AttachmentKindUnknown(DomainError):
    """Neither a JPEG nor a PNG nor a PDF, whatever its name says."""

    status = 422


class ImageTooLarge(DomainError):
    """More pixels than any phone's camera takes: a picture made to fill a server's memory."""

    status = 422


class AttachmentNotFound(NotFound):
    pass


class TusVersionUnknown(DomainError):
    """The ``Tus-Resumable`` header is missing or names another version."""

    status = 412


class ChunkTypeUnknown(DomainError):
    """Bytes of a file come as ``application/offset+octet-stream``."""

    status = 415


class UploadInvalid(DomainError):
    """A header of an upload is wrong; ``errors`` points at it (``/Upload-Metadata/sha256``)."""

    status = 422


class UploadUnknown(NotFound):
    """No such upload: never announced, or terminated."""


class UploadExpired(DomainError):
    """It was left unfinished for too long; announcing it again begins anew."""

    status = 410


class UploadLocked(DomainError):
    """Another request is writing to this upload at this moment."""

    status = 423


class UploadFinished(DomainError):
    """A whole file is evidence: it cannot be terminated."""

    status = 409


class OffsetMismatch(DomainError):
    """The server stands at another offset; ask with HEAD and go on from there."""

    status = 409


class ChecksumMismatch(DomainError):
    """The chunk does not have the checksum it came with; nothing of it was kept."""

    status = 460


class FileTooLarge(DomainError):
    status = 413


class DeclaredOtherwise(DomainError):
    """The record that this attachment belongs to declares another hash, size or type."""

    status = 422


class AttachmentIdReused(DomainError):
    """Another file was announced under this id."""

    status = 422


class FileHashMismatch(DomainError):
    """The whole file does not have the SHA-256 that was announced, again and again."""

    status = 422


class UploadQuota(DomainError):
    """This installation has more unfinished uploads than it may."""

    status = 429

    def __init__(self) -> None:
        super().__init__(retry_after_s=3600)


#: By code, to say again why an upload was refused for ever.
REFUSALS: dict[str, type[DomainError]] = {
    kind.code: kind for kind in (AttachmentKindUnknown, ImageTooLarge, FileHashMismatch)
}

add_messages(
    {
        "attachment_not_found": (
            "文件尚未上传，或无权查看。",
            "The file was not uploaded (yet), or is not yours to see.",
        ),
    }
)
