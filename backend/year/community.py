"""The invented community of the year: its places as a roster file, its people, and where its clock stands.

The clock of a simulated community has one offset for good, so its office lives through the last afternoon of the year.
The phones have been up since before it began: an anchor taken now makes each of their readings true, as in any week
of a fleet.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from backend import clock
from backend.demo.community import HEADINGS, Founding, Person, found_community, read_state, write_privately
from backend.http.context import Runtime

STATE_FILE = "year.json"
YEAR = 2022
COMMUNITY, SHORT_NAME = "青禾社区", "青禾"
GRIDS, BUILDINGS, HOUSES = 3, 14, 46
UNITS, FLOORS, ROOMS = 2, 6, 3
SHOPS_A_BUILDING, HOMES_A_HOUSE = 3, 2
#: The office's day: the last of the year, in the afternoon.
NOW = datetime(YEAR, 12, 31, 15, 30, tzinfo=clock.SHANGHAI)
#: The registry is older than the year, and so are the phones' boots.
REGISTERED = datetime(YEAR - 1, 12, 1, 9, tzinfo=clock.SHANGHAI)
PEOPLE = {
    "grid_worker": ("石小满", "田大禾", "水清清", "林知秋", "麦穗儿", "叶青青"),
    "grid_head": ("江远帆", "谷雨生", "岳平川"),
    "safety_officer": ("山朝阳",),
    "committee": ("云长河",),
    "street": ("白露生",),
    "department": ("关山月",),
}


@dataclass(frozen=True, slots=True)
class Codes:
    """The field codes of the year's places, in the roster's order."""

    buildings: tuple[str, ...]
    homes: tuple[str, ...]
    shops: tuple[str, ...]
    areas: tuple[str, ...]
    houses: tuple[str, ...]

    @classmethod
    def all(cls) -> "Codes":
        buildings = tuple(f"QH-{b % GRIDS + 1}-B{b + 1}" for b in range(BUILDINGS))
        rooms = [(u, f, r) for u in range(1, UNITS + 1) for f in range(1, FLOORS + 1) for r in range(1, ROOMS + 1)]
        return cls(
            buildings,
            tuple(f"{b}-{u}-{f}{r:02}" for b in buildings for u, f, r in rooms),
            tuple(f"{b}-S{s}" for b in buildings for s in range(1, SHOPS_A_BUILDING + 1)),
            tuple(f"QH-{g + 1}-M" for g in range(GRIDS)),
            tuple(f"QH-{h % GRIDS + 1}-Z{h + 1}" for h in range(HOUSES)),
        )

    def homes_of(self, house: str) -> tuple[str, ...]:
        """The households of a self-built house."""
        return tuple(f"{house}-{n}" for n in range(1, HOMES_A_HOUSE + 1))


def grid_of(code: str) -> str:
    """The grid that a place's code begins with."""
    return "-".join(code.split("-")[:2])


def roster() -> bytes:
    """The places as a roster file: three grids, buildings with stairwells and shops, self-built houses."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(HEADINGS)
    sheet.writerows(_rows(Codes.all()))
    return out.getvalue().encode("utf-8-sig")


def _rows(codes: Codes) -> Iterator[tuple[str, str, str, str, str]]:
    for number, area in enumerate(codes.areas, 1):
        yield f"QH-{number}", "网格", f"第{'一二三'[number - 1]}网格", "", ""
        yield area, "微网格", f"青禾{number}组自建房片", f"QH-{number}", ""
    for number, building in enumerate(codes.buildings, 1):
        address = f"青禾路{number}号"
        yield building, "楼栋", f"{number}栋", grid_of(building), address
        for unit in range(1, UNITS + 1):
            yield f"{building}-{unit}", "单元", f"{unit}单元", building, f"{address}{unit}单元"
        for shop in range(1, SHOPS_A_BUILDING + 1):
            yield f"{building}-S{shop}", "场所", f"青禾便民店{number}{shop}", building, f"{address}底商{shop}号"
    for home in codes.homes:
        stairwell, _, room = home.rpartition("-")
        yield home, "户", f"{room}室", stairwell, ""
    for number, house in enumerate(codes.houses, 1):
        grid = grid_of(house)
        yield house, "楼栋", f"自建房{number}号", f"{grid}-M", f"青禾{grid[-1]}组{number}号"
        for n, home in enumerate(codes.homes_of(house), 1):
            yield home, "户", f"{n}0{n}室", house, ""


@dataclass(slots=True)
class YearCommunity:
    """A community that was made for a year, who works in it, and what came of the year (kept for a second run)."""

    community_id: UUID
    people: tuple[Person, ...]
    story: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write it whole or not at all."""
        people = [asdict(person) for person in self.people]
        values = {"community_id": str(self.community_id), "people": people, "story": self.story}
        write_privately(folder / STATE_FILE, values)

    @classmethod
    def load(cls, folder: Path) -> "YearCommunity | None":
        """What an earlier run made, or None."""

        def read(raw: dict[str, Any]) -> YearCommunity:
            people = tuple(Person(**person) for person in raw["people"])
            return cls(UUID(raw["community_id"]), people, raw["story"])

        return read_state(folder / STATE_FILE, read)

    def of(self, role: str, grid: str | None = None) -> list[Person]:
        """The people of a role; of one grid, if it is named."""
        return [p for p in self.people if p.role == role and grid in (None, p.grid)]


def make_year(runtime: Runtime, now: datetime) -> YearCommunity:
    """The community with its places and people; ``now`` is the true time, at which its clock stands at ``NOW``."""
    offset_ms = -int((now - NOW) / timedelta(milliseconds=1))
    registered_ms, grids = int(REGISTERED.timestamp() * 1000), tuple(f"QH-{g + 1}" for g in range(GRIDS))
    founding = Founding(COMMUNITY, SHORT_NAME, offset_ms, roster(), registered_ms, PEOPLE, grids)
    community_id, people = found_community(runtime, founding)
    return YearCommunity(community_id, tuple(people))
