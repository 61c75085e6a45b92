"""The simulated fleet against a server in memory: it passes a right one and finds each seeded bug."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from mobile_contract.conformance import (
    ALL_FAULTS,
    Fault,
    FleetOptions,
    FleetReport,
    Login,
    Mirror,
    parse_faults,
    run_fleet,
)
from mobile_contract.conformance.answers import answer_pools, can_be_hazard, is_hazard
from mobile_contract.conformance.notebook import make_uuid7
from mobile_contract.conformance.view import View
from mobile_contract.forms import validate_answers
from mobile_contract.sync.fields import is_uuid
from mobile_contract.sync.ordering import Revision
from tests.contract.sync.reference_server import Community, ReferenceServer, serve

ACCOUNTS = {"a": "one", "b": "one", "a2": "two", "b2": "two"}
LOGINS = [Login("a", "secret"), Login("b", "secret")]
MIRROR = Mirror([Login("a2", "secret"), Login("b2", "secret")])


class LosesAfterAck(ReferenceServer):
    """P1 broken: one record in fifty is acknowledged and forgotten."""

    def keep(self, community: Community, row: dict[str, Any]) -> str:
        status = super().keep(community, row)
        if status == "stored" and len(community.stored) % 50 == 49:
            del community.stored[row["id"]]
        return status


class KeepsEveryResend(ReferenceServer):
    """P2 broken: a resend is another record."""

    def keep(self, community: Community, row: dict[str, Any]) -> str:
        if row["id"] in community.stored:
            community.stored[f"{row['id']}+{len(community.stored)}"] = row
            return "duplicate"
        return super().keep(community, row)


class DoublesTasks(ReferenceServer):
    """P2 broken: a hazard is a task twice."""

    def tasks(self, community: Community) -> list[dict[str, Any]]:
        tasks = super().tasks(community)
        return tasks + [task | {"id": f"{task['id']}+"} for task in tasks[:1]]


class OrdersByArrival(ReferenceServer):
    """P3 broken: what came last counts as what happened last."""

    def _revision(self, row: dict[str, Any]) -> Revision:
        right = super()._revision(row)
        return Revision(
            right.key._replace(effective_ms=row["arrival"]),
            right.type, right.author_id, right.amends, right.voids, right.reason,
        )  # fmt: skip


class ForgetsVoids(ReferenceServer):
    """P3 broken: voided and amended visits stay in force."""

    def _revision(self, row: dict[str, Any]) -> Revision:
        right = super()._revision(row)
        return Revision(right.key, right.type, right.author_id)

    def _observe(self, community: Community, visit: dict[str, Any] | None, when: int, found: Any) -> None:
        if visit is not None:
            super()._observe(community, visit, when, found)

    def tasks(self, community: Community) -> list[dict[str, Any]]:
        for row in community.stored.values():
            row["data"].setdefault("visit", None)
        return super().tasks(community)


class Restarts(ReferenceServer):
    """Right, but every third request meets a server that is just starting."""

    def answer(self, path: str, body: dict[str, Any] | bytes, token: str | None) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.requests += 1
            if self.requests % 3 == 0:
                return 503, {"code": "unavailable"}
        return super().answer(path, body, token)


TWINS = [
    (LosesAfterAck, "P1", "every record is on the server"),
    (KeepsEveryResend, "P2", "records are counted once"),
    (DoublesTasks, "P2", "one task for each hazard"),
    (OrdersByArrival, "P3", "the same records in order give the same tasks"),
    (ForgetsVoids, "P3", "no task without an observation"),
]


@contextmanager
def running(server: ReferenceServer) -> Iterator[str]:
    http_server, url = serve(server)
    try:
        yield url
    finally:
        http_server.shutdown()
        http_server.server_close()


def play(server: ReferenceServer, **changes: Any) -> FleetReport:
    settings: dict[str, Any] = {"phones": 6, "days": 4, "seed": 3, "settle_s": 2, "poll_s": 0.05, "patience_s": 20}
    with running(server) as url:
        return run_fleet(FleetOptions(url, LOGINS, office=LOGINS[0], mirror=MIRROR, **(settings | changes)))


@pytest.mark.parametrize("faults", [frozenset(), ALL_FAULTS], ids=["calm", "all faults"])
def test_run_fleet_right_server_passes_every_check(faults: frozenset[Fault]) -> None:
    report = play(ReferenceServer(ACCOUNTS), faults=faults)
    failed = [row for row in report.check_rows() if row[2] == "FAILED"]
    assert (report.ok, failed) == (True, [])
    assert report.records > 200
    assert report.tasks > 20
    assert {check.promise for check in report.checks} == {"P1", "P2", "P3"}


@pytest.mark.parametrize(("twin", "promise", "name"), TWINS, ids=lambda value: getattr(value, "__name__", ""))
def test_run_fleet_seeded_bug_is_caught(twin: type[ReferenceServer], promise: str, name: str) -> None:
    report = play(twin(ACCOUNTS), visits_per_day=24)
    verdicts = {(check.promise, check.name): check.ok for check in report.checks}
    assert verdicts[promise, name] is False
    assert not report.ok


def test_run_fleet_server_that_restarts_is_waited_for() -> None:
    report = play(Restarts(ACCOUNTS), phones=3, days=2)
    assert report.ok
    assert report.counts["repeats"] > 5


def test_run_fleet_one_visit_in_ten_is_a_hazard() -> None:
    report = play(ReferenceServer(ACCOUNTS), faults=frozenset(), phones=4, days=3, visits_per_day=60)
    assert report.ok
    assert 0.04 < report.tasks / report.created["visit"] < 0.25


def test_run_fleet_server_that_is_gone_is_reported_not_raised() -> None:
    report = run_fleet(FleetOptions("http://127.0.0.1:9", LOGINS, phones=1, days=1, patience_s=0.2))
    assert not report.ok
    assert report.troubles


def test_answer_pools_are_valid_and_sorted_by_what_they_mean() -> None:
    for pool in answer_pools(5).values():
        assert bool(pool.hazards) == can_be_hazard(pool.form)
        assert pool.harmless
        for answers in (*pool.hazards, *pool.harmless):
            assert validate_answers(pool.form, answers) == []
        assert all(is_hazard(pool.form, answers) for answers in pool.hazards)
        assert not any(is_hazard(pool.form, answers) for answers in pool.harmless)


def test_parse_faults_names_and_refuses() -> None:
    assert parse_faults("all") == ALL_FAULTS
    assert parse_faults("none") == frozenset()
    assert parse_faults("late, cut") == {Fault.LATE, Fault.CUT}
    with pytest.raises(ValueError, match="typhoon"):
        parse_faults("typhoon")


def test_make_uuid7_sorts_by_time_and_has_its_version() -> None:
    rng = Random(1)
    ids = [make_uuid7(1_794_990_000_000 + step, rng) for step in range(50)]
    assert ids == sorted(ids)
    assert all(is_uuid(found) and found[14] == "7" and found[19] in "89ab" for found in ids)


def _change(op: str, rev: int, **data: Any) -> dict[str, Any]:
    return {"entity": "task", "id": "t", "op": op, "rev": rev, "data": data if op == "put" else None}


def _page(scope: str, *changes: dict[str, Any], reset: bool = False, has_more: bool = False) -> dict[str, Any]:
    return {"id": scope, "reset": reset, "cursor": "c", "has_more": has_more, "changes": list(changes)}


def test_view_row_that_moves_survives_in_either_order_of_pages() -> None:
    leaves, comes = _page("area:1", _change("del", 2)), _page("area:2", _change("put", 2, at=2))
    for order in ([leaves, comes], [comes, leaves]):
        view = View()
        view.allow(["area:1", "area:2"])
        view.apply(_page("area:1", _change("put", 1, at=1)))
        for page in order:
            view.apply(page)
        assert view.entities("task") == {"t": {"at": 2}}


def test_view_older_put_and_older_del_change_nothing() -> None:
    view = View()
    view.allow(["area:1"])
    view.apply(_page("area:1", _change("put", 5, at=5), _change("put", 4, at=4)))
    assert view.entities("task") == {"t": {"at": 5}}


def test_view_reset_swaps_only_when_the_snapshot_is_whole() -> None:
    view = View()
    view.allow(["area:1"])
    view.apply(_page("area:1", _change("put", 1, at=1)))
    view.apply(_page("area:1", reset=True, has_more=True))
    assert view.entities("task") == {"t": {"at": 1}}
    view.apply(_page("area:1"))
    assert view.entities("task") == {}


def test_view_scope_no_longer_allowed_is_dropped() -> None:
    view = View()
    view.allow(["area:1"])
    view.apply(_page("area:1", _change("put", 1, at=1)))
    view.allow(["area:2"])
    assert view.entities("task") == {}
    assert set(view.cursors) == {"area:2"}
