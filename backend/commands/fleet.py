"""``fleet``: simulated phones with every fault a stairwell has, against any server."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from backend import clock
from backend.commands.installation import open_installation
from backend.commands.progress import Count, counting
from backend.commands.running import say, supervise
from backend.commands.serving import base_url as base_url_of
from backend.demo.community import make_demo
from backend.demo.story import fleet_options
from backend.embedded import find_port
from backend.settings import PROJECT
from mobile_contract.conformance.faults import Fault, parse_faults
from mobile_contract.conformance.fleet import run_fleet
from mobile_contract.conformance.options import FleetOptions
from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.report import FleetReport


@click.command()
@click.option("--base-url", help="Server to test; one of our own, started and stopped, when left out.")
@click.option("--login", "logins", multiple=True, metavar="NAME:PASSWORD", help="Accounts of the phones (repeatable).")
@click.option("--office", metavar="NAME:PASSWORD", help="An account of the office, for counts and hashes.")
@click.option("--phones", default=20, show_default=True)
@click.option("--days", default=7, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--faults", default="all", show_default=True, help="all, none, or names by comma.")
@click.option("--check/--no-check", default=True, show_default=True, help="Compare server and phones: P1, P2, P3.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report as JSON.")
def fleet(
    base_url: str | None,
    logins: tuple[str, ...],
    office: str | None,
    phones: int,
    days: int,
    seed: int,
    faults: str,
    check: bool,
    json_file: Path | None,
) -> None:
    """Play a fleet of phones that were offline: late, shuffled, doubled, cut off, cloned; exit 1 if a promise broke."""
    options: dict[str, Any] = {"phones": phones, "days": days, "seed": seed, "faults": _faults(faults), "check": check}
    with counting() as progress:
        if base_url:
            if not logins:
                raise click.UsageError("--base-url needs --login NAME:PASSWORD, the accounts of the phones")
            office_login = _login(office) if office else None
            report = run_fleet(
                FleetOptions(base_url, [_login(t) for t in logins], office=office_login, progress=progress, **options)
            )
        else:
            report = run_at_home(progress, options)
    print_report(report)
    if json_file:
        json_file.write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    if not report.ok:
        raise SystemExit(1)


def run_at_home(progress: Count, options: dict[str, Any]) -> FleetReport:
    """The fleet against servers of our own, with two new communities: the second is told everything in order."""
    port = find_port("127.0.0.1", 8100)
    folder = PROJECT / "data" / "fleet"
    with (
        open_installation(folder, port=port, progress=say, alone=True) as installation,
        supervise(installation) as supervisor,
    ):
        supervisor.start()
        state = make_demo(installation.runtime(), datetime.now(clock.SHANGHAI))
        return run_fleet(fleet_options(state, base_url_of(installation.settings), progress, **options))
    raise SystemExit(1)


def print_report(report: FleetReport) -> None:
    """The run as two tables."""
    console = Console()
    table = Table("what", "how much", title="fleet")
    for row in report.rows():
        table.add_row(*row)
    console.print(table)
    if report.checks or report.troubles:
        checks = Table("promise", "check", "", "detail", title="checks")
        for promise, name, verdict, detail in report.check_rows():
            checks.add_row(promise, name, verdict, detail)
        console.print(checks)


def _login(text: str) -> Login:
    name, colon, password = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{name}: give NAME:PASSWORD")
    return Login(name, password)


def _faults(text: str) -> frozenset[Fault]:
    try:
        return parse_faults(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; known: {', '.join(sorted(Fault))}") from error
