"""The invented community of the demonstration: its places as a roster file, its people, its clock."""

import csv
import io
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import clock
from backend.db import set_access
from backend.errors import ConfigurationError
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.identity.models import Community
from backend.identity.service import create_account, create_community, grant_role
from backend.places.models import Place
from backend.places.roster import import_roster
from backend.places.service import PlaceListeners

STATE_FILE = "demo.json"
COMMUNITY, SHORT_NAME, MIRROR_NAME = "槐荫社区", "槐荫", "槐荫社区（对照）"
GRIDS = ("第一网格", "第二网格")
HEADINGS = ("编码", "类型", "名称", "上级编码", "地址")
PEOPLE = {
    "grid_worker": ("石小满", "田大禾", "水清清", "林知秋"),
    "grid_head": ("江远帆", "谷雨生"),
    "safety_officer": ("山朝阳",),
    "committee": ("云长河",),
}
WEEK_ENDED_FOR = timedelta(hours=8, minutes=30)
State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demonstration. ``grid`` is a field code, or None for the whole community."""

    role: str
    name: str
    login: str
    password: str
    grid: str | None


@dataclass(slots=True)
class DemoState:
    """What a first run made, kept (mode 0600) so that a second run finds it and does nothing twice."""

    community_id: str
    mirror_id: str
    people: list[Person]
    mirror_people: list[Person]
    story: dict[str, object]

    @property
    def is_complete(self) -> bool:
        """Whether a run told its story to the end."""
        return bool(self.story)

    @property
    def both(self) -> tuple[list[Person], list[Person]]:
        """The people of the story, and those of the mirror, in the same order."""
        return self.people, self.mirror_people

    def person(self, role: str) -> Person:
        """The first person of a role."""
        return next(person for person in self.people if person.role == role)

    def save(self, folder: Path) -> None:
        """Write the state whole or not at all."""
        write_privately(folder / STATE_FILE, asdict(self))


def write_privately(path: Path, values: dict[str, Any]) -> None:
    """Write JSON that holds log-ins, whole or not at all, for its owner alone."""
    draft = path.with_name(f"{path.name}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(values, file, ensure_ascii=False, indent=1)
    draft.replace(path)


def read_state(path: Path, read: Callable[[dict[str, Any]], State]) -> State | None:
    """What an earlier run wrote, or None; ConfigurationError when it cannot be read."""
    if not path.exists():
        return None
    try:
        return read(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is damaged; delete it and the data folder to begin anew") from error


def load_state(folder: Path) -> DemoState | None:
    """What an earlier run made, or None."""

    def read(raw: dict[str, Any]) -> DemoState:
        people = [[Person(**person) for person in raw[key]] for key in ("people", "mirror_people")]
        return DemoState(raw["community_id"], raw["mirror_id"], people[0], people[1], raw["story"])

    return read_state(folder / STATE_FILE, read)


def roster() -> bytes:
    """The places as a roster file: two grids, self-built houses, a high-rise, shops below."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(HEADINGS)
    sheet.writerows(_rows())
    return out.getvalue().encode("utf-8-sig")


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for g, grid in enumerate(GRIDS, 1):
        yield f"HY-{g}", "网格", grid, "", ""
        for house in range(1, 7):
            code, address = f"HY-{g}-Z{house}", f"槐荫路{g}组{house}号"
            yield code, "楼栋", f"自建房{house}号", f"HY-{g}", address
            for room in range(1, 4):
                yield f"{code}-{room}", "户", f"{room}室", code, f"{address}{room}室"
        tower, address = f"HY-{g}-G1", f"槐荫路{g}8号1栋"
        yield tower, "楼栋", "1栋", f"HY-{g}", address
        for unit in (1, 2):
            yield f"{tower}-{unit}", "单元", f"{unit}单元", tower, f"{address}{unit}单元"
            for floor in range(1, 9):
                name = f"{floor}01室"
                yield f"{tower}-{unit}-{floor}01", "户", name, f"{tower}-{unit}", f"{address}{unit}单元{name}"
        for shop in range(1, 5):
            yield f"HY-{g}-S{shop}", "场所", f"槐荫便民店{g}{shop}", tower, f"{address}底商{shop}号"


def make_demo(runtime: Runtime, now: datetime) -> DemoState:
    """Two communities with the same places: one for the story, one to push the same records to in order.

    Their clocks stand at half past eight on the Monday after the week that is played.
    """
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    offset_ms = -int((now - (monday + WEEK_ENDED_FOR)).total_seconds() * 1000)
    registered_ms = clock.now_ms(offset_ms) - 30 * clock.DAY_MS
    grids = tuple(f"HY-{number}" for number in range(1, len(GRIDS) + 1))
    foundings = [
        Founding(name, SHORT_NAME, offset_ms, roster(), registered_ms, PEOPLE, grids)
        for name in (COMMUNITY, MIRROR_NAME)
    ]
    (community_id, people), (mirror_id, mirror_people) = (found_community(runtime, one) for one in foundings)
    return DemoState(str(community_id), str(mirror_id), people, mirror_people, {})


@dataclass(frozen=True, slots=True)
class Founding:
    """What an invented community is made of. ``people``: role → names; those of the field share out the ``grids``."""

    name: str
    short_name: str
    clock_offset_ms: int
    roster: bytes
    registered_ms: int
    people: Mapping[str, Sequence[str]]
    grids: Sequence[str]


def found_community(runtime: Runtime, founding: Founding) -> tuple[UUID, list[Person]]:
    """A community with its places and people."""
    with runtime.db.transaction() as session:
        community_id = create_community(
            session,
            runtime.part(Keyring),
            name=founding.name,
            short_name=founding.short_name,
            clock_offset_ms=founding.clock_offset_ms,
        )
        set_access(session, [community_id])
        listeners = runtime.part(PlaceListeners)
        at_ms = founding.registered_ms
        report = import_roster(session, community_id, founding.roster, "roster.csv", None, at_ms, False, listeners)
        if report.errors:
            raise RuntimeError(f"the demonstration's own roster is bad: {report.as_dict()['errors'][:3]}")
        return community_id, list(_make_people(session, community_id, founding))


def _make_people(session: Session, community_id: UUID, founding: Founding) -> Iterator[Person]:
    grids = {
        row.field_code: row.id
        for row in session.scalars(select(Place).where(Place.community_id == community_id, Place.kind == "grid"))
    }
    suffix = str(community_id)[-4:]
    for role, names in founding.people.items():
        for number, name in enumerate(names):
            in_grid = role in ("grid_worker", "grid_head")
            code = founding.grids[number % len(founding.grids)] if in_grid else None
            login = f"{role.replace('_', '')}{number + 1}-{suffix}"
            password = secrets.token_urlsafe(9)
            account_id = create_account(session, login, name, password)
            grant_role(session, community_id, account_id, role, grids[code] if code else None)
            yield Person(role, name, login, password, code)


def still_there(runtime: Runtime, community_id: UUID) -> bool:
    """Whether the database still holds the community that a state file speaks of."""
    with runtime.db.transaction([community_id]) as session:
        return session.get(Community, community_id) is not None
