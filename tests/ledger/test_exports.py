"""Exports of the ledger: asked for over HTTP, made by the worker, fetched, brought back in."""

import gc
import hashlib
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from backend import clock
from backend.db import Database
from backend.ledger import exports, sheet
from backend.ledger.columns import Cells
from backend.ledger.sheet import read_ledger
from tests.factories.records import CHARGING_EBIKE
from tests.factories.sweeps import Person, Sweep

SUPERVISOR = "区应急管理局"


def work(sweep: Sweep, export_id: str) -> None:
    """Make an export as the worker would."""
    with sweep.db.transaction([sweep.community_id], isolation="REPEATABLE READ") as session:
        exports.make_export(session, sweep.runtime, sweep.community_id, UUID(export_id))


def export(sweep: Sweep, person: Person, **params: Any) -> bytes:
    """Ask for the ledger, have it made, and fetch it."""
    asked = person.post("/ledger/exports", params)
    assert asked.status_code == 202, asked.get_data(as_text=True)
    export_id = asked.json["id"]
    assert person.get(f"/ledger/exports/{export_id}.xlsx").json["code"] == "export_not_ready"
    work(sweep, export_id)
    ready = person.get(f"/ledger/exports/{export_id}").json
    found = person.get(f"/ledger/exports/{export_id}.xlsx")
    assert found.status_code == 200
    assert (ready["state"], ready["size"]) == ("ready", len(found.data))
    assert (ready["progress"]["stage"], ready["progress"]["total"]) == ("made", ready["rows"])
    return bytes(found.data)


def bring_in(person: Person, path: str, content: bytes) -> Any:
    return person.app.test_client().post(
        f"/api/v1/ledger/{path}",
        data=content,
        headers={**person.headers, "Content-Type": exports.XLSX},
    )


@pytest.fixture
def committee(sweep: Sweep) -> Person:
    """With three hazards: one assigned and grave, one that is being put right, one in the other grid."""
    committee = sweep.person("committee")
    first, second, third, _ = sweep.tree.households
    committee.take("assign", sweep.hazard(first, answers=CHARGING_EBIKE), severity="red")
    hazard = sweep.hazard(second)
    committee.take("assign", hazard)
    committee.take("accept", hazard)
    committee.take("submit", hazard)
    sweep.hazard(third)
    return committee


def test_export_says_what_happened_with_persons_masked(sweep: Sweep, committee: Person) -> None:
    lines = read_ledger(export(sweep, committee))
    assert [line["n"] for line in lines] == ["1", "2", "3"]
    by_state = {line["state"]: line for line in lines}
    assigned, review, registered = by_state["已交办"], by_state["待复查"], by_state["已登记"]
    assert assigned["severity"] == "重大"
    assert assigned["category"] == "电动车消防"
    assert assigned["description"].startswith("高层公共部位违规充电（楼梯间，3")
    assert assigned["responsible"] == "王*"
    assert assigned["measures"] == "移走车辆，电话138****8000"
    assert assigned["funds"] == "住户自筹"
    assert (review["photos_after"], review["photos_before"], review["fixed_on"]) == ("1张", "", "")
    assert registered["responsible"] == ""
    assert all(line["grid"] and line["place"] and line["number"].startswith("福泉-") for line in lines)
    assert "501" not in str([line["place"] for line in lines])


def test_export_is_limited_to_the_callers_places_and_to_what_was_asked(sweep: Sweep, committee: Person) -> None:
    head = sweep.person("grid_head", sweep.tree.grids[1])
    assert len(read_ledger(export(sweep, head))) == 1
    now_ms = clock.now_ms()
    assert len(read_ledger(export(sweep, committee, from_ms=now_ms))) == 0
    assert len(read_ledger(export(sweep, committee, to_ms=now_ms, open_only=True))) == 3


def test_export_of_another_is_not_to_be_had(sweep: Sweep, committee: Person) -> None:
    export_id = committee.post("/ledger/exports", {}).json["id"]
    work(sweep, export_id)
    other = sweep.person("committee")
    for path in (f"/ledger/exports/{export_id}", f"/ledger/exports/{export_id}.xlsx"):
        assert other.get(path).json["code"] == "export_not_found"


def test_forget_exports_after_a_week(sweep: Sweep, committee: Person) -> None:
    export_id = committee.post("/ledger/exports", {}).json["id"]
    work(sweep, export_id)
    day_ms = clock.DAY_MS
    for later, status in ((6 * day_ms, 200), (8 * day_ms, 404)):
        with sweep.db.transaction([sweep.community_id]) as session:
            exports.forget_exports(session, sweep.community_id, clock.now_ms() + later)
        assert committee.get(f"/ledger/exports/{export_id}").status_code == status
    assert sweep.counts("export", "export_chunk") == {"export": 0, "export_chunk": 0}


def rewritten(content: bytes, tmp_path: Path, change: Any) -> bytes:
    """The ledger as somebody saved it after a change."""
    lines = read_ledger(content)
    change(lines)
    file = tmp_path / "edited.xlsx"
    sheet.write_ledger(file, sheet.Heading("台账", "我", "今天", clock.utc(0)), lines)
    return file.read_bytes()


def test_import_unchanged_finds_every_line_the_same(sweep: Sweep, committee: Person) -> None:
    content = export(sweep, committee)
    report = bring_in(committee, "dry-run", content).json
    assert report == {
        **{"lines": 3, "same": 3, "kept": 0},
        **{"strange": [], "strange_total": 0, "differences": [], "differences_total": 0},
    }


def test_import_keeps_remarks_and_tells_everything_else(sweep: Sweep, committee: Person, tmp_path: Path) -> None:
    def edit(lines: list[Cells]) -> None:
        lines[0] |= {"remark": "已上报街道", "supervising_body": SUPERVISOR, "supervisor": "石小满"}
        lines[1]["state"] = "已销号"
        lines[2]["number"] = "别处-0001"

    content = rewritten(export(sweep, committee), tmp_path, edit)
    tried = bring_in(committee, "dry-run", content).json
    assert sweep.counts("ledger_remark") == {"ledger_remark": 0}
    done = bring_in(committee, "import", content).json
    assert done == tried
    assert (done["kept"], done["same"], done["strange"]) == (1, 0, ["别处-0001"])
    [difference] = done["differences"]
    assert (difference["column"], difference["file"]) == ("整改状态", "已销号")
    after = read_ledger(export(sweep, committee))
    assert (after[0]["remark"], after[0]["supervising_body"]) == ("已上报街道", SUPERVISOR)
    assert after[1]["state"] != "已销号"
    assert bring_in(committee, "import", content).json["kept"] == 0
    with sweep.db.transaction([sweep.community_id]) as session:
        assert SUPERVISOR.encode() not in b"".join(session.scalars(text("SELECT sealed FROM ledger_remark")))


def test_import_beyond_ones_grid_is_strange(sweep: Sweep, committee: Person) -> None:
    head = sweep.person("grid_head", sweep.tree.grids[1])
    report = bring_in(head, "dry-run", export(sweep, committee)).json
    # The numbering of lines within the file is nobody's difference.
    assert (report["same"], report["strange_total"]) == (1, 2)
    viewer = sweep.person("viewer")
    assert bring_in(viewer, "import", b"").status_code == 403
    assert bring_in(committee, "import", b"no workbook").json["code"] == "ledger_unreadable"


MANY = """
INSERT INTO hazard (community_id, id, place_id, grid_id, building_id, form, chain, locus, rules, rule_version, severity,
                    service_gap, state, cycle, registered_ms, deadline_ms, last_present_ms, contradicted)
SELECT community_id, md5('many' || n)::uuid, id, grid_id, building_id, 'ebike_charging', 'EBC-ROUTE', n::text,
       '{EBC-02}', 1, 'orange', false, 'registered', 1, n, 4000000000000, n, false
FROM generate_series(1, :many) n, (SELECT * FROM place WHERE community_id = :cid AND kind = 'household' LIMIT 1) p
"""
NUMBERED = """
INSERT INTO ledger_number (community_id, hazard_id, number, form, year, seq, place_id, chain, locus)
SELECT community_id, id, 'M-' || locus, form, 2020, locus::int, place_id, chain, locus FROM hazard
WHERE community_id = :cid AND registered_ms < 10000000
"""


def add_many(db: Database, community_id: UUID, many: int) -> None:
    """Hazards by the thousand."""
    with db.transaction([community_id]) as session:
        for statement in (MANY, NUMBERED):
            session.execute(text(statement), {"cid": community_id, "many": many})


def peak_of(sweep: Sweep, committee: Person) -> tuple[int, int]:
    """Lines of an export of everything, and the most bytes that Python held more than before while it was made."""
    export_id = committee.post("/ledger/exports", {}).json["id"]
    tracemalloc.start()
    try:
        work(sweep, export_id)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return committee.get(f"/ledger/exports/{export_id}").json["rows"], peak


MANY_LINES = 6_000
#: A batch of lines, a chunk of the file, and what is loaded once.
BOUND = 7 * 1024 * 1024


def check_bounded(sweep: Sweep, committee: Person) -> None:
    """An export of very many lines needs no more memory than one of a batch or two."""
    add_many(sweep.db, sweep.community_id, MANY_LINES)
    rows, peak = peak_of(sweep, committee)
    assert rows == MANY_LINES + 3
    assert peak < BOUND, peak


def test_export_is_bounded_in_memory(sweep: Sweep, committee: Person) -> None:
    check_bounded(sweep, committee)


def test_export_that_gathers_its_lines_is_caught(
    sweep: Sweep, committee: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = exports.write_ledger

    def gathering(file: Any, heading: Any, lines: Iterable[Cells]) -> int:
        return write(file, heading, list(lines))

    monkeypatch.setattr(exports, "write_ledger", gathering)
    with pytest.raises(AssertionError):
        check_bounded(sweep, committee)


def resident(name: str) -> int:
    """``VmRSS``: memory in use now, ``VmHWM``: the most since it was last reset; bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux tells it")
def test_export_of_130_000_lines_is_bounded_in_memory(sweep: Sweep, committee: Person) -> None:
    add_many(sweep.db, sweep.community_id, 130_000)
    export_id = committee.post("/ledger/exports", {}).json["id"]
    gc.collect()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    work(sweep, export_id)
    assert resident("VmHWM") - before < 8 * BOUND
    ready = committee.get(f"/ledger/exports/{export_id}").json
    assert (ready["rows"], ready["progress"]["total"]) == (130_003, 130_003)
    sent = committee.get(f"/ledger/exports/{export_id}.xlsx")
    assert hashlib.sha256(sent.data).hexdigest() == ready["sha256"]
