"""``demo``: the main job on an invented community, from offline phones to the issued paper."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from backend import clock
from backend.commands.installation import Installation, open_installation
from backend.commands.progress import counting
from backend.commands.running import say, supervise
from backend.commands.serving import base_url
from backend.commands.year import show_checks, show_doors, tell_year_once
from backend.demo.community import DemoState, load_state, make_demo, still_there
from backend.demo.story import tell
from backend.embedded import find_port
from backend.settings import PROJECT


@click.command()
@click.option("--year", "of_year", is_flag=True, help="Play the year 2022 of a community and print its annual figures.")
@click.option("--exit", "leave", is_flag=True, help="Stop at the end; exit 0 only if every promise checked held.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures as JSON.")
@click.option(
    "--data", "data_dir", type=click.Path(path_type=Path), help="Data folder (default: data/demo, or data/year)."
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API (default: the first free from 8000).")
def demo(of_year: bool, leave: bool, json_file: Path | None, data_dir: Path | None, port: int | None) -> None:
    """A week of sweeps by phones that were offline becomes tasks and a meeting paper; then keep serving.

    A second run finds what the first one made and does nothing twice.
    """
    folder = data_dir or PROJECT / "data" / ("year" if of_year else "demo")
    chosen = port or find_port("127.0.0.1", 8000)
    with (
        open_installation(folder, port=chosen, progress=say, alone=True) as installation,
        supervise(installation) as supervisor,
    ):
        supervisor.start()
        url = base_url(installation.settings)
        story = tell_year_once(installation, url) if of_year else tell_week_once(installation, url)
        if json_file:
            json_file.write_text(json.dumps(story, ensure_ascii=False, indent=1), encoding="utf-8")
        if not leave:
            say(f"serving at {url} (Ctrl-C stops everything)")
            supervisor.wait()
    if leave and not story.get("ok"):
        raise SystemExit(1)


def tell_week_once(installation: Installation, url: str) -> dict[str, Any]:
    """The week's story, shown: told now, or as an earlier run told it."""
    state = tell_once(installation)
    show(state, url)
    return dict(state.story)


def tell_once(installation: Installation) -> DemoState:
    """The story, told now or found as an earlier run told it."""
    runtime, folder = installation.runtime(), installation.settings.data_dir
    state = load_state(folder)
    if state is not None and not still_there(runtime, UUID(state.community_id)):
        state = None
    if state is None:
        say("making an invented community: 2 grids, 14 buildings, 68 households, 8 shops")
        state = make_demo(runtime, datetime.now(clock.SHANGHAI))
        state.save(folder)
    if state.is_complete:
        say("an earlier run did the work; its data is used")
        return state
    with counting() as count:
        story = tell(runtime, base_url(installation.settings), state, count)
    state.story = story.to_json()
    state.save(folder)
    return state


def show(state: DemoState, url: str) -> None:
    """What happened, as tables on stdout."""
    console = Console()
    story: dict[str, Any] = dict(state.story)
    fleet, paper = story["fleet"], story["paper"]
    table = Table("what happened", "", title="槐荫社区 · one week")
    rows = [
        ("phones that were offline", fleet["phones"]),
        ("records they made", fleet["records"]),
        ("pushes / repeats", f"{fleet['counts'].get('pushes', 0)} / {fleet['counts'].get('repeats', 0)}"),
        ("stored / duplicate / quarantined", _outcomes(fleet["counts"])),
        ("hazards and tasks compiled", sum(story["tasks"].values())),
        *((f"  {state_name}", number) for state_name, number in story["tasks"].items()),
        ("assigned / struck off by the office", f"{story['assigned']} / {story['closed']}"),
        *_campaign_rows(story.get("campaign") or {}),
        *(row for shown in (paper, story["draft"]) for row in _paper_rows(shown)),
        ("seconds", story["seconds"]),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    console.print(table)
    show_checks(console, story["checks"])
    show_doors(url, paper["id"], state.person("committee"))


PAPER_ROWS = {
    "open_start": "期初未销号 open at the start",
    "new": "新增 new",
    "rebound": "反弹 came back",
    "closed": "销号 struck off",
    "void": "撤销 void",
    "open_end": "期末未销号 open at the end",
    "overdue": "逾期 overdue",
}


def _paper_rows(paper: dict[str, Any]) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [("paper", f"{paper['number']} ({paper['state']})")]
    return rows + [(f"  {label}", paper["figures"].get(key)) for key, label in PAPER_ROWS.items()]


def _campaign_rows(campaign: dict[str, Any]) -> list[tuple[str, object]]:
    if not campaign:
        return []
    total = campaign["total"]
    return [
        ("campaign", campaign["name"]),
        ("  应查 doors / 现场新增 found in the field", f"{total['target']} / {total['found']}"),
        ("  完成 settled / 未完成 missed, by name", f"{total['settled']} / {campaign['named']}"),
    ]


def _outcomes(counts: dict[str, int]) -> str:
    return " / ".join(str(counts.get(name, 0)) for name in ("stored", "duplicate", "quarantined"))
