"""Runs a fleet: logs phones in, plays days, syncs with faults, and checks."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from mobile_contract.conformance.answers import answer_pools
from mobile_contract.conformance.checks import (
    CheckResult,
    Office,
    all_records,
    check_bytes,
    check_hazards,
    check_nothing_doubled,
    check_nothing_lost,
    settle,
    visible,
)
from mobile_contract.conformance.days import FieldWorker
from mobile_contract.conformance.faults import Fault, Luck
from mobile_contract.conformance.mirror import compare_communities, replay
from mobile_contract.conformance.notebook import DAY_MS
from mobile_contract.conformance.options import FleetOptions, Mirror
from mobile_contract.conformance.oracle import expected_hazards, key_of_task
from mobile_contract.conformance.phone import GaveUp, Login, Phone, Refused
from mobile_contract.conformance.report import FleetReport
from mobile_contract.conformance.syncing import pull_all, push_all, sync, take_anchor
from mobile_contract.conformance.view import View


class Fleet:
    """All phones of a run. `run()` plays the days; `check()` asks the server; both may be repeated."""

    def __init__(self, options: FleetOptions) -> None:
        if not options.logins or options.phones < 1 or options.days < 1:
            raise ValueError("a fleet needs a login, a phone and a day")
        self.options = options
        self.phones: list[Phone] = []
        self.workers: dict[str, FieldWorker] = {}
        self.troubles: list[str] = []
        self.pools = answer_pools(options.seed)
        self._began = time.monotonic()
        self._server_start_ms = 0
        self._office: Office | None = None
        self._counted_before: dict[str, object] | None = None

    def now_ms(self) -> int:
        """The server's clock, as known from its first answer."""
        return self._server_start_ms + int((time.monotonic() - self._began) * 1000)

    # -- playing ------------------------------------------------------------------------------

    def run(self) -> FleetReport:
        """Log in, play all days, send everything. Phones that give up are listed in the report."""
        began = time.monotonic()
        self._start()
        for day in range(self.options.days):
            self._each(self.phones, lambda phone, day=day: self._day(phone, day), f"day {day + 1}")  # type: ignore[misc]
            self._maybe_clone(day)
        self._each(self.phones, push_all, "last push")
        return self._report(began)

    def _start(self) -> None:
        options = self.options
        self._read_server_clock()
        for number in range(options.phones):
            self._add_phone(f"phone {number}", options.logins[number % len(options.logins)], number)
        started = self._day_start(0)
        self._each(self.phones, lambda phone: self._begin(phone, started), "log-in")
        if options.office is not None:
            office = self._make_phone("office", options.office, "office")
            office.sign_in(started)
            self._office = Office(office)
            self._counted_before = self._office.summary()

    def _begin(self, phone: Phone, started_ms: int) -> None:
        phone.sign_in(started_ms)
        pull_all(phone)

    def _day(self, phone: Phone, day: int) -> None:
        worker = self.workers[phone.name]
        worker.work(self._day_start(day), self._day_start(day + 1))
        if not phone.luck.strikes(Fault.LATE):
            sync(phone)

    def _maybe_clone(self, day: int) -> None:
        if day + 1 >= self.options.days:
            return
        for phone in list(self.phones):
            if phone.outbox and phone.luck.strikes(Fault.CLONE):
                twin = phone.clone(f"{phone.name}+")
                twin.view = phone.view
                self._enlist(twin)
                self._try(lambda twin=twin: pull_all(twin), twin)  # type: ignore[misc]

    def _day_start(self, day: int) -> int:
        return self._server_start_ms - (self.options.days - day) * DAY_MS

    def _read_server_clock(self) -> None:
        phone = self._make_phone("clock", self.options.logins[0], "clock")
        phone.sign_in(int(time.time() * 1000))
        take_anchor(phone)
        anchor = phone.notebook.boot.anchor or {}
        self._began = time.monotonic()
        self._server_start_ms = int(anchor["server_ms"])

    def _make_phone(self, name: str, login: Login, seed: object) -> Phone:
        options = self.options
        faults = options.faults if isinstance(seed, int) else frozenset()
        luck = Luck(faults, f"{options.seed}/{seed}")
        return Phone(name, options.base_url, login, luck, self.now_ms, options.patience_s)

    def _add_phone(self, name: str, login: Login, number: int) -> None:
        self._enlist(self._make_phone(name, login, number))

    def _enlist(self, phone: Phone) -> None:
        self.phones.append(phone)
        self.workers[phone.name] = FieldWorker(phone, self.pools, self.options.visits_per_day)

    def _each(self, phones: Sequence[Phone], action: Callable[[Phone], None], label: str) -> None:
        done = 0
        with ThreadPoolExecutor(self.options.threads) as pool:
            for _ in pool.map(lambda phone: self._try(lambda: action(phone), phone), phones):
                done += 1
                self.options.progress(label, done, len(phones))

    def _try(self, action: Callable[[], None], phone: Phone) -> None:
        try:
            action()
        except (GaveUp, Refused, LookupError) as error:
            self.troubles.append(f"{phone.name}: {error}")

    # -- checking -----------------------------------------------------------------------------

    def observers(self) -> list[Phone]:
        """One phone of each login: together they see all that the fleet may see."""
        return list({phone.login: phone for phone in self.phones}.values())

    def view(self) -> View:
        """What the fleet sees once the server has compiled everything, or patience ended."""
        expected = expected_hazards(all_records(self.phones).values())

        def is_ready(view: View) -> bool:
            known = {key_of_task(task) for task in view.entities("task").values()}
            return visible(expected, view) <= known

        return settle(self.observers(), is_ready, self.options.settle_s, self.options.poll_s)

    def check(self) -> list[CheckResult]:
        """P1, P2, P3. Raises GaveUp when the server is gone."""
        self._calm()
        results = check_nothing_lost(self.phones)
        self.options.progress("check: nothing lost", 1, 3)
        view = self.view()
        after = self._office.summary() if self._office is not None else None
        results += check_nothing_doubled(self.phones, view, self._counted_before, after)
        if self._office is not None:
            results.append(check_bytes(self.phones, self._office, Random(self.options.seed)))
        self.options.progress("check: nothing doubled", 2, 3)
        results += check_hazards(self.phones, view)
        if self.options.mirror is not None:
            results.append(self._check_mirror(self.options.mirror, view))
        self.options.progress("check: order does not matter", 3, 3)
        return results

    def _calm(self) -> None:
        """No more faults: a check asks, it does not tease."""
        for phone in self.phones:
            phone.luck.faults = frozenset()

    def _check_mirror(self, mirror: Mirror, view: View) -> CheckResult:
        options = self.options
        mirrored, places = replay(self.phones, options, mirror, view)
        differences = compare_communities(view, mirrored, places)
        detail = "; ".join(differences[:5]) or f"{len(view.entities('task'))} tasks identical"
        return CheckResult("P3", "the same records in order give the same tasks", not differences, detail)

    def _report(self, began: float) -> FleetReport:
        options = self.options
        report = FleetReport(options.phones, options.days, options.seed)
        counts: Counter[str] = Counter()
        created: Counter[str] = Counter()
        faults: Counter[str] = Counter()
        for phone in self.phones:
            counts.update(phone.counts)
            created.update(self.workers[phone.name].made_by_kind)
            faults.update(phone.luck.counts)
            report.sent_bytes += phone.wire.sent_bytes
            report.tasks = max(report.tasks, len(phone.view.entities("task")))
        report.counts, report.created, report.faults = dict(counts), dict(created), dict(faults)
        report.records = len(all_records(self.phones))
        report.troubles = list(self.troubles)
        report.seconds = time.monotonic() - began
        return report

    def close(self) -> None:
        """Close all connections."""
        for phone in self.phones:
            phone.wire.close()


def run_fleet(options: FleetOptions) -> FleetReport:
    """Play a fleet and, if asked, check it. Never raises for what the server does: see `report.ok`."""
    fleet = Fleet(options)
    began = time.monotonic()
    try:
        report = fleet.run()
        if options.check:
            report.checks = fleet.check()
            report.tasks = max(report.tasks, *(len(p.view.entities("task")) for p in fleet.phones))
    except (GaveUp, Refused) as error:
        report = fleet._report(began)
        report.troubles.append(str(error))
    finally:
        fleet.close()
    report.seconds = time.monotonic() - began
    return report
