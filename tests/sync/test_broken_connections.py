"""A push that breaks off in the middle leaves nothing half done, and the same bytes can be sent again."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

import backend.sync.intake as intake
import backend.sync.storing as storing
from backend.inspections.models import Record, RecordKey, WaitingOn
from backend.jobs.models import Job
from backend.sync.models import Quarantine
from tests.sync.conftest import World


def counts(world: World) -> tuple[int, ...]:
    with world.db.transaction([world.community_id]) as session:
        tables = (Record, RecordKey, WaitingOn, Quarantine)
        found = [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]
        jobs = session.scalar(select(func.count()).where(Job.community_id == world.community_id))
        return (*found, jobs or 0)


def cut(owner: Engine, session: Any) -> None:
    """End the transaction's own server process, as a crash would."""
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    with owner.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


@pytest.mark.parametrize("step", ["store_keys", "accept_held", "hold_refused"])
def test_push_cut_in_the_middle_leaves_nothing_and_can_be_sent_again(
    world: World, owner: Engine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    phone = world.phone()
    good, wrong, lost = (
        phone.visit(world.home),
        phone.visit(world.home, answers={"place": "moon"}),
        phone.visit("0197a000-0000-7000-8000-000000000003"),
    )
    body = phone.envelope([good, wrong, lost])
    module = storing if step == "store_keys" else intake
    real = getattr(module, step)

    def cutting(*args: Any, **kwargs: Any) -> Any:
        cut(owner, getattr(args[0], "session", args[0]))
        return real(*args, **kwargs)

    before = counts(world)
    with monkeypatch.context() as patch:
        patch.setattr(module, step, cutting)
        answer = phone.call("push", body)
    assert answer.status_code == 500
    assert counts(world) == before
    again = phone.call("push", body)
    assert [result["status"] for result in again.json["results"]] == ["stored", "quarantined", "stored"]
