"""What people of a simulated year write down: visits, corrections and steps, each at its own time, on its own phone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from backend import clock
from backend.demo.community import Person
from mobile_contract.conformance.notebook import MadeRecord, Notebook
from mobile_contract.rules import hazard_id

Body = dict[str, Any]
#: Photos taken before and after something was put right.
PHOTOS = 2


@dataclass(slots=True, eq=False)
class Entry:
    """A record to be. ``write`` is called when its time has come, for the parts that only a phone knows."""

    at: datetime
    author: Person
    type: str
    write: Callable[[Notebook], Body]
    record: MadeRecord | None = None

    @property
    def at_ms(self) -> int:
        return int(self.at.timestamp() * 1000)

    @property
    def id(self) -> str:
        """The record's id; it must have been written."""
        if self.record is None:
            raise RuntimeError(f"{self.type} of {self.at} is not written yet")
        return self.record.id


@dataclass
class Diary:
    """All entries of a year. ``places``: field code → id. Everything is drawn from ``rng``."""

    community_id: UUID
    places: dict[str, str]
    rng: Random
    entries: list[Entry] = field(default_factory=list)

    def visit(
        self,
        at: datetime,
        visitors: Sequence[Person],
        code: str,
        blocks: Iterable[tuple[str, Body]],
        *,
        photos: int = 0,
        fixed: str | None = None,
        corrects: Entry | None = None,
    ) -> Entry:
        """A visit whose people were met; ``blocks``: (form, answers). ``fixed``: a rule put right on the spot, with a
        photo before and one after. ``corrects``: the visit that this one replaces."""
        header = self._header(at, visitors, code, "done") | {"informed": True}
        filled = [
            {"form": form, "version": 1, "place_id": self.places[code], "answers": answers, "fixed": []}
            for form, answers in blocks
        ]

        def write(notebook: Notebook) -> Body:
            taken = [notebook.make_attachment() for _ in range(PHOTOS if fixed else photos)]
            ids = [photo["id"] for photo in taken]
            if fixed:
                filled[0]["fixed"] = [{"rule": fixed, "before": ids[:1], "after": ids[1:]}]
            elif ids:
                header["photos"] = ids
            body: Body = {"visit": {"header": header, "blocks": filled}, "attachments": taken}
            return body if corrects is None else body | {"amends": corrects.id, "reason": "补录办理结果"}

        return self._enter(Entry(at, visitors[0], "visit", write))

    def closed_door(self, at: datetime, visitors: Sequence[Person], code: str, outcome: str = "no_answer") -> Entry:
        """A visit that met nobody, or was turned away."""
        body = {"visit": {"header": self._header(at, visitors, code, outcome)}}
        return self._enter(Entry(at, visitors[0], "visit", lambda _: body))

    def step(self, at: datetime, actor: Person, code: str, chain: str, locus: str, kind: str, **said: Any) -> Entry:
        """A step about a hazard, whose id a phone computes by itself. A value that is an Entry becomes its id; under
        ``proof`` stand kinds of evidence, each brought as a photo."""
        place = self.places[code]
        about = {"hazard_id": str(hazard_id(self.community_id, place, chain, locus)), "place_id": place, "kind": kind}

        def write(notebook: Notebook) -> Body:
            body = {name: _id_of(value) for name, value in said.items() if name != "proof"}
            taken = [notebook.make_attachment() for _ in said.get("proof", ())]
            if kind == "close":
                kinds = zip(said["proof"], taken, strict=True)
                body["evidence"] = [{"kind": code, "attachments": [photo["id"]]} for code, photo in kinds]
            elif taken:
                body["photos"] = [photo["id"] for photo in taken]
            return {"step": {**about, **body}, "attachments": taken}

        return self._enter(Entry(at, actor, "task_step", write))

    def new_id(self) -> str:
        """A made-up reference: a person, a case, a signature."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def _header(self, at: datetime, visitors: Sequence[Person], code: str, outcome: str) -> Body:
        return {
            "place_id": self.places[code],
            "visited_at": at.astimezone(clock.SHANGHAI).isoformat(timespec="seconds"),
            "visitors": [person.name for person in visitors],
            "outcome": outcome,
        }

    def _enter(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        return entry


def _id_of(value: Any) -> Any:
    if isinstance(value, Entry):
        return value.id
    return [_id_of(item) for item in value] if isinstance(value, list) else value
