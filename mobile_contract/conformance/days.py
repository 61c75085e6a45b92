"""A day in the field: visits, new doors, corrections, steps, as one worker would record them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from mobile_contract.conformance.answers import AnswerPool, is_hazard, present_rules
from mobile_contract.conformance.faults import Fault
from mobile_contract.conformance.notebook import DAY_MS, YEAR_MS, MadeRecord, make_uuid7
from mobile_contract.conformance.phone import Phone
from mobile_contract.conformance.poison import write_poison
from mobile_contract.forms import opened_forms
from mobile_contract.rules import locus_of

_SHANGHAI = timezone(timedelta(hours=8))
_NAMES = ("石小满", "田大禾", "水清清", "林知秋", "江远帆", "谷雨生")
_OUTCOMES = ("done",) * 82 + ("no_answer",) * 8 + ("vacant",) * 4 + ("refused",) * 3
_OTHER_OUTCOMES = ("not_applicable", "wrong_address", "wrong_address")
HAZARD_SHARE = 0.1
_WORK_START_MS, _WORK_END_MS = 8 * 3_600_000, 17 * 3_600_000


class FieldWorker:
    """Writes one phone's records day by day. Everything is drawn from the phone's own random numbers."""

    def __init__(self, phone: Phone, pools: dict[str, AnswerPool], visits_per_day: int) -> None:
        self.phone = phone
        self.pools = pools
        self.visits_per_day = visits_per_day
        self.new_places: dict[str, dict[str, Any]] = {}
        self.made_by_kind: dict[str, int] = {}
        self._grave: list[str] = []

    def work(self, day_start_ms: int, end_ms: int) -> None:
        """One day of records with true times in `[day_start_ms, end_ms)`; ends when time is up."""
        phone, rng = self.phone, self.phone.rng
        if phone.luck.strikes(Fault.CLOCK):
            phone.notebook.wall_error_ms = rng.choice((-1, 1)) * rng.randrange(1, 11) * YEAR_MS
        if phone.luck.strikes(Fault.REBOOT):
            phone.notebook.reboot(day_start_ms + rng.randrange(3_600_000))
        moments = self._moments(day_start_ms, end_ms)
        for moment in moments:
            self._keep("visit", self._visit(moment))
            self._now_and_then(moment + 30_000)

    def _moments(self, day_start_ms: int, end_ms: int) -> list[int]:
        """Sorted times of visits within working hours, or within what there is of them before the end."""
        local_midnight = day_start_ms - (day_start_ms + 8 * 3_600_000) % DAY_MS
        first = max(day_start_ms + 3_600_000, local_midnight + _WORK_START_MS)
        last = min(max(local_midnight + _WORK_END_MS, first + 3_600_000), end_ms - 60_000)
        if last - first < 60_000 * self.visits_per_day:
            first = day_start_ms + 3_600_000
            last = max(end_ms - 60_000, first + self.visits_per_day)
        return sorted(self.phone.rng.randrange(first, last) for _ in range(self.visits_per_day))

    def _now_and_then(self, moment: int) -> None:
        rng = self.phone.rng
        if rng.random() < 0.03:
            self._keep("place_proposal", self._propose(moment))
        if rng.random() < 0.04:
            self._keep("amendment", self._correct(moment, void=False))
        if rng.random() < 0.015:
            self._keep("void", self._correct(moment, void=True))
        if rng.random() < 0.15:
            self._keep("task_step", self._step(moment))
        if rng.random() < 0.10:
            self._keep("revisit", self._revisit(moment))
        if self.phone.luck.strikes(Fault.POISON):
            body = {"visit": self._visit_body(moment, self._pick_place())}
            self._keep("poison", write_poison(self.phone.notebook, moment, body))

    def _keep(self, kind: str, record: MadeRecord | None) -> None:
        if record is not None:
            self.phone.keep(record)
            self.made_by_kind[kind] = self.made_by_kind.get(kind, 0) + 1

    # -- visits -------------------------------------------------------------------------------

    def _visit(self, moment: int) -> MadeRecord:
        attachments: list[dict[str, Any]] = []
        body = self._visit_body(moment, self._pick_place(), attachments)
        record = self.phone.notebook.write("visit", moment, {"visit": body, "attachments": attachments})
        if any(is_hazard(self.pools[block["form"]].form, block["answers"]) for block in body.get("blocks", [])):
            self._grave.append(record.id)
        return record

    def _visit_body(
        self, moment: int, place: tuple[str, str], attachments: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        rng = self.phone.rng
        outcome = rng.choice(_OUTCOMES + _OTHER_OUTCOMES)
        header = self._header(moment, place[0], outcome)
        if outcome != "done":
            return {"header": header}
        fitting = [pool for pool in self.pools.values() if place[1] in pool.form.place_kinds]
        pools = rng.sample(fitting, min(len(fitting), 1 + (rng.random() < 0.25)))
        blocks = []
        for pool in pools:
            for _ in range(1 + (bool(pool.form.locus) and rng.random() < 0.2)):
                # Divided, so that about one visit in ten, not one block in ten, gives a hazard.
                hazard = rng.random() < HAZARD_SHARE / len(pools)
                blocks.append(self._block(pool, place[0], hazard, attachments))
        self._open_forms(blocks, attachments)
        return {"header": header, "blocks": blocks}

    def _open_forms(self, blocks: list[dict[str, Any]], attachments: list[dict[str, Any]] | None) -> None:
        """Add the forms that answers bring along; those may bring along others."""
        waiting = list(blocks)
        while waiting:
            block = waiting.pop(0)
            for code in opened_forms(self.pools[block["form"]].form, block["answers"]):
                if code in self.pools and all(other["form"] != code for other in blocks):
                    opened = self._block(self.pools[code], block["place_id"], False, attachments)
                    blocks.append(opened)
                    waiting.append(opened)

    def _header(self, moment: int, place_id: str, outcome: str) -> dict[str, Any]:
        rng = self.phone.rng
        shown = datetime.fromtimestamp(moment / 1000, UTC).astimezone(_SHANGHAI)
        header: dict[str, Any] = {
            "place_id": place_id,
            "visited_at": shown.isoformat(timespec="seconds"),
            "visitors": rng.sample(_NAMES, 2),
            "outcome": outcome,
        }
        if outcome == "done":
            header["informed"] = True
            if rng.random() < 0.5:
                header["respondent_relation"] = rng.choice(("owner", "tenant", "family"))
                header["respondent_name"] = rng.choice(_NAMES)
        return header

    def _block(
        self, pool: AnswerPool, place_id: str, hazard: bool, attachments: list[dict[str, Any]] | None
    ) -> dict[str, Any]:
        answers = pool.draw(self.phone.rng, hazard)
        block = {
            "form": pool.form.code,
            "version": pool.form.version,
            "place_id": place_id,
            "answers": answers,
        }
        present = present_rules(pool.form, answers) if hazard else []
        if present and attachments is not None and self.phone.rng.random() < 0.15:
            before, after = (self.phone.notebook.make_attachment() for _ in range(2))
            attachments += [before, after]
            block["fixed"] = [{"rule": present[0], "before": [before["id"]], "after": [after["id"]]}]
        return block

    def _pick_place(self) -> tuple[str, str]:
        """Id and kind of a place that some form can be filled for; new doors count as well."""
        kinds = {kind for pool in self.pools.values() for kind in pool.form.place_kinds}
        known = {
            place_id: str(row["kind"])
            for place_id, row in [*self.phone.view.entities("place").items(), *self.new_places.items()]
            if row["kind"] in kinds and not row.get("merged_into")
        }
        if not known:
            raise LookupError(f"{self.phone.name}: no place in the feed that a form could be filled for")
        place_id = self.phone.rng.choice(sorted(known))
        return place_id, known[place_id]

    # -- the rest -----------------------------------------------------------------------------

    def _propose(self, moment: int) -> MadeRecord | None:
        rng = self.phone.rng
        parents = sorted(
            place_id
            for place_id, row in self.phone.view.entities("place").items()
            if row["kind"] in ("building", "unit") and not row.get("merged_into")
        )
        if not parents:
            return None
        place_id = make_uuid7(moment, rng)
        room = f"{rng.randrange(1, 9)}{rng.randrange(1, 9):02}室"
        location = {
            "lat": round(25.79 + rng.random() / 100, 6),
            "lon": round(113.03 + rng.random() / 100, 6),
            "accuracy_m": rng.randrange(5, 60),
            "datum": "wgs84",
        }
        place = {
            "id": place_id,
            "kind": "household",
            "parent_id": rng.choice(parents),
            "name": f"新增{room}",
            "address_raw": None,
            "location": location if rng.random() < 0.7 else None,
        }
        self.new_places[place_id] = place
        return self.phone.notebook.write("place_proposal", moment, {"place": place})

    def _correct(self, moment: int, void: bool) -> MadeRecord | None:
        """Amend or void an own visit; now and then a correction is named, which must take no effect."""
        visits = [
            record
            for record in self.phone.notebook.records.values()
            if record.type == "visit" and record.fate == "stored"
        ]
        if not visits:
            return None
        # What matters is looked at twice, so half of the corrections concern visits with a hazard.
        grave = self.phone.notebook.records.get(self._grave[-1]) if self._grave else None
        target = self.phone.rng.choice(visits[-30:])
        if grave is not None and self.phone.rng.random() < 0.5:
            target = grave
        if void:
            body: dict[str, Any] = {"voids": target.id, "reason": "录入错误"}
        else:
            attachments: list[dict[str, Any]] = []
            place = self._pick_place()
            body = {"amends": target.id, "visit": self._visit_body(moment, place, attachments)}
            body["attachments"] = attachments
        return self.phone.notebook.write("visit", moment, body)

    def _tasks(self) -> list[tuple[str, dict[str, Any]]]:
        tasks = sorted(self.phone.view.entities("task").items())
        return [(task_id, row) for task_id, row in tasks if row["state"] not in ("closed", "void")]

    def _revisit(self, moment: int) -> MadeRecord | None:
        """Go back to a hazard of the feed: same place, form and locus; mostly it is gone."""
        tasks = self._tasks()
        if not tasks:
            return None
        _, task = self.phone.rng.choice(tasks)
        pool = self.pools.get(str(task["form"]))
        if pool is None:
            return None
        parts = str(task["locus"]).split("/") if task["locus"] else []
        block = self._block(pool, task["place_id"], self.phone.rng.random() < 0.3, None)
        for _ in range(30):
            if locus_of(pool.form, block["answers"]).split("/")[0] in (parts or [""])[0:1]:
                break
            block = self._block(pool, task["place_id"], self.phone.rng.random() < 0.3, None)
        for name, part in zip(pool.form.locus, parts, strict=False):
            # Only free text can be set as it is; on a choice other questions may hang.
            if not pool.form.by_id[name].choices and part != "-":
                block["answers"][name] = part
        header = self._header(moment, task["place_id"], "done")
        return self.phone.notebook.write("visit", moment, {"visit": {"header": header, "blocks": [block]}})

    def _step(self, moment: int) -> MadeRecord | None:
        tasks = self._tasks()
        if not tasks:
            return None
        task_id, task = self.phone.rng.choice(tasks)
        step = make_step(self.phone, task, moment)
        body = {"step": {"hazard_id": task_id, "place_id": task["place_id"], **step}}
        return self.phone.notebook.write("task_step", moment, body)


def make_step(phone: Phone, task: dict[str, Any], moment: int) -> dict[str, Any]:
    """A step that the phone's role would take next in the task's state; not every one will apply."""
    rng = phone.rng
    leads = phone.role != "grid_worker"
    state = task["state"]
    if state == "registered" and leads:
        return {
            "kind": "assign",
            "assignee_account_id": phone.notebook.author_id if rng.random() < 0.5 else None,
            "responsible_party": rng.choice(("住户", "产权人", "经营者")),
            "measures": "限期整改",
            "deadline_ms": moment + rng.randrange(1, 15) * DAY_MS,
            "severity": task["severity"],
        }
    if state == "assigned":
        return {"kind": "accept", "signature": None, "refusal_witness": rng.choice(_NAMES)}
    if state == "review" and leads:
        if rng.random() < 0.3:
            return {"kind": "return", "reason": "照片不清", "deadline_ms": moment + 3 * DAY_MS}
        basis = [str(record_id) for record_id in task.get("basis") or []]
        revisit = basis[-1] if basis else None
        return {"kind": "close", "revisit_id": revisit, "basis": basis, "note": "已复查", "evidence": []}
    return {"kind": "submit", "note": "已整改", "photos": []}


__all__ = ["HAZARD_SHARE", "FieldWorker", "make_step"]
