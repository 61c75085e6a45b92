"""Phones that keep the protocol come through the proxy's weather with everything delivered once; others do not."""

from dataclasses import replace

from mobile_contract.conformance import FleetOptions, FleetReport, run_fleet
from mobile_contract.conformance.proxy import FaultProxy, Weather
from tests.contract.sync.reference_server import ReferenceServer
from tests.contract.sync.test_fleet import ACCOUNTS, LOGINS, KeepsEveryResend, running

STORM = Weather(drop=0.1, cut=0.1, swallow=0.15, cut_answer=0.1, cut_bytes=700, seed=5)


def play(server: ReferenceServer) -> tuple[FleetReport, FaultProxy]:
    """Two days of a few phones, all of whose requests pass the storm."""
    with running(server) as url, FaultProxy(url, STORM) as proxy:
        days = FleetOptions(proxy.url, LOGINS, office=LOGINS[0], phones=4, days=2, seed=5, faults=frozenset())
        return run_fleet(replace(days, settle_s=20, poll_s=0.05)), proxy


def test_right_phones_through_the_storm_deliver_everything_once() -> None:
    report, proxy = play(ReferenceServer(ACCOUNTS))
    assert (report.ok, [row for row in report.check_rows() if row[2] == "FAILED"]) == (True, [])
    assert all(proxy.counts[fate] > 0 for fate in ("drop", "cut", "swallow", "cut-answer"))


def test_server_that_keeps_every_resend_is_caught_in_the_storm() -> None:
    """Seeded bug (P2): only a swallowed answer makes a right phone send again."""
    report, _ = play(KeepsEveryResend(ACCOUNTS))
    assert not report.ok
