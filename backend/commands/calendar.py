"""``import-calendar``: a year's holidays for the whole nation, when no release has brought them yet."""

from pathlib import Path

import click

from backend import clock
from backend.calendar.service import import_national_year
from backend.calendar.year_file import read_year
from backend.commands.installation import open_installation
from backend.commands.running import say
from backend.jobs.ledger import communities
from backend.rectification.calendar_changes import want_moved_deadlines


@click.command("import-calendar")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", required=True, type=click.IntRange(2000, 2199), help="The year that the file lists.")
@click.option("--from-the-beginning", is_flag=True, help="Also for what was found before (assigned dates stay).")
def import_calendar(file: Path, year: int, from_the_beginning: bool) -> None:
    """Import a year's holidays for all communities from an XLSX or CSV file: 日期, 安排 (休 or 班), 名称."""
    report = read_year(file.read_bytes(), year)
    for error in report.errors:
        click.echo(f"row {error['row']}, {error['column']}: {error['zh']} ({error['en']})")
    if report.errors:
        raise SystemExit(1)
    with open_installation(progress=say) as installation:
        db = installation.runtime().db
        since_ms = 0 if from_the_beginning else clock.now_ms()
        with db.transaction() as session:
            days = import_national_year(session, year, report.days, since_ms)
            told = communities(session) if days else []
        for community_id in told:
            with db.transaction([community_id]) as session:
                want_moved_deadlines(session, community_id, days, since_ms)
    click.echo(f"{year}: {len(report.days)} days, {len(days)} of them new or changed")
