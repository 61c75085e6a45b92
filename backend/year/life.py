"""What residents ask for, what is held, and the survey of self-built houses after the spring."""

from datetime import date, timedelta
from itertools import cycle

from backend.year import answers as say
from backend.year.community import YEAR
from backend.year.field import Field, day

SOLVED, STILL_OPEN = 55, 3
STUDY_SESSIONS = 9
#: Township by township; persons in all.
DRILLS = ((6, 96), (8, 118))
OTHER_EVENTS = (("volunteer", "学雷锋岗亭", 36), ("greening", "覆绿添景", 25), ("sorting", "垃圾分类宣传", 40))
OWNERS = ("周禾田", "方泽安", "许小舟")
#: Grades that a qualified body found in the end: seven houses are dangerous.
DANGEROUS = ("C", "C", "C", "C", "D", "D", "D")
REQUESTS = (
    ("楼道灯不亮", "facility"),
    ("下水道堵塞", "environment"),
    ("办理医保缴费", "medical"),
    ("邻里噪声纠纷", "dispute"),
    ("屋面渗水", "housing"),
    ("行动不便需代购", "livelihood"),
)


def plan_life(field: Field) -> None:
    """Requests, events and houses."""
    _plan_requests(field)
    _plan_events(field)
    _plan_houses(field)


def _plan_requests(field: Field) -> None:
    """A request is one record; how it ended is a correction of it. One was made in the year before, one answered."""
    doors = field.some(field.codes.homes, SOLVED + STILL_OPEN + 1)
    asked = [date(YEAR - 1, 12, 28), *field.days(day(1, 4), day(12, 9), SOLVED - 1)]
    asked += [day(12, 27)] * STILL_OPEN
    for number, (code, on) in enumerate(zip(doors, asked, strict=False)):
        summary, category = REQUESTS[number % len(REQUESTS)]
        owner, pair = OWNERS[number % len(OWNERS)], field.pair(code)
        said = say.request(summary, category, owner, (on + timedelta(days=15)).isoformat())
        root = field.diary.visit(field.at(on), pair, code, [("resident_request", said)])
        if number < SOLVED:
            replied = on + timedelta(days=6)
            answer = {"result": "已办结", "replied_on": replied.isoformat(), "satisfaction": "good"}
            at = field.at(replied)
            field.diary.visit(at, pair, code, [("resident_request", said | answer)], corrects=root)
    late = say.request("路面破损", "facility", OWNERS[0], f"{YEAR - 1}-12-15")
    late |= {"result": "已办结", "replied_on": f"{YEAR - 1}-12-14"}
    field.diary.visit(field.at(day(1, 5)), field.pair(doors[-1]), doors[-1], [("resident_request", late)])


def _plan_events(field: Field) -> None:
    grids = cycle(("QH-1", "QH-2", "QH-3"))
    held: list[tuple[str, str, int, dict[str, object]]] = [("study", "主题学习", 24, {}) for _ in range(STUDY_SESSIONS)]
    held += [("drill", "全员核酸检测演练", people, {"units": units}) for units, people in DRILLS]
    held += [(kind, title, people, _post(kind)) for kind, title, people in OTHER_EVENTS]
    for (kind, title, people, more), on in zip(held, field.days(day(1, 10), day(12, 12), len(held)), strict=True):
        grid = next(grids)
        said = say.event(kind, title, on.isoformat(), people, **more)
        field.diary.visit(field.at(on), field.pair(grid), grid, [("community_event", said)])
    # Of the year before, written down late.
    old = say.event("study", "主题学习", f"{YEAR - 1}-12-24", 24)
    field.diary.visit(field.at(day(1, 4)), field.pair("QH-1"), "QH-1", [("community_event", old)])


def _post(kind: str) -> dict[str, object]:
    return {"post": "校门口"} if kind == "volunteer" else {}


def dangerous_houses(field: Field) -> dict[str, str]:
    """The houses that were found dangerous, with their grades."""
    return dict(zip(field.codes.houses, DANGEROUS, strict=False))


def _plan_houses(field: Field) -> None:
    """Every house is described in May and June, and once more with its report. The dangerous ones' come in December."""
    grave, sound = dangerous_houses(field), cycle("ABBA")
    surveyed = field.days(day(5, 4), day(6, 20), len(field.codes.houses))
    reported = field.days(day(7, 1), day(11, 30), len(field.codes.houses))
    for number, (code, first, second) in enumerate(zip(field.codes.houses, surveyed, reported, strict=True)):
        owner, pair = f"{'赵钱孙李周吴'[number % 6]}某", field.pair(code)
        field.diary.visit(field.at(first), pair, code, [("self_built_house", say.house(owner))])
        on = day(12, 28) if code in grave else second
        report = say.appraised_house(owner, grave.get(code) or next(sound), report_of(code), on.isoformat())
        field.diary.visit(field.at(on), pair, code, [("self_built_house", report)])


def report_of(code: str) -> str:
    """The number of a house's report."""
    return f"HZ-{YEAR}-{code.rpartition('Z')[2].zfill(3)}"
