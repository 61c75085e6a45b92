"""Work orders (交办单): one building, one responsible party, one closing role. Drafts are a view; issuing is a fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from backend.db import new_id
from backend.forms.catalogue import FormCatalogue
from backend.hazards.models import Hazard
from backend.hazards.numbering import next_number
from backend.http.context import RequestContext
from backend.identity.audit import audit
from backend.identity.keys import Keyring, Sealed
from backend.identity.models import Account
from backend.inspections.models import RecordKey
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.rectification.errors import WorkOrderEmpty, WorkOrderNotFound
from backend.rectification.grounds import grounds_in_force
from backend.rectification.models import IssuedOrder, IssuedOrderItem, RectificationTask
from backend.rectification.presenting import RuleTitles, Shape, place_of, task_line
from backend.rectification.queries import select_tasks
from backend.rectification.step_bodies import open_steps
from mobile_contract.rules import Basis

SERIES = "JB"
Task = RectificationTask


@dataclass(frozen=True, slots=True)
class DraftKey:
    """What a work order is for. ``site_id``: the building, or the place itself where there is none."""

    site_id: UUID
    responsible_party_key: str
    closer: str


def _site() -> ColumnElement[UUID]:
    return func.coalesce(Hazard.building_id, Hazard.place_id)


def _is_draft() -> ColumnElement[bool]:
    """Assigned, and not yet on an order as it is assigned now."""
    issued = exists().where(
        IssuedOrderItem.community_id == Hazard.community_id,
        IssuedOrderItem.hazard_id == Hazard.id,
        IssuedOrderItem.assign_step_id == Task.assign_step_id,
    )
    return and_(Hazard.state == "assigned", Task.responsible_party_key.is_not(None), ~issued)


def list_drafts(ctx: RequestContext, after: DraftKey | None, limit: int) -> list[tuple[DraftKey, Shape]]:
    """Up to ``limit + 1`` drafts by building, party and closer, each with its tasks."""
    key = (_site(), Task.responsible_party_key, Task.closer)
    found = (
        select(*key, func.array_agg(aggregate_order_by(Hazard.id, Hazard.deadline_ms)).label("hazards"))
        .select_from(Hazard)
        .join(Task, and_(Task.community_id == Hazard.community_id, Task.hazard_id == Hazard.id))
        .join(Place, and_(Place.community_id == Hazard.community_id, Place.id == Hazard.place_id))
        .where(Hazard.community_id == ctx.community_id, in_scope(ctx.actor.scope_paths), _is_draft())
        .group_by(*key)
    )
    if after is not None:
        found = found.having(tuple_(*key) > (after.site_id, after.responsible_party_key, after.closer))
    groups = [
        (DraftKey(site_id, party or "", closer), hazards)
        for site_id, party, closer, hazards in ctx.session.execute(found.order_by(*key).limit(limit + 1))
    ]
    wanted = [hazard_id for _, hazards in groups for hazard_id in hazards]
    rows = {row.id: row for row in _tasks(ctx, Hazard.id == func.any(wanted))}
    return _draft_shapes(ctx, [(key, [rows[i] for i in hazards if i in rows]) for key, hazards in groups])


def _tasks(ctx: RequestContext, *conditions: ColumnElement[bool]) -> Sequence[Row[Any]]:
    found: Select[Any] = select_tasks(ctx.community_id, ctx.actor.scope_paths).where(*conditions)
    return ctx.session.execute(found.order_by(Hazard.deadline_ms, Hazard.id)).all()


def _draft_shapes(
    ctx: RequestContext, groups: Sequence[tuple[DraftKey, Sequence[Row[Any]]]]
) -> list[tuple[DraftKey, Shape]]:
    steps = {rows[0].assign_step_id for _, rows in groups if rows}
    sealer = ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)
    bodies = open_steps(ctx.session, sealer, ctx.community_id, steps)
    titles = RuleTitles(ctx.session, ctx.runtime.part(FormCatalogue))
    sites = _sites(ctx, {key.site_id for key, _ in groups})
    shapes = []
    for key, rows in groups:
        body = bodies.get(rows[0].assign_step_id, {}) if rows else {}
        shape = {
            "building": sites[key.site_id],
            "responsible_party_key": key.responsible_party_key,
            "responsible_party": body.get("responsible_party"),
            "closer": key.closer,
            "tasks": [task_line(row, titles, ctx.now_ms) for row in rows],
        }
        shapes.append((key, shape))
    return shapes


def _sites(ctx: RequestContext, ids: set[UUID]) -> dict[UUID, Shape]:
    found = select(Place.id, Place.kind, Place.name, Place.field_code.label("code"), Place.address_raw)
    rows = ctx.session.execute(found.where(Place.community_id == ctx.community_id, Place.id == func.any(list(ids))))
    return {row.id: dict(row._mapping) for row in rows}


def issue_order(ctx: RequestContext, key: DraftKey) -> UUID:
    """Give a draft its number and freeze it; returns the order's id. WorkOrderEmpty when nothing is left in it.

    The series is locked first: of two who issue one draft at once, the second finds it empty.
    """
    session, community_id = ctx.session, ctx.community_id
    number = next_number(session, community_id, SERIES, ctx.now_ms)
    rows = _tasks(
        ctx,
        _site() == key.site_id,
        Task.responsible_party_key == key.responsible_party_key,
        Task.closer == key.closer,
        _is_draft(),
    )
    if not rows:
        raise WorkOrderEmpty
    order_id = new_id()
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    sealed = sealer.seal(order_id, orjson.dumps(_snapshot(ctx, number, key, rows)))
    session.execute(
        insert(RecordKey).values(
            community_id=community_id, record_id=order_id, key_version=sealed.key_version, wrapped=sealed.wrapped
        )
    )
    session.add(
        IssuedOrder(
            community_id=community_id,
            id=order_id,
            number=number,
            building_id=key.site_id,
            closer=key.closer,
            snapshot=sealed.body,
            issued_ms=ctx.now_ms,
            issued_by=ctx.actor.account_id,
        )
    )
    items = [{"order_id": order_id, "hazard_id": row.id, "assign_step_id": row.assign_step_id} for row in rows]
    session.execute(insert(IssuedOrderItem), [{"community_id": community_id, **item} for item in items])
    session.flush()
    audit(
        session,
        community_id,
        "order_issued",
        f"order:{order_id}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        number=number,
        tasks=len(rows),
    )
    return order_id


def _snapshot(ctx: RequestContext, number: str, key: DraftKey, rows: Sequence[Row[Any]]) -> Shape:
    """The order as it is handed over. Only grounds that are law, and hold in the case, are printed as such."""
    sealer = ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)
    bodies = open_steps(ctx.session, sealer, ctx.community_id, {row.assign_step_id for row in rows})
    titles = RuleTitles(ctx.session, ctx.runtime.part(FormCatalogue))
    grounds = grounds_in_force(ctx, rows)
    party = next((b.get("responsible_party") for b in bodies.values()), None)
    return {
        "number": number,
        "building": _sites(ctx, {key.site_id})[key.site_id],
        "responsible_party": party,
        "closer": key.closer,
        "issued_ms": ctx.now_ms,
        "issued_by": ctx.actor.name,
        "items": [_item(row, titles, grounds[row.id], bodies.get(row.assign_step_id, {})) for row in rows],
    }


def _item(row: Row[Any], titles: RuleTitles, grounds: Mapping[str, Sequence[Basis]], body: Shape) -> Shape:
    law = dict.fromkeys(basis.text for bases in grounds.values() for basis in bases if basis.is_law)
    return {
        "hazard_id": row.id,
        "number": row.number,
        "place": place_of(row),
        "title": titles.title_of(row.form, row.rule_version, row.rules, row.chain),
        "severity": row.severity,
        "deadline_ms": row.deadline_ms,
        "measures": body.get("measures"),
        "law": list(law),
    }


_ITEMS = (
    select(func.count())
    .where(IssuedOrderItem.community_id == IssuedOrder.community_id, IssuedOrderItem.order_id == IssuedOrder.id)
    .correlate(IssuedOrder)
    .scalar_subquery()
    .label("tasks")
)


def _issued(ctx: RequestContext) -> Select[Any]:
    here = and_(Place.community_id == IssuedOrder.community_id, Place.id == IssuedOrder.building_id)
    columns: tuple[Any, ...] = (
        *(IssuedOrder.id, IssuedOrder.number, IssuedOrder.closer, IssuedOrder.issued_ms, IssuedOrder.issued_by),
        *(IssuedOrder.snapshot, IssuedOrder.building_id, Place.name.label("building_name"), _ITEMS),
        Account.name.label("issuer_name"),
    )
    return (
        select(*columns)
        .join(Place, here)
        .outerjoin(Account, Account.id == IssuedOrder.issued_by)
        .where(IssuedOrder.community_id == ctx.community_id, in_scope(ctx.actor.scope_paths))
    )


def list_issued(ctx: RequestContext, before: tuple[int, UUID] | None, limit: int) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` issued orders, newest first."""
    found = _issued(ctx)
    if before is not None:
        found = found.where(tuple_(IssuedOrder.issued_ms, IssuedOrder.id) < before)
    return ctx.session.execute(
        found.order_by(IssuedOrder.issued_ms.desc(), IssuedOrder.id.desc()).limit(limit + 1)
    ).all()


def get_issued(ctx: RequestContext, order_id: UUID) -> tuple[Row[Any], Shape | None]:
    """An issued order with its snapshot (None once lawfully erased); WorkOrderNotFound."""
    row = ctx.session.execute(_issued(ctx).where(IssuedOrder.id == order_id)).one_or_none()
    if row is None:
        raise WorkOrderNotFound
    return row, _opened(ctx, row)


def _opened(ctx: RequestContext, row: Row[Any]) -> Shape | None:
    key = ctx.session.get(RecordKey, (ctx.community_id, row.id))
    if key is None:
        return None
    sealer = ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)
    snapshot: Shape = orjson.loads(sealer.open(row.id, Sealed(row.snapshot, key.key_version, key.wrapped)))
    return snapshot
