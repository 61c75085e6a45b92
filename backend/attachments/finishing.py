"""The end of an upload: is it what was announced, may it be kept, and where does it go."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backend.attachments import errors
from backend.attachments.declaring import REFUSED, STORED
from backend.attachments.kinds import kind_of
from backend.attachments.models import Upload
from backend.attachments.parts import drop_parts, read_whole
from backend.attachments.service import keep_attachment
from backend.attachments.uploads import Desk
from backend.errors import DomainError
from backend.identity.audit import audit

RAW_RECORD: Final = "raw_record"
#: A phone whose file is damaged for good must not send it for ever.
MOST_GENERATIONS: Final = 3


class FileBeginsAnew(DomainError):
    """The whole file did not have the announced hash; the upload stands at 0 again. The bad bytes are kept a while."""

    status = 409


@dataclass(frozen=True, slots=True)
class RawRecords:
    """A part of the runtime: what takes in a record that was too large to be pushed (wired by the application)."""

    take: Callable[[Desk, bytes], None]


def finish(desk: Desk, row: Upload) -> DomainError | None:
    """Check and keep a file that was received whole. Returns, rather than raises, what must be answered after the
    commit: FileBeginsAnew, FileHashMismatch, AttachmentKindUnknown, ImageTooLarge."""
    raw = read_whole(desk.session, desk.runtime, row)
    if raw is None or hashlib.sha256(raw).digest() != row.sha256:
        return _begin_anew(desk, row)
    try:
        if row.kind == RAW_RECORD:
            desk.runtime.part(RawRecords).take(desk, raw)
        else:
            if kind_of(raw) != row.mime:
                raise errors.AttachmentKindUnknown
            kept = keep_attachment(
                *(desk.session, desk.runtime, desk.community_id, raw),
                account_id=desk.account_id,
                now_ms=desk.now_ms,
            )
            row.file_id = kept.id
            audit(
                *(desk.session, desk.community_id, "file_received", f"attachment:{row.id}"),
                account_id=desk.account_id,
                at_ms=desk.now_ms,
                sha256=row.sha256.hex(),
            )
    except (errors.AttachmentKindUnknown, errors.ImageTooLarge) as error:
        return _refuse(desk, row, error)
    row.state = STORED
    drop_parts(desk.session, desk.community_id, [row.id], desk.runtime)
    desk.session.flush()
    return None


def _begin_anew(desk: Desk, row: Upload) -> DomainError:
    if row.generation + 1 >= MOST_GENERATIONS:
        return _refuse(desk, row, errors.FileHashMismatch())
    row.generation, row.received = row.generation + 1, 0
    desk.session.flush()
    return FileBeginsAnew()


def _refuse(desk: Desk, row: Upload, error: DomainError) -> DomainError:
    """For ever; the bytes are kept until the upload expires, should somebody want to look."""
    row.state, row.code = REFUSED, error.code
    desk.session.flush()
    return error
