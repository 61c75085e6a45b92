"""回头看: a seeded draw over what was struck off, kept so that anybody can draw the same again."""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select

from backend.db import new_id
from backend.errors import Conflict, NotFound
from backend.hazards.models import Hazard
from backend.http.context import RequestContext
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.jobs import ledger
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.rectification.models import RecheckDraw, RecheckItem


class NothingToDraw(Conflict):
    """Nothing was struck off in that time within the caller's places."""


class RecheckNotFound(NotFound):
    pass


add_messages(
    {
        "nothing_to_draw": ("该时段没有已销号的隐患可抽查。", "Nothing was struck off in that time."),
        "recheck_not_found": ("没有找到该次抽查。", "There is no such draw."),
    }
)


def draw(seed: int, population: Sequence[UUID], count: int) -> list[UUID]:
    """The ``count`` of ``population`` whose SHA-256 of ``seed|id`` is smallest: drawn again with any tool."""
    return sorted(population, key=lambda hazard: sha256(f"{seed}|{hazard}".encode()).digest())[:count]


def make_draw(ctx: RequestContext, from_ms: int, to_ms: int, count: int, seed: int | None = None) -> UUID:
    """Draw ``count`` of the hazards struck off from ``from_ms`` to ``to_ms`` within the caller's places.

    Their places are compiled, so that phones are told. Raises NothingToDraw.
    """
    session, community_id = ctx.session, ctx.community_id
    found = session.execute(
        select(Hazard.id, Hazard.place_id)
        .join(Place, (Place.community_id == Hazard.community_id) & (Place.id == Hazard.place_id))
        .where(Hazard.community_id == community_id, Hazard.state == "closed", in_scope(ctx.actor.scope_paths))
        .where(Hazard.closed_ms >= from_ms, Hazard.closed_ms <= to_ms)
    )
    place_of = {row.id: row.place_id for row in found}
    if not place_of:
        raise NothingToDraw
    seed = secrets.randbits(52) if seed is None else seed
    population, draw_id = sorted(place_of), new_id()
    drawn = draw(seed, population, count)
    here: dict[str, Any] = {"community_id": community_id, "drawn_ms": ctx.now_ms}
    said = {"seed": seed, "closed_from_ms": from_ms, "closed_to_ms": to_ms, "population": population}
    session.execute(insert(RecheckDraw).values(**here, id=draw_id, drawn_by=ctx.actor.account_id, **said))
    items = [{**here, "draw_id": draw_id, "hazard_id": hazard, "n": n} for n, hazard in enumerate(drawn, 1)]
    session.execute(insert(RecheckItem), items)
    told = {"seed": str(seed), "population": len(population), "drawn": len(drawn)}
    audit(
        session,
        community_id,
        "recheck_drawn",
        f"recheck:{draw_id}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **told,
    )
    ledger.want(session, "compile", community_id, sorted({str(place_of[hazard]) for hazard in drawn}))
    return draw_id


def _may_see(ctx: RequestContext) -> list[ColumnElement[bool]]:
    """Whoever draws within a part of the community sees the own draws: others' name hazards from elsewhere."""
    here = RecheckDraw.community_id == ctx.community_id
    return [here, RecheckDraw.drawn_by == ctx.actor.account_id] if ctx.actor.scope_paths else [here]


def read_draw(ctx: RequestContext, draw_id: UUID) -> dict[str, Any]:
    """A draw with what was drawn, in order, and whether drawing again gives the same. RecheckNotFound."""
    session, community_id = ctx.session, ctx.community_id
    row = session.scalars(select(RecheckDraw).where(*_may_see(ctx), RecheckDraw.id == draw_id)).one_or_none()
    if row is None:
        raise RecheckNotFound
    drawn = session.scalars(
        select(RecheckItem.hazard_id)
        .where(RecheckItem.community_id == community_id, RecheckItem.draw_id == draw_id)
        .order_by(RecheckItem.n)
    ).all()
    again = draw(row.seed, row.population, len(drawn))
    return {**_line(row), "drawn": list(drawn), "reproducible": again == list(drawn), "population": row.population}


def list_draws(ctx: RequestContext, before: tuple[int, UUID] | None, limit: int) -> list[dict[str, Any]]:
    """Up to ``limit + 1`` draws, the newest first."""
    found = select(RecheckDraw).where(*_may_see(ctx))
    if before is not None:
        earlier = (RecheckDraw.drawn_ms < before[0]) | (
            (RecheckDraw.drawn_ms == before[0]) & (RecheckDraw.id < before[1])
        )
        found = found.where(earlier)
    rows = ctx.session.scalars(found.order_by(RecheckDraw.drawn_ms.desc(), RecheckDraw.id.desc()).limit(limit + 1))
    return [_line(row) for row in rows]


def _line(row: RecheckDraw) -> dict[str, Any]:
    return {
        "id": row.id,
        "seed": str(row.seed),
        "drawn_ms": row.drawn_ms,
        "drawn_by": row.drawn_by,
        "closed_from_ms": row.closed_from_ms,
        "closed_to_ms": row.closed_to_ms,
        "population_size": len(row.population),
    }
