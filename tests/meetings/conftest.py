"""An office that makes papers: a real database, and a doorbell that only remembers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from backend.db import Database
from backend.forms.catalogue import FormCatalogue
from backend.forms.service import publish_shipped
from backend.http.context import Runtime
from backend.identity.audit import note_write
from backend.identity.authentication import authenticate
from backend.identity.keys import Keyring
from backend.meetings import making, paper_files, queries, service
from backend.meetings.models import Paper, PaperFile
from backend.meetings.periods import Period, period_of
from backend.settings import Settings
from tests.factories.identity import make_community
from tests.factories.meetings import History, write_history

WEEK = period_of("weekly", date(2026, 11, 18))
ACTOR = UUID(int=7)


@dataclass
class SilentBell:
    rung: list[tuple[str, UUID]] = field(default_factory=list)

    def ring(self, kind: str, community_id: UUID) -> None:
        self.rung.append((kind, community_id))


@dataclass
class Office:
    """One community's papers, as its worker and its committee handle them. The clock stands after ``WEEK``."""

    db: Database
    runtime: Runtime
    community: UUID

    @property
    def now_ms(self) -> int:
        return WEEK.end_ms + 7 * 3_600_000

    def write(self, history: History) -> None:
        with self.db.transaction([self.community]) as session:
            write_history(session, self.community, history)

    def request(self, period: Period = WEEK) -> UUID:
        with self.db.transaction([self.community]) as session:
            return service.request_paper(session, self.community, period, period.end_ms, ACTOR).id

    def make(self, period: Period = WEEK) -> UUID:
        """Asks for a paper and makes it as the worker would."""
        paper_id = self.request(period)
        with self.db.transaction([self.community], isolation="REPEATABLE READ") as session:
            making.make_paper(session, self.runtime, self.community, paper_id)
        return paper_id

    def issue(self, paper_id: UUID, now_ms: int | None = None) -> None:
        with self.db.transaction([self.community]) as session:
            service.issue_paper(session, self.runtime, self.community, paper_id, now_ms or self.now_ms, ACTOR)

    def issued(self, period: Period = WEEK) -> UUID:
        paper_id = self.make(period)
        self.issue(paper_id, period.end_ms + 7 * 3_600_000)
        return paper_id

    def documents(self, paper_id: UUID) -> dict[str, bytes]:
        """A paper's documents by format, made as the worker would make those that are missing."""
        with self.db.transaction([self.community]) as session:
            paper_files.make_files(session, self.runtime, self.community, paper_id)
            found = session.scalars(select(PaperFile).filter_by(community_id=self.community, paper_id=paper_id))
            return {file.format: file.body for file in found}

    def paper(self, paper_id: UUID) -> Paper:
        with self.db.transaction([self.community]) as session:
            return queries.get_paper(session, self.community, paper_id)


@pytest.fixture(scope="module")
def runtime(settings: Settings, db: Database) -> Runtime:
    with db.transaction() as session:
        publish_shipped(session, 0)
    parts = (Keyring(settings.secret_key), FormCatalogue())
    return Runtime(settings, db, SilentBell(), authenticate, note_write, parts)


@pytest.fixture
def office(db: Database, runtime: Runtime) -> Office:
    """A community whose clock stands far enough ahead that every period of the tests is over."""
    ahead = timedelta(days=3650)
    return Office(db, runtime, make_community(db, clock_offset_ms=int(ahead.total_seconds() * 1000)))


@pytest.fixture
def owner(db: Database, settings: Settings) -> Iterator[Database]:
    """The role that owns the tables; row level security binds it too."""
    database = Database(settings.database_owner_url or "")
    yield database
    database.dispose()


def run_sql(db: Database, community: UUID, statement: str, **values: object) -> None:
    """One statement of a meddler's."""
    with db.transaction([community]) as session:
        session.execute(text(statement), values)
