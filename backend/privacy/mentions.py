"""The index of who is named where, by keyed hash; kept up by a job, and once more before anybody is looked for."""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealer
from backend.privacy.models import PersonMention
from backend.privacy.personal import GUARDED, SENSITIVE, Datum, FormOf, data_of
from backend.privacy.sources import SOURCES, OpenRow, Source, open_rows, unseen

#: The kind of job that keeps the index up.
JOB: Final = "persons"
BATCH: Final = 2000
NOBODY: Final = ("none", "")


def index_unseen(session: Session, runtime: Runtime, community_id: UUID, limit: int = BATCH) -> int:
    """Look at up to ``limit`` rows of each source; how many were looked at (0: the index is complete)."""
    sealer = runtime.part(Keyring).sealer(session, community_id)
    form_of = forms_of(session, runtime)
    looked_at = 0
    for source in SOURCES.values():
        ids = unseen(session, community_id, source, limit)
        if ids:
            note_mentions(session, sealer, community_id, source, ids, form_of)
            looked_at += len(ids)
    return looked_at


def note_mentions(
    session: Session, sealer: Sealer, community_id: UUID, source: Source, ids: Collection[UUID], form_of: FormOf
) -> None:
    """Index these rows anew. One that cannot be opened any more names nobody."""
    session.execute(
        delete(PersonMention).where(
            PersonMention.community_id == community_id,
            PersonMention.source == source.name,
            PersonMention.source_id == func.any(list(ids)),
        )
    )
    keys = {row.id: _keys(sealer, row, form_of) for row in open_rows(session, sealer, community_id, source, ids)}
    rows = [
        {"community_id": community_id, "source": source.name, "source_id": row_id, "kind": kind, "key": key}
        for row_id in sorted(ids)
        for kind, key in sorted(keys.get(row_id) or {NOBODY})
    ]
    session.execute(upsert(PersonMention).on_conflict_do_nothing(), rows)


def forms_of(session: Session, runtime: Runtime) -> FormOf:
    """Form versions as they were published."""
    catalogue = runtime.part(FormCatalogue)
    return lambda code, version: catalogue.form(session, code, version)


def _keys(sealer: Sealer, row: OpenRow, form_of: FormOf) -> set[tuple[str, str]]:
    data = data_of(row.body, form_of)
    told = {(SENSITIVE, "")} if any(datum.kind in GUARDED for datum in data) else set()
    return told | {(kind, hashed(sealer, kind, value)) for kind, value in keys_of(data)}


def keys_of(data: Iterable[Datum]) -> set[tuple[str, str]]:
    """``(kind, normal spelling)`` of everything in these values that a person can be found by."""
    return {key for datum in data for key in datum.look_ups()}


def hashed(sealer: Sealer, kind: str, value: str) -> str:
    """The look-up key of a value in its normal spelling."""
    return sealer.keyed_hash(f"{kind}\n{value}")


def matching(
    session: Session, community_id: UUID, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, UUID], set[str]]:
    """``(source, id)`` → the kinds by which it was found, for rows that have any of these ``(kind, hashed)``."""
    found: dict[tuple[str, UUID], set[str]] = {}
    for kind, key in keys:
        rows = session.execute(
            select(PersonMention.source, PersonMention.source_id).where(
                PersonMention.community_id == community_id, PersonMention.kind == kind, PersonMention.key == key
            )
        )
        for source, source_id in rows:
            found.setdefault((source, source_id), set()).add(kind)
    return found
