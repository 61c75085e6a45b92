"""P6, the rows: row level security of every tenant table, the application's role, keys that lead with the tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Executable,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, ProgrammingError

from backend import schema
from backend.db import Ltree
from backend.settings import Settings
from tests.conftest import DatabaseMaker

GLOBAL = {
    "account",
    "token",
    "device",
    "device_account",
    "form_version",
    "rule_version",
    "calendar_day",
    "job",
    "server_state",
    "password_code",
    "alembic_version",
}
#: Facts that are only ever added; links of their chain are added by the database.
APPEND_ONLY, LINKS = "audit_event", "audit_link"
TENANT_TABLES = sorted((t for t in schema.metadata().tables.values() if t.name not in GLOBAL), key=lambda t: t.name)
SAMPLES = {
    Uuid: lambda: uuid4(),
    Text: lambda: uuid4().hex,
    BigInteger: lambda: 1,
    Integer: lambda: 1,
    Float: lambda: 1.0,
    Boolean: lambda: True,
    LargeBinary: lambda: b"x",
    DateTime: lambda: datetime.now(UTC),
    Date: lambda: date(2026, 1, 9),
    Ltree: lambda: "a",
}


@pytest.fixture
def owner(databases: DatabaseMaker, settings: Settings) -> Iterator[Engine]:
    engine = create_engine(databases.owner_of(settings.database_url), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def pool(settings) -> Iterator[Engine]:
    """One connection, so that each transaction reuses the one before."""
    engine = create_engine(settings.database_url, pool_size=1, max_overflow=0)
    yield engine
    engine.dispose()


@contextmanager
def access(pool: Engine, *communities: UUID) -> Iterator[Connection]:
    with pool.begin() as connection:
        if communities:
            value = "{" + ",".join(map(str, communities)) + "}"
            connection.execute(text("SELECT set_config('app.communities', :c, true)"), {"c": value})
        yield connection


def sample_row(table: Table, community_id: UUID) -> dict[str, object]:
    row: dict[str, object] = {"community_id": community_id}
    for column in table.columns:
        if column.name in row or column.computed is not None or column.identity is not None:
            continue
        if column.nullable or column.server_default is not None:
            continue
        row[column.name] = next((s() for kind, s in SAMPLES.items() if isinstance(column.type, kind)), {})
    return row


def refused(pool: Engine, statement: Executable, *communities: UUID) -> bool:
    """True when the statement fails, or when it touches nothing."""
    try:
        with access(pool, *communities) as connection:
            return connection.execute(statement).rowcount == 0
    except ProgrammingError as error:
        return "row-level security" in str(error) or "permission denied" in str(error)


def count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def check_isolated(pool: Engine, table: Table) -> None:
    """Rows of A are A's alone: for reading, writing, stealing, planting; without a setting there is nothing."""
    a, b = uuid4(), uuid4()
    mine = table.c.community_id == a
    with access(pool, a) as connection:
        connection.execute(insert(table).values(sample_row(table, a)))
        assert count(connection, table) == 1
    with access(pool) as connection:
        assert count(connection, table) == 0, "visible on a reused connection without a setting"
    with access(pool, b) as connection:
        assert count(connection, table) == 0, "visible to another community"
        connection.execute(insert(table).values(sample_row(table, b)))
        assert count(connection, table) == 1
    for others in ((b,), ()):
        assert refused(pool, insert(table).values(sample_row(table, a)), *others), "planted"
        assert refused(pool, update(table).where(mine).values(community_id=b), *others), "stolen"
        assert refused(pool, update(table).values(community_id=a), *others), "pushed over"
        assert refused(pool, delete(table).where(mine), *others), "deleted"
    with access(pool, a, b) as connection:
        assert count(connection, table) == 2
        assert connection.execute(select(func.count()).where(mine)).scalar_one() == 1
    if table.name != APPEND_ONLY:
        with access(pool, a, b) as connection:
            connection.execute(delete(table))


@pytest.mark.parametrize("table", [t for t in TENANT_TABLES if t.name != LINKS], ids=lambda t: t.name)
def test_rows_belong_to_one_community(pool: Engine, table: Table) -> None:
    check_isolated(pool, table)


def test_links_belong_to_one_community_and_are_nobodys_to_write(pool: Engine) -> None:
    tables = schema.metadata().tables
    events, links = tables[APPEND_ONLY], tables[LINKS]
    a, b = uuid4(), uuid4()
    with access(pool, a, b) as connection:
        for community_id in (a, a, b):
            connection.execute(insert(events).values(sample_row(events, community_id)))
    for seen, rows in (((a,), 2), ((b,), 1), ((a, b), 3), ((), 0)):
        with access(pool, *seen) as connection:
            assert count(connection, links) == rows
    assert refused(pool, insert(links).values(sample_row(links, a)), a)
    for table in (events, links):
        assert refused(pool, update(table).values(community_id=a), a)
        assert refused(pool, delete(table), a)


BROKEN_POLICIES = {
    "no policy at all": "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY",
    "everybody reads": "CREATE POLICY bug ON {t} FOR SELECT USING (true)",
    "everybody writes": "CREATE POLICY bug ON {t} FOR INSERT WITH CHECK (true)",
    "rows may be pushed over": "DROP POLICY tenant ON {t}; CREATE POLICY bug ON {t} USING (community_id = ANY "
    "(nullif(current_setting('app.communities', true), '')::uuid[])) WITH CHECK (true)",
    "second use of a connection raises": "DROP POLICY tenant ON {t}; CREATE POLICY bug ON {t} USING "
    "(community_id = ANY (current_setting('app.communities', true)::uuid[]))",
    "no setting means everything": "DROP POLICY tenant ON {t}; CREATE POLICY bug ON {t} USING "
    "(coalesce(current_setting('app.communities', true), '') = '' OR community_id = ANY "
    "(nullif(current_setting('app.communities', true), '')::uuid[]))",
}


@pytest.mark.parametrize("bug", BROKEN_POLICIES)
def test_check_finds_a_broken_policy(databases: DatabaseMaker, bug: str) -> None:
    name = "hazard"
    url = databases.make()
    engine, table = create_engine(databases.owner_of(url), isolation_level="AUTOCOMMIT"), schema.metadata().tables[name]
    with engine.connect() as connection:
        for statement in BROKEN_POLICIES[bug].split(";"):
            connection.execute(text(statement.format(t=name)))
    engine.dispose()
    pool = create_engine(url, pool_size=1, max_overflow=0)
    with pytest.raises(DBAPIError if bug.endswith("raises") else AssertionError):
        check_isolated(pool, table)
    pool.dispose()


def run(pool: Engine, statements: str) -> None:
    with pool.begin() as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))


def untenanted(owner: Engine) -> set[str]:
    """What in the catalogue breaks the tenancy: tables without forced security, keys not led by the tenant."""
    found = set()
    secured = text("SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relkind IN ('r', 'p')")
    with owner.connect() as connection:
        forced = {row[0]: row[1] for row in connection.execute(secured)}
    catalogue = inspect(owner)
    for table in set(catalogue.get_table_names()) - GLOBAL:
        if not forced[table]:
            found.add(f"{table}: row level security is not forced")
        keys = [catalogue.get_pk_constraint(table)["constrained_columns"]]
        keys += [u["column_names"] for u in catalogue.get_unique_constraints(table)]
        keys += [i["column_names"] for i in catalogue.get_indexes(table) if i["unique"]]
        found |= {f"{table}: key {key}" for key in keys if not key or key[0] != "community_id"}
    return found


def test_tenant_tables_are_secured_and_keyed_by_the_tenant(owner: Engine) -> None:
    assert untenanted(owner) == set()


def test_check_finds_tables_that_break_the_tenancy(databases: DatabaseMaker) -> None:
    engine = create_engine(databases.owner_of(databases.make()), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE stray (id uuid PRIMARY KEY)"))
        connection.execute(text("CREATE UNIQUE INDEX leak ON hazard (id)"))
        connection.execute(text("ALTER TABLE membership NO FORCE ROW LEVEL SECURITY"))
    found = untenanted(engine)
    engine.dispose()
    assert found == {
        "stray: row level security is not forced",
        "stray: key ['id']",
        "hazard: key ['id']",
        "membership: row level security is not forced",
    }


def test_application_role_owns_nothing_and_may_do_little(owner: Engine, pool: Engine) -> None:
    with owner.connect() as connection:
        role = connection.execute(
            text("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'saolou_app'")
        ).one()
        assert not any(role)
        owned = text("SELECT count(*) FROM pg_class WHERE relowner = 'saolou_app'::regrole")
        assert connection.execute(owned).scalar_one() == 0
        member = text("SELECT pg_has_role('saolou_app', 'saolou_owner', 'MEMBER')")
        assert connection.execute(member).scalar_one() is False
    for forbidden in (
        "SET ROLE saolou_owner",
        "SET row_security = off; SELECT * FROM hazard",
        "ALTER TABLE hazard DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON hazard",
        "TRUNCATE hazard",
        "CREATE TABLE mine (id int)",
    ):
        with pytest.raises(DBAPIError):
            run(pool, forbidden)


def test_account_reads_its_own_memberships_everywhere_but_writes_none(pool: Engine) -> None:
    table = schema.metadata().tables["membership"]
    a, account = uuid4(), uuid4()
    with access(pool, a) as connection:
        connection.execute(insert(table).values(sample_row(table, a) | {"account_id": account}))
        connection.execute(insert(table).values(sample_row(table, a)))
    with pool.begin() as connection:
        connection.execute(text("SELECT set_config('app.account', :a, true)"), {"a": str(account)})
        assert connection.execute(select(table.c.account_id)).scalars().all() == [account]
        assert connection.execute(update(table).values(role="administrator")).rowcount == 0
        assert connection.execute(delete(table)).rowcount == 0
    with pool.begin() as connection:
        assert count(connection, table) == 0
