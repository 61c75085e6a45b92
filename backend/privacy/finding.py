"""Everything that is held about a person, found by keyed hashes: the search, and the report of a resident's request."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from backend.errors import InvalidInput
from backend.http.context import RequestContext
from backend.http.messages import add_messages
from backend.identity.keys import Keyring
from backend.identity.looking import note_look
from backend.jobs import ledger
from backend.places.models import Place
from backend.privacy.masks import Reader, shown
from backend.privacy.mentions import JOB, forms_of, hashed, index_unseen, matching
from backend.privacy.personal import ID_NUMBER, NAME, PHONE, FormOf, data_of, normal
from backend.privacy.sources import SOURCES, OpenRow, open_rows
from backend.rectification.presenting import Shape, moment

#: Rows that were never looked at are looked at now, as far as somebody can wait; the job does the rest.
CATCH_UP: Final = 3
MOST: Final = 500


class PersonUnnamed(InvalidInput):
    """A search names at least one of name, telephone and identity number."""


add_messages(
    {
        "person_unnamed": (
            "请至少填写姓名、电话、身份证号中的一项。",
            "Name at least one of name, telephone and identity number.",
        )
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is looked for: ``(kind, normal spelling)``. PersonUnnamed when nobody is."""

    keys: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Wanted":
        named = {kind: body.get(kind) for kind in (NAME, PHONE, ID_NUMBER)}
        keys = frozenset((kind, normal(kind, value)) for kind, value in named.items() if value)
        if not any(value for _, value in keys):
            raise PersonUnnamed
        return cls(keys)

    @property
    def kinds(self) -> list[str]:
        return sorted(kind for kind, _ in self.keys)


@dataclass(frozen=True, slots=True)
class Found:
    """What names the person, oldest first; ``pending``: some rows have not been looked at yet."""

    rows: list[tuple[OpenRow, list[str]]]
    pending: bool


def find(ctx: RequestContext, wanted: Wanted, among: Collection[tuple[str, UUID]] | None = None) -> Found:
    """Every row that has any of the wanted values; ``among``: only these ``(source, id)``."""
    session, community_id = ctx.session, ctx.community_id
    pending = _catch_up(ctx)
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    matches = matching(session, community_id, [(kind, hashed(sealer, kind, value)) for kind, value in wanted.keys])
    if among is not None:
        matches = {key: kinds for key, kinds in matches.items() if key in among}
    rows: list[tuple[OpenRow, list[str]]] = []
    for source in SOURCES.values():
        ids = [row_id for name, row_id in matches if name == source.name]
        for row in open_rows(session, sealer, community_id, source, ids) if ids else ():
            rows.append((row, sorted(matches[source.name, row.id])))
    return Found(sorted(rows, key=lambda pair: (pair[0].at_ms or 0, pair[0].id)), pending)


def _catch_up(ctx: RequestContext) -> bool:
    for _ in range(CATCH_UP):
        if not index_unseen(ctx.session, ctx.runtime, ctx.community_id):
            return False
    ledger.want(ctx.session, JOB, ctx.community_id, ["all"])
    ctx.ring(JOB)
    return True


def search(ctx: RequestContext, body: dict[str, Any]) -> Shape:
    """What names the person, all values masked; noted in the audit trail without the person."""
    wanted = Wanted.of(body)
    found = find(ctx, wanted)
    note_look(ctx, "person_searched", "persons", body, kinds=wanted.kinds, found=len(found.rows))
    return shape(ctx, found, Reader(frozenset(), sensitive=False))


def report(ctx: RequestContext, body: dict[str, Any]) -> Shape:
    """What is held about the person, for the person: their own values in full, those of others masked.

    What is told about health and welfare belongs to the household; it is shown to holders of ``person.sensitive``.
    """
    wanted = Wanted.of(body)
    found = find(ctx, wanted, _named(body.get("items")))
    return shape(ctx, found, Reader(wanted.keys, sensitive="person.sensitive" in ctx.actor.permissions))


def _named(items: Iterable[dict[str, Any]] | None) -> set[tuple[str, UUID]] | None:
    return None if not items else {(item["source"], item["id"]) for item in items}


def shape(ctx: RequestContext, found: Found, reader: Reader) -> Shape:
    """The answer of a search or a report."""
    form_of = forms_of(ctx.session, ctx.runtime)
    places = _places(ctx, {row.place_id for row, _ in found.rows if row.place_id})
    items = [
        {
            **line(row, form_of, reader),
            "matched": kinds,
            "place": places.get(row.place_id) if row.place_id else None,
        }
        for row, kinds in found.rows[:MOST]
    ]
    return {"items": items, "total": len(found.rows), "pending": found.pending}


def line(row: OpenRow, form_of: FormOf, reader: Reader) -> Shape:
    """A row with its personal values."""
    return {
        "source": row.source,
        "id": row.id,
        "type": row.type,
        "at": moment(row.at_ms),
        "data": shown(data_of(row.body, form_of), form_of, reader),
    }


def _places(ctx: RequestContext, ids: Collection[UUID]) -> dict[UUID, Shape]:
    rows = ctx.session.execute(
        select(Place.id, Place.kind, Place.name, Place.field_code.label("code")).where(
            Place.community_id == ctx.community_id, Place.id == func.any(list(ids))
        )
    )
    return {row.id: dict(row._mapping) for row in rows}
