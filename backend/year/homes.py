"""What happens at the doors of the year: gas and windows, alarms, welfare reviews, vaccination, helpers.

Each is asked about beside what must not be counted with it: doors that stayed shut, works of another year, people who
are seen twice.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import cycle

from backend.year import answers as say
from backend.year.community import YEAR
from backend.year.field import Field, day

GAS_HOMES, GAS_DAYS = 500, 19
WINDOWS, ALARMS, SECOND_ALARMS = 87, 17, 2
#: Low-income cases by how many persons live of each.
CASES = {1: 24, 2: 13, 3: 3, 4: 2}
ELIGIBLE, VACCINATED, DEFERRED, AT_THE_SECOND_VISIT = 300, 295, 12, 30
HELPED = 4
INTENTS = ("agree", "agree", "agree", "agree", "wait", "refuse")
LAST_YEAR = f"{YEAR - 1}-11-18"


def plan_homes(field: Field) -> None:
    """All of it, in any order: every entry has its own time."""
    homes = field.some(field.codes.homes, len(field.codes.homes))
    _plan_gas_and_windows(field, homes)
    _plan_alarms(field, homes[100:])
    _plan_welfare(field, homes[130:])
    _plan_vaccination(field, homes[200:])
    _plan_helpers(field, homes[:10])


def floor_of(code: str) -> int:
    """The floor in a home's code."""
    return int(code.rpartition("-")[2][:-2])


def _plan_gas_and_windows(field: Field, homes: list[str]) -> None:
    """One visit a home about gas, which sees the windows as well where there are cages; a second one for some."""
    diary, met, shut = field.diary, homes[:GAS_HOMES], homes[GAS_HOMES:]
    days = field.days(day(3, 1), day(5, 20), GAS_DAYS)
    # Building by building, as one goes; so every day and every building has its share.
    for number, code in enumerate(sorted(met)):
        on = days[number * GAS_DAYS // len(met)]
        blocks = [("gas_retrofit", say.gas(INTENTS[number % len(INTENTS)]))]
        if code in homes[: WINDOWS + 12]:
            blocks.append(("anti_theft_window", say.window(floor_of(code))))
        diary.visit(field.at(on), field.pair(code), code, blocks)
    for code in shut:
        diary.closed_door(field.at(days[-1]), field.pair(code), code)
    for code in field.some(met, 40):
        diary.visit(field.at(days[-1]), field.pair(code), code, [("gas_retrofit", say.gas("agree", 2))])
    for code in homes[:WINDOWS]:
        _open_window(field, code)
    for code in homes[WINDOWS + 12 : WINDOWS + 15]:
        # An opening of the year before, described in this one.
        old = say.opened_window(floor_of(code), LAST_YEAR, payer="owner")
        diary.visit(field.at(day(6, 2)), field.pair(code), code, [("anti_theft_window", old)])


def _open_window(field: Field, code: str) -> None:
    """The opening is made, looked at with a photo before and one after, and the hazard of the cage struck off."""
    made, *_ = field.days(day(6, 1), day(11, 30), 1)
    answers = say.opened_window(floor_of(code), made.isoformat())
    again = field.diary.visit(
        field.at(made + timedelta(days=1)), field.pair(code), code, [("anti_theft_window", answers)], photos=2
    )
    said = {"revisit_id": again, "basis": [again], "note": "已开窗", "proof": ["ph"]}
    head = field.one("grid_head", code)
    field.diary.step(field.at(made + timedelta(days=3)), head, code, "ATW-SEALED", "", "close", **said)


def _plan_alarms(field: Field, homes: list[str]) -> None:
    diary = field.diary
    for number, code in enumerate(homes[: ALARMS + 1]):
        on = field.days(day(4, 1), day(10, 31), 1)[0]
        # The last of them got its alarm the year before and is only looked after.
        installed = on.isoformat() if number < ALARMS else LAST_YEAR
        person, signature = diary.new_id(), diary.new_id()
        alarms = 2 if number < SECOND_ALARMS else 1
        blocks = [
            ("smoke_alarm_install", say.alarm(person, signature, f"QH{number:03}-{n}", installed))
            for n in range(alarms)
        ]
        diary.visit(field.at(on), field.pair(code), code, blocks)


def _plan_welfare(field: Field, homes: list[str]) -> None:
    sizes = [persons for persons, cases in CASES.items() for _ in range(cases)]
    for number, (code, persons, on) in enumerate(
        zip(homes, sizes, cycle(field.days(day(7, 1), day(7, 29), 12)), strict=False)
    ):
        case, pair = field.diary.new_id(), field.pair(code)
        names = [person.name for person in pair]
        field.diary.visit(field.at(on), pair, code, [("low_income_review", say.welfare(case, persons, names))])
        if number == 0:
            # Looked at again in autumn: the same household, counted once.
            autumn = [("low_income_review", say.welfare(case, persons, names, method=["home", "data"]))]
            field.diary.visit(field.at(day(10, 12)), pair, code, autumn)


def _plan_vaccination(field: Field, homes: list[str]) -> None:
    """Two persons a home; some are willing first and vaccinated when they are asked again."""
    for code, (on, persons) in zip(homes, _elderly(field), strict=False):
        first = [("elderly_vaccination", say.vaccination(who, age, before)) for who, age, before, _ in persons]
        field.diary.visit(field.at(on), field.pair(code), code, first)
        again = [
            ("elderly_vaccination", say.vaccination(who, age, after))
            for who, age, before, after in persons
            if before != after
        ]
        if again:
            field.diary.visit(field.at(on + timedelta(days=40)), field.pair(code), code, again)


def _elderly(field: Field) -> Iterator[tuple[date, list[tuple[str, str, str, str]]]]:
    """Day and persons of each home: (person, age, status at first, status in the end)."""
    ways = [("done", "done")] * (VACCINATED - AT_THE_SECOND_VISIT) + [("willing", "done")] * AT_THE_SECOND_VISIT
    ways += [("hesitant", "hesitant"), ("refused", "refused")] * 2 + [("willing", "willing")]
    ways += [("deferred", "deferred")] * DEFERRED
    assert len(ways) == ELIGIBLE + DEFERRED
    field.diary.rng.shuffle(ways)
    days = cycle(field.days(day(4, 6), day(9, 30), 60))
    for start in range(0, len(ways), 2):
        ages = cycle(("a60", "a70", "a80"))
        yield next(days), [(field.diary.new_id(), next(ages), *way) for way in ways[start : start + 2]]


def _plan_helpers(field: Field, homes: list[str]) -> None:
    """Four who have a helper all year, with three errands each; one whose help had ended before."""
    for number, code in enumerate(homes[: HELPED + 1]):
        person, pair = field.diary.new_id(), field.pair(code)
        ended = {"ended_on": f"{YEAR - 1}-12-30"} if number == HELPED else {}
        said = say.helper(person, pair[0].name, f"{YEAR - 1}-10-08", **ended)
        for on in (day(1, 14), day(5, 25), day(9, 21))[: 1 if ended else 3]:
            field.diary.visit(field.at(on), pair, code, [("helper_assignment", said)])
