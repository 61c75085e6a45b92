"""Random histories around a week, with times that like its edges."""

from hypothesis import strategies as st

from backend.clock import DAY_MS
from backend.meetings.periods import Period
from tests.factories.meetings import Call, Door, History, Life

AFTER = {
    "registered": ["assigned", "review", "void"],
    "assigned": ["fixing", "review", "referred"],
    "fixing": ["review", "referred"],
    "review": ["closed", "fixing"],
    "referred": ["review"],
    "closed": ["registered"],
    "void": ["registered"],
}
OUTCOMES = ("done", "vacant", "not_applicable", "no_answer", "refused", "wrong_address")
RESULTS: tuple[dict[str, dict[str, str]], ...] = (
    {},
    {"EBC-ROUTE": {"STAIR/3": "unknown", "": "present"}},
    {"EBC-09": {"": "unknown"}, "EBC-06": {"": "unknown"}},
)


def times(period: Period) -> st.SearchStrategy[int]:
    """Instants from two weeks before a period to one after, its four edges among them."""
    start, end = period.start_ms, period.end_ms
    edges = st.sampled_from([start - 1, start, end - 1, end])
    return edges | st.integers(start - 14 * DAY_MS, end + 7 * DAY_MS)


@st.composite
def lives(draw: st.DrawFn, period: Period, doors: list[Door]) -> Life:
    """A hazard that walked the life cycle for up to ten changes."""
    moments = sorted(draw(st.lists(times(period), min_size=1, max_size=10)))
    moves, state, cycle = [("registered", moments[0], 1)], "registered", 1
    for moment in moments[1:]:
        state = draw(st.sampled_from(AFTER[state]))
        cycle += state == "registered"
        moves.append((state, moment, cycle))
    is_gap = draw(st.booleans()) and draw(st.booleans())
    return Life(
        draw(st.sampled_from(doors)),
        moves,
        severity="blue" if is_gap else draw(st.sampled_from(["red", "orange", "yellow"])),
        form=draw(st.sampled_from(["ebike_charging", "self_built_house"])),
        deadline_ms=draw(times(period)),
        is_gap=is_gap,
        rules=("EBC-09",) if is_gap else ("EBC-02",),
    )


@st.composite
def histories(draw: st.DrawFn, period: Period) -> History:
    """A few doors, visits and hazards."""
    kinds = st.sampled_from(["building", "household", "premises", "unit"])
    doors = draw(
        st.lists(
            st.builds(Door, kind=kinds, registered_ms=times(period), withdrawn=st.just(False)), min_size=1, max_size=5
        )
    )
    if draw(st.booleans()):
        doors.append(Door("household", doors[0].registered_ms, merged_into=doors[0]))
    if draw(st.booleans()):
        doors.append(Door("household", withdrawn=True))
    calls = draw(
        st.lists(
            st.builds(
                Call,
                door=st.sampled_from(doors),
                at_ms=times(period),
                outcome=st.sampled_from(OUTCOMES),
                results=st.sampled_from(RESULTS),
                filled=st.sampled_from([[], [], [doors[0]]]),
            ),
            max_size=8,
        )
    )
    for call in calls:
        call.filled = [door for door in call.filled if door is not call.door]
    return History(doors, calls, draw(st.lists(lives(period, doors), max_size=6)))
