"""``demo --year``: the year 2022 of an invented community, and its annual figures beside those of the source."""

from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from backend import clock
from backend.commands.installation import Installation
from backend.commands.progress import counting
from backend.commands.running import say
from backend.demo.community import Person, still_there
from backend.year.community import COMMUNITY, YEAR, YearCommunity, make_year
from backend.year.story import tell_year


def tell_year_once(installation: Installation, url: str) -> dict[str, Any]:
    """The year's story, shown: told now, or as an earlier run told it."""
    runtime, folder = installation.runtime(), installation.settings.data_dir
    community = YearCommunity.load(folder)
    if community is not None and not still_there(runtime, community.community_id):
        community = None
    if community is None or not community.story:
        say("making an invented community: 3 grids, 14 buildings, 46 self-built houses, 596 households, 42 shops")
        community = make_year(runtime, datetime.now(clock.SHANGHAI))
        with counting() as count:
            community.story = tell_year(runtime, url, community, count).to_json()
        community.save(folder)
    else:
        say("an earlier run did the work; its data is used")
    show_year(community, url)
    return community.story


def show_year(community: YearCommunity, url: str) -> None:
    """The annual figures, the sentences of the paper and the checks, on stdout."""
    console, story = Console(), community.story
    table = Table("figure", "reported", "printed", "", title=f"{COMMUNITY} · {YEAR}")
    for line in story["lines"]:
        table.add_row(line["what"], line["reported"], line["printed"], "ok" if line["ok"] else "DIFFERS")
    table.add_row("records of phones", "", str(story["records"]), "")
    table.add_row("seconds", "", str(story["seconds"]), "")
    console.print(table)
    show_checks(console, story["checks"])
    for sentence in story["paper"]["said"]:
        click.echo(sentence)
    show_doors(url, story["paper"]["id"], community.of("committee")[0])


def show_checks(console: Console, checks: list[dict[str, Any]]) -> None:
    """What was promised, and whether it held."""
    table = Table("promise", "check", "", "detail", title="what was promised")
    for check in checks:
        table.add_row(check["promise"], check["what"], "ok" if check["ok"] else "FAILED", check["detail"])
    console.print(table)


def show_doors(url: str, paper_id: str, person: Person) -> None:
    """Where to look, and as whom."""
    click.echo(f"papers   {url}/papers")
    click.echo(f"paper    {url}/api/v1/papers/{paper_id}.html")
    click.echo(f"API      {url}/api/openapi.json")
    click.echo(f"log-in   {person.login}   password   {person.password}")
