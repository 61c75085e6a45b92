"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of a run. ``rounds`` are counted, ``warm_ups`` before them are not."""

    warm_ups: int = 1
    rounds: int = 5
    connections: int = 4
    batch: int = 500
    batches_each: int = 4
    """Push bodies of one connection in one round."""
    warm_places: int = 2000
    small_batch: int = 20
    small_pushes: int = 300
    small_connections: int = 2
    backlog: int = 8000
    grid_places: int = 2000
    grid_tasks: int = 500
    pulls: int = 15
    idle_pulls: int = 100
    short_history: int = 10_000
    long_history: int = 1_000_000
    week_visits: int = 2000
    papers: int = 7

    @property
    def visits_a_round(self) -> int:
        return self.connections * self.batches_each * self.batch


FULL = Sizes()
QUICK = Sizes(
    rounds=1,
    connections=2,
    batch=50,
    batches_each=1,
    warm_places=60,
    small_pushes=6,
    backlog=300,
    grid_places=100,
    grid_tasks=20,
    pulls=2,
    idle_pulls=3,
    short_history=400,
    long_history=4000,
    week_visits=200,
    papers=1,
)
