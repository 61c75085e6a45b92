"""对以前各期的更正: what late records changed in figures that earlier issued papers printed.

An issued paper never changes. The next one recomputes the last issued papers at its own cut-off and states, for each
figure that differs from what was last stated (in that paper, or in a later one's corrections), the old and new value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.meetings import queries
from backend.meetings.figures import Figure, Scope, base_key, count_figures
from backend.meetings.models import Paper
from backend.meetings.periods import Period, period_from

#: How many of the last issued papers of a kind are looked at again.
ISSUES_LOOKED_AT = 4

Recompute = Callable[[Period], Mapping[str, int]]


def recompute(session: Session, figures: Iterable[Figure], scope: Scope) -> Recompute:
    """Figures of another period in the same snapshot; each period once."""
    known: dict[int, Mapping[str, int]] = {}

    def of(period: Period) -> Mapping[str, int]:
        if period.start_ms not in known:
            other = replace(scope, start_ms=period.start_ms, end_ms=period.end_ms)
            known[period.start_ms] = count_figures(session, figures, other)
        return known[period.start_ms]

    return of


def find_corrections(
    session: Session, community_id: UUID, period: Period, of: Recompute
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Corrections of earlier issued papers, oldest first, and the reconciliation of this 期初 with the last 期末.

    The reconciliation is None when the period just before has no issued paper.
    """
    issued = queries.list_issued_before(session, community_id, period.kind, period.start_ms, ISSUES_LOOKED_AT)
    corrections = []
    for paper in reversed(issued):
        then = period_from(paper.kind, paper.period_start_ms)
        said = stated(paper, issued)
        printed = {base_key(key) for key in said}
        # A figure that a later release brought was not printed then: there is nothing to correct.
        now = {key: value for key, value in of(then).items() if base_key(key) in printed}
        entries = differences(said, now)
        if entries:
            corrections.append({"paper_id": str(paper.id), "number": then.number, "entries": entries})
    last = issued[0] if issued and issued[0].period_end_ms == period.start_ms else None
    if last is None:
        return corrections, None
    number = period_from(last.kind, last.period_start_ms).number
    return corrections, {"number": number, "printed": stated(last, issued).get("open_end", 0)}


def stated(paper: Paper, issued: Sequence[Paper]) -> dict[str, int]:
    """The figures of ``paper`` as last stated: printed in it, then corrected by later issued papers."""
    values = dict((paper.content or {})["figures"])
    for later in reversed(issued):
        if later.period_start_ms > paper.period_start_ms:
            for correction in (later.content or {})["corrections"]:
                if correction["paper_id"] == str(paper.id):
                    values |= {entry["key"]: entry["now"] for entry in correction["entries"]}
    return values


def differences(said: Mapping[str, int], now: Mapping[str, int]) -> list[dict[str, Any]]:
    """``[{key, printed, now}]`` for every key whose value changed; a key that is missing counts 0."""
    keys = [*now, *(key for key in said if key not in now)]
    return [
        {"key": key, "printed": said.get(key, 0), "now": now.get(key, 0)}
        for key in keys
        if said.get(key, 0) != now.get(key, 0)
    ]
