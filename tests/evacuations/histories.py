"""Random histories of one dangerous house: facts in any sense and nonsense, by people who may and who may not."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from backend.evacuations.fold import Fact
from backend.evacuations.lifecycle import FACT_KINDS
from mobile_contract.sync.ordering import order_key

DAY = 86_400_000
BEGIN = 1_780_000_000_000
NS = UUID("00000000-0000-5000-8000-00000000005e")
HOMES = [str(uuid5(NS, f"home{n}")) for n in range(3)]
ACTORS = [str(uuid5(NS, f"actor{n}")) for n in range(2)]
ROLES = ["safety_officer", "street", "grid_worker", "viewer", None]
KINDS = [*FACT_KINDS, "notice_issued", "notice_served", "danced"]


def fact_id(n: int) -> str:
    return str(uuid5(NS, f"fact{n}"))


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """A set of facts; most histories begin with an appraisal and listed households, so that something happens."""
    found = [draw(_fact(n)) for n in range(draw(st.integers(1, 14)))]
    if draw(st.booleans()) or draw(st.booleans()):
        found += _beginning(len(found))
    return found


def _beginning(n: int) -> list[Fact]:
    officer = {"actor_id": ACTORS[0], "role": "safety_officer"}
    made = [Fact(fact_id(n), _key(BEGIN - 9, n), "appraised", body={"grade": "D"}, **officer)]
    for i, home in enumerate(HOMES[:2], n + 1):
        made.append(Fact(fact_id(i), _key(BEGIN - 8, i), "listed", household_id=home, body={"persons": 2}, **officer))
    return made


@st.composite
def _fact(draw: st.DrawFn, n: int) -> Fact:
    kind = draw(st.sampled_from(KINDS))
    at_ms = BEGIN + draw(st.integers(0, 6)) * (DAY // 2)
    home = draw(st.sampled_from(HOMES))
    body: dict[str, Any] = {
        "appraised": {"grade": draw(st.sampled_from("ABCD"))},
        "listed": {"persons": draw(st.integers(0, 3))},
        "left": {"destination": "rental"},
        "checked": {"returned": draw(st.lists(st.sampled_from(HOMES), max_size=2))},
        "closed": {"ending": draw(st.sampled_from(["reinforced", "demolished"]))},
        "withdrawn": {"fact_id": fact_id(draw(st.integers(0, 14)))},
        "notice_issued": {"deadline_ms": at_ms + DAY},
    }.get(kind, {})
    actor, role = draw(st.sampled_from(ACTORS)), draw(st.sampled_from(ROLES))
    named = kind == "notice_served" or (kind in FACT_KINDS and FACT_KINDS[kind].of_household)
    return Fact(fact_id(n), _key(at_ms, n), kind, actor, role, home if named else None, body)


def _key(at_ms: int, n: int) -> Any:
    return order_key(at_ms, UUID(int=n % 2), n, fact_id(n))


def shown(house: Any) -> dict[str, Any]:
    """Everything that is told about a folded house."""
    names = [name for name in type(house).__dataclass_fields__ if name not in ("households",)]
    homes = {
        home: {name: getattr(household, name) for name in type(household).__dataclass_fields__}
        for home, household in sorted(house.households.items())
    }
    told = {name: getattr(house, name) for name in names}
    return {**told, "stage": house.stage, "households": homes, "outcomes": dict(sorted(house.outcomes.items()))}


def recount_gone(history: Iterable[Fact], applied: Iterable[str]) -> dict[str, bool]:
    """By household of the last case: whether nobody lives there, told from the facts that applied alone."""
    counted, is_open = set(applied), False
    vacant, away = dict[str, bool](), dict[str, bool]()
    for fact in sorted((f for f in history if f.id in counted), key=lambda fact: fact.key):
        if fact.kind == "appraised" and fact.body["grade"] in "CD" and not is_open:
            is_open, vacant, away = True, {}, {}
        is_open = is_open and fact.kind != "closed"
        home = str(fact.household_id)
        if fact.kind == "listed":
            vacant[home] = fact.body["persons"] == 0
        if fact.kind in ("left", "returned"):
            away[home], vacant[home] = fact.kind == "left", False
        for back in fact.body.get("returned", ()) if fact.kind == "checked" else ():
            if back in vacant:
                away[back] = vacant[back] = False
    return {home: is_vacant or away.get(home, False) for home, is_vacant in vacant.items()}
