"""What a notice about hazards will say: the hazards with their grounds and photos, and sentences to start from."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, or_, select

from backend.forms.catalogue import FormCatalogue
from backend.hazards.models import Hazard, Observation
from backend.http.context import RequestContext
from backend.identity.keys import Keyring
from backend.inspections.archive import load_records
from backend.inspections.models import Record
from backend.inspections.supervising import revisions
from backend.notices.errors import NoticeHazardsApart, NoticeHazardUnfit, NoticePhotoUnknown
from backend.notices.wording import INTERIM, REQUIREMENT
from backend.places.models import Place
from backend.places.queries import get_place
from backend.rectification.grounds import grounds_in_force
from backend.rectification.presenting import RuleTitles, Shape
from backend.rectification.queries import SETTLED, select_tasks
from mobile_contract.sync.ordering import effective_versions

#: Photos of a hazard that are printed when nobody chose.
PHOTOS: Final = 2


def hazard_rows(ctx: RequestContext, hazard_ids: Sequence[UUID]) -> list[Row[Any]]:
    """The hazards in the order named. NoticeHazardUnfit; NoticeHazardsApart unless all stand in one building."""
    found = select_tasks(ctx.community_id, ctx.actor.scope_paths).where(Hazard.id == func.any(list(hazard_ids)))
    rows = {row.id: row for row in ctx.session.execute(found)}
    for hazard_id in hazard_ids:
        row = rows.get(hazard_id)
        if row is None or row.state in SETTLED or row.service_gap:
            raise NoticeHazardUnfit(hazard_id=str(hazard_id))
    if len({row.building_id or row.place_id for row in rows.values()}) > 1:
        raise NoticeHazardsApart
    return [rows[hazard_id] for hazard_id in dict.fromkeys(hazard_ids)]


def place_about(ctx: RequestContext, rows: Sequence[Row[Any]]) -> Place:
    """The door all hazards stand at, or else their building."""
    places = {row.place_id for row in rows}
    named = places.pop() if len(places) == 1 else rows[0].building_id
    return get_place(ctx.session, ctx.community_id, named)


def describe_hazards(ctx: RequestContext, rows: Sequence[Row[Any]]) -> list[Shape]:
    """Each hazard as it is printed. Only grounds that are law, and hold in the case, are among ``law``."""
    titles = RuleTitles(ctx.session, ctx.runtime.part(FormCatalogue))
    grounds = grounds_in_force(ctx, rows)
    pictures = declared_photos(ctx, rows)
    return [
        {
            "hazard_id": row.id,
            "number": row.number,
            "place": row.place_name,
            "title": titles.title_of(row.form, row.rule_version, row.rules, row.chain)["zh"],
            "law": list(dict.fromkeys(b.text for bases in grounds[row.id].values() for b in bases if b.is_law)),
            "photos": pictures.get(row.id, []),
        }
        for row in rows
    ]


def with_photos(hazards: Sequence[Shape], chosen: Mapping[UUID, Sequence[str]]) -> list[Shape]:
    """The hazards with the photos chosen for each, or the first two; NoticePhotoUnknown."""
    found = []
    for hazard in hazards:
        wanted = list(chosen.get(hazard["hazard_id"], hazard["photos"][:PHOTOS]))
        if not set(wanted) <= set(hazard["photos"]):
            raise NoticePhotoUnknown
        found.append({**hazard, "photos": wanted})
    return found


def declared_photos(ctx: RequestContext, rows: Sequence[Row[Any]]) -> dict[UUID, list[str]]:
    """By hazard: the hashes of the pictures declared by the visit that saw it last."""
    session, community_id = ctx.session, ctx.community_id
    visits: dict[UUID, UUID] = {}
    for row in rows:
        seen = Observation.results[row.chain][row.locus].astext == "present"
        latest = (
            select(Observation.visit_id)
            .where(Observation.community_id == community_id, Observation.place_id == row.place_id)
            .where(Observation.form == row.form, seen)
            .order_by(Observation.effective_ms.desc(), Observation.visit_id.desc())
        )
        visit_id = session.scalar(latest.limit(1))
        if visit_id is not None:
            visits[row.id] = visit_id
    declared = _declared_by(ctx, set(visits.values()))
    return {hazard_id: declared.get(visit_id, []) for hazard_id, visit_id in visits.items()}


def _declared_by(ctx: RequestContext, visit_ids: set[UUID]) -> dict[UUID, list[str]]:
    """The pictures that visits declare, as last corrected."""
    session, community_id, wanted = ctx.session, ctx.community_id, list(visit_ids)
    family = session.scalars(
        select(Record.id).where(
            Record.community_id == community_id,
            or_(Record.id == func.any(wanted), Record.root_id == func.any(wanted)),
        )
    ).all()
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    records = {str(record.id): record for record in load_records(session, sealer, community_id, family)}
    found: dict[UUID, list[str]] = {}
    for version in effective_versions(revisions(session, community_id, records.values())).effective:
        record = records.get(version.content_id or "")
        payload = {} if record is None or record.payload is None else record.payload
        pictures = [a for a in payload.get("attachments") or () if str(a.get("mime", "")).startswith("image/")]
        found[UUID(version.root_id)] = list(dict.fromkeys(str(a["sha256"]).lower() for a in pictures))
    return found


def draft(ctx: RequestContext, hazard_ids: Sequence[UUID]) -> Shape:
    """What to start a notice about these hazards from; nothing is stored and no number used."""
    rows = hazard_rows(ctx, hazard_ids)
    place = place_about(ctx, rows)
    return {
        "place_id": place.id,
        "address": address_of(place),
        "hazards": describe_hazards(ctx, rows),
        "deadline_ms": min(row.deadline_ms for row in rows),
        "requirement": REQUIREMENT,
        "interim": INTERIM,
    }


def address_of(place: Place) -> str:
    """How the place is written in a letter."""
    return place.address_raw or place.name
