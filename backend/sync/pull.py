"""``POST /sync/v1/pull``: a snapshot of each scope first, then what changed since its beginning."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import clock
from backend.http.context import Actor, RequestContext
from backend.sync.cursors import Cursor, read_cursor
from backend.sync.epoch import server_facts
from backend.sync.feed import has_unnumbered, number_changes, positions
from backend.sync.feed_entities import FeedEntities, FeedEntity, FeedRow
from backend.sync.models import SyncChange
from backend.sync.requests import enter_named
from backend.sync.scopes import allowed_scopes
from backend.sync.stamps import safety, stamp

#: Rows a lister is asked for at once, whatever the limit.
CHUNK: Final = 1000


class ScopePage(NamedTuple):
    """One scope's part of an answer."""

    reset: bool
    cursor: Cursor
    has_more: bool
    changes: list[dict[str, Any]]


def pull(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Answer a loaded pull request. ``limit`` counts rows over all scopes, in the order asked."""
    actor, community_id = enter_named(ctx, body)
    session = ctx.session
    if has_unnumbered(session, community_id):
        number_changes(ctx.runtime.db, community_id)
    facts = server_facts(session)
    allowed = allowed_scopes(session, actor, community_id)
    reader = Reader(session, community_id, ctx.runtime.part(FeedEntities), facts.epoch, body, actor)
    left = body["limit"]
    scopes = []
    asked = [scope for scope in body["scopes"] if scope["id"] in allowed]
    for scope, start in zip(asked, reader.starts(asked), strict=True):
        page = reader.page(start, left)
        left -= len(page.changes)
        scopes.append({"id": scope["id"], **page._asdict(), "cursor": page.cursor.text()})
    now_ms = clock.now_ms(actor.clock_offset_ms)
    return {
        **stamp(ctx, body, facts, now_ms),
        **safety(facts, actor.clock_offset_ms),
        "allowed_scopes": list(allowed),
        "scopes": scopes,
    }


class Start(NamedTuple):
    """Where a scope's page begins; ``is_idle``: nothing changed since, told for all scopes by one query."""

    cursor: Cursor
    reset: bool
    is_idle: bool


class Reader:
    """Reads pages of one community's feed for one request."""

    def __init__(
        self,
        session: Session,
        community_id: UUID,
        entities: FeedEntities,
        epoch: str,
        body: dict[str, Any],
        actor: Actor,
    ) -> None:
        self.actor = actor
        self.session, self.community_id, self.entities = session, community_id, entities
        self.epoch, self.schema_version = epoch, body["schema_version"]
        # A phone that was told another epoch resets everything, whatever its cursors say.
        self.told_epoch = body.get("server_epoch")
        self.last, self.floor = positions(session, community_id)

    def starts(self, asked: Sequence[dict[str, Any]]) -> list[Start]:
        """Where each asked scope goes on."""
        found = [self._start(scope["id"], scope["cursor"]) for scope in asked]
        resting = {c.scope_id: c.pos for c, _ in found if not c.in_snapshot and c.pos < self.last}
        changed = self._changed(resting)
        return [
            Start(cursor, reset, not cursor.in_snapshot and cursor.scope_id not in changed) for cursor, reset in found
        ]

    def _start(self, scope_id: str, text: str | None) -> tuple[Cursor, bool]:
        cursor = None if text is None else read_cursor(text)
        fresh = Cursor(self.epoch, self.schema_version, scope_id, self.last, entity=0)
        if cursor is None or not self._is_usable(cursor, scope_id):
            return fresh, text is not None or self._was_elsewhere()
        return cursor, False

    def _was_elsewhere(self) -> bool:
        return self.told_epoch is not None and self.told_epoch != self.epoch

    def _is_usable(self, cursor: Cursor, scope_id: str) -> bool:
        return (
            cursor.epoch == self.epoch
            and not self._was_elsewhere()
            and cursor.scope_id == scope_id
            and cursor.schema_version >= self.schema_version
            and self.floor <= cursor.pos <= self.last
        )

    def _changed(self, resting: dict[str, int]) -> set[str]:
        if not resting:
            return set()
        rows = self.session.connection().exec_driver_sql(
            "SELECT a.scope FROM unnest(%(scopes)b::text[], %(places)b::bigint[]) AS a (scope, pos) "
            "WHERE EXISTS (SELECT 1 FROM sync_change c WHERE c.community_id = %(community)b "
            "AND c.scope_id = a.scope AND c.pos > a.pos)",
            {
                "scopes": list(resting),
                "places": list(resting.values()),
                "community": self.community_id,
            },
        )
        return {row[0] for row in rows}

    def page(self, start: Start, limit: int) -> ScopePage:
        """Up to ``limit`` rows of a scope: the rest of its snapshot, then changes."""
        cursor, changes = start.cursor, list[dict[str, Any]]()
        if start.is_idle:
            return ScopePage(start.reset, self._at(cursor, self.last), False, changes)
        entities = self.entities.of_scope(cursor.scope_id)
        while cursor.entity is not None and len(changes) < limit:
            index: int = cursor.entity
            if index >= len(entities):
                cursor = self._at(cursor, cursor.pos)
                break
            rows = self._listed(entities[index], cursor, limit - len(changes))
            changes += [self._put(entities[index], row) for row in rows]
            done = cursor._replace(entity=index + 1, after=None)
            cursor = cursor._replace(after=rows[-1].id) if rows else done
        if cursor.entity is not None or len(changes) >= limit:
            return ScopePage(start.reset, cursor, True, changes)
        reached, later = self._changes_after(cursor, limit - len(changes))
        return ScopePage(start.reset, self._at(cursor, reached), reached < self.last, changes + later)

    def _at(self, cursor: Cursor, pos: int) -> Cursor:
        """Out of the snapshot, at ``pos``. The schema is the one just asked for: a lower one resets nothing."""
        return cursor._replace(pos=pos, entity=None, after=None, schema_version=self.schema_version)

    def _listed(self, entity: FeedEntity, cursor: Cursor, limit: int) -> Sequence[FeedRow]:
        return entity.after(self.session, self.community_id, cursor.scope_id, cursor.after, min(limit, CHUNK))

    def _changes_after(self, cursor: Cursor, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """``(position reached, changes)``; of several changes of a row within the page only the last is sent."""
        rows: Sequence[Any] = self.session.execute(
            select(SyncChange.pos, SyncChange.entity, SyncChange.entity_id, SyncChange.op, SyncChange.rev)
            .where(SyncChange.community_id == self.community_id, SyncChange.scope_id == cursor.scope_id)
            .where(SyncChange.pos > cursor.pos, SyncChange.pos <= self.last)
            .order_by(SyncChange.pos)
            .limit(limit)
        ).all()
        reached = int(rows[-1][0]) if len(rows) == limit else self.last
        newest = {(row[1], row[2]): row for row in rows}
        ordered = sorted(newest.values(), key=lambda row: int(row[0]))
        return reached, self._loaded(cursor.scope_id, ordered)

    def _loaded(self, scope_id: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Each change with the row as it stands now; one load an entity."""
        asked: dict[str, list[str]] = {}
        for row in rows:
            if row.op == "put":
                asked.setdefault(row.entity, []).append(row.entity_id)
        loaded = {
            name: entity.load(self.session, self.community_id, ids)
            for name, ids in asked.items()
            if (entity := self.entities.find(name)) is not None
        }
        changes = []
        for row in rows:
            entity = self.entities.find(row.entity)
            if entity is None:
                continue
            now = loaded.get(row.entity, {}).get(row.entity_id)
            if now is not None and now.scope_id == scope_id:
                changes.append(self._put(entity, now))
            else:
                rev = row.rev if now is None else max(row.rev, now.rev)
                changes.append({"entity": row.entity, "id": row.entity_id, "op": "del", "rev": rev, "data": None})
        return changes

    def _put(self, entity: FeedEntity, row: FeedRow) -> dict[str, Any]:
        """A row as it stands and as the account may see it, for the wire."""
        data = entity.seen(row, self.actor).data
        return {"entity": entity.name, "id": row.id, "op": "put", "rev": row.rev, "data": data}
