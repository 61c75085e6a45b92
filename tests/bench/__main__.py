"""``python -m tests.bench``: what ``python3 -m backend bench`` runs."""

import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from backend.commands.progress import Count, counting
from backend.commands.running import say
from tests.bench.clients import Clients
from tests.bench.cpu import describe_machine
from tests.bench.floor import sample
from tests.bench.latency import Pulls, small_pushes
from tests.bench.papers import papers
from tests.bench.sizes import FULL, QUICK, Sizes
from tests.bench.stage import Stage, open_stage
from tests.bench.throughput import Throughput
from tests.bench.visits import Visits

#: What the design promises, and what it aims for. Printed beside the figures; nothing fails here.
TARGETS = {
    "push_vs_floor": ("≥ 0.33, aim 0.5", "×"),
    "push_records_per_s": ("", "visits/s"),
    "compile_vs_push": ("≥ 0.5, aim 1", "×"),
    "small_push_p99_ms": ("< 100", "ms"),
    "pull_grid_ms": ("< 150", "ms"),
    "pull_idle_ms": ("< 10", "ms"),
    "paper_growth": ("≤ 2", "×"),
}


def measure(stage: Stage, sizes: Sizes, count: Count) -> dict[str, Any]:
    """Everything, in order; the keys of ``TARGETS`` and ``detail``."""
    with Clients(sizes.connections) as clients:
        throughput = prepare(stage, clients, sizes)
        rounds = rounds_of(stage, throughput, sizes, count)
        stage.say(f"{sizes.small_pushes} small pushes while the compile queue is busy")
        small = small_pushes(throughput, sizes)
        stage.say(f"pulling a grid of {sizes.grid_places} places and {sizes.grid_tasks} tasks")
        pulls = Pulls(stage, throughput, stage.make_community(sizes.grid_places), sizes)
        stage.analyze()
        grid, idle = pulls.grid(), pulls.idle()
    paper = papers(stage, sizes)
    push, floor, compiled = (median(r["per_s"] for r in rounds[name]) for name in ("push", "floor", "compile"))
    return {
        "push_vs_floor": round(push / floor, 3),
        "push_records_per_s": push,
        "compile_vs_push": round(compiled / push, 3),
        "small_push_p99_ms": small["p99_ms"],
        "pull_grid_ms": grid["ms"],
        "pull_idle_ms": idle["ms"],
        "paper_growth": paper["growth"],
        "detail": {
            "floor_records_per_s": floor,
            "compile_visits_per_s": compiled,
            "rounds": rounds,
            "small_pushes": small,
            "pull_grid": grid,
            "pull_idle": idle,
            "papers": paper,
        },
    }


def prepare(stage: Stage, clients: Clients, sizes: Sizes) -> Throughput:
    """Communities with doors that nobody has visited, and one whose places are compiled for warming up."""
    doors = sizes.visits_a_round * (sizes.warm_ups + sizes.rounds) + sizes.backlog
    doors += sizes.small_pushes * sizes.small_batch
    stage.say(f"a registry of {doors:,} doors")
    main, warm = stage.make_community(doors), stage.make_community(sizes.warm_places)
    for body in Visits(warm.phone).bodies(warm.take_doors(sizes.warm_places), sizes.batch):
        warm.phone.push(body)
    return Throughput(stage, clients, sizes, main, warm)


def rounds_of(stage: Stage, throughput: Throughput, sizes: Sizes, count: Count) -> dict[str, Any]:
    """Push, floor and compile in turn; the results of the counted rounds."""
    floor = sample(stage, stage.make_community(sizes.batch), sizes.batch)
    floor_community = stage.make_community(1).id
    found: dict[str, Any] = {"push": [], "floor": [], "compile": []}
    total = sizes.warm_ups + sizes.rounds
    for turn in range(total):
        bodies = throughput.bodies(sizes.visits_a_round, sizes.batch, sizes.connections)
        stage.analyze()
        results = {"push": throughput.push(bodies)}
        throughput.hold()
        results["floor"] = throughput.floor(floor, floor_community)
        stage.analyze()
        results["compile"] = throughput.compile()
        if turn >= sizes.warm_ups:
            for name, result in results.items():
                found[name].append(result)
        count("rounds of push, floor, compile", turn + 1, total)
    return {**found, "rows_of_a_push": floor.rows_by_table, "visits_of_a_push": sizes.batch}


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path))
@click.option("--quick", is_flag=True)
def main(json_file: Path | None, quick: bool) -> None:
    """See ``python3 -m backend bench --help``."""
    sizes, started = QUICK if quick else FULL, time.monotonic()
    with open_stage(say) as stage, counting() as count:
        result = measure(stage, sizes, count)
        database = stage.runtime.db.engine.dialect.server_version_info or ()
    result["detail"]["machine"] = describe_machine([("postgresql", ".".join(map(str, database)))])
    result["detail"] |= {"sizes": "quick" if quick else "full", "load_average": os.getloadavg()}
    result["detail"]["seconds"] = round(time.monotonic() - started, 1)
    if json_file:
        json_file.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    show(result)


def show(result: dict[str, Any]) -> None:
    """The figures as a table on stdout."""
    machine = result["detail"]["machine"]
    table = Table("figure", "", "target", title=f"Saolou on {machine['cores']} × {machine['processor']}")
    for key, (target, unit) in TARGETS.items():
        table.add_row(key, f"{result[key]:g} {unit}", target)
    Console().print(table)
    if result["detail"]["sizes"] == "quick":
        say("tiny sizes: this shows that everything runs; the figures mean nothing")


if __name__ == "__main__":
    main()
