"""The office of the year, on its last afternoon: sweeps on record, dangerous houses emptied, the paper made."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from backend.demo.office import Office
from backend.year.community import NOW, YEAR, Codes
from backend.year.life import report_of

Count = Callable[[str, int, int], None]
#: (name, forms, kinds, places below which its doors stand)
Sweep = tuple[str, Sequence[str], Sequence[str], Sequence[str]]
DESTINATIONS = ("relatives", "rental", "shelter")
PAPER_PATIENCE_S = 120


def sweeps_of(codes: Codes) -> tuple[Sweep, ...]:
    """扫街、多合一、扫楼, and the survey of all self-built houses."""
    return (
        ("扫街行动", ("street_shop",), ("premises",), ()),
        ("“多合一”专项整治", ("multi_use_premises",), ("premises",), ()),
        ("电动车扫楼行动", ("ebike_charging",), ("building",), codes.buildings),
        ("自建房百日攻坚", ("self_built_house",), ("building",), codes.areas),
    )


def start_sweeps(office: Office, codes: Codes, places: dict[str, str], count: Count) -> list[str]:
    """Freeze the doors of the year's sweeps; paths of the campaigns."""
    paths = []
    for name, forms, kinds, below in sweeps_of(codes):
        body = {
            "name": name,
            "scope": [places[code] for code in below],
            "forms": list(forms),
            "kinds": list(kinds),
            "first_day": f"{YEAR}-01-01",
            "last_day": f"{YEAR}-12-31",
        }
        path = f"/api/v1/campaigns/{office.post('/api/v1/campaigns', body)['id']}"
        office.post(f"{path}/start", {})
        paths.append(path)
        count("sweeps", len(paths), 4)
    return paths


class Houses:
    """Seven houses are emptied: what the office records of each. One home of the first has nobody in it; one household
    refuses at first, one moves back for an hour; one notice is corrected by another."""

    def __init__(self, office: Office, codes: Codes, places: dict[str, str]) -> None:
        self._office, self._codes, self._places = office, codes, places
        self._emptied = 0

    def empty(self, code: str, grade: str) -> None:
        """From the appraisal to the last household that left."""
        house, homes = self._places[code], [self._places[home] for home in self._codes.homes_of(code)]
        report = {"grade": grade, "appraiser": "衡正房屋鉴定所", "report_no": report_of(code)}
        report |= {"reported_on": f"{YEAR}-12-28", "danger_parts": "承重墙贯通开裂"}
        self._record(house, "appraised", at_ms=_ago(days=2), **report)
        is_first = self._emptied == 0
        for number, home in enumerate(homes):
            persons = 0 if is_first and number else 3
            self._record(house, "listed", at_ms=_ago(days=1), household_id=home, persons=persons)
        lived_in = homes[:1] if is_first else homes
        notice = self._notice(house)
        if is_first:
            notice = self._notice(house, replaces=notice["id"])
        for number, home in enumerate(lived_in):
            self._leave(house, notice, home, number)
        self._record(house, "cordoned")
        if is_first:
            self._record(house, "checked", returned=lived_in)
            self._record(house, "left", household_id=lived_in[0], destination="shelter")
        self._emptied += 1

    def _leave(self, house: str, notice: dict[str, Any], home: str, number: int) -> None:
        served = {
            "mode": "onsite",
            "result": "signed",
            "served_by": "山朝阳",
            "signatory": "户主",
            "household_id": home,
        }
        served |= {"served_ms": notice["issued"]["ms"]}
        self._office.post(f"/api/v1/notices/{notice['id']}/services", served)
        about = {"household_id": home}
        if self._emptied == 1 and number == 0:
            self._record(house, "told", **about)
            self._record(house, "refused", reason="暂无去处", **about)
            self._record(house, "revisited", street="街道办", police="派出所", **about)
        self._record(house, "agreed", **about)
        self._record(house, "left", destination=DESTINATIONS[number], utilities_off=True, **about)

    def _notice(self, house: str, replaces: str | None = None) -> dict[str, Any]:
        body = {
            **{
                "addressee": "房屋产权人",
                "owner": "房屋产权人",
                "contact": "山朝阳 0735-2220000",
                "street": "青禾街道办事处",
            },
            **{
                "resettlement": "投亲、租房或入住街道安置点",
                "help": "社区派人协助搬运",
                "utilities": "请关闭水电气总阀",
            },
            "deadline_ms": _ago(days=-1),
            "replaces": replaces,
        }
        made: dict[str, Any] = self._office.post(f"/api/v1/dangerous-houses/{house}/notice", body)
        return made

    def _record(self, house: str, kind: str, **said: Any) -> None:
        self._office.post(f"/api/v1/dangerous-houses/{house}/{kind}", said)


def _ago(*, days: float) -> int:
    return int((NOW - timedelta(days=days)).timestamp() * 1000)


def annual_paper(office: Office) -> dict[str, Any]:
    """The year's paper, made now."""
    asked = office.post("/api/v1/papers", {"kind": "annual", "period_start": f"{YEAR}-01-01"})
    path = f"/api/v1/papers/{asked['id']}"
    made: dict[str, Any] = office.wait_for(path, lambda paper: paper["state"] != "queued", PAPER_PATIENCE_S)
    return made
