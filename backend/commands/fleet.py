"""``fleet``: simulated phones with every fault a stairwell has, against any server."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from backend.commands.progress import counting
from mobile_contract.conformance.faults import ALL_FAULTS, Fault
from mobile_contract.conformance.fleet import run_fleet
from mobile_contract.conformance.options import FleetOptions
from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.report import FleetReport


@click.command()
@click.option("--base-url", help="Server to test; the demo's when left out.")
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
    with counting() as progress:
        report = run_fleet(
            FleetOptions(
                base_url=base_url or "",
                logins=[_login(text) for text in logins],
                office=_login(office) if office else None,
                phones=phones,
                days=days,
                seed=seed,
                faults=_faults(faults),
                check=check,
                progress=progress,
            )
        )
    print_report(report)
    if json_file:
        json_file.write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    if not report.ok:
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
    if text in ("all", "none"):
        return ALL_FAULTS if text == "all" else frozenset()
    try:
        return frozenset(Fault(name.strip()) for name in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{error}; known: {', '.join(sorted(Fault))}") from error
