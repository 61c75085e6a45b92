"""The floor: every row that a push commits, written by plain ``executemany`` and nothing else.

Which rows those are is not written down here but read from a real push: whatever any table holds that was written by
its transactions. The floor writes the same columns with the same contents, under new ids and for another community,
into the same tables under the same row level security. Columns that the database fills by itself, and those that are
always null, are left to it: that is less work for the floor, so the bar is higher.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from backend.db import new_id
from tests.bench.clients import Inserting
from tests.bench.stage import Community, Stage
from tests.bench.visits import Visits


@dataclass(frozen=True, slots=True)
class TableRows:
    """What one table gained: its statement, and the rows' values in its order."""

    table: str
    statement: str
    rows: list[list[Any]]


class Floor:
    """Rows of a sample push, and copies of them under new ids."""

    def __init__(self, tables: Sequence[TableRows], ids: frozenset[UUID], community: UUID) -> None:
        self.tables, self._ids, self._community = tables, ids, community

    @property
    def rows_by_table(self) -> dict[str, int]:
        """How many rows the sample push committed, by table."""
        return {table.table: len(table.rows) for table in self.tables}

    def work(self, stage: Stage, community: UUID, batches: int) -> Inserting:
        """What one client writes: ``batches`` transactions of as many rows as the sample push."""
        statements = [table.statement for table in self.tables]
        made = [self._copy(community) for _ in range(batches)]
        return Inserting(stage.conninfo, str(community), statements, made)

    def _copy(self, community: UUID) -> list[list[Sequence[Any]]]:
        fresh: dict[Any, Any] = {self._community: community}
        for old in self._ids:
            new = new_id()
            fresh[old], fresh[str(old)] = new, str(new)
        return [
            [[fresh.get(v, v) if isinstance(v, UUID | str) else v for v in row] for row in table.rows]
            for table in self.tables
        ]


def sample(stage: Stage, community: Community, visits: int) -> Floor:
    """Push ``visits`` visits and read back every row that the push wrote, in every table."""
    with stage.connect(community.id) as connection:
        doors = community.take_doors(visits)
        body = Visits(community.phone).body(doors)
        tables = _tables(connection)
        before = _next_transaction(connection)
        statuses = community.phone.push(body)
        if statuses != ["stored"] * visits:
            raise RuntimeError(f"the sample push was not stored: {statuses[:3]}")
        after = _next_transaction(connection)
        written = [_written(connection, table, before, after) for table in tables]
        ids = {row[0] for row in connection.execute("SELECT id FROM record WHERE place_id = ANY(%s)", [doors])}
    return Floor([table for table in written if table.rows], frozenset(ids | set(doors)), community.id)


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return sorted(row[0] for row in found)


def _next_transaction(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
    assert row is not None
    return int(row[0])


def _written(connection: psycopg.Connection[Any], table: str, before: int, after: int) -> TableRows:
    """The rows of ``table`` whose last writer is one of the transactions between."""
    named = sql.Identifier(table)
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            sql.SQL("SELECT * FROM {} WHERE xmin::text::bigint >= %s AND xmin::text::bigint < %s").format(named),
            [before, after],
        ).fetchall()
    attributes = connection.execute(
        "SELECT attname, atthasdef OR attidentity <> '', atttypid IN ('json'::regtype, 'jsonb'::regtype)"
        " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
        [table],
    ).fetchall()
    filled = {name for name, is_filled, _ in attributes if is_filled}
    json = {name for name, _, is_json in attributes if is_json}
    columns = [
        name for name in (found[0] if found else {}) if name not in filled and any(r[name] is not None for r in found)
    ]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        named, sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(sql.Placeholder() * len(columns))
    )
    rows = [
        [Jsonb(row[name]) if name in json and row[name] is not None else row[name] for name in columns] for row in found
    ]
    return TableRows(table, statement.as_string(connection), rows)
